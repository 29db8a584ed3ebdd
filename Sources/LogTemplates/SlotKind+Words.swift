package import Domain

extension SlotKind {
  /// Whether `word`, a word as WordTokenizer finds it, can stand as a whole word in a slot of this kind.
  ///
  /// Never false for a word that does; true for some that do not. Case counts: a reader that ignores case asks for each
  /// form it takes.
  package func mayHold(word: [UInt8]) -> Bool {
    var digits = 0
    var hexDigits = 0
    var letters = 0
    for byte in word {
      if SlotScanner.isDigit(byte) { digits += 1 }
      if SlotScanner.isHex(byte) { hexDigits += 1 }
      if SlotScanner.isLetter(byte) { letters += 1 }
    }
    switch self {
    case .integer, .decimal:
      return digits == word.count
    case .ipv4:
      return digits == word.count && digits <= 3
    case .hex:
      let isPrefixed = word.count > 2 && word[0] == UInt8(ascii: "0") && word[1] | 0x20 == UInt8(ascii: "x")
      return isPrefixed ? hexDigits == word.count - 1 : hexDigits == word.count && digits > 0 && word.count >= 6
    case .uuid:
      return hexDigits == word.count && (word.count == 4 || word.count == 8 || word.count == 12)
    case .ipv6:
      return hexDigits == word.count && word.count <= 4
    case .duration:
      return digits > 0 && SlotScanner.isDigit(word[0])
    case .timestamp:
      return digits > 0 || (letters == word.count && letters <= 3)
    case .path, .quoted, .word, .bytes:
      return true
    }
  }
}
