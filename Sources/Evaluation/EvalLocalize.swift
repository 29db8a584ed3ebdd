import ArgumentParser
import Detection
import Domain
import Foundation

/// `timberline eval localize`: for each window with a fault, ranks the workloads by how likely each is its origin.
struct EvalLocalize: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "localize", abstract: "Rank workloads by how likely a fault began with them.")

  @Option(help: "A folder with cases.json, one <case>.jsonl.gz a case, and perhaps normal.jsonl.gz.")
  var dir: String

  @Option(help: "Where rankings are written: {\"case\", \"services\"} a line.")
  var out: String

  @Flag(help: "Also print the report of each window.")
  var report = false

  struct Prediction: Codable, Equatable {
    let `case`: String
    let services: [String]
  }

  func run() throws {
    let windows = try FaultWindows(dir)
    var predictions: [Prediction] = []
    for index in windows.caseNames.indices {
      let (incident, report) = windows.analysis(of: index)
      var seen = Set<String>()
      let ranked = incident.candidates.map(\.workload).filter { seen.insert($0).inserted }
      predictions.append(Prediction(case: windows.caseNames[index], services: ranked))
      if self.report { print("\(windows.caseNames[index])\n\(report.markdown)\n") }
    }
    try JSONLines.write(predictions, to: out)
  }
}

/// The windows of a folder: of the list of cases only names are read, never what was injected where.
struct FaultWindows {
  let caseNames: [String]
  private let log: ReplayedLog
  private let counts: [WindowCounts]
  private let indices: [[Int]]

  init(_ folder: String) throws {
    caseNames = try CaseList.names(in: folder)
    var paths = caseNames.map { "\(folder)/\($0).jsonl.gz" }
    let normal = folder + "/normal.jsonl.gz"
    if FileManager.default.fileExists(atPath: normal) { paths.append(normal) }
    var log = ReplayedLog()
    for (file, path) in paths.enumerated() { try log.take(path, file: file) }
    log.settle()
    var indices = [[Int]](repeating: [], count: paths.count)
    for index in log.records.indices { indices[log.records[index].file].append(index) }
    self.indices = indices.map { $0.sorted { log.records[$0].time < log.records[$1].time } }
    counts = self.indices.map { FaultWindows.counts($0, log) }
    self.log = log
  }

  /// The counts by minute of the window's own clock, which begins with its first record.
  ///
  /// A few records of some files have a time centuries away. They are counted where the bulk begins: what cannot be put
  /// in order is still there.
  private static func counts(_ indices: [Int], _ log: ReplayedLog) -> WindowCounts {
    guard !indices.isEmpty else { return WindowCounts(minutes: 0..<1) }
    let median = log.records[indices[indices.count / 2]].time.nanoseconds
    let day: Int64 = 86_400_000_000_000
    func isNear(_ time: Int64) -> Bool { time >= median - day && time <= median + day }
    let times = indices.map { log.records[$0].time.nanoseconds }
    let near = times.filter(isNear)
    let (start, end) = (near.min() ?? median, near.max() ?? median)
    let first = Timestamp(nanoseconds: start).minute
    let length = max(1, (end - start + 59_999_999_999) / 60_000_000_000)
    var window = WindowCounts(minutes: first..<first + length)
    for (index, time) in zip(indices, times) {
      let minute = isNear(time) ? min(length - 1, (time - start) / 60_000_000_000) : 0
      window.add(log.key(index), minute: first + minute)
    }
    return window
  }

  /// Standard deviations from which a series has a say, where it is known that there is a fault.
  private static let zMin = 1.0

  /// Analyzes one window against all others, as on demand.
  func analysis(of file: Int) -> (incident: Incident, report: Report) {
    let analysis = WindowAnalysis(counts[file], references: counts.indices.filter { $0 != file }.map { counts[$0] })
    let byKey = Dictionary(grouping: indices[file], by: log.key)
    // What is missing from the window is shown by lines of the others.
    let elsewhere = Dictionary(grouping: indices.indices.filter { $0 != file }.flatMap { indices[$0] }, by: log.key)
    let nodes = analysis.anomalies(zMin: FaultWindows.zMin).map { anomaly in
      IncidentNode(
        anomaly: anomaly,
        facts: log.facts(anomaly.key, change: anomaly.change, byKey[anomaly.key] ?? elsewhere[anomaly.key] ?? []))
    }
    let graph = log.callGraph(indices[file])
    let links = IncidentLinks(similarity: log.similarity(), calls: graph.calls)
    let incident = Incident(of: nodes, links: links)
    let serious = nodes.filter { abs($0.anomaly.evidence.z) >= 4 }
    let report = Report(
      Incident.incidents(of: serious, links: links),
      coverage: Report.Coverage(
        minutes: counts[file].minutes, recordCount: indices[file].count,
        patternCount: Set(byKey.keys.map(\.pattern)).count,
        workloadCount: Set(byKey.keys.map(\.workload)).count))
    return (incident, report)
  }
}
