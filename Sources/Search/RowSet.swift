/// Rows of one source, as bits.
struct RowSet: Sendable {
  private(set) var words: [UInt64]
  let rowCount: Int

  /// Every row, or none.
  init(rowCount: Int, full: Bool) {
    self.rowCount = rowCount
    words = Array(repeating: full ? .max : 0, count: (rowCount + 63) / 64)
    if full { clearTail() }
  }

  /// - Parameter bits: As a source gives them: row r is bit r % 64 of word r / 64.
  init(rowCount: Int, bits: [UInt64]) {
    self.rowCount = rowCount
    words = bits
  }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  var isFull: Bool { count == rowCount }

  /// The first row there is.
  var first: Int? {
    words.firstIndex { $0 != 0 }.map { $0 << 6 + words[$0].trailingZeroBitCount }
  }

  @inline(__always)
  func contains(_ row: Int) -> Bool { words[row >> 6] & (1 << UInt64(row & 63)) != 0 }

  @inline(__always)
  mutating func insert(_ row: Int) { words[row >> 6] |= 1 << UInt64(row & 63) }

  mutating func formUnion(_ other: RowSet) {
    for index in words.indices { words[index] |= other.words[index] }
  }

  mutating func formIntersection(_ other: RowSet) {
    for index in words.indices { words[index] &= other.words[index] }
  }

  mutating func subtract(_ other: RowSet) {
    for index in words.indices { words[index] &= ~other.words[index] }
  }

  /// Calls `body` with each row, ascending.
  @inline(__always)
  func forEach(_ body: (Int) throws -> Void) rethrows {
    for index in words.indices {
      var word = words[index]
      while word != 0 {
        try body(index << 6 + word.trailingZeroBitCount)
        word &= word - 1
      }
    }
  }

  /// The rows of this set for which `isIncluded` holds.
  @inline(__always)
  func filter(_ isIncluded: (Int) throws -> Bool) rethrows -> RowSet {
    var result = RowSet(rowCount: rowCount, full: false)
    for index in words.indices {
      var word = words[index]
      var kept: UInt64 = 0
      while word != 0 {
        let bit = word.trailingZeroBitCount
        if try isIncluded(index << 6 + bit) { kept |= 1 << UInt64(bit) }
        word &= word - 1
      }
      result.words[index] = kept
    }
    return result
  }

  private mutating func clearTail() {
    if rowCount & 63 != 0 { words[words.count - 1] = (1 << UInt64(rowCount & 63)) - 1 }
  }
}
