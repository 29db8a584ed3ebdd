/// Quoted text as programs write it into logs: `"…"` and `'…'` with escapes of JSON and Go, and `` `…` `` without any.
enum QuotedText {
  /// The text without quotes and escapes, and where it ends; nil if no whole quoted text begins at `start`.
  static func read(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> (value: [UInt8], end: Int)? {
    guard start < bytes.count else { return nil }
    let quote = bytes[start]
    guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") || quote == UInt8(ascii: "`") else { return nil }
    var value: [UInt8] = []
    var index = start + 1
    while index < bytes.count {
      let byte = bytes[index]
      if byte == quote { return (value, index + 1) }
      if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") {
        guard let next = unescape(bytes, at: index, to: &value) else { return nil }
        index = next
      } else {
        value.append(byte)
        index += 1
      }
    }
    return nil
  }

  /// Reads the escape at `index`; nil if it is none.
  static func unescape(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int, to value: inout [UInt8]) -> Int? {
    guard index + 1 < bytes.count else { return nil }
    switch bytes[index + 1] {
    case UInt8(ascii: "n"): value.append(0x0A)
    case UInt8(ascii: "t"): value.append(0x09)
    case UInt8(ascii: "r"): value.append(0x0D)
    case UInt8(ascii: "b"): value.append(0x08)
    case UInt8(ascii: "f"): value.append(0x0C)
    case UInt8(ascii: "a"): value.append(0x07)
    case UInt8(ascii: "v"): value.append(0x0B)
    case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "/"), UInt8(ascii: "`"):
      value.append(bytes[index + 1])
    case UInt8(ascii: "x"):
      guard let code = hex(bytes, at: index + 2, count: 2) else { return nil }
      value.append(UInt8(code))
      return index + 4
    case UInt8(ascii: "U"):
      guard let code = hex(bytes, at: index + 2, count: 8) else { return nil }
      append(code, to: &value)
      return index + 10
    case UInt8(ascii: "u"):
      guard let code = hex(bytes, at: index + 2, count: 4) else { return nil }
      if code & 0xFC00 == 0xD800, index + 7 < bytes.count, bytes[index + 6] == UInt8(ascii: "\\"),
        bytes[index + 7] == UInt8(ascii: "u"), let low = hex(bytes, at: index + 8, count: 4), low & 0xFC00 == 0xDC00
      {
        append(0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF), to: &value)
        return index + 12
      }
      append(code, to: &value)
      return index + 6
    default: return nil
    }
    return index + 2
  }

  /// A number that is no scalar becomes U+FFFD.
  private static func append(_ code: UInt32, to value: inout [UInt8]) {
    value.append(contentsOf: String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
  }

  private static func hex(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int, count: Int) -> UInt32? {
    guard start + count <= bytes.count else { return nil }
    var code: UInt32 = 0
    for byte in bytes[start..<start + count] {
      guard let digit = hexDigit(byte) else { return nil }
      code = code << 4 | UInt32(digit)
    }
    return code
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
