import Testing

@testable import Domain

@Suite struct WordTokenizerTests {
  @Test(arguments: [
    ("", []), ("one", ["one"]), ("a_b c-d", ["a_b", "c", "d"]), ("  x=1,y=2 ", ["x", "1", "y", "2"]),
    ("naïve Größe", ["naïve", "Größe"]), ("日本語 ok", ["日本語", "ok"]), ("½ ²", ["½", "²"]), ("a😀b", ["a", "b"]),
    ("10.0.0.1:80", ["10", "0", "0", "1", "80"]),
  ])
  func `words are runs of letters, digits and underscores`(text: String, words: [String]) {
    #expect(WordTokenizer.words(of: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } == words)
  }

  @Test func `bytes that are not UTF-8 end a word`() {
    #expect(WordTokenizer.words(of: Array("ab".utf8) + [0xFF] + Array("cd".utf8)).count == 2)
    #expect(WordTokenizer.words(of: [0xC3]).isEmpty)
    #expect(WordTokenizer.words(of: [0x61, 0xE6, 0x97]) == [[0x61]])
    // Overlong forms of "A" and half of a surrogate pair.
    #expect(WordTokenizer.words(of: [0xC1, 0x81]).isEmpty)
    #expect(WordTokenizer.words(of: [0xE0, 0x81, 0x81]).isEmpty)
    #expect(WordTokenizer.words(of: [0xF0, 0x80, 0x81, 0x81]).isEmpty)
    #expect(WordTokenizer.words(of: [0xED, 0xA0, 0x80]).isEmpty)
  }

  /// Whether the scalar that begins at `index` belongs to a word, and its length; by the standard library's decoder.
  private static func scalar(_ bytes: [UInt8], _ index: Int) -> (length: Int, isWord: Bool) {
    for length in 1...4 where index + length <= bytes.count {
      guard let text = String(validating: bytes[index..<index + length], as: UTF8.self),
        let scalar = text.unicodeScalars.first,
        text.unicodeScalars.count == 1
      else { continue }
      let category = scalar.properties.generalCategory
      let isLetter: Set<Unicode.GeneralCategory> = [
        .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
        .letterNumber, .otherNumber,
      ]
      return (length, scalar == "_" || isLetter.contains(category))
    }
    return (1, false)
  }

  private static func naiveWords(of bytes: [UInt8]) -> [[UInt8]] {
    var words: [[UInt8]] = []
    var word: [UInt8] = []
    var index = 0
    while index < bytes.count {
      let (length, isWord) = scalar(bytes, index)
      if isWord {
        word += bytes[index..<index + length]
      } else if !word.isEmpty {
        words.append(word)
        word = []
      }
      index += length
    }
    return word.isEmpty ? words : words + [word]
  }

  @Test func `arbitrary bytes split as a naive reading of Unicode splits them`() {
    let pieces: [[UInt8]] = [
      Array("a".utf8), Array("_".utf8), Array("9".utf8), [0x20], Array("-".utf8), Array("é".utf8), Array("日".utf8),
      Array("😀".utf8), Array("𝒳".utf8), Array("٣".utf8), [0x80], [0xC3], [0xE6, 0x97], [0xF0, 0x9D], [0xFF],
      [0xED, 0xA0],
    ]
    for seed in 0..<UInt64(800) {
      var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
      func next(_ count: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % count
      }
      let bytes = (0..<next(24)).flatMap { _ in pieces[next(pieces.count)] }

      let words = WordTokenizer.words(of: bytes)
      #expect(words == Self.naiveWords(of: bytes), "seed \(seed)")

      bytes.withUnsafeBufferPointer { buffer in
        var index = 0
        var wasWord = false
        while index < bytes.count {
          let (length, isWord) = Self.scalar(bytes, index)
          #expect(WordTokenizer.isWord(buffer, at: index) == isWord, "seed \(seed), at \(index)")
          #expect(WordTokenizer.isWord(buffer, before: index) == wasWord, "seed \(seed), before \(index)")
          wasWord = isWord
          index += length
        }
        #expect(WordTokenizer.isWord(buffer, before: bytes.count) == wasWord, "seed \(seed), at the end")
        #expect(!WordTokenizer.isWord(buffer, at: bytes.count))
      }
    }
  }
}
