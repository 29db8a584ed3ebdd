package import Domain

/// Reads the numbers people write in logs and queries. All of them take the whole text or nothing.
package enum FieldNumber {
  /// Plain numbers, durations (`1.5s`, in nanoseconds), sizes (`10KiB`, in bytes), RFC 3339 times (nanoseconds since
  /// 1970) and IPv4 addresses (as 32-bit numbers): the value that ranges, `sort` and `math` work on. Nil if it is
  /// none of them.
  package static func value(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    guard let first = bytes.first, bytes.count <= 64 else { return nil }
    // Every form starts with a digit, a sign or a point.
    guard isDigit(first) || first == UInt8(ascii: "-") || first == UInt8(ascii: "+") || first == UInt8(ascii: ".")
    else {
      return nil
    }
    if let number = plain(bytes) { return number }
    if let nanoseconds = duration(bytes) { return Double(nanoseconds) }
    if let count = byteCount(bytes) { return count }
    if let time = timestamp(bytes) { return Double(time.nanoseconds) }
    if let address = ipv4(bytes) { return Double(address) }
    return radixInteger(bytes)
  }

  /// A plain decimal number, with sign, fraction and exponent.
  package static func plain(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    var index = 0
    let count = bytes.count
    var negative = false
    if index < count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
      negative = bytes[index] == UInt8(ascii: "-")
      index += 1
    }
    var mantissa: UInt64 = 0
    var digits = 0
    var fractionDigits = 0
    var sawDigit = false
    var sawPoint = false
    var exponentAt = -1
    while index < count {
      let byte = bytes[index]
      if isDigit(byte) {
        sawDigit = true
        if digits > 0 || byte != UInt8(ascii: "0") { digits += 1 }
        if digits <= 18 { mantissa = mantissa * 10 + UInt64(byte - UInt8(ascii: "0")) }
        if sawPoint { fractionDigits += 1 }
      } else if byte == UInt8(ascii: "."), !sawPoint {
        sawPoint = true
      } else if byte | 0x20 == UInt8(ascii: "e"), sawDigit, exponentAt < 0 {
        exponentAt = index
        break
      } else {
        return nil
      }
      index += 1
    }
    guard sawDigit else { return nil }
    if exponentAt < 0, digits <= 15, fractionDigits < powersOfTen.count {
      // Both numbers are exact, so one correctly rounded division is too.
      let magnitude = Double(mantissa) / powersOfTen[fractionDigits]
      return negative ? -magnitude : magnitude
    }
    if exponentAt >= 0 {
      var rest = exponentAt + 1
      if rest < count, bytes[rest] == UInt8(ascii: "-") || bytes[rest] == UInt8(ascii: "+") { rest += 1 }
      guard rest < count, bytes[rest...].allSatisfy(isDigit) else { return nil }
    }
    guard count <= 512, let number = Double(String(decoding: bytes, as: UTF8.self)), number.isFinite else { return nil }
    return number
  }

  /// `1h5m`, `-1.5ms`: nanoseconds. Units: ns, us or µs, ms, s, m, h, d, w, y (365 days).
  package static func duration(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var total = 0.0
    guard
      let negative = sumOfUnits(
        bytes,
        { number, unit in
          guard let factor = nanoseconds(ofUnit: unit) else { return false }
          total += number * factor
          return true
        })
    else { return nil }
    let signed = negative ? -total : total
    guard signed.magnitude < 9.2e18 else { return nil }
    return Int64(signed.rounded())
  }

  /// `10KB`, `1.5MiB`: bytes. `K` and `KB` are 1000, `Ki` and `KiB` 1024.
  package static func byteCount(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    var total = 0.0
    guard
      let negative = sumOfUnits(
        bytes,
        { number, unit in
          guard let factor = byteFactor(ofUnit: unit) else { return false }
          total += number * factor
          return true
        })
    else { return nil }
    return negative ? -total : total
  }

  /// Four decimal numbers of at most 255.
  package static func ipv4(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32? {
    guard bytes.count >= 7, bytes.count <= 15 else { return nil }
    var address: UInt32 = 0
    var part: UInt32 = 0
    var digits = 0
    var parts = 0
    for byte in bytes {
      if byte == UInt8(ascii: ".") {
        guard digits > 0, parts < 3 else { return nil }
        address = address << 8 | part
        parts += 1
        part = 0
        digits = 0
      } else {
        guard isDigit(byte), digits < 3 else { return nil }
        part = part * 10 + UInt32(byte - UInt8(ascii: "0"))
        digits += 1
        guard part <= 255 else { return nil }
      }
    }
    guard parts == 3, digits > 0 else { return nil }
    return address << 8 | part
  }

  /// RFC 3339, down to nanoseconds; a space may stand for the `T`.
  package static func timestamp(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
    guard bytes.count >= 20, let period = TimePeriod(bytes),
      period.precision == .second || period.precision == .fraction,
      period.hasZone
    else { return nil }
    return period.range.start
  }

  // MARK: -

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  private static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]

  /// Reads `[sign] (number unit)+`; `add` says whether it knows the unit. Nil if the text has another form; else
  /// whether a minus led.
  private static func sumOfUnits(
    _ bytes: UnsafeBufferPointer<UInt8>, _ add: (Double, Slice<UnsafeBufferPointer<UInt8>>) -> Bool
  ) -> Bool? {
    var index = 0
    var negative = false
    if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      negative = first == UInt8(ascii: "-")
      index = 1
    }
    guard index < bytes.count, bytes.count <= 64 else { return nil }
    while index < bytes.count {
      let start = index
      while index < bytes.count, isDigit(bytes[index]) || bytes[index] == UInt8(ascii: ".") { index += 1 }
      guard index > start, let number = plain(UnsafeBufferPointer(rebasing: bytes[start..<index])) else { return nil }
      let unitStart = index
      while index < bytes.count, !isDigit(bytes[index]), bytes[index] != UInt8(ascii: ".") { index += 1 }
      guard index > unitStart, add(number, bytes[unitStart..<index]) else { return nil }
    }
    return negative
  }

  private static func nanoseconds(ofUnit unit: Slice<UnsafeBufferPointer<UInt8>>) -> Double? {
    let first = unit[unit.startIndex]
    switch unit.count {
    case 1:
      switch first {
      case UInt8(ascii: "s"): return 1e9
      case UInt8(ascii: "m"): return 60e9
      case UInt8(ascii: "h"): return 3600e9
      case UInt8(ascii: "d"): return 86_400e9
      case UInt8(ascii: "w"): return 7 * 86_400e9
      case UInt8(ascii: "y"): return 365 * 86_400e9
      default: return nil
      }
    case 2 where unit[unit.startIndex + 1] == UInt8(ascii: "s"):
      switch first {
      case UInt8(ascii: "n"): return 1
      case UInt8(ascii: "u"): return 1e3
      case UInt8(ascii: "m"): return 1e6
      default: return nil
      }
    case 3:
      // The micro sign and the Greek letter mu.
      let second = unit[unit.startIndex + 1]
      let isMicro = first == 0xC2 && second == 0xB5 || first == 0xCE && second == 0xBC
      return isMicro && unit[unit.startIndex + 2] == UInt8(ascii: "s") ? 1e3 : nil
    default: return nil
    }
  }

  private static func byteFactor(ofUnit unit: Slice<UnsafeBufferPointer<UInt8>>) -> Double? {
    var letters = Array(unit)
    let power: Int
    switch letters[0] {
    case UInt8(ascii: "B"): return letters.count == 1 ? 1 : nil
    case UInt8(ascii: "K"), UInt8(ascii: "k"): power = 1
    case UInt8(ascii: "M"): power = 2
    case UInt8(ascii: "G"): power = 3
    case UInt8(ascii: "T"): power = 4
    case UInt8(ascii: "P"): power = 5
    default: return nil
    }
    letters.removeFirst()
    var base = 1000.0
    if letters.first == UInt8(ascii: "i") {
      base = 1024
      letters.removeFirst()
    }
    if letters.first == UInt8(ascii: "B") { letters.removeFirst() }
    guard letters.isEmpty else { return nil }
    return (0..<power).reduce(1.0) { product, _ in product * base }
  }

  /// `0xff`, `0b101`, `0o17`, and decimal digits grouped with `_`.
  static func radixInteger(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    guard bytes.count > 1, bytes.count <= 40, isDigit(bytes[0]) else { return nil }
    var radix: UInt64 = 10
    var start = 0
    if bytes[0] == UInt8(ascii: "0"), bytes.count > 2 {
      switch bytes[1] | 0x20 {
      case UInt8(ascii: "x"): (radix, start) = (16, 2)
      case UInt8(ascii: "b"): (radix, start) = (2, 2)
      case UInt8(ascii: "o"): (radix, start) = (8, 2)
      default: break
      }
    }
    var value: UInt64 = 0
    for byte in bytes[start...] {
      if byte == UInt8(ascii: "_") { continue }
      guard let digit = hexDigit(byte), UInt64(digit) < radix else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: radix)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      guard !overflow, !carry else { return nil }
      value = sum
    }
    return Double(value)
  }

  static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

extension FieldNumber {
  /// Calls `read` with the bytes of `text`.
  static func reading<Value>(_ text: String, _ read: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
    Array(text.utf8).withUnsafeBufferPointer(read)
  }
}

/// An absolute time as a query writes it, with the period it covers: `2024Z`, `2024-01-02`,
/// `2024-01-02T10:20:30.5+02:00`, or a Unix time in seconds, milliseconds, microseconds or nanoseconds. Without a
/// zone it is UTC.
struct TimePeriod {
  enum Precision { case year, month, day, hour, minute, second, fraction }
  var range: TimeRange
  var precision: Precision
  var hasZone: Bool

  init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    var reader = Reader(bytes: bytes)
    guard let year = reader.digits(4) else { return nil }
    var date = CivilDate(year: year, month: 1, day: 1)
    var clock = (hour: 0, minute: 0, second: 0)
    var fraction: Int64 = 0
    var fractionUnit: Int64 = 1
    precision = .year
    // A `-hh:mm` zone may stand after any part, so a part is only taken if what follows is not `:`.
    if reader.isDashPart, let month = reader.part("-", 1...12) {
      date.month = month
      precision = .month
      if reader.isDashPart, let day = reader.part("-", 1...CivilDate.dayCount(year: year, month: month)) {
        date.day = day
        precision = .day
        if reader.peek == UInt8(ascii: "T") || reader.peek == UInt8(ascii: " ") || reader.peek == UInt8(ascii: "t") {
          reader.index += 1
          guard let hour = reader.digits(2), hour < 24 else { return nil }
          clock.hour = hour
          precision = .hour
          if reader.peek == UInt8(ascii: ":") {
            guard let minute = reader.part(":", 0...59) else { return nil }
            clock.minute = minute
            precision = .minute
            if reader.peek == UInt8(ascii: ":") {
              guard let second = reader.part(":", 0...60) else { return nil }
              clock.second = second
              precision = .second
              if reader.peek == UInt8(ascii: ".") || reader.peek == UInt8(ascii: ",") {
                reader.index += 1
                guard let (value, digits) = reader.fraction() else { return nil }
                precision = .fraction
                fraction = value
                for _ in digits..<9 { fractionUnit *= 10 }
                fraction *= fractionUnit
              }
            }
          }
        }
      }
    }
    var offset: Int64 = 0
    hasZone = false
    if let sign = reader.peek {
      hasZone = true
      reader.index += 1
      switch sign {
      case UInt8(ascii: "Z"), UInt8(ascii: "z"): break
      case UInt8(ascii: "+"), UInt8(ascii: "-"):
        guard let hours = reader.digits(2), hours < 24 else { return nil }
        if reader.peek == UInt8(ascii: ":") { reader.index += 1 }
        guard let minutes = reader.digits(2), minutes < 60 else { return nil }
        offset = Int64(hours * 3600 + minutes * 60)
        if sign == UInt8(ascii: "-") { offset = -offset }
      default: return nil
      }
      guard reader.index == bytes.count else { return nil }
    }
    let seconds = date.daysSinceEpoch * 86_400 + Int64(clock.hour * 3600 + clock.minute * 60 + clock.second) - offset
    let start = Timestamp(seconds: seconds).advanced(byNanoseconds: fraction)
    let end: Timestamp
    switch precision {
    case .year: end = Timestamp(seconds: CivilDate(year: year + 1, month: 1, day: 1).daysSinceEpoch * 86_400 - offset)
    case .month:
      let next =
        date.month == 12
        ? CivilDate(year: year + 1, month: 1, day: 1) : CivilDate(year: year, month: date.month + 1, day: 1)
      end = Timestamp(seconds: next.daysSinceEpoch * 86_400 - offset)
    case .day: end = Timestamp(seconds: seconds + 86_400)
    case .hour: end = Timestamp(seconds: seconds + 3600)
    case .minute: end = Timestamp(seconds: seconds + 60)
    case .second: end = Timestamp(seconds: seconds + 1)
    case .fraction: end = start.advanced(byNanoseconds: fractionUnit)
    }
    range = TimeRange(start: start, end: end)
  }

  private struct Reader {
    let bytes: UnsafeBufferPointer<UInt8>
    var index = 0

    var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    /// `-12` and not `-12:00`, which is a zone, nor `-1200`.
    var isDashPart: Bool {
      guard peek == UInt8(ascii: "-"), index + 2 < bytes.count else { return false }
      guard index + 3 < bytes.count else { return true }
      return bytes[index + 3] != UInt8(ascii: ":") && !FieldNumber.isDigit(bytes[index + 3])
    }

    mutating func digits(_ count: Int) -> Int? {
      guard index + count <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[index..<index + count] {
        guard FieldNumber.isDigit(byte) else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
      }
      index += count
      return value
    }

    mutating func part(_ separator: Unicode.Scalar, _ bounds: ClosedRange<Int>) -> Int? {
      let start = index
      guard peek == UInt8(ascii: separator) else { return nil }
      index += 1
      if let value = digits(2), bounds.contains(value) { return value }
      index = start
      return nil
    }

    /// Up to nine digits count; more are read over.
    mutating func fraction() -> (value: Int64, digits: Int)? {
      var value: Int64 = 0
      var digits = 0
      while let byte = peek, FieldNumber.isDigit(byte) {
        if digits < 9 {
          value = value * 10 + Int64(byte - UInt8(ascii: "0"))
          digits += 1
        }
        index += 1
      }
      return digits > 0 ? (value, digits) : nil
    }
  }
}
