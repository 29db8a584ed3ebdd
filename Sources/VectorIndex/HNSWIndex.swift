/// Nearest neighbors among vectors of one dimension: Hierarchical Navigable Small World graphs (Malkov and Yashunin
/// 2018).
///
/// A value: a copy costs nothing and stays as it is while the original changes (rows are shared in chunks until one
/// side writes). So any number of readers search copies, on any thread and without a lock, while one writer goes on.
///
/// Unlike the paper's, every link goes both ways. That makes removal exact and local: who points at a vector is who it
/// points at. Equal operations in equal order with an equal seed give an equal index, on every processor.
package struct HNSWIndex: Sendable {
  package let parameters: HNSWParameters

  var vectors: VectorStore
  var graph: HNSWGraph
  /// The id of each slot; 0 in free ones.
  var ids: [UInt64]
  var slotByID: [UInt64: UInt32]
  /// Slots of removed vectors; the last is used first.
  var freeSlots: [UInt32]

  /// - Parameter dimension: 1...65,536.
  package init(dimension: Int, metric: Metric = .cosine, parameters: HNSWParameters = HNSWParameters()) {
    precondition((1...65_536).contains(dimension), "a vector has 1 to 65,536 components")
    precondition(parameters.isValid, "M is 2...64 and efConstruction 1...4096")
    self.parameters = parameters
    vectors = VectorStore(dimension: dimension, metric: metric)
    graph = HNSWGraph(parameters: parameters)
    ids = []
    slotByID = [:]
    freeSlots = []
  }

  package var dimension: Int { vectors.dimension }
  package var metric: Metric { vectors.metric }
  package var count: Int { slotByID.count }
  package var isEmpty: Bool { slotByID.isEmpty }

  package func contains(_ id: UInt64) -> Bool { slotByID[id] != nil }

  /// In no order.
  package var identifiers: some Sequence<UInt64> & Sendable { slotByID.keys }

  /// The vector stored for `id`; with the cosine metric it has unit length.
  package func vector(of id: UInt64) -> [Float]? {
    guard let slot = slotByID[id] else { return nil }
    return vectors.vector(at: slot)
  }

  /// Stores `vector` under `id`, in place of what was stored under it before.
  ///
  /// - Throws: `.dimensionMismatch` or `.unusableVector`; the index is then as it was.
  /// - Complexity: About `efConstruction · M` distances. The insertion that makes the index larger than
  ///   `parameters.exactCountMax` links all vectors: some 0.2 s with the default.
  package mutating func insert(id: UInt64, vector: [Float]) throws(VectorIndexError) {
    let row = try vectors.prepared(vector)
    if let slot = slotByID[id] {
      if vectors.isEqual(row, at: slot) { return }
      remove(id: id)
    }
    let slot: UInt32
    if let free = freeSlots.popLast() {
      slot = free
      vectors.replace(row, at: slot)
      ids[Int(slot)] = id
      graph.revive(slot)
    } else {
      slot = UInt32(ids.count)
      vectors.append(row)
      ids.append(id)
      graph.appendNode()
    }
    slotByID[id] = slot
    if graph.isBuilt {
      graph.connect(slot, vectors: vectors)
    } else if count > parameters.exactCountMax {
      graph.build(vectors: vectors)
    }
  }

  /// Forgets the vector of `id`; its neighbors are linked to each other where it had joined them, its memory is used
  /// again.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  package mutating func remove(id: UInt64) -> Bool {
    guard let slot = slotByID.removeValue(forKey: id) else { return false }
    graph.remove(slot, vectors: vectors)
    ids[Int(slot)] = 0
    freeSlots.append(slot)
    if slotByID.isEmpty { self = HNSWIndex(dimension: dimension, metric: metric, parameters: parameters) }
    return true
  }

  /// Finds the stored vectors nearest to `query` by K-NN-SEARCH (Algorithm 5), or by reading all of them where that
  /// is cheaper.
  ///
  /// - Parameters:
  ///   - ef: Candidates kept on the way. Wider finds more of the true neighbors and costs in proportion. `nil`:
  ///     `max(64, 2 · k)`.
  ///   - filter: Which ids may be answered. The walk crosses the others but does not return them; where few pass, all
  ///     that pass are read instead. May be asked more than once about an id.
  /// - Returns: At most `k` neighbors, nearest first, equal distances by id.
  /// - Throws: `.dimensionMismatch` or `.unusableVector`.
  /// - Complexity: About `ef · M` distances, each reading `4 · dimension` bytes.
  package func neighbors(
    of query: [Float], k: Int, ef: Int? = nil, filter: ((UInt64) -> Bool)? = nil
  ) throws(VectorIndexError) -> [Neighbor] {
    let row = try vectors.prepared(query)
    guard k > 0, !isEmpty else { return [] }
    let k = min(k, count)
    let ef = min(max(ef ?? max(64, 2 * k), k), count)
    let found = nearest(to: row, k: k, ef: ef, filter: filter)
    var neighbors = found.map { Neighbor(id: ids[Int($0.slot)], distance: $0.distance) }
    neighbors.sort { ($0.distance, $0.id) < ($1.distance, $1.id) }
    return neighbors
  }
}
