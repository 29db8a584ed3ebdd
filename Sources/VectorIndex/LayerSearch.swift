/// SEARCH-LAYER (Algorithm 2), and the searches made of it.
struct LayerSearch: ~Copyable {
  private var visited: VisitedSet
  private var frontier: KeyHeap
  /// Room for the unvisited links of one node, and their distances.
  private let batch: UnsafeMutablePointer<UInt32>
  private let distances: UnsafeMutablePointer<Float>
  /// Distances computed so far.
  private(set) var distanceCount = 0

  init(slotCount: Int, linkCountMax: Int) {
    visited = VisitedSet(slotCount: slotCount)
    frontier = KeyHeap(capacity: 256)
    batch = .allocate(capacity: linkCountMax)
    distances = .allocate(capacity: linkCountMax)
  }

  deinit {
    batch.deallocate()
    distances.deallocate()
  }

  /// Goes from node to nearer node until none is nearer.
  mutating func descend(
    to query: UnsafePointer<Float>, from start: Candidate, in layer: HNSWGraph.Layer, _ vectors: Distances
  ) -> Candidate {
    var best = start
    while true {
      let links = layer.links(of: best.slot)
      guard let first = links.baseAddress else { return best }
      vectors.gather(query, first, count: links.count, into: distances)
      distanceCount += links.count
      var nearer = best
      for index in 0..<links.count {
        nearer = min(nearer, Candidate(distance: distances[index], slot: links[index]))
      }
      if nearer.slot == best.slot { return best }
      best = nearer
    }
  }

  /// Collects in `nearest` the nodes nearest to `query` that pass `filter`.
  ///
  /// - Returns: Whether it came to its end: `false` if more than `distanceCountMax` distances would have been needed.
  mutating func collect(
    nearestTo query: UnsafePointer<Float>, from entries: [Candidate], in layer: HNSWGraph.Layer, _ vectors: Distances,
    into nearest: inout NearestCandidates, distanceCountMax: Int = .max, filter: ((UInt32) -> Bool)? = nil
  ) -> Bool {
    visited.removeAll()
    frontier.removeAll()
    for entry in entries where visited.insert(entry.slot) {
      frontier.push(entry.key)
      if filter?(entry.slot) ?? true { nearest.insert(entry) }
    }
    while frontier.count > 0 {
      let current = Candidate(key: frontier.pop())
      if !nearest.admits(current), nearest.isFull { break }
      var batchCount = 0
      for target in layer.links(of: current.slot) where visited.insert(target) {
        batch[batchCount] = target
        batchCount += 1
      }
      vectors.gather(query, batch, count: batchCount, into: distances)
      distanceCount += batchCount
      for index in 0..<batchCount {
        let candidate = Candidate(distance: distances[index], slot: batch[index])
        guard nearest.admits(candidate) else { continue }
        frontier.push(candidate.key)
        if let filter, !filter(candidate.slot) { continue }
        nearest.insert(candidate)
      }
      if distanceCount > distanceCountMax { return false }
    }
    return true
  }
}

extension HNSWIndex {
  /// The `k` nearest slots, in no promised order.
  func nearest(to query: [Float], k: Int, ef: Int, filter: ((UInt64) -> Bool)?) -> [Candidate] {
    guard let entry = graph.entry, count > parameters.exactCountMax else {
      return scan(for: query, k: k, filter: filter)
    }
    // A walk that must pass over more nodes than this costs more than reading all that pass.
    var distanceCountMax = Int.max
    if let filter {
      let passing = estimatedPassingCount(filter)
      // Each of ef answers costs about M distances, and as many again for each neighbor that does not pass.
      let walkCost = Double(ef * parameters.m) * Double(count) / max(passing, 0.5)
      // Asking the filter costs about an eighth of a distance.
      let scanCost = passing + Double(count) / 8
      if walkCost >= scanCost { return scan(for: query, k: k, filter: filter) }
      distanceCountMax = 2 * Int(scanCost)
    }

    let found: [Candidate]? = vectors.withDistances { distances in
      query.withUnsafeBufferPointer { buffer in
        guard let query = buffer.baseAddress else { return [] }
        var search = LayerSearch(slotCount: graph.slotCount, linkCountMax: parameters.linkCountMax(on: 0))
        var start = Candidate(distance: distances.between(query, entry), slot: entry)
        for level in stride(from: graph.level(of: entry), to: 0, by: -1) {
          start = graph.withLayer(level) { search.descend(to: query, from: start, in: $0, distances) }
        }
        var nearest = NearestCandidates(limit: ef)
        let isComplete = graph.withLayer(0) { layer in
          if let filter {
            search.collect(
              nearestTo: query, from: [start], in: layer, distances, into: &nearest, distanceCountMax: distanceCountMax,
              filter: { filter(ids[Int($0)]) })
          } else {
            search.collect(nearestTo: query, from: [start], in: layer, distances, into: &nearest)
          }
        }
        return isComplete ? nearest.drain() : nil
      }
    }
    guard var found, found.count >= k else { return scan(for: query, k: k, filter: filter) }
    found.sort { ($0.distance, ids[Int($0.slot)]) < ($1.distance, ids[Int($1.slot)]) }
    return Array(found.prefix(k))
  }

  /// Every vector that passes, read: the true neighbors.
  func scan(for query: [Float], k: Int, filter: ((UInt64) -> Bool)?) -> [Candidate] {
    vectors.withDistances { vectors in
      query.withUnsafeBufferPointer { buffer in
        guard let query = buffer.baseAddress else { return [] }
        let batchMax = 256
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: batchMax) { batch in
          withUnsafeTemporaryAllocation(of: Float.self, capacity: batchMax) { distances in
            guard let batch = batch.baseAddress, let distances = distances.baseAddress else { return [] }
            var nearest: [Candidate] = []
            nearest.reserveCapacity(k + 1)
            var batchCount = 0
            // By distance, then id: a heap of slots would let the slots decide who of equals is left out.
            func precedes(_ a: Candidate, _ b: Candidate) -> Bool {
              (a.distance, ids[Int(a.slot)]) < (b.distance, ids[Int(b.slot)])
            }
            func flush() {
              vectors.gather(query, batch, count: batchCount, into: distances)
              for index in 0..<batchCount {
                let candidate = Candidate(distance: distances[index], slot: batch[index])
                if nearest.count == k {
                  guard precedes(candidate, nearest[k - 1]) else { continue }
                  nearest.removeLast()
                }
                var low = 0
                var high = nearest.count
                while low < high {
                  let middle = (low + high) / 2
                  if precedes(nearest[middle], candidate) { low = middle + 1 } else { high = middle }
                }
                nearest.insert(candidate, at: low)
              }
              batchCount = 0
            }
            for slot in 0..<graph.slotCount where graph.isLive[slot] {
              if let filter, !filter(ids[slot]) { continue }
              batch[batchCount] = UInt32(slot)
              batchCount += 1
              if batchCount == batchMax { flush() }
            }
            flush()
            return nearest
          }
        }
      }
    }
  }

  /// How many vectors pass, guessed from 256 of them spread over the slots.
  private func estimatedPassingCount(_ filter: (UInt64) -> Bool) -> Double {
    let step = max(graph.slotCount / 256, 1)
    var asked = 0
    var passed = 0
    for slot in stride(from: 0, to: graph.slotCount, by: step) where graph.isLive[slot] {
      asked += 1
      if filter(ids[slot]) { passed += 1 }
    }
    return asked == 0 ? Double(count) : Double(passed) / Double(asked) * Double(count)
  }
}
