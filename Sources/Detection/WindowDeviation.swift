/// One window against many others of the same length: the history that an analysis on demand has, where no detector was
/// watching.
///
/// A single window is a poor witness of what is usual; the median of several is not moved by one that had trouble itself.
package struct WindowDeviation: Sendable {
  package struct Row: Sendable {
    package var key: SeriesKey
    package var count: UInt64
    package var expected: Double
    package var spread: Double
    package var z: Double
    /// Reference windows that have any record of it.
    package var seenIn: Int
  }

  /// By key. Series without records in the window are there if any reference has some.
  package private(set) var rows: [Row] = []
  package let referenceCount: Int

  /// - Parameters:
  ///   - counts: Of the window.
  ///   - references: Of each other window, scaled to the length of this one.
  package init(counts: [SeriesKey: UInt64], references: [[SeriesKey: Double]]) {
    referenceCount = references.count
    var keys = Set(counts.keys)
    for reference in references { keys.formUnion(reference.keys) }
    for key in keys.sorted() {
      let values = references.map { $0[key] ?? 0 }
      let expected = RobustStatistics.median(values)
      let spread =
        RobustStatistics.medianAbsoluteDeviation(values, around: expected) * RobustStatistics.deviationsPerMAD
      let count = counts[key] ?? 0
      rows.append(
        Row(
          key: key, count: count, expected: expected, spread: spread,
          z: Deviation.z(observed: Double(count), expected: expected, spread: spread), seenIn: values.count { $0 > 0 }))
    }
  }
}
