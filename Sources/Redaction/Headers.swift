/// Headers that carry credentials, and key files.
extension SensitiveScan {
  /// `Authorization: <scheme> <credential>`; the scheme stays.
  mutating func authorization(_ value: Value) -> Int? {
    let start = value.range.lowerBound
    let limit = lineEnd(from: start, quotedEnd: value.isQuoted ? value.range.upperBound : nil)
    let scheme = start..<text.end(of: .base64URL, from: start, most: 32)
    guard text[scheme.upperBound] == 0x20, scheme.upperBound < limit else {
      return isCredential(value.range, atLeast: 8) ? hide(value.range, .token) : nil
    }
    let credential = text.end(of: .space, from: scheme.upperBound, most: 8)
    if text.equalsAnyCase(scheme, anyOf: Self.schemesOfParameters) { return parameters(in: credential..<limit) }
    guard text.equalsAnyCase(scheme, anyOf: Self.schemes) else {
      return isCredential(scheme, atLeast: 8) ? hide(scheme, .token) : nil
    }
    let end = (credential..<limit).first { text[$0].isBlank || text[$0] == UInt8(ascii: ",") } ?? limit
    guard end - credential >= 6, !isHarmless(credential..<end), !isProse(credential..<end) else { return nil }
    return hide(credential..<end, text.equalsAnyCase(scheme, "basic") ? .password : .token)
  }

  /// `Digest username="…", response="…"`: values long enough to be a proof are hidden.
  mutating func parameters(in range: Range<Int>) -> Int? {
    var index = range.lowerBound
    while index < range.upperBound {
      let isStart = text[index] == .equals || text[index] == .colon
      index += 1
      guard isStart else { continue }
      let start = text.end(of: .quotes.union("\\"), from: index, most: 4)
      let end = text.end(of: .token.union("%"), from: start)
      if end - start >= 16, end <= range.upperBound, Makeup(text, start..<end).isMixed, !isPlace(start..<end) {
        hide(start..<end, .signature)
      }
      index = max(index, end)
    }
    return range.upperBound
  }

  /// `Basic` and base64 of a name, a colon and a password; `Negotiate`, `NTLM` and `PLAIN` likewise without a header.
  mutating func scheme(_ word: Range<Int>) -> Int? {
    guard text[word.upperBound] == 0x20 else { return nil }
    let start = word.upperBound + 1
    let range = start..<text.end(of: .base64.union("=-_"), from: start)
    guard range.count >= 8 else { return nil }
    let makeup = Makeup(text, range)
    if text.equalsAnyCase(word, "basic") {
      guard makeup.isMixed || text[range.upperBound - 1] == .equals, decodesToPair(range) else { return nil }
      return hide(range, .password)
    }
    guard range.count >= 16, makeup.isMixed, makeup.upper >= 2, makeup.lower >= 2 else { return nil }
    return hide(range, .password)
  }

  /// Whether base64 stands for printable text with a colon in it.
  private func decodesToPair(_ range: Range<Int>) -> Bool {
    var bits: UInt32 = 0
    var count = 0
    var hasColon = false
    for index in range where text[index] != .equals {
      let byte = text[index]
      let digit: UInt8 =
        byte.isUpper
        ? byte - 65
        : byte.isLower ? byte - 71 : byte.isDigit ? byte + 4 : byte == UInt8(ascii: "+") || byte == .dash ? 62 : 63
      bits = bits << 6 | UInt32(digit)
      count += 6
      guard count >= 8 else { continue }
      count -= 8
      let decoded = UInt8(truncatingIfNeeded: bits >> UInt32(count))
      if decoded == .colon { hasColon = true }
      if decoded < 0x20 { return false }
    }
    return hasColon
  }

  /// `Cookie: a=…; b=…` and `Set-Cookie: a=…; HttpOnly`: values that can be a session's are hidden.
  mutating func cookies(_ value: Value) -> Int? {
    let limit = lineEnd(from: value.range.lowerBound, quotedEnd: value.isQuoted ? value.range.upperBound : nil)
    var index = value.range.lowerBound
    var isFirst = true
    while index < limit {
      let start = text.end(of: .space, from: index)
      let end = (start..<max(start, limit)).first { text[$0] == UInt8(ascii: ";") } ?? limit
      if let equals = text.first(.equals, in: start..<max(start, end)) {
        let name = start..<equals
        var content = equals + 1..<end
        if text[content.lowerBound] == .quote {
          content = content.lowerBound + 1..<max(content.lowerBound + 1, end - 1)
        }
        // Of a header without quotation marks the last value ends at a blank.
        if let blank = content.first(where: { text[$0].isBlank }) { content = content.lowerBound..<blank }
        let isNamed = names.meaning(of: name, in: text).map { $0 != .harmless } ?? false
        let makeup = Makeup(text, content)
        if !text.equalsAnyCase(name, anyOf: Self.cookieAttributes), !isHarmless(content),
          content.count >= 16 || (content.count >= 8 && makeup.isMixed) || (isNamed && content.count >= 4)
        {
          hide(content, .session)
        }
      } else if isFirst, isCredential(start..<max(start, end), atLeast: 12) {
        hide(start..<end, .session)
      }
      isFirst = false
      index = end + 1
    }
    return limit
  }

  /// The end of a header's line, or of the string that the header stands in.
  private func lineEnd(from start: Int, quotedEnd: Int?) -> Int {
    if let quotedEnd { return quotedEnd }
    let limit = min(text.count, start + Self.headerMax)
    // Parameters have quotation marks of their own, after an equals sign.
    var open: UInt8 = 0
    var index = start
    while index < limit {
      let byte = text[index]
      switch byte {
      case 0x0A, 0x0D: return index
      case .backslash where text[index + 1] == UInt8(ascii: "n") || text[index + 1] == UInt8(ascii: "r"): return index
      case .quote, UInt8(ascii: "'"):
        if open == byte {
          open = 0
        } else if open == 0, text[index - 1] == .equals {
          open = byte
        } else if open == 0 {
          return index
        }
      default: break
      }
      index += 1
    }
    return limit
  }

  /// Longer than any key in its usual form.
  private static let blockMax = 16384
  private static let headerMax = 4096

  /// A private key's block, to its last line, or as far as its base64 goes where the end is cut off.
  mutating func keyBlock(_ index: Int) -> Int? {
    guard text.starts(with: "-----BEGIN ", at: index) else { return nil }
    let head = index + 11
    guard let headEnd = text.find("-----", in: head..<min(text.count, head + 48)),
      text.find("PRIVATE KEY", in: head..<headEnd) != nil
    else { return nil }
    let body = headEnd + 5
    if let end = text.find("-----END", in: body..<min(text.count, body + Self.blockMax)) {
      let close = text.find("-----", in: min(text.count, end + 8)..<min(text.count, end + 64)) ?? end + 3
      return hide(index..<close + 5, .privateKey)
    }
    return hide(index..<text.end(of: .base64.union("=\\-: \r\n,"), from: body), .privateKey)
  }

  /// The end of a certificate or a public key, which anybody may see.
  func publicBlock(_ index: Int) -> Int? {
    guard text.starts(with: "-----BEGIN ", at: index) else { return nil }
    let head = index + 11..<min(text.count, index + 48)
    guard text.find("CERTIFICATE-----", in: head) != nil || text.find("PUBLIC KEY-----", in: head) != nil else {
      return nil
    }
    return text.find("-----END", in: head.upperBound..<min(text.count, index + Self.blockMax)).map { $0 + 5 }
  }

  private static let schemes: [StaticString] = [
    "basic", "bearer", "token", "apikey", "api-key", "key", "negotiate", "ntlm", "geniekey", "bot", "splunk", "dpop",
    "jwt", "sharedkey", "sharedkeylite", "sso-key", "discogs", "kerberos", "hoba", "vapid", "pat", "ssws",
  ]
  private static let schemesOfParameters: [StaticString] = [
    "digest", "oauth", "hawk", "aws4-hmac-sha256", "aws", "sharedaccesssignature", "signature", "mac", "hmac",
    "goog4-rsa-sha256", "tc3-hmac-sha256", "hmac-sha256", "mediabrowser", "token,",
  ]
  private static let cookieAttributes: [StaticString] = [
    "path", "domain", "expires", "max-age", "samesite", "priority", "version", "comment", "secure", "httponly",
  ]
}
