/// Finds the patterns that a few words describe: by the words themselves, by their spelling, and by their meaning.
///
/// The rank is a sum of four scores, each divided by its maximum over the patterns for the query: BM25 over stems (k1
/// 1.2, b 0.5), the cosine of TF-IDF weighted character 3- to 5-grams, the cosine of the embeddings, and, by half
/// more, a soft match of word piece to word piece. Stop words of the query count for nothing.
///
/// A value: readers search copies while one writer goes on. Every search reads all patterns: 5 ms for 100,000.
package struct PatternSearchIndex: Sendable {
  /// One pattern found.
  package struct Hit: Hashable, Sendable {
    package let id: UInt32
    /// `parts.word + parts.meaning`, 0...4.5.
    package let score: Float
    package let parts: Parts
    /// The cosine of query and pattern, not divided by anything: what says that the best hit is no good.
    package let similarity: Float
  }

  /// How well a pattern fits by each measure, 0...1, and 1 for the pattern that fits best by it.
  package struct Parts: Hashable, Sendable {
    /// Stems in common.
    package let stems: Float
    /// Spelling in common.
    package let grams: Float
    /// Embeddings.
    package let embedding: Float
    /// Word pieces that mean alike.
    package let pieces: Float

    /// What the words themselves add, 0...2.
    package var word: Float { stems + grams }
    /// What their meaning adds, 0...2.5.
    package var meaning: Float { embedding + Parts.piecesWeight * pieces }

    // 1.25 to 1.5 is best in either half of the development queries (nDCG@10 0.656 with 1, 0.666 with 1.5).
    private static let piecesWeight: Float = 1.5
  }

  private struct Document {
    let id: UInt32
    let prepared: [UInt8]
    let stemCount: Int
  }

  private let embedder: StaticEmbedder

  /// By position; `nil` where a pattern was removed. Positions are never used again, so that postings stay in order.
  private var documents: [Document?] = []
  private var positionByID: [UInt32: Int] = [:]
  private var stemTotal = 0

  private var stems = PostingTable()
  private var grams = PostingTable()
  private var pieces = PostingTable()
  /// The embedding of each document, and the unit vector of each term in `pieces`: rows of `StaticEmbedder.dimension`.
  private var embeddings: [Float] = []
  private var pieceVectors: [Float] = []

  // What depends on how rare terms are is computed anew when the patterns have grown by a sixteenth: rarities move by
  // less than that, and adding one pattern then costs the same however many there are.
  private var weighedCount = 0
  private var gramRarities: [Float] = []
  private var gramNorms: [Float] = []
  private var pieceRarities: [Float] = []
  private var pieceRaritySums: [Float] = []

  package init(embedder: StaticEmbedder = .shared) { self.embedder = embedder }

  package var count: Int { positionByID.count }

  package func contains(_ id: UInt32) -> Bool { positionByID[id] != nil }

  /// The embedding of the pattern `id`.
  package func embedding(of id: UInt32) -> [Float]? {
    positionByID[id].map { position in
      Array(embeddings[position * StaticEmbedder.dimension..<(position + 1) * StaticEmbedder.dimension])
    }
  }

  // MARK: Changing it

  /// Adds the pattern `id`, or gives it a new text.
  package mutating func insert(id: UInt32, text: String) { insert(CollectionOfOne((id: id, text: text))) }

  /// As `insert(id:text:)` for each; many at once are quicker.
  package mutating func insert(_ patterns: some Sequence<(id: UInt32, text: String)>) {
    for (id, text) in patterns {
      let prepared = PreparedText.prepare(text)
      if let position = positionByID[id] {
        if documents[position]?.prepared == prepared { continue }
        remove(id: id)
      }
      add(id: id, prepared: prepared)
    }
    if count > weighedCount + weighedCount / 16 { weigh() }
  }

  /// - Returns: Whether there was one.
  @discardableResult
  package mutating func remove(id: UInt32) -> Bool {
    guard let position = positionByID.removeValue(forKey: id), let document = documents[position] else { return false }
    let terms = SearchTerms(prepared: document.prepared, embedder: embedder)
    stems.remove(document: position, keys: terms.stems)
    grams.remove(document: position, keys: terms.grams)
    pieces.remove(document: position, keys: terms.pieces.lazy.map(UInt64.init))
    stemTotal -= document.stemCount
    documents[position] = nil
    if documents.count > 64, count < documents.count / 2 { compact() }
    return true
  }

  private mutating func add(id: UInt32, prepared: [UInt8]) {
    let position = documents.count
    let terms = SearchTerms(prepared: prepared, embedder: embedder)
    documents.append(Document(id: id, prepared: prepared, stemCount: terms.stems.count))
    positionByID[id] = position
    stemTotal += terms.stems.count
    stems.add(document: position, keys: terms.stems)
    grams.add(document: position, keys: terms.grams)

    let knownPieceCount = pieces.termCount
    pieces.add(document: position, keys: terms.pieces.lazy.map(UInt64.init))
    // New terms are numbered in the order of their keys.
    if pieces.termCount > knownPieceCount {
      let new = PostingTable.counts(of: terms.pieces.lazy.map(UInt64.init)).compactMap { key, _ in
        pieces.term(of: key).flatMap { $0 >= knownPieceCount ? UInt16(key) : nil }
      }
      for piece in new { pieceVectors += embedder.unitVector(of: piece) }
    }
    embeddings += embedder.embed(pieces: terms.pieces)

    for term in gramRarities.count..<grams.termCount { gramRarities.append(rarity(of: term, in: grams)) }
    for term in pieceRarities.count..<pieces.termCount { pieceRarities.append(rarity(of: term, in: pieces)) }
    var squares: Float = 0
    for (key, count) in PostingTable.counts(of: terms.grams) {
      guard let term = grams.term(of: key) else { continue }
      let weight = PatternSearchIndex.sublinear[min(count, PostingTable.countMax)] * gramRarities[term]
      squares += weight * weight
    }
    gramNorms.append(squares.squareRoot())
    pieceRaritySums.append(
      PostingTable.counts(of: terms.pieces.lazy.map(UInt64.init)).reduce(0) { sum, entry in
        sum + (pieces.term(of: entry.key).map { pieceRarities[$0] } ?? 0)
      })
  }

  private mutating func compact() {
    var compacted = PatternSearchIndex(embedder: embedder)
    for document in documents {
      if let document { compacted.add(id: document.id, prepared: document.prepared) }
    }
    compacted.weigh()
    self = compacted
  }

  private mutating func weigh() {
    weighedCount = count
    gramRarities = (0..<grams.termCount).map { rarity(of: $0, in: grams) }
    pieceRarities = (0..<pieces.termCount).map { rarity(of: $0, in: pieces) }
    var squares = [Float](repeating: 0, count: documents.count)
    for term in 0..<grams.termCount {
      for posting in grams.postings[term] {
        let weight = PatternSearchIndex.sublinear[posting.count] * gramRarities[term]
        squares[posting.document] += weight * weight
      }
    }
    gramNorms = squares.map { $0.squareRoot() }
    var sums = [Float](repeating: 0, count: documents.count)
    for term in 0..<pieces.termCount {
      for posting in pieces.postings[term] { sums[posting.document] += pieceRarities[term] }
    }
    pieceRaritySums = sums
  }

  /// `ln((1 + N) / (1 + n)) + 1` of a term that n of N patterns hold.
  private func rarity(of term: Int?, in table: PostingTable) -> Float {
    let held = term.map { table.documentCount(of: $0) } ?? 0
    return Float(naturalLogarithm(Double(1 + count) / Double(1 + held)) + 1)
  }

  /// `1 + ln(count)`.
  private static let sublinear: [Float] = (0...PostingTable.countMax).map {
    $0 == 0 ? 0 : Float(1 + naturalLogarithm(Double($0)))
  }

  // MARK: Searching it

  /// The patterns that fit `query` best, best first, equal scores by id.
  ///
  /// - Parameter filter: Which ids may be answered.
  package func search(_ query: String, limit: Int, filter: ((UInt32) -> Bool)? = nil) -> [Hit] {
    guard limit > 0, count > 0 else { return [] }
    // Worth 0.02 nDCG@10 on the development queries.
    let content = StopWords.removed(from: PreparedText.prepare(query))
    let terms = SearchTerms(prepared: content, embedder: embedder)
    let similarities = similarities(to: embedder.embed(pieces: terms.pieces))
    let byStems = PatternSearchIndex.dividedByMaximum(stemScores(terms.stems))
    let byGrams = PatternSearchIndex.dividedByMaximum(gramScores(terms.grams))
    let byEmbedding = PatternSearchIndex.dividedByMaximum(similarities)
    let byPieces = PatternSearchIndex.dividedByMaximum(pieceScores(terms.pieces))

    // The best so far in order, at most `limit`: of many patterns only the few that may be answered are sorted.
    var hits: [Hit] = []
    var scoreMin: Float = 0
    for position in documents.indices {
      let parts = Parts(
        stems: byStems[position], grams: byGrams[position], embedding: byEmbedding[position],
        pieces: byPieces[position])
      let score = parts.word + parts.meaning
      // Most end here, without a look at the document.
      if score < scoreMin { continue }
      guard score > 0, let document = documents[position], filter?(document.id) ?? true else { continue }
      func isBehind(_ hit: Hit) -> Bool { hit.score != score ? hit.score > score : hit.id < document.id }
      if hits.count == limit {
        if isBehind(hits[limit - 1]) { continue }
        hits.removeLast()
      }
      var (low, high) = (0, hits.count)
      while low < high {
        let middle = (low + high) / 2
        if isBehind(hits[middle]) { low = middle + 1 } else { high = middle }
      }
      hits.insert(Hit(id: document.id, score: score, parts: parts, similarity: similarities[position]), at: low)
      if hits.count == limit { scoreMin = hits[limit - 1].score }
    }
    return hits
  }

  private static func dividedByMaximum(_ scores: consuming [Float]) -> [Float] {
    scores.withUnsafeMutableBufferPointer { scores in
      var maxima = SIMD8<Float>.zero
      var index = 0
      while index + 8 <= scores.count {
        for lane in 0..<8 where scores[index + lane] > maxima[lane] { maxima[lane] = scores[index + lane] }
        index += 8
      }
      var maximum = maxima.max()
      for rest in index..<scores.count { maximum = Swift.max(maximum, scores[rest]) }
      for index in scores.indices { scores[index] = maximum > 0 ? Swift.max(scores[index], 0) / maximum : 0 }
    }
    return scores
  }

  /// BM25 (Robertson and Zaragoza 2009).
  private func stemScores(_ queryStems: [UInt64]) -> [Float] {
    let k1: Float = 1.2
    let b: Float = 0.5
    var scores = [Float](repeating: 0, count: documents.count)
    let meanLength = max(Float(stemTotal) / Float(count), 1)
    for key in Set(queryStems).sorted() {
      guard let term = stems.term(of: key) else { continue }
      let held = Double(stems.documentCount(of: term))
      let rarity = Float(naturalLogarithm(1 + (Double(count) - held + 0.5) / (held + 0.5)))
      for posting in stems.postings[term] {
        let frequency = Float(posting.count)
        let length = Float(documents[posting.document]?.stemCount ?? 0)
        scores[posting.document] +=
          rarity * frequency * (k1 + 1) / (frequency + k1 * (1 - b + b * length / meanLength))
      }
    }
    return scores
  }

  /// The cosine of the gram vectors, but for the length of the query's, which is the same for all.
  private func gramScores(_ queryGrams: [UInt64]) -> [Float] {
    var scores = [Float](repeating: 0, count: documents.count)
    for (key, count) in PostingTable.counts(of: queryGrams) {
      guard let term = grams.term(of: key) else { continue }
      let rarity = gramRarities[term]
      let weight = PatternSearchIndex.sublinear[min(count, PostingTable.countMax)] * rarity * rarity
      for posting in grams.postings[term] {
        scores[posting.document] += weight * PatternSearchIndex.sublinear[posting.count]
      }
    }
    for position in scores.indices where gramNorms[position] > 0 { scores[position] /= gramNorms[position] }
    return scores
  }

  /// The cosine of each embedding and `query`.
  private func similarities(to query: [Float]) -> [Float] {
    rowProducts(of: query, with: embeddings)
  }

  private func rowProducts(of query: [Float], with rows: [Float]) -> [Float] {
    let dimension = StaticEmbedder.dimension
    let rowCount = rows.count / dimension
    return [Float](unsafeUninitializedCapacity: rowCount) { products, productCount in
      query.withUnsafeBufferPointer { query in
        rows.withUnsafeBufferPointer { rows in
          guard let query = query.baseAddress, let rows = rows.baseAddress else { return }
          for row in 0..<rowCount {
            products.initializeElement(at: row, to: UnitLength.dot(query, rows + row * dimension, count: dimension))
          }
        }
      }
      productCount = rowCount
    }
  }

  /// Every word piece of the query finds its nearest in the pattern, and every one of the pattern its nearest in the
  /// query: mean squared cosines weighted by rarity, 0.8 of the one and 0.2 of the other.
  private func pieceScores(_ queryPieces: [UInt16]) -> [Float] {
    let queryShare: Float = 0.8
    let patternShare: Float = 0.2
    // Pieces that are less alike than this are not alike.
    let cosineMin: Float = 0.3

    var scores = [Float](repeating: 0, count: documents.count)
    let distinct = Set(queryPieces).sorted()
    let rarities = distinct.map { rarity(of: pieces.term(of: UInt64($0)), in: pieces) }
    let raritySum = rarities.reduce(0, +)
    guard raritySum > 0 else { return scores }

    var nearestInQuery = [Float](repeating: 0, count: pieces.termCount)
    var best = [Float](repeating: 0, count: documents.count)
    for (piece, rarity) in zip(distinct, rarities) {
      let cosines = rowProducts(of: embedder.unitVector(of: piece), with: pieceVectors)
      for index in best.indices { best[index] = 0 }
      for term in 0..<cosines.count where cosines[term] >= cosineMin {
        let square = cosines[term] * cosines[term]
        nearestInQuery[term] = max(nearestInQuery[term], square)
        for posting in pieces.postings[term] where best[posting.document] < square { best[posting.document] = square }
      }
      let weight = queryShare * rarity / raritySum
      for index in best.indices { scores[index] += weight * best[index] }
    }

    var mirrored = [Float](repeating: 0, count: documents.count)
    for term in 0..<nearestInQuery.count where nearestInQuery[term] > 0 {
      let weight = nearestInQuery[term] * pieceRarities[term]
      for posting in pieces.postings[term] { mirrored[posting.document] += weight }
    }
    for index in scores.indices where pieceRaritySums[index] > 0 {
      scores[index] += patternShare * mirrored[index] / pieceRaritySums[index]
    }
    return scores
  }
}
