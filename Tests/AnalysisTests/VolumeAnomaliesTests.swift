import Testing

@testable import Analysis

@Suite struct VolumeAnomaliesTests {
  /// A rate with a little of the noise that logs have, the same each time.
  private static func steady(_ rate: Int, _ count: Int) -> [Int] {
    (0..<count).map { rate + [0, 1, -1, 2, 0, -2, 1, 0, -1, 0][$0 % 10] * rate / 20 }
  }

  private static let quietHours = steady(20, 120)

  @Test func `a rate that stays is steady`() {
    let change = VolumeAnomalies.change(in: Self.steady(20, 60), before: Self.quietHours, isKnown: true)

    #expect(change.kind == .steady)
    #expect(abs(change.expected - 20) <= 1)
    #expect(change.onset == 0)
    #expect(change.end == 60)
  }

  @Test func `a few minutes at many times the rate are a burst, with its times`() {
    var counts = Self.steady(20, 60)
    for index in 30..<35 { counts[index] = 200 }

    let change = VolumeAnomalies.change(in: counts, before: Self.quietHours, isKnown: true)
    #expect(change.kind == .burst)
    #expect(change.onset == 30)
    #expect(change.end == 35)
    #expect(change.observed == 200)
    #expect(change.z > 20)
  }

  @Test func `a burst that pauses for a step or two is one burst`() {
    var counts = Self.steady(20, 60)
    for index in [30, 31, 34, 35] { counts[index] = 200 }

    let change = VolumeAnomalies.change(in: counts, before: [], isKnown: true)
    #expect(change.kind == .burst)
    #expect(change.onset == 30)
    #expect(change.end == 36)
  }

  @Test func `a rise that lasts to the end of the window is a shift`() {
    let counts = Self.steady(20, 60) + Self.steady(90, 40)

    let change = VolumeAnomalies.change(in: counts, before: Self.quietHours, isKnown: true)
    #expect(change.kind == .shift)
    #expect(change.onset == 60)
    #expect(change.end == 100)
  }

  @Test func `what comes all the time and then does not is silence`() {
    let counts = Self.steady(20, 50) + [Int](repeating: 0, count: 10)

    let change = VolumeAnomalies.change(in: counts, before: Self.quietHours, isKnown: true)
    #expect(change.kind == .silence)
    #expect(change.onset == 50)
    #expect(change.end == 60)
    #expect(change.z < -4)
    #expect(change.observed == 0)
  }

  @Test func `one or two missing minutes are no silence, and of a rare pattern none is`() {
    var counts = Self.steady(20, 60)
    counts[20] = 0
    counts[21] = 0
    #expect(VolumeAnomalies.change(in: counts, before: Self.quietHours, isKnown: true).kind == .steady)

    let rare = [2, 1, 2, 2, 1, 2, 0, 0, 0, 0]
    #expect(VolumeAnomalies.change(in: rare, before: [1, 2, 1, 2, 2, 1], isKnown: true).kind == .steady)
  }

  @Test(arguments: [
    // A new error that keeps coming, and one that came a few times.
    [Int](repeating: 0, count: 20) + [Int](repeating: 4, count: 20),
    [Int](repeating: 0, count: 30) + [1, 0, 2, 0, 1],
    [Int](repeating: 0, count: 20) + [90, 80, 70],
  ])
  func `what was never there before is new from its first step on`(counts: [Int]) {
    let change = VolumeAnomalies.change(in: counts, before: [Int](repeating: 0, count: 60), isKnown: false)

    #expect(change.kind == .new)
    #expect(change.onset == counts.firstIndex { $0 > 0 })
    #expect(change.end == (counts.lastIndex { $0 > 0 } ?? 0) + 1)
  }

  @Test func `what was seen before is never new`() {
    let counts = [Int](repeating: 0, count: 20) + [Int](repeating: 4, count: 20)

    #expect(VolumeAnomalies.change(in: counts, before: [Int](repeating: 0, count: 60), isKnown: true).kind != .new)
  }

  @Test func `a rare line that chance left out so far is not new`() {
    // One record in 55 steps, after 5 without: at that rate nothing was to be expected before.
    let counts = [Int](repeating: 0, count: 5) + [1] + [Int](repeating: 0, count: 54)

    #expect(VolumeAnomalies.change(in: counts, before: [], isKnown: false).kind == .steady)
  }

  @Test func `without a baseline what fills the window from its start is steady`() {
    #expect(VolumeAnomalies.change(in: Self.steady(20, 60), before: [], isKnown: false).kind == .steady)
    #expect(VolumeAnomalies.change(in: [Int](repeating: 3, count: 2), before: [], isKnown: false).kind == .steady)
  }

  @Test(arguments: [[], [0], [7], [0, 0, 0], [Int.max / 1_000_000]] as [[Int]])
  func `the shortest series have an answer`(counts: [Int]) {
    let change = VolumeAnomalies.change(in: counts, before: [], isKnown: false)

    #expect(change.z.isFinite)
    #expect(change.onset >= 0)
    #expect(change.end <= max(counts.count, 0))
  }

  @Test(arguments: [([], 0), ([3], 3), ([1, 9, 2], 2), ([4, 1, 2, 3], 2.5)] as [([Double], Double)])
  func `the median is the middle, or the mean of the two there`(values: [Double], median: Double) {
    #expect(VolumeAnomalies.median(values) == median)
  }
}
