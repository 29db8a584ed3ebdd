import ArgumentParser
import Detection
import Domain
import Foundation

/// `timberline eval quiet`: normal traffic replayed through the continuous detector must raise no serious incident.
struct EvalQuiet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quiet", abstract: "Replay normal traffic as if it came live; fails if it raises a serious incident.")

  @Option(help: "A folder with normal.jsonl.gz.")
  var dir: String

  @Option(help: "How often the traffic is repeated, end to end.")
  var times = 2

  func run() throws {
    let incidents = try QuietTraffic("\(dir)/normal.jsonl.gz").incidents(times: times)
    for incident in incidents {
      print("\(incident.grade.rawValue): \(incident.candidates.first?.text ?? "") in \(incident.scope.description)")
    }
    let serious = incidents.filter { $0.grade >= .high }
    print("\(incidents.count) incidents, \(serious.count) of them high or critical")
    if !serious.isEmpty { throw ExitCode.failure }
  }
}

/// A log of ordinary work.
struct QuietTraffic {
  private let log: ReplayedLog
  /// Records by minute from the first, without what is left of a last, broken minute.
  private let minutes: [[Int]]

  init(_ path: String) throws {
    var log = ReplayedLog()
    try log.take(path, file: 0)
    log.settle()
    let times = log.records.map(\.time.nanoseconds).sorted()
    let start = times[times.count / 2] - 86_400_000_000_000
    let first = times.first { $0 >= start } ?? 0
    let last = times.last ?? first
    let count = max(1, Int((last - first) / 60_000_000_000))
    var minutes = [[Int]](repeating: [], count: count)
    for index in log.records.indices {
      let minute = Int((log.records[index].time.nanoseconds - first) / 60_000_000_000)
      if minutes.indices.contains(minute) { minutes[minute].append(index) }
    }
    self.minutes = minutes
    self.log = log
  }

  /// All incidents of the replay, as they were last.
  func incidents(times: Int) -> [Incident] {
    var detector = Detector()
    var tracker = IncidentTracker()
    var incidents: [UInt64: Incident] = [:]
    let links = IncidentLinks(similarity: log.similarity())
    var minute: Int64 = 28_000_000
    for _ in 0..<times {
      for indices in minutes {
        let byKey = Dictionary(grouping: indices, by: log.key)
        let counts = MinuteCounts(
          minute: minute, entries: byKey.keys.sorted().map { .init(key: $0, count: UInt32(byKey[$0]?.count ?? 0)) })
        let anomalies = detector.tick(counts, similarity: links.similarity)
        for incident in tracker.update(
          minute: minute, anomalies, links: links,
          facts: { log.facts($0.key, change: $0.change, byKey[$0.key] ?? []) })
        {
          incidents[incident.id] = incident
        }
        minute += 1
      }
    }
    return incidents.values.sorted(by: Incident.isMoreUrgent)
  }
}
