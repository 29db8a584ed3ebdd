internal import Synchronization

/// What the heads of all tenants hold together, and what to do when it is too much.
final class HeadBudget: Sendable {
  private let byteCountMax: Int
  private let total = Atomic<Int>(0)
  private let commits = Atomic<Int>(0)

  private struct Relief {
    var action: (@Sendable () async -> Void)?
    var running: Task<Void, Never>?
  }
  private let relief = Mutex(Relief())

  init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

  /// What makes the heads smaller, once at a time.
  func onExcess(_ action: @escaping @Sendable () async -> Void) { relief.withLock { $0.action = action } }

  /// A head has grown by so much, or become smaller.
  func add(_ byteCount: Int) {
    total.wrappingAdd(byteCount, ordering: .relaxed)
    if byteCount > 0 { commits.wrappingAdd(1, ordering: .relaxed) }
  }

  var byteCount: Int { total.load(ordering: .relaxed) }

  /// Grows with every commit of any tenant.
  var commitCount: Int { commits.load(ordering: .relaxed) }

  /// Whether heads should become smaller.
  var isExceeded: Bool { byteCount > byteCountMax }

  /// Whether senders should wait until they are.
  var isFarExceeded: Bool { byteCount > byteCountMax + byteCountMax / 4 }

  /// Above this, relief goes on.
  var reliefByteCount: Int { byteCountMax - byteCountMax / 4 }

  /// Begins to make heads smaller, unless that goes on already.
  @discardableResult
  func relieve() -> Task<Void, Never>? {
    relief.withLock { state in
      if let running = state.running { return running }
      guard let action = state.action else { return nil }
      let task = Task { [self] in
        await action()
        self.relief.withLock { $0.running = nil }
      }
      state.running = task
      return task
    }
  }
}
