/// The word pieces of a model file, and words cut into them as BERT does.
///
/// A piece is found by a hash of its letters alone. Two pieces with one hash would count as one: not in 2^64 of them.
struct TransformerVocabulary: Sendable {
  /// Opens every text.
  let opening: UInt16
  /// Ends every text.
  let ending: UInt16
  /// Stands for a word that has no pieces.
  let unknown: UInt16

  private let ids: [UInt64: UInt16]

  /// - Parameter bytes: Pieces in order, each ended by a line feed; `##` starts one that continues a word.
  init(_ bytes: UnsafeRawBufferPointer, pieceCount: Int) throws(TransformerModelError) {
    var ids: [UInt64: UInt16] = Dictionary(minimumCapacity: pieceCount)
    var count = 0
    var start = 0
    for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
      guard count < pieceCount else { throw .vocabulary("more than \(pieceCount) pieces") }
      let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<index])
      let continues = piece.count > 2 && piece.starts(with: [UInt8(ascii: "#"), UInt8(ascii: "#")])
      var hash = PieceHash(continuesWord: continues)
      for byte in piece.dropFirst(continues ? 2 : 0) { hash.add(byte) }
      // The model knows each by one row: of two that are spelled alike the first is the one.
      if ids[hash.value] == nil { ids[hash.value] = UInt16(count) }
      count += 1
      start = index + 1
    }
    guard count == pieceCount, start == bytes.count else {
      throw .vocabulary("\(count) pieces instead of \(pieceCount)")
    }
    self.ids = ids

    func special(_ spelling: StaticString) throws(TransformerModelError) -> UInt16 {
      var hash = PieceHash(continuesWord: false)
      for byte in spelling.description.utf8 { hash.add(byte) }
      guard let id = ids[hash.value] else { throw .vocabulary("it has no \(spelling)") }
      return id
    }
    opening = try special("[CLS]")
    ending = try special("[SEP]")
    unknown = try special("[UNK]")
  }

  /// FNV-1a, and another for pieces that continue a word.
  private struct PieceHash {
    private(set) var value: UInt64

    init(continuesWord: Bool) { value = continuesWord ? 0x9E37_79B9_7F4A_7C15 : 0xCBF2_9CE4_8422_2325 }

    @inline(__always)
    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
  }

  /// Appends the pieces of `word`, each the longest that fits, or `unknown` if a part of it is no piece.
  func appendPieces(of word: ArraySlice<UInt8>, to pieces: inout [UInt16]) {
    let count = pieces.count
    let isWhole = word.withUnsafeBufferPointer { word in
      let scalarCount = word.count { $0 & 0xC0 != 0x80 }
      guard scalarCount <= WordPieceVocabulary.wordScalarsMax else { return false }
      var start = 0
      while start < word.count {
        var hash = PieceHash(continuesWord: start > 0)
        var longest: (id: UInt16, end: Int)?
        for index in start..<word.count {
          hash.add(word[index])
          if let id = ids[hash.value] { longest = (id, index + 1) }
        }
        guard let longest else { return false }
        pieces.append(longest.id)
        start = longest.end
      }
      return true
    }
    if !isWhole {
      pieces.removeLast(pieces.count - count)
      pieces.append(unknown)
    }
  }
}
