import Testing

@testable import Detection

@Suite struct BaselineTests {
  @Test(arguments: [0, 1, 4095, 4096, 5000, 65_535, 1_000_000, 134_000_000] as [UInt32])
  func `a compact count is exact or a little low`(count: UInt32) {
    let value = CompactCount(count).value

    #expect(value <= count)
    #expect(Double(count - value) <= Double(count) / 2048)
    if count < 4096 { #expect(value == count) }
  }

  @Test func `compact counts are ordered as counts are`() {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<2000 {
      let (a, b) = (
        UInt32.random(in: 0...100_000_000, using: &generator), UInt32.random(in: 0...100_000_000, using: &generator)
      )
      if a <= b { #expect(CompactCount(a) <= CompactCount(b)) }
    }
  }

  @Test(arguments: [0.01, 0.2, 0.9])
  func `a history holds what was added within its span`(density: Double) throws {
    var generator = SeededGenerator(seed: 8)
    var history = SlotHistory()
    var expected: [Int32: UInt32] = [:]
    for slot in Int32(70_000)..<73_000 where Double.random(in: 0..<1, using: &generator) < density {
      let count = UInt32.random(in: 1...4000, using: &generator)
      history.append(CompactCount(count), slot: slot, capacity: 336)
      expected[slot] = count
    }
    for slot in (history.newest - 335)...history.newest {
      #expect(history.count(of: slot, capacity: 336) == expected[slot] ?? 0)
    }
    #expect(history.count(of: history.newest - 336, capacity: 336) == 0)
    #expect(history.byteCount <= 2 * 336)

    var writer = StateWriter()
    history.write(to: &writer)
    var reader = StateReader(bytes: writer.bytes)
    #expect(try SlotHistory(from: &reader, capacity: 336) == history)
  }

  @Test func `a series at rest is small`() {
    // With two histories of a few entries, their heads, and its place in the index: half a kilobyte.
    #expect(MemoryLayout<Series>.stride <= 360, "\(MemoryLayout<Series>.stride)")
  }

  @Test func `the expectation is the median of the last hour and its spread that of two`() {
    var baseline = Baseline()
    baseline.wake()
    for tick in 0..<119 { baseline.push(tick % 2 == 0 ? 8 : 12, tick: tick) }

    let expectation = baseline.recentExpectation(before: 119)

    #expect(expectation.rate == 10)
    #expect(expectation.spreadAbove == 2 * 1.4826)
    #expect(expectation.basis == .recent(minutes: 60))
    #expect(Baseline().recentExpectation(before: 9).basis == .none)
  }

  @Test func `medians and deviations are those of sorted values`() {
    var generator = SeededGenerator(seed: 4)
    for round in 0..<200 {
      var baseline = Baseline()
      let length = Int.random(in: 10...60, using: &generator)
      let top: UInt32 = round % 2 == 0 ? 9 : 3000
      let values = (0..<length).map { _ in UInt32.random(in: 0...top, using: &generator) }
      baseline.wake()
      for (tick, value) in values.enumerated() { baseline.push(value, tick: tick) }
      let expectation = baseline.recentExpectation(before: UInt32(length))

      let median = RobustStatistics.median(values.map(Double.init))
      let deviation = RobustStatistics.medianAbsoluteDeviation(values.map(Double.init), around: median) * 1.4826
      #expect(expectation.rate == median)
      #expect(expectation.spreadBelow >= deviation - 1e-9)
    }
  }

  @Test func `discoveries are cut where the share of false ones would exceed the rate`() {
    #expect(FalseDiscoveries.threshold([1e-6, 0.5, 0.9], testCount: 3, rate: 0.01) == 1e-6)
    #expect(FalseDiscoveries.threshold([0.004, 0.006], testCount: 2, rate: 0.01) == 0.006)
    #expect(FalseDiscoveries.threshold([0.004], testCount: 1000, rate: 0.01) < 0)
    #expect(FalseDiscoveries.threshold([], testCount: 0, rate: 0.01) < 0)
  }

  @Test func `the bound on a tail is above Poisson's own`() {
    // P(X >= 20) of mean 5 is 3.5e-7.
    let bound = Deviation.tail(excess: 15, variance: 5)

    #expect(bound > 3.5e-7)
    #expect(bound < 1e-4)
  }
}
