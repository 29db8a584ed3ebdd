import Detection
package import Domain
package import Indexing
package import Logging
package import Search
package import Storage
import Synchronization

/// Something that was found out, or changed: for those who follow.
package struct InsightEvent: Sendable {
  package enum Kind: String, Sendable { case anomaly, incident }

  package var kind: Kind
  /// JSON.
  package var document: [UInt8]
}

/// Watches every tenant that takes in records: a look each minute at the minute before.
package final class WatchService: Sendable {
  private let pool: TenantDatabasePool
  private let indexes: TenantIndexPool
  private let search: SearchService
  private let now: @Sendable () -> Timestamp
  private let logger: Logger
  private let state = Mutex(State())

  private struct State {
    var watches: [TenantID: TenantWatch] = [:]
    var scopes: [TenantID: TenantScope] = [:]
    /// When each was last heard of, in minutes.
    var heard: [TenantID: (scope: TenantScope, minute: Int64)] = [:]
    var followers: [TenantID: [UInt64: AsyncStream<InsightEvent>.Continuation]] = [:]
    var nextFollower: UInt64 = 0
  }

  /// Seconds after a minute's end at which it is looked at: late records belong to it too.
  package static let delaySeconds: Int64 = 10
  /// A tenant that has been silent for so long is left alone until it is heard again.
  private static let silentMinutesMax: Int64 = 30
  private static let heardMinutesMax: Int64 = 25 * 60
  private static let followersMax = 200

  package init(
    pool: TenantDatabasePool, indexes: TenantIndexPool, search: SearchService,
    now: @escaping @Sendable () -> Timestamp, logger: Logger
  ) {
    self.pool = pool
    self.indexes = indexes
    self.search = search
    self.now = now
    self.logger = logger
  }

  // MARK: Running

  /// The service: a round shortly after each minute, until its task is cancelled.
  package func run(clock: some Clock<Duration> = ContinuousClock()) async {
    while !Task.isCancelled {
      let delay = Self.delaySeconds * 1_000_000_000
      let past = (now().nanoseconds - delay).remainder(dividingBy: 60_000_000_000)
      // Sleeping fails only when the task is cancelled, which ends the loop.
      try? await clock.sleep(for: .nanoseconds(60_000_000_000 - past))
      if !Task.isCancelled { await round() }
    }
    // What can't be saved now is learned again from the records.
    for watch in state.withLock({ Array($0.watches.values) }) { try? await watch.save() }
  }

  /// Looks at every tenant that took in records lately.
  package func round() async {
    let time = now()
    // Two rounds: what comes in large batches is in blocks before the next looks.
    let fresh = await pool.tenantsWithRecords(since: time.advanced(byNanoseconds: -120_000_000_000))
    let watched = state.withLock { state in
      for scope in fresh {
        state.heard[scope.tenant] = (scope, time.minute)
        if state.watches[scope.tenant] == nil { _ = watch(scope, &state, time) }
      }
      state.heard = state.heard.filter { time.minute - $0.value.minute <= Self.heardMinutesMax }
      return state.watches.compactMap { entry in state.scopes[entry.key].map { (scope: $0, watch: entry.value) } }
    }
    for (scope, watch) in watched.sorted(by: { $0.scope.tenant < $1.scope.tenant }) {
      if Task.isCancelled { return }
      if await time.minute - watch.lastActive > Self.silentMinutesMax {
        await set(aside: scope, watch)
      } else {
        await look(scope, watch, time)
      }
    }
  }

  private func look(_ scope: TenantScope, _ watch: TenantWatch, _ time: Timestamp) async {
    do {
      tell(try await watch.tick(time), scope)
    } catch is CancellationError {
      return
    } catch {
      logger.warning("watching failed", metadata: ["tenant": "\(scope.tenant.text)", "error": "\(error)"])
    }
  }

  private func tell(_ events: [InsightEvent], _ scope: TenantScope) {
    let followers = state.withLock { Array(($0.followers[scope.tenant] ?? [:]).values) }
    for follower in followers { for event in events { follower.yield(event) } }
  }

  private func set(aside scope: TenantScope, _ watch: TenantWatch) async {
    do {
      try await watch.save()
    } catch {
      logger.warning("a watch was not saved", metadata: ["tenant": "\(scope.tenant.text)", "error": "\(error)"])
    }
    state.withLock { state in
      state.watches[scope.tenant] = nil
      state.scopes[scope.tenant] = nil
    }
  }

  /// Looks at one tenant now, whoever else is due: for tests, and for a command that wants to know.
  package func tick(_ scope: TenantScope) async throws -> [InsightEvent] { try await watch(scope).tick(now()) }

  private func watch(_ scope: TenantScope) -> TenantWatch { state.withLock { watch(scope, &$0, now()) } }

  private func watch(_ scope: TenantScope, _ state: inout State, _ time: Timestamp) -> TenantWatch {
    if let known = state.watches[scope.tenant] { return known }
    let watch = TenantWatch(search: search, indexes: indexes, pool: pool, scope: scope, now: time)
    state.watches[scope.tenant] = watch
    state.scopes[scope.tenant] = scope
    return watch
  }

  /// The tenants that were heard of within a day.
  func tenantsOfTheDay() -> [TenantScope] {
    state.withLock { $0.heard.values.map(\.scope).sorted { $0.tenant < $1.tenant } }
  }

  // MARK: Asking

  /// JSON documents of the anomalies of a window, the latest first.
  package func anomalies(
    _ range: TimeRange, onlyOpen: Bool, limit: Int, scope: TenantScope
  ) async throws -> [[UInt8]] {
    try await pool.open(scope).insights.list(.anomaly, range, onlyOpen: onlyOpen, limit: limit).map(\.document)
  }

  /// JSON documents of the incidents of a window, the latest first.
  package func incidents(
    _ range: TimeRange, onlyOpen: Bool, limit: Int, scope: TenantScope
  ) async throws -> [[UInt8]] {
    try await pool.open(scope).insights.list(.incident, range, onlyOpen: onlyOpen, limit: limit).map(\.document)
  }

  /// Nil if there is none of that id.
  package func incident(_ id: String, scope: TenantScope) async throws -> [UInt8]? {
    try await pool.open(scope).insights.load(.incident, id: id)?.document
  }

  /// What happens to the tenant from now on; ends with its reader. Nil if too many follow already.
  package func events(_ scope: TenantScope) -> AsyncStream<InsightEvent>? {
    state.withLock { state in
      guard state.followers[scope.tenant, default: [:]].count < Self.followersMax else { return nil }
      let number = state.nextFollower
      state.nextFollower += 1
      let (stream, continuation) = AsyncStream.makeStream(
        of: InsightEvent.self, bufferingPolicy: .bufferingNewest(1000))
      continuation.onTermination = { [weak self] _ in
        self?.state.withLock { $0.followers[scope.tenant]?[number] = nil }
      }
      state.followers[scope.tenant, default: [:]][number] = continuation
      return stream
    }
  }

  // MARK: Saying

  /// What a person says of an incident: `open`, `acknowledged`, `resolved` or `muted`.
  ///
  /// - Returns: Its document; nil if there is none of that id.
  package func setStatus(_ status: String, ofIncident id: String, scope: TenantScope) async throws -> [UInt8]? {
    guard let status = IncidentDocument.Status(rawValue: status) else { return nil }
    guard let document = try await watch(scope).setStatus(status, ofIncident: id, at: now()) else { return nil }
    tell([InsightEvent(kind: .incident, document: document)], scope)
    return document
  }

  /// What `setStatus` takes.
  package static let statuses = IncidentDocument.Status.allCases.map(\.rawValue)

  /// Anomalies not to be told of.
  package struct SuppressionRequest: Sendable {
    /// One of `reasons`.
    package var reason: String
    /// Nil is all of them.
    package var workload: String?
    package var pattern: UInt32?
    /// Names of kinds; empty is all.
    package var kinds: [String]
    package var range: TimeRange
    /// Holds again every so many minutes.
    package var repeatMinutes: Int?
    package var note: String

    package static let reasons = SuppressionDocument.Reason.allCases.map(\.rawValue)
    /// What `kinds` takes.
    package static let kinds = [
      Anomaly.Kind.new, .variant(of: 0), .spike, .drop, .silence, .shift, .rare, .newValue, .deployment,
    ].map(\.name)

    package init(
      reason: String, workload: String?, pattern: UInt32?, kinds: [String], range: TimeRange, repeatMinutes: Int?,
      note: String
    ) {
      self.reason = reason
      self.workload = workload
      self.pattern = pattern
      self.kinds = kinds
      self.range = range
      self.repeatMinutes = repeatMinutes
      self.note = note
    }
  }

  /// - Returns: The document made of it.
  package func suppress(_ request: SuppressionRequest, scope: TenantScope) async throws -> [UInt8] {
    let document = SuppressionDocument(
      id: String(UInt64.random(in: 1...UInt64.max), radix: 16),
      reason: SuppressionDocument.Reason(rawValue: request.reason) ?? .snoozed, workload: request.workload,
      pattern: request.pattern, kinds: request.kinds, start: request.range.start.rfc3339,
      end: request.range.end.rfc3339, repeatMinutes: request.repeatMinutes, note: request.note,
      createdAt: now().rfc3339)
    try await watch(scope).add(document, at: now())
    return try JSON.bytes(document)
  }

  package func suppressions(scope: TenantScope) async throws -> [[UInt8]] {
    try await pool.open(scope).insights.list(.suppression, limit: 10_000).map(\.document)
  }

  /// - Returns: Whether there was one.
  package func endSuppression(_ id: String, scope: TenantScope) async throws -> Bool {
    try await watch(scope).removeSuppression(id, at: now())
  }

  /// What a person says of a pattern in a workload: whether it is a problem there. Scores follow.
  ///
  /// - Parameter pattern: Nil is the workload as a whole.
  package func setFeedback(
    workload: String, pattern: UInt32?, verdict: Verdict, scope: TenantScope
  ) async throws -> [UInt8] {
    try await watch(scope).setFeedback(workload: workload, pattern: pattern, points: verdict.points, at: now())
  }

  package enum Verdict: String, CaseIterable, Sendable {
    case problem
    case noProblem = "no_problem"
    /// Takes back what was said.
    case none

    /// A grade and a half either way is the most that feedback moves.
    fileprivate var points: Double {
      switch self {
      case .problem: 2
      case .noProblem: -3
      case .none: 0
      }
    }
  }

  package func feedback(scope: TenantScope) async throws -> [[UInt8]] {
    try await pool.open(scope).insights.list(.feedback, limit: 10_000).map(\.document)
  }
}

extension Int64 {
  /// In 0..<divisor.
  fileprivate func remainder(dividingBy divisor: Int64) -> Int64 { (self % divisor + divisor) % divisor }
}
