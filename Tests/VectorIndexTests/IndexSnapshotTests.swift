internal import CKernels
internal import Testing
internal import VectorIndex

@Suite struct IndexSnapshotTests {
  static func sampleIndex(parameters: HNSWParameters = HNSWIndexTests.graphed) throws -> HNSWIndex {
    var index = try HNSWIndexTests.index(
      clusteredVectors(count: 90, dimension: 5, clusterCount: 6, seed: 20), parameters: parameters)
    for id in stride(from: UInt64(0), to: 90, by: 4) { index.remove(id: id) }
    return index
  }

  @Test(arguments: [HNSWIndexTests.graphed, HNSWIndexTests.exact])
  func `an index read back is the index written, and goes on like it`(parameters: HNSWParameters) throws {
    var index = try Self.sampleIndex(parameters: parameters)
    var copy = try HNSWIndex(snapshot: index.snapshot())

    #expect(copy.snapshot() == index.snapshot())
    #expect(copy.checkInvariants() == [])
    #expect(copy.parameters == parameters)
    for id in UInt64(200)..<230 {
      let vector = (0..<5).map { Float(id % 7) - Float($0) }
      try index.insert(id: id, vector: vector)
      try copy.insert(id: id, vector: vector)
      index.remove(id: id - 199)
      copy.remove(id: id - 199)
    }
    #expect(copy.snapshot() == index.snapshot())
  }

  @Test func `an empty index is written and read`() throws {
    let index = HNSWIndex(dimension: 3, metric: .squaredL2)
    let copy = try HNSWIndex(snapshot: index.snapshot())

    #expect(copy.isEmpty)
    #expect(copy.dimension == 3)
    #expect(copy.metric == .squaredL2)
  }

  @Test func `a flipped bit anywhere is found`() throws {
    let bytes = try Self.sampleIndex().snapshot()
    for offset in stride(from: 0, to: bytes.count, by: 7) {
      var damaged = bytes
      damaged[offset] ^= 1 << (offset % 8)
      #expect(Self.isRefused(damaged), "offset \(offset)")
    }
  }

  @Test func `every shorter and a longer snapshot is refused`() throws {
    let bytes = try Self.sampleIndex().snapshot()
    for count in stride(from: 0, to: bytes.count, by: 11) { #expect(Self.isRefused(Array(bytes.prefix(count)))) }
    #expect(Self.isRefused(bytes + [0]))
  }

  /// What a checksum cannot find: bytes that somebody made up.
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func `made-up bytes with a right checksum are refused or make an index that works`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bytes = try Self.sampleIndex().snapshot()
    for _ in 0..<150 {
      var forged = bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        // Half of them in the header, where lengths are.
        let end = Bool.random(using: &random) ? 64 : forged.count - 4
        forged[Int.random(in: 6..<end, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      Self.sign(&forged)
      guard var index = try? HNSWIndex(snapshot: forged) else { continue }  // refused, as it may be
      let query = [Float](repeating: 1, count: index.dimension)
      _ = try index.neighbors(of: query, k: 5)
      for id in Array(index.identifiers).sorted().prefix(20) { index.remove(id: id) }
      try index.insert(id: 7777, vector: query)
      _ = try index.neighbors(of: query, k: 5)
      _ = index.checkInvariants()
    }
  }

  @Test func `a later version is named as such`() throws {
    var bytes = try Self.sampleIndex().snapshot()
    bytes[4] = 9
    Self.sign(&bytes)

    #expect(throws: VectorIndexError.corrupt("the snapshot is of version 9, not 2")) { try HNSWIndex(snapshot: bytes) }
  }

  static func isRefused(_ bytes: [UInt8]) -> Bool {
    do {
      _ = try HNSWIndex(snapshot: bytes)
      return false
    } catch {
      if case .corrupt = error { return true }
      return false
    }
  }

  static func sign(_ bytes: inout [UInt8]) {
    let end = bytes.count - 4
    let checksum = bytes.withUnsafeBytes { tl_crc32c(0, $0.baseAddress, end) }
    withUnsafeBytes(of: checksum.littleEndian) { bytes.replaceSubrange(end..., with: $0) }
  }
}
