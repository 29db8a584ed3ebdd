/// Which slots a walk has seen: one bit each. Clearing 100,000 of them writes 12 KB, less than a walk reads.
struct VisitedSet: ~Copyable {
  private let words: UnsafeMutablePointer<UInt64>
  private let wordCount: Int

  init(slotCount: Int) {
    wordCount = (slotCount + 63) / 64
    words = .allocate(capacity: max(wordCount, 1))
    words.initialize(repeating: 0, count: wordCount)
  }

  deinit { words.deallocate() }

  mutating func removeAll() { words.update(repeating: 0, count: wordCount) }

  /// Marks `slot`; false if it was marked already.
  @inline(__always)
  mutating func insert(_ slot: UInt32) -> Bool {
    let bit: UInt64 = 1 << UInt64(slot & 63)
    let word = words + Int(slot >> 6)
    if word.pointee & bit != 0 { return false }
    word.pointee |= bit
    return true
  }
}
