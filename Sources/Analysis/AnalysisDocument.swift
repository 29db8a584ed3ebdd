package import Domain

/// What to analyze.
package struct AnalysisRequest: Sendable {
  /// Nil is all of them.
  package var namespace: String?
  package var range: TimeRange
  /// Clusters of fewer records are left out.
  package var minClusterSize: Int
  /// What asked for it: `manual`, `hourly`, `daily`.
  package var trigger: String

  package init(namespace: String?, range: TimeRange, minClusterSize: Int, trigger: String = "manual") {
    self.trigger = trigger
    self.namespace = namespace
    self.range = range
    self.minClusterSize = minClusterSize
  }
}

/// An analysis as stored and as answered: the JSON names are the API's.
struct AnalysisDocument: Codable, Sendable {
  enum Status: String, Codable, Sendable { case pending, running, completed, failed }

  /// One step of a run, with what it found.
  struct Progress: Codable, Sendable {
    var step: String
    var detail: String
    var count: Int
  }

  /// Patterns that belong together.
  struct Cluster: Codable, Sendable {
    var clusterID: Int
    var label: String
    /// Records.
    var size: Int
    var sampleLogs: [String]
    var severity: String
    /// 0...10
    var severityScore: Double
    /// The features that made the score, each a short clause.
    var reasons: [String]
    var patterns: [UInt32]
    var firstSeen: String
    var lastSeen: String
    /// Records by step, from the document's `start`.
    var counts: [Int]
    /// new, burst, drop, silence, shift, rare, steady
    var change: String
    /// Records a minute as expected, and as they came while the change lasted.
    var baselineRate: Double
    var rate: Double
    var workloads: [String]

    enum CodingKeys: String, CodingKey {
      case clusterID = "cluster_id"
      case label, size
      case sampleLogs = "sample_logs"
      case severity
      case severityScore = "severity_score"
      case reasons, patterns
      case firstSeen = "first_seen"
      case lastSeen = "last_seen"
      case counts, change
      case baselineRate = "baseline_rate"
      case rate, workloads
    }
  }

  /// Something to act on, with the records that show it.
  struct Finding: Codable, Sendable {
    var title: String
    var detail: String
    /// cause, effect, change, injection
    var kind: String
    var severity: String
    var onset: String
    var evidence: [Evidence]
  }

  struct Evidence: Codable, Sendable {
    var id: String
    var time: String
    var message: String
    var stream: String
  }

  var id: String
  var createdAt: String
  var status: Status
  var namespace: String?
  var start: String
  var end: String
  var minClusterSize: Int
  /// manual, hourly, daily; nil in documents of before there were others.
  var trigger: String?
  var clusterCount = 0
  /// 0...10
  var severityScore = 0.0
  /// none, low, medium, high, critical
  var severity = "none"
  var headline = ""
  var summary = ""
  var recordCount = 0
  var patternCount = 0
  var stepSeconds = 60
  var progress: [Progress] = []
  var clusters: [Cluster] = []
  var findings: [Finding] = []
  /// The most urgent first.
  var incidents: [IncidentDocument]?
  /// The report as Markdown.
  var report: String?
  var error: String?

  enum CodingKeys: String, CodingKey {
    case id
    case createdAt = "created_at"
    case status, namespace, start, end
    case minClusterSize = "min_cluster_size"
    case trigger
    case clusterCount = "cluster_count"
    case severityScore = "severity_score"
    case severity, headline, summary
    case recordCount = "record_count"
    case patternCount = "pattern_count"
    case stepSeconds = "step_seconds"
    case progress, clusters, findings, incidents, report, error
  }

  /// Members without a value are written as null: the shape is the same for every analysis.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(createdAt, forKey: .createdAt)
    try container.encode(status, forKey: .status)
    try container.encode(namespace, forKey: .namespace)
    try container.encode(start, forKey: .start)
    try container.encode(end, forKey: .end)
    try container.encode(minClusterSize, forKey: .minClusterSize)
    try container.encode(trigger ?? "manual", forKey: .trigger)
    try container.encode(clusterCount, forKey: .clusterCount)
    try container.encode(severityScore, forKey: .severityScore)
    try container.encode(severity, forKey: .severity)
    try container.encode(headline, forKey: .headline)
    try container.encode(summary, forKey: .summary)
    try container.encode(recordCount, forKey: .recordCount)
    try container.encode(patternCount, forKey: .patternCount)
    try container.encode(stepSeconds, forKey: .stepSeconds)
    try container.encode(progress, forKey: .progress)
    try container.encode(clusters, forKey: .clusters)
    try container.encode(findings, forKey: .findings)
    try container.encode(incidents ?? [], forKey: .incidents)
    try container.encode(report, forKey: .report)
    try container.encode(error, forKey: .error)
  }
}
