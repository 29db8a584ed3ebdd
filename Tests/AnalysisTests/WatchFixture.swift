import Domain
import Search
import Storage
import TestSupport

@testable import Analysis

/// A watch over a test's own tenants, and a shop whose workloads write the same few lines each minute.
struct WatchFixture {
  let appliance: TestAppliance
  let watch: WatchService
  /// The hour that the story begins at.
  let start: Timestamp

  init() throws { try self.init(TestAppliance(), start: nil) }

  private init(_ appliance: TestAppliance, start: Timestamp?) {
    self.appliance = appliance
    self.start = start ?? appliance.time.now
    let search = SearchService(
      pool: appliance.pool, indexes: appliance.indexes, limits: SearchLimits(seconds: 120, byteCountMax: 1 << 27),
      executor: globalConcurrentExecutor, now: appliance.now)
    watch = WatchService(
      pool: appliance.pool, indexes: appliance.indexes, search: search, now: appliance.now, logger: .quiet)
  }

  var acme: TenantScope { appliance.acme }
  var globex: TenantScope { appliance.globex }

  /// What a process that is killed now leaves behind, watched by the next one.
  func afterCrash() throws -> WatchFixture { continued(by: try appliance.afterCrash()) }

  /// The same after a proper stop.
  func afterStop() async throws -> WatchFixture {
    let running = Task { await watch.run() }
    running.cancel()
    await running.value
    return continued(by: try await appliance.afterStop())
  }

  private func continued(by next: TestAppliance) -> WatchFixture {
    next.time.advance(seconds: appliance.time.now.nanoseconds(since: next.time.now) / 1_000_000_000)
    return WatchFixture(next, start: start)
  }

  // MARK: Time

  func at(_ minute: Int, _ second: Int = 0) -> Timestamp {
    start.advanced(byNanoseconds: (Int64(minute) * 60 + Int64(second)) * 1_000_000_000)
  }

  /// Lets it be ten seconds after `minute` began.
  func turn(to minute: Int) {
    appliance.time.advance(seconds: at(minute, 10).nanoseconds(since: appliance.time.now) / 1_000_000_000)
  }

  /// Stores what `lines` says of each minute, and looks after each.
  @discardableResult
  func live(
    _ minutes: Range<Int>, _ scope: TenantScope? = nil, _ lines: (Int) -> [LogLine]
  ) async throws -> [InsightEvent] {
    var events: [InsightEvent] = []
    for minute in minutes {
      turn(to: minute + 1)
      let lines = lines(minute)
      if !lines.isEmpty { try await appliance.store(lines, scope ?? acme) }
      events += try await watch.tick(scope ?? acme)
    }
    return events
  }

  // MARK: Lines

  /// Six to ten requests of each workload a minute.
  func routine(_ minute: Int, _ workloads: [String] = ["orders", "payments", "gateway"]) -> [LogLine] {
    var random = SeededGenerator(seed: UInt64(bitPattern: Int64(minute)))
    return workloads.flatMap { workload in
      (0..<(6 + random.below(5))).map { part in
        line(
          minute, part * 5, workload, "info", "request \(random.below(1_000_000)) served in \(random.below(100)) ms")
      }
    }
  }

  /// Payments lose their database, and orders fail because of payments.
  func trouble(_ minute: Int) -> [LogLine] {
    payments(minute)
      + (0..<12).map { part in
        line(minute, part * 4 + 1, "orders", "error", "upstream payments returned 503 for order \(minute * 100 + part)")
      }
  }

  func payments(_ minute: Int) -> [LogLine] {
    (0..<20).map { part in
      line(minute, part * 2, "payments", "error", "connection to database refused after \(part % 9) attempts")
    }
  }

  private func line(
    _ minute: Int, _ second: Int, _ workload: String, _ level: String, _ message: String
  ) -> LogLine {
    LogLine(
      at(minute, second), pod: "\(workload)-7d9f5b6c4-x2x9\(second % 2 == 0 ? "a" : "b")", container: workload,
      level: level, message)
  }

  // MARK: What was found out

  func incidents(_ scope: TenantScope? = nil, onlyOpen: Bool = false) async throws -> [IncidentDocument] {
    try await watch.incidents(.all, onlyOpen: onlyOpen, limit: 100, scope: scope ?? acme)
      .map { try JSON.value(IncidentDocument.self, $0) }
  }

  func anomalies(_ scope: TenantScope? = nil, onlyOpen: Bool = false) async throws -> [AnomalyDocument] {
    try await watch.anomalies(.all, onlyOpen: onlyOpen, limit: 100, scope: scope ?? acme)
      .map { try JSON.value(AnomalyDocument.self, $0) }
  }
}
