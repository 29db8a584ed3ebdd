/// Tokens known by their build and not by letters in front, and long runs that were drawn at random.
extension SensitiveScan {
  mutating func structured(_ range: Range<Int>) -> Int? {
    let (start, end) = (range.lowerBound, range.upperBound)
    if text.starts(with: "eyJ", at: start) { return webToken(start) }
    let first = text.base[start]
    if first.isUpper, text[start + 1].isUpper, text[start + 2].isDigit, text[start + 3].isDigit,
      let end = internationalAccount(range)
    {
      return hide(start..<end, .bankAccount)
    }
    switch text[end] {
    case .colon:
      if text.starts(with: "APA91b", at: end + 1) {
        let start = text.start(of: .base64URL, to: start, most: 16)
        return hide(start..<text.end(of: .base64URL, from: end + 1), .apiKey)
      }
      // A messenger's robot: eight to ten digits, a colon, 35 bytes.
      let digits = text.startsAnyCase(with: "bot", at: start) ? start + 3 : start
      guard (8...10).contains(end - digits), (digits..<end).allSatisfy({ text[$0].isDigit }) else { return nil }
      let body = text.end(of: .base64URL, from: end + 1)
      let makeup = Makeup(text, end + 1..<max(body, end + 1))
      guard (33...40).contains(makeup.count), makeup.upper > 2, makeup.lower > 2 else { return nil }
      return hide(digits..<body, .token)
    case .dot:
      if range.count == 14, text.starts(with: ".atlasv1.", at: end) {
        return hide(start..<text.end(of: .base64URL, from: end + 9), .token)
      }
      if range.count == 17, text.starts(with: "pat", at: start) {
        let body = text.end(of: .hex, from: end + 1)
        if body - end - 1 == 64 { return hide(start..<body, .token) }
      }
      // A chat robot: an id, a time, a proof.
      guard (23...28).contains(range.count), Makeup(text, range).isMixed else { return nil }
      let second = text.end(of: .base64URL, from: end + 1)
      guard (6...7).contains(second - end - 1), text[second] == .dot else { return nil }
      let third = text.end(of: .base64URL, from: second + 1)
      guard (27...40).contains(third - second - 1) else { return nil }
      return hide(start..<third, .token)
    case UInt8(ascii: "~"):
      // A directory's client secret: three letters, a digit, "Q~".
      guard (3...8).contains(range.count), text[end - 1] == UInt8(ascii: "Q"), text[end - 2].isDigit else { return nil }
      let body = text.end(of: .name.union("~"), from: end)
      return body - end >= 28 ? hide(start..<body, .secret) : nil
    case UInt8(ascii: "!"):
      guard text.starts(with: "00D", at: start), range.count >= 15 else { return nil }
      let body = text.end(of: .name, from: end + 1)
      return body - end >= 40 ? hide(start..<body, .session) : nil
    case .dash:
      // 32 hexadecimal digits and a data center.
      guard range.count == 32, text.starts(with: "-us", at: end), text[end + 3].isDigit else { return nil }
      return hide(start..<text.end(of: .digits, from: end + 3), .apiKey)
    default: return nil
    }
  }

  /// The end of a password's hash as crypt(3) writes it: `$6$salt$…`, `$argon2id$v=19$m=65536,t=3,p=4$salt$…`.
  func passwordHash(_ index: Int) -> Int? {
    let scheme = text.end(of: .lowerDigits.union("-"), from: index + 1, most: 12)
    guard text[index] == UInt8(ascii: "$"), text[scheme] == UInt8(ascii: "$"), (1...11).contains(scheme - index - 1)
    else {
      return nil
    }
    let end = text.end(of: Self.hashBytes, from: scheme)
    let first = text[index + 1]
    guard end - scheme >= 20, first.isDigit || first == UInt8(ascii: "y") || scheme - index > 5 else { return nil }
    return Makeup(text, scheme..<end).isMixed ? end : nil
  }

  private static let hashBytes = ByteSet.alphanumeric.union("./$=,+-_")

  /// A JSON Web Token: base64 of `{"` and two to four parts more; alone if it is long.
  private mutating func webToken(_ start: Int) -> Int? {
    var end = text.end(of: .base64URL, from: start)
    guard end - start >= 10 else { return nil }
    var parts = 1
    while parts < 5, text[end] == .dot, ByteSet.base64URL.contains(text[end + 1]) {
      end = text.end(of: .base64URL, from: end + 1)
      parts += 1
    }
    if parts == 1 {
      end = text.end(of: .base64.union("="), from: start)
      guard end - start >= 40 else { return nil }
    }
    return hide(start..<end, .token)
  }

  /// A run of forty or more letters and digits drawn at random: a key that nothing else gives away. Shorter with a
  /// word such as `live` or `token` in front.
  ///
  /// Hexadecimal runs stay: they are commits, digests and traces.
  mutating func blob(_ word: Range<Int>) -> Int? {
    var start = text.start(of: .base64URL.union("+/"), to: word.lowerBound, most: 256)
    var end = text.end(of: .base64URL.union("+/"), from: word.upperBound, most: 4096)
    while end > start, text[end - 1] == .dash || text[end - 1] == .slash { end -= 1 }
    while start < end, text[start] == .slash || text[start] == .dash { start += 1 }
    guard end - start >= 24 else { return nil }
    if let range = marked(start..<end) { return hide(range, .apiKey) }
    guard end - start >= 40, text[start - 1] != .dot else { return nil }
    let run = start..<end
    let makeup = Makeup(text, run)
    guard makeup.isRandom, makeup.digits >= 3, makeup.others * 7 <= makeup.count, isPatternless(run), !isIdentity(run)
    else { return nil }
    return hide(start..<text.end(of: ByteSet("="), from: end), .secret)
  }

  /// `acme_live_…`, `acme-token-…`: any maker's key that says it is one.
  private func marked(_ run: Range<Int>) -> Range<Int>? {
    var segment = run.lowerBound
    for index in run where text[index] == UInt8(ascii: "_") || text[index] == .dash {
      if text.equalsAnyCase(segment..<index, anyOf: Self.marks) {
        let body = index + 1..<run.upperBound
        let makeup = Makeup(text, body)
        if body.count >= 16,
          makeup.upper >= 3 && makeup.lower >= 3 && makeup.isShuffled || (makeup.isHex && body.count >= 32),
          makeup.others * 8 <= body.count
        {
          return run
        }
      }
      segment = index + 1
    }
    return nil
  }

  /// Whether no part between separators is a word, as the parts of a path or a long name are.
  private func isPatternless(_ run: Range<Int>) -> Bool {
    var letters = 0
    for index in run {
      // Ten small letters in a row have a chance of 1 in 8,000 at each place of a random base64 run.
      letters = text[index].isLower ? letters + 1 : 0
      if letters >= 10 { return false }
    }
    return true
  }

  /// Digests and ids in base64, by what stands before them.
  private func isIdentity(_ run: Range<Int>) -> Bool {
    if text.startsAnyCase(with: "sha", at: run.lowerBound), run.prefix(8).contains(where: { text[$0] == .dash }) {
      return true
    }
    var end = run.lowerBound
    while run.lowerBound - end < 4, ByteSet(" =:\"'\\").contains(text[end - 1]) { end -= 1 }
    guard end < run.lowerBound else { return false }
    let name = text.start(of: .name, to: end, most: 40)..<end
    return Self.identities.contains { identity in
      let count = identity.utf8CodeUnitCount
      return name.count >= count && text.startsAnyCase(with: identity, at: end - count)
    }
  }

  private static let marks: [StaticString] = [
    "live", "test", "prod", "production", "sandbox", "sk", "pat", "key", "secret", "token", "tkn", "api", "apikey",
    "access", "refresh", "priv", "private", "auth", "pw", "cred", "svc", "oauth", "bot",
  ]
  private static let identities: [StaticString] = [
    "id", "etag", "hash", "digest", "checksum", "fingerprint", "thumbprint", "sha256", "sha512", "sha1", "sha384",
    "md5",
    "version", "cursor", "node", "cluster", "trace", "span", "uuid", "guid", "offset", "revision", "nonce", "modulus",
    "id-2", "publickey", "public_key", "certificate", "cert", "pubkey", "ssh-rsa", "ssh-ed25519", "nistp256",
  ]
}
