import Domain
import Testing

@testable import LogBlocks

@Suite struct TimestampLayoutTests {
  /// 2025-11-23T12:13:20.367Z
  private let time: Int64 = 1_763_900_000_367_000_000

  private func layouts(_ text: String) -> [TimestampLayout] {
    Array(text.utf8).withUnsafeBufferPointer { TimestampLayout.candidates(for: $0, time: time) }
  }

  private func distance(_ layout: TimestampLayout, _ text: String, from time: Int64) -> Int64? {
    var day = TimestampLayout.Day()
    return Array(text.utf8).withUnsafeBufferPointer { layout.distance(of: $0, from: time, &day) }
  }

  private func text(_ layout: TimestampLayout, _ distance: Int64, from time: Int64) -> String? {
    var bytes = [UInt8](repeating: 0, count: layout.byteCount)
    var day = TimestampLayout.Day()
    return layout.write(distance: distance, from: time, to: &bytes, &day) ? String(decoding: bytes, as: UTF8.self) : nil
  }

  @Test(arguments: [
    "2025-11-23 12:13:20,367", "2025-11-23T12:13:20.367Z", "2025-11-23T12:13:20Z", "20251123 12:13:20",
    "11-23 12:13:20.367",
    "11.23 12:13:20", "Nov 23 12:13:20", "Sun Nov 23 12:13:20 2025", "23/Nov/2025:12:13:20", "1123 12:13:20.367000",
    "2025-11-23-12.13.20.367000", "12:13:20.367", "1763900000", "1763900000.367", "1763900000367",
    "1763900000367000000",
  ])
  func `a record's own time is at distance 0`(text: String) {
    #expect(layouts(text).contains { distance($0, text, from: time) == 0 })
    #expect(layouts(text).allSatisfy { self.text($0, 0, from: time) == text })
  }

  @Test func `a time zone is a distance that stays`() {
    let layout = layouts("2025-11-23T14:13:20+02:00")[0]

    #expect(distance(layout, "2025-11-23T14:13:20+02:00", from: time) == 7200)
    #expect(text(layout, 7200, from: time + 86_400_000_000_000) == "2025-11-24T14:13:20+02:00")
  }

  @Test func `a date without a year takes the nearest`() {
    let newYear: Int64 = 1_767_225_600_000_000_000  // 2026-01-01T00:00:00Z
    let layout = layouts("Nov 23 12:13:20")[0]

    #expect(distance(layout, "Dec 31 23:59:59", from: newYear) == -1)
    #expect(text(layout, -1, from: newYear) == "Dec 31 23:59:59")
  }

  @Test func `days are padded as the column pads them`() {
    let padded = layouts("Nov 23 12:13:20")[1]

    #expect(distance(padded, "Nov  3 12:13:20", from: time) == -20 * 86_400)
    #expect(text(padded, -20 * 86_400, from: time) == "Nov  3 12:13:20")
    #expect(distance(padded, "Nov 03 12:13:20", from: time) == nil)
    #expect(distance(layouts("Nov 23 12:13:20")[0], "Nov  3 12:13:20", from: time) == nil)
  }

  @Test(arguments: [
    "Mon Nov 23 12:13:20 2025", "Sun Nov 31 12:13:20 2025", "Sun Nov 23 24:13:20 2025", "Sun Nov 23 12:13:60 2025",
    "Sun Nov 23 12:13:20 0999", "Sun Nov 23 12:13:20 2025 ", "Sun Nob 23 12:13:20 2025", "Sun Nov 23 1a:13:20 2025",
  ])
  func `what is no such moment is not taken for one`(text: String) {
    let layout = layouts("Sun Nov 23 12:13:20 2025")[0]

    #expect(distance(layout, text, from: time) == nil)
  }

  @Test(arguments: 0..<200)
  func `what has a distance is what the distance makes`(seed: UInt64) {
    var generator = SeededGenerator(seed)
    let samples = [
      "2025-11-23 12:13:20,367", "Nov 23 12:13:20", "Sun Nov 23 12:13:20 2025", "11-23 12:13:20.367", "12:13:20.367",
      "1763900000.367", "02-29 00:00:00.000", "2025-11-23T12:13:20.123456789Z",
    ]
    let sample = samples.randomElement(using: &generator)!
    var bytes = Array(sample.utf8)
    for _ in 0..<Int.random(in: 0...3, using: &generator) {
      bytes[Int.random(in: 0..<bytes.count, using: &generator)] = Array("0123456789 :-ab".utf8).randomElement(
        using: &generator)!
    }
    let changed = String(decoding: bytes, as: UTF8.self)
    let times = [time, 0, .min, .max, 951_782_400_000_000_000, Int64.random(in: .min ... .max, using: &generator)]
    let recordTime = times.randomElement(using: &generator)!
    for layout in layouts(sample) + layouts(changed) {
      guard let distance = distance(layout, changed, from: recordTime) else { continue }
      #expect(text(layout, distance, from: recordTime) == changed, "seed \(seed)")
    }
  }

  @Test(arguments: 0..<100)
  func `any distance from any time makes a text or is refused`(seed: UInt64) {
    var generator = SeededGenerator(seed)
    for sample in ["2025-11-23 12:13:20,367", "Nov 23 12:13:20", "1763900000.367", "12:13:20", "1763900000367000000"] {
      for layout in layouts(sample) {
        let distance = [Int64.random(in: .min ... .max, using: &generator), .min, .max].randomElement(
          using: &generator)!
        let time = [Int64.random(in: .min ... .max, using: &generator), .min, .max].randomElement(using: &generator)!
        if let text = text(layout, distance, from: time) { #expect(!text.utf8.contains(0)) }
      }
    }
  }
}
