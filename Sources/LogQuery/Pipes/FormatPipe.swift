import Domain

/// `format`: text with the values of fields in it, some written another way.
enum FormatPipe {
  static func stage(
    _ pattern: String, result: String, _ writer: ResultWriter, _ filter: Filter?, next: PipeStage
  ) throws(QueryError) -> PipeStage {
    let condition = try Condition(filter)
    let text = try PlaceholderText(pattern, options: FormatOption.names)
    let parts = text.placeholders.map { (option: FormatOption(rawValue: $0.option), field: $0.field) }
    return RowStage(next: next) { row in
      guard condition.holds(for: row) else { return }
      var value = text.texts[0]
      for (index, part) in parts.enumerated() {
        if !part.field.isEmpty {
          let field = row[part.field]
          if let option = part.option { option.append(field, to: &value) } else { value += field }
        }
        value += text.texts[index + 1]
      }
      writer.write(value, to: result, in: &row)
    }
  }
}

/// What stands before the colon of a placeholder. A value that an option cannot read is written as it is.
enum FormatOption: String, CaseIterable {
  case time, duration
  case durationSeconds = "duration_seconds"
  case ipv4
  case quoted = "q"
  case uppercase = "uc"
  case lowercase = "lc"
  case urlEncode = "urlencode"
  case urlDecode = "urldecode"
  case hexEncode = "hexencode"
  case hexDecode = "hexdecode"
  case base64Encode = "base64encode"
  case base64Decode = "base64decode"
  case hexNumberEncode = "hexnumencode"
  case hexNumberDecode = "hexnumdecode"

  static let names = Set(allCases.map(\.rawValue))

  func append(_ value: [UInt8], to text: inout [UInt8]) {
    switch self {
    case .quoted: JSONText.appendString(value, to: &text)
    case .uppercase: text += String(decoding: value, as: UTF8.self).uppercased().utf8
    case .lowercase: text += String(decoding: value, as: UTF8.self).lowercased().utf8
    case .hexEncode: for byte in value { FormatOption.appendHex(byte, to: &text) }
    case .base64Encode: FormatOption.appendBase64(value, to: &text)
    case .urlEncode:
      for byte in value {
        if FormatOption.isURLSafe(byte) {
          text.append(byte)
        } else {
          text.append(UInt8(ascii: "%"))
          FormatOption.appendHex(byte, to: &text)
        }
      }
    default: text += converted(value) ?? value
    }
  }

  private func converted(_ value: [UInt8]) -> [UInt8]? {
    value.withUnsafeBufferPointer { bytes in
      switch self {
      case .time: FormatOption.time(bytes)
      case .duration: FormatOption.number(bytes).flatMap { Int64(exactly: $0.rounded()) }.map(NumberText.duration)
      case .durationSeconds: FormatOption.number(bytes).map { NumberText.number($0 / 1e9) }
      case .ipv4: FieldNumber.plain(bytes).flatMap { UInt32(exactly: $0) }.map(NumberText.ipv4)
      case .hexNumberEncode: FormatOption.hexNumber(bytes)
      case .hexNumberDecode: FormatOption.decimal(ofHex: bytes)
      case .urlDecode: FormatOption.urlDecoded(bytes)
      case .hexDecode: FormatOption.hexDecoded(bytes)
      case .base64Decode: FormatOption.base64Decoded(bytes)
      case .quoted, .uppercase, .lowercase, .hexEncode, .base64Encode, .urlEncode: nil
      }
    }
  }

  /// Nanoseconds as a number, or a duration with units.
  private static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    FieldNumber.plain(bytes) ?? FieldNumber.duration(bytes).map(Double.init)
  }

  /// Unix time in seconds, milliseconds, microseconds or nanoseconds: told by its size, as each fits only one of them
  /// for the years 1970 to 2262.
  private static func time(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard let number = FieldNumber.plain(bytes) else { return nil }
    let unit: Double =
      switch number.magnitude {
      case ..<9.3e9: 1e9
      case ..<9.3e12: 1e6
      case ..<9.3e15: 1e3
      default: 1
      }
    let nanoseconds: Int64
    if let whole = Int64(String(decoding: bytes, as: UTF8.self)) {
      let (product, overflow) = whole.multipliedReportingOverflow(by: Int64(unit))
      if overflow { return nil }
      nanoseconds = product
    } else {
      // The fraction apart, or its last digits drown in the seconds.
      let whole = number.rounded(.down)
      guard let product = Int64(exactly: (whole * unit).rounded()) else { return nil }
      let fraction = Int64(((number - whole) * unit).rounded())
      let (sum, overflow) = product.addingReportingOverflow(fraction)
      if overflow { return nil }
      nanoseconds = sum
    }
    return NumberText.time(Timestamp(nanoseconds: nanoseconds))
  }

  // MARK: Hexadecimal

  private static let hexDigits = Array("0123456789ABCDEF".utf8)

  private static func appendHex(_ byte: UInt8, to text: inout [UInt8]) {
    text.append(hexDigits[Int(byte >> 4)])
    text.append(hexDigits[Int(byte & 15)])
  }

  private static func hexNumber(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard let number = UInt64(String(decoding: bytes, as: UTF8.self)) else { return nil }
    var text: [UInt8] = []
    for shift in stride(from: 56, through: 0, by: -8) {
      appendHex(UInt8(truncatingIfNeeded: number >> UInt64(shift)), to: &text)
    }
    return text
  }

  private static func decimal(ofHex bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var digits = String(decoding: bytes, as: UTF8.self)
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") { digits.removeFirst(2) }
    guard digits.utf8.allSatisfy({ QuotedText.hexDigit($0) != nil }) else { return nil }
    return UInt64(digits, radix: 16).map { Array(String($0).utf8) }
  }

  private static func hexDecoded(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard bytes.count % 2 == 0 else { return nil }
    var decoded: [UInt8] = []
    for index in stride(from: 0, to: bytes.count, by: 2) {
      guard let high = QuotedText.hexDigit(bytes[index]), let low = QuotedText.hexDigit(bytes[index + 1]) else {
        return nil
      }
      decoded.append(high << 4 | low)
    }
    return decoded
  }

  // MARK: URL and base64

  private static func isURLSafe(_ byte: UInt8) -> Bool {
    FieldNumber.isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: ".")
      || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
  }

  private static func urlDecoded(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var decoded: [UInt8] = []
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "%"):
        guard index + 2 < bytes.count, let high = QuotedText.hexDigit(bytes[index + 1]),
          let low = QuotedText.hexDigit(bytes[index + 2])
        else { return nil }
        decoded.append(high << 4 | low)
        index += 3
      case UInt8(ascii: "+"):
        decoded.append(0x20)
        index += 1
      default:
        decoded.append(bytes[index])
        index += 1
      }
    }
    return decoded
  }

  private static let base64Digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static func appendBase64(_ value: [UInt8], to text: inout [UInt8]) {
    for start in stride(from: 0, to: value.count, by: 3) {
      let group = value[start..<min(start + 3, value.count)]
      let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
      for digit in 0..<4 {
        text.append(
          digit <= group.count ? base64Digits[Int(bits >> UInt32(18 - 6 * digit) & 63)] : UInt8(ascii: "="))
      }
    }
  }

  private static func base64Decoded(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var decoded: [UInt8] = []
    var bits: UInt32 = 0
    var bitCount = 0
    var end = bytes.count
    while end > 0, bytes.count - end < 2, bytes[end - 1] == UInt8(ascii: "=") { end -= 1 }
    for byte in bytes[..<end] {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0") + 52
      case UInt8(ascii: "+"), UInt8(ascii: "-"): digit = 62
      case UInt8(ascii: "/"), UInt8(ascii: "_"): digit = 63
      default: return nil
      }
      bits = bits << 6 | UInt32(digit)
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        decoded.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
        bits &= 1 << UInt32(bitCount) - 1
      }
    }
    // One digit alone holds no byte.
    return bitCount == 6 ? nil : decoded
  }
}
