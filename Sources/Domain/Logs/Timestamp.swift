/// A moment, in nanoseconds since 1970-01-01T00:00:00Z. Covers the years 1677 to 2262.
package struct Timestamp: Hashable, Comparable, Sendable {
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Saturates outside the representable years.
  package init(seconds: Int64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    nanoseconds = overflow ? (seconds < 0 ? .min : .max) : product
  }

  /// Saturates outside the representable years.
  package init(milliseconds: Int64) {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    nanoseconds = overflow ? (milliseconds < 0 ? .min : .max) : product
  }

  package static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }

  /// This moment shifted by `nanoseconds`, saturating.
  package func advanced(byNanoseconds delta: Int64) -> Timestamp {
    let (sum, overflow) = nanoseconds.addingReportingOverflow(delta)
    return Timestamp(nanoseconds: overflow ? (delta < 0 ? .min : .max) : sum)
  }

  /// How far this moment is behind `other`, in nanoseconds, saturating.
  package func nanoseconds(since other: Timestamp) -> Int64 {
    let (difference, overflow) = nanoseconds.subtractingReportingOverflow(other.nanoseconds)
    return overflow ? (nanoseconds < other.nanoseconds ? .min : .max) : difference
  }

  /// Whole minutes since 1970, rounded down.
  package var minute: Int64 { nanoseconds.floorDivided(by: 60_000_000_000) }

  /// RFC 3339 in UTC with up to nine fractional digits and no trailing zeros: `2026-03-18T13:44:27.32Z`.
  package var rfc3339: String {
    var bytes: [UInt8] = []
    appendRFC3339(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends `rfc3339` as ASCII.
  package func appendRFC3339(to bytes: inout [UInt8]) {
    let seconds = nanoseconds.floorDivided(by: 1_000_000_000)
    // Not by multiplying back: the first second there is begins before the first nanosecond that can be held.
    let remainder = nanoseconds % 1_000_000_000
    var fraction = remainder < 0 ? remainder + 1_000_000_000 : remainder
    let days = seconds.floorDivided(by: 86_400)
    let second = Int(seconds - days * 86_400)
    let date = CivilDate(daysSinceEpoch: days)
    bytes.appendDecimal(date.year, width: 4)
    bytes.append(UInt8(ascii: "-"))
    bytes.appendDecimal(date.month, width: 2)
    bytes.append(UInt8(ascii: "-"))
    bytes.appendDecimal(date.day, width: 2)
    bytes.append(UInt8(ascii: "T"))
    bytes.appendDecimal(second / 3600, width: 2)
    bytes.append(UInt8(ascii: ":"))
    bytes.appendDecimal(second / 60 % 60, width: 2)
    bytes.append(UInt8(ascii: ":"))
    bytes.appendDecimal(second % 60, width: 2)
    if fraction > 0 {
      var width = 9
      while fraction % 10 == 0 {
        fraction /= 10
        width -= 1
      }
      bytes.append(UInt8(ascii: "."))
      bytes.appendDecimal(Int(fraction), width: width)
    }
    bytes.append(UInt8(ascii: "Z"))
  }
}

/// A day of the proleptic Gregorian calendar.
///
/// Conversions follow Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013): years start in March, eras last
/// 400 years.
package struct CivilDate: Hashable, Sendable {
  package var year: Int
  /// 1...12
  package var month: Int
  /// 1...31
  package var day: Int

  package init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  package init(daysSinceEpoch: Int64) {
    let shifted = daysSinceEpoch + 719_468
    let era = shifted.floorDivided(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
    year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
  }

  package var daysSinceEpoch: Int64 {
    let shiftedYear = Int64(month <= 2 ? year - 1 : year)
    let era = shiftedYear.floorDivided(by: 400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// Days in `month` of `year`.
  package static func dayCount(year: Int, month: Int) -> Int {
    switch month {
    case 2: return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: return 30
    default: return 31
    }
  }
}

extension Int64 {
  /// The quotient rounded toward negative infinity. `divisor` is positive.
  @inlinable
  package func floorDivided(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

extension [UInt8] {
  /// Appends `value`, zero-padded to at least `width` digits.
  package mutating func appendDecimal(_ value: Int, width: Int = 1) {
    if value < 0 { append(UInt8(ascii: "-")) }
    var magnitude = value.magnitude
    let start = count
    repeat {
      append(UInt8(ascii: "0") + UInt8(magnitude % 10))
      magnitude /= 10
    } while magnitude > 0
    while count - start < width { append(UInt8(ascii: "0")) }
    self[start...].reverse()
  }
}
