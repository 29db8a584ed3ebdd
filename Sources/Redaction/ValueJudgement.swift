/// Whether a value can be what its name says.
extension SensitiveScan {
  /// Nothing to hide: empty, a placeholder, a variable, a word that says how it went.
  func isHarmless(_ range: Range<Int>) -> Bool {
    let count = range.count
    guard count > 0 else { return true }
    let (first, last) = (text[range.lowerBound], text[range.upperBound - 1])
    if count <= 16, text.equalsAnyCase(range, anyOf: Self.wordsOfState) { return true }
    switch first {
    case UInt8(ascii: "<"): if last == UInt8(ascii: ">") || isPlaceholder(at: range.lowerBound) { return true }
    case UInt8(ascii: "["): if last == UInt8(ascii: "]") { return true }
    case UInt8(ascii: "{"): if last == UInt8(ascii: "}") { return true }
    case UInt8(ascii: "$"):
      // ${NAME}, $(command), $NAME: what stands there is not the value. "$2b$" begins a hash.
      let second = text[range.lowerBound + 1]
      if second == UInt8(ascii: "{") || second == UInt8(ascii: "(") { return true }
      if second.isUpper || second == UInt8(ascii: "_"),
        text.end(of: Self.variable, from: range.lowerBound + 1) >= range.upperBound
      {
        return true
      }
    case UInt8(ascii: "%"):
      if count <= 3 || text[range.lowerBound + 1] == UInt8(ascii: "(") { return true }
    default: break
    }
    // ****, xxxx, ....
    guard !first.isDigit, range.allSatisfy({ text[$0] == first || Self.masks.contains(text[$0]) }) else { return false }
    return Self.masks.contains(first) || first | 0x20 == UInt8(ascii: "x")
  }

  /// `<PASSWORD_1>`: hidden before.
  private func isPlaceholder(at start: Int) -> Bool {
    let label = text.end(of: Self.variable, from: start + 1, most: 24)
    return label > start + 3 && text[label] == UInt8(ascii: ">") && text[label - 1].isDigit
  }

  /// The rest of a sentence: a plain word with a plain word after it.
  func isProse(_ range: Range<Int>) -> Bool {
    guard range.dropFirst().allSatisfy({ text[$0].isLower }), text[range.lowerBound].isLetter else { return false }
    guard text[range.upperBound] == 0x20, text[range.upperBound + 1].isLetter || text[range.upperBound + 1] == 0x28
    else { return false }
    let next = text.end(of: .name, from: range.upperBound + 1)
    return text[next] != .equals && text[next] != .colon
  }

  /// A key or token: letters and digits mixed, or long; not a path, a file, a time or an address of the web.
  func isCredential(_ range: Range<Int>, atLeast minimum: Int) -> Bool {
    guard range.count >= minimum, !isHarmless(range) else { return false }
    let makeup = Makeup(text, range)
    guard makeup.blanks == 0 else { return false }
    if makeup.letters == 0 { return makeup.digits >= 12 && makeup.others == 0 }
    if isPlace(range) || isTime(range) { return false }
    return makeup.isMixed || makeup.count >= 24 && makeup.others * 4 < makeup.count
  }

  /// A path, an address of the web, or a file by its name.
  func isPlace(_ range: Range<Int>) -> Bool {
    if text.find("://", in: range.lowerBound..<min(range.upperBound, range.lowerBound + 12)) != nil { return true }
    let first = text[range.lowerBound]
    // Base64 can begin with a stroke too.
    if first == .slash { return !Makeup(text, range).isRandom }
    if (first == .dot && text[range.lowerBound + 1] == .slash)
      || (first == UInt8(ascii: "~") && text[range.lowerBound + 1] == .slash)
    {
      return true
    }
    guard let dot = text.last(.dot, in: range), (2...5).contains(range.upperBound - dot - 1) else { return false }
    return text.equalsAnyCase((dot + 1)..<range.upperBound, anyOf: Self.fileEndings)
  }

  /// `2026-01-02…` or `03:04:05`
  func isTime(_ range: Range<Int>) -> Bool {
    let start = range.lowerBound
    let isDate = (0..<4).allSatisfy { text[start + $0].isDigit } && text[start + 4] == .dash && text[start + 5].isDigit
    let isHour = text[start].isDigit && text[start + 1].isDigit && text[start + 2] == .colon && text[start + 3].isDigit
    return (isDate && range.count >= 8 && text[start + 7] == .dash) || isHour
  }

  /// A name of something in a cluster or a store: small letters and digits between dashes, dots, colons, strokes.
  func isName(_ range: Range<Int>) -> Bool {
    var hasSeparator = false
    for index in range {
      let byte = text[index]
      if Self.separators.contains(byte) { hasSeparator = true } else if !byte.isLower && !byte.isDigit { return false }
    }
    return hasSeparator
  }

  /// 8-4-4-4-12 hexadecimal digits.
  func isUUID(_ range: Range<Int>) -> Bool {
    guard range.count == 36 else { return false }
    for (offset, index) in range.enumerated() {
      let isDash = offset == 8 || offset == 13 || offset == 18 || offset == 23
      if isDash ? text[index] != .dash : !text[index].isHex { return false }
    }
    return true
  }

  private static let masks = ByteSet("*.#-_?").union("xX")
  private static let variable = ByteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
  private static let separators = ByteSet("-./:_")
  private static let wordsOfState: [StaticString] = [
    "null", "nil", "none", "undefined", "true", "false", "yes", "no", "redacted", "masked", "hidden", "removed",
    "filtered", "unset", "empty", "missing", "required", "invalid", "incorrect", "expired", "wrong", "unchanged",
    "changed", "failed", "mismatch", "ok", "string", "str", "text", "bytes", "object", "boolean", "varchar", "n/a",
    "unknown", "not", "is", "was", "must", "too", "cannot", "disabled", "enabled", "optional", "default", "revoked",
    "rejected", "denied", "valid", "present", "absent", "rotated", "updated", "generated", "refreshed", "accepted",
  ]
  private static let fileEndings: [StaticString] = [
    "pem", "key", "crt", "cer", "json", "yaml", "yml", "txt", "conf", "toml", "go", "js", "ts", "py", "java", "rb",
    "html", "php", "xml", "jks", "p12", "pfx", "pub", "env", "log", "rs", "cpp", "swift", "ini", "csv", "proto",
  ]
}
