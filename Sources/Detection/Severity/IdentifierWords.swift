/// The words of a message as a person reads them: lower case, `camelCase`, `snake_case` and `OOMKilled` taken apart.
enum IdentifierWords {
  /// The words of `text` in order. Letters and digits make a word, bytes above ASCII count as letters; an apostrophe
  /// within a word is left out (`can't` is `cant`), slots (`<*>`, `<ipv4>`) are no words.
  static func words(of text: some Collection<UInt8>) -> [String] {
    let bytes = Array(text)
    var words: [String] = []
    var word: [UInt8] = []
    var before = Kind.other
    func endWord() {
      if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
      word.removeAll(keepingCapacity: true)
      before = .other
    }
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "<"), let end = slotEnd(in: bytes, from: index) {
        endWord()
        index = end
        continue
      }
      let kind = Kind(byte)
      switch kind {
      case .other:
        let isInner = byte == UInt8(ascii: "'") && before == .lower && index + 1 < bytes.count
        if isInner, Kind(bytes[index + 1]) == .lower { break }
        endWord()
      case .upper:
        // fooBar: foo bar; OOMKilled: oom killed, the last capital of a run begins a word.
        let isLast = before == .upper && index + 1 < bytes.count && Kind(bytes[index + 1]) == .lower
        // HRESULTs: a plural of capitals is one word.
        let isPlural = isLast && bytes[index + 1] == UInt8(ascii: "s") && isWordEnd(bytes, index + 2)
        if before == .lower || isLast && !isPlural { endWord() }
        word.append(byte | 0x20)
        before = .upper
      case .lower, .digit:
        word.append(byte)
        before = kind == .digit && before != .other ? before : .lower
      }
      index += 1
    }
    endWord()
    return words
  }

  private enum Kind {
    case upper, lower, digit, other

    init(_ byte: UInt8) {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): self = .upper
      case UInt8(ascii: "a")...UInt8(ascii: "z"), 0x80...: self = .lower
      case UInt8(ascii: "0")...UInt8(ascii: "9"): self = .digit
      default: self = .other
      }
    }
  }

  private static func isWordEnd(_ bytes: [UInt8], _ index: Int) -> Bool {
    index >= bytes.count || Kind(bytes[index]) == .other
  }

  /// After `<*>` or `<name>` of at most 16 lower-case letters and digits at `start`.
  private static func slotEnd(in bytes: [UInt8], from start: Int) -> Int? {
    var index = start + 1
    while index < bytes.count, index <= start + 17 {
      switch bytes[index] {
      case UInt8(ascii: ">"): return index > start + 1 ? index + 1 : nil
      case UInt8(ascii: "*"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): index += 1
      default: return nil
      }
    }
    return nil
  }
}
