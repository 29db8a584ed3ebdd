/// Finds secrets and personal data in bytes of text.
///
/// One pass from left to right. Three things give a part away: letters that a maker puts in front of its keys
/// (`TokenShapes`), a name beside it (`SecretNames`), or its own form and check digits (cards, IBANs, mail addresses,
/// key files, the user information of an address). Nothing is allocated where nothing is found.
package struct SensitiveDataScanner: Sendable {
  package var policy: RedactionPolicy

  package init(policy: RedactionPolicy = .standard) { self.policy = policy }

  /// The parts of `bytes` to hide: in order, apart from one another.
  package func spans(in bytes: UnsafeBufferPointer<UInt8>) -> [SensitiveSpan] {
    guard let base = bytes.baseAddress, bytes.count >= 4 else { return [] }
    var scan = SensitiveScan(text: ByteText(base: base, count: bytes.count), policy: policy)
    scan.run()
    return scan.finished()
  }

  package func spans(in bytes: [UInt8]) -> [SensitiveSpan] { bytes.withUnsafeBufferPointer { spans(in: $0) } }
}

/// One pass over one text.
struct SensitiveScan {
  let text: ByteText
  let policy: RedactionPolicy
  let names = SecretNames.shared
  let shapes = TokenShapes.shared
  private(set) var spans: [SensitiveSpan] = []

  init(text: ByteText, policy: RedactionPolicy) {
    self.text = text
    self.policy = policy
  }

  mutating func run() {
    let count = text.count
    var index = 0
    while index < count {
      let byte = text.base[index]
      if byte.isWord {
        var end = index + 1
        while end < count, text.base[end].isWord { end += 1 }
        index = word(index..<end)
      } else if byte > 0x40 && byte < 0x80 && byte != UInt8(ascii: "\\") || byte == 0x20 {
        index += 1
      } else {
        index = max(index + 1, mark(byte, at: index))
      }
    }
  }

  /// Marks `range`, unless the policy leaves such alone.
  /// - Returns: Its end.
  @discardableResult
  mutating func hide(_ range: Range<Int>, _ kind: SensitiveKind) -> Int {
    let range = max(0, range.lowerBound)..<min(text.count, range.upperBound)
    if !range.isEmpty, policy.hides(kind) { spans.append(SensitiveSpan(range: range, kind: kind)) }
    return range.upperBound
  }

  /// What was found, in order; where parts overlap, all of both is hidden under the name of the first.
  func finished() -> [SensitiveSpan] {
    guard spans.count > 1 else { return spans }
    var result: [SensitiveSpan] = []
    for span in spans.sorted(by: { ($0.range.lowerBound, $0.kind.rawValue) < ($1.range.lowerBound, $1.kind.rawValue) })
    {
      if let last = result.last, span.range.lowerBound < last.range.upperBound {
        let end = max(last.range.upperBound, span.range.upperBound)
        result[result.count - 1].range = last.range.lowerBound..<end
      } else {
        result.append(span)
      }
    }
    return result
  }

  /// - Returns: Where to go on.
  private mutating func word(_ range: Range<Int>) -> Int {
    let (start, end) = (range.lowerBound, range.upperBound)
    guard end - start > 1 else {
      return text.base[start].isDigit
        ? number(range) ?? end : text[end] == .dot || text[end] == .colon ? shaped(range) ?? end : end
    }
    if let next = shaped(range) { return next }
    if text.base[start].isDigit, let next = number(range) { return next }
    if end - start >= 15, let next = blob(range) { return next }
    if text[end] == 0x20, end - start <= 9, Self.isScheme(range, in: text), let next = scheme(range) { return next }
    if text[end] == 0x20, end - start == 10, text.equalsAnyCase(range, "identified"), let next = identified(end) {
      return next
    }
    if names.mayKnow(endingWith: text[end - 2], text[end - 1]), let next = afterName(range) { return next }
    return end
  }

  private static func isScheme(_ word: Range<Int>, in text: ByteText) -> Bool {
    switch text.base[word.lowerBound] | 0x20 {
    case UInt8(ascii: "b"): text.equalsAnyCase(word, "basic")
    case UInt8(ascii: "n"): text.equalsAnyCase(word, "negotiate") || text.equalsAnyCase(word, "ntlm")
    case UInt8(ascii: "p"): text.equalsAnyCase(word, "plain")
    case UInt8(ascii: "l"): text.starts(with: "LOGIN", at: word.lowerBound) && word.count == 5
    default: false
    }
  }

  private mutating func shaped(_ range: Range<Int>) -> Int? {
    guard let span = shapes.match(at: range.lowerBound, in: text) else { return structured(range) }
    return hide(span.range, span.kind)
  }

  private mutating func mark(_ byte: UInt8, at index: Int) -> Int {
    switch byte {
    case .colon:
      if text[index + 1] == .slash, text[index + 2] == .slash { return address(schemeEnd: index) }
      return named(separator: index)
    case .equals: return named(separator: index)
    case UInt8(ascii: ">"): return element(end: index)
    case .at: return atSign(index)
    case .dash: return dash(index)
    case UInt8(ascii: "+"), UInt8(ascii: "("): return telephone(index) ?? index + 1
    case UInt8(ascii: "%"): return percent(index)
    case UInt8(ascii: "$"): return passwordHash(index).map { hide(index..<$0, .password) } ?? index + 1
    case .backslash:
      // The letter of an escape is no part of the word after it.
      let next = text[index + 1]
      return next == UInt8(ascii: "n") || next == UInt8(ascii: "r") || next == UInt8(ascii: "t") ? index + 2 : index + 1
    case 0x1B:
      // A terminal's color.
      return text[index + 1] == UInt8(ascii: "[") ? text.end(of: Self.colors, from: index + 2) + 1 : index + 1
    default: return index + 1
    }
  }

  private static let colors = ByteSet("0123456789;")

  /// `%40` is an at sign and `%3D` an equals sign; a word begins after any such.
  private mutating func percent(_ index: Int) -> Int {
    guard text[index + 1].isHex, text[index + 2].isHex else { return index + 1 }
    switch (text[index + 1], text[index + 2].lowered) {
    case (UInt8(ascii: "4"), UInt8(ascii: "0")): return max(index + 3, mailAddress(at: index, width: 3))
    case (UInt8(ascii: "3"), UInt8(ascii: "d")), (UInt8(ascii: "3"), UInt8(ascii: "a")):
      return max(index + 3, named(separator: index, width: 3))
    default: return index + 3
    }
  }
}
