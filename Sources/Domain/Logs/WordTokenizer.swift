/// What a word is, everywhere in Timberline: a longest run of letters, digits and `_` (Unicode's letters and numbers outside ASCII),
/// as in VictoriaLogs' LogsQL. Bytes that are not UTF-8 end a word.
package enum WordTokenizer {
  /// Calls `body` with the range of each word of `text`, in order.
  package static func forEachWord(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
    var index = 0
    var start = -1
    while index < text.count {
      let (length, isWord) = classify(text, at: index)
      if isWord {
        if start < 0 { start = index }
      } else if start >= 0 {
        body(start..<index)
        start = -1
      }
      index += length
    }
    if start >= 0 { body(start..<text.count) }
  }

  /// The words of `text`, in order, repeats kept.
  package static func words(of text: [UInt8]) -> [[UInt8]] {
    var words: [[UInt8]] = []
    text.withUnsafeBufferPointer { buffer in
      forEachWord(in: buffer) { words.append(Array(buffer[$0])) }
    }
    return words
  }

  /// Whether a word character ends just before `index`.
  package static func isWord(_ text: UnsafeBufferPointer<UInt8>, before index: Int) -> Bool {
    guard index > 0 else { return false }
    var start = index - 1
    if text[start] < 0x80 { return isASCIIWord(text[start]) }
    while start > 0, index - start < 4, text[start] & 0xC0 == 0x80 { start -= 1 }
    let (length, isWord) = classify(text, at: start)
    return isWord && start + length == index
  }

  /// Whether a word character starts at `index`.
  package static func isWord(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
    guard index < text.count else { return false }
    return classify(text, at: index).isWord
  }

  @inlinable
  @inline(__always)
  package static func isASCIIWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// The length in bytes of the scalar at `index` (1 for a byte that starts none) and whether it belongs to a word.
  private static func classify(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (length: Int, isWord: Bool) {
    let first = text[index]
    if first < 0x80 { return (1, isASCIIWord(first)) }
    let length =
      first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xC2 && first < 0xE0 ? 2 : 0
    guard length > 0, index + length <= text.count else { return (1, false) }
    var value = UInt32(first) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
    for offset in 1..<length {
      let next = text[index + offset]
      guard next & 0xC0 == 0x80 else { return (1, false) }
      value = value << 6 | UInt32(next & 0x3F)
    }
    guard let scalar = Unicode.Scalar(value), value >= (length == 3 ? 0x800 : length == 4 ? 0x10000 : 0x80) else {
      return (1, false)
    }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
      .letterNumber,
      .otherNumber:
      return (length, true)
    default:
      return (length, false)
    }
  }
}
