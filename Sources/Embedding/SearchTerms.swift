/// What a prepared text is searched by.
struct SearchTerms {
  /// Hashes of the stems of its words, repeats kept.
  let stems: [UInt64]
  /// Its character 3- to 5-grams within words, repeats kept.
  let grams: [UInt64]
  /// Its word pieces, repeats kept.
  let pieces: [UInt16]

  init(prepared text: [UInt8], embedder: StaticEmbedder) {
    var stems: [UInt64] = []
    var grams: [UInt64] = []
    SearchTerms.forEachWord(in: text) { word in
      stems.append(SearchTerms.hash(PorterStemmer.stem(Array(word))))
      SearchTerms.appendGrams(of: word, to: &grams)
    }
    self.stems = stems
    self.grams = grams
    pieces = embedder.tokens(ofPrepared: text)
  }

  /// Runs of letters and digits; bytes above ASCII count as letters.
  private static func forEachWord(in text: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
    for word in text.split(whereSeparator: { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), 0x80...: false
      default: true
      }
    }) { body(word) }
  }

  /// FNV-1a. Two stems with one hash would count as one word: not in 2^32 of them.
  private static func hash(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  static let gramLengths = 3...5

  /// The bytes of ` word ` in windows of 3, 4 and 5, up to five bytes in one number and their count above them. A
  /// word shorter than a window gives itself, once.
  private static func appendGrams(of word: ArraySlice<UInt8>, to grams: inout [UInt64]) {
    let padded = [UInt8(ascii: " ")] + word + [UInt8(ascii: " ")]
    for length in gramLengths {
      let windowLength = min(length, padded.count)
      for start in 0...(padded.count - windowLength) {
        var gram = UInt64(windowLength)
        for offset in 0..<windowLength { gram = gram << 8 | UInt64(padded[start + offset]) }
        grams.append(gram)
      }
      if padded.count <= length { break }
    }
  }
}
