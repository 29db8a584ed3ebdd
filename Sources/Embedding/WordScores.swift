internal import CEmbeddingModel
internal import CKernels

/// What each word of the vocabulary has to do with a query, and up to eight of its words in particular.
struct WordScores {
  /// Words of the query looked at in one go.
  static let laneCount = 8

  /// By word of the vocabulary: what it adds to the inner product of the embeddings, to the mirrored soft match, and to
  /// the product of the gram vectors; and, as a whole number, its row in `near`.
  private(set) var sums: [SIMD4<Float>]
  /// By word of the query, the squared cosine, 0 where the two are not alike. Row 0 is of all words that are like none.
  private(set) var near: [SIMD8<Float>] = [.zero]

  @inline(__always)
  static func row(_ sums: SIMD4<Float>) -> Int { Int(truncatingIfNeeded: sums.w.bitPattern) }

  /// Words that are less alike than this are not alike.
  private static let cosineMin: Float = 0.3

  /// - Parameters:
  ///   - words: At most `laneCount` of the query's words.
  ///   - kin: What means the same as any word of the query.
  ///   - pieces: All pieces of the query, for the embedding; empty to leave it out.
  ///   - grams: The query's weight of each gram that the vocabulary knows; empty to leave them out.
  init(
    words: ArraySlice<SearchWord>, kin: [PatternQuery.Kin], pieces: [UInt16], grams: [(gram: Int, weight: Float)],
    vocabulary: PatternVocabulary, weights: PatternWeights
  ) {
    let products = PieceProducts(pieces: words.flatMap(\.pieces) + pieces, vocabulary: vocabulary)
    let termCount = vocabulary.pieces.count
    var lanes = [SIMD8<Float>](repeating: .zero, count: termCount)
    lanes.withUnsafeMutableBufferPointer { lanes in
      for (lane, word) in words.enumerated() {
        let inverseLength = StaticEmbedder.inverseLength(of: word.pieces)
        for piece in word.pieces { products.forEach(piece, times: inverseLength) { lanes[$0][lane] += $1 } }
      }
    }
    var whole = [Float](repeating: 0, count: termCount)
    whole.withUnsafeMutableBufferPointer { whole in
      let inverseLength = StaticEmbedder.inverseLength(of: pieces)
      for piece in pieces { products.forEach(piece, times: inverseLength) { whole[$0] += $1 } }
    }

    var gramSums = [Float](repeating: 0, count: vocabulary.wordCount)
    for (gram, weight) in grams {
      let rarity = weights.gramRarities[gram]
      for word in vocabulary.wordsOfGram[gram] { gramSums[Int(word)] += weight * rarity }
    }

    // By stem, a row of how close it is to the words by another name; row 0 of those that are not.
    var kinRows: [SIMD8<Float>] = [.zero]
    var kinOfStem = [UInt16](repeating: 0, count: vocabulary.stemCount)
    for kin in kin where words.indices.contains(kin.word) {
      guard let stem = vocabulary.stem(of: kin.stem), kinRows.count < Int(UInt16.max) else { continue }
      if kinOfStem[stem] == 0 {
        kinOfStem[stem] = UInt16(kinRows.count)
        kinRows.append(.zero)
      }
      kinRows[Int(kinOfStem[stem])][kin.word - words.startIndex] = kin.closeness
    }
    var near = self.near
    let least = SIMD8<Float>(repeating: WordScores.cosineMin)
    sums = [SIMD4<Float>](unsafeUninitializedCapacity: vocabulary.wordCount) { sums, count in
      count = vocabulary.wordCount
      vocabulary.withTermBuffers { starts, terms, inverseLengths in
        lanes.withUnsafeBufferPointer { lanes in
          whole.withUnsafeBufferPointer { whole in
            for word in 0..<count {
              var cosines = SIMD8<Float>.zero
              var product: Float = 0
              for index in Int(starts[word])..<Int(starts[word + 1]) {
                let term = Int(terms[index])
                cosines += lanes[term]
                product += whole[term]
              }
              cosines *= inverseLengths[word]
              let kin = kinRows[Int(kinOfStem[Int(vocabulary.stemOfWord[word])])]
              cosines.replace(with: kin, where: kin .> cosines)
              cosines.replace(with: SIMD8<Float>.zero, where: cosines .< least)
              let nearest = WordScores.maximum(cosines)
              if nearest > 0 { near.append(cosines * cosines) }
              let row = Float(bitPattern: nearest > 0 ? UInt32(near.count - 1) : 0)
              (sums.baseAddress! + word).initialize(
                to: SIMD4(product, nearest * nearest * weights.wordRarities[word], gramSums[word], row))
            }
          }
        }
      }
    }
    self.near = near
  }

  @inline(__always)
  private static func maximum(_ lanes: SIMD8<Float>) -> Float {
    var four = lanes.lowHalf
    four.replace(with: lanes.highHalf, where: lanes.highHalf .> four)
    var two = four.lowHalf
    two.replace(with: four.highHalf, where: four.highHalf .> two)
    return max(two.x, two.y)
  }
}

/// The inner products of some pieces' vectors with those of all pieces in use.
private struct PieceProducts {
  /// By piece of the query and term.
  private var products: [Int32] = []
  private var rowOfPiece: [UInt16: Int] = [:]
  private let termCount: Int
  private let termScales: [Float]

  init(pieces: [UInt16], vocabulary: PatternVocabulary) {
    let terms = vocabulary.pieces
    termCount = terms.count
    let scales = tl_static256_scales()
    termScales = terms.map { scales?[Int($0)] ?? 0 }
    guard let table = tl_static256_table() else { return }
    let dimension = StaticEmbedder.dimension
    let bytes = UnsafeRawPointer(table).assumingMemoryBound(to: UInt8.self)
    let distinct = Set(pieces).filter { Int($0) < StaticEmbedder.pieceCount }.sorted()
    var all = [Int32](repeating: 0, count: distinct.count * terms.count)
    all.withUnsafeMutableBufferPointer { all in
      terms.withUnsafeBufferPointer { terms in
        guard let all = all.baseAddress, let terms = terms.baseAddress else { return }
        // Rows that fit the cache are met with every piece of the query before the next are read.
        for start in stride(from: 0, to: termCount, by: PieceProducts.blockRowCount) {
          let count = min(PieceProducts.blockRowCount, termCount - start)
          for (index, piece) in distinct.enumerated() {
            // The table is one chunk of 2^31 rows and more.
            var chunk: UnsafePointer<UInt8>? = bytes
            tl_dot_i8_gather(
              table + Int(piece) * dimension, &chunk, 31, dimension, terms + start, count, dimension,
              all + index * termCount + start)
          }
        }
      }
    }
    products = all
    for (index, piece) in distinct.enumerated() { rowOfPiece[piece] = index }
  }

  /// 128 KB of the table.
  private static let blockRowCount = 512

  /// Calls `body` with each term and its product with `piece`, times `factor` and the scales of both.
  @inline(__always)
  func forEach(_ piece: UInt16, times factor: Float, _ body: (Int, Float) -> Void) {
    guard let row = rowOfPiece[piece], let scales = tl_static256_scales() else { return }
    let factor = factor * scales[Int(piece)]
    products.withUnsafeBufferPointer { products in
      for term in 0..<termCount {
        body(term, factor * Float(products[row * termCount + term]) * termScales[term])
      }
    }
  }
}
