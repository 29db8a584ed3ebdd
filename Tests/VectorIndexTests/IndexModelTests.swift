internal import Dispatch
internal import Testing
internal import VectorIndex

/// The index beside what it must be equal to: a dictionary and brute force.
@Suite struct IndexModelTests {
  static func distance(_ a: [Float], _ b: [Float], _ metric: Metric) -> Float {
    func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
    switch metric {
    case .cosine:
      let lengths = (dot(a, a) * dot(b, b)).squareRoot()
      return lengths == 0 ? 1 : Float(1 - dot(a, b) / lengths)
    case .dot: return Float(1 - dot(a, b))
    case .squaredL2: return zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
  }

  static func nearest(
    _ vectors: [UInt64: [Float]], to query: [Float], _ metric: Metric
  ) -> [(id: UInt64, distance: Float)] {
    vectors.map { (id: $0.key, distance: distance($0.value, query, metric)) }
      .sorted { ($0.distance, $0.id) < ($1.distance, $1.id) }
  }

  @Test(arguments: Metric.allCases, Precision.allCases)
  func `after any changes all is found and nothing else, at its distance`(metric: Metric, precision: Precision) throws {
    let seed = UInt64(metric.rawValue) << 8 | UInt64(precision.rawValue)
    var random = SeededGenerator(seed: seed)
    let vectors = clusteredVectors(count: 80, dimension: 11, clusterCount: 5, seed: seed)
    let parameters = HNSWParameters(m: 4, efConstruction: 20, exactCountMax: 12, seed: seed)
    var index = HNSWIndex(dimension: 11, metric: metric, precision: precision, parameters: parameters)
    var model: [UInt64: [Float]] = [:]

    for step in 0..<100 {
      let id = UInt64.random(in: 0..<40, using: &random) &* 0x1_0000_0001
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4:
        let vector = vectors[Int.random(in: 0..<80, using: &random)]
        try index.insert(id: id, vector: vector)
        model[id] = vector
      case 4..<6:
        var batch: [(id: UInt64, vector: [Float])] = []
        for _ in 0..<Int.random(in: 0..<12, using: &random) {
          let other = UInt64.random(in: 0..<40, using: &random) &* 0x1_0000_0001
          batch.append((id: other, vector: vectors[Int.random(in: 0..<80, using: &random)]))
        }
        try index.insert(batch)
        for entry in batch { model[entry.id] = entry.vector }
      case 6: index = try HNSWIndex(snapshot: index.snapshot())
      default:
        let isRemoved = index.remove(id: id)
        #expect(isRemoved == (model.removeValue(forKey: id) != nil))
      }
      let faults = index.checkInvariants()
      try #require(faults == [], "seed \(seed), step \(step)")
      try #require(Set(index.identifiers) == Set(model.keys), "seed \(seed), step \(step)")
    }

    let scale: Float = metric == .cosine ? 1 : 60
    let tolerance =
      scale * (precision == .int8 ? 2e-2 : precision == .int12 ? 2e-3 : precision == .float16 ? 1e-3 : 1e-5)
    for query in vectors.prefix(10) {
      let truth = Self.nearest(model, to: query, metric)
      let found = try index.neighbors(of: query, k: model.count, ef: 100)
      #expect(Set(found.map(\.id)).count == found.count)
      #expect(found.map(\.distance) == found.map(\.distance).sorted())
      #expect(found.count * 20 >= model.count * 19, "seed \(seed)")
      let distances = Dictionary(uniqueKeysWithValues: truth.map { ($0.id, $0.distance) })
      for neighbor in found {
        #expect(abs(try #require(distances[neighbor.id]) - neighbor.distance) <= tolerance, "seed \(seed)")
      }
    }
  }

  @Test func `a batch finds as much as one insertion after another, and is the same on any number of threads`() throws {
    let vectors = clusteredVectors(count: 900, dimension: 16, clusterCount: 12, seed: 31)
    let queries = clusteredVectors(count: 30, dimension: 16, clusterCount: 12, seed: 31)
    let batch = vectors.enumerated().map { (id: UInt64($0.offset), vector: $0.element) }
    var index = HNSWIndex(dimension: 16, parameters: HNSWIndexTests.graphed)
    try index.insert(batch)
    var other = HNSWIndex(dimension: 16, parameters: HNSWIndexTests.graphed)
    try other.insert(batch) { count, body in onThreads(count, body) }
    let truth = try HNSWIndexTests.index(vectors, parameters: HNSWIndexTests.exact)

    #expect(index.checkInvariants() == [])
    #expect(other.snapshot() == index.snapshot())
    #expect(index.stats().unreachableCount == 0)
    #expect(try HNSWIndexTests.recall(of: index, against: truth, queries: queries, k: 10, ef: 64) >= 0.95)
  }

  @Test func `a batch with one bad vector changes nothing`() throws {
    var index = try HNSWIndexTests.index(clusteredVectors(count: 20, dimension: 4, clusterCount: 2, seed: 32))
    let before = index.snapshot()

    #expect(throws: VectorIndexError.unusableVector) {
      try index.insert([(id: 50, vector: [1, 2, 3, 4]), (id: 51, vector: [1, 2, .nan, 4])])
    }
    #expect(index.snapshot() == before)
  }

  @Test func `of one id in a batch the last vector counts`() throws {
    var index = try HNSWIndexTests.index(clusteredVectors(count: 20, dimension: 2, clusterCount: 2, seed: 33))
    try index.insert([(id: 3, vector: [1, 0]), (id: 90, vector: [0, 1]), (id: 3, vector: [0, -1])])

    #expect(index.count == 21)
    #expect(index.vector(of: 3) == [0, -1])
    #expect(index.checkInvariants() == [])
  }

  @Test(arguments: [1, 2, 12, 90, 700])
  func `a set of ids is a filter`(share: UInt64) throws {
    let vectors = clusteredVectors(count: 1400, dimension: 16, clusterCount: 20, seed: 34)
    let queries = clusteredVectors(count: 20, dimension: 16, clusterCount: 20, seed: 34)
    let index = try HNSWIndexTests.index(vectors)
    let truth = try HNSWIndexTests.index(vectors, parameters: HNSWIndexTests.exact)
    let ids = IDFilter((0..<UInt64(1400)).filter { $0 % share == 0 } + [7 << 40])

    var found = 0
    var wanted = 0
    for query in queries {
      let want = Set(try truth.neighbors(of: query, k: 10, filter: { $0 % share == 0 }).map(\.id))
      let answer = try index.neighbors(of: query, k: 10, ef: 64, among: ids)
      #expect(answer.allSatisfy { $0.id % share == 0 })
      #expect(answer.count == want.count)
      found += answer.filter { want.contains($0.id) }.count
      wanted += want.count
    }
    #expect(found * 20 >= wanted * 19)
  }

  @Test func `all within a radius are found`() throws {
    let vectors = clusteredVectors(count: 600, dimension: 8, clusterCount: 6, seed: 35)
    let index = try HNSWIndexTests.index(vectors, metric: .squaredL2)
    let model = Dictionary(uniqueKeysWithValues: vectors.enumerated().map { (UInt64($0.offset), $0.element) })

    for query in vectors.prefix(8) {
      let truth = Self.nearest(model, to: query, .squaredL2)
      let radius = (truth[120].distance + truth[121].distance) / 2
      let found = try index.neighbors(of: query, within: radius, ef: 20)
      #expect(found.allSatisfy { $0.distance <= radius })
      #expect(found.count >= 118)
      #expect(try index.neighbors(of: query, within: -1).isEmpty)
    }
    #expect(try index.neighbors(of: vectors[0], within: .infinity).count == 600)
  }

  @Test func `many queries at once are answered as one by one`() throws {
    let vectors = clusteredVectors(count: 200, dimension: 8, clusterCount: 6, seed: 36)
    let index = try HNSWIndexTests.index(vectors)

    let answers = try index.neighbors(ofEach: vectors, k: 4) { count, body in onThreads(count, body) }
    #expect(answers == (try vectors.map { try index.neighbors(of: $0, k: 4) }))
    #expect(throws: VectorIndexError.dimensionMismatch(expected: 8, actual: 1)) {
      try index.neighbors(ofEach: [vectors[0], [1]], k: 4)
    }
  }

  @Test func `full vectors kept elsewhere give exact distances`() throws {
    let vectors = clusteredVectors(count: 300, dimension: 16, clusterCount: 6, seed: 37)
    var index = HNSWIndex(dimension: 16, metric: .squaredL2, precision: .int8, parameters: HNSWIndexTests.graphed)
    for (id, vector) in vectors.enumerated() { try index.insert(id: UInt64(id), vector: vector) }
    let model = Dictionary(uniqueKeysWithValues: vectors.enumerated().map { (UInt64($0.offset), $0.element) })
    let flat = vectors.flatMap { $0 }

    try flat.withUnsafeBufferPointer { flat in
      let base = try #require(flat.baseAddress)
      for query in vectors.prefix(10).map({ $0.map { $0 + 0.01 } }) {
        let truth = Self.nearest(model, to: query, .squaredL2).prefix(10)
        let found = try index.neighbors(of: query, k: 10, ef: 60, fullVectors: { base + Int($0) * 16 })
        #expect(found.map(\.id) == truth.map(\.id))
        for (one, other) in zip(found, truth) { #expect(abs(one.distance - other.distance) <= 1e-4) }
      }
    }
  }

  @Test func `removals give memory back`() throws {
    let vectors = clusteredVectors(count: 1000, dimension: 16, clusterCount: 6, seed: 38)
    var index = HNSWIndex(dimension: 16, parameters: HNSWIndexTests.exact)
    for (id, vector) in vectors.enumerated() { try index.insert(id: UInt64(id), vector: vector) }
    let byteCount = index.snapshot().count

    for id in UInt64(0)..<900 { index.remove(id: id) }

    #expect(index.snapshot().count * 5 < byteCount)
    #expect(index.stats().freeSlotCount * 4 <= 65 * 4)
    #expect(index.checkInvariants() == [])
    for id in 900..<1000 { #expect(try index.neighbors(of: vectors[id], k: 1).first?.id == UInt64(id)) }
  }
}

/// As many at a time as there are cores.
func onThreads(_ count: Int, _ body: @Sendable (Int) -> Void) {
  DispatchQueue.concurrentPerform(iterations: count, execute: body)
}
