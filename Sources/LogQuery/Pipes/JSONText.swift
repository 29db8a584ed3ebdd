/// Writes JSON from bytes of any kind: what is no UTF-8 becomes U+FFFD.
enum JSONText {
  static func appendString(_ value: [UInt8], to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    if value.allSatisfy({ $0 >= 0x20 && $0 < 0x80 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      text += value
    } else if String(validating: value, as: UTF8.self) != nil {
      appendEscaped(value, to: &text)
    } else {
      appendEscaped(Array(String(decoding: value, as: UTF8.self).utf8), to: &text)
    }
    text.append(UInt8(ascii: "\""))
  }

  /// An object of strings; empty values are left out.
  static func appendObject(_ fields: [(name: String, value: [UInt8])], to text: inout [UInt8]) {
    text.append(UInt8(ascii: "{"))
    var isFirst = true
    for (name, value) in fields where !value.isEmpty {
      if !isFirst { text.append(UInt8(ascii: ",")) }
      isFirst = false
      appendString(Array(name.utf8), to: &text)
      text.append(UInt8(ascii: ":"))
      appendString(value, to: &text)
    }
    text.append(UInt8(ascii: "}"))
  }

  static func stringArray(_ values: some Sequence<[UInt8]>) -> [UInt8] {
    var text: [UInt8] = [UInt8(ascii: "[")]
    for value in values {
      if text.count > 1 { text.append(UInt8(ascii: ",")) }
      appendString(value, to: &text)
    }
    text.append(UInt8(ascii: "]"))
    return text
  }

  private static func appendEscaped(_ value: [UInt8], to text: inout [UInt8]) {
    let hex = Array("0123456789abcdef".utf8)
    for byte in value {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
      case UInt8(ascii: "\n"): text += "\\n".utf8
      case UInt8(ascii: "\r"): text += "\\r".utf8
      case UInt8(ascii: "\t"): text += "\\t".utf8
      case 0..<0x20: text += Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      default: text.append(byte)
      }
    }
  }
}
