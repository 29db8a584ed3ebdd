internal import Testing
internal import VectorIndex

@Suite struct HNSWIndexTests {
  /// A graph from the first vector on, cheap enough for a debug build.
  static let graphed = HNSWParameters(m: 8, efConstruction: 60, exactCountMax: 0, seed: 7)
  static let exact = HNSWParameters(exactCountMax: 1 << 20)

  static func index(
    _ vectors: [[Float]], metric: Metric = .cosine, parameters: HNSWParameters = graphed
  ) throws -> HNSWIndex {
    var index = HNSWIndex(dimension: vectors[0].count, metric: metric, parameters: parameters)
    for (id, vector) in vectors.enumerated() { try index.insert(id: UInt64(id), vector: vector) }
    return index
  }

  /// The share of true neighbors that `index` finds.
  static func recall(
    of index: HNSWIndex, against truth: HNSWIndex, queries: [[Float]], k: Int, ef: Int,
    filter: ((UInt64) -> Bool)? = nil
  ) throws -> Double {
    var found = 0
    var wanted = 0
    for query in queries {
      let want = Set(try truth.neighbors(of: query, k: k, filter: filter).map(\.id))
      found += try index.neighbors(of: query, k: k, ef: ef, filter: filter).filter { want.contains($0.id) }.count
      wanted += want.count
    }
    return wanted == 0 ? 1 : Double(found) / Double(wanted)
  }

  @Test(arguments: Metric.allCases)
  func `of ten neighbors at ef 64 at least 95 in a hundred are true ones`(metric: Metric) throws {
    let vectors = clusteredVectors(count: 2000, dimension: 24, clusterCount: 40, seed: 1)
    let queries = clusteredVectors(count: 50, dimension: 24, clusterCount: 40, seed: 1)
    let index = try Self.index(vectors, metric: metric)
    let truth = try Self.index(vectors, metric: metric, parameters: Self.exact)

    #expect(index.stats().hasGraph)
    #expect(!truth.stats().hasGraph)
    #expect(try Self.recall(of: index, against: truth, queries: queries, k: 10, ef: 64) >= 0.95)
    #expect(index.checkInvariants() == [])
    #expect(index.stats().unreachableCount == 0)
  }

  @Test func `an exact scan is brute force`() throws {
    let vectors = clusteredVectors(count: 300, dimension: 9, clusterCount: 5, seed: 2)
    let index = try Self.index(vectors, metric: .squaredL2, parameters: Self.exact)
    let query = vectors[17].map { $0 + 0.1 }

    let found = try index.neighbors(of: query, k: 7)

    let byHand = vectors.enumerated()
      .map { id, vector in
        let distance = zip(vector, query).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (id: UInt64(id), distance: distance)
      }
      .sorted { ($0.distance, $0.id) < ($1.distance, $1.id) }
    #expect(found.map(\.id) == byHand.prefix(7).map(\.id))
  }

  @Test func `a stored vector is its own nearest neighbor`() throws {
    let vectors = clusteredVectors(count: 500, dimension: 16, clusterCount: 10, seed: 3)
    let index = try Self.index(vectors)

    for id in stride(from: 0, to: 500, by: 25) {
      let nearest = try #require(try index.neighbors(of: vectors[id], k: 1).first)
      #expect(nearest.id == UInt64(id))
      #expect(abs(nearest.distance) < 1e-5)
    }
  }

  @Test func `equal operations give equal indexes`() throws {
    let vectors = clusteredVectors(count: 400, dimension: 16, clusterCount: 10, seed: 4)
    var one = try Self.index(vectors)
    var other = try Self.index(vectors)
    for id in stride(from: UInt64(0), to: 400, by: 3) {
      one.remove(id: id)
      other.remove(id: id)
    }

    #expect(one.snapshot() == other.snapshot())
  }

  @Test func `after removals the rest is found and the removed are not`() throws {
    let vectors = clusteredVectors(count: 1200, dimension: 24, clusterCount: 20, seed: 5)
    let queries = clusteredVectors(count: 40, dimension: 24, clusterCount: 20, seed: 5)
    var index = try Self.index(vectors)
    var truth = try Self.index(vectors, parameters: Self.exact)

    for id in 0..<UInt64(1200) where id % 2 == 0 {
      index.remove(id: id)
      truth.remove(id: id)
    }

    let isRemovedTwice = index.remove(id: 0)
    #expect(!isRemovedTwice)
    #expect(index.count == 600)
    #expect(index.checkInvariants() == [])
    #expect(index.stats().unreachableCount == 0)
    #expect(try Self.recall(of: index, against: truth, queries: queries, k: 10, ef: 64) >= 0.95)
    for query in queries {
      #expect(try index.neighbors(of: query, k: 10).allSatisfy { $0.id % 2 == 1 })
    }
  }

  @Test func `removing and inserting half again and again neither grows it nor loses neighbors`() throws {
    let vectors = clusteredVectors(count: 600, dimension: 16, clusterCount: 12, seed: 6)
    let queries = clusteredVectors(count: 40, dimension: 16, clusterCount: 12, seed: 6)
    var index = try Self.index(vectors)
    let truth = try Self.index(vectors, parameters: Self.exact)
    let byteCount = index.snapshot().count

    for round in 0..<3 {
      for id in 0..<600 where (id + round) % 2 == 0 { index.remove(id: UInt64(id)) }
      for id in 0..<600 where (id + round) % 2 == 0 { try index.insert(id: UInt64(id), vector: vectors[id]) }
    }

    #expect(index.checkInvariants() == [])
    #expect(abs(index.snapshot().count - byteCount) * 10 < byteCount)
    #expect(try Self.recall(of: index, against: truth, queries: queries, k: 10, ef: 64) >= 0.95)
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func `the graph is sound after every kind of change`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let vectors = clusteredVectors(count: 120, dimension: 8, clusterCount: 4, seed: seed)
    let parameters = HNSWParameters(m: 2, efConstruction: 10, exactCountMax: 5, seed: seed)
    var index = HNSWIndex(dimension: 8, parameters: parameters)
    var stored: Set<UInt64> = []

    for step in 0..<400 {
      let id = UInt64.random(in: 0..<60, using: &random)
      if Int.random(in: 0..<5, using: &random) < (step < 250 ? 3 : 1) {
        try index.insert(id: id, vector: vectors[Int.random(in: 0..<120, using: &random)])
        stored.insert(id)
      } else {
        let isRemoved = index.remove(id: id)
        #expect(isRemoved == (stored.remove(id) != nil))
      }
      let faults = index.checkInvariants()
      #expect(faults == [], "seed \(seed), step \(step)")
      if !faults.isEmpty { return }
    }

    #expect(Set(index.identifiers) == stored)
  }

  @Test func `an id stored again has its new vector`() throws {
    let vectors = clusteredVectors(count: 100, dimension: 8, clusterCount: 4, seed: 8)
    var index = try Self.index(vectors, metric: .squaredL2)

    try index.insert(id: 5, vector: Array(repeating: 50, count: 8))

    #expect(index.count == 100)
    let stored = try #require(index.vector(of: 5))
    #expect(stored.allSatisfy { abs($0 - 50) < 1e-4 })
    #expect(try index.neighbors(of: Array(repeating: 49, count: 8), k: 1).first?.id == 5)
    #expect(index.checkInvariants() == [])
  }

  @Test(arguments: [2, 10, 50, 400])
  func `only ids that pass the filter are answered, and nearly all of the nearest`(share: UInt64) throws {
    let vectors = clusteredVectors(count: 1500, dimension: 16, clusterCount: 20, seed: 9)
    let queries = clusteredVectors(count: 30, dimension: 16, clusterCount: 20, seed: 9)
    let index = try Self.index(vectors)
    let truth = try Self.index(vectors, parameters: Self.exact)
    let passes = { (id: UInt64) in id % share == 1 }

    for query in queries { #expect(try index.neighbors(of: query, k: 10, filter: passes).allSatisfy { passes($0.id) }) }
    #expect(try Self.recall(of: index, against: truth, queries: queries, k: 10, ef: 64, filter: passes) >= 0.95)
  }

  @Test func `a filter that nothing passes finds nothing`() throws {
    let index = try Self.index(clusteredVectors(count: 200, dimension: 8, clusterCount: 4, seed: 10))

    #expect(try index.neighbors(of: Array(repeating: 1, count: 8), k: 5, filter: { _ in false }).isEmpty)
  }

  @Test func `equal vectors are all found, in the order of their ids`() throws {
    var index = HNSWIndex(dimension: 4, parameters: Self.graphed)
    for id in (0..<UInt64(40)).reversed() { try index.insert(id: id, vector: [1, 2, 3, 4]) }

    #expect(try index.neighbors(of: [1, 2, 3, 4], k: 40, ef: 40).map(\.id) == Array(0..<40))
    #expect(index.checkInvariants() == [])
  }

  @Test func `a copy stays as it was`() throws {
    let vectors = clusteredVectors(count: 200, dimension: 8, clusterCount: 4, seed: 11)
    var index = try Self.index(Array(vectors.prefix(100)))
    let copy = index
    let bytes = copy.snapshot()

    for id in 100..<200 { try index.insert(id: UInt64(id), vector: vectors[id]) }
    for id in UInt64(0)..<50 { index.remove(id: id) }

    #expect(copy.count == 100)
    #expect(copy.snapshot() == bytes)
    #expect(copy.checkInvariants() == [])
    #expect(index.checkInvariants() == [])
  }

  @Test func `readers search copies while a writer goes on`() async throws {
    let vectors = clusteredVectors(count: 300, dimension: 8, clusterCount: 4, seed: 12)
    var index = try Self.index(Array(vectors.prefix(200)))
    let copy = index
    let expected = try vectors.map { try copy.neighbors(of: $0, k: 3) }

    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<3 {
        group.addTask { try vectors.indices.allSatisfy { try copy.neighbors(of: vectors[$0], k: 3) == expected[$0] } }
      }
      for id in 200..<300 { try index.insert(id: UInt64(id), vector: vectors[id]) }
      for try await isSame in group { #expect(isSame) }
    }
  }

  @Test func `vectors that cannot be compared are refused and change nothing`() throws {
    var index = try Self.index(clusteredVectors(count: 20, dimension: 4, clusterCount: 2, seed: 13))
    let before = index.snapshot()

    #expect(throws: VectorIndexError.dimensionMismatch(expected: 4, actual: 3)) {
      try index.insert(id: 99, vector: [1, 2, 3])
    }
    #expect(throws: VectorIndexError.unusableVector) { try index.insert(id: 3, vector: [1, 2, 3, .nan]) }
    #expect(throws: VectorIndexError.unusableVector) { try index.insert(id: 99, vector: [1, 2, 3, .infinity]) }
    #expect(throws: VectorIndexError.unusableVector) { try index.neighbors(of: [1e16, 0, 0, 0], k: 1) }

    #expect(index.snapshot() == before)
  }

  @Test func `an empty index and an emptied one answer nothing and work again`() throws {
    var index = HNSWIndex(dimension: 2, parameters: Self.graphed)
    #expect(try index.neighbors(of: [1, 0], k: 3).isEmpty)

    try index.insert(id: 1, vector: [1, 0])
    try index.insert(id: 2, vector: [0, 0])
    index.remove(id: 1)
    index.remove(id: 2)
    #expect(try index.neighbors(of: [1, 0], k: 3).isEmpty)
    #expect(index.checkInvariants() == [])

    try index.insert(id: 3, vector: [0, 1])
    #expect(try index.neighbors(of: [1, 0], k: 3) == [Neighbor(id: 3, distance: 1)])
    #expect(try index.neighbors(of: [0, 0], k: 3) == [Neighbor(id: 3, distance: 1)])
    #expect(try index.neighbors(of: [1, 0], k: 0).isEmpty)
  }
}
