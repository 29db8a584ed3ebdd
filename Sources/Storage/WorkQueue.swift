internal import Glibc
internal import Synchronization

/// Threads of Storage's own on which blocking and long work runs, so that none of it holds a thread of the
/// cooperative pool. Their number is fixed: ten thousand tenants have no more threads than one.
///
/// `@unchecked Sendable`: the jobs are touched only under the condition's lock.
final class ThreadPool: @unchecked Sendable {
  /// Where the files of all tenants are written and read. Most of these threads wait for the disk at any moment: so
  /// many, that a few files on a disk that does not answer leave threads for the others.
  static let files = ThreadPool(threadCount: 24)

  private var jobs: [@Sendable () -> Void] = []
  private var first = 0
  private var idleCount = 0
  private var threadCount = 0
  private let threadCountMax: Int
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  /// Lives as long as the process. Threads are made when they are first needed.
  init(threadCount: Int) {
    threadCountMax = max(1, threadCount)
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  func enqueue(_ job: @escaping @Sendable () -> Void) {
    pthread_mutex_lock(mutex)
    jobs.append(job)
    if jobs.count - first > idleCount, threadCount < threadCountMax { startThread() }
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  private func startThread() {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<ThreadPool>.fromOpaque(context).takeRetainedValue().work()
        return nil
      }, context)
    guard status == 0 else {
      Unmanaged<ThreadPool>.fromOpaque(context).release()
      precondition(threadCount > 0, "the system has no thread left for the files")
      return
    }
    threadCount += 1
    pthread_detach(thread)
  }

  private func work() {
    while true {
      pthread_mutex_lock(mutex)
      while first == jobs.count {
        idleCount += 1
        pthread_cond_wait(condition, mutex)
        idleCount -= 1
      }
      let job = jobs[first]
      jobs[first] = {}
      first += 1
      if first == jobs.count {
        jobs.removeAll(keepingCapacity: first <= 1024)
        first = 0
      } else if first >= 1024, first * 2 >= jobs.count {
        jobs.removeFirst(first)
        first = 0
      }
      pthread_mutex_unlock(mutex)
      job()
    }
  }
}

/// Runs jobs on the shared threads, one after another in the order of their coming.
final class WorkQueue: Sendable {
  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var first = 0
    var isScheduled = false
  }
  private let state = Mutex(State())
  private let pool: ThreadPool

  init(on pool: ThreadPool = .files) { self.pool = pool }

  func run<T: Sendable>(
    _ body: @escaping @Sendable () throws(StorageError) -> T
  ) async throws(StorageError) -> T {
    let result: Result<T, StorageError> = await withCheckedContinuation { continuation in
      enqueue { continuation.resume(returning: Result { () throws(StorageError) in try body() }) }
    }
    return try result.get()
  }

  /// Runs `body` after the jobs before it; nobody waits for it.
  func enqueue(_ body: @escaping @Sendable () -> Void) {
    let mustSchedule = state.withLock { state in
      state.jobs.append(body)
      defer { state.isScheduled = true }
      return !state.isScheduled
    }
    if mustSchedule { pool.enqueue { [self] in runNext() } }
  }

  /// One job a turn, so that a busy queue does not keep a thread from others.
  private func runNext() {
    let job = state.withLock { state in
      let job = state.jobs[state.first]
      state.first += 1
      if state.first == state.jobs.count {
        state.jobs = []
        state.first = 0
      }
      return job
    }
    job()
    let hasMore = state.withLock { state in
      state.isScheduled = !state.jobs.isEmpty
      return state.isScheduled
    }
    if hasMore { pool.enqueue { [self] in runNext() } }
  }
}

extension ThreadPool {
  /// Runs `body` beside whatever else runs.
  func run<T: Sendable>(
    _ body: @escaping @Sendable () throws(StorageError) -> T
  ) async throws(StorageError) -> T {
    let result: Result<T, StorageError> = await withCheckedContinuation { continuation in
      enqueue { continuation.resume(returning: Result { () throws(StorageError) in try body() }) }
    }
    return try result.get()
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
