internal import CEmbeddingModel

/// The model's word pieces, and words cut into them: the second half of BERT's tokenizer.
struct WordPieceVocabulary: Sendable {
  /// Longer words are no words to BERT.
  static let wordScalarsMax = 100
  private static let pieceByteCountMax = 64

  /// Where each piece is in the vocabulary's bytes, without `##`.
  private var starts: [UInt32] = []
  private var lengths: [UInt8] = []
  private var continues: [Bool] = []
  /// Open addressing by FNV-1a, linear probing: a piece's id plus one, or 0.
  private var table: [UInt16]

  init() {
    // 30,522 pieces in 65,536 places.
    table = Array(repeating: 0, count: 1 << 16)
    let text = WordPieceVocabulary.text
    starts.reserveCapacity(StaticEmbedder.pieceCount)
    var start = 0
    var index = 0
    while index < text.count, starts.count < StaticEmbedder.pieceCount {
      if text[index] == UInt8(ascii: "\n") {
        add(start..<index, of: text)
        start = index + 1
      }
      index += 1
    }
    if start < index, starts.count < StaticEmbedder.pieceCount { add(start..<index, of: text) }
  }

  private static var text: UnsafeBufferPointer<UInt8> {
    var byteCount = 0
    let bytes = tl_static256_vocabulary(&byteCount)
    return UnsafeBufferPointer(start: bytes, count: byteCount)
  }

  private mutating func add(_ range: Range<Int>, of text: UnsafeBufferPointer<UInt8>) {
    var range = range
    let hash = UInt8(ascii: "#")
    let isContinuation = range.count > 2 && text[range.lowerBound] == hash && text[range.lowerBound + 1] == hash
    if isContinuation { range = range.lowerBound + 2..<range.upperBound }
    let piece = UInt16(starts.count)
    starts.append(UInt32(range.lowerBound))
    lengths.append(UInt8(clamping: range.count))
    continues.append(isContinuation)

    var state = FNV1a()
    for index in range { state.add(text[index]) }
    var place = state.place(isContinuation: isContinuation)
    while table[place] != 0 { place = (place + 1) & (table.count - 1) }
    table[place] = piece + 1
  }

  private struct FNV1a {
    private var value: UInt32 = 0x811C_9DC5

    @inline(__always)
    mutating func add(_ byte: UInt8) { value = (value ^ UInt32(byte)) &* 0x0100_0193 }

    @inline(__always)
    func place(isContinuation: Bool) -> Int {
      let mixed = (isContinuation ? ~value : value) &* 0x9E37_79B1
      return Int(mixed >> 16)
    }
  }

  func spelling(of piece: UInt16) -> String? {
    guard Int(piece) < starts.count else { return nil }
    let start = Int(starts[Int(piece)])
    let spelling = String(decoding: WordPieceVocabulary.text[start..<start + Int(lengths[Int(piece)])], as: UTF8.self)
    return continues[Int(piece)] ? "##" + spelling : spelling
  }

  /// Appends the pieces of `word`, each the longest that fits; nothing if one part of it is no piece.
  func appendPieces(of word: ArraySlice<UInt8>, to pieces: inout [UInt16]) {
    let count = pieces.count
    let isWhole = word.withUnsafeBufferPointer { word in
      let scalarCount = word.count { $0 & 0xC0 != 0x80 }
      guard scalarCount <= WordPieceVocabulary.wordScalarsMax else { return false }
      var start = 0
      while start < word.count {
        guard let (piece, length) = longestPiece(of: word, from: start) else { return false }
        pieces.append(piece)
        start += length
      }
      return true
    }
    if !isWhole { pieces.removeLast(pieces.count - count) }
  }

  private func longestPiece(of word: UnsafeBufferPointer<UInt8>, from start: Int) -> (piece: UInt16, length: Int)? {
    let text = WordPieceVocabulary.text
    let end = min(word.count, start + WordPieceVocabulary.pieceByteCountMax)
    return withUnsafeTemporaryAllocation(of: FNV1a.self, capacity: end - start) { states in
      var state = FNV1a()
      for index in start..<end {
        state.add(word[index])
        states[index - start] = state
      }
      for length in stride(from: end - start, to: 0, by: -1) {
        var place = states[length - 1].place(isContinuation: start > 0)
        while table[place] != 0 {
          let piece = Int(table[place]) - 1
          if Int(lengths[piece]) == length, continues[piece] == (start > 0) {
            let from = Int(starts[piece])
            if (0..<length).allSatisfy({ text[from + $0] == word[start + $0] }) { return (UInt16(piece), length) }
          }
          place = (place + 1) & (table.count - 1)
        }
      }
      return nil
    }
  }
}
