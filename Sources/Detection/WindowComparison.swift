/// Two windows of records side by side: before and after, one pod and another, one version and the next.
///
/// The measure is the log-likelihood ratio G² of Dunning (1993): how much less probable the two counts of a pattern are if
/// its rate was the same in both, given how many records each window has of it and how long it is.
package struct WindowComparison: Sendable {
  /// One side.
  package struct Window: Sendable {
    /// Its length: minutes, or pods times minutes; any measure that both sides share.
    package var size: Double
    package var counts: [SeriesKey: UInt64]

    package init(size: Double, counts: [SeriesKey: UInt64]) {
      self.size = max(size, .leastNormalMagnitude)
      self.counts = counts
    }

    package var total: UInt64 { counts.values.reduce(0, &+) }
  }

  package enum Change: String, Sendable { case new, gone, up, down }

  package struct Row: Sendable {
    package var key: SeriesKey
    package var change: Change
    package var before: UInt64
    package var after: UInt64
    /// Records per unit of window size.
    package var rateBefore: Double
    package var rateAfter: Double
    /// Positive if the rate rose. 6.63 and above is one chance in a hundred.
    package var g2: Double
    /// The rate after over the rate before, with half a record added to both counts so that it is always finite.
    package var ratio: Double
    /// Where the true ratio lies with 95 % confidence.
    package var ratioInterval: ClosedRange<Double>
    /// Of all that sets the two windows apart, 0...1.
    package var share: Double
  }

  /// By their share, greatest first.
  package private(set) var rows: [Row] = []
  /// The sum of all rows' |G²|.
  package private(set) var divergence = 0.0

  package init(before: Window, after: Window) {
    for key in Set(before.counts.keys).union(after.counts.keys) {
      let (a, b) = (before.counts[key] ?? 0, after.counts[key] ?? 0)
      guard a > 0 || b > 0 else { continue }
      rows.append(WindowComparison.row(key, a, b, sizes: (before.size, after.size)))
    }
    // Ascending, so that sums of floating-point numbers do not depend on the order of a set.
    rows.sort { $0.key < $1.key }
    divergence = rows.reduce(0) { $0 + abs($1.g2) }
    for index in rows.indices { rows[index].share = divergence > 0 ? abs(rows[index].g2) / divergence : 0 }
    rows.sort { abs($0.g2) != abs($1.g2) ? abs($0.g2) > abs($1.g2) : $0.key < $1.key }
  }

  private static func row(_ key: SeriesKey, _ before: UInt64, _ after: UInt64, sizes: (Double, Double)) -> Row {
    let (a, b) = (Double(before), Double(after))
    let expectedBefore = (a + b) * sizes.0 / (sizes.0 + sizes.1)
    let expectedAfter = (a + b) * sizes.1 / (sizes.0 + sizes.1)
    func term(_ observed: Double, _ expected: Double) -> Double {
      observed > 0 ? observed * Exponential.logarithm(observed / expected) : 0
    }
    let g2 = max(0, 2 * (term(a, expectedBefore) + term(b, expectedAfter)))
    let isRise = b / sizes.1 >= a / sizes.0
    // The logarithm of a ratio of Poisson rates is nearly normal, with variance 1/a + 1/b.
    let (smoothBefore, smoothAfter) = (a + 0.5, b + 0.5)
    let ratio = (smoothAfter / sizes.1) / (smoothBefore / sizes.0)
    let spread = Exponential.power(1.96 * (1 / smoothBefore + 1 / smoothAfter).squareRoot())
    return Row(
      key: key, change: before == 0 ? .new : after == 0 ? .gone : isRise ? .up : .down, before: before, after: after,
      rateBefore: a / sizes.0, rateAfter: b / sizes.1, g2: isRise ? g2 : -g2, ratio: ratio,
      ratioInterval: (ratio / spread)...(ratio * spread), share: 0)
  }
}
