/// Finds the patterns that a few words describe: by the words themselves, by their spelling, and by their meaning.
///
/// The rank is a sum of four scores, each divided by its maximum over the patterns for the query: BM25 over stems (k1
/// 1.2, b 0.5), the cosine of TF-IDF weighted character 3- to 5-grams, the cosine of the embeddings, and, by half
/// more, a soft match of word to word. Stop words of the query count for nothing; other names for the same
/// (`OperationsVocabulary`) count nearly as the words themselves.
///
/// A value: readers search copies while one writer goes on. Every search reads the words of all patterns, four bytes
/// each: 3 ms for 100,000 patterns. No vector is kept: a pattern's are the sums of its words' in the model's table.
package struct PatternSearchIndex: Sendable {
  /// One pattern found.
  package struct Hit: Hashable, Sendable {
    package let id: UInt32
    /// `parts.word + parts.meaning`: 0...4.5, and the weight of a second opinion more.
    package let score: Float
    package let parts: Parts
    /// The cosine of query and pattern, not divided by anything: what says that the best hit is no good.
    package let similarity: Float
  }

  /// How well a pattern fits by each measure, 0...1, and 1 for the pattern that fits best by it.
  package struct Parts: Hashable, Sendable {
    /// Stems in common.
    package let stems: Float
    /// As `stems`, of a pattern that has none in common but other names for the same.
    package let names: Float
    /// Spelling in common.
    package let grams: Float
    /// Embeddings; 0 where a second opinion took their place.
    package let embedding: Float
    /// Words that mean alike.
    package let pieces: Float
    /// What a second opinion adds, its weight counted in.
    package let opinion: Float

    /// What the words themselves add, 0...2.
    package var word: Float { stems + grams }
    /// What their meaning adds, 0...3.5, and the weight of a second opinion more.
    package var meaning: Float { names + embedding + Parts.weights.w * pieces + opinion }

    // 1.25 to 2 is best for the soft match in either half of the development queries.
    fileprivate static let weights = SIMD4<Float>(1, 1, 1, 1.5)

    fileprivate init(_ values: SIMD4<Float>, hasStem: Bool, opinion: Float) {
      stems = hasStem ? values.x : 0
      names = hasStem ? 0 : values.x
      (grams, embedding, pieces) = (values.y, values.z, values.w)
      self.opinion = opinion
    }
  }

  /// What another model thinks of how near the query and each pattern are. It takes the place of the built-in
  /// embedding; words, spelling and soft match stay.
  package struct Opinion {
    /// Of a sentence transformer's cosine: more than all other measures together, for alone it ranks better than they
    /// do. On the development queries it is worth 0.08 nDCG@10; from 5 to 6 it is best in either half of them.
    package static let transformerWeight: Float = 5

    /// What the nearest pattern gets by it, where words and spelling get 1 each.
    package let weight: Float
    /// The cosine by pattern; patterns it says nothing of get nothing.
    package let cosines: [UInt32: Float]

    package init(weight: Float = transformerWeight, cosines: [UInt32: Float]) {
      self.weight = weight
      self.cosines = cosines
    }
  }

  private let embedder: StaticEmbedder
  private var vocabulary: PatternVocabulary
  private var table = PatternTable()
  // Counted anew when the patterns have grown by a quarter: rarities move by less than that, and adding one pattern
  // then costs the same however many there are.
  private var weights = PatternWeights()

  package init(embedder: StaticEmbedder = .shared) {
    self.embedder = embedder
    vocabulary = PatternVocabulary(embedder: embedder)
  }

  package var count: Int { table.count }

  package func contains(_ id: UInt32) -> Bool { table.positionByID[id] != nil }

  /// The embedding of the pattern `id`.
  package func embedding(of id: UInt32) -> [Float]? {
    table.positionByID[id].map { position in
      embedder.embed(
        pieces: table.words[position].flatMap { word in
          vocabulary.terms[Int(word)].map { vocabulary.piece(of: $0) }
        })
    }
  }

  // MARK: Changing it

  /// Adds the pattern `id`, or gives it a new text.
  package mutating func insert(id: UInt32, text: String) { insert(CollectionOfOne((id: id, text: text))) }

  /// As `insert(id:text:)` for each; many at once are quicker.
  package mutating func insert(_ patterns: some Sequence<(id: UInt32, text: String)>) {
    for (id, text) in patterns {
      var words: [UInt32] = []
      var length = 0
      SearchWord.forEach(in: PreparedText.prepare(text)) { word in
        words.append(vocabulary.number(of: word))
        if !SearchWord.isMark(word) { length += 1 }
      }
      if let position = table.positionByID[id] {
        if table.words[position].elementsEqual(PatternTable.canonical(words).words) { continue }
        remove(id: id)
      }
      add(id: id, words: words, length: length)
    }
    if count > weights.countedPatterns + weights.countedPatterns / 4 { weights.recount(table, vocabulary) }
  }

  /// - Returns: Whether there was one.
  @discardableResult
  package mutating func remove(id: UInt32) -> Bool {
    guard let position = table.positionByID[id] else { return false }
    let words = table.distinctWords(at: position)
    for word in words { vocabulary.count(word, by: -1) }
    table.remove(id: id, stems: words.map { Int(vocabulary.stemOfWord[Int($0)]) })
    if table.positionCount > 64, count < table.positionCount / 2 { compact() }
    return true
  }

  private mutating func add(id: UInt32, words: [UInt32], length: Int) {
    let (words, distinctCount) = PatternTable.canonical(words)
    for word in words.prefix(distinctCount) { vocabulary.count(word, by: 1) }
    var stems: [(stem: Int, count: Int)] = []
    for word in words {
      let stem = Int(vocabulary.stemOfWord[Int(word)])
      if let known = stems.firstIndex(where: { $0.stem == stem }) {
        stems[known].count += 1
      } else {
        stems.append((stem, 1))
      }
    }
    let pieces = words.flatMap { word in vocabulary.terms[Int(word)].map { vocabulary.piece(of: $0) } }
    table.add(
      id: id, words: words, distinctCount: distinctCount, length: length,
      inverseLength: StaticEmbedder.inverseLength(of: pieces), stems: stems)
    weights.addLast(of: table, vocabulary)
  }

  /// Words that no pattern has any more are forgotten.
  private mutating func compact() {
    var compacted = PatternSearchIndex(embedder: embedder)
    for (position, id) in table.ids.enumerated() {
      guard let id else { continue }
      let words = table.words[position].map { compacted.vocabulary.adopt($0, of: vocabulary) }
      compacted.add(id: id, words: words, length: Int(table.lengths[position]))
    }
    compacted.weights.recount(compacted.table, compacted.vocabulary)
    self = compacted
  }

  // MARK: Searching it

  /// The patterns that fit `query` best, best first, equal scores by id.
  ///
  /// - Parameters:
  ///   - filter: Which ids may be answered.
  ///   - opinion: Enters the sum divided by its maximum, times its weight.
  package func search(
    _ query: String, limit: Int, opinion: Opinion? = nil, filter: ((UInt32) -> Bool)? = nil
  ) -> [Hit] {
    guard limit > 0, count > 0 else { return [] }
    let query = PatternQuery(query, embedder: embedder)
    if query.words.isEmpty { return [] }
    let scores = PatternScores(query, table: table, vocabulary: vocabulary, weights: weights)
    var inverseMaxima = 1 / scores.maxima
    inverseMaxima.replace(with: SIMD4<Float>.zero, where: scores.maxima .<= SIMD4<Float>.zero)
    let cosineMax = opinion?.cosines.values.max() ?? 0
    let opinionFactor = cosineMax > 0 ? (opinion?.weight ?? 0) / cosineMax : 0

    var weights = Parts.weights
    if opinion != nil { weights.z = 0 }

    // The best so far in order, at most `limit`: of many patterns only the few that may be answered are sorted.
    var best: [(id: UInt32, position: Int, score: Float, opinion: Float)] = []
    var scoreMin: Float = 0
    for position in 0..<table.positionCount {
      var value = scores.values[position] * inverseMaxima
      value.replace(with: SIMD4<Float>.zero, where: value .< SIMD4<Float>.zero)
      var score = (value * weights).sum()
      var opinionValue: Float = 0
      if opinionFactor > 0, let id = table.ids[position], let cosine = opinion?.cosines[id] {
        opinionValue = max(cosine, 0) * opinionFactor
        score += opinionValue
      }
      // Most end here, without a look at the pattern.
      if score < scoreMin { continue }
      guard score > 0, let id = table.ids[position], filter?(id) ?? true else { continue }
      func isAhead(_ other: (id: UInt32, position: Int, score: Float, opinion: Float)) -> Bool {
        other.score != score ? other.score > score : other.id < id
      }
      if best.count == limit {
        if isAhead(best[limit - 1]) { continue }
        best.removeLast()
      }
      var (low, high) = (0, best.count)
      while low < high {
        let middle = (low + high) / 2
        if isAhead(best[middle]) { low = middle + 1 } else { high = middle }
      }
      best.insert((id, position, score, opinionValue), at: low)
      if best.count == limit { scoreMin = best[limit - 1].score }
    }
    let stems = Set(query.words.compactMap { vocabulary.stem(of: $0.stem) })
    return best.map { entry in
      let value = scores.values[entry.position]
      let hasStem = table.distinctWords(at: entry.position).contains {
        stems.contains(Int(vocabulary.stemOfWord[Int($0)]))
      }
      let asked = opinion == nil ? value : SIMD4(value.x, value.y, 0, value.w)
      let normalized = (asked * inverseMaxima).clamped(
        lowerBound: SIMD4<Float>.zero, upperBound: SIMD4<Float>.one)
      return Hit(
        id: entry.id, score: entry.score, parts: Parts(normalized, hasStem: hasStem, opinion: entry.opinion),
        similarity: max(value.z, 0))
    }
  }
}
