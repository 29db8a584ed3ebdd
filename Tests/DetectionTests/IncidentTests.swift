import Domain
import Testing

@testable import Detection

@Suite struct IncidentTests {
  private let scorer = SeverityScorer()

  private func anomaly(
    _ key: SeriesKey, _ kind: Anomaly.Kind = .spike, onset: Int64, z: Double = 20, phase: Anomaly.Phase = .ongoing
  ) -> Anomaly {
    Anomaly(
      id: Anomaly.identity(kind, key, onset: onset), kind: kind, key: key, phase: phase, onset: onset, last: onset + 5,
      evidence: .init(
        observed: 40, expected: 4, z: z, baseline: .recent(minutes: 60), total: 200, expectedTotal: 20))
  }

  private func node(
    _ key: SeriesKey, _ workload: String, _ text: String, onset: Int64, z: Double = 20, kind: Anomaly.Kind = .spike,
    pods: [SeriesFacts.Pod] = [], podCount: Int = 0, links: Set<UInt64> = [], phase: Anomaly.Phase = .ongoing
  ) -> IncidentNode {
    let anomaly = anomaly(key, kind, onset: onset, z: z, phase: phase)
    let severity = scorer.score(SeverityFacts(text: text, level: .error, change: anomaly.change))
    let lines = (0..<3).map {
      EvidenceLine(
        id: "\(key.workload)-\(key.pattern)-\($0)", time: Timestamp(seconds: onset * 60 + Int64($0)), text: text,
        workload: workload, key: key)
    }
    return IncidentNode(
      anomaly: anomaly,
      facts: SeriesFacts(
        text: text, workload: workload, namespace: "shop", severity: severity, pods: pods, podCount: podCount,
        links: links, lines: lines))
  }

  /// Four services, each failing because of the next.
  private var cascade: [IncidentNode] {
    [
      node(
        key(4, 4), "payment-processor", "Order validation failed: order-service returned error", onset: monday + 1,
        z: 60),
      node(
        key(3, 3), "order-service", "Cannot validate user: user-service responded with 503", onset: monday + 1, z: 50),
      node(key(2, 2), "user-service", "Auth service unavailable: auth-service returned 503", onset: monday, z: 40),
      node(key(1, 1), "auth-service", "Lost connection to Redis: Connection refused", onset: monday, z: 10),
    ]
  }

  @Test func `a cascade is one incident, and what nobody explains is its origin`() throws {
    let incidents = Incident.incidents(of: cascade, links: IncidentLinks())

    #expect(incidents.count == 1)
    let root = try #require(incidents.first?.candidates.first)
    #expect(root.workload == "auth-service")
    #expect(root.isRoot)
    #expect(incidents[0].candidates.filter(\.isRoot).count == 1)
    #expect(incidents[0].candidates.count == 4)
    #expect(incidents[0].candidates.allSatisfy { !$0.reasons.isEmpty })
  }

  @Test func `a caller's trouble is explained by the called one's`() throws {
    let nodes = [
      node(key(1, 1), "front", "Request failed", onset: monday, z: 80, links: [7]),
      node(key(2, 2), "store", "Request failed: disk error", onset: monday, z: 30, links: [7]),
    ]
    let incidents = Incident.incidents(of: nodes, links: IncidentLinks(calls: { $0 == 1 && $1 == 2 }))

    #expect(incidents.count == 1)
    #expect(incidents[0].candidates.first?.workload == "store")
    #expect(incidents[0].candidates.last?.explainedBy == [key(2, 2)])
  }

  @Test func `what has nothing in common, or began at another time, is another incident`() {
    let nodes = [
      node(key(1, 1), "cart", "Request failed", onset: monday, links: [1]),
      node(key(2, 2), "mail", "Queue is full", onset: monday, links: [2]),
      node(key(3, 3), "stock", "Request failed", onset: monday + 9, links: [1]),
    ]
    #expect(Incident.incidents(of: nodes, links: IncidentLinks()).count == 3)
    let alike = IncidentLinks(similarity: { _, _ in 0.7 })
    #expect(Incident.incidents(of: nodes, links: alike).count == 2)
  }

  @Test func `a name within another word is no name`() {
    let text = IncidentGraph.lowercased("call to Order-Service:8080 failed, reordering".utf8)
    #expect(IncidentGraph.contains(text, word: Array("order-service".utf8)))
    #expect(!IncidentGraph.contains(text, word: Array("reorder".utf8)))
    #expect(!IncidentGraph.contains(text, word: Array("vice".utf8)))
  }

  @Test func `scope says how many pods, and where they have in common`() {
    let pods = (1...3).map { SeriesFacts.Pod(name: "cart-\($0)", node: "node-7", count: 4) }
    let scope = IncidentScope([node(key(1), "cart", "Request failed", onset: monday, pods: pods, podCount: 12)])

    #expect(scope.description == "cart; 3 of 12 pods, all on node-7; namespace shop")
  }

  @Test func `evidence is a few unlike lines with the origin, the first, the last and one of each workload`() {
    let lines = Incident(of: cascade, links: IncidentLinks()).evidence

    #expect((4...8).contains(lines.count))
    #expect(Set(lines.map(\.workload)).count == 4)
    #expect(lines.map(\.time) == lines.map(\.time).sorted())
  }

  @Test func `an incident keeps its id while members come and go, closes after ten minutes, and reopens`() throws {
    var tracker = IncidentTracker()
    let nodes = Dictionary(uniqueKeysWithValues: cascade.map { ($0.key, $0) })
    func update(_ minute: Int64, _ anomalies: [Anomaly]) -> [Incident] {
      tracker.update(minute: minute, anomalies, links: IncidentLinks()) { nodes[$0.key]?.facts }
    }
    let first = anomaly(key(1, 1), onset: monday)
    let second = anomaly(key(2, 2), onset: monday)

    let id = try #require(update(monday, [first]).first?.id)
    #expect(update(monday + 1, [first, second]).map(\.id) == [id])
    #expect(tracker.openIDs == [id])
    var ended = second
    ended.phase = .ended
    ended.last = monday + 4
    _ = update(monday + 5, [first, ended])
    var over = first
    over.phase = .ended
    over.last = monday + 6
    _ = update(monday + 7, [over])
    let calm = update(monday + 12, [])
    #expect(calm.first?.state == .open)
    #expect(update(monday + 16, []).first?.state == .closed)
    #expect(tracker.openIDs.isEmpty)
    #expect(update(monday + 30, [anomaly(key(2, 2), onset: monday + 29)]).map(\.id) == [id])

    let restored = try IncidentTracker(serialized: tracker.serialized())
    #expect(restored.openIDs == [id])
    #expect(restored.serialized() == tracker.serialized())
  }

  @Test func `incidents that turn out to be one are merged into the older`() throws {
    var tracker = IncidentTracker()
    let nodes = Dictionary(uniqueKeysWithValues: cascade.map { ($0.key, $0) })
    func update(_ minute: Int64, _ anomalies: [Anomaly]) -> [Incident] {
      tracker.update(minute: minute, anomalies, links: IncidentLinks()) { nodes[$0.key]?.facts }
    }
    let (auth, order) = (anomaly(key(1, 1), onset: monday), anomaly(key(3, 3), onset: monday))
    let apart = update(monday, [auth, order])
    #expect(apart.count == 2)

    let joined = update(monday + 1, [auth, order, anomaly(key(2, 2), onset: monday + 1)])

    #expect(tracker.openIDs.count == 1)
    let open = try #require(joined.first { $0.isOpen })
    #expect(open.members.count == 3)
    let merged = try #require(joined.first { !$0.isOpen })
    #expect(merged.state == .merged(into: open.id))
  }

  @Test func `what is over comes after what goes on, and is said to be over`() throws {
    var past = node(key(1, 1), "cart", "Request failed: disk error", onset: monday, z: 90)
    past.anomaly.phase = .ended
    let nodes = [past, node(key(2, 2), "mail", "Queue is full, message rejected", onset: monday + 9, z: 9)]
    let incidents = Incident.incidents(of: nodes, links: IncidentLinks())

    #expect(incidents.map(\.isOpen) == [true, false])
    let report = Report(
      incidents, coverage: .init(minutes: monday..<monday + 20, recordCount: 9, patternCount: 2, workloadCount: 2))
    #expect(report.headline.hasPrefix("mail"))
    #expect(report.sections.last?.since.contains("until") == true)
    #expect(report.sections.last?.normalAgain.first?.hasPrefix("everything") == true)
  }

  @Test func `fewer failures than usual are no trouble, and explain none`() {
    let fewer = node(key(1, 1), "store", "Request failed: disk error", onset: monday, z: -20, kind: .drop)
    let caller = node(key(2, 2), "front", "Request failed: store returned 500", onset: monday, z: 20)
    let incident = Incident(of: [fewer, caller], links: IncidentLinks(calls: { $0 == 2 && $1 == 1 }))

    #expect(fewer.points < 2)
    #expect(incident.candidates.first?.workload == "front")
    #expect(incident.candidates.last?.explainedBy == [key(2, 2)])
  }

  @Test func `suppressed anomalies make no incident`() {
    var tracker = IncidentTracker()
    var snoozed = anomaly(key(1, 1), onset: monday)
    snoozed.suppressedBy = 9
    let facts = cascade[3].facts
    #expect(tracker.update(minute: monday, [snoozed], links: IncidentLinks()) { _ in facts }.isEmpty)
  }

  @Test func `a report names the worst, the place, the time and the origin, and is the same twice`() {
    let coverage = Report.Coverage(
      minutes: monday..<monday + 60, recordCount: 12_345, patternCount: 40, workloadCount: 4)
    func report() -> Report { Report(Incident.incidents(of: cascade, links: IncidentLinks()), coverage: coverage) }

    #expect(report().markdown == report().markdown)
    #expect(report().headline.contains("auth-service"))
    #expect(report().markdown.contains("Lost connection to Redis"))
    #expect(report().plainText.contains("12,345 records of 40 patterns"))
    #expect(report().sections.first?.origins.count == 1)
  }

  @Test func `log text in a report is text`() {
    let evil = "failed <img src=x> [click](http://evil) `code` \u{202E}\u{200B}error"
    let incident = Incident.incidents(
      of: [node(key(1, 1), "cart", evil, onset: monday)], links: IncidentLinks())
    let markdown = Report(
      incident,
      coverage: .init(minutes: monday..<monday + 10, recordCount: 10, patternCount: 1, workloadCount: 1)
    ).markdown

    #expect(!markdown.contains("\u{202E}"))
    for line in markdown.split(separator: "\n") where line.contains("<img") {
      #expect(line.contains("`` ") || line.contains("\\<img"))
    }
  }

  @Test func `a quiet window says so`() {
    let report = Report(
      [], coverage: .init(minutes: monday..<monday + 10, recordCount: 500, patternCount: 3, workloadCount: 1))
    #expect(report.headline == "Nothing needs attention in 500 records")
    #expect(report.grade == .none)
  }
}
