internal import CKernels

/// SEARCH-LAYER (Algorithm 2) and what it needs room for, used for one search after another.
struct LayerWalk: ~Copyable {
  /// Which slots the walk has seen: one bit each. Clearing 100,000 of them writes 12 KB, less than a walk reads.
  private let visited: UnsafeMutablePointer<UInt64>
  private var pool: CandidatePool
  /// Room for the unvisited links of one node, and their inner products.
  private let batch: UnsafeMutablePointer<UInt32>
  private let dots: UnsafeMutablePointer<Int32>
  /// Distances computed so far.
  private(set) var distanceCount = 0

  /// - Parameter slotCapacity: Slots of the largest graph it will walk.
  init(slotCapacity: Int, linkCountMax: Int, limitMax: Int) {
    visited = .allocate(capacity: (slotCapacity + 63) / 64)
    pool = CandidatePool(capacity: limitMax)
    batch = .allocate(capacity: linkCountMax + 1)
    dots = .allocate(capacity: linkCountMax + 1)
  }

  deinit {
    visited.deallocate()
    batch.deallocate()
    dots.deallocate()
  }

  // MARK: What was found

  /// Nearest first.
  @inline(__always)
  borrowing func withKeysFound<R>(_ body: (UnsafeMutableBufferPointer<UInt64>) -> R) -> R {
    body(UnsafeMutableBufferPointer(start: pool.keys, count: pool.count))
  }

  var keysFound: [UInt64] { withKeysFound { $0.map { $0 & ~1 } } }

  mutating func add(_ candidate: Candidate) { _ = pool.insert(candidate.key) }

  // MARK: Walks

  /// Marks `slot`; false if it was marked already.
  @inline(__always)
  private func visit(_ slot: UInt32) -> Bool {
    let bit: UInt64 = 1 << UInt64(slot & 63)
    let word = visited + Int(slot >> 6)
    let isNew = word.pointee & bit == 0
    word.pointee |= bit
    return isNew
  }

  /// Puts those of the node's links that were not seen before in `batch`.
  @inline(__always)
  private func takeUnvisited(_ links: UnsafeMutablePointer<UInt32>) -> Int {
    var count = 0
    for index in 1..<(Int(links[0]) &+ 1) {
      let target = links[index]
      batch[count] = target
      count = visit(target) ? count &+ 1 : count
    }
    return count
  }

  private mutating func begin(limit: Int, _ graph: GraphView) {
    visited.initialize(repeating: 0, count: (graph.slotCount + 63) / 64)
    pool.removeAll(limit: limit)
  }

  /// Goes from node to nearer node until none is nearer.
  mutating func descend(to query: Query, from start: Candidate, on layer: Int, _ graph: GraphView) -> Candidate {
    var best = start
    while true {
      let links = graph.links(of: best.slot, on: layer)
      let count = Int(links[0])
      graph.vectors.gather(query, links + 1, count: count, into: dots)
      distanceCount += count
      var nearer = best
      for index in 0..<count {
        let target = links[index + 1]
        nearer = min(
          nearer, Candidate(distance: graph.vectors.distance(query, target, dot: dots[index]), slot: target))
      }
      if nearer.slot == best.slot { return best }
      best = nearer
    }
  }

  /// Finds the `limit` nodes nearest to `query`.
  mutating func collect(
    nearestTo query: Query, from entries: [UInt64], limit: Int, on layer: Int, _ graph: GraphView
  ) {
    begin(limit: limit, graph)
    for key in entries where visit(Candidate(key: key).slot) { _ = pool.insert(key & ~1) }
    let vectors = graph.vectors
    var next = 0
    while next < pool.count {
      let current = Candidate(key: pool.keys[next])
      pool.keys[next] = current.key | 1
      let links = graph.links(of: current.slot, on: layer)
      // The second best is most often the next.
      if next &+ 1 < pool.count {
        tl_prefetch(graph.links(of: Candidate(key: pool.keys[next &+ 1]).slot, on: layer))
      }
      let count = takeUnvisited(links)
      vectors.gather(query, batch, count: count, into: dots)
      distanceCount &+= count
      var nearest = next &+ 1
      for index in 0..<count {
        let target = batch[index]
        let candidate = Candidate(distance: vectors.distance(query, target, dot: dots[index]), slot: target)
        nearest = min(nearest, pool.insert(candidate.key))
      }
      next = nearest
      while next < pool.count, pool.keys[next] & 1 == 1 { next &+= 1 }
      if next < pool.count {
        let links = graph.links(of: Candidate(key: pool.keys[next]).slot, on: layer)
        tl_prefetch(links)
        tl_prefetch(links + 16)
      }
    }
  }

  /// Finds the `limit` nodes of layer 0 nearest to `query` whose ids pass; the others are crossed, not returned.
  ///
  /// - Returns: Whether it came to its end: `false` if more than `distanceCountMax` distances would have been needed.
  mutating func collect(
    nearestTo query: Query, from entry: Candidate, limit: Int, _ graph: GraphView, distanceCountMax: Int,
    filter: (UInt64) -> Bool
  ) -> Bool {
    begin(limit: limit, graph)
    let vectors = graph.vectors
    var frontier = KeyHeap(capacity: 256)
    frontier.push(entry.key)
    _ = visit(entry.slot)
    if filter(vectors.ids[entry.slot].pointee) { _ = pool.insert(entry.key) }
    while frontier.count > 0 {
      let current = Candidate(key: frontier.pop())
      if pool.count == limit, current.key > pool.keys[limit - 1] { break }
      let count = takeUnvisited(vectors.links(of: current.slot))
      vectors.gather(query, batch, count: count, into: dots)
      distanceCount += count
      for index in 0..<count {
        let target = batch[index]
        let key = Candidate(distance: vectors.distance(query, target, dot: dots[index]), slot: target).key
        if pool.count == limit, key > pool.keys[limit - 1] { continue }
        frontier.push(key)
        if filter(vectors.ids[target].pointee) { _ = pool.insert(key) }
      }
      if distanceCount > distanceCountMax { return false }
    }
    return true
  }
}

/// A writer's walk, kept from one insertion to the next: taking and giving back its memory each time would leave holes
/// in the heap. Sendable because only a value that holds its one reference uses it.
final class WriterWalk: @unchecked Sendable {
  var walk: LayerWalk
  let slotCapacity: Int

  init(slotCapacity: Int, _ parameters: HNSWParameters) {
    self.slotCapacity = slotCapacity
    walk = LayerWalk(
      slotCapacity: slotCapacity, linkCountMax: parameters.linkCountMax(on: 0), limitMax: parameters.efConstruction)
  }
}
