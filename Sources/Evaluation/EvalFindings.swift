import ArgumentParser
import Detection
import Domain
import Foundation

/// `timberline eval findings`: for each log, what is reported of it, most severe first.
struct EvalFindings: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "findings", abstract: "Report what went wrong in single logs, most severe first.")

  @Option(help: "A folder with cases.json and one <case>.log.gz a case.")
  var dir: String

  @Option(help: "Where findings are written: {\"case\", \"findings\"} a line.")
  var out: String

  struct Prediction: Codable, Equatable {
    let `case`: String
    let findings: [String]
  }

  func run() throws {
    let names = try CaseList.names(in: dir)
    try JSONLines.write(
      names.map { Prediction(case: $0, findings: try SingleLog("\(dir)/\($0).log.gz").findings) }, to: out)
  }
}

/// The list of cases of a folder. Only names are read, never what the answer is.
struct CaseList: Decodable {
  struct Case: Decodable { let `case`: String }
  let cases: [Case]

  static func names(in folder: String) throws -> [String] {
    let path = folder + "/cases.json"
    let bytes = try DataFile.read(path)
    do {
      return try JSONDecoder().decode(CaseList.self, from: Data(bytes)).cases.map(\.case)
    } catch {
      throw DataFileError(path: path, reason: "is no list of cases")
    }
  }
}

/// One log without any other to compare it with: its minutes go through the detector one by one, as if they came live.
struct SingleLog {
  private let log: ReplayedLog
  private let indices: [SeriesKey: [Int]]
  /// The strongest that the detector told of each series.
  private let anomalies: [SeriesKey: Anomaly]

  init(_ path: String) throws {
    var log = ReplayedLog()
    try log.take(path, file: 0)
    log.settle()
    let order = log.records.indices.sorted {
      log.records[$0].time != log.records[$1].time ? log.records[$0].time < log.records[$1].time : $0 < $1
    }
    indices = Dictionary(grouping: order, by: log.key)
    var byMinute: [Int64: [SeriesKey: UInt32]] = [:]
    for index in order { byMinute[log.records[index].time.minute, default: [:]][log.key(index), default: 0] += 1 }
    var detector = Detector()
    var strongest: [SeriesKey: Anomaly] = [:]
    let similarity = log.similarity()
    // Minutes between the first and the last without a record were counted, and empty, if they are not too many.
    for minute in SingleLog.minutes(byMinute.keys.sorted()) {
      let counts = MinuteCounts(
        minute: minute,
        entries: (byMinute[minute] ?? [:]).sorted { $0.key < $1.key }.map { .init(key: $0.key, count: $0.value) })
      for anomaly in detector.tick(counts, similarity: similarity)
      where abs(anomaly.evidence.z) >= abs(strongest[anomaly.key]?.evidence.z ?? 0) {
        strongest[anomaly.key] = anomaly
      }
    }
    anomalies = strongest
    self.log = log
  }

  private static func minutes(_ seen: [Int64]) -> [Int64] {
    var minutes: [Int64] = []
    for minute in seen {
      if let last = minutes.last, minute - last <= 1440 { minutes += last + 1..<minute }
      minutes.append(minute)
    }
    return minutes
  }

  /// Of so many records of a log one that comes once is rare, whatever else is known: 1 in 1000.
  private static let rareShare = 0.001

  /// Texts of what matters, with a line of each, in the order in which a report would tell of it.
  var findings: [String] {
    let total = Double(log.records.count)
    let first = log.records.map(\.time.minute).min() ?? 0
    let nodes = indices.keys.sorted().map { key in
      let mine = indices[key] ?? []
      let anomaly = anomalies[key] ?? SingleLog.standing(key, mine, first: first, of: total)
      let change = anomalies[key] == nil ? SingleLog.change(mine, of: total) : anomaly.change
      return IncidentNode(anomaly: anomaly, facts: log.facts(key, change: change, mine))
    }
    let serious = nodes.filter { SeverityScore.Grade(points: $0.points) >= .medium }
    // Where no line speaks of trouble, those are told of that are unlike the rest.
    let told = serious.isEmpty ? nodes.filter { anomalies[$0.key] != nil || $0.anomaly.kind == .rare } : serious
    let similarity = log.similarity()
    let incident = Incident(of: told, links: IncidentLinks(similarity: similarity))
    return Finding.findings(incident.candidates, similarity: similarity).map { finding in
      let texts = ([finding.lead] + finding.alike.prefix(2)).map(\.text)
      let line = indices[finding.lead.key]?.first.map {
        String(decoding: log.records[$0].message.prefix(500), as: UTF8.self)
      }
      return "\(finding.lead.workload): \(texts.joined(separator: "\n"))\n\(line ?? "")"
    }
  }

  /// Without a history nobody can say what changed; what is rare in the log itself is as near as it gets.
  private static func change(_ indices: [Int], of total: Double) -> SeverityFacts.Change? {
    Double(indices.count) <= rareShare * total ? SeverityFacts.Change(kind: .rare) : nil
  }

  private static func standing(_ key: SeriesKey, _ indices: [Int], first: Int64, of total: Double) -> Anomaly {
    let count = Double(indices.count)
    return Anomaly(
      key: key, kind: count <= rareShare * total ? .rare : .spike, minute: first, count: count)
  }
}
