internal import Testing
internal import VectorIndex

@Suite struct IndexLogTests {
  static func sampleChanges(_ count: Int, seed: UInt64) -> [IndexChange] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      let id = UInt64.random(in: 0..<20, using: &random)
      if Int.random(in: 0..<3, using: &random) == 0 { return .removal(id: id) }
      return .insertion(id: id, vector: (0..<3).map { _ in Float.random(in: -1...1, using: &random) })
    }
  }

  @Test func `a log read is the log written`() {
    let changes = Self.sampleChanges(50, seed: 1)
    let log = changes.flatMap(\.encoded)
    let read = IndexChange.decode(log)

    #expect(read.changes == changes)
    #expect(read.byteCount == log.count)
    #expect(IndexChange.decode([]).changes.isEmpty)
  }

  @Test func `a log cut anywhere is the whole entries before the cut`() {
    let changes = Self.sampleChanges(12, seed: 2)
    let entries = changes.map(\.encoded)
    let log = entries.flatMap { $0 }
    var ends = [0]
    for entry in entries { ends.append(ends[ends.count - 1] + entry.count) }

    for cut in 0...log.count {
      let read = IndexChange.decode(Array(log.prefix(cut)))
      let whole = ends.lastIndex { $0 <= cut } ?? 0
      #expect(read.byteCount == ends[whole], "cut at \(cut)")
      #expect(read.changes == Array(changes.prefix(whole)), "cut at \(cut)")
    }
  }

  @Test func `a flipped bit ends the log before its entry`() {
    let changes = Self.sampleChanges(12, seed: 3)
    let entries = changes.map(\.encoded)
    let log = entries.flatMap { $0 }
    var start = 0
    for (index, entry) in entries.enumerated() {
      for offset in start..<start + entry.count {
        var damaged = log
        damaged[offset] ^= 1 << (offset % 8)
        let read = IndexChange.decode(damaged)
        #expect(read.changes == Array(changes.prefix(index)), "offset \(offset)")
        #expect(read.byteCount == start)
      }
      start += entry.count
    }
  }

  @Test(arguments: [UInt64(4), 5, 6])
  func `no bytes trap`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let count = Int.random(in: 0..<60, using: &random)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...(Bool.random(using: &random) ? 12 : 255), using: &random)
      }
      #expect(IndexChange.decode(bytes).byteCount <= bytes.count)
    }
  }

  /// A crash at any moment: the snapshot of before and the log as far as it goes are the index as it was then.
  @Test func `a snapshot and any part of the log after it give the index that was`() throws {
    let changes = Self.sampleChanges(60, seed: 7)
    let parameters = HNSWParameters(m: 3, efConstruction: 10, exactCountMax: 4, seed: 7)
    var index = HNSWIndex(dimension: 3, parameters: parameters)
    for change in changes.prefix(20) { try index.apply(change) }
    let snapshot = index.snapshot()
    var log: [UInt8] = []
    for change in changes.dropFirst(20) {
      log += change.encoded
      try index.apply(change)
      var recovered = try HNSWIndex(snapshot: snapshot)
      for change in IndexChange.decode(log + change.encoded.dropLast(1)).changes { try recovered.apply(change) }
      #expect(recovered.snapshot() == index.snapshot())
    }
  }
}
