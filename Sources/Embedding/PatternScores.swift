/// How well every pattern fits a query by each measure, by position; 0 at the positions of removed patterns.
struct PatternScores {
  /// BM25 of the stems, the cosine of the grams, the cosine of the embeddings, and the soft match.
  private(set) var values: [SIMD4<Float>]
  /// The maximum of each; at least 0.
  private(set) var maxima = SIMD4<Float>.zero

  init(
    _ query: PatternQuery, table: PatternTable, vocabulary: PatternVocabulary, weights: PatternWeights
  ) {
    values = [SIMD4<Float>](repeating: .zero, count: table.positionCount)
    addStems(query, table, vocabulary)

    let rarities = query.words.map { word -> Float in
      let held = vocabulary.stem(of: word.stem).map { table.patternsOfStem[$0].count } ?? 0
      return PatternWeights.rarity(held, of: table.count)
    }
    let raritySum = rarities.reduce(0, +)
    let gramWeights = PatternScores.gramWeights(query, vocabulary, weights)
    var first = 0
    while first < query.words.count {
      let end = min(first + WordScores.laneCount, query.words.count)
      let isFirst = first == 0
      let scores = WordScores(
        words: query.words[first..<end], kin: query.kin, pieces: isFirst ? query.pieces : [],
        grams: isFirst ? gramWeights : [],
        vocabulary: vocabulary, weights: weights)
      var lanes = SIMD8<Float>.zero
      for index in first..<end {
        lanes[index - first] = PatternScores.queryShare * rarities[index] / raritySum
      }
      maxima = SIMD4<Float>.zero
      add(scores, lanes: lanes, table: table, weights: weights)
      first = end
    }
  }

  /// Every word of the query finds its nearest in the pattern, and every one of the pattern its nearest in the query:
  /// mean squared cosines weighted by rarity, so much of the one and so much of the other.
  private static let queryShare: Float = 0.8
  private static let patternShare: Float = 0.2

  private mutating func add(
    _ scores: WordScores, lanes: SIMD8<Float>, table: PatternTable, weights: PatternWeights
  ) {
    let count = table.positionCount
    let patternShare = PatternScores.patternShare
    var maxima = SIMD4<Float>.zero
    // One level of closures an array: the loop reads seven and has no time for their bounds and owners.
    values.withUnsafeMutableBufferPointer { values in
      scores.sums.withUnsafeBufferPointer { sumsOfWord in
        scores.near.withUnsafeBufferPointer { nearRows in
          table.withBuffers { starts, distinctCounts, words, inverseLengths in
            weights.withPatternBuffers { inverseGramLengths, inverseRaritySums in
              for position in 0..<count {
                var near = SIMD8<Float>.zero
                var sums = SIMD4<Float>.zero
                let start = Int(starts[position])
                let repeats = start + Int(distinctCounts[position])
                for index in start..<repeats {
                  let ofWord = sumsOfWord[Int(words[index])]
                  let nearRow = nearRows[WordScores.row(ofWord)]
                  near.replace(with: nearRow, where: nearRow .> near)
                  sums += ofWord
                }
                var product = sums.x
                for index in repeats..<Int(starts[position + 1]) { product += sumsOfWord[Int(words[index])].x }
                // Of a removed pattern the lengths are 0.
                let value =
                  values[position]
                  + SIMD4(
                    0, sums.z * inverseGramLengths[position], product * inverseLengths[position],
                    PatternScores.sum(near * lanes) + patternShare * sums.y * inverseRaritySums[position])
                values[position] = value
                maxima.replace(with: value, where: value .> maxima)
              }
            }
          }
        }
      }
    }
    self.maxima = maxima
  }

  /// Pairwise: a chain of seven additions, each waiting for the one before, takes longer than the rest of the loop.
  @inline(__always)
  private static func sum(_ lanes: SIMD8<Float>) -> Float {
    let four = lanes.lowHalf + lanes.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  /// What another name counts for beside the word itself.
  private static let kinShare: Float = 0.4

  /// BM25 (Robertson and Zaragoza 2009), with words that mean the same at a share of their weight.
  private mutating func addStems(_ query: PatternQuery, _ table: PatternTable, _ vocabulary: PatternVocabulary) {
    let k1: Float = 1.2
    let b: Float = 0.5
    let meanLength = max(Float(table.lengthTotal) / Float(table.count), 1)
    var factors: [UInt64: Float] = [:]
    for kin in query.kin { factors[kin.stem] = max(factors[kin.stem] ?? 0, PatternScores.kinShare * kin.closeness) }
    for word in query.words { factors[word.stem] = 1 }
    for (key, factor) in factors.sorted(by: { $0.key < $1.key }) {
      guard let stem = vocabulary.stem(of: key) else { continue }
      let postings = table.patternsOfStem[stem]
      let held = Double(postings.count)
      let rarity = Float(naturalLogarithm(1 + (Double(table.count) - held + 0.5) / (held + 0.5)))
      for posting in postings {
        let frequency = Float(posting.count)
        let length = Float(table.lengths[posting.position])
        values[posting.position].x +=
          factor * rarity * frequency * (k1 + 1) / (frequency + k1 * (1 - b + b * length / meanLength))
      }
    }
  }

  /// `1 + ln(count)` times the rarity, of each gram of the query that some pattern has.
  private static func gramWeights(
    _ query: PatternQuery, _ vocabulary: PatternVocabulary, _ weights: PatternWeights
  ) -> [(gram: Int, weight: Float)] {
    var counts: [Int: Int] = [:]
    for key in query.words.lazy.flatMap(\.grams) {
      if let gram = vocabulary.gram(of: key) { counts[gram, default: 0] += 1 }
    }
    return counts.sorted { $0.key < $1.key }.map { gram, count in
      (gram, Float(1 + naturalLogarithm(Double(count))) * weights.gramRarities[gram])
    }
  }
}
