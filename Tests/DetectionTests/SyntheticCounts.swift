@testable import Detection

/// Numbers that look random and are the same in each run (SplitMix64, Steele et al. 2014).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A Poisson count of mean `rate`, by multiplying uniform numbers (Knuth).
  mutating func poisson(_ rate: Double) -> Int {
    // Means above 30 are sums, so that the product does not vanish.
    var count = 0
    var rest = rate
    while rest > 30 {
      count += poisson(30)
      rest -= 30
    }
    let limit = Exponential.power(-rest)
    var product = Double.random(in: 0..<1, using: &self)
    while product > limit {
      count += 1
      product *= Double.random(in: 0..<1, using: &self)
    }
    return count
  }
}

/// Minutes since 1970 of a Monday at midnight, UTC.
let monday: Int64 = 28_401_120

func key(_ pattern: UInt32, _ workload: UInt32 = 1) -> SeriesKey { SeriesKey(pattern: pattern, workload: workload) }

func counts(_ minute: Int64, _ entries: [(SeriesKey, Int)]) -> MinuteCounts {
  MinuteCounts(minute: minute, entries: entries.map { MinuteCounts.Entry(key: $0.0, count: UInt32($0.1)) })
}

extension Detector {
  /// Ticks minutes `range` after `monday` and gives all that began, by id, as it was when it last was told of.
  mutating func replay(
    _ range: Range<Int64>, suppressions: [Suppression] = [], _ entries: (Int64) -> [(SeriesKey, Int)]
  ) -> [Anomaly] {
    var seen: [UInt64: Anomaly] = [:]
    for offset in range {
      for anomaly in tick(counts(monday + offset, entries(offset)), suppressions: suppressions) {
        seen[anomaly.id] = anomaly
      }
    }
    return seen.values.sorted(by: Detector.precedes)
  }
}
