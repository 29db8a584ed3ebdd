/// The distinct words of all patterns, each taken apart once: its stem, its spelling in grams, its pieces.
///
/// Patterns share their words: a hundred thousand of them are made of some ten thousand. What a query has to do with a
/// pattern is the sum, or the maximum, of what it has to do with the pattern's words.
struct PatternVocabulary: Sendable {
  private let embedder: StaticEmbedder

  private var wordByHash: [UInt64: UInt32] = [:]
  private var stemByHash: [UInt64: UInt32] = [:]
  private var gramByKey: [UInt64: UInt32] = [:]
  /// Plus one; 0 for a piece no word has.
  private var termByPiece: [UInt16]

  // What the numbers are of, for handing words on.
  private var hashes: [UInt64] = []
  private var stemHashes: [UInt64] = []
  private var gramKeys: [UInt64] = []

  // By word.
  private(set) var stemOfWord: [UInt32] = []
  private(set) var grams = Rows<UInt32>()
  /// Numbers of the pieces in use.
  private(set) var terms = Rows<UInt16>()
  /// One over the length of the sum of its pieces' vectors; 0 if the model knows none of them.
  private(set) var inverseLengths: [Float] = []
  /// How many patterns hold the word.
  private(set) var patternCounts: [UInt32] = []

  /// Words that have the gram, by gram.
  private(set) var wordsOfGram: [[UInt32]] = []
  /// The pieces in use, by their numbers.
  private(set) var pieces: [UInt32] = []

  init(embedder: StaticEmbedder) {
    self.embedder = embedder
    termByPiece = Array(repeating: 0, count: StaticEmbedder.pieceCount)
  }

  var wordCount: Int { stemOfWord.count }
  var stemCount: Int { stemHashes.count }
  var gramCount: Int { wordsOfGram.count }

  func stem(of hash: UInt64) -> Int? { stemByHash[hash].map(Int.init) }

  func gram(of key: UInt64) -> Int? { gramByKey[key].map(Int.init) }

  /// Calls `body` with where each word's terms begin, all terms, and the words' inverse lengths.
  @inline(__always)
  func withTermBuffers(
    _ body: (UnsafeBufferPointer<UInt32>, UnsafeBufferPointer<UInt16>, UnsafeBufferPointer<Float>) -> Void
  ) {
    terms.starts.withUnsafeBufferPointer { starts in
      terms.elements.withUnsafeBufferPointer { terms in
        inverseLengths.withUnsafeBufferPointer { body(starts, terms, $0) }
      }
    }
  }

  /// The model's number of a term's piece.
  func piece(of term: UInt16) -> UInt16 { UInt16(pieces[Int(term)]) }

  mutating func count(_ word: UInt32, by change: Int) {
    patternCounts[Int(word)] = UInt32(clamping: Int(patternCounts[Int(word)]) + change)
  }

  /// The number of a word, one that follows all others if it is new.
  mutating func number(of word: ArraySlice<UInt8>) -> UInt32 {
    let hash = SearchWord.hash(word)
    return wordByHash[hash] ?? add(SearchWord(word, embedder: embedder), hash: hash)
  }

  /// As `number(of:)`, of a word that `other` knows.
  mutating func adopt(_ word: UInt32, of other: PatternVocabulary) -> UInt32 {
    let hash = other.hashes[Int(word)]
    if let known = wordByHash[hash] { return known }
    let parts = SearchWord(
      stem: other.stemHashes[Int(other.stemOfWord[Int(word)])],
      grams: other.grams[Int(word)].map { other.gramKeys[Int($0)] },
      pieces: other.terms[Int(word)].map { other.piece(of: $0) })
    return add(parts, hash: hash)
  }

  private mutating func add(_ parts: SearchWord, hash: UInt64) -> UInt32 {
    let number = UInt32(wordCount)
    wordByHash[hash] = number
    hashes.append(hash)
    if let known = stemByHash[parts.stem] {
      stemOfWord.append(known)
    } else {
      let stem = UInt32(stemHashes.count)
      stemByHash[parts.stem] = stem
      stemOfWord.append(stem)
      stemHashes.append(parts.stem)
    }
    for key in parts.grams {
      let gram = gramByKey[key] ?? UInt32(gramCount)
      if gram == gramCount {
        gramByKey[key] = gram
        gramKeys.append(key)
        wordsOfGram.append([])
      }
      wordsOfGram[Int(gram)].append(number)
      grams.append(gram)
    }
    grams.endRow()
    for piece in parts.pieces {
      if termByPiece[Int(piece)] == 0 {
        pieces.append(UInt32(piece))
        termByPiece[Int(piece)] = UInt16(pieces.count)
      }
      terms.append(termByPiece[Int(piece)] - 1)
    }
    terms.endRow()
    inverseLengths.append(StaticEmbedder.inverseLength(of: parts.pieces))
    patternCounts.append(0)
    return number
  }
}

/// Lists of unequal length, one after another.
struct Rows<Element: Sendable>: Sendable {
  private(set) var elements: [Element] = []
  /// Where each row begins, and where the last ends.
  private(set) var starts: [UInt32] = [0]

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func endRow() { starts.append(UInt32(elements.count)) }

  func range(_ row: Int) -> Range<Int> { Int(starts[row])..<Int(starts[row + 1]) }

  subscript(row: Int) -> ArraySlice<Element> { elements[range(row)] }
}
