package import Domain

// TIMES, as found in logs. Written here as on the 9th of June 2005 at 06:07:04:
//   1118297224  1118297224.123  1118297224123  …456  …789   seconds, also with a fraction; ms, µs, ns by magnitude
//   2005-06-09T06:07:04.123456789+02:00                     RFC 3339; also with a space, `_` or `-` for the T, a
//   2005/06/09 06:07:04,123   2005.06.09 06:07              comma for the point, slashes or points in the date,
//   2005-06-09                                              no seconds, no time
//   2005-06-03-15.42.50.675872                              points in the time
//   20050609T060704Z  20050609-6:7:4:123  20050609 06:07:04
//   050609 060704   050609 06:07:04   05/06/09 06:07:04     two digits of a year
//   06/09/2005 06:07:04 AM   09.06.2005 06:07:04            month first with slashes unless it is over 12
//   06-09 06:07:04.123   06.09 06:07:04                     no year
//   Jun  9 06:07:04   Jun 09 2005 06:07:04   Jun 9, 2005 6:07:04 AM
//   Thu Jun 09 06:07:04.123 UTC 2005   Thu, 09 Jun 2005 06:07:04 GMT
//   09/Jun/2005:06:07:04 -0700   09-Jun-2005 06:07:04   9 Jun 2005 06:07:04
// A zone is `Z`, `±hh:mm`, `±hhmm`, `±hh`, `UTC`, `GMT`, or one of RFC 5322's American ones, after one blank at
// most.

/// Times as they are found in logs.
///
/// A time without a zone is taken `zoneOffsetSeconds` east of UTC. A date without a year takes the latest year in which
/// it is not more than a day ahead of `now`. Fractions are read as decimals, to the nanosecond; further digits are
/// dropped. A 60th second is the first of the next minute.
package enum TimestampParser {
  /// The time written by the whole of `text`: a number by its magnitude, or any other layout.
  package static func parse(
    _ text: UnsafeBufferPointer<UInt8>, now: Timestamp, zoneOffsetSeconds: Int = 0
  ) -> Timestamp? {
    let text = text.trimmed
    if let time = epoch(text) { return time }
    guard let found = prefix(of: text, now: now, zoneOffsetSeconds: zoneOffsetSeconds), found.byteCount == text.count
    else {
      return nil
    }
    return found.time
  }

  /// The time that `text` starts with, and how many bytes it takes.
  ///
  /// Digits alone are a time here only as 10, 13, 16 or 19 of them, with a fraction or without.
  package static func prefix(
    of text: UnsafeBufferPointer<UInt8>, now: Timestamp, zoneOffsetSeconds: Int = 0
  ) -> (time: Timestamp, byteCount: Int)? {
    var layout = TimeLayout(ByteReader(text), now: now, zoneOffsetSeconds: zoneOffsetSeconds)
    guard let time = layout.read() else { return nil }
    return (time, layout.reader.index)
  }

  /// Unix time written as a JSON number: seconds below 10^11, then milliseconds below 10^14, microseconds below 10^17,
  /// nanoseconds. Exact: no floating point is involved.
  package static func epoch(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
    var index = 0
    let isNegative = index < text.count && text[index] == UInt8(ascii: "-")
    if isNegative { index += 1 }
    var whole: UInt64 = 0
    let wholeStart = index
    while index < text.count, isDigit(text[index]) {
      let (product, overflow) = whole.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(text[index] & 0x0F))
      if overflow || carry { return nil }
      whole = sum
      index += 1
    }
    let wholeCount = index - wholeStart
    guard wholeCount > 0 else { return nil }
    var fraction: UInt64 = 0
    var fractionCount = 0
    if index < text.count, text[index] == UInt8(ascii: ".") {
      index += 1
      let start = index
      while index < text.count, isDigit(text[index]) {
        if fractionCount < 18 {
          fraction = fraction * 10 + UInt64(text[index] & 0x0F)
          fractionCount += 1
        }
        index += 1
      }
      guard index > start else { return nil }
    }
    if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      var exponentIsNegative = false
      if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
        exponentIsNegative = text[index] == UInt8(ascii: "-")
        index += 1
      }
      var exponent = 0
      let start = index
      while index < text.count, isDigit(text[index]) {
        exponent = min(exponent * 10 + Int(text[index] & 0x0F), 1000)
        index += 1
      }
      guard index > start else { return nil }
      // Moves the point one digit at a time; more than 40 places leave the range of times or nothing of the number.
      for _ in 0..<min(exponent, 40) {
        if exponentIsNegative {
          if fractionCount == 18 {
            fraction /= 10
            fractionCount = 17
          }
          fraction += (whole % 10) * powersOfTen[fractionCount]
          fractionCount += 1
          whole /= 10
        } else {
          var digit: UInt64 = 0
          if fractionCount > 0 {
            digit = fraction / powersOfTen[fractionCount - 1]
            fraction %= powersOfTen[fractionCount - 1]
            fractionCount -= 1
          }
          let (product, overflow) = whole.multipliedReportingOverflow(by: 10)
          let (sum, carry) = product.addingReportingOverflow(digit)
          if overflow || carry { return nil }
          whole = sum
        }
      }
    }
    guard index == text.count else { return nil }
    let unitDigits =
      whole < 100_000_000_000 ? 9 : whole < 100_000_000_000_000 ? 6 : whole < 100_000_000_000_000_000 ? 3 : 0
    let scaled =
      fractionCount <= unitDigits
      ? fraction * powersOfTen[unitDigits - fractionCount] : fraction / powersOfTen[fractionCount - unitDigits]
    let (product, overflow) = whole.multipliedReportingOverflow(by: powersOfTen[unitDigits])
    let (sum, carry) = product.addingReportingOverflow(scaled)
    guard !overflow, !carry, sum <= UInt64(Int64.max) else { return nil }
    return Timestamp(nanoseconds: isNegative ? -Int64(sum) : Int64(sum))
  }
}

/// 10^0 to 10^18.
private let powersOfTen: [UInt64] = {
  var powers: [UInt64] = [1]
  for _ in 0..<18 { powers.append(powers[powers.count - 1] * 10) }
  return powers
}()

/// One time being read.
private struct TimeLayout {
  var reader: ByteReader
  let now: Timestamp
  let zoneOffsetSeconds: Int

  private var year: Int?
  private var month = 1
  private var day = 1
  private var secondOfDay = 0
  private var nanosecond = 0
  private var zone: Int?

  init(_ reader: ByteReader, now: Timestamp, zoneOffsetSeconds: Int) {
    self.reader = reader
    self.now = now
    self.zoneOffsetSeconds = zoneOffsetSeconds
  }

  mutating func read() -> Timestamp? {
    let first = reader.peek()
    if isDigit(first) { return readDigits() }
    if isLetter(first) { return readNames() }
    return nil
  }

  // MARK: Layouts that start with a digit

  private mutating func readDigits() -> Timestamp? {
    switch reader.digitCount() {
    case 4: return readYearFirst()
    case 8: return readCompactDate()
    case 6: return readShortCompactDate()
    case 1, 2: return readSmallFirst()
    case 10, 13, 16, 19: return readEpoch()
    default: return nil
    }
  }

  /// `2005-06-09…`, `2005/6/9…`, `2005.06.09…`
  private mutating func readYearFirst() -> Timestamp? {
    year = reader.number(4)
    let separator = reader.peek()
    guard separator == UInt8(ascii: "-") || separator == UInt8(ascii: "/") || separator == UInt8(ascii: ".") else {
      return nil
    }
    reader.index += 1
    guard let month = reader.number(1...2), reader.take(separator), let day = reader.number(1...2) else { return nil }
    self.month = month
    self.day = day
    if isDigit(reader.peek()) { return nil }
    let afterDate = reader.index
    switch reader.peek() {
    case UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "-"), 0x20, 0x09:
      let blank = reader.peek()
      reader.index += 1
      if blank == 0x20 { reader.skipBlanks() }
      if readClock() {
        readZone()
        return finish()
      }
      reader.index = afterDate
    default: break
    }
    // A longer dotted number, such as a version, is no date.
    if reader.peek() == separator, isDigit(reader.peek(1)) { return nil }
    return finish()
  }

  /// `20050609T060704Z`, `20050609-6:7:4:123`, `20050609 06:07:04`
  private mutating func readCompactDate() -> Timestamp? {
    year = reader.number(4)
    month = reader.number(2) ?? 0
    day = reader.number(2) ?? 0
    guard let year, year >= 1970, year < 2200 else { return nil }
    let separator = reader.peek()
    guard separator == UInt8(ascii: "T") || separator == UInt8(ascii: "-") || separator == 0x20 else { return nil }
    reader.index += 1
    if reader.digitCount() == 6 {
      guard readPackedClock() else { return nil }
    } else {
      guard readClock() else { return nil }
    }
    readZone()
    return finish()
  }

  /// `050609 060704`, `050609 06:07:04`, `050609  6:07:04`
  private mutating func readShortCompactDate() -> Timestamp? {
    year = reader.number(2).map { $0 + ($0 < 70 ? 2000 : 1900) }
    month = reader.number(2) ?? 0
    day = reader.number(2) ?? 0
    guard reader.peek() == 0x20 else { return nil }
    reader.skipBlanks()
    if reader.digitCount() == 6 {
      guard readPackedClock() else { return nil }
    } else {
      guard readClock() else { return nil }
    }
    return finish()
  }

  /// A day, a month or two digits of a year first.
  private mutating func readSmallFirst() -> Timestamp? {
    guard let first = reader.number(1...2) else { return nil }
    let separator = reader.peek()
    guard separator != 0 else { return nil }
    if isLetter(reader.peek(1)) {
      // 09/Jun/2005:06:07:04 -0700, 09-Jun-2005 06:07:04, 9 Jun 2005 06:07:04
      guard [UInt8(ascii: "/"), UInt8(ascii: "-"), 0x20].contains(separator) else { return nil }
      reader.index += 1
      guard let month = readMonth(), reader.take(separator) else { return nil }
      day = first
      self.month = month
      if separator == 0x20, reader.digitCount() != 4 {
        guard readClock() else { return nil }
        return finish()
      }
      guard readYear() else { return nil }
      guard [UInt8(ascii: ":"), UInt8(ascii: "T"), 0x20].contains(reader.peek()) else { return finish() }
      let afterDate = reader.index
      reader.index += 1
      if readClock() { readZone() } else { reader.index = afterDate }
      return finish()
    }
    guard separator == UInt8(ascii: "/") || separator == UInt8(ascii: "-") || separator == UInt8(ascii: ".") else {
      return nil
    }
    reader.index += 1
    guard let second = reader.number(1...2) else { return nil }
    if reader.take(separator) {
      let digits = reader.digitCount()
      guard digits == 2 || digits == 4, let third = reader.number(digits) else { return nil }
      if digits == 4 {
        year = third
        let dayFirst = separator == UInt8(ascii: ".") || first > 12
        (month, day) = dayFirst ? (second, first) : (first, second)
      } else if second > 12 {
        (month, day, year) = (first, second, third + (third < 70 ? 2000 : 1900))
      } else {
        (year, month, day) = (first + (first < 70 ? 2000 : 1900), second, third)
      }
    } else {
      (month, day) = (first, second)
    }
    guard reader.peek() == 0x20 || reader.peek() == UInt8(ascii: "T") || reader.peek() == UInt8(ascii: ",") else {
      return nil
    }
    reader.index += 1
    reader.skipBlanks()
    guard readClock() else { return nil }
    readZone()
    return finish()
  }

  private mutating func readEpoch() -> Timestamp? {
    let start = reader.index
    reader.index += reader.digitCount()
    if reader.peek() == UInt8(ascii: "."), isDigit(reader.peek(1)) {
      reader.index += 1
      while isDigit(reader.peek()) { reader.index += 1 }
    }
    if isWordByte(reader.peek()) { return nil }
    return TimestampParser.epoch(reader.bytes.part(start..<reader.index))
  }

  // MARK: Layouts that start with a name

  private mutating func readNames() -> Timestamp? {
    if readWeekday() {
      _ = reader.take(",")
      guard reader.take(0x20) else { return nil }
      reader.skipBlanks()
      if isDigit(reader.peek()) {
        // 09 Jun 2005 06:07:04 GMT, 09-Jun-05 06:07:04 GMT
        guard let day = reader.number(1...2), reader.take(0x20) || reader.take("-"), let month = readMonth(),
          reader.take(0x20) || reader.take("-"), readYear(), reader.take(0x20), readClock()
        else { return nil }
        self.day = day
        self.month = month
        readZone()
        return finish()
      }
    }
    guard let month = readMonth(), reader.take(0x20) else { return nil }
    self.month = month
    reader.skipBlanks()
    guard let day = reader.number(1...2) else { return nil }
    self.day = day
    _ = reader.take(",")
    guard reader.take(0x20) else { return nil }
    if reader.digitCount() == 4 {
      guard readYear() else { return nil }
      _ = reader.take(",")
      guard reader.take(0x20), readClock() else { return nil }
      readZone()
      return finish()
    }
    guard readClock() else { return nil }
    // The year of `date` and of ctime comes last, after a zone or without one.
    let afterClock = reader.index
    readZone()
    let afterZone = reader.index
    if reader.take(0x20), reader.digitCount() == 4, !isWordByte(reader.peek(4)), readYear() { return finish() }
    reader.index = afterZone > afterClock ? afterZone : afterClock
    return finish()
  }

  private mutating func readWeekday() -> Bool {
    let names: [StaticString] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    guard names.contains(where: { reader.hasPrefix(folded: $0) }) else { return false }
    var length = 3
    while isLetter(reader.peek(length)), length < 10 { length += 1 }
    reader.index += length
    return true
  }

  private mutating func readMonth() -> Int? {
    let names: [StaticString] = [
      "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
      "december",
    ]
    guard isLetter(reader.peek()), isLetter(reader.peek(1)), isLetter(reader.peek(2)) else { return nil }
    for (index, name) in names.enumerated() {
      var length = 0
      while length < name.utf8CodeUnitCount, asciiLowercased(reader.peek(length)) == name.utf8Start[length] {
        length += 1
      }
      if length >= 3, !isLetter(reader.peek(length)) || length == name.utf8CodeUnitCount {
        reader.index += length
        return index + 1
      }
    }
    return nil
  }

  private mutating func readYear() -> Bool {
    let digits = reader.digitCount()
    if digits == 4 {
      year = reader.number(4)
      return true
    }
    guard digits == 2, let short = reader.number(2) else { return false }
    year = short + (short < 70 ? 2000 : 1900)
    return true
  }

  // MARK: Time of day and zone

  /// `060704`
  private mutating func readPackedClock() -> Bool {
    guard let hour = reader.number(2), let minute = reader.number(2), let second = reader.number(2) else {
      return false
    }
    return set(hour: hour, minute: minute, second: second) && readFraction()
  }

  /// `06:07`, `06:07:04`, `6:7:4`, `06.07.04`, with a fraction and AM or PM.
  private mutating func readClock() -> Bool {
    let start = reader.index
    guard let hour = reader.number(1...2) else { return false }
    let separator = reader.peek()
    guard separator == UInt8(ascii: ":") || separator == UInt8(ascii: "."), isDigit(reader.peek(1)) else {
      reader.index = start
      return false
    }
    reader.index += 1
    guard let minute = reader.number(1...2), !isDigit(reader.peek()) else {
      reader.index = start
      return false
    }
    var second = 0
    var hasSecond = false
    if reader.peek() == separator, isDigit(reader.peek(1)) {
      reader.index += 1
      second = reader.number(1...2) ?? 0
      hasSecond = true
    }
    // With points alone, two numbers are as likely a version.
    if isDigit(reader.peek()) || (separator == UInt8(ascii: ".") && !hasSecond) {
      reader.index = start
      return false
    }
    guard set(hour: hour, minute: minute, second: second), !hasSecond || readFraction() else {
      reader.index = start
      return false
    }
    readMeridiem(hour: hour)
    return true
  }

  private mutating func set(hour: Int, minute: Int, second: Int) -> Bool {
    guard hour < 24, minute < 60, second <= 60 else { return false }
    secondOfDay = hour * 3600 + minute * 60 + second
    return true
  }

  /// `.123456789`, `,123`, `:123`
  private mutating func readFraction() -> Bool {
    let mark = reader.peek()
    guard isDigit(reader.peek(1)) else { return true }
    if mark == UInt8(ascii: ":") {
      reader.index += 1
      if reader.digitCount() > 3 { return false }
    } else if mark == UInt8(ascii: ".") || mark == UInt8(ascii: ",") {
      reader.index += 1
    } else {
      return true
    }
    var value = 0
    var count = 0
    while isDigit(reader.peek()) {
      if count < 9 {
        value = value * 10 + Int(reader.peek() & 0x0F)
        count += 1
      }
      reader.index += 1
    }
    for _ in count..<9 { value *= 10 }
    nanosecond = value
    return true
  }

  private mutating func readMeridiem(hour: Int) {
    let offset = reader.peek() == 0x20 ? 1 : 0
    let letter = reader.peek(offset) | 0x20
    guard letter == UInt8(ascii: "a") || letter == UInt8(ascii: "p"),
      reader.peek(offset + 1) | 0x20 == UInt8(ascii: "m"),
      !isWordByte(reader.peek(offset + 2)), hour >= 1, hour <= 12
    else { return }
    if letter == UInt8(ascii: "p"), hour < 12 { secondOfDay += 12 * 3600 }
    if letter == UInt8(ascii: "a"), hour == 12 { secondOfDay -= 12 * 3600 }
    reader.index += offset + 2
  }

  private mutating func readZone() {
    let start = reader.index
    _ = reader.take(0x20)
    switch reader.peek() {
    case UInt8(ascii: "Z"), UInt8(ascii: "z"):
      if start == reader.index, !isWordByte(reader.peek(1)) {
        reader.index += 1
        zone = 0
        return
      }
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      let isWest = reader.peek() == UInt8(ascii: "-")
      let hasBlank = start != reader.index
      reader.index += 1
      if let hours = reader.number(2) {
        let hasColon = reader.take(":")
        let minutes = reader.number(2)
        // A lone `-07` after a blank is a number, not a zone.
        if hours <= 15, (minutes ?? 0) < 60, minutes != nil || (!hasColon && !hasBlank), !isWordByte(reader.peek()) {
          let offset = hours * 3600 + (minutes ?? 0) * 60
          zone = isWest ? -offset : offset
          // Go's time.String adds the name.
          if reader.hasPrefix(" UTC"), !isWordByte(reader.peek(4)) { reader.index += 4 }
          return
        }
      }
    default:
      for (name, hours) in namedZones where reader.hasPrefix(name) && !isWordByte(reader.peek(3)) {
        reader.index += 3
        zone = hours * 3600
        return
      }
    }
    reader.index = start
  }

  // MARK: The moment

  private mutating func finish() -> Timestamp? {
    guard month >= 1, month <= 12, day >= 1, day <= 31 else { return nil }
    if let year { return moment(year: year) }
    let today = CivilDate(daysSinceEpoch: now.nanoseconds.floorDivided(by: 86_400_000_000_000))
    // Eight years: 29 February may be that far back, across a century that does not leap.
    for candidate in stride(from: today.year + 1, through: today.year - 8, by: -1) {
      guard let time = moment(year: candidate) else { continue }
      if time <= now.advanced(byNanoseconds: 86_400_000_000_000) { return time }
    }
    return nil
  }

  private func moment(year: Int) -> Timestamp? {
    guard year >= 1677, year <= 2262, day <= CivilDate.dayCount(year: year, month: month) else { return nil }
    let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
    let seconds = days * 86_400 + Int64(secondOfDay - (zone ?? zoneOffsetSeconds))
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = product.addingReportingOverflow(Int64(nanosecond))
    return overflow || carry ? nil : Timestamp(nanoseconds: sum)
  }
}

/// Hours east of UTC.
private let namedZones: [(StaticString, Int)] = [
  ("UTC", 0), ("GMT", 0), ("EST", -5), ("EDT", -4), ("CST", -6), ("CDT", -5), ("MST", -7), ("MDT", -6), ("PST", -8),
  ("PDT", -7),
]
