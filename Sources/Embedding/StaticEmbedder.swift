internal import CEmbeddingModel

/// The built-in model (`CEmbeddingModel/static256`): the mean of fixed vectors, one a word piece. No context, no
/// order, no network; some microseconds a text.
package struct StaticEmbedder: Embedder {
  /// The model is decoded once, by whoever asks first.
  package static let shared = StaticEmbedder()

  package static let dimension = Int(TL_STATIC256_DIMENSION)

  /// How many word pieces there are; ids are below it.
  package static let pieceCount = Int(TL_STATIC256_PIECE_COUNT)

  package var identity: String { "static256-1" }
  package var dimension: Int { StaticEmbedder.dimension }

  private let vocabulary: WordPieceVocabulary

  package init() {
    vocabulary = WordPieceVocabulary()
  }

  package func embed(_ text: String) -> [Float] {
    embed(pieces: tokens(of: text))
  }

  /// The word pieces of `text` in order, repeats kept, those that the model has no vector for left out.
  package func tokens(of text: String) -> [UInt16] {
    tokens(ofPrepared: PreparedText.prepare(text))
  }

  /// As `tokens(of:)`, of text that `PreparedText.prepare` gave.
  package func tokens(ofPrepared text: [UInt8]) -> [UInt16] {
    var pieces: [UInt16] = []
    BasicTokenizer.forEachWord(in: text) { vocabulary.appendPieces(of: $0, to: &pieces) }
    pieces.removeAll { StaticEmbedder.hasNoVector($0) }
    return pieces
  }

  /// The mean of the vectors of `pieces`, brought to unit length.
  package func embed(pieces: [UInt16]) -> [Float] {
    var sum = [Float](repeating: 0, count: StaticEmbedder.dimension)
    StaticEmbedder.withSum(of: pieces) { chunks in
      for (index, chunk) in chunks.enumerated() {
        for lane in 0..<16 { sum[16 * index + lane] = chunk[lane] }
      }
    }
    UnitLength.normalize(&sum)
    return sum
  }

  /// One over the length of the sum of the vectors of `pieces`; 0 for a sum of zeros.
  static func inverseLength(of pieces: [UInt16]) -> Float {
    var squares: Float = 0
    withSum(of: pieces) { chunks in
      for chunk in chunks { squares += (chunk * chunk).sum() }
    }
    return squares > 0 ? 1 / squares.squareRoot() : 0
  }

  /// Calls `body` with the sum of the vectors of `pieces`, 16 components a chunk.
  private static func withSum(of pieces: [UInt16], _ body: (UnsafeMutableBufferPointer<SIMD16<Float>>) -> Void) {
    withUnsafeTemporaryAllocation(of: SIMD16<Float>.self, capacity: dimension / 16) { chunks in
      chunks.initialize(repeating: .zero)
      guard let table = tl_static256_table(), let scales = tl_static256_scales() else { return body(chunks) }
      for piece in pieces where Int(piece) < pieceCount {
        let row = UnsafeRawPointer(table + Int(piece) * dimension)
        let scale = scales[Int(piece)]
        for index in chunks.indices {
          let bytes = row.loadUnaligned(fromByteOffset: 16 * index, as: SIMD16<Int8>.self)
          chunks[index] += SIMD16<Float>(bytes) * scale
        }
      }
      body(chunks)
    }
  }

  /// The spelling of a piece, `##` in front of one that continues a word.
  package func spelling(of piece: UInt16) -> String? { vocabulary.spelling(of: piece) }

  /// Special and unused pieces are rows of zeros, and so is whatever else the model left out.
  private static func hasNoVector(_ piece: UInt16) -> Bool {
    guard let scales = tl_static256_scales(), let table = tl_static256_table() else { return true }
    if piece < 999 {
      let row = table + Int(piece) * dimension
      return scales[Int(piece)] == 0 || (0..<dimension).allSatisfy { row[$0] == 0 }
    }
    return false
  }
}
