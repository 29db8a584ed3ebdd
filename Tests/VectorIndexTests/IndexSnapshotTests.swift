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

  @Test(arguments: Precision.allCases)
  func `an index used where its bytes lie is the index written, and leaves them as they are`(
    precision: Precision
  ) throws {
    let vectors = clusteredVectors(count: 400, dimension: 70, clusterCount: 6, seed: 21)
    var index = HNSWIndex(dimension: 70, precision: precision, parameters: HNSWIndexTests.graphed)
    try index.insert(vectors.enumerated().map { (id: UInt64($0.offset), vector: $0.element) })
    let bytes = Bytes(index.snapshot())
    var mapped = try HNSWIndex(snapshot: bytes.buffer, owner: bytes)

    #expect(mapped.checkInvariants() == [])
    #expect(try mapped.neighbors(of: vectors[5], k: 9) == (try index.neighbors(of: vectors[5], k: 9)))
    for id in UInt64(0)..<60 {
      mapped.remove(id: id)
      index.remove(id: id)
      try mapped.insert(id: 1000 + id, vector: vectors[Int(id)])
      try index.insert(id: 1000 + id, vector: vectors[Int(id)])
    }
    #expect(mapped.snapshot() == index.snapshot())
    #expect(Array(bytes.buffer) == bytes.original)
  }

  /// Bytes that stay where they are.
  private final class Bytes: @unchecked Sendable {
    let original: [UInt8]
    let buffer: UnsafeRawBufferPointer

    init(_ bytes: [UInt8]) {
      original = bytes
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 4096)
      memory.copyBytes(from: bytes)
      buffer = UnsafeRawBufferPointer(memory)
    }

    deinit { buffer.deallocate() }
  }

  @Test func `a link that goes one way only is found`() throws {
    let index = try Self.sampleIndex()
    var bytes = index.snapshot()
    // The first link of the first node that has two takes the place of its second.
    let nodeByteCount = (5 + 4 * 16 + 63) / 64 * 64
    for node in stride(from: 64, to: 64 + 90 * nodeByteCount, by: nodeByteCount) {
      let links = node + nodeByteCount - 64
      if bytes[links] >= 2 {
        for index in 0..<4 { bytes[links + 8 + index] = bytes[links + 4 + index] }
        break
      }
    }
    Self.sign(&bytes)

    #expect(throws: VectorIndexError.corrupt("a link goes one way only")) { try HNSWIndex(snapshot: bytes) }
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
