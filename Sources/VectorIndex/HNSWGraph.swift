/// The layers above 0 and the levels of the nodes; the links of layer 0 are in `VectorStore`, beside the codes.
///
/// A link goes both ways; a node has at most `2 · M - 1` on layer 0 and `M` on each layer above. A row of links is its
/// length, then the slots. A slot keeps its level for life, whoever uses it, so rows never move.
struct HNSWGraph: Sendable {
  /// Levels come from a geometric distribution with ratio 1/M; none of 2^31 nodes reaches this one even with M = 2.
  static let levelMax = 64
  /// In the level of a slot that holds a vector.
  static let liveBit: UInt8 = 0x80

  var upper: ChunkedRows<UInt32>
  /// By slot: its highest layer, and whether it holds a vector.
  var levels: ChunkedRows<UInt8>
  /// By slot: the row in `upper` of its layer 1; the layers above follow.
  var upperStarts: ChunkedRows<UInt32>
  /// Where walks begin: a node of the highest level. `nil` while there is no graph.
  var entry: UInt32?

  init(parameters: HNSWParameters) {
    upper = ChunkedRows(rowLength: 1 + parameters.linkCountMax(on: 1))
    levels = ChunkedRows(rowLength: 1)
    upperStarts = ChunkedRows(rowLength: 1)
  }

  var byteCount: Int { upper.byteCount + levels.byteCount + upperStarts.byteCount }

  mutating func appendNode(level: Int) {
    levels.append(UInt8(level) | HNSWGraph.liveBit)
    upperStarts.append(UInt32(upper.count))
    for _ in 0..<level { upper.append(0) }
  }

  mutating func setLive(_ slot: UInt32, _ isLive: Bool) {
    let level = levels.mutableRow(slot)
    level.pointee = isLive ? level.pointee | HNSWGraph.liveBit : level.pointee & ~HNSWGraph.liveBit
  }

  /// The paper's `floor(-ln(uniform) / ln(M))`, in integers so that every machine agrees.
  static func levelOfNewNode(_ slot: UInt32, _ parameters: HNSWParameters) -> Int {
    // SplitMix64 (Steele, Lea and Flood 2014) at position `slot`.
    var z = parameters.seed &+ (UInt64(slot) &+ 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    var bound = UInt64.max / UInt64(parameters.m)
    var level = 0
    while z < bound, level < HNSWGraph.levelMax - 1 {
      level += 1
      bound /= UInt64(parameters.m)
    }
    return level
  }
}

/// The whole index by pointers: valid while it lives and does not change.
struct GraphView {
  let vectors: VectorView
  let upper: ChunkedRows<UInt32>.Rows
  let levels: ChunkedRows<UInt8>.Rows
  let upperStarts: ChunkedRows<UInt32>.Rows
  let slotCount: Int
  let entry: UInt32?

  @inline(__always)
  func level(of slot: UInt32) -> Int { Int(levels[slot].pointee & ~HNSWGraph.liveBit) }

  @inline(__always)
  func isLive(_ slot: UInt32) -> Bool { levels[slot].pointee & HNSWGraph.liveBit != 0 }

  /// How many, then the slots.
  @inline(__always)
  func links(of slot: UInt32, on level: Int) -> UnsafeMutablePointer<UInt32> {
    level == 0 ? vectors.links(of: slot) : upper[upperStarts[slot].pointee &+ UInt32(level &- 1)]
  }

  func linkArray(of slot: UInt32, on level: Int) -> [UInt32] {
    let row = links(of: slot, on: level)
    return Array(UnsafeBufferPointer(start: row + 1, count: Int(row[0])))
  }
}

extension HNSWIndex {
  var view: GraphView {
    GraphView(
      vectors: vectors.view, upper: graph.upper.rows, levels: graph.levels.rows, upperStarts: graph.upperStarts.rows,
      slotCount: vectors.count, entry: graph.entry)
  }

  func links(of slot: UInt32, on level: Int) -> [UInt32] {
    withExtendedLifetime(self) { view.linkArray(of: slot, on: level) }
  }

  func linkCount(of slot: UInt32, on level: Int) -> Int {
    withExtendedLifetime(self) { Int(view.links(of: slot, on: level)[0]) }
  }

  func level(of slot: UInt32) -> Int { withExtendedLifetime(self) { view.level(of: slot) } }
  func isLive(_ slot: UInt32) -> Bool { withExtendedLifetime(self) { view.isLive(slot) } }
  func id(of slot: UInt32) -> UInt64 { withExtendedLifetime(self) { vectors.ids.rows[slot].pointee } }

  /// A row of links to be changed.
  @inline(__always)
  private mutating func mutableLinks(of slot: UInt32, on level: Int) -> UnsafeMutablePointer<UInt32> {
    if level > 0 { return graph.upper.mutableRow(graph.upperStarts.rows[slot].pointee + UInt32(level - 1)) }
    return UnsafeMutableRawPointer(vectors.nodes.mutableRow(slot) + vectors.linkOffset)
      .assumingMemoryBound(to: UInt32.self)
  }

  /// Adds `target` to the links of `slot`, which must have room.
  mutating func addLink(from slot: UInt32, to target: UInt32, on level: Int) {
    let row = mutableLinks(of: slot, on: level)
    precondition(Int(row[0]) < parameters.linkCountMax(on: level), "a node's links are full")
    row[Int(row[0]) + 1] = target
    row[0] += 1
  }

  mutating func removeLink(from slot: UInt32, to target: UInt32, on level: Int) {
    let row = mutableLinks(of: slot, on: level)
    let count = Int(row[0])
    guard let index = (1..<(count + 1)).first(where: { row[$0] == target }) else { return }
    row[index] = row[count]
    row[count] = 0
    row[0] -= 1
  }

  mutating func setLinks(of slot: UInt32, to targets: UnsafeBufferPointer<UInt64>, on level: Int) {
    let countMax = parameters.linkCountMax(on: level)
    let row = mutableLinks(of: slot, on: level)
    precondition(targets.count <= countMax, "a node's links are full")
    row[0] = UInt32(targets.count)
    for index in 0..<countMax { row[index + 1] = index < targets.count ? Candidate(key: targets[index]).slot : 0 }
  }
}
