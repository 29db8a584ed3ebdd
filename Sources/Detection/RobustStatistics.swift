/// Medians and their like, which a few odd values do not move.
package enum RobustStatistics {
  /// The standard deviation of a normal distribution is this many times its median absolute deviation.
  package static let deviationsPerMAD = 1.4826

  /// The middle value, or the mean of the two middle ones; 0 of none.
  package static func median(_ values: some Sequence<Double>) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The median of the distances from `center`.
  package static func medianAbsoluteDeviation(_ values: some Sequence<Double>, around center: Double) -> Double {
    median(values.map { abs($0 - center) })
  }
}

/// How far counts are from what was to be expected.
package enum Deviation {
  /// The variance of a count: Poisson's, of at least half a record; the spread that was seen; a tenth of the level, below
  /// which nobody wants to be told.
  package static func variance(expected: Double, spread: Double) -> Double {
    max(expected, 0.5) + spread * spread + (0.1 * expected) * (0.1 * expected)
  }

  /// - Parameter spread: A standard deviation, as measured (1.4826 · MAD).
  package static func z(observed: Double, expected: Double, spread: Double) -> Double {
    (observed - expected) / variance(expected: expected, spread: spread).squareRoot()
  }

  /// An upper bound on the probability of a deviation as large, by Bennett's inequality: it holds for Poisson counts and
  /// for sums of them with more variance. The lower tail is no heavier than a normal one.
  ///
  /// - Parameter excess: Observed less expected.
  package static func tail(excess: Double, variance: Double) -> Double {
    if excess < 0 { return Exponential.power(-excess * excess / (2 * variance)) }
    let ratio = excess / variance
    return Exponential.power(-variance * ((1 + ratio) * Exponential.logarithm(1 + ratio) - ratio))
  }
}

/// Controls the share of false alarms among all alarms of a tick (Benjamini and Hochberg 1995).
enum FalseDiscoveries {
  /// - Parameters:
  ///   - candidates: Probabilities of what was seen, had nothing happened; in any order.
  ///   - testCount: How many were looked at, candidates or not.
  ///   - rate: The share of false ones among the discoveries.
  /// - Returns: The largest probability that counts as a discovery; negative if none does.
  static func threshold(_ candidates: [Double], testCount: Int, rate: Double) -> Double {
    var threshold = -1.0
    for (index, probability) in candidates.sorted().enumerated()
    where probability <= rate * Double(index + 1) / Double(max(testCount, candidates.count)) {
      threshold = probability
    }
    return threshold
  }
}
