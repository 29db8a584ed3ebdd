/// What a question asks for: its words, those that say nothing left out.
struct PatternQuery: Sendable {
  /// Distinct, in order.
  let words: [SearchWord]
  /// The word pieces of all, repeats kept.
  let pieces: [UInt16]

  /// Stems that mean what words of the query mean, by another name.
  struct Kin: Sendable {
    let stem: UInt64
    /// Of the query.
    let word: Int
    /// 0...1, as a cosine.
    let closeness: Float
  }
  let kin: [Kin]

  // Nearly the same word; of a word of a phrase, about half the meaning. Either half of the development queries gains
  // (nDCG@10 0.653 without, 0.701 with), and no closeness between 0.6 and 1 loses.
  private static let wordCloseness: Float = 0.9
  private static let phraseCloseness: Float = 0.54

  init(_ text: String, embedder: StaticEmbedder) {
    // Worth 0.02 nDCG@10 on the development queries.
    let prepared = PreparedText.prepare(text)
    let content = StopWords.removed(from: prepared)
    var words: [SearchWord] = []
    var pieces: [UInt16] = []
    var known: Set<UInt64> = []
    SearchWord.forEach(in: content) { bytes in
      let word = SearchWord(bytes, embedder: embedder)
      pieces += word.pieces
      if known.insert(SearchWord.hash(bytes)).inserted { words.append(word) }
    }
    self.words = words
    // Expressions may hold words that say nothing alone: `out of memory`.
    var all: [UInt64] = []
    SearchWord.forEach(in: prepared) { all.append(SearchWord.stem(of: $0)) }
    kin = PatternQuery.kin(of: all, words: words.map(\.stem))
    self.pieces = pieces
  }

  /// - Parameters:
  ///   - all: The stems of the query as it was put.
  ///   - words: The stems of those of its words that count.
  private static func kin(of all: [UInt64], words: [UInt64]) -> [Kin] {
    var closest: [UInt64: [Int: Float]] = [:]
    for start in all.indices {
      for group in OperationsVocabulary.groupsOfStem[all[start]] ?? [] {
        let expressions = OperationsVocabulary.groups[group]
        for said in expressions where all[start...].starts(with: said) {
          let lanes = said.compactMap { stem in words.firstIndex(of: stem) }
          for other in expressions where other != said {
            let closeness = other.count == 1 ? wordCloseness : phraseCloseness
            for stem in other where !said.contains(stem) {
              for lane in lanes { closest[stem, default: [:]][lane] = max(closest[stem]?[lane] ?? 0, closeness) }
            }
          }
        }
      }
    }
    return closest.flatMap { stem, lanes in lanes.map { Kin(stem: stem, word: $0.key, closeness: $0.value) } }
      .sorted { ($0.stem, $0.word) < ($1.stem, $1.word) }
  }
}
