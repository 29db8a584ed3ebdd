import Testing

@testable import Domain

@Suite struct TimestampTests {
  @Test(arguments: [
    (Int64(0), "1970-01-01T00:00:00Z"),
    (1, "1970-01-01T00:00:00.000000001Z"),
    (-1, "1969-12-31T23:59:59.999999999Z"),
    (1_773_841_467_320_000_000, "2026-03-18T13:44:27.32Z"),
    (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
    (Int64.max, "2262-04-11T23:47:16.854775807Z"),
    (Int64.min, "1677-09-21T00:12:43.145224192Z"),
  ])
  func `a moment is written in UTC without trailing zeros`(nanoseconds: Int64, text: String) {
    #expect(Timestamp(nanoseconds: nanoseconds).rfc3339 == text)
  }

  @Test func `units too large for the years that can be held saturate`() {
    #expect(Timestamp(seconds: .max).nanoseconds == .max)
    #expect(Timestamp(seconds: .min).nanoseconds == .min)
    #expect(Timestamp(milliseconds: .max).nanoseconds == .max)
    #expect(Timestamp(milliseconds: .min).nanoseconds == .min)
    #expect(Timestamp(nanoseconds: .max).advanced(byNanoseconds: 1).nanoseconds == .max)
    #expect(Timestamp(nanoseconds: .min).advanced(byNanoseconds: -1).nanoseconds == .min)
    #expect(Timestamp(nanoseconds: .max).nanoseconds(since: Timestamp(nanoseconds: .min)) == .max)
    #expect(Timestamp(nanoseconds: .min).nanoseconds(since: Timestamp(nanoseconds: .max)) == .min)
    #expect(Timestamp(seconds: 5).nanoseconds(since: Timestamp(seconds: 3)) == 2_000_000_000)
  }

  @Test(arguments: [(Int64(-1), Int64(-1)), (0, 0), (59_999_999_999, 0), (60_000_000_000, 1), (-60_000_000_001, -2)])
  func `minutes are rounded down, before 1970 too`(nanoseconds: Int64, minute: Int64) {
    #expect(Timestamp(nanoseconds: nanoseconds).minute == minute)
  }

  @Test(arguments: [(7, 2, 3), (-7, 2, -4), (-8, 2, -4), (.min, 1, .min), (0, 5, 0)] as [(Int64, Int64, Int64)])
  func `floor division rounds toward negative infinity`(value: Int64, divisor: Int64, quotient: Int64) {
    #expect(value.floorDivided(by: divisor) == quotient)
  }

  @Test func `days become dates and days again, one after the other for eight centuries`() {
    var date = CivilDate(year: 1600, month: 1, day: 1)
    var day = date.daysSinceEpoch
    #expect(day == -135_140)
    while date.year < 2400 {
      #expect(CivilDate(daysSinceEpoch: day) == date)
      #expect(date.daysSinceEpoch == day)
      // The calendar, counted by hand.
      day += 1
      date.day += 1
      if date.day > CivilDate.dayCount(year: date.year, month: date.month) {
        date.day = 1
        date.month += 1
      }
      if date.month > 12 {
        date.month = 1
        date.year += 1
      }
    }
  }

  @Test func `a decimal is padded to its width and never cut`() {
    var bytes: [UInt8] = []
    bytes.appendDecimal(7, width: 3)
    bytes.appendDecimal(12345, width: 2)
    bytes.appendDecimal(0)
    bytes.appendDecimal(-42)
    bytes.appendDecimal(.min)

    #expect(String(decoding: bytes, as: UTF8.self) == "007123450-42-9223372036854775808")
  }
}

@Suite struct TimeRangeTests {
  private static func range(_ start: Int64, _ end: Int64) -> TimeRange {
    TimeRange(start: Timestamp(nanoseconds: start), end: Timestamp(nanoseconds: end))
  }

  @Test func `the start belongs to a range and the end does not`() {
    let range = Self.range(5, 10)

    #expect(range.contains(Timestamp(nanoseconds: 5)))
    #expect(!range.contains(Timestamp(nanoseconds: 10)))
    #expect(!range.contains(Timestamp(nanoseconds: 4)))
  }

  @Test func `ranges meet only where both have moments`() {
    #expect(Self.range(0, 10).intersection(Self.range(5, 20)) == Self.range(5, 10))
    #expect(Self.range(0, 5).intersection(Self.range(5, 9)).isEmpty)
    #expect(TimeRange.all.intersection(Self.range(5, 9)) == Self.range(5, 9))
  }

  @Test(arguments: [(Int64(0), Int64(4), false), (0, 5, true), (9, 12, true), (10, 12, false), (0, 99, true)])
  func `a span overlaps a range if one of its moments lies in it`(first: Int64, last: Int64, overlaps: Bool) {
    let span = (Timestamp(nanoseconds: first), Timestamp(nanoseconds: last))

    #expect(Self.range(5, 10).overlaps(first: span.0, last: span.1) == overlaps)
  }
}
