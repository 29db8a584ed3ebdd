/// The links of every layer. A link goes both ways; a node has at most `2 · M` on layer 0 and `M` on each layer above.
///
/// A row of links is its length, then the slots. A slot keeps its level for life, whoever uses it, so rows never move.
struct HNSWGraph: Sendable {
  /// Levels come from a geometric distribution with ratio 1/M; none of 2^64 nodes reaches this one even with M = 2.
  static let levelMax = 64

  let parameters: HNSWParameters
  var base: ChunkedRows<UInt32>
  var upper: ChunkedRows<UInt32>
  /// The highest layer of each slot.
  var levels: [UInt8] = []
  /// The row in `upper` of each slot's layer 1; the layers above follow.
  var upperStarts: [UInt32] = []
  /// Whether a slot holds a vector.
  var isLive: [Bool] = []
  /// Where walks begin: a node of the highest level. `nil` while there is no graph.
  var entry: UInt32?

  init(parameters: HNSWParameters) {
    self.parameters = parameters
    base = ChunkedRows(rowLength: 1 + parameters.linkCountMax(on: 0))
    upper = ChunkedRows(rowLength: 1 + parameters.linkCountMax(on: 1))
  }

  var isBuilt: Bool { entry != nil }
  var slotCount: Int { levels.count }

  func level(of slot: UInt32) -> Int { Int(levels[Int(slot)]) }

  mutating func appendNode() {
    let level = levelOfNewNode(UInt32(levels.count))
    levels.append(UInt8(level))
    upperStarts.append(UInt32(upper.count))
    isLive.append(true)
    base.append(repeating: 0)
    for _ in 0..<level { upper.append(repeating: 0) }
  }

  mutating func revive(_ slot: UInt32) { isLive[Int(slot)] = true }

  /// The paper's `floor(-ln(uniform) / ln(M))`, in integers so that every machine agrees.
  private func levelOfNewNode(_ slot: UInt32) -> Int {
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

  // MARK: Links

  /// The rows of one layer, valid inside `withLayer`.
  struct Layer {
    let rows: ChunkedRows<UInt32>.Rows
    let level: Int
    let upperStarts: UnsafePointer<UInt32>

    @inline(__always)
    func links(of slot: UInt32) -> UnsafeBufferPointer<UInt32> {
      let row = level == 0 ? rows[Int(slot)] : rows[Int(upperStarts[Int(slot)]) + level - 1]
      return UnsafeBufferPointer(start: row + 1, count: Int(row[0]))
    }
  }

  @inline(__always)
  func withLayer<R>(_ level: Int, _ body: (Layer) -> R) -> R {
    upperStarts.withUnsafeBufferPointer { starts in
      guard let starts = starts.baseAddress else { preconditionFailure("a graph without nodes has no layer") }
      return (level == 0 ? base : upper).withRows { body(Layer(rows: $0, level: level, upperStarts: starts)) }
    }
  }

  func links(of slot: UInt32, on level: Int) -> [UInt32] { withLayer(level) { Array($0.links(of: slot)) } }

  func linkCount(of slot: UInt32, on level: Int) -> Int { withLayer(level) { $0.links(of: slot).count } }

  private mutating func withMutableLinks<R>(
    of slot: UInt32, on level: Int, _ body: (UnsafeMutablePointer<UInt32>) -> R
  ) -> R {
    level == 0
      ? base.withMutableRow(Int(slot), body)
      : upper.withMutableRow(Int(upperStarts[Int(slot)]) + level - 1, body)
  }

  /// Adds `target` to the links of `slot`, which must have room.
  mutating func addLink(from slot: UInt32, to target: UInt32, on level: Int) {
    let countMax = parameters.linkCountMax(on: level)
    withMutableLinks(of: slot, on: level) { row in
      precondition(row[0] < countMax, "a node's links are full")
      row[Int(row[0]) + 1] = target
      row[0] += 1
    }
  }

  mutating func removeLink(from slot: UInt32, to target: UInt32, on level: Int) {
    withMutableLinks(of: slot, on: level) { row in
      let count = Int(row[0])
      guard let index = (1..<(count + 1)).first(where: { row[$0] == target }) else { return }
      row[index] = row[count]
      row[0] -= 1
    }
  }

  mutating func setLinks(of slot: UInt32, to targets: some Collection<UInt32>, on level: Int) {
    let countMax = parameters.linkCountMax(on: level)
    withMutableLinks(of: slot, on: level) { row in
      precondition(targets.count <= countMax, "a node's links are full")
      row[0] = UInt32(targets.count)
      for (index, target) in targets.enumerated() { row[index + 1] = target }
    }
  }
}
