/// Counts of the last `capacity` equal spans of time, one after another: two bytes a span when most have records, four
/// bytes for each span that has when few do.
///
/// Spans are numbered by the caller, from 1970. What was never added is 0.
struct SlotHistory: Equatable, Sendable {
  /// The latest span with a count; meaningless while `isEmpty`.
  private(set) var newest: Int32 = 0
  /// Sparse: ascending by span, `span's low 16 bits << 16 | count`. Dense: empty.
  private(set) var sparse: [UInt32] = []
  /// Dense: the count of span s at `s % capacity`. Sparse: empty.
  private(set) var dense: [UInt16] = []

  var isEmpty: Bool { sparse.isEmpty && dense.isEmpty }
  var byteCount: Int { sparse.count * 4 + dense.count * 2 }

  /// Sets the count of `slot`, which is not before `newest`.
  mutating func append(_ count: CompactCount, slot: Int32, capacity: Int) {
    guard count.bits > 0, isEmpty || slot > newest else { return }
    if !dense.isEmpty {
      if Int(slot) - Int(newest) >= capacity {
        dense = []
      } else {
        var gap = newest + 1
        while gap <= slot {
          dense[Int(gap) % capacity] = 0
          gap += 1
        }
        dense[Int(slot) % capacity] = count.bits
        newest = slot
        return
      }
    }
    newest = slot
    var expired = 0
    while expired < sparse.count, age(sparse[expired]) >= capacity { expired += 1 }
    sparse.removeFirst(expired)
    sparse.append(UInt32(UInt16(truncatingIfNeeded: slot)) << 16 | UInt32(count.bits))
    // From here on two bytes a span are less than four bytes a span with records.
    if sparse.count * 2 > capacity {
      dense = [UInt16](repeating: 0, count: capacity)
      for entry in sparse { dense[(Int(newest) - age(entry)) % capacity] = UInt16(truncatingIfNeeded: entry) }
      sparse = []
    }
  }

  func count(of slot: Int32, capacity: Int) -> UInt32 {
    let age = Int(newest) - Int(slot)
    guard age >= 0, age < capacity, !isEmpty else { return 0 }
    if !dense.isEmpty { return CompactCount(bits: dense[Int(slot) % capacity]).value }
    var low = 0
    var high = sparse.count
    while low < high {
      let middle = (low + high) / 2
      if self.age(sparse[middle]) > age { low = middle + 1 } else { high = middle }
    }
    guard low < sparse.count, self.age(sparse[low]) == age else { return 0 }
    return CompactCount(bits: UInt16(truncatingIfNeeded: sparse[low])).value
  }

  /// Spans with records and their counts, ascending.
  func entries(capacity: Int) -> [(slot: Int32, count: UInt32)] {
    if dense.isEmpty {
      return sparse.map { (newest - Int32(age($0)), CompactCount(bits: UInt16(truncatingIfNeeded: $0)).value) }
    }
    return (0..<Int32(capacity)).reversed().compactMap { age in
      let slot = newest - age
      guard slot >= 0 else { return nil }
      let count = CompactCount(bits: dense[Int(slot) % capacity]).value
      return count > 0 ? (slot, count) : nil
    }
  }

  /// The sums of both, span by span.
  func merged(with other: SlotHistory, capacity: Int) -> SlotHistory {
    var counts: [Int32: UInt32] = [:]
    for (slot, count) in entries(capacity: capacity) + other.entries(capacity: capacity) {
      counts[slot, default: 0] &+= count
    }
    var result = SlotHistory()
    for slot in counts.keys.sorted() {
      result.append(CompactCount(counts[slot] ?? 0), slot: slot, capacity: capacity)
    }
    return result
  }

  /// Spans between the entry's and the newest.
  @inline(__always)
  private func age(_ entry: UInt32) -> Int {
    Int(UInt16(truncatingIfNeeded: newest) &- UInt16(truncatingIfNeeded: entry >> 16))
  }
}

extension SlotHistory {
  func write(to writer: inout StateWriter) {
    writer.append(UInt32(bitPattern: newest))
    writer.append(UInt32(sparse.count))
    for entry in sparse { writer.append(entry) }
    writer.append(UInt8(dense.isEmpty ? 0 : 1))
    for bits in dense { writer.append(bits) }
  }

  init(from reader: inout StateReader, capacity: Int) throws(DetectorStateError) {
    newest = Int32(bitPattern: try reader.word())
    let count = try reader.count(max: capacity, byteCountEach: 4)
    sparse.reserveCapacity(count)
    for _ in 0..<count { sparse.append(try reader.word()) }
    let isDense = try reader.byte() == 1
    // A span's number says where it stands, so that one before 1970 has no place.
    guard newest >= 0, !isDense || sparse.isEmpty else { throw .corrupt }
    if isDense {
      dense.reserveCapacity(capacity)
      for _ in 0..<capacity { dense.append(try reader.half()) }
    }
    for index in sparse.indices {
      let age = age(sparse[index])
      guard age < capacity, age <= Int(newest), index == 0 || age < self.age(sparse[index - 1]) else { throw .corrupt }
    }
  }
}
