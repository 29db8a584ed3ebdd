import Domain

/// A template taken apart for `ValueMatcher.verdict`: its literals, and what its slots can hold.
struct TemplateText: Sendable {
  /// One more than there are slots.
  let literals: [[UInt8]]
  private let slots: [SlotKind]

  init(_ template: Template) {
    literals = template.literals
    slots = template.slots
  }

  var hasSlots: Bool { !slots.isEmpty }

  /// A matching literal may stand beside slots: a slot that follows a word character starts with none, so the ends of
  /// words are known in the literal alone.
  func verdict(on phrase: PhraseMatcher) -> TemplateVerdict {
    if literals.contains(where: { $0.withUnsafeBufferPointer(phrase.matches) }) { return .all }
    let text = SoughtText(phrase.phrase, wholeStart: true, wholeEnd: phrase.bindsEnd || !endsInWord(phrase.phrase))
    return canHold(text, bindsStart: phrase.bindsStart, bindsEnd: phrase.bindsEnd) ? .maybe : .none
  }

  func verdict(on phrase: FoldedPhraseMatcher) -> TemplateVerdict {
    if literals.contains(where: { $0.withUnsafeBufferPointer(phrase.matches) }) { return .all }
    let inner = phrase.phrase
    var text = SoughtText(inner.phrase, wholeStart: true, wholeEnd: inner.bindsEnd || !endsInWord(inner.phrase))
    text.ignoresCase = true
    return canHold(text, bindsStart: inner.bindsStart, bindsEnd: inner.bindsEnd) ? .maybe : .none
  }

  func verdict(onSubstring text: [UInt8]) -> TemplateVerdict {
    if literals.contains(where: { $0.withUnsafeBufferPointer { ByteSearch.contains($0, text) } }) { return .all }
    return canHold(SoughtText(text, wholeStart: false, wholeEnd: false), bindsStart: false, bindsEnd: false)
      ? .maybe : .none
  }

  func canEqual(_ text: [UInt8]) -> Bool {
    canHold(
      SoughtText(text, wholeStart: true, wholeEnd: true), bindsStart: false, bindsEnd: false, atStart: true, atEnd: true
    )
  }

  func canStart(with text: [UInt8]) -> Bool {
    canHold(
      SoughtText(text, wholeStart: true, wholeEnd: !endsInWord(text)), bindsStart: false, bindsEnd: false, atStart: true
    )
  }

  private func endsInWord(_ text: [UInt8]) -> Bool {
    text.withUnsafeBufferPointer { WordTokenizer.isWord($0, before: $0.count) }
  }

  // MARK: -

  /// Whether some message of the template may hold `text`: walks the template with the set of how much of the text
  /// may have been read up to here.
  private func canHold(
    _ text: SoughtText, bindsStart: Bool, bindsEnd: Bool, atStart: Bool = false, atEnd: Bool = false
  ) -> Bool {
    let count = text.bytes.count
    guard count > 0 else { return !(atStart && atEnd) || literals.allSatisfy(\.isEmpty) }
    // read[k]: the first k bytes of the text may end at this place of the message.
    var read = [Bool](repeating: false, count: count + 1)
    read[0] = true
    var next = read
    for index in literals.indices {
      if index > 0 {
        text.endWords(&read)
        for k in 0..<count where read[k] && text.canLie(in: slots[index - 1], at: k) { read[k + 1] = true }
        if read[count], !atEnd { return true }
        text.endWords(&read)
      }
      let literal = literals[index]
      for (position, byte) in literal.enumerated() {
        if byte >= 0x80, text.ignoresCase {
          // The other case of a scalar may take other bytes and more of them: anything may stand here.
          if !atStart { read[0] = true }
          for k in 0..<count where read[k] { read[k + 1] = true }
          if read[count], !atEnd { return true }
          continue
        }
        next[0] = !atStart
        for k in 0..<count { next[k + 1] = read[k] && text.canBe(byte, at: k) }
        if bindsStart, position > 0, WordTokenizer.isASCIIWord(literal[position - 1]) { next[1] = false }
        if next[count], bindsEnd, position + 1 < literal.count, WordTokenizer.isASCIIWord(literal[position + 1]) {
          next[count] = false
        }
        if next[count], !atEnd { return true }
        swap(&read, &next)
      }
    }
    return read[count]
  }
}

/// Text looked for in the messages of a template, and its words.
private struct SoughtText {
  let bytes: [UInt8]
  var ignoresCase = false
  /// The word each byte belongs to, or -1.
  private var wordAt: [Int]
  private var words: [Word] = []

  private struct Word {
    var hasDigit: Bool
    /// Both its ends are ends of a word in the message too.
    var isWhole: Bool
  }

  /// - Parameters:
  ///   - wholeStart: The text starts where no word goes on.
  ///   - wholeEnd: It ends so.
  init(_ bytes: [UInt8], wholeStart: Bool, wholeEnd: Bool) {
    self.bytes = bytes
    wordAt = [Int](repeating: -1, count: bytes.count)
    // Of bytes that are not UTF-8 nobody knows what words they become part of.
    guard String(validating: bytes, as: UTF8.self) != nil else { return }
    bytes.withUnsafeBufferPointer { buffer in
      WordTokenizer.forEachWord(in: buffer) { range in
        for index in range { wordAt[index] = words.count }
        words.append(
          Word(
            hasDigit: buffer[range].contains(where: FieldNumber.isDigit),
            isWhole: (range.lowerBound > 0 || wholeStart) && (range.upperBound < buffer.count || wholeEnd)))
      }
    }
  }

  /// No word goes on over the edge of a slot: drops what has been read up to the middle of one.
  func endWords(_ read: inout [Bool]) {
    for k in 1..<max(bytes.count, 1) where wordAt[k] >= 0 && wordAt[k] == wordAt[k - 1] { read[k] = false }
  }

  /// Whether `byte` of a literal can be byte `k` of the text.
  func canBe(_ byte: UInt8, at k: Int) -> Bool {
    if wordAt[k] >= 0, words[wordAt[k]].hasDigit { return false }
    if bytes[k] == byte { return true }
    return ignoresCase && byte >= 0x41 && byte <= 0x5A && byte | 0x20 == bytes[k]
  }

  /// Whether byte `k` of the text can stand in a slot.
  func canLie(in kind: SlotKind, at k: Int) -> Bool {
    guard let possible = kind.possibleBytes else { return true }
    if kind == .hex, wordAt[k] >= 0, words[wordAt[k]].isWhole, !words[wordAt[k]].hasDigit { return false }
    let byte = bytes[k]
    if possible.contains(byte) { return true }
    return ignoresCase && byte >= 0x61 && byte <= 0x7A && possible.contains(byte & ~0x20)
  }
}
