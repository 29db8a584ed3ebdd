/// Patterns as the words they are made of.
struct PatternTable: Sendable {
  /// By position; `nil` where a pattern was removed. Positions are never used again, so that lists of them stay in
  /// order.
  private(set) var ids: [UInt32?] = []
  private(set) var positionByID: [UInt32: Int] = [:]
  /// The words of each, the distinct ones first, in the order of their first appearance, then those that stood there
  /// before.
  private(set) var words = Rows<UInt32>()
  /// How many of them are distinct.
  private(set) var distinctCounts: [UInt16] = []
  /// How many have letters: what a pattern's length is.
  private(set) var lengths: [UInt16] = []
  private(set) var lengthTotal = 0
  /// One over the length of the sum of its pieces' vectors; 0 where there is none, or no pattern any more.
  private(set) var inverseLengths: [Float] = []
  /// The patterns that hold a stem, by stem.
  private(set) var patternsOfStem: [[Posting]] = []

  /// A position and a count of up to 15 in 32 bits: 2^28 positions.
  struct Posting: Sendable {
    private let bits: UInt32

    init(position: Int, count: Int) { bits = UInt32(truncatingIfNeeded: position) << 4 | UInt32(min(count, 15)) }

    @inline(__always)
    var position: Int { Int(bits >> 4) }

    @inline(__always)
    var count: Int { Int(bits & 15) }
  }

  /// Positions, those of removed patterns counted in.
  var positionCount: Int { ids.count }
  var count: Int { positionByID.count }

  func distinctWords(at position: Int) -> ArraySlice<UInt32> {
    words[position].prefix(Int(distinctCounts[position]))
  }

  /// Calls `body` with where each pattern's words begin, how many are distinct, all words, and the inverse lengths.
  @inline(__always)
  func withBuffers(
    _ body: (
      UnsafeBufferPointer<UInt32>, UnsafeBufferPointer<UInt16>, UnsafeBufferPointer<UInt32>,
      UnsafeBufferPointer<Float>
    ) -> Void
  ) {
    words.starts.withUnsafeBufferPointer { starts in
      distinctCounts.withUnsafeBufferPointer { distinctCounts in
        words.elements.withUnsafeBufferPointer { words in
          inverseLengths.withUnsafeBufferPointer { body(starts, distinctCounts, words, $0) }
        }
      }
    }
  }

  /// The words in the order they are kept in: distinct ones first.
  static func canonical(_ words: [UInt32]) -> (words: [UInt32], distinctCount: Int) {
    var distinct: [UInt32] = []
    var repeats: [UInt32] = []
    distinct.reserveCapacity(words.count)
    // Most patterns are short; a set is for those that are not.
    var known: Set<UInt32> = []
    let isShort = words.count <= 32
    for word in words {
      if isShort ? distinct.contains(word) : !known.insert(word).inserted {
        repeats.append(word)
      } else {
        distinct.append(word)
      }
    }
    return (distinct + repeats, distinct.count)
  }

  mutating func add(
    id: UInt32, words list: [UInt32], distinctCount: Int, length: Int, inverseLength: Float, stems: [(Int, Int)]
  ) {
    let position = ids.count
    ids.append(id)
    positionByID[id] = position
    for word in list { words.append(word) }
    words.endRow()
    distinctCounts.append(UInt16(clamping: distinctCount))
    lengths.append(UInt16(clamping: length))
    lengthTotal += length
    inverseLengths.append(inverseLength)
    for (stem, count) in stems {
      while patternsOfStem.count <= stem { patternsOfStem.append([]) }
      patternsOfStem[stem].append(Posting(position: position, count: count))
    }
  }

  /// Takes the pattern out: at its position there are no distinct words any more, and no length.
  mutating func remove(id: UInt32, stems: some Sequence<Int>) {
    guard let position = positionByID.removeValue(forKey: id) else { return }
    ids[position] = nil
    lengthTotal -= Int(lengths[position])
    inverseLengths[position] = 0
    distinctCounts[position] = 0
    for stem in Set(stems) {
      var low = 0
      var high = patternsOfStem[stem].count
      while low < high {
        let middle = (low + high) / 2
        if patternsOfStem[stem][middle].position < position { low = middle + 1 } else { high = middle }
      }
      if low < patternsOfStem[stem].count, patternsOfStem[stem][low].position == position {
        patternsOfStem[stem].remove(at: low)
      }
    }
  }
}
