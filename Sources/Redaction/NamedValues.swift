/// Values with a name beside them: `name=value`, `"name": "value"`, `--name value`, `<name>value</name>`, `name value`.
extension SensitiveScan {
  /// A value and how it stands in the text.
  struct Value {
    var range: Range<Int>
    var isQuoted = false
    /// `name: value`, as in prose too.
    var isSpaced = false
  }

  /// - Returns: Where to go on.
  mutating func named(separator index: Int, width: Int = 1) -> Int {
    var nameEnd = index
    while index - nameEnd < 6, Self.aroundNames.contains(text[nameEnd - 1]) { nameEnd -= 1 }
    let isValue = text[nameEnd - 1] == UInt8(ascii: "e") && text.ends(with: "alue", at: nameEnd)
    guard isValue || names.mayKnow(endingAt: nameEnd, in: text) else { return index + width }
    let name = text.start(of: .name, to: nameEnd, most: 64)..<nameEnd
    if isValue {
      return text.equalsAnyCase(name, "value")
        ? valueOfNamed(name, separator: index, width: width) ?? index + width : index + width
    }
    guard let meaning = meaning(of: name), meaning != .harmless else { return index + width }
    let isColon = width == 1 && text[index] == .colon
    // a::b is a name in code
    if isColon, text[index + 1] == .colon { return index + 2 }
    var start = index + width
    while start < index + width + 2, text[start] == .equals || text[start] == UInt8(ascii: ">") { start += 1 }
    let spaced = text.end(of: .space, from: start, most: 16)
    let isSpaced = isColon && spaced > start
    let isShort = name.count < 7 || text.startsAnyCase(with: "pass", at: nameEnd - 4)
    return value(of: meaning, value(from: spaced, isSpaced: isSpaced), isShortName: isShort) ?? index + width
  }

  /// A name's meaning, up to two words before it taken as part of it: `api key`, `social security number`.
  private func meaning(of name: Range<Int>) -> NameMeaning? {
    var start = name.lowerBound
    for _ in 0..<2 {
      guard text[start - 1] == 0x20, text[start - 2].isLetter else { break }
      start = text.start(of: .letters, to: start - 1, most: 16)
    }
    return names.meaning(of: start..<name.upperBound, in: text)
  }

  /// `name="password" value="…"`, `{"key": "password", "value": "…"}`
  private mutating func valueOfNamed(_ name: Range<Int>, separator index: Int, width: Int) -> Int? {
    let end = text.start(of: Self.betweenPairs, to: name.lowerBound, most: 8)
    let before = text.start(of: .name, to: end, most: 64)..<end
    guard !before.isEmpty, let meaning = names.meaning(of: before, in: text) else { return nil }
    switch meaning {
    case .password, .secret, .secretOrItsName, .credential, .session:
      return value(
        of: meaning, value(from: text.end(of: .space, from: index + width, most: 8), isSpaced: false),
        isShortName: before.count < 7)
    default: return nil
    }
  }

  /// `<name>value</name>`
  mutating func element(end index: Int) -> Int {
    var nameEnd = index
    if ByteSet.quotes.contains(text[index - 1]) {
      // Attributes stand between.
      guard let open = (max(0, index - 200)..<index).last(where: { text[$0] == 0x3C }) else { return index + 1 }
      nameEnd = text.end(of: .name.union(":"), from: open + 1)
    }
    let name = text.start(of: .name.union(":"), to: nameEnd, most: 64)..<nameEnd
    guard text[name.lowerBound - 1] == UInt8(ascii: "<"), let meaning = names.meaning(of: name, in: text),
      meaning != .harmless, let close = (index + 1..<min(text.count, index + 4096)).first(where: { text[$0] == 0x3C })
    else { return index + 1 }
    return value(of: meaning, Value(range: index + 1..<close, isQuoted: true)) ?? index + 1
  }

  /// What follows a word that can be a name and a space: a flag's value, or what a sentence says.
  /// - Returns: Nil if nothing was found.
  mutating func afterName(_ word: Range<Int>) -> Int? {
    let end = word.upperBound
    guard text[end] == 0x20 || text[end] == 0x09 else {
      return text[end] == UInt8(ascii: "(") ? call(word) : nil
    }
    let start = text.end(of: .space, from: end, most: 8)
    guard !Self.separators.contains(text[start]) else { return nil }
    let name = text.start(of: .name, to: end, most: 64)..<end
    guard let meaning = meaning(of: name), meaning != .harmless else { return nil }
    if text[name.lowerBound] == .dash, name.lowerBound == 0 || !text[name.lowerBound - 1].isWord {
      guard text[start] != .dash else { return nil }
      return value(of: meaning, value(from: start, isSpaced: false))
    }
    return said(meaning, word: word, at: start)
  }

  /// `PASSWORD('value')`
  private mutating func call(_ word: Range<Int>) -> Int? {
    guard ByteSet.quotes.contains(text[word.upperBound + 1]),
      names.meaning(of: word, in: text) == .password
    else { return nil }
    return value(of: .password, value(from: word.upperBound + 1, isSpaced: false))
  }

  /// A sentence: `token abc…`, `password is abc…`, `verification code: 123456`.
  private mutating func said(_ meaning: NameMeaning, word: Range<Int>, at start: Int) -> Int? {
    var start = start
    for _ in 0..<2 {
      let next = start..<text.end(of: .letters, from: start, most: 12)
      guard text[next.upperBound] == 0x20 || text[next.upperBound] == .colon,
        text.equalsAnyCase(next, anyOf: Self.connectives)
      else { break }
      start = text.end(of: .space.union(":="), from: next.upperBound, most: 4)
    }
    let value = value(from: start, isSpaced: true)
    let range = value.range
    guard !range.isEmpty, value.isQuoted || !beginsField(start) else { return nil }
    switch meaning {
    case .password:
      let makeup = Makeup(text, range)
      let before = text.start(of: .blank, to: word.lowerBound, most: 4)
      if value.isQuoted, text.ends(with: "BY", at: before) || text.startsAnyCase(with: "with", at: before - 4) {
        return hide(range, .password)
      }
      if text.equalsAnyCase(word, anyOf: ["requirepass", "masterauth"]), !isHarmless(range) {
        return hide(range, .password)
      }
      if let next = announced(word) { return next }
      guard range.count >= 5, makeup.blanks == 0, makeup.letters > 0, !isHarmless(range), !isPlace(range),
        !isTime(range), !isName(range), text[range.upperBound] != UInt8(ascii: "(")
      else { return nil }
      let isStrange = makeup.digits > 0 || range.contains { Self.signs.contains(text[$0]) }
      return isStrange || makeup.isRandom ? hide(range, .password) : nil
    case .secret, .secretOrItsName, .credential, .vague:
      let makeup = Makeup(text, range)
      if text.equalsAnyCase(word, "bearer") {
        return makeup.blanks == 0 && range.count >= 8 && !isHarmless(range) && (makeup.isMixed || range.count >= 24)
          ? hide(range, .token) : nil
      }
      if meaning == .vague, isPasscode(word, range) { return hide(range, .code) }
      guard isCredential(range, atLeast: 12), isUUID(range) ? meaning == .credential : !isName(range) else {
        return nil
      }
      let isSure = makeup.isRandom || isUUID(range) || makeup.isHex && meaning != .vague && range.count >= 16
      guard isSure || meaning != .vague && makeup.digits >= 2 && range.count >= 16 else { return nil }
      return hide(range, meaning == .credential ? .token : .secret)
    case .code:
      guard range.count >= 4, range.count <= 8, range.allSatisfy({ text[$0].isDigit }) else { return nil }
      return hide(range, .code)
    case .session:
      guard isCredential(range, atLeast: 20), !isName(range), !isUUID(range) else { return nil }
      return hide(range, .session)
    case .card, .bankAccount, .nationalID, .phone: return self.value(of: meaning, value)
    case .authorization, .cookie, .signature, .person, .address, .birthDate, .harmless: return nil
    }
  }

  /// `Generated password for user 'admin': …`
  private mutating func announced(_ word: Range<Int>) -> Int? {
    let limit = min(text.count, word.upperBound + 72)
    guard let colon = (word.upperBound..<limit).first(where: { text[$0] == .colon || text[$0] == 0x0A }),
      text[colon] == .colon, text[colon + 1] == 0x20
    else { return nil }
    let around = max(0, word.lowerBound - 24)..<colon
    let isNews = ["enerated", "emporary", "nitial", "ollowing", "efault"].contains { (news: StaticString) in
      text.find(news, in: around) != nil
    }
    let range = value(from: colon + 2, isSpaced: true).range
    guard isNews, range.count >= 8, !isHarmless(range), !isPlace(range), !isTime(range), !isName(range) else {
      return nil
    }
    let makeup = Makeup(text, range)
    return makeup.blanks == 0 && makeup.isMixed ? hide(range, .password) : nil
  }

  /// `verification code is 123456`
  private func isPasscode(_ word: Range<Int>, _ range: Range<Int>) -> Bool {
    guard (4...8).contains(range.count), range.allSatisfy({ text[$0].isDigit }), text.equalsAnyCase(word, "code") else {
      return false
    }
    let end = text.start(of: .space.union("-"), to: word.lowerBound, most: 2)
    let before = text.start(of: .alphanumeric, to: end, most: 16)..<end
    return text.equalsAnyCase(before, anyOf: Self.passcodes)
  }

  /// Hides a value if it can be what its name says.
  /// - Returns: Its end, or nil if it is nothing to hide.
  private mutating func value(of meaning: NameMeaning, _ value: Value, isShortName: Bool = false) -> Int? {
    guard let end = judge(meaning, value, isShortName: isShortName) else { return nil }
    guard !value.isQuoted, value.range.count >= Self.plainMax else { return end }
    return hide(end..<text.end(of: .token.union("%"), from: end), .secret)
  }

  private mutating func judge(_ meaning: NameMeaning, _ value: Value, isShortName: Bool) -> Int? {
    let range = value.range
    guard !range.isEmpty else { return nil }
    // A list or an object: its members are looked at one by one.
    if !value.isQuoted, text[range.lowerBound] == UInt8(ascii: "{"),
      meaning != .password || Self.objectStarts.contains(text[range.lowerBound + 1])
    {
      return nil
    }
    switch meaning {
    case .harmless: return nil
    case .password:
      guard !isHarmless(range), !value.isSpaced || value.isQuoted || !isProse(range) else { return nil }
      // PWD is a folder to a shell.
      if isShortName, isPlace(range) { return nil }
      // pass=12 and PASS: TestName tell of tests.
      if isShortName, range.count <= 5, range.allSatisfy({ text[$0].isDigit }) { return nil }
      if isShortName, value.isSpaced, !value.isQuoted, range.allSatisfy({ text[$0].isWord }),
        Makeup(text, range).digits == 0
      {
        return nil
      }
      return hide(range, .password)
    case .secret:
      if let end = phraseEnd(range) { return hide(range.lowerBound..<end, .secret) }
      guard range.count >= 4, !isHarmless(range), !value.isSpaced || value.isQuoted || !isProse(range),
        !isPlace(range)
      else { return nil }
      return hide(range, .secret)
    case .credential:
      // Token{78af589}: an object that is called so.
      if !value.isQuoted, text.contains(UInt8(ascii: "{"), in: range) { return nil }
      return isCredential(range, atLeast: 6) ? hide(range, isShortName ? .token : .apiKey) : nil
    case .secretOrItsName:
      guard isCredential(range, atLeast: 6), !isName(range), !isUUID(range) else { return nil }
      // prod/db-AbCdEf
      if text.contains(.slash, in: range), !Makeup(text, range).isRandom { return nil }
      return hide(range, .secret)
    case .vague: return isVagueCredential(range) ? hide(range, .secret) : nil
    case .session:
      guard isCredential(range, atLeast: 10), !isName(range) || isUUID(range) else { return nil }
      return hide(range, .session)
    case .signature:
      if let equals = text.first(.equals, in: range.lowerBound..<min(range.upperBound, range.lowerBound + 8)),
        equals + 1 < range.upperBound
      {
        // t=…,v1=…
        let end = (range.lowerBound..<text.count).first { text[$0].isBlank || ByteSet.quotes.contains(text[$0]) }
        return parameters(in: range.lowerBound..<(end ?? text.count))
      }
      return isCredential(range, atLeast: 16) ? hide(range, .signature) : nil
    case .authorization: return authorization(value)
    case .cookie: return cookies(value)
    case .code:
      let makeup = Makeup(text, range)
      guard (3...10).contains(range.count), makeup.digits >= 3, makeup.others == 0, makeup.letters <= makeup.digits
      else { return nil }
      return hide(range, .code)
    case .card, .bankAccount, .nationalID, .phone, .person, .address, .birthDate: return personal(meaning, value)
    }
  }

  /// The end of eleven or more plain words: a phrase that a key is made of.
  private func phraseEnd(_ range: Range<Int>) -> Int? {
    var end = range.lowerBound
    var words = 0
    while true {
      let next = text.end(of: .lower, from: end, most: 9)
      guard (3...8).contains(next - end) else { break }
      words += 1
      end = next
      guard text[end] == 0x20, text[end + 1].isLower else { break }
      end += 1
    }
    return words >= 11 ? end : nil
  }

  /// A key named just `key`, a secret named just `secret`: those words name other things as often.
  private func isVagueCredential(_ range: Range<Int>) -> Bool {
    guard isCredential(range, atLeast: 8), !isName(range), !isUUID(range) else { return false }
    let makeup = Makeup(text, range)
    if makeup.isHex { return false }
    return makeup.isRandom && range.count >= 12 || makeup.others == 0 && makeup.changes >= 4
  }

  // MARK: Where a value ends

  func value(from start: Int, isSpaced: Bool) -> Value {
    var start = start
    if text[start] == UInt8(ascii: "[") || text[start] == UInt8(ascii: "("),
      ByteSet.quotes.contains(text[start + 1]) || text[start] == UInt8(ascii: "[") && text[start + 1].isAlphanumeric
    {
      start += 1
    }
    // b'…' and u'…' of Python
    if text[start].isLower, text[start + 1] == UInt8(ascii: "'") { start += 1 }
    if text.starts(with: "&quot;", at: start) {
      let inside = start + 6
      let end = text.find("&quot;", in: inside..<min(text.count, inside + 4096)) ?? inside
      return Value(range: inside..<end, isQuoted: true)
    }
    if text.starts(with: "%22", at: start) {
      let end = text.find("%22", in: start + 3..<min(text.count, start + 4096)) ?? start + 3
      return Value(range: start + 3..<end, isQuoted: true)
    }
    if let end = passwordHash(start) { return Value(range: start..<end, isSpaced: isSpaced) }
    var quote = start
    while text[quote] == .backslash { quote += 1 }
    if ByteSet.quotes.contains(text[quote]) {
      return Value(range: quoted(from: quote, depth: quote - start), isQuoted: true, isSpaced: isSpaced)
    }
    return Value(range: start..<plainEnd(from: start), isSpaced: isSpaced)
  }

  /// What stands between a quotation mark and its fellow. Inside a quoted text marks have backslashes before them:
  /// the fellow has as many as the first, or fewer.
  private func quoted(from quote: Int, depth: Int) -> Range<Int> {
    let mark = text[quote]
    let limit = min(text.count, quote + 16384)
    var index = quote + 1
    while index < limit {
      let byte = text[index]
      if byte == mark { return quote + 1..<index }
      guard byte == .backslash else {
        index += 1
        continue
      }
      let end = text.end(of: Self.backslashes, from: index)
      if text[end] == mark, end - index <= depth { return quote + 1..<index }
      index = end + 1
    }
    // Cut off: to the end of the line.
    let line = (quote + 1..<limit).first { text[$0] == 0x0A } ?? limit
    return quote + 1..<line
  }

  /// A value without quotation marks ends at a blank, and at a mark after which another field begins.
  private func plainEnd(from start: Int) -> Int {
    var end = start
    let limit = min(text.count, start + Self.plainMax)
    scan: while end < limit {
      let byte = text[end]
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): break scan
      case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "|"):
        if text[end + 1].isBlank || beginsField(end + 1) { break scan }
      case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ">"):
        if byte == UInt8(ascii: ">"), text[start] == UInt8(ascii: "<") { break }
        if end > start, text[text.end(of: Self.closers, from: end)].isBlank { break scan }
        if end > start, text[end + 1] == UInt8(ascii: ","), beginsField(end + 2) { break scan }
      case UInt8(ascii: "<"): if end > start { break scan }
      case .backslash:
        let next = text[end + 1]
        if next == .quote || next == UInt8(ascii: "n") || next == UInt8(ascii: "r") || next == UInt8(ascii: "t") {
          break scan
        }
      default: break
      }
      end += 1
    }
    while end > start + 1, Self.stops.contains(text[end - 1]) { end -= 1 }
    return end
  }

  /// `name=`, `name:`, and a quoted name.
  private func beginsField(_ index: Int) -> Bool {
    if ByteSet.quotes.contains(text[index]) { return true }
    let end = text.end(of: .name, from: index, most: 64)
    return end > index && (text[end] == .equals || text[end] == .colon)
  }

  private static let aroundNames = ByteSet(" \"'`\\]")
  /// Looked at of a value that may turn out to be nothing: `key=key=key=…` must not cost the square of its length.
  private static let plainMax = 512
  private static let betweenPairs = ByteSet(" \t,\"'\\;")
  private static let separators = ByteSet("=:")
  private static let backslashes = ByteSet("\\")
  private static let closers = ByteSet(")]}>,;.\"'")
  private static let stops = ByteSet(".,;:")
  private static let signs = ByteSet("!@#$%^&*+=?~")
  private static let passcodes: [StaticString] = [
    "verification", "security", "login", "time", "auth", "authentication", "access", "confirmation", "sms", "otp",
    "2fa", "mfa", "pin", "reset", "activation", "recovery", "backup", "factor", "passcode", "signin",
  ]
  private static let objectStarts = ByteSet("\"' }\\\n")
  private static let connectives: [StaticString] = [
    "is", "was", "to", "value", "string", "of", "header", "number", "no", "code", "by", "with", "key", "id", "hash",
  ]
}
