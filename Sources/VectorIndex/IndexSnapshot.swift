internal import CKernels

// SNAPSHOT LAYOUT, version 1. Integers and floats are little-endian; n slots, d components, f free slots, u upper rows.
//   offset     bytes  field
//        0         4  magic "TLVX"
//        4         2  version
//        6         1  metric (Metric.rawValue)
//        7         1  1 if there is a graph, else 0
//        8         4  d, 1...65,536
//       12         4  M
//       16         4  efConstruction
//       20         4  exactCountMax
//       24         8  seed
//       32         4  n
//       36         4  f
//       40         4  entry slot; 0xFFFFFFFF without a graph
//       44         4  u
//       48        8n  ids; 0 in free slots
//                  n  levels
//                 4f  free slots, the next to be used last
//                4nd  vectors, slot by slot
//        4n(1 + 2M)  links of layer 0, slot by slot: how many, then the slots, then zeros; absent without a graph
//         4u(1 + M)  links of the layers above, slot by slot, layer 1 first; absent without a graph
//      end         4  CRC-32C of everything before it
// Valid: magic, version, length and checksum agree, and every number that leads somewhere leads to something.
// Anything else is `.corrupt`, never a guess.
private enum SnapshotLayout {
  static let magic: [UInt8] = Array("TLVX".utf8)
  static let version: UInt16 = 1
  static let headerByteCount = 48
  static let checksumByteCount = 4
  static let noEntry = UInt32.max
}

extension HNSWIndex {
  /// The index as bytes (see the layout above). Equal indexes give equal bytes.
  package func snapshot() -> [UInt8] {
    let slotCount = graph.slotCount
    let hasGraph = graph.isBuilt
    var byteCount = SnapshotLayout.headerByteCount + 9 * slotCount + 4 * freeSlots.count + 4 * slotCount * dimension
    if hasGraph { byteCount += 4 * (slotCount * graph.base.rowLength + graph.upper.count * graph.upper.rowLength) }
    byteCount += SnapshotLayout.checksumByteCount

    var writer = ByteWriter(byteCount: byteCount)
    writer.append(SnapshotLayout.magic)
    writer.append(SnapshotLayout.version)
    writer.append([metric.rawValue, hasGraph ? 1 : 0])
    writer.append(UInt32(dimension))
    writer.append(UInt32(parameters.m))
    writer.append(UInt32(parameters.efConstruction))
    writer.append(UInt32(parameters.exactCountMax))
    writer.append(parameters.seed)
    writer.append(UInt32(slotCount))
    writer.append(UInt32(freeSlots.count))
    writer.append(graph.entry ?? SnapshotLayout.noEntry)
    writer.append(UInt32(graph.upper.count))
    for id in ids { writer.append(id) }
    writer.append(graph.levels)
    for slot in freeSlots { writer.append(slot) }
    vectors.rows.withRows { rows in
      for slot in 0..<slotCount {
        UnsafeRawPointer(rows[slot]).withMemoryRebound(to: UInt32.self, capacity: dimension) {
          writer.append($0, count: dimension)
        }
      }
    }
    if hasGraph {
      for links in [graph.base, graph.upper] {
        links.withRows { rows in
          for row in 0..<links.count {
            let used = 1 + Int(rows[row][0])
            writer.append(rows[row], count: used)
            writer.append([UInt8](repeating: 0, count: 4 * (links.rowLength - used)))
          }
        }
      }
    }
    return writer.finishWithChecksum()
  }

  /// The index that `snapshot()` wrote.
  ///
  /// - Throws: `.corrupt`, whatever the bytes are.
  package init(snapshot: [UInt8]) throws(VectorIndexError) {
    let reader = try SnapshotReader(snapshot)
    self = try reader.index()
  }
}

/// Appends to a buffer whose size is known beforehand.
private struct ByteWriter {
  private var bytes: [UInt8]

  init(byteCount: Int) {
    bytes = []
    bytes.reserveCapacity(byteCount)
  }

  mutating func append(_ more: [UInt8]) { bytes += more }

  mutating func append(_ words: UnsafePointer<UInt32>, count: Int) {
    #if _endian(little)
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: words, count: 4 * count))
    #else
      for index in 0..<count { append(words[index]) }
    #endif
  }

  mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func finishWithChecksum() -> [UInt8] {
    let checksum = bytes.withUnsafeBytes { tl_crc32c(0, $0.baseAddress, $0.count) }
    append(checksum)
    return bytes
  }
}

private struct SnapshotReader {
  private let bytes: [UInt8]
  private let metric: Metric
  private let parameters: HNSWParameters
  private let hasGraph: Bool
  private let dimension: Int
  private let slotCount: Int
  private let freeCount: Int
  private let entry: UInt32
  private let upperCount: Int

  private let idsOffset: Int
  private let levelsOffset: Int
  private let freeOffset: Int
  private let vectorsOffset: Int
  private let baseOffset: Int
  private let upperOffset: Int

  /// Reads the header and holds the length and the checksum against it.
  init(_ bytes: [UInt8]) throws(VectorIndexError) {
    self.bytes = bytes
    func integer<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T {
      SnapshotReader.integer(bytes, offset, as: type)
    }
    guard bytes.count >= SnapshotLayout.headerByteCount + SnapshotLayout.checksumByteCount else {
      throw .corrupt("the snapshot is shorter than its header")
    }
    guard bytes.starts(with: SnapshotLayout.magic) else { throw .corrupt("the snapshot has another magic number") }
    guard integer(4, as: UInt16.self) == SnapshotLayout.version else {
      throw .corrupt("the snapshot is of version \(integer(4, as: UInt16.self)), not \(SnapshotLayout.version)")
    }
    let end = bytes.count - SnapshotLayout.checksumByteCount
    let checksum = bytes.withUnsafeBytes { tl_crc32c(0, $0.baseAddress, end) }
    guard checksum == integer(end, as: UInt32.self) else { throw .corrupt("the checksum does not match") }

    guard let metric = Metric(rawValue: bytes[6]), bytes[7] <= 1 else { throw .corrupt("the metric is unknown") }
    self.metric = metric
    hasGraph = bytes[7] == 1
    dimension = Int(integer(8, as: UInt32.self))
    parameters = HNSWParameters(
      m: Int(integer(12, as: UInt32.self)), efConstruction: Int(integer(16, as: UInt32.self)),
      exactCountMax: Int(integer(20, as: UInt32.self)), seed: integer(24, as: UInt64.self))
    guard (1...65_536).contains(dimension), parameters.isValid else {
      throw .corrupt("the parameters are out of range")
    }
    slotCount = Int(integer(32, as: UInt32.self))
    freeCount = Int(integer(36, as: UInt32.self))
    entry = integer(40, as: UInt32.self)
    upperCount = Int(integer(44, as: UInt32.self))

    // None of these overflows: 32-bit counts times at most 2^19 bytes.
    idsOffset = SnapshotLayout.headerByteCount
    levelsOffset = idsOffset + 8 * slotCount
    freeOffset = levelsOffset + slotCount
    vectorsOffset = freeOffset + 4 * freeCount
    baseOffset = vectorsOffset + 4 * slotCount * dimension
    upperOffset = baseOffset + (hasGraph ? 4 * slotCount * (1 + parameters.linkCountMax(on: 0)) : 0)
    let upperEnd = upperOffset + (hasGraph ? 4 * upperCount * (1 + parameters.linkCountMax(on: 1)) : 0)
    guard upperEnd == end else { throw .corrupt("the length does not fit the header") }
  }

  private static func integer<T: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int, as type: T.Type) -> T {
    bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
  }

  func index() throws(VectorIndexError) -> HNSWIndex {
    var index = HNSWIndex(dimension: dimension, metric: metric, parameters: parameters)
    index.ids = (0..<slotCount).map { SnapshotReader.integer(bytes, idsOffset + 8 * $0, as: UInt64.self) }
    index.freeSlots = (0..<freeCount).map { SnapshotReader.integer(bytes, freeOffset + 4 * $0, as: UInt32.self) }
    index.graph.levels = Array(bytes[levelsOffset..<freeOffset])
    index.graph.isLive = Array(repeating: true, count: slotCount)
    for slot in index.freeSlots {
      guard Int(slot) < slotCount, index.graph.isLive[Int(slot)] else { throw .corrupt("a free slot is free twice") }
      index.graph.isLive[Int(slot)] = false
    }
    index.slotByID.reserveCapacity(slotCount - freeCount)
    for slot in 0..<slotCount where index.graph.isLive[slot] {
      guard index.slotByID.updateValue(UInt32(slot), forKey: index.ids[slot]) == nil else {
        throw .corrupt("an id is there twice")
      }
    }
    try readVectors(into: &index.vectors)
    try readGraph(into: &index.graph)
    return index
  }

  private func readVectors(into vectors: inout VectorStore) throws(VectorIndexError) {
    var row = [Float](repeating: 0, count: dimension)
    let rowByteCount = 4 * dimension
    for slot in 0..<slotCount {
      let offset = vectorsOffset + slot * rowByteCount
      let isUsable = bytes.withUnsafeBytes { bytes in
        var largest: UInt32 = 0
        for index in 0..<dimension {
          let bits = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4 * index, as: UInt32.self))
          largest = max(largest, bits & 0x7FFF_FFFF)  // magnitudes order like their bits, infinity and NaN above all
          row[index] = Float(bitPattern: bits)
        }
        return largest <= VectorStore.componentMax.bitPattern
      }
      guard isUsable else { throw .corrupt("a vector is not made of numbers") }
      vectors.append(row)
    }
  }

  private func readGraph(into graph: inout HNSWGraph) throws(VectorIndexError) {
    graph.upperStarts.reserveCapacity(slotCount)
    var upperRow = 0
    for level in graph.levels {
      guard level < HNSWGraph.levelMax else { throw .corrupt("a node is above all layers") }
      graph.upperStarts.append(UInt32(truncatingIfNeeded: upperRow))
      upperRow += Int(level)
    }
    guard upperRow == upperCount else { throw .corrupt("the upper layers do not fit the levels") }

    guard hasGraph else {
      guard entry == SnapshotLayout.noEntry else { throw .corrupt("there is an entry without a graph") }
      for _ in 0..<slotCount { graph.base.append(repeating: 0) }
      for _ in 0..<upperCount { graph.upper.append(repeating: 0) }
      return
    }
    guard Int(entry) < slotCount, graph.isLive[Int(entry)] else { throw .corrupt("the entry is not a node") }
    graph.entry = entry
    let top = graph.levels[Int(entry)]
    for slot in 0..<slotCount where graph.isLive[slot] && graph.levels[slot] > top {
      throw .corrupt("a node is above the entry")
    }
    for slot in 0..<slotCount {
      try readLinks(of: slot, on: 0, row: slot, offset: baseOffset, into: &graph.base, graph.levels, graph.isLive)
    }
    for slot in 0..<slotCount {
      for layer in 0..<Int(graph.levels[slot]) {
        try readLinks(
          of: slot, on: layer + 1, row: Int(graph.upperStarts[slot]) + layer, offset: upperOffset, into: &graph.upper,
          graph.levels, graph.isLive)
      }
    }
  }

  private func readLinks(
    of slot: Int, on layer: Int, row: Int, offset: Int, into rows: inout ChunkedRows<UInt32>, _ levels: [UInt8],
    _ isLive: [Bool]
  ) throws(VectorIndexError) {
    let rowLength = rows.rowLength
    let start = offset + 4 * row * rowLength
    var isSound = true
    bytes.withUnsafeBytes { bytes in
      rows.append { destination in
        for index in 0..<rowLength {
          let word = bytes.loadUnaligned(fromByteOffset: start + 4 * index, as: UInt32.self)
          destination[index] = UInt32(littleEndian: word)
        }
        guard destination[0] < rowLength, destination[0] == 0 || isLive[slot] else {
          isSound = false
          destination[0] = 0
          return
        }
        for index in 0..<Int(destination[0]) {
          let target = Int(destination[index + 1])
          let isNode = target < levels.count && isLive[target] && Int(levels[target]) >= layer
          if !isNode || target == slot { isSound = false }
        }
      }
    }
    guard isSound else { throw .corrupt("a link leads nowhere") }
  }
}
