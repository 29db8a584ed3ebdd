internal import Dispatch
internal import Synchronization

/// Threads of Storage's own on which blocking and long work runs, so that none of it holds a thread of the
/// cooperative pool.
final class WorkQueue: Sendable {
  /// Where short reads of all files run, side by side.
  static let readers = WorkQueue("timberline.storage.readers", attributes: .concurrent)

  private let queue: DispatchQueue

  /// A queue that runs one job after another.
  convenience init(_ label: String) { self.init(label, attributes: []) }

  private init(_ label: String, attributes: DispatchQueue.Attributes) {
    queue = DispatchQueue(label: label, attributes: attributes)
  }

  func run<T: Sendable>(
    _ body: @escaping @Sendable () throws(StorageError) -> T
  ) async throws(StorageError) -> T {
    let result: Result<T, StorageError> = await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: Result { () throws(StorageError) in try body() }) }
    }
    return try result.get()
  }

  /// Runs `body` after the jobs before it; nobody waits for it.
  func enqueue(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }
}

/// A few work queues that long computations share: encoding and merging of all tenants together hold at most that
/// many cores.
final class ComputeQueues: Sendable {
  private let queues: [WorkQueue]
  private let turn = Atomic<Int>(0)

  init(count: Int) { queues = (0..<max(1, count)).map { WorkQueue("timberline.storage.compute.\($0)") } }

  func run<T: Sendable>(
    _ body: @escaping @Sendable () throws(StorageError) -> T
  ) async throws(StorageError) -> T {
    let number = turn.wrappingAdd(1, ordering: .relaxed).oldValue
    return try await queues[Int(UInt(bitPattern: number) % UInt(queues.count))].run(body)
  }
}

/// Lets one task at a time through, in the order of their coming, across awaits.
final class Turnstile: Sendable {
  private struct State {
    var isTaken = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Mutex(State())

  func withTurn<T: Sendable>(
    _ body: () async throws(StorageError) -> sending T
  ) async throws(StorageError) -> T {
    await enter()
    defer { leave() }
    return try await body()
  }

  private func enter() async {
    await withCheckedContinuation { continuation in
      let mayPass = state.withLock { state in
        guard state.isTaken else {
          state.isTaken = true
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if mayPass { continuation.resume() }
    }
  }

  private func leave() {
    let next: CheckedContinuation<Void, Never>? = state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isTaken = false
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}

/// A number that a job on another queue counts up.
final class Counter: Sendable {
  private let count = Atomic<Int>(0)

  var value: Int { count.load(ordering: .acquiring) }

  func add(_ amount: Int) { count.wrappingAdd(amount, ordering: .acquiringAndReleasing) }
}
