/// Cards, bank accounts, telephone numbers and numbers that a state gives, by their form and check digits.
extension SensitiveScan {
  /// A word that begins with a digit.
  mutating func number(_ word: Range<Int>) -> Int? {
    let (start, end) = (word.lowerBound, word.upperBound)
    let before = text[start - 1]
    let isPart = before == .dot || before == .dash || before == .slash || before == .colon && text[start - 2].isDigit
    if policy.contains(.ipAddresses), end - start <= 3, let next = internetAddress(start) {
      return hide(start..<next, .ip)
    }
    let length = end - start
    guard length <= 19, length >= 13 || length == 3 || length == 4 || length == 1 || (length >= 6 && length <= 12),
      (start..<end).allSatisfy({ text[$0].isDigit })
    else { return nil }
    if length >= 13 {
      guard before != .dot, before != .dash, text[end] != .dot || !text[end + 1].isDigit,
        !(text[end] == .dash && text[end + 1].isAlphanumeric)
      else { return nil }
      return isCard(word, isNamed: false) ? hide(word, .card) : nil
    }
    if length == 4, let next = spacedCard(start) { return hide(start..<next, .card) }
    guard !isPart else { return nil }
    if length == 3, text[end] == .dash {
      if form(start, [3, 2, 4], .dash), isSocialSecurity(start) { return hide(start..<start + 11, .nationalID) }
      if form(start, [3, 3, 4], .dash), text[start] >= 0x32, text[start + 4] >= 0x32 {
        return hide(start..<start + 12, .phone)
      }
    }
    if length == 1, text[start] == 0x31, form(start + 2, [3, 3, 4], text[end]), text[end] == .dash || text[end] == .dot
    {
      return hide(start..<start + 14, .phone)
    }
    if let next = telephoneEnd(start), text[start] == 0x30 || next - start > 9, isAfterCue(start) {
      return hide(start..<next, .phone)
    }
    return nil
  }

  /// Groups of digits of these lengths with `separator` between, and nothing of the kind around.
  private func form(_ start: Int, _ lengths: [Int], _ separator: UInt8) -> Bool {
    var index = start
    for (position, length) in lengths.enumerated() {
      if position > 0 {
        guard text[index] == separator else { return false }
        index += 1
      }
      guard (index..<index + length).allSatisfy({ text[$0].isDigit }) else { return false }
      index += length
    }
    return !text[index].isWord && text[index] != .dash && !(text[index] == .dot && text[index + 1].isDigit)
  }

  private func isSocialSecurity(_ start: Int) -> Bool {
    func value(_ from: Int, _ count: Int) -> Int { (from..<from + count).reduce(0) { $0 * 10 + Int(text[$1] & 0xF) } }
    let area = value(start, 3)
    return area != 0 && area != 666 && value(start + 4, 2) != 0 && value(start + 7, 4) != 0
  }

  // MARK: Cards

  /// 4-4-4-4, 4-6-5 and 4-6-4 with blanks or dashes.
  private func spacedCard(_ start: Int) -> Int? {
    let separator = text[start + 4]
    guard separator == 0x20 || separator == .dash, !(text[start - 1] == separator && text[start - 2].isDigit) else {
      return nil
    }
    for lengths in [[4, 4, 4, 4], [4, 6, 5], [4, 6, 4]] {
      let end = start + lengths.reduce(lengths.count - 1, +)
      if form(start, lengths, separator), !(text[end] == separator && text[end + 1].isDigit),
        isCard(start..<end, isNamed: false)
      {
        return end
      }
    }
    return nil
  }

  /// Luhn's check digit (ISO/IEC 7812-1), the issuers' first digits and their lengths.
  private func isCard(_ range: Range<Int>, isNamed: Bool) -> Bool {
    var sum = 0
    var count = 0
    for index in range.reversed() where text[index].isDigit {
      let digit = Int(text[index] & 0xF)
      let doubled = digit * 2
      sum += count % 2 == 0 ? digit : doubled > 9 ? doubled - 9 : doubled
      count += 1
    }
    guard sum % 10 == 0 else { return false }
    var front = 0
    for index in range.filter({ text[$0].isDigit }).prefix(4) { front = front * 10 + Int(text[index] & 0xF) }
    switch front {
    case 4000...4999: return count == 16
    case 5100...5599, 2221...2720: return count == 16
    case 3400...3499, 3700...3799: return count == 15
    case 6011, 6440...6599: return count == 16
    case 3528...3589: return count == 16
    case 6200...6299: return count == 16
    case 3000...3059, 3600...3699, 3800...3999: return count == 14
    case 5018, 5020, 5038, 6304, 6759, 6761...6763: return (13...19).contains(count) && count == 16
    default: return false
    }
  }

  // MARK: Bank accounts

  /// An IBAN (ISO 13616), in one word or in groups of four: the country's length, and 1 modulo 97.
  func internationalAccount(_ word: Range<Int>) -> Int? {
    let start = word.lowerBound
    guard let length = Self.accountLengths.first(where: { $0.0 == text[start] && $0.1 == text[start + 1] })?.2 else {
      return nil
    }
    var remainder = 0
    func add(_ byte: UInt8) {
      remainder = byte.isDigit ? (remainder * 10 + Int(byte & 0xF)) % 97 : (remainder * 100 + Int(byte) - 55) % 97
    }
    var taken = 0
    var index = start
    while taken < length {
      let byte = text[index]
      if byte == 0x20, taken % 4 == 0, word.count == 4 {
        index += 1
        continue
      }
      guard byte.isDigit || byte.isUpper else { return nil }
      if taken >= 4 { add(byte) }
      taken += 1
      index += 1
    }
    for offset in 0..<4 { add(text[start + offset]) }
    return remainder == 1 && !text[index].isWord ? index : nil
  }

  private static let accountLengths: [(UInt8, UInt8, Int)] = """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 \
    FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 \
    LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 \
    RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
    """.split(separator: " ").map { entry in
      let bytes = Array(entry.utf8)
      return (bytes[0], bytes[1], Int(bytes[2] & 0xF) * 10 + Int(bytes[3] & 0xF))
    }

  // MARK: Telephones

  /// `+49 151 16653147`, `(555) 123-4567`
  mutating func telephone(_ index: Int) -> Int? {
    if text[index] == UInt8(ascii: "(") {
      guard text[index + 1] >= 0x32, (index + 1..<index + 4).allSatisfy({ text[$0].isDigit }),
        text[index + 4] == UInt8(ascii: ")")
      else { return nil }
      let start = text.end(of: .space, from: index + 5, most: 1)
      guard form(start, [3, 4], text[start + 3]),
        text[start + 3] == .dash || text[start + 3] == 0x20 || text[start + 3] == .dot
      else { return nil }
      return hide(index..<start + 8, .phone)
    }
    guard !text[index - 1].isAlphanumeric, text[index + 1].isDigit, text[index + 1] != 0x30,
      let end = telephoneEnd(index + 1)
    else { return nil }
    let digits = (index..<end).count { text[$0].isDigit }
    let isPlain = end - index - 1 == digits
    return digits >= (isPlain ? 10 : 8) ? hide(index..<end, .phone) : nil
  }

  /// The end of up to 15 digits (ITU-T E.164) with single separators between groups; nil for fewer than 7.
  private func telephoneEnd(_ start: Int) -> Int? {
    var index = start
    var digits = 0
    var end = start
    while digits <= 15 {
      let run = text.end(of: .digits, from: index)
      guard run > index, digits + run - index <= 15 else { break }
      digits += run - index
      end = run
      var next = text.end(of: Self.telephoneMarks, from: run, most: 3)
      // `(0)` and `) `
      if !text[next].isDigit { break }
      if next - run > 1, !(run..<next).contains(where: { text[$0] == 0x28 || text[$0] == 0x29 }) { next = run }
      if next == run { break }
      index = next
    }
    return digits >= 7 && !text[end].isWord ? end : nil
  }

  /// Whether one of the two words before tells that a number to call follows.
  private func isAfterCue(_ start: Int) -> Bool {
    var end = start
    for _ in 0..<2 {
      end = text.start(of: ByteSet(" :=#."), to: end, most: 3)
      let word = text.start(of: .letters, to: end, most: 12)..<end
      if word.isEmpty { return false }
      if text.equalsAnyCase(word, anyOf: Self.cues) { return true }
      end = word.lowerBound
    }
    return false
  }

  private static let telephoneMarks = ByteSet(" -./()")
  private static let cues: [StaticString] = [
    "sms", "phone", "tel", "mobile", "call", "caller", "dial", "dialed", "dialing", "whatsapp", "msisdn", "fax",
    "telephone", "cell", "texted", "mms", "subscriber",
  ]

  // MARK: Internet addresses

  private func internetAddress(_ start: Int) -> Int? {
    guard text[start - 1] != .dot, text[start - 1] != .dash else { return nil }
    var index = start
    for part in 0..<4 {
      let end = text.end(of: .digits, from: index, most: 3)
      guard end > index, (index..<end).reduce(0, { $0 * 10 + Int(text[$1] & 0xF) }) <= 255 else { return nil }
      index = end
      if part < 3 {
        guard text[index] == .dot else { return nil }
        index += 1
      }
    }
    return text[index].isWord || text[index] == .dot && text[index + 1].isDigit ? nil : index
  }

  // MARK: Values with a name

  mutating func personal(_ meaning: NameMeaning, _ value: Value) -> Int? {
    let range = value.range
    let first = text[range.lowerBound]
    guard !isHarmless(range) else { return nil }
    switch meaning {
    case .card:
      let end = groups(from: range.lowerBound, most: 24)
      let digits = (range.lowerBound..<end).count { text[$0].isDigit }
      return first.isDigit && (12...19).contains(digits) ? hide(range.lowerBound..<end, .card) : nil
    case .phone:
      let start = first == UInt8(ascii: "+") || first == 0x28 ? range.lowerBound + 1 : range.lowerBound
      guard text[start].isDigit, let end = telephoneEnd(start) ?? (isDigits(range, atLeast: 6) ? range.upperBound : nil)
      else { return nil }
      return hide(range.lowerBound..<end, .phone)
    case .bankAccount, .nationalID:
      let end = max(range.upperBound, value.isQuoted ? 0 : groups(from: range.lowerBound, most: 42))
      let makeup = Makeup(text, range.lowerBound..<end)
      guard makeup.digits >= 5, makeup.count <= 42, makeup.lower <= 2 || makeup.digits > makeup.lower, !isTime(range),
        !isUUID(range), !isPlace(range)
      else { return nil }
      return hide(range.lowerBound..<end, meaning == .nationalID ? .nationalID : .bankAccount)
    case .birthDate: return range.contains { text[$0].isDigit } ? hide(range, .birthDate) : nil
    case .person:
      guard first.isLetter || first >= 0x80, !text.contains(.slash, in: range) else { return nil }
      let end = value.isQuoted ? range.upperBound : nameEnd(range)
      return Makeup(text, range.lowerBound..<end).digits == 0 ? hide(range.lowerBound..<end, .person) : nil
    case .address:
      let end = value.isQuoted ? range.upperBound : addressEnd(range)
      // A house has a number.
      return Makeup(text, range.lowerBound..<end).digits > 0 ? hide(range.lowerBound..<end, .address) : nil
    default: return nil
    }
  }

  private func isDigits(_ range: Range<Int>, atLeast count: Int) -> Bool {
    range.count >= count && range.allSatisfy { text[$0].isDigit }
  }

  /// The end of groups of digits and capital letters with single blanks or dashes between.
  private func groups(from start: Int, most: Int) -> Int {
    var end = text.end(of: .upperDigits, from: start)
    while end - start < most, text[end] == 0x20 || text[end] == .dash || text[end] == .slash {
      let next = text.end(of: .upperDigits, from: end + 1)
      guard next > end + 1, next - end <= 7, (end + 1..<next).contains(where: { text[$0].isDigit }), !text[next].isWord
      else { break }
      end = next
    }
    return end
  }

  /// Up to three more words that begin with a capital letter and are no field's name.
  private func nameEnd(_ range: Range<Int>) -> Int {
    var end = range.upperBound
    for _ in 0..<3 {
      guard text[end] == 0x20, text[end + 1].isUpper || text[end + 1] >= 0x80 else { break }
      let next = text.end(of: Self.nameBytes, from: end + 1)
      guard text[next] != .equals, text[next] != .colon,
        (end + 1..<next).dropFirst().contains(where: { text[$0].isLower || text[$0] >= 0x80 }) || next - end == 3
      else { break }
      end = next
    }
    return end
  }

  private func addressEnd(_ range: Range<Int>) -> Int {
    var end = range.upperBound
    while end - range.lowerBound < 120, text[end] == 0x20 || text[end] == UInt8(ascii: ",") {
      let next = text.end(of: .space.union(","), from: end)
      let word = text.end(of: Self.nameBytes, from: next)
      guard word > next, text[word] != .equals, text[word] != .colon else { break }
      end = word
    }
    return end
  }

  private static let nameBytes = ByteSet(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-'_/", beyondASCII: true)
}
