import Detection
import Domain

/// An anomaly as stored and as answered: the JSON names are the API's.
struct AnomalyDocument: Codable, Equatable, Sendable {
  struct Value: Codable, Equatable, Sendable {
    /// Place of the variable in the pattern, from 0.
    var variable: Int
    var value: String
  }

  var id: String
  /// new, variant, spike, drop, silence, shift, rare, new_value, deployment
  var kind: String
  /// opened, ongoing, ended
  var phase: String
  /// Nil for a workload as a whole.
  var pattern: UInt32?
  var patternText: String
  var workload: String
  /// What it did, in a sentence.
  var summary: String
  var severity: String
  /// 0...10
  var severityScore: Double
  var reasons: [String]
  var onset: String
  /// The start of the last minute out of the ordinary.
  var last: String
  /// Records a minute.
  var observed: Double
  var expected: Double
  var z: Double
  /// What the expectation rests on.
  var baseline: String
  /// Records since the onset, and how many were to be expected.
  var total: Double
  var expectedTotal: Double
  var value: Value?
  var suppressedBy: String?

  enum CodingKeys: String, CodingKey {
    case id, kind, phase, pattern
    case patternText = "pattern_text"
    case workload, summary, severity
    case severityScore = "severity_score"
    case reasons, onset, last, observed, expected, z, baseline, total
    case expectedTotal = "expected_total"
    case value
    case suppressedBy = "suppressed_by"
  }

  init(_ node: IncidentNode) {
    let (anomaly, facts) = (node.anomaly, node.facts)
    let evidence = anomaly.evidence
    func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
    id = String(anomaly.id, radix: 16)
    kind = anomaly.kind.name
    phase =
      switch anomaly.phase {
      case .opened: "opened"
      case .ongoing: "ongoing"
      case .ended: "ended"
      }
    pattern = anomaly.key.pattern == SeriesKey.allPatterns ? nil : anomaly.key.pattern
    patternText = pattern == nil ? "" : facts.text
    workload = facts.workload
    summary = Report.change(node)
    severity = facts.severity.grade.rawValue
    severityScore = tenths(facts.severity.points)
    reasons = facts.severity.reasons.map(\.words)
    onset = Timestamp(minute: anomaly.onset).rfc3339
    last = Timestamp(minute: anomaly.last).rfc3339
    observed = tenths(evidence.observed)
    expected = tenths(evidence.expected)
    z = tenths(evidence.z)
    baseline = evidence.baseline.description
    total = tenths(evidence.total)
    expectedTotal = tenths(evidence.expectedTotal)
    value = anomaly.value.map { Value(variable: Int($0.variable), value: $0.value) }
    suppressedBy = anomaly.suppressedBy.map { String($0, radix: 16) }
  }
}

/// An incident as stored and as answered.
struct IncidentDocument: Codable, Equatable, Sendable {
  struct Candidate: Codable, Equatable, Sendable {
    var pattern: UInt32?
    var text: String
    var workload: String
    var onset: String
    var score: Double
    var reasons: [String]
    /// Whether nothing else explains it.
    var isRoot: Bool

    enum CodingKeys: String, CodingKey {
      case pattern, text, workload, onset, score, reasons
      case isRoot = "is_root"
    }
  }

  struct Evidence: Codable, Equatable, Sendable {
    var id: String
    var time: String
    var message: String
    var workload: String
    var pattern: UInt32?
  }

  /// What people said of it.
  enum Status: String, Codable, Sendable, CaseIterable { case open, acknowledged, resolved, muted }

  var id: String
  /// What the records say: open, closed, merged.
  var state: String
  var mergedInto: String?
  var status: Status
  var statusAt: String?
  var title: String
  var severity: String
  var severityScore: Double
  var severityReasons: [String]
  var onset: String
  var last: String
  /// Where, in words.
  var scope: String
  var namespaces: [String]
  var workloads: [String]
  var pods: [String]
  var podCount: Int
  var nodes: [String]
  /// Each a sentence's worth.
  var changes: [String]
  var normalAgain: [String]
  var candidates: [Candidate]
  var anomalies: [AnomalyDocument]
  var evidence: [Evidence]

  enum CodingKeys: String, CodingKey {
    case id, state
    case mergedInto = "merged_into"
    case status
    case statusAt = "status_at"
    case title, severity
    case severityScore = "severity_score"
    case severityReasons = "severity_reasons"
    case onset, last, scope, namespaces, workloads, pods
    case podCount = "pod_count"
    case nodes, changes
    case normalAgain = "normal_again"
    case candidates, anomalies, evidence
  }

  private static let candidatesMax = 20
  private static let anomaliesMax = 200

  init(_ incident: Incident) {
    func pattern(_ key: SeriesKey) -> UInt32? { key.pattern == SeriesKey.allPatterns ? nil : key.pattern }
    let section = Report.section(incident)
    id = String(incident.id, radix: 16)
    switch incident.state {
    case .open: state = "open"
    case .closed: state = "closed"
    case .merged(let into):
      state = "merged"
      mergedInto = String(into, radix: 16)
    }
    status = .open
    title = section.title
    severity = incident.grade.rawValue
    severityScore = (incident.points * 10).rounded() / 10
    severityReasons = section.gradeReasons
    onset = Timestamp(minute: incident.onset).rfc3339
    last = Timestamp(minute: incident.last).rfc3339
    scope = section.place
    namespaces = incident.scope.namespaces
    workloads = incident.scope.workloads
    pods = incident.scope.pods
    podCount = incident.scope.podCount
    nodes = incident.scope.nodes
    changes = section.changes
    normalAgain = section.normalAgain
    candidates = incident.candidates.prefix(Self.candidatesMax).map {
      Candidate(
        pattern: pattern($0.key), text: $0.text, workload: $0.workload, onset: Timestamp(minute: $0.onset).rfc3339,
        score: ($0.score * 100).rounded() / 100, reasons: $0.reasons, isRoot: $0.isRoot)
    }
    anomalies = incident.members.prefix(Self.anomaliesMax).map { AnomalyDocument($0) }
    evidence = incident.evidence.map {
      Evidence(
        id: $0.id, time: $0.time.rfc3339, message: $0.text, workload: $0.workload, pattern: pattern($0.key))
    }
  }
}

/// Somebody's word that anomalies are not to be told of, as stored and as answered.
struct SuppressionDocument: Codable, Equatable, Sendable {
  enum Reason: String, Codable, Sendable, CaseIterable { case snoozed, expected, maintenance }

  var id: String
  var reason: Reason
  /// Nil is all of them.
  var workload: String?
  var pattern: UInt32?
  /// Names of kinds of anomalies; empty is all.
  var kinds: [String]
  var start: String
  var end: String
  /// Holds again every so many minutes.
  var repeatMinutes: Int?
  var note: String
  var createdAt: String

  enum CodingKeys: String, CodingKey {
    case id, reason, workload, pattern, kinds, start, end
    case repeatMinutes = "repeat_minutes"
    case note
    case createdAt = "created_at"
  }
}

/// Verdicts on a pattern in a workload, as stored and as answered.
struct FeedbackDocument: Codable, Equatable, Sendable {
  var workload: String
  /// Nil is the workload as a whole.
  var pattern: UInt32?
  /// What it adds to the score.
  var points: Double
  var changedAt: String

  enum CodingKeys: String, CodingKey {
    case workload, pattern, points
    case changedAt = "changed_at"
  }
}
