import Domain

/// One `by (…)` entry of `stats` at work: a row's value, cut to its bucket.
struct StatsGroupReader {
  let field: String
  private var reader: FieldReader
  private let bucket: StatsGroup.Bucket
  /// The bucket of times met last: the next record mostly falls into it too.
  private var lastBucket: (range: TimeRange, text: [UInt8])?

  init(_ group: StatsGroup) {
    field = group.field
    reader = FieldReader(group.field)
    bucket = group.bucket
  }

  mutating func value(in row: Row) -> [UInt8] {
    let value = reader.value(in: row)
    if case .none = bucket { return value }
    return value.withUnsafeBufferPointer { bucketed($0) } ?? value
  }

  /// Seconds that the bucket beginning with the value `text` covers; nil if it is none of time.
  func seconds(ofBucket text: [UInt8]) -> Double? {
    guard field == "_time" else { return nil }
    switch bucket {
    case .time(let step, _): return Double(step) / 1e9
    case .number(let step, _): return step / 1e9
    case .calendar(let step, let offset):
      guard let start = text.withUnsafeBufferPointer({ FieldNumber.timestamp($0) }) else { return nil }
      let range = StatsGroupReader.calendar(step, offset, start)
      return (Double(range.end.nanoseconds) - Double(range.start.nanoseconds)) / 1e9
    case .none, .ipv4: return nil
    }
  }

  /// Nil if the value has no place in such buckets: it stands for itself then.
  private mutating func bucketed(_ value: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    switch bucket {
    case .none: return nil
    case .ipv4(let prefixLength):
      guard let address = FieldNumber.ipv4(value) else { return nil }
      let length = UInt32(min(max(prefixLength, 0), 32))
      return NumberText.ipv4(length == 0 ? 0 : address & ~UInt32(0) << (32 - length))
    case .time(let step, let offset):
      if step <= 0 { return nil }
      if let time = FieldNumber.timestamp(value) {
        return text(of: time) { time in StatsGroupReader.period(of: time, step: step, offset: offset) }
      }
      return number(value, step: Double(step), offset: Double(offset))
    case .calendar(let step, let offset):
      guard let time = FieldNumber.timestamp(value) else { return nil }
      return text(of: time) { StatsGroupReader.calendar(step, offset, $0) }
    case .number(let step, let offset):
      if step <= 0 || !step.isFinite { return nil }
      if let time = FieldNumber.timestamp(value) {
        guard let step = Int64(exactly: step.rounded()), let offset = Int64(exactly: offset.rounded()), step > 0 else {
          return nil
        }
        return text(of: time) { time in StatsGroupReader.period(of: time, step: step, offset: offset) }
      }
      return number(value, step: step, offset: offset)
    }
  }

  private mutating func text(of time: Timestamp, _ period: (Timestamp) -> TimeRange) -> [UInt8]? {
    if let lastBucket, lastBucket.range.contains(time) { return lastBucket.text }
    let range = period(time)
    guard let text = NumberText.time(range.start) else { return nil }
    lastBucket = (range, text)
    return text
  }

  /// Steps counted on a clock that is `offset` ahead of UTC: days with an offset of 2h begin at 22:00 UTC.
  private static func period(of time: Timestamp, step: Int64, offset: Int64) -> TimeRange {
    let local = time.advanced(byNanoseconds: offset).nanoseconds
    let (start, overflow) = local.floorDivided(by: step).multipliedReportingOverflow(by: step)
    let begin = Timestamp(nanoseconds: overflow ? .min : start)
    // Negating the smallest number would overflow.
    let back = offset == .min ? Int64.max : -offset
    return TimeRange(
      start: begin.advanced(byNanoseconds: back), end: begin.advanced(byNanoseconds: step).advanced(byNanoseconds: back)
    )
  }

  /// Weeks begin on Monday.
  private static func calendar(_ step: StatsGroup.CalendarStep, _ offset: Int64, _ time: Timestamp) -> TimeRange {
    let days = time.advanced(byNanoseconds: offset).nanoseconds.floorDivided(by: 86_400_000_000_000)
    let date = CivilDate(daysSinceEpoch: days)
    let (first, next): (Int64, Int64)
    switch step {
    case .week:
      // 1970-01-01 was a Thursday, three days after a Monday.
      first = (days + 3).floorDivided(by: 7) * 7 - 3
      next = first + 7
    case .month:
      first = CivilDate(year: date.year, month: date.month, day: 1).daysSinceEpoch
      next = first + Int64(CivilDate.dayCount(year: date.year, month: date.month))
    case .year:
      first = CivilDate(year: date.year, month: 1, day: 1).daysSinceEpoch
      next = CivilDate(year: date.year + 1, month: 1, day: 1).daysSinceEpoch
    }
    let back = offset == .min ? Int64.max : -offset
    return TimeRange(
      start: Timestamp(seconds: first * 86_400).advanced(byNanoseconds: back),
      end: Timestamp(seconds: next * 86_400).advanced(byNanoseconds: back))
  }

  /// Numbers and sizes become numbers, durations durations, addresses addresses.
  private func number(_ value: UnsafeBufferPointer<UInt8>, step: Double, offset: Double) -> [UInt8]? {
    func floored(_ number: Double) -> Double {
      let bucket = ((number - offset) / step).rounded(.down) * step + offset
      // 3 * 0.1 is not 0.3: steps that are one of so many parts are counted in parts.
      return step < 1 && offset == 0 ? StatsGroupReader.rounded(bucket, step) : bucket
    }
    if let plain = FieldNumber.plain(value) { return NumberText.number(floored(plain)) }
    if let duration = FieldNumber.duration(value) {
      return Int64(exactly: floored(Double(duration)).rounded()).map(NumberText.duration)
    }
    if let size = FieldNumber.byteCount(value) { return NumberText.number(floored(size)) }
    if let address = FieldNumber.ipv4(value) {
      return UInt32(exactly: floored(Double(address)).rounded()).map(NumberText.ipv4)
    }
    return nil
  }

  private static func rounded(_ bucket: Double, _ step: Double) -> Double {
    let parts = (1 / step).rounded()
    return (parts * step - 1).magnitude < 1e-12 ? (bucket * parts).rounded() / parts : bucket
  }
}
