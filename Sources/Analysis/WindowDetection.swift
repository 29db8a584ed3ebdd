import Detection
import Domain
import Search

/// The detector over a window that is past: what the watch would have told of it, had it looked at these records alone.
struct WindowDetection {
  /// The strongest of each series.
  let anomalies: [Anomaly]
  /// Over what was learned from, and the window.
  let counts: WorkloadCounts
  let numbers: WorkloadNumbers

  /// - Parameters:
  ///   - volumes: Of the window and of what came before it.
  ///   - start: Minute from which anomalies are told of.
  init(_ volumes: MinuteVolumes, from start: Int64, similarity: @escaping Detector.Similarity) throws {
    var numbers = WorkloadNumbers()
    let counts = WorkloadCounts(volumes, numbers: &numbers)
    var detector = Detector()
    var told: [UInt64: Anomaly] = [:]
    for (index, minute) in counts.minutes.enumerated() {
      let found = detector.tick(minute, similarity: similarity)
      if minute.minute >= start { for anomaly in found where anomaly.last >= start { told[anomaly.id] = anomaly } }
      if index % 256 == 0 { try Task.checkCancellation() }
    }
    var strongest: [SeriesKey: Anomaly] = [:]
    for anomaly in told.values {
      if let known = strongest[anomaly.key], !WindowDetection.isStronger(anomaly, known) { continue }
      strongest[anomaly.key] = anomaly
    }
    anomalies = strongest.values.sorted {
      $0.onset != $1.onset ? $0.onset < $1.onset : $0.key != $1.key ? $0.key < $1.key : $0.id < $1.id
    }
    self.counts = counts
    self.numbers = numbers
  }

  private static func isStronger(_ left: Anomaly, _ right: Anomaly) -> Bool {
    // That something is there for the first time says more than how often it then came.
    let (a, b) = (left.kind == .new, right.kind == .new)
    if a != b { return a }
    let (x, y) = (abs(left.evidence.z), abs(right.evidence.z))
    return x != y ? x > y : left.id < right.id
  }
}
