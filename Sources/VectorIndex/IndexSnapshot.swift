internal import CKernels

// SNAPSHOT LAYOUT, version 2. Integers and floats are little-endian; n slots, d components, f free slots, u upper rows,
// D bytes of details a slot (none for int8; 32 for each 64 components or part of them for int12; 2d; 4d). Every section
// begins at a multiple of 64 bytes, with zeros before it: the file can be mapped and used where it lies.
//   offset     bytes  field
//        0         4  magic "TLVX"
//        4         2  version
//        6         1  metric (Metric.rawValue)
//        7         1  precision (Precision.rawValue)
//        8         4  d, 1...65,536
//       12         4  M
//       16         4  efConstruction
//       20         4  exactCountMax
//       24         8  seed
//       32         4  n, at most 2^31
//       36         4  f
//       40         4  entry slot; 0xFFFFFFFF without a graph
//       44         4  u
//       48        16  zeros
//       64    n·(…)  nodes: the int8 code of d bytes, zeros, then the links of layer 0, 4 · 2M bytes that end at a
//                     multiple of 64: how many, then the slots, then zeros
//       4n … 12n  by slot, float32: the size of a code's unit; with dot and squared L2 the squared length; with int12
//                     the size of a step
//                nD  details: TL_RESIDUAL_BYTES of CKernelsDistance.h, or float16, or float32
//                8n  ids; 0 in free slots
//                 n  levels; 128 more where the slot holds a vector
//                4n  the upper row of each slot's layer 1; the layers above follow
//        4u(1 + M)  links of the layers above 0: how many, then the slots, then zeros
//                4f  free slots, the next to be used last
//      end         4  CRC-32C of everything before it, not aligned
// Valid: magic, version, length and checksum agree, and every number that leads somewhere leads to something.
// Anything else is `.corrupt`, never a guess.
private enum SnapshotLayout {
  static let magic: [UInt8] = Array("TLVX".utf8)
  static let version: UInt16 = 2
  static let headerByteCount = 64
  static let checksumByteCount = 4
  static let noEntry = UInt32.max

  /// Where each section begins, and where the last one ends.
  struct Offsets {
    var nodes = 0
    var factors = 0
    var details = 0
    var ids = 0
    var levels = 0
    var upperStarts = 0
    var upper = 0
    var freeSlots = 0
    var end = 0

    // None of these overflows: counts below 2^32 times rows below 2^19 bytes.
    init(slotCount: Int, upperCount: Int, freeCount: Int, _ index: HNSWIndex) {
      var offset = SnapshotLayout.headerByteCount
      func section(_ byteCount: Int) -> Int {
        defer { offset = (offset + byteCount + 63) & ~63 }
        return offset
      }
      nodes = section(slotCount * index.vectors.nodes.rowLength)
      factors = section(4 * slotCount * index.vectors.factors.rowLength)
      details = section(slotCount * index.vectors.details.rowLength)
      ids = section(8 * slotCount)
      levels = section(slotCount)
      upperStarts = section(4 * slotCount)
      upper = section(4 * upperCount * index.graph.upper.rowLength)
      freeSlots = section(4 * freeCount)
      end = offset
    }
  }
}

extension HNSWIndex {
  /// The index as bytes (see the layout above). Equal indexes give equal bytes.
  package func snapshot() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: snapshotByteCount) { buffer, count in
      writeSnapshot { piece in
        guard let start = buffer.baseAddress, let source = piece.baseAddress else { return }
        UnsafeMutableRawPointer(start + count).copyMemory(from: source, byteCount: piece.count)
        count += piece.count
      }
    }
  }

  package var snapshotByteCount: Int { snapshotOffsets.end + SnapshotLayout.checksumByteCount }

  private var snapshotOffsets: SnapshotLayout.Offsets {
    SnapshotLayout.Offsets(
      slotCount: vectors.count, upperCount: graph.upper.count, freeCount: freeSlots.count, self)
  }

  /// Passes the bytes of `snapshot()` on in pieces of at most some 64 KiB, without a copy of the whole.
  package func writeSnapshot(to sink: (UnsafeRawBufferPointer) -> Void) {
    precondition(1.littleEndian == 1, "snapshots are written as memory is on little-endian machines")
    let offsets = snapshotOffsets
    var checksum: UInt32 = 0
    var written = 0
    func write(_ piece: UnsafeRawBufferPointer) {
      checksum = tl_crc32c(checksum, piece.baseAddress, piece.count)
      written += piece.count
      sink(piece)
    }
    /// Zeros up to `offset`.
    func fill(to offset: Int) {
      withUnsafeTemporaryAllocation(byteCount: offset - written, alignment: 1) { zeros in
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        write(UnsafeRawBufferPointer(zeros))
      }
    }
    withUnsafeTemporaryAllocation(byteCount: SnapshotLayout.headerByteCount, alignment: 8) { header in
      if let base = header.baseAddress { writeHeader(base) }
      write(UnsafeRawBufferPointer(header))
    }
    vectors.nodes.write(to: write)
    fill(to: offsets.factors)
    vectors.factors.write(to: write)
    fill(to: offsets.details)
    vectors.details.write(to: write)
    fill(to: offsets.ids)
    vectors.ids.write(to: write)
    fill(to: offsets.levels)
    graph.levels.write(to: write)
    fill(to: offsets.upperStarts)
    graph.upperStarts.write(to: write)
    fill(to: offsets.upper)
    graph.upper.write(to: write)
    fill(to: offsets.freeSlots)
    freeSlots.withUnsafeBytes { write($0) }
    fill(to: offsets.end)
    withUnsafeBytes(of: checksum.littleEndian) { sink($0) }
  }

  private func writeHeader(_ header: UnsafeMutableRawPointer) {
    header.initializeMemory(as: UInt8.self, repeating: 0, count: SnapshotLayout.headerByteCount)
    for (index, byte) in SnapshotLayout.magic.enumerated() {
      header.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
    header.storeBytes(of: SnapshotLayout.version, toByteOffset: 4, as: UInt16.self)
    header.storeBytes(of: metric.rawValue, toByteOffset: 6, as: UInt8.self)
    header.storeBytes(of: precision.rawValue, toByteOffset: 7, as: UInt8.self)
    let words: [(Int, Int)] = [
      (8, dimension), (12, parameters.m), (16, parameters.efConstruction), (20, parameters.exactCountMax),
      (32, vectors.count), (36, freeSlots.count), (40, Int(graph.entry ?? SnapshotLayout.noEntry)),
      (44, graph.upper.count),
    ]
    for (offset, word) in words { header.storeBytes(of: UInt32(word), toByteOffset: offset, as: UInt32.self) }
    header.storeBytes(of: parameters.seed, toByteOffset: 24, as: UInt64.self)
  }

  /// The index that `snapshot()` wrote.
  ///
  /// - Throws: `.corrupt`, whatever the bytes are.
  package init(snapshot: [UInt8]) throws(VectorIndexError) {
    let result: Result<HNSWIndex, VectorIndexError> = snapshot.withUnsafeBytes { bytes in
      do throws(VectorIndexError) { return .success(try HNSWIndex(snapshot: bytes, owner: nil)) } catch {
        return .failure(error)
      }
    }
    self = try result.get()
  }

  /// As `init(snapshot:)`.
  ///
  /// - Parameter owner: Keeps the bytes where they are, and as they are, as long as it lives: a mapped file. The index
  ///   then reads them in place and copies what it changes. Nil: all is copied.
  package init(snapshot bytes: UnsafeRawBufferPointer, owner: AnyObject?) throws(VectorIndexError) {
    self = try SnapshotReader(bytes: bytes, owner: owner).index()
  }
}

private struct SnapshotReader {
  let bytes: UnsafeRawBufferPointer
  let owner: AnyObject?

  private func integer<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T {
    T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  func index() throws(VectorIndexError) -> HNSWIndex {
    precondition(1.littleEndian == 1, "snapshots are read as memory is on little-endian machines")
    guard bytes.count >= SnapshotLayout.headerByteCount + SnapshotLayout.checksumByteCount,
      let base = bytes.baseAddress
    else { throw .corrupt("the snapshot is shorter than its header") }
    guard bytes.starts(with: SnapshotLayout.magic) else { throw .corrupt("the snapshot has another magic number") }
    guard integer(4, as: UInt16.self) == SnapshotLayout.version else {
      throw .corrupt("the snapshot is of version \(integer(4, as: UInt16.self)), not \(SnapshotLayout.version)")
    }
    let end = bytes.count - SnapshotLayout.checksumByteCount
    guard tl_crc32c(0, base, end) == integer(end, as: UInt32.self) else {
      throw .corrupt("the checksum does not match")
    }

    guard let metric = Metric(rawValue: bytes[6]), let precision = Precision(rawValue: bytes[7]) else {
      throw .corrupt("the metric or the precision is unknown")
    }
    let dimension = Int(integer(8, as: UInt32.self))
    let parameters = HNSWParameters(
      m: Int(integer(12, as: UInt32.self)), efConstruction: Int(integer(16, as: UInt32.self)),
      exactCountMax: Int(integer(20, as: UInt32.self)), seed: integer(24, as: UInt64.self))
    let slotCount = Int(integer(32, as: UInt32.self))
    let freeCount = Int(integer(36, as: UInt32.self))
    let entry = integer(40, as: UInt32.self)
    let upperCount = Int(integer(44, as: UInt32.self))
    guard (1...65_536).contains(dimension), parameters.isValid, slotCount <= 1 << 31, freeCount <= slotCount else {
      throw .corrupt("the parameters are out of range")
    }

    var index = HNSWIndex(dimension: dimension, metric: metric, precision: precision, parameters: parameters)
    let offsets = SnapshotLayout.Offsets(slotCount: slotCount, upperCount: upperCount, freeCount: freeCount, index)
    guard offsets.end == end else { throw .corrupt("the length does not fit the header") }
    func rows<T>(_ rows: ChunkedRows<T>, _ count: Int, at offset: Int) -> ChunkedRows<T> {
      ChunkedRows(rowLength: rows.rowLength, count: count, from: base + offset, owner: owner)
    }
    index.vectors.nodes = rows(index.vectors.nodes, slotCount, at: offsets.nodes)
    index.vectors.factors = rows(index.vectors.factors, slotCount, at: offsets.factors)
    if precision != .int8 { index.vectors.details = rows(index.vectors.details, slotCount, at: offsets.details) }
    index.vectors.ids = rows(index.vectors.ids, slotCount, at: offsets.ids)
    index.graph.levels = rows(index.graph.levels, slotCount, at: offsets.levels)
    index.graph.upperStarts = rows(index.graph.upperStarts, slotCount, at: offsets.upperStarts)
    index.graph.upper = rows(index.graph.upper, upperCount, at: offsets.upper)
    index.freeSlots = (0..<freeCount).map { integer(offsets.freeSlots + 4 * $0, as: UInt32.self) }
    index.graph.entry = entry == SnapshotLayout.noEntry ? nil : entry
    if let fault = index.faultOfForm(upperCount: upperCount) { throw .corrupt(fault) }

    index.slots = IDTable(roomFor: slotCount - freeCount)
    for slot in 0..<UInt32(slotCount) where index.isLive(slot) {
      guard index.slots.slot(of: index.id(of: slot), index.vectors.ids) == nil else {
        throw .corrupt("an id is there twice")
      }
      index.slots.insert(slot, index.vectors.ids)
    }
    return index
  }
}

extension HNSWIndex {
  /// What makes bytes with a right checksum unusable: a number that leads nowhere. Reads everything once, in order.
  fileprivate func faultOfForm(upperCount: Int) -> String? {
    withExtendedLifetime(self) {
      let view = view
      let slotCount = UInt32(view.slotCount)
      var isFree = [Bool](repeating: false, count: view.slotCount)
      for slot in freeSlots {
        guard slot < slotCount, !isFree[Int(slot)] else { return "a free slot is free twice" }
        isFree[Int(slot)] = true
      }
      var upperRow = 0
      for slot in 0..<slotCount {
        guard view.level(of: slot) < HNSWGraph.levelMax else { return "a node is above all layers" }
        guard view.isLive(slot) != isFree[Int(slot)] else { return "a slot is neither used nor free" }
        guard Int(view.upperStarts[slot].pointee) == upperRow else { return "the upper layers do not fit the levels" }
        upperRow += view.level(of: slot)
        if let fault = faultOfVector(slot, view.vectors) { return fault }
      }
      guard upperRow == upperCount else { return "the upper layers do not fit the levels" }
      if let entry = view.entry {
        guard entry < slotCount, view.isLive(entry) else { return "the entry is not a node" }
        let top = view.level(of: entry)
        for slot in 0..<slotCount where view.isLive(slot) && view.level(of: slot) > top {
          return "a node is above the entry"
        }
      }
      return faultOfLinks(view)
    }
  }

  private func faultOfVector(_ slot: UInt32, _ view: VectorView) -> String? {
    for index in 0..<vectors.factors.rowLength
    where !(view.factors[slot][index] >= 0 && view.factors[slot][index] <= 1e36) {
      return "a vector has no length"
    }
    let details = UnsafeRawPointer(view.details[precision == .int8 ? 0 : slot])
    var largest: UInt32 = 0
    switch precision {
    case .int8, .int12: return nil
    case .float16:
      let halves = details.assumingMemoryBound(to: UInt16.self)
      for index in 0..<dimension { largest = max(largest, UInt32(halves[index] & 0x7FFF)) }
      return largest < 0x7C00 ? nil : "a vector is not made of numbers"
    case .float32:
      let words = details.assumingMemoryBound(to: UInt32.self)
      // Magnitudes order like their bits, infinity and what is no number above all.
      for index in 0..<dimension { largest = max(largest, words[index] & 0x7FFF_FFFF) }
      return largest <= VectorStore.componentMax.bitPattern ? nil : "a vector is not made of numbers"
    }
  }

  private func faultOfLinks(_ view: GraphView) -> String? {
    let slotCount = UInt32(view.slotCount)
    // Of links that go both ways, what is added for one way is taken off for the other.
    var balance: UInt64 = 0
    for slot in 0..<slotCount {
      let level = view.level(of: slot)
      for layer in 0...level {
        let row = view.links(of: slot, on: layer)
        guard row[0] <= UInt32(parameters.linkCountMax(on: layer)) else { return "a node has too many links" }
        if row[0] > 0, !view.isLive(slot) || view.entry == nil { return "a link comes from nowhere" }
        for index in 1..<(Int(row[0]) + 1) {
          let target = row[index]
          guard target < slotCount, target != slot, view.isLive(target), view.level(of: target) >= layer else {
            return "a link leads nowhere"
          }
          let pair = UInt64(min(slot, target)) << 32 | UInt64(max(slot, target))
          var mixed = (pair &+ UInt64(layer)) &* 0x9E37_79B9_7F4A_7C15
          mixed = (mixed ^ (mixed >> 29)) &* 0xBF58_476D_1CE4_E5B9
          balance = slot < target ? balance &+ mixed : balance &- mixed
        }
      }
    }
    return balance == 0 ? nil : "a link goes one way only"
  }
}
