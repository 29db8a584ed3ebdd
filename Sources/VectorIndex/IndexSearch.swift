internal import CKernels

/// Ids that may be answered, as bits. For ids below 2^26, which is where most are; others are in a set.
package struct IDFilter: Sendable {
  private static let bitCountMax: UInt64 = 1 << 26

  private var words: [UInt64] = []
  private var others: Set<UInt64> = []
  package private(set) var count = 0

  package init(_ ids: some Sequence<UInt64>) {
    for id in ids { insert(id) }
  }

  package mutating func insert(_ id: UInt64) {
    guard id < IDFilter.bitCountMax else {
      if others.insert(id).inserted { count += 1 }
      return
    }
    let word = Int(id >> 6)
    if word >= words.count { words += repeatElement(0, count: max(word + 1 - words.count, words.count)) }
    let bit: UInt64 = 1 << (id & 63)
    if words[word] & bit == 0 { count += 1 }
    words[word] |= bit
  }

  @inline(__always)
  package func contains(_ id: UInt64) -> Bool {
    if id >= IDFilter.bitCountMax { return others.contains(id) }
    let word = Int(id >> 6)
    return word < words.count && words[word] & (1 << (id & 63)) != 0
  }

  /// Bits first, in their order.
  func forEach(_ body: (UInt64) -> Void) {
    for (index, word) in words.enumerated() where word != 0 {
      var left = word
      while left != 0 {
        body(UInt64(index << 6 + left.trailingZeroBitCount))
        left &= left - 1
      }
    }
    for id in others { body(id) }
  }
}

extension HNSWIndex {
  /// Where the vector of an id is in full: `dimension` components, of unit length with the cosine metric. Asked about
  /// the few candidates that may be answered; valid until it is asked again. Nil: the index's own bits must do.
  package typealias FullVectors = (UInt64) -> UnsafePointer<Float>?

  /// Finds the stored vectors nearest to `query` by K-NN-SEARCH (Algorithm 5), or by reading all of them where that
  /// is cheaper. The walk goes by the codes; distances answered and their order come from all bits there are.
  ///
  /// - Parameters:
  ///   - ef: Candidates kept on the way. Wider finds more of the true neighbors and costs in proportion. `nil`: 64, or
  ///     `2 · k`, and beyond 10,000 vectors more with the cube root of their number: 138 for 100,000.
  ///   - filter: Which ids may be answered. The walk crosses the others but does not return them; where few pass, all
  ///     that pass are read instead. May be asked more than once about an id.
  ///   - fullVectors: Vectors kept elsewhere, for exact distances where the index keeps less.
  /// - Returns: At most `k` neighbors, nearest first, equal distances by id.
  /// - Throws: `.dimensionMismatch` or `.unusableVector`.
  /// - Complexity: About `ef · M` distances, each reading `dimension` bytes.
  package func neighbors(
    of query: [Float], k: Int, ef: Int? = nil, filter: ((UInt64) -> Bool)? = nil, fullVectors: FullVectors? = nil
  ) throws(VectorIndexError) -> [Neighbor] {
    let vector = try prepared(query)
    guard let filter else { return nearest(to: vector, k: k, ef: ef, fullVectors: fullVectors) }
    let passing = estimatedPassingCount(filter)
    return nearest(
      to: vector, k: k, ef: ef, passingCount: passing, filterCost: 0.25 * Double(count), filter: filter,
      fullVectors: fullVectors
    ) { visit in
      forEachSlot { slot, id in if filter(id) { visit(slot) } }
    }
  }

  /// As `neighbors(of:k:ef:filter:)` among `ids`; where they are few, they are read without asking about the others.
  package func neighbors(
    of query: [Float], k: Int, ef: Int? = nil, among ids: IDFilter, fullVectors: FullVectors? = nil
  ) throws(VectorIndexError) -> [Neighbor] {
    let vector = try prepared(query)
    let isDense = ids.count >= count / 8
    return nearest(
      to: vector, k: k, ef: ef, passingCount: Double(min(ids.count, count)),
      filterCost: isDense ? 0.1 * Double(count) : Double(ids.count), filter: { ids.contains($0) },
      fullVectors: fullVectors
    ) { visit in
      if isDense {
        forEachSlot { slot, id in if ids.contains(id) { visit(slot) } }
      } else {
        ids.forEach { id in if let slot = slots.slot(of: id, vectors.ids) { visit(slot) } }
      }
    }
  }

  /// Finds the stored vectors whose distance to `query` is at most `radius`.
  ///
  /// - Parameter ef: Candidates kept in the first walk; a walk whose candidates all lie within the radius is repeated
  ///   with twice as many.
  /// - Returns: Nearest first, equal distances by id.
  package func neighbors(
    of query: [Float], within radius: Float, ef: Int = 64, filter: ((UInt64) -> Bool)? = nil,
    fullVectors: FullVectors? = nil
  ) throws(VectorIndexError) -> [Neighbor] {
    var wanted = max(ef / 2, 1)
    while true {
      let found = try neighbors(of: query, k: wanted, ef: 2 * wanted, filter: filter, fullVectors: fullVectors)
      if found.count < wanted || found.last.map({ $0.distance > radius }) ?? true || wanted >= count {
        return found.filter { $0.distance <= radius }
      }
      wanted = min(2 * wanted, count)
    }
  }

  /// The answers to many queries, in their order.
  ///
  /// - Parameter concurrently: Runs the body for 0 to count - 1, as many at a time as it likes.
  package func neighbors(
    ofEach queries: [[Float]], k: Int, ef: Int? = nil, concurrently: Concurrently = HNSWIndex.serially
  ) throws(VectorIndexError) -> [[Neighbor]] {
    let answers = ResultSlots<Result<[Neighbor], VectorIndexError>>(count: queries.count)
    let taskCount = (queries.count + 15) / 16
    concurrently(taskCount) { task in
      for index in 16 * task..<min(16 * task + 16, queries.count) {
        do throws(VectorIndexError) {
          answers[index] = .success(try neighbors(of: queries[index], k: k, ef: ef))
        } catch {
          answers[index] = .failure(error)
        }
      }
    }
    var all: [[Neighbor]] = []
    for index in queries.indices { all.append(try answers[index]?.get() ?? []) }
    return all
  }

  func prepared(_ query: [Float]) throws(VectorIndexError) -> PreparedVector {
    try PreparedVector(query, dimension: dimension, metric: metric, precision: precision, forSearch: true)
  }

  // MARK: Walk or scan

  private func nearest(to vector: borrowing PreparedVector, k: Int, ef: Int?, fullVectors: FullVectors?) -> [Neighbor] {
    let (k, limit) = bounds(k, ef)
    guard k > 0 else { return [] }
    guard graph.entry != nil, count > parameters.exactCountMax else {
      return scan(for: vector.query, k: k, fullVectors) { visit in forEachSlot { slot, _ in visit(slot) } }
    }
    return withExtendedLifetime(self) {
      let view = view
      let query = vector.query
      var walk = LayerWalk(slotCapacity: vectors.count, linkCountMax: parameters.linkCountMax(on: 0), limitMax: limit)
      guard let start = descent(to: query, view, &walk) else { return [] }
      walk.collect(nearestTo: query, from: [start.key], limit: limit, on: 0, view)
      return walk.withKeysFound { ranked(UnsafeBufferPointer($0), for: query, k: k, view, fullVectors) }
    }
  }

  private func nearest(
    to vector: borrowing PreparedVector, k: Int, ef: Int?, passingCount: Double, filterCost: Double,
    filter: (UInt64) -> Bool, fullVectors: FullVectors?, passing: ((UInt32) -> Void) -> Void
  ) -> [Neighbor] {
    let (k, limit) = bounds(k, ef)
    guard k > 0 else { return [] }
    // In distances read in order, as a scan does; one read here and there by a walk costs twice as much. Each of ef
    // answers costs about M distances, and as many again for each neighbor that does not pass.
    let walkCost = 2 * Double(limit * parameters.m) * Double(count) / max(passingCount, 0.5)
    let scanCost = passingCount + filterCost
    let query = vector.query
    if graph.entry != nil, count > parameters.exactCountMax, walkCost < scanCost {
      let found: [Neighbor]? = withExtendedLifetime(self) {
        let view = view
        var walk = LayerWalk(slotCapacity: vectors.count, linkCountMax: parameters.linkCountMax(on: 0), limitMax: limit)
        guard let start = descent(to: query, view, &walk) else { return [] }
        let isComplete = walk.collect(
          nearestTo: query, from: start, limit: limit, view, distanceCountMax: Int(scanCost), filter: filter)
        return isComplete
          ? walk.withKeysFound { ranked(UnsafeBufferPointer($0), for: query, k: k, view, fullVectors) } : nil
      }
      if let found, found.count == k { return found }
    }
    return scan(for: query, k: k, fullVectors, passing)
  }

  private func bounds(_ k: Int, _ ef: Int?) -> (k: Int, limit: Int) {
    let k = min(k, count)
    guard let ef else {
      let growth = max(1, Double(count) / 10_000)
      var scale = 1.0
      while scale * scale * scale < growth { scale += 1.0 / 32 }
      return (k, min(max(Int(64 * scale), 2 * k), count))
    }
    return (k, min(max(ef, k), count))
  }

  /// From the entry down to the node of layer 1 nearest to the query.
  private func descent(to query: Query, _ view: GraphView, _ walk: inout LayerWalk) -> Candidate? {
    guard let entry = view.entry else { return nil }
    var start = Candidate(distance: view.vectors.distance(query, entry), slot: entry)
    for level in stride(from: view.level(of: entry), to: 0, by: -1) {
      start = walk.descend(to: query, from: start, on: level, view)
    }
    return start
  }

  /// Orders candidates by their exact distances, of those alone that may be among the first `k`.
  ///
  /// - Parameter candidates: Nearest first, by code.
  private func ranked(
    _ candidates: UnsafeBufferPointer<UInt64>, for query: Query, k: Int, _ view: GraphView, _ fullVectors: FullVectors?,
    deviations: Float = 4
  ) -> [Neighbor] {
    var best = NearestNeighbors(k: k)
    let isExact = precision == .int8 && fullVectors == nil
    for (index, key) in candidates.enumerated() {
      if !isExact, precision != .int8, index + 4 < candidates.count {
        tl_prefetch_bytes(view.vectors.details[Candidate(key: candidates[index + 4]).slot], vectors.details.rowLength)
      }
      let candidate = Candidate(key: key)
      best.offer(candidate, query, view.vectors, fullVectors, deviations: isExact ? nil : deviations)
    }
    return best.neighbors
  }

  /// Reads every vector that `passing` visits: finds the true neighbors.
  private func scan(
    for query: Query, k: Int, _ fullVectors: FullVectors?, _ passing: ((UInt32) -> Void) -> Void
  ) -> [Neighbor] {
    withExtendedLifetime(self) {
      let view = view.vectors
      let isExact = precision == .int8 && fullVectors == nil
      var best = NearestNeighbors(k: k)
      let batchMax = 256
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: batchMax) { batch in
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: batchMax) { dots in
          guard let batch = batch.baseAddress, let dots = dots.baseAddress else { return }
          var batchCount = 0
          func flush() {
            view.gather(query, batch, count: batchCount, into: dots)
            for index in 0..<batchCount {
              let candidate = Candidate(
                distance: view.distance(query, batch[index], dot: dots[index]), slot: batch[index])
              // 8 deviations: none will be missed.
              best.offer(candidate, query, view, fullVectors, deviations: isExact ? nil : 8)
            }
            batchCount = 0
          }
          passing { slot in
            batch[batchCount] = slot
            batchCount += 1
            if batchCount == batchMax { flush() }
          }
          flush()
        }
      }
      return best.neighbors
    }
  }

  /// Visits the slots that hold vectors.
  @inline(__always)
  private func forEachSlot(step: Int = 1, _ body: (UInt32, UInt64) -> Void) {
    withExtendedLifetime(self) {
      let view = view
      for slot in stride(from: 0, to: view.slotCount, by: step) where view.isLive(UInt32(slot)) {
        body(UInt32(slot), view.vectors.ids[UInt32(slot)].pointee)
      }
    }
  }

  /// How many vectors pass, guessed from 256 of them spread over the slots.
  private func estimatedPassingCount(_ filter: (UInt64) -> Bool) -> Double {
    var asked = 0
    var passed = 0
    forEachSlot(step: max(vectors.count / 256, 1)) { _, id in
      asked += 1
      if filter(id) { passed += 1 }
    }
    return asked == 0 ? Double(count) : Double(passed) / Double(asked) * Double(count)
  }
}

/// The `k` nearest by exact distance, equal distances by id.
private struct NearestNeighbors {
  let k: Int
  private(set) var neighbors: [Neighbor] = []

  init(k: Int) {
    self.k = k
    neighbors.reserveCapacity(k)
  }

  /// - Parameter deviations: How unlikely a candidate must be to be passed over unread; nil if its distance by code is
  ///   the one to be answered.
  @inline(__always)
  mutating func offer(
    _ candidate: Candidate, _ query: Query, _ view: VectorView, _ fullVectors: HNSWIndex.FullVectors?,
    deviations: Float?
  ) {
    let slot = candidate.slot
    var distance = candidate.distance
    let isFull = neighbors.count == k
    if isFull {
      let bound = neighbors[k - 1].distance
      if let deviations {
        if view.isBeyond(bound, query, slot, distance: distance, deviations: deviations) { return }
      } else if distance > bound {
        return
      }
    }
    let id = view.ids[slot].pointee
    if deviations != nil, let components = query.components {
      if let fullVectors, let full = fullVectors(id) {
        distance = view.exactDistance(components, full)
      } else {
        distance = view.exactDistance(query, components, slot)
      }
    }
    if isFull {
      let last = neighbors[k - 1]
      if distance > last.distance || distance == last.distance && id > last.id { return }
      neighbors.removeLast()
    }
    var place = neighbors.count
    if place > 16 {
      var low = 0
      while low < place {
        let middle = (low + place) / 2
        let other = neighbors[middle]
        if (other.distance, other.id) < (distance, id) { low = middle + 1 } else { place = middle }
      }
    } else {
      while place > 0, (distance, id) < (neighbors[place - 1].distance, neighbors[place - 1].id) { place -= 1 }
    }
    neighbors.insert(Neighbor(id: id, distance: distance), at: place)
  }
}
