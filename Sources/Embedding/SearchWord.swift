/// A word of prepared text and what it is found by.
struct SearchWord: Sendable {
  /// A hash of its stem.
  let stem: UInt64
  /// Its character 3- to 5-grams, repeats kept; none for a mark of punctuation.
  let grams: [UInt64]
  /// Its word pieces.
  let pieces: [UInt16]

  init(stem: UInt64, grams: [UInt64], pieces: [UInt16]) {
    self.stem = stem
    self.grams = grams
    self.pieces = pieces
  }

  init(_ word: ArraySlice<UInt8>, embedder: StaticEmbedder) {
    stem = SearchWord.stem(of: word)
    grams = SearchWord.isMark(word) ? [] : SearchWord.grams(of: word)
    pieces = embedder.tokens(ofPrepared: Array(word))
  }

  /// Calls `body` with the words of prepared text: longest runs of letters and digits, bytes above ASCII counted as
  /// letters, and each mark of punctuation by itself.
  static func forEach(in text: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
    var start = 0
    var index = 0
    while index < text.count {
      if !isLetter(text[index]) {
        if start < index { body(text[start..<index]) }
        if text[index] != UInt8(ascii: " ") { body(text[index...index]) }
        start = index + 1
      }
      index += 1
    }
    if start < index { body(text[start..<index]) }
  }

  @inline(__always)
  static func isLetter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), 0x80...: true
    default: false
    }
  }

  static func isMark(_ word: ArraySlice<UInt8>) -> Bool { word.first.map { !isLetter($0) } ?? true }

  static func stem(of word: ArraySlice<UInt8>) -> UInt64 { hash(PorterStemmer.stem(Array(word))[...]) }

  /// FNV-1a. Two words with one hash would count as one: not in 2^32 of them.
  static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  static let gramLengths = 3...5

  /// The bytes of ` word ` in windows of 3, 4 and 5, up to five bytes in one number and their count above them. A
  /// word shorter than a window gives itself, once.
  private static func grams(of word: ArraySlice<UInt8>) -> [UInt64] {
    let padded = [UInt8(ascii: " ")] + word + [UInt8(ascii: " ")]
    var grams: [UInt64] = []
    for length in gramLengths {
      let windowLength = min(length, padded.count)
      for start in 0...(padded.count - windowLength) {
        var gram = UInt64(windowLength)
        for offset in 0..<windowLength { gram = gram << 8 | UInt64(padded[start + offset]) }
        grams.append(gram)
      }
      if padded.count <= length { break }
    }
    return grams
  }
}
