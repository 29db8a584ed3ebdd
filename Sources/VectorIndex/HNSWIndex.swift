/// Nearest neighbors among vectors of one dimension: Hierarchical Navigable Small World graphs (Malkov and Yashunin
/// 2018) over int8 codes, with distances answered from more bits.
///
/// A value: a copy costs nothing and stays as it is while the original changes (rows are shared in chunks until one
/// side writes). So any number of readers search copies, on any thread and without a lock, while one writer goes on:
/// the writer changes a value of its own and hands a copy to the readers when it likes.
///
/// Unlike the paper's, every link goes both ways. That makes removal exact and local: who points at a vector is who it
/// points at. Equal operations in equal order with an equal seed give an equal index, on every processor and whatever
/// the number of threads.
package struct HNSWIndex: Sendable {
  package let parameters: HNSWParameters

  var vectors: VectorStore
  var graph: HNSWGraph
  var slots: IDTable
  /// Slots of removed vectors; the last is used first.
  var freeSlots: [UInt32]
  private var idleWalk: WriterWalk?

  /// - Parameters:
  ///   - dimension: 1...65,536.
  ///   - precision: What distances are answered from. `.int12` keeps 732 bytes a vector of 384 components in all.
  package init(
    dimension: Int, metric: Metric = .cosine, precision: Precision = .int12,
    parameters: HNSWParameters = HNSWParameters()
  ) {
    precondition((1...65_536).contains(dimension), "a vector has 1 to 65,536 components")
    precondition(parameters.isValid, "M is 2...64 and efConstruction 1...4096")
    self.parameters = parameters
    vectors = VectorStore(
      dimension: dimension, metric: metric, precision: precision, linkCountMax: parameters.linkCountMax(on: 0))
    graph = HNSWGraph(parameters: parameters)
    slots = IDTable()
    freeSlots = []
  }

  package var dimension: Int { vectors.dimension }
  package var metric: Metric { vectors.metric }
  package var precision: Precision { vectors.precision }
  package var count: Int { slots.count }
  package var isEmpty: Bool { slots.count == 0 }

  package func contains(_ id: UInt64) -> Bool { slots.slot(of: id, vectors.ids) != nil }

  /// In no promised order.
  package var identifiers: [UInt64] {
    withExtendedLifetime(self) {
      let view = view
      return (0..<UInt32(view.slotCount)).filter { view.isLive($0) }.map { view.vectors.ids[$0].pointee }
    }
  }

  /// The vector stored for `id`, as precisely as `precision` keeps it; with the cosine metric it has unit length.
  package func vector(of id: UInt64) -> [Float]? {
    guard let slot = slots.slot(of: id, vectors.ids) else { return nil }
    return vectors.vector(at: slot)
  }

  /// Stores `vector` under `id`, in place of what was stored under it before.
  ///
  /// - Throws: `.dimensionMismatch` or `.unusableVector`; the index is then as it was.
  /// - Complexity: About `efConstruction · M` distances. The insertion that makes the index larger than
  ///   `parameters.exactCountMax` links all vectors: some 0.2 s with the default.
  package mutating func insert(id: UInt64, vector: [Float]) throws(VectorIndexError) {
    let prepared = try PreparedVector(vector, dimension: dimension, metric: metric, precision: precision)
    guard let slot = store(prepared, id: id) else { return }
    link(slot, HNSWIndex.serially)
  }

  /// Forgets the vector of `id`; its neighbors are linked to each other where it had joined them, its memory is used
  /// again. When a quarter of the slots is free they are given back: the index is then copied, once in so many
  /// removals.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  package mutating func remove(id: UInt64) -> Bool {
    guard takeOut(id) else { return false }
    if freeSlots.count > 64, 4 * freeSlots.count > vectors.count { compact() }
    return true
  }

  /// As `remove`, but keeps the slot.
  private mutating func takeOut(_ id: UInt64) -> Bool {
    guard let slot = slots.remove(id, vectors.ids) else { return false }
    unlink(slot)
    vectors.ids.mutableRow(slot).pointee = 0
    freeSlots.append(slot)
    if slots.count == 0 {
      self = HNSWIndex(dimension: dimension, metric: metric, precision: precision, parameters: parameters)
    }
    return true
  }

  /// Gives `vector` a slot, not yet linked. Nil if it is stored already.
  private mutating func store(_ vector: borrowing PreparedVector, id: UInt64) -> UInt32? {
    if let slot = slots.slot(of: id, vectors.ids) {
      if vectors.holds(vector, at: slot) { return nil }
      _ = takeOut(id)
    }
    let slot: UInt32
    if let free = freeSlots.popLast() {
      slot = free
      vectors.replace(slot, with: vector, id: id)
      graph.setLive(slot, true)
    } else {
      precondition(vectors.count < 1 << 31, "an index holds at most 2^31 vectors")
      slot = UInt32(vectors.count)
      vectors.append(vector, id: id)
      graph.appendNode(level: HNSWGraph.levelOfNewNode(slot, parameters))
    }
    slots.insert(slot, vectors.ids)
    return slot
  }

  private mutating func link(_ slot: UInt32, _ concurrently: Concurrently) {
    if graph.entry != nil {
      connect(slot)
    } else if count > parameters.exactCountMax {
      connectAll(concurrently)
    }
  }

  // MARK: Batches

  /// Runs `body` for 0 to `count - 1`, as many at a time as it likes, and returns when all are done.
  package typealias Concurrently = @Sendable (_ count: Int, _ body: @Sendable (Int) -> Void) -> Void

  package static let serially: Concurrently = { count, body in for index in 0..<count { body(index) } }

  /// Stores many vectors, of several under one id the last. The graph is as good as one insertion after another would
  /// have made it, though not the same; it is the same whatever `concurrently` does.
  ///
  /// - Throws: `.dimensionMismatch` or `.unusableVector`; the index is then as it was.
  package mutating func insert(
    _ batch: [(id: UInt64, vector: [Float])], concurrently: Concurrently = HNSWIndex.serially
  ) throws(VectorIndexError) {
    for entry in batch {
      _ = try PreparedVector(
        entry.vector, dimension: dimension, metric: metric, precision: precision, forSearch: true)
    }
    var last: [UInt64: Int] = [:]
    for (index, entry) in batch.enumerated() { last[entry.id] = index }
    let hadGraph = graph.entry != nil
    // Those that take another's place first: taking it mends links, which must not meet nodes that have none yet.
    if hadGraph {
      for (index, entry) in batch.enumerated() where last[entry.id] == index {
        let vector = try PreparedVector(entry.vector, dimension: dimension, metric: metric, precision: precision)
        guard let slot = slots.slot(of: entry.id, vectors.ids), !vectors.holds(vector, at: slot) else { continue }
        _ = takeOut(entry.id)
      }
    }
    var new: [UInt32] = []
    for (index, entry) in batch.enumerated() where last[entry.id] == index {
      let vector = try PreparedVector(entry.vector, dimension: dimension, metric: metric, precision: precision)
      if let slot = store(vector, id: entry.id) { new.append(slot) }
    }
    if hadGraph, graph.entry != nil || count > parameters.exactCountMax {
      connect(new, concurrently)
    } else if count > parameters.exactCountMax {
      connectAll(concurrently)
    }
  }

  private mutating func connectAll(_ concurrently: Concurrently) {
    connect((0..<UInt32(vectors.count)).filter { isLive($0) }, concurrently)
  }

  /// Links `new`, which have no links yet, in waves: the places of a wave's nodes are found at once, then taken one
  /// after another. A wave is small beside what is linked already, and its nodes know of each other.
  private mutating func connect(_ new: [UInt32], _ concurrently: Concurrently) {
    var start = 0
    var linkedCount = graph.entry == nil ? 0 : count - new.count
    while start < new.count {
      let wave = Array(new[start..<min(start + max(1, min(256, linkedCount / 32)), new.count)])
      if wave.count == 1 {
        connect(wave[0])
      } else {
        let plans = plans(for: wave, concurrently)
        for (index, slot) in wave.enumerated() { if let plan = plans[index] { apply(plan, to: slot) } }
      }
      start += wave.count
      linkedCount += wave.count
    }
  }

  /// Found by reading a copy of the index, which is gone when this returns: else what is changed next would be copied.
  private func plans(for wave: [UInt32], _ concurrently: Concurrently) -> ResultSlots<LinkPlan> {
    let nodesPerTask = 8
    let plans = ResultSlots<LinkPlan>(count: wave.count)
    let reader = self
    concurrently((wave.count + nodesPerTask - 1) / nodesPerTask) { task in
      withExtendedLifetime(reader) {
        let view = reader.view
        var walk = reader.newWalk()
        for index in nodesPerTask * task..<min(nodesPerTask * (task + 1), wave.count) {
          plans[index] = view.plan(wave[index], companions: wave[..<index], reader.parameters, &walk)
        }
      }
    }
    return plans
  }

  func newWalk() -> LayerWalk {
    LayerWalk(
      slotCapacity: vectors.count, linkCountMax: parameters.linkCountMax(on: 0), limitMax: parameters.efConstruction)
  }

  private mutating func connect(_ slot: UInt32) {
    let walk = takeWalk()
    connect(slot, &walk.walk)
    idleWalk = walk
  }

  /// The walk kept from before, if no copy of the index has it too.
  private mutating func takeWalk() -> WriterWalk {
    if var walk = idleWalk {
      idleWalk = nil
      if isKnownUniquelyReferenced(&walk), walk.slotCapacity >= vectors.count { return walk }
    }
    return WriterWalk(slotCapacity: vectors.count + vectors.count / 2 + 1024, parameters)
  }
}

/// Places for results of concurrent work. Sendable because each place is written by one task and read after all ended.
final class ResultSlots<Element>: @unchecked Sendable {
  private let places: UnsafeMutablePointer<Element?>
  private let count: Int

  init(count: Int) {
    self.count = count
    places = .allocate(capacity: max(count, 1))
    places.initialize(repeating: nil, count: count)
  }

  deinit {
    places.deinitialize(count: count)
    places.deallocate()
  }

  subscript(_ index: Int) -> Element? {
    get {
      precondition(index >= 0 && index < count, "no such place")
      return places[index]
    }
    set {
      precondition(index >= 0 && index < count, "no such place")
      places[index] = newValue
    }
  }
}
