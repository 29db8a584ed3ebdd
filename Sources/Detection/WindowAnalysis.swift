/// The counts of one stretch of time, by minute.
package struct WindowCounts: Sendable {
  /// Minutes since 1970.
  package let minutes: Range<Int64>
  /// One count for each of `minutes`. Series without records may be missing.
  package var counts: [SeriesKey: [UInt32]]

  package init(minutes: Range<Int64>, counts: [SeriesKey: [UInt32]] = [:]) {
    self.minutes = minutes
    self.counts = counts
  }

  /// Counts one record; one outside of `minutes` is left out.
  package mutating func add(_ key: SeriesKey, minute: Int64) {
    guard minutes.contains(minute) else { return }
    counts[key, default: [UInt32](repeating: 0, count: minutes.count)][Int(minute - minutes.lowerBound)] += 1
  }

  func total(_ key: SeriesKey) -> Double { Double((counts[key] ?? []).reduce(0) { $0 + UInt64($1) }) }
}

/// One window against others: an analysis on demand, where no detector was watching.
///
/// A single window is a poor witness of what is usual. The median of several, each scaled to the length of this one, is
/// not moved by one that had trouble itself; drops weigh as much as bursts.
package struct WindowAnalysis: Sendable {
  package struct Row: Sendable {
    package var key: SeriesKey
    package var count: Double
    /// The median over the reference windows, and their spread (1.4826 · MAD).
    package var expected: Double
    package var spread: Double
    package var z: Double
    /// Reference windows that have any record of it.
    package var seenIn: Int
    /// The first and the last minute out of the ordinary.
    package var onset: Int64
    package var last: Int64
    /// Whether the last third of the window is back to what is usual.
    package var isOver: Bool
  }

  /// By key. Series without records in the window are there if any reference has some.
  package private(set) var rows: [Row] = []
  package let referenceCount: Int
  private let minutes: Range<Int64>

  /// Standard deviations in the last third of a window from which something still goes on. One: the third has a third of
  /// the evidence, and to call over what is not is the worse mistake.
  private static let ongoingZ = 1.0

  package init(_ window: WindowCounts, references: [WindowCounts]) {
    referenceCount = references.count
    minutes = window.minutes
    var keys = Set(window.counts.keys)
    for reference in references { keys.formUnion(reference.counts.keys) }
    for key in keys.sorted() { rows.append(WindowAnalysis.row(key, window, references)) }
  }

  private static func row(_ key: SeriesKey, _ window: WindowCounts, _ references: [WindowCounts]) -> Row {
    let length = Double(max(1, window.minutes.count))
    let values = references.map { $0.total(key) * length / Double(max(1, $0.minutes.count)) }
    let expected = RobustStatistics.median(values)
    let spread =
      RobustStatistics.medianAbsoluteDeviation(values, around: expected) * RobustStatistics.deviationsPerMAD
    let series = window.counts[key] ?? [UInt32](repeating: 0, count: window.minutes.count)
    let count = Double(series.reduce(0) { $0 + UInt64($1) })
    let z = Deviation.z(observed: count, expected: expected, spread: spread)
    let tail = max(1, (window.minutes.count + 2) / 3)
    let share = Double(tail) / length
    let tailZ = Deviation.z(
      observed: Double(series.suffix(tail).reduce(0) { $0 + UInt64($1) }), expected: expected * share,
      spread: spread * share)
    let perMinute = expected / length
    func isOut(_ count: UInt32) -> Bool { z < 0 ? Double(count) < perMinute : Double(count) > perMinute }
    return Row(
      key: key, count: count, expected: expected, spread: spread, z: z, seenIn: values.count { $0 > 0 },
      onset: window.minutes.lowerBound + Int64(series.firstIndex(where: isOut) ?? 0),
      last: window.minutes.lowerBound + Int64(series.lastIndex(where: isOut) ?? 0),
      isOver: (tailZ > 0) != (z > 0) || abs(tailZ) < ongoingZ)
  }

  /// The rows that deviate, as anomalies of the window.
  ///
  /// - Parameter zMin: Standard deviations from which a row counts. A reader who asks where trouble began, knowing that
  ///   there is some, is served by less than the alarm of a detector that watches thousands of series day and night.
  package func anomalies(zMin: Double = 4) -> [Anomaly] {
    let length = Double(max(1, minutes.count))
    return rows.compactMap { row in
      guard abs(row.z) >= zMin else { return nil }
      let kind: Anomaly.Kind = row.seenIn == 0 ? .new : row.z > 0 ? .spike : .drop
      return Anomaly(
        id: Anomaly.identity(kind, row.key, onset: row.onset), kind: kind, key: row.key,
        phase: row.isOver ? .ended : .ongoing, onset: row.onset, last: row.last,
        evidence: Anomaly.Evidence(
          observed: row.count / length, expected: row.expected / length, z: row.z,
          baseline: .windows(referenceCount), total: row.count, expectedTotal: row.expected))
    }
  }
}
