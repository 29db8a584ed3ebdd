package import Domain

/// Kept by everyone who may still read a block. When the last one lets go, an obsolete block can be deleted.
final class BlockHold: Sendable {}

/// A stored block as the catalog knows it. Whoever has one can read the block, whatever becomes of it meanwhile.
package struct BlockReference: Sendable {
  package let number: Int64
  /// The stream that all its records are of; nil if they are of several.
  package let stream: UInt32?
  package let recordCount: Int
  /// The first and last moment of its records; both belong.
  package let minTime: Timestamp
  package let maxTime: Timestamp
  /// Bytes of messages and fields as they were sent, and of header and columns as they are stored.
  package let rawByteCount: Int
  package let storedByteCount: Int
  let hold: BlockHold
}

/// The blocks of a tenant, in memory: what views are made of.
struct BlockCatalog: Sendable {
  /// Newest first, by `maxTime`.
  private(set) var live: [BlockReference] = []
  /// Damaged ones, by number: kept, not read.
  private(set) var quarantined: [Int64: BlockReference] = [:]
  /// Merged or expired: deleted when nobody holds them any more.
  private(set) var obsolete: [Int64: WeakHold] = [:]

  struct WeakHold: Sendable {
    weak let hold: BlockHold?
  }

  mutating func insert(_ blocks: [BlockReference]) {
    live += blocks
    live.sort { ($0.maxTime, $0.number) > ($1.maxTime, $1.number) }
  }

  mutating func insertQuarantined(_ block: BlockReference) { quarantined[block.number] = block }

  /// - Returns: Whether the block was live.
  mutating func quarantine(_ number: Int64) -> Bool {
    guard let index = live.firstIndex(where: { $0.number == number }) else { return false }
    quarantined[number] = live.remove(at: index)
    return true
  }

  mutating func retire(_ numbers: Set<Int64>) {
    for block in live where numbers.contains(block.number) { obsolete[block.number] = WeakHold(hold: block.hold) }
    live.removeAll { numbers.contains($0.number) }
    for number in numbers {
      if let block = quarantined.removeValue(forKey: number) { obsolete[number] = WeakHold(hold: block.hold) }
    }
  }

  mutating func insertObsolete(_ number: Int64, hold: BlockHold?) { obsolete[number] = WeakHold(hold: hold) }

  /// The obsolete blocks that nobody holds, ascending.
  var deletable: [Int64] { obsolete.filter { $0.value.hold == nil }.keys.sorted() }

  mutating func forget(_ numbers: [Int64]) { for number in numbers { obsolete[number] = nil } }

  /// Live blocks with records in `range`, newest first.
  func overlapping(_ range: TimeRange) -> [BlockReference] {
    guard !range.isEmpty else { return [] }
    // Sorted by the last moment: those that end before the range are a suffix.
    var low = 0
    var high = live.count
    while low < high {
      let middle = (low + high) / 2
      if live[middle].maxTime >= range.start { low = middle + 1 } else { high = middle }
    }
    return live[..<low].filter { range.reaches($0.minTime) }
  }

  /// Live and quarantined blocks that end before `time`.
  func endingBefore(_ time: Timestamp) -> [Int64] {
    (live.lazy.filter { $0.maxTime < time }.map(\.number)
      + quarantined.values.filter { $0.maxTime < time }.map(\.number))
  }

  /// The holds of all blocks that somebody may be reading, by number.
  var holds: [Int64: BlockHold] {
    var holds = obsolete.compactMapValues(\.hold)
    for block in live { holds[block.number] = block.hold }
    for (number, block) in quarantined { holds[number] = block.hold }
    return holds
  }
}

extension TimeRange {
  /// Whether `time` is not past the range. A range without end reaches the last moment there is, too.
  func reaches(_ time: Timestamp) -> Bool { time < end || end == TimeRange.all.end }
}
