import Testing

@testable import Detection

@Suite struct DetectorTests {
  @Test func `a day of steady noise in a thousand series raises next to nothing`() {
    var generator = SeededGenerator(seed: 7)
    var detector = Detector()
    let rates = (0..<1000).map { [0.02, 0.3, 1, 3, 8, 25][$0 % 6] }

    // Two hours a part in debug builds: a tenth of the day stands for the whole of it.
    let found = detector.replay(0..<144) { _ in
      rates.enumerated().compactMap { index, rate in
        let count = generator.poisson(rate)
        return count > 0 ? (key(UInt32(index + 1), UInt32(index % 20 + 1)), count) : nil
      }
    }

    let changes = found.filter { ["spike", "drop", "shift", "silence"].contains($0.kind.name) }
    #expect(changes.isEmpty, "\(changes)")
  }

  @Test func `a spike is told in its second minute, and once`() throws {
    var detector = Detector()
    var first: Int64?
    var ids = Set<UInt64>()
    for offset in Int64(0)..<150 {
      let isSpike = (100..<110).contains(offset)
      for anomaly in detector.tick(counts(monday + offset, [(key(1), isSpike ? 90 : 10), (key(2), 10)])) {
        if first == nil { first = offset }
        ids.insert(anomaly.id)
        #expect(anomaly.kind == .spike)
        #expect(anomaly.key == key(1))
        #expect(anomaly.onset == monday + 100)
        if anomaly.phase == .ended { #expect(anomaly.last == monday + 109) }
      }
    }

    #expect(first == 101)
    #expect(ids.count == 1)
    #expect(detector.openAnomalies.isEmpty)
  }

  @Test func `evidence says what was expected, what came, and from what that was known`() throws {
    var detector = Detector()
    let found = detector.replay(0..<110) { [(key(1), $0 >= 100 ? 90 : 10)] }

    let anomaly = try #require(found.first)
    #expect(anomaly.evidence.observed == 90)
    #expect(anomaly.evidence.expected == 10)
    #expect(anomaly.evidence.baseline == .recent(minutes: 60))
    #expect(anomaly.evidence.total == 900)
    #expect(anomaly.excess == 800)
    #expect(abs(anomaly.evidence.z - 80 / (10 + 1.0).squareRoot()) < 0.01 || anomaly.evidence.z > 20)
  }

  @Test(arguments: [(10, 60), (60, 10), (2, 12), (12, 1)])
  func `a step up or down that lasts alerts once`(before: Int, after: Int) {
    var generator = SeededGenerator(seed: 11)
    var detector = Detector()
    let found = detector.replay(0..<600) { offset in
      [(key(1), generator.poisson(Double(offset < 200 ? before : after))), (key(2), 20)]
    }

    #expect(found.count == 1, "\(found)")
    #expect(found.first?.kind == .shift)
    #expect(abs((found.first?.onset ?? 0) - monday - 200) <= 5)
    #expect(detector.openAnomalies.isEmpty)
  }

  @Test func `what recurs each day is learnt`() {
    var generator = SeededGenerator(seed: 3)
    var detector = Detector()
    // An hour of work each night, for six days; the first nights are news.
    func rate(_ offset: Int64) -> Double { (120..<180).contains(offset % 1440) ? 200 : 4 }
    _ = detector.replay(0..<4 * 1440) { [(key(1), generator.poisson(rate($0))), (key(2), 20)] }
    let later = detector.replay(4 * 1440..<6 * 1440) { [(key(1), generator.poisson(rate($0))), (key(2), 20)] }
    let missed = detector.replay(6 * 1440..<7 * 1440) { _ in [(key(1), generator.poisson(4)), (key(2), 20)] }

    #expect(later.isEmpty, "\(later)")
    #expect(missed.map(\.kind) == [.drop] || missed.map(\.kind) == [.shift], "\(missed)")
    #expect(missed.first?.evidence.baseline == .hourOfDay(days: 6))
  }

  @Test func `a job that runs each hour is told of twice, and again when it is far larger`() {
    var detector = Detector()
    let found = detector.replay(0..<1440) { offset in
      let isJob = offset >= 60 && offset % 60 < 3
      return [(key(1), isJob ? (offset / 60 == 20 ? 600 : 60) : 2), (key(2), 20)]
    }

    #expect(found.map { ($0.onset - monday) / 60 } == [1, 2, 20], "\(found)")
  }

  @Test func `the pauses of a job that runs each hour are no drop, once days are known`() {
    var detector = Detector()
    func entries(_ offset: Int64) -> [(SeriesKey, Int)] { [(key(1), offset % 60 < 3 ? 400 : 0), (key(2), 20)] }
    _ = detector.replay(0..<3 * 1440, entries)
    let found = detector.replay(3 * 1440..<4 * 1440 + 600, entries)

    #expect(found.isEmpty, "\(found)")
  }

  @Test func `the order of entries does not matter, nor do keys given twice`() {
    func entries(_ offset: Int64) -> [(SeriesKey, Int)] {
      var entries: [(SeriesKey, Int)] = (UInt32(1)...9).map { (key($0, $0 % 3 + 1), 10) }
      if offset >= 50 { entries.append((key(4, 2), 90)) }
      if offset == 40 { entries += [(key(30), 1), (key(31), 1)] }
      return entries
    }
    var one = Detector()
    var other = Detector()
    let found = one.replay(0..<60, entries)
    let reversed = other.replay(0..<60) { entries($0).reversed().flatMap { [($0.0, $0.1 - 1), ($0.0, 1)] } }

    #expect(found.count == 3)
    #expect(found == reversed)
  }

  @Test func `a drop of few records a minute is found over several minutes`() throws {
    var detector = Detector()
    let found = detector.replay(0..<120) { [(key(1), $0 >= 100 ? 0 : 6), (key(2), 20)] }

    let anomaly = try #require(found.first)
    #expect(anomaly.kind == .drop)
    #expect(anomaly.onset == monday + 100)
    #expect(anomaly.isShortfall)
  }

  @Test func `a workload that stops is one silence, and teaches nothing`() throws {
    var detector = Detector()
    let found = detector.replay(0..<400) { offset in
      (150..<300).contains(offset) ? [(key(9, 2), 5)] : [(key(1), 10), (key(2), 10), (key(3), 10), (key(9, 2), 5)]
    }

    #expect(found.map(\.kind) == [.silence], "\(found)")
    #expect(found.first?.key == key(SeriesKey.allPatterns))
    #expect(found.first?.onset == monday + 150)
    #expect(found.first?.last == monday + 299)
    #expect(found.first?.phase == .ended)
  }

  @Test func `the first lines of a pattern are news once its workload is known`() {
    var detector = Detector()
    let found = detector.replay(0..<60) { offset in
      var entries: [(SeriesKey, Int)] = (UInt32(1)...5).map { (key($0), 3) }
      if offset == 5 { entries.append((key(20), 1)) }
      if offset == 30 { entries.append((key(21), 2)) }
      return entries
    }

    #expect(found.map(\.kind) == [.new])
    #expect(found.first?.key == key(21))
  }

  @Test func `a new pattern that is nearly an old one is its variant`() {
    var detector = Detector()
    for offset in Int64(0)..<20 { _ = detector.tick(counts(monday + offset, [(key(1), 3), (key(2), 3)])) }
    let found = detector.tick(counts(monday + 20, [(key(3), 1)])) { $0 == 3 && $1 == 2 ? 0.95 : 0.3 }

    #expect(found.map(\.kind) == [.variant(of: 2)])
  }

  @Test func `many new patterns at once are one deployment`() {
    var detector = Detector()
    let found = detector.replay(0..<60) { offset in
      var entries: [(SeriesKey, Int)] = (UInt32(1)...10).map { (key($0), 3) }
      if offset >= 30 { entries += (UInt32(11)...18).map { (key($0), 3) } }
      return entries
    }

    #expect(detector.openAnomalies.isEmpty)
    #expect(found.filter { $0.kind == .deployment }.count == 1)
    #expect(found.allSatisfy { $0.kind == .deployment || $0.phase == .ended })
  }

  @Test func `what is seen on few days is rare`() {
    var detector = Detector()
    let found = detector.replay(0..<15 * 1440) { offset in
      offset == 100 || offset == 14 * 1440 + 500 ? [(key(1), 1), (key(2), 1)] : [(key(2), 1)]
    }

    #expect(found.map(\.kind) == [.new, .rare])
    #expect(found.last?.onset == monday + 14 * 1440 + 500)
  }

  @Test func `a value never seen before is told of where the pattern is known`() {
    var detector = Detector()
    for offset in Int64(0)..<70 { _ = detector.tick(counts(monday + offset, [(key(1), 3)])) }
    var tick = counts(monday + 70, [(key(1), 3), (key(2), 1)])
    tick.newValues = [.init(key: key(1), variable: 0, value: "root"), .init(key: key(2), variable: 0, value: "x")]
    let found = detector.tick(tick)

    #expect(found.filter { $0.kind == .newValue }.map(\.value?.value) == ["root"])
    tick = counts(monday + 71, [(key(1), 3)])
    tick.newValues = [.init(key: key(1), variable: 0, value: "admin"), .init(key: key(1), variable: 1, value: "b")]
    #expect(detector.tick(tick).compactMap(\.value?.value).sorted() == ["b", "root"])
  }

  @Test func `what is suppressed is marked, and only where and when it is`() {
    let suppression = Suppression(
      id: 42, reason: .maintenance, workload: 1, minutes: monday + 90..<monday + 105, periodMinutes: 10_080)
    var detector = Detector()
    var marked: [Int64] = []
    for offset in Int64(0)..<112 {
      let entries = [(key(1), offset >= 100 ? 90 : 10), (key(1, 2), offset >= 100 ? 90 : 10)]
      for anomaly in detector.tick(counts(monday + offset, entries), suppressions: [suppression])
      where anomaly.suppressedBy == 42 {
        #expect(anomaly.key.workload == 1)
        marked.append(offset)
      }
    }

    #expect(marked == [101, 102, 103, 104])
    #expect(suppression.holds(for: .spike, key(1), minute: monday + 10_080 + 95))
    #expect(!suppression.holds(for: .spike, key(1), minute: monday + 10_080 + 105))
  }

  @Test func `minutes that nobody counted are no drop`() {
    var detector = Detector()
    let before = detector.replay(0..<100) { _ in [(key(1), 30), (key(2), 30)] }
    let after = detector.replay(400..<500) { _ in [(key(1), 30), (key(2), 30)] }

    #expect(before.isEmpty)
    #expect(after.isEmpty)
  }

  @Test func `a detector restored in the middle goes on as the one that was not`() throws {
    func entries(_ offset: Int64) -> [(SeriesKey, Int)] {
      var generator = SeededGenerator(seed: UInt64(offset) + 99)
      var entries: [(SeriesKey, Int)] = (UInt32(1)...30).map { (key($0, $0 % 4 + 1), generator.poisson(Double($0))) }
      if (200..<215).contains(offset) { entries.append((key(25, 2), 300)) }
      if offset >= 260 { entries.removeAll { $0.0.workload == 3 } }
      if offset == 230 { entries.append((key(77, 1), 1)) }
      return entries
    }
    for cut in [Int64(5), 130, 203, 231, 265] {
      var whole = Detector()
      _ = whole.replay(0..<cut, entries)
      var restored = try Detector(serialized: whole.serialized())
      for offset in cut..<320 {
        let tick = counts(monday + offset, entries(offset))
        #expect(whole.tick(tick) == restored.tick(tick), "cut at \(cut), minute \(offset)")
      }
      #expect(whole.serialized() == restored.serialized(), "cut at \(cut)")
    }
  }

  @Test func `no bytes make restoring trap`() throws {
    var detector = Detector()
    _ = detector.replay(0..<100) { [(key(1), $0 >= 95 ? 90 : 10), (key(2, 3), 4)] }
    let bytes = detector.serialized()
    var generator = SeededGenerator(seed: 5)
    #expect(throws: DetectorStateError.self) { try Detector(serialized: []) }
    for _ in 0..<400 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        damaged[Int.random(in: 14..<damaged.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      if Bool.random(using: &generator) { damaged.removeLast(Int.random(in: 0..<damaged.count, using: &generator)) }
      if damaged.count > 14 {
        // A checksum that fits, so that what is behind it is read.
        var sum = StableHash.of(damaged[14...])
        for index in 6..<14 {
          damaged[index] = UInt8(truncatingIfNeeded: sum)
          sum >>= 8
        }
      }
      // Either refused or usable.
      if var restored = try? Detector(serialized: damaged) {
        _ = restored.tick(counts(monday + 101, [(key(1), 10), (key(5), 1)]))
      }
    }
  }

  @Test func `patterns that are merged go on with the sum of their pasts`() {
    var detector = Detector()
    _ = detector.replay(0..<100) { _ in [(key(1), 10), (key(2), 20)] }
    detector.merge(pattern: 1, into: 2)
    let found = detector.replay(100..<200) { _ in [(key(2), 30)] }

    #expect(found.isEmpty, "\(found)")
    #expect(detector.expectation(for: key(2))?.rate == 30)
    #expect(detector.expectation(for: key(1)) == nil)
  }

  @Test func `series without records for eight weeks are forgotten, and the oldest where there are too many`() {
    var detector = Detector(seriesMax: 10)
    for pattern in UInt32(1)...40 {
      _ = detector.tick(counts(monday + Int64(pattern), [(key(pattern), 1), (key(100), 1)]))
    }
    _ = detector.tick(counts(monday + 1441, [(key(100), 1)]))

    #expect(detector.seriesCount == 10)
    for pattern in UInt32(200)...240 { _ = detector.tick(counts(monday + 1250 + Int64(pattern), [(key(pattern), 1)])) }
    #expect(detector.seriesCount <= 13)
    #expect(detector.expectation(for: key(1)) == nil)
    #expect(detector.expectation(for: key(240)) != nil)
    _ = detector.tick(counts(monday + 1441 * 60, [(key(100), 1)]))
    #expect(detector.seriesCount == 1)
  }
}
