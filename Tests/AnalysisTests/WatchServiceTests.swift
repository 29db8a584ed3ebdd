import Detection
import Domain
import Storage
import TestSupport
import Testing

@testable import Analysis

@Suite struct WatchServiceTests {
  /// Two steady hours that the watch learns from in one look.
  private static func steady(_ workloads: [String] = ["orders", "payments", "gateway"]) async throws -> WatchFixture {
    let fixture = try WatchFixture()
    try await fixture.appliance.store((-120..<0).flatMap { fixture.routine($0, workloads) }, fixture.acme)
    fixture.turn(to: 0)
    let events = try await fixture.watch.tick(fixture.acme)
    #expect(events.isEmpty)
    return fixture
  }

  // MARK: Incidents

  @Test func `a burst after steady hours is one incident that begins where the errors point`() async throws {
    let fixture = try await Self.steady()

    let events = try await fixture.live(0..<5) { fixture.routine($0) + fixture.trouble($0) }

    let incident = try #require(try await fixture.incidents().first)
    #expect(try await fixture.incidents().count == 1)
    #expect(incident.state == "open")
    #expect(incident.status == .open)
    #expect(["high", "critical"].contains(incident.severity))
    #expect(Set(incident.workloads) == ["orders", "payments"])
    #expect(incident.namespaces == ["shop"])
    #expect(incident.onset == fixture.at(0).rfc3339)
    let origin = try #require(incident.candidates.first)
    #expect(origin.isRoot)
    #expect(origin.workload == "payments")
    #expect(origin.text.contains("database refused"))
    #expect(incident.candidates.contains { $0.workload == "orders" && !$0.isRoot })
    #expect(!incident.evidence.isEmpty)
    for evidence in incident.evidence {
      #expect(RecordID(evidence.id) != nil)
      #expect(evidence.message.contains("refused") || evidence.message.contains("503"))
    }
    let told = try events.filter { $0.kind == .incident }.map { try JSON.value(IncidentDocument.self, $0.document).id }
    #expect(Set(told) == [incident.id])
    #expect(try await fixture.watch.tick(fixture.acme).isEmpty, "a minute was looked at twice")
    await fixture.appliance.close()
  }

  @Test func `what is caught up with in one look is what was found out minute by minute`() async throws {
    let live = try await Self.steady()
    try await live.live(0..<5) { live.routine($0) + live.trouble($0) }
    let later = try WatchFixture()
    try await later.appliance.store(
      (-120..<5).flatMap { later.routine($0) + ($0 >= 0 ? later.trouble($0) : []) }, later.acme)
    later.turn(to: 5)
    _ = try await later.watch.tick(later.acme)

    #expect(try await later.incidents().map(\.id) == live.incidents().map(\.id))
    #expect(try await Set(later.anomalies().map(\.id)) == Set(live.anomalies().map(\.id)))
    #expect(try await later.incidents().first?.onset == live.at(0).rfc3339)
    await live.appliance.close()
    await later.appliance.close()
  }

  @Test func `an incident ends after the trouble, and what was wrong is normal again`() async throws {
    let fixture = try await Self.steady()
    try await fixture.live(0..<4) { fixture.routine($0) + fixture.trouble($0) }

    try await fixture.live(4..<30) { fixture.routine($0) }

    let incident = try #require(try await fixture.incidents().first)
    #expect(incident.state == "closed")
    #expect(!incident.normalAgain.isEmpty)
    #expect(Set(incident.workloads) == ["orders", "payments"])
    #expect(try await fixture.incidents(onlyOpen: true).isEmpty)
    #expect(try await fixture.anomalies(onlyOpen: true).isEmpty)
    await fixture.appliance.close()
  }

  @Test func `a workload that falls silent is told, and that it is back`() async throws {
    let fixture = try await Self.steady()

    try await fixture.live(0..<6) { fixture.routine($0, ["orders", "gateway"]) }

    let silence = try #require(try await fixture.anomalies(onlyOpen: true).first { $0.kind == "silence" })
    #expect(silence.workload == "payments")
    #expect(silence.pattern == nil)
    #expect(silence.observed == 0)
    #expect(silence.expected > 5)
    #expect(!silence.summary.isEmpty)
    let incident = try #require(try await fixture.incidents().first)
    #expect(incident.workloads.contains("payments"))
    #expect(incident.evidence.contains { $0.workload == "payments" }, "the last that was heard of it")

    try await fixture.live(6..<8) { fixture.routine($0) }

    let ended = try #require(try await fixture.anomalies().first { $0.id == silence.id })
    #expect(ended.phase == "ended")
    await fixture.appliance.close()
  }

  // MARK: Going on

  @Test(arguments: [false, true])
  func `a restart goes on with the same incident, and tells of nothing twice`(isCrash: Bool) async throws {
    let (fixture, control) = (try await Self.steady(), try await Self.steady())
    // Payments have ended before the restart, orders go on: an incident keeps what is over.
    func story(_ minute: Int) -> [LogLine] {
      fixture.routine(minute) + fixture.trouble(minute).filter { $0.message.contains("upstream") }
        + (minute == 0 ? fixture.payments(0).prefix(14) : [])
    }
    try await fixture.live(0..<13) { story($0) }
    let before = try #require(try await fixture.incidents().first)
    #expect(before.anomalies.first { $0.workload == "payments" }?.phase == "ended")
    let next = isCrash ? try fixture.afterCrash() : try await fixture.afterStop()
    let repeated = try await next.watch.tick(next.acme)
    #expect(try await next.incidents().map(\.id) == [before.id])
    #expect(try await next.incidents().first?.anomalies.map(\.id) == before.anomalies.map(\.id))
    if !isCrash { #expect(repeated.isEmpty) }

    let events = try await next.live(13..<16) { story($0) }

    try await control.live(0..<13) { story($0) }
    let undisturbed = try await control.live(13..<16) { story($0) }
    // Which lines stand for what goes on depends on when they were looked up.
    func facts(_ fixture: WatchFixture) async throws -> [[String]] {
      try await fixture.incidents().map {
        [$0.id, $0.title, $0.state, $0.onset, $0.last, $0.scope, $0.severity] + $0.workloads + $0.changes
          + $0.normalAgain + $0.candidates.map(\.text) + $0.candidates.filter(\.isRoot).map(\.workload)
      }
    }
    #expect(try await facts(next) == facts(control))
    #expect(try await next.incidents().first?.workloads.contains("payments") == true)
    #expect(try await next.incidents().first?.evidence.contains { $0.workload == "payments" } == true)
    #expect(try await next.anomalies() == control.anomalies())
    func told(_ events: [InsightEvent]) throws -> Set<String> {
      Set(
        try events.filter { $0.kind == .anomaly }.map {
          let anomaly = try JSON.value(AnomalyDocument.self, $0.document)
          return "\(anomaly.id) \(anomaly.phase) \(anomaly.last)"
        })
    }
    #expect(try told(events) == told(undisturbed))
    if isCrash { await fixture.appliance.close() }
    await next.appliance.close()
    await control.appliance.close()
  }

  @Test func `what the file calls open and nobody knows any more has ended`() async throws {
    let fixture = try await Self.steady()
    try await fixture.live(0..<3) { fixture.routine($0) + fixture.trouble($0) }
    var incident = try #require(try await fixture.incidents().first)
    var anomaly = try #require(incident.anomalies.first)
    (incident.id, anomaly.id) = ("1", "2")
    let rows: [InsightTable.Row] = [
      .init(
        kind: .incident, id: "1", startedAt: fixture.at(-60), changedAt: fixture.at(-50), isOpen: true,
        document: try JSON.bytes(incident)),
      .init(
        kind: .anomaly, id: "2", startedAt: fixture.at(-60), changedAt: fixture.at(-50), isOpen: true,
        document: try JSON.bytes(anomaly)),
    ]
    try await fixture.appliance.pool.open(fixture.acme).insights.save(rows)

    let next = try fixture.afterCrash()
    try await next.live(3..<4) { next.routine($0) + next.trouble($0) }

    #expect(try await next.incidents().first { $0.id == "1" }?.state == "closed")
    #expect(try await next.anomalies().first { $0.id == "2" }?.phase == "ended")
    #expect(try await next.incidents(onlyOpen: true).count == 1)
    await fixture.appliance.close()
    await next.appliance.close()
  }

  @Test func `what ended long ago is forgotten, though records keep coming`() async throws {
    let fixture = try await Self.steady()
    try await fixture.live(0..<3) { fixture.routine($0) + fixture.trouble($0) }
    let document = try JSON.bytes(try #require(try await fixture.incidents().first))
    func row(_ id: String, daysAgo: Int) -> InsightTable.Row {
      let time = fixture.at(-daysAgo * 1440)
      return .init(kind: .incident, id: id, startedAt: time, changedAt: time, isOpen: false, document: document)
    }
    let insights = try await fixture.appliance.pool.open(fixture.acme).insights
    try await insights.save([row("old", daysAgo: 95), row("recent", daysAgo: 80)])

    fixture.turn(to: 1441)
    _ = try await fixture.watch.tick(fixture.acme)

    #expect(try await insights.load(.incident, id: "old") == nil)
    #expect(try await insights.load(.incident, id: "recent") != nil)
    await fixture.appliance.close()
  }

  // MARK: What people say

  @Test func `what is suppressed is found, but is in no incident`() async throws {
    let fixture = try await Self.steady()
    let suppression = try JSON.value(
      SuppressionDocument.self,
      try await fixture.watch.suppress(
        .init(
          reason: "maintenance", workload: "payments", pattern: nil, kinds: [],
          range: TimeRange(start: fixture.at(0), end: fixture.at(60)), repeatMinutes: nil, note: "a new database"),
        scope: fixture.acme))

    try await fixture.live(0..<4) { fixture.routine($0) + fixture.trouble($0) }

    let payments = try await fixture.anomalies().filter { $0.workload == "payments" }
    #expect(!payments.isEmpty)
    for anomaly in payments { #expect(anomaly.suppressedBy == suppression.id) }
    #expect(try await fixture.anomalies().contains { $0.workload == "orders" && $0.suppressedBy == nil })
    for incident in try await fixture.incidents() { #expect(incident.workloads == ["orders"]) }

    // It holds after a restart too, until somebody ends it.
    let next = try fixture.afterCrash()
    try await next.live(4..<5) { next.routine($0) + next.trouble($0) }
    #expect(try await next.anomalies(onlyOpen: true).first { $0.workload == "payments" }?.suppressedBy != nil)
    #expect(try await next.watch.endSuppression(suppression.id, scope: next.acme))
    #expect(try await !next.watch.endSuppression(suppression.id, scope: next.acme))
    #expect(try await next.watch.suppressions(scope: next.acme).isEmpty)
    try await next.live(5..<6) { next.routine($0) + next.trouble($0) }
    #expect(try await next.incidents().contains { $0.workloads.contains("payments") })
    await fixture.appliance.close()
    await next.appliance.close()
  }

  @Test func `the word that it is no problem lowers the severity, and can be taken back`() async throws {
    let fixture = try await Self.steady()
    try await fixture.live(0..<4) { fixture.routine($0) + fixture.trouble($0) }
    func score() async throws -> Double {
      try #require(try await fixture.anomalies().first { $0.workload == "payments" }).severityScore
    }
    let before = try await score()
    let pattern = try #require(try await fixture.anomalies().first { $0.workload == "payments" }?.pattern)

    _ = try await fixture.watch.setFeedback(
      workload: "payments", pattern: pattern, verdict: .noProblem, scope: fixture.acme)
    try await fixture.live(4..<5) { fixture.routine($0) + fixture.trouble($0) }
    let lowered = try await score()
    #expect(lowered <= before - 2)
    #expect(try await fixture.watch.feedback(scope: fixture.acme).count == 1)

    _ = try await fixture.watch.setFeedback(
      workload: "payments", pattern: pattern, verdict: .none, scope: fixture.acme)
    try await fixture.live(5..<6) { fixture.routine($0) + fixture.trouble($0) }
    #expect(try await score() >= before)
    #expect(try await fixture.watch.feedback(scope: fixture.acme).isEmpty)
    await fixture.appliance.close()
  }

  @Test func `an incident's status stays as long as it goes on, also after a restart`() async throws {
    let fixture = try await Self.steady()
    try await fixture.live(0..<3) { fixture.routine($0) + fixture.trouble($0) }
    let id = try #require(try await fixture.incidents().first).id
    #expect(try await fixture.watch.setStatus("acknowledged", ofIncident: id, scope: fixture.acme) != nil)
    #expect(try await fixture.watch.setStatus("acknowledged", ofIncident: "none", scope: fixture.acme) == nil)

    try await fixture.live(3..<5) { fixture.routine($0) + fixture.trouble($0) }
    #expect(try await fixture.incidents().first?.status == .acknowledged)
    let next = try fixture.afterCrash()
    try await next.live(5..<7) { next.routine($0) + next.trouble($0) }

    #expect(try await next.incidents().map(\.status) == [.acknowledged])
    #expect(try await next.incidents().first?.statusAt == fixture.at(3, 10).rfc3339)
    await fixture.appliance.close()
    await next.appliance.close()
  }

  @Test func `what is said while the watch looks is not lost`() async throws {
    let fixture = try await Self.steady()
    try await fixture.live(0..<3) { fixture.routine($0) + fixture.trouble($0) }
    let id = try #require(try await fixture.incidents().first).id
    for minute in 3..<9 {
      let status = minute % 2 == 0 ? "muted" : "acknowledged"
      try await fixture.appliance.store(fixture.routine(minute) + fixture.trouble(minute), fixture.acme)
      fixture.turn(to: minute + 1)
      async let events = fixture.watch.tick(fixture.acme)
      async let document = fixture.watch.setStatus(status, ofIncident: id, scope: fixture.acme)
      _ = try await (events, document)
      #expect(try await fixture.incidents().map(\.status.rawValue) == [status])
    }
    await fixture.appliance.close()
  }

  @Test(arguments: ["resolved", "muted"])
  func `an incident that comes back is open again, unless it was muted`(status: String) async throws {
    let fixture = try await Self.steady()
    try await fixture.live(0..<4) { fixture.routine($0) + fixture.trouble($0) }
    let id = try #require(try await fixture.incidents().first).id
    _ = try await fixture.watch.setStatus(status, ofIncident: id, scope: fixture.acme)
    try await fixture.live(4..<28) { fixture.routine($0) }
    #expect(try await fixture.incidents().map(\.state) == ["closed"])
    #expect(try await fixture.incidents().map(\.status.rawValue) == [status])

    // The next process has only the file to know it from.
    let next = try fixture.afterCrash()
    let events = try await next.live(28..<33) { next.routine($0) + next.trouble($0) + next.trouble($0) }

    let incident = try #require(try await next.incidents().first { $0.id == id })
    #expect(incident.state == "open")
    #expect(incident.status == (status == "muted" ? .muted : .open))
    #expect(events.contains { $0.kind == .incident } == (status != "muted"))
    await fixture.appliance.close()
    await next.appliance.close()
  }

  // MARK: Tenants

  @Test func `a tenant whose batches are in blocks at once is watched as well`() async throws {
    let fixture = try WatchFixture()
    fixture.turn(to: 3)
    try await fixture.appliance.store(
      (-120..<3).flatMap { fixture.routine($0) + ($0 >= 0 ? fixture.trouble($0) : []) }, fixture.acme)
    try await fixture.appliance.flush(fixture.acme)
    fixture.turn(to: 4)

    await fixture.watch.round()

    #expect(try await fixture.incidents().count == 1)
    #expect(try await fixture.incidents(fixture.globex).isEmpty)
    await fixture.appliance.close()
  }

  @Test func `tenants are watched apart`() async throws {
    let fixture = try await Self.steady()
    try await fixture.appliance.store((-120..<0).flatMap { fixture.routine($0) }, fixture.globex)
    await fixture.watch.round()
    for minute in 0..<4 {
      try await fixture.appliance.store(fixture.routine(minute) + fixture.trouble(minute), fixture.acme)
      try await fixture.appliance.store(fixture.routine(minute), fixture.globex)
      fixture.turn(to: minute + 1)
      await fixture.watch.round()
    }

    let id = try #require(try await fixture.incidents().first).id
    #expect(try await fixture.incidents(fixture.globex).isEmpty)
    #expect(try await fixture.anomalies(fixture.globex).isEmpty)
    #expect(try await fixture.watch.incident(id, scope: fixture.globex) == nil)
    #expect(try await fixture.watch.setStatus("muted", ofIncident: id, scope: fixture.globex) == nil)
    #expect(try await fixture.incidents().first?.status == .open)
    await fixture.appliance.close()
  }
}
