import Synchronization

/// The time that one query has, with all its subqueries and passes: counted from when its turn came, without what its reader made it wait.
final class QueryClock: Sendable {
  /// Of the query that the current task works for.
  @TaskLocal static var current: QueryClock?

  private let start = ContinuousClock.now
  private let seconds: Int
  private let waited = Mutex(Duration.zero)
  private let lastPause = Mutex(ContinuousClock.now)

  /// How long a query holds its thread while others wait for it.
  private static let slice = Duration.milliseconds(10)

  init(seconds: Int) { self.seconds = seconds }

  /// - Throws: `SearchError.timeout` past the deadline, `CancellationError` when the caller has gone.
  func check() throws {
    try Task.checkCancellation()
    if isOver { throw SearchError.timeout(seconds: seconds) }
  }

  /// The same; and lets the tenant's other queries have the thread when this one has held it for a while.
  func pause() async throws {
    try check()
    let isDue = lastPause.withLock { last in
      let now = ContinuousClock.now
      guard now - last > QueryClock.slice else { return false }
      last = now
      return true
    }
    if isDue { await Task.yield() }
  }

  /// Whether nobody will take an answer: the deadline has passed or the caller has gone.
  var isStopped: Bool { Task.isCancelled || isOver }

  /// Waits for whoever takes the rows. A reader's slowness is not the query's: it does not count against the deadline.
  func waiting(for body: () async throws -> Void) async throws {
    let begin = ContinuousClock.now
    try await body()
    let duration = ContinuousClock.now - begin
    waited.withLock { $0 += duration }
  }

  /// Since the query's turn came, its reader's slowness included.
  var milliseconds: Double { (ContinuousClock.now - start) / .milliseconds(1) }

  private var isOver: Bool { ContinuousClock.now - start - waited.withLock { $0 } > .seconds(seconds) }
}
