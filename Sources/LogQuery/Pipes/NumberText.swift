import Domain

/// Numbers as pipes write them.
enum NumberText {
  static func integer(_ value: Int) -> [UInt8] {
    var text: [UInt8] = []
    text.appendDecimal(value)
    return text
  }

  /// The shortest text that reads back as `value`: integers without a point, no exponent, `NaN`, `+Inf`, `-Inf`.
  static func number(_ value: Double) -> [UInt8] {
    if value.isNaN { return Array("NaN".utf8) }
    if value.isInfinite { return Array((value < 0 ? "-Inf" : "+Inf").utf8) }
    if value.magnitude < 0x1p53, value.rounded(.towardZero) == value { return integer(Int(value)) }
    let text = Array(value.description.utf8)
    guard let exponentAt = text.firstIndex(of: UInt8(ascii: "e")) else {
      return text.suffix(2).elementsEqual(".0".utf8) ? text.dropLast(2) : text
    }
    return withoutExponent(text[..<exponentAt], Int(String(decoding: text[(exponentAt + 1)...], as: UTF8.self)) ?? 0)
  }

  private static func withoutExponent(_ mantissa: ArraySlice<UInt8>, _ exponent: Int) -> [UInt8] {
    var text: [UInt8] = mantissa.first == UInt8(ascii: "-") ? [UInt8(ascii: "-")] : []
    let unsigned = mantissa.drop { $0 == UInt8(ascii: "-") }
    let whole = unsigned.prefix { $0 != UInt8(ascii: ".") }
    var digits = Array(whole) + unsigned.dropFirst(whole.count + 1)
    while digits.count > whole.count, digits.last == UInt8(ascii: "0") { digits.removeLast() }
    let pointAt = whole.count + exponent
    let zero = UInt8(ascii: "0")
    if pointAt <= 0 {
      text += [zero, UInt8(ascii: ".")] + [UInt8](repeating: zero, count: -pointAt) + digits
    } else if pointAt >= digits.count {
      text += digits + [UInt8](repeating: zero, count: pointAt - digits.count)
    } else {
      text += digits[..<pointAt] + [UInt8(ascii: ".")] + digits[pointAt...]
    }
    return text
  }

  /// `1w2d3h4m5.6s`, `7ms8µs9ns`: reads back as the same number of nanoseconds.
  static func duration(_ nanoseconds: Int64) -> [UInt8] {
    if nanoseconds == 0 { return [UInt8(ascii: "0")] }
    var text: [UInt8] = nanoseconds < 0 ? [UInt8(ascii: "-")] : []
    var rest = nanoseconds.magnitude
    func take(_ unit: UInt64, _ name: String) {
      guard rest >= unit else { return }
      text.appendDecimal(Int(rest / unit))
      text += name.utf8
      rest %= unit
    }
    take(604_800_000_000_000, "w")
    take(86_400_000_000_000, "d")
    take(3_600_000_000_000, "h")
    take(60_000_000_000, "m")
    if rest >= 1_000_000_000 {
      text.appendDecimal(Int(rest / 1_000_000_000))
      appendFraction(rest % 1_000_000_000, to: &text)
      text.append(UInt8(ascii: "s"))
      return text
    }
    take(1_000_000, "ms")
    take(1000, "µs")
    take(1, "ns")
    return text
  }

  private static func appendFraction(_ nanoseconds: UInt64, to text: inout [UInt8]) {
    var fraction = nanoseconds
    if fraction == 0 { return }
    var width = 9
    while fraction % 10 == 0 {
      fraction /= 10
      width -= 1
    }
    text.append(UInt8(ascii: "."))
    text.appendDecimal(Int(fraction), width: width)
  }

  /// RFC 3339; nil for the first second that a `Timestamp` reaches, in the year 1677, where times saturate.
  static func time(_ time: Timestamp) -> [UInt8]? {
    guard time.nanoseconds >= Int64.min + 1_000_000_000 else { return nil }
    var text: [UInt8] = []
    time.appendRFC3339(to: &text)
    return text
  }

  static func ipv4(_ address: UInt32) -> [UInt8] {
    var text: [UInt8] = []
    for shift in [24, 16, 8, 0] as [UInt32] {
      if shift < 24 { text.append(UInt8(ascii: ".")) }
      text.appendDecimal(Int(address >> shift & 0xFF))
    }
    return text
  }

  /// As C's `%.3e`; `value` is positive and normal.
  static func scientific(_ value: Double) -> [UInt8] {
    var exponent = 0
    var scaled = value
    while scaled >= 10 {
      scaled /= 10
      exponent += 1
    }
    while scaled < 1 {
      scaled *= 10
      exponent -= 1
    }
    var thousandths = Int((scaled * 1000).rounded(.toNearestOrEven))
    if thousandths >= 10_000 {
      thousandths /= 10
      exponent += 1
    }
    var text: [UInt8] = []
    text.appendDecimal(thousandths / 1000)
    text.append(UInt8(ascii: "."))
    text.appendDecimal(thousandths % 1000, width: 3)
    text += exponent < 0 ? "e-".utf8 : "e+".utf8
    text.appendDecimal(abs(exponent), width: 2)
    return text
  }
}
