/// A set of a tenant's numbers, of templates or of patterns, as bits: they are small, and thousands of them come together.
package struct NumberSet: Sendable, Equatable {
  @usableFromInline var words: [UInt64] = []
  package private(set) var count = 0

  package init() {}

  package init(_ numbers: some Sequence<UInt32>) {
    for number in numbers { insert(number) }
  }

  package var isEmpty: Bool { count == 0 }

  @inlinable
  @inline(__always)
  package func contains(_ number: UInt32) -> Bool {
    let word = Int(number >> 6)
    return word < words.count && words[word] & (1 << UInt64(number & 63)) != 0
  }

  package mutating func insert(_ number: UInt32) {
    let word = Int(number >> 6)
    if word >= words.count { words += repeatElement(0, count: Swift.max(word + 1 - words.count, words.count)) }
    let bit: UInt64 = 1 << UInt64(number & 63)
    if words[word] & bit == 0 { count += 1 }
    words[word] |= bit
  }

  package mutating func remove(_ number: UInt32) {
    guard contains(number) else { return }
    words[Int(number >> 6)] &= ~(1 << UInt64(number & 63))
    count -= 1
  }

  package func intersection(_ other: NumberSet) -> NumberSet {
    var both = NumberSet()
    both.words = zip(words, other.words).map { $0 & $1 }
    both.count = both.words.reduce(0) { $0 + $1.nonzeroBitCount }
    return both
  }

  package static func == (left: NumberSet, right: NumberSet) -> Bool {
    left.count == right.count && zip(left.words, right.words).allSatisfy { $0 == $1 }
  }
}

extension NumberSet: Sequence {
  package struct Iterator: IteratorProtocol {
    private let words: [UInt64]
    private var index = 0
    private var left: UInt64

    fileprivate init(_ words: [UInt64]) {
      self.words = words
      left = words.first ?? 0
    }

    package mutating func next() -> UInt32? {
      while left == 0 {
        index += 1
        if index >= words.count { return nil }
        left = words[index]
      }
      defer { left &= left - 1 }
      return UInt32(index << 6 + left.trailingZeroBitCount)
    }
  }

  /// Ascending.
  package func makeIterator() -> Iterator { Iterator(words) }

  package var underestimatedCount: Int { count }
}

extension NumberSet: ExpressibleByArrayLiteral {
  package init(arrayLiteral elements: UInt32...) { self.init(elements) }
}
