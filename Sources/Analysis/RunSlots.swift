/// How many analyses run at once: the others wait their turn, first come, first served.
actor RunSlots {
  private var free: Int
  private var waiting: [(id: Int, turn: CheckedContinuation<Bool, Never>)] = []
  private var nextID = 0

  init(count: Int) { free = count }

  /// Waits for a turn and runs `body` in it.
  ///
  /// - Throws: `CancellationError` if the caller is cancelled while it waits; what `body` throws.
  nonisolated func run<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
    let id = await makeID()
    let hasTurn = await withTaskCancellationHandler {
      await wait(id)
    } onCancel: {
      Task { await self.giveUp(id) }
    }
    guard hasTurn else { throw CancellationError() }
    do {
      let result = try await body()
      await leave()
      return result
    } catch {
      await leave()
      throw error
    }
  }

  private func makeID() -> Int {
    nextID += 1
    return nextID
  }

  private func wait(_ id: Int) async -> Bool {
    if Task.isCancelled { return false }
    if free > 0 {
      free -= 1
      return true
    }
    return await withCheckedContinuation { waiting.append((id, $0)) }
  }

  private func giveUp(_ id: Int) {
    guard let index = waiting.firstIndex(where: { $0.id == id }) else { return }
    waiting.remove(at: index).turn.resume(returning: false)
  }

  private func leave() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().turn.resume(returning: true) }
  }
}
