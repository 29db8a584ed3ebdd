/// What depends on how rare words and grams are, as of the last time they were counted.
struct PatternWeights: Sendable {
  /// How many patterns there were.
  private(set) var countedPatterns = 0
  /// By word, the rarity of its stem.
  private(set) var wordRarities: [Float] = []
  private(set) var gramRarities: [Float] = []
  /// The squared length of a word's grams, each weighted by its rarity.
  private(set) var gramSquares: [Float] = []
  /// By position: one over the length of the pattern's grams, and one over the sum of its words' rarities.
  private(set) var inverseGramLengths: [Float] = []
  private(set) var inverseRaritySums: [Float] = []

  /// `ln((1 + N) / (1 + n)) + 1` of what n of N patterns hold.
  static func rarity(_ held: Int, of total: Int) -> Float {
    Float(naturalLogarithm(Double(1 + total) / Double(1 + held)) + 1)
  }

  /// Calls `body` with the inverse gram lengths and rarity sums.
  @inline(__always)
  func withPatternBuffers(_ body: (UnsafeBufferPointer<Float>, UnsafeBufferPointer<Float>) -> Void) {
    inverseGramLengths.withUnsafeBufferPointer { lengths in
      inverseRaritySums.withUnsafeBufferPointer { body(lengths, $0) }
    }
  }

  /// Weighs words that came since, and the pattern at the last position.
  mutating func addLast(of table: PatternTable, _ vocabulary: PatternVocabulary) {
    for word in wordRarities.count..<vocabulary.wordCount {
      wordRarities.append(PatternWeights.rarity(1, of: max(table.count, countedPatterns)))
      while gramRarities.count < vocabulary.gramCount {
        gramRarities.append(PatternWeights.rarity(1, of: max(table.count, countedPatterns)))
      }
      gramSquares.append(gramSquare(of: word, vocabulary))
    }
    weighPattern(at: table.positionCount - 1, of: table)
  }

  /// Counts anew.
  mutating func recount(_ table: PatternTable, _ vocabulary: PatternVocabulary) {
    countedPatterns = table.count
    wordRarities = (0..<vocabulary.wordCount).map { word in
      let stem = Int(vocabulary.stemOfWord[word])
      let held = stem < table.patternsOfStem.count ? table.patternsOfStem[stem].count : 0
      return PatternWeights.rarity(held, of: table.count)
    }
    // A pattern with two words of a gram counts twice: of a logarithm that is nothing.
    gramRarities = vocabulary.wordsOfGram.map { words in
      let held = words.reduce(0) { $0 + Int(vocabulary.patternCounts[Int($1)]) }
      return PatternWeights.rarity(min(held, table.count), of: table.count)
    }
    gramSquares = (0..<vocabulary.wordCount).map { gramSquare(of: $0, vocabulary) }
    inverseGramLengths.removeAll(keepingCapacity: true)
    inverseRaritySums.removeAll(keepingCapacity: true)
    for position in 0..<table.positionCount { weighPattern(at: position, of: table) }
  }

  private func gramSquare(of word: Int, _ vocabulary: PatternVocabulary) -> Float {
    vocabulary.grams[word].reduce(0) { $0 + gramRarities[Int($1)] * gramRarities[Int($1)] }
  }

  /// The grams of unequal words count as unequal for a pattern's length.
  private mutating func weighPattern(at position: Int, of table: PatternTable) {
    var squares: Float = 0
    var rarities: Float = 0
    for word in table.distinctWords(at: position) {
      squares += gramSquares[Int(word)]
      rarities += wordRarities[Int(word)]
    }
    inverseGramLengths.append(squares > 0 ? 1 / squares.squareRoot() : 0)
    inverseRaritySums.append(rarities > 0 ? 1 / rarities : 0)
  }
}
