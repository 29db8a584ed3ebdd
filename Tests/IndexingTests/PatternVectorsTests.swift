import Domain
import Storage
import TestSupport
import Testing

@testable import Indexing

@Suite struct PatternVectorsTests {
  private static let dimension = 256

  private func vector(_ generator: inout SeededGenerator) -> [Float] {
    (0..<PatternVectorsTests.dimension).map { _ in Float.random(in: -1...1, using: &generator) }
  }

  /// What a file holds after the changes it was given.
  private struct Saved {
    var snapshot: [UInt8]?
    var log: [[UInt8]] = []
    var embeddings: [UInt32: [Float]] = [:]
    var snapshotCount = 0

    mutating func save(_ changes: VectorTable.Changes) {
      for pattern in changes.removed { embeddings[pattern] = nil }
      for (pattern, vector) in changes.embeddings { embeddings[pattern] = vector }
      if let snapshot = changes.snapshot {
        self.snapshot = snapshot
        log = []
        snapshotCount += 1
      } else if !changes.log.isEmpty {
        log.append(changes.log)
      }
    }

    var index: PatternVectors? { snapshot.flatMap { PatternVectors(snapshot: $0, log: log) } }
  }

  @Test func `what was saved is the index at every save, and a log that grew becomes a snapshot`() throws {
    var generator = SeededGenerator(seed: 5)
    var vectors = PatternVectors()
    var saved = Saved()
    for round in 0..<60 {
      for _ in 0..<12 {
        if Int.random(in: 0..<4, using: &generator) == 0 {
          vectors.remove(UInt32.random(in: 0..<400, using: &generator))
        } else {
          vectors.insert([(UInt32.random(in: 0..<400, using: &generator), vector(&generator))])
        }
      }
      let changes = vectors.takeChanges(identity: "m", isClosing: false)
      if round % 7 == 3 {
        // The disk was full: the file is as it was, and the next save makes up for it.
        vectors.didNotSave(changes)
        continue
      }
      saved.save(changes)
      let index = try #require(saved.index)
      #expect(index.snapshot == vectors.snapshot)
      #expect(Set(index.patterns) == Set(saved.embeddings.keys))
      #expect(!index.needsSaving(isClosing: false))
    }
    // The first, and one after each of eight failures: the ninth came last.
    #expect(saved.snapshotCount == 9)
  }

  @Test func `a log is folded in once it is long, and at a stop already when it is not short`() {
    var generator = SeededGenerator(seed: 6)
    var vectors = PatternVectors()
    var snapshotAt: [Int] = []
    for number in 0..<1100 {
      vectors.insert([(UInt32(number), vector(&generator))])
      if vectors.takeChanges(identity: "m", isClosing: false).snapshot != nil { snapshotAt.append(number) }
    }
    #expect(snapshotAt == [0, 513, 1026])
    #expect(vectors.loggedCount == 73)
    #expect(!vectors.needsSaving(isClosing: false))
    #expect(vectors.needsSaving(isClosing: true))
    #expect(vectors.takeChanges(identity: "m", isClosing: true).snapshot != nil)
    #expect(!vectors.needsSaving(isClosing: true))
  }

  @Test func `no flipped byte makes another index`() throws {
    var generator = SeededGenerator(seed: 7)
    var vectors = PatternVectors()
    vectors.insert((0..<20).map { ($0, vector(&generator)) })
    let snapshot = try #require(vectors.takeChanges(identity: "m", isClosing: false).snapshot)
    vectors.insert([(30, vector(&generator))])
    let log = vectors.takeChanges(identity: "m", isClosing: false).log
    for _ in 0..<200 {
      var damaged = snapshot
      damaged[Int.random(in: damaged.indices, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
      #expect(PatternVectors(snapshot: damaged, log: [log]) == nil)
      var damagedLog = log
      damagedLog[Int.random(in: log.indices, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
      #expect(PatternVectors(snapshot: snapshot, log: [damagedLog]) == nil)
    }
    #expect(PatternVectors(snapshot: snapshot, log: [Array(log.dropLast())]) == nil)
    #expect(PatternVectors(snapshot: snapshot, log: [log])?.snapshot == vectors.snapshot)
  }

  @Test func `among few allowed patterns the nearest of them are found`() throws {
    var generator = SeededGenerator(seed: 8)
    let all = (0..<3000).map { (pattern: UInt32($0), vector: vector(&generator)) }
    var vectors = PatternVectors()
    vectors.insert(all)
    let query = vector(&generator)
    func cosine(_ other: [Float]) -> Float {
      let product = zip(query, other).reduce(0) { $0 + $1.0 * $1.1 }
      func length(_ vector: [Float]) -> Float { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      return product / length(query) / length(other)
    }
    for step in [1000, 300, 40] {
      let allowed = NumberSet(stride(from: UInt32(7), to: 3000, by: step))
      let expected = allowed.sorted { cosine(all[Int($0)].vector) > cosine(all[Int($1)].vector) }.prefix(5)
      let found = try vectors.neighbors(of: query, k: 5, among: allowed)
      #expect(found.map(\.pattern) == Array(expected))
    }
    #expect(try vectors.neighbors(of: query, k: 5, among: []).isEmpty)
  }

  // MARK: In a tenant's file

  private let appliance: TestAppliance

  init() throws { appliance = try TestAppliance() }

  private func lines(_ range: Range<Int>) -> [LogLine] {
    let subjects = [
      "database", "payment", "network", "login", "disk", "cache", "queue", "certificate", "backup", "job",
    ]
    let events = [
      "refused a connection", "timed out", "was restarted", "is full", "has been renewed", "lost its leader",
    ]
    return range.map { index in
      LogLine(
        Timestamp(seconds: 1_800_000_000 + Int64(index)), pod: "api-0", container: "api", level: "info",
        "\(subjects[index % 10]) \(events[index / 10 % 6])")
    }
  }

  private func saved(_ appliance: TestAppliance) async throws -> Saved {
    let database = try await appliance.pool.open(appliance.acme)
    let identity = try await appliance.index(appliance.acme).embedder.identity
    var saved = Saved()
    if let index = try await database.vectors.loadIndex(identity: identity) {
      (saved.snapshot, saved.log) = (index.snapshot, index.log)
    }
    for entry in try await database.vectors.load(identity: identity) { saved.embeddings[entry.pattern] = entry.vector }
    return saved
  }

  /// The index once it is loaded, and the patterns there are.
  private func loaded(_ appliance: TestAppliance) async throws -> (vectors: PatternVectors, patterns: Set<UInt32>) {
    let index = try await appliance.index(appliance.acme)
    let patterns = Set(try await index.current().patterns.map(\.number))
    return (await index.vectors, patterns)
  }

  @Test func `after a stop the index is read as it was, not made again`() async throws {
    try await appliance.store(lines(0..<60), appliance.acme)
    let before = try await loaded(appliance)
    #expect(before.vectors.count > 20)
    #expect(Set(before.vectors.patterns) == before.patterns)

    let later = try await appliance.afterStop()
    let file = try await saved(later)
    let after = try await loaded(later)
    #expect(after.vectors.snapshot == before.vectors.snapshot)
    #expect(file.index?.snapshot == before.vectors.snapshot)
    #expect(Set(file.embeddings.keys) == before.patterns)
    await later.close()
  }

  @Test func `after a crash the index has what was saved and what was acknowledged`() async throws {
    try await appliance.store(lines(0..<30), appliance.acme)
    _ = try await loaded(appliance)
    try await appliance.store(lines(30..<60), appliance.acme)
    // Whatever of it the index has seen and saved by now.
    let later = try appliance.afterCrash()
    let after = try await loaded(later)
    #expect(Set(after.vectors.patterns) == after.patterns)
    #expect(after.patterns == (try await loaded(appliance)).patterns)
    let file = try await saved(later)
    #expect(Set(file.index?.patterns ?? []) == Set(file.embeddings.keys))
    await later.close()
    await appliance.close()
  }

  @Test(arguments: ["snapshot", "log", "none", "foreign"])
  func `a damaged or outdated index is made again from the vectors`(damage: String) async throws {
    try await appliance.store(lines(0..<60), appliance.acme)
    let before = try await loaded(appliance)
    let identity = try await appliance.index(appliance.acme).embedder.identity
    let stopped = try await appliance.afterStop()
    let vectors = try await stopped.pool.open(stopped.acme).vectors
    var snapshot = try #require(try await vectors.loadIndex(identity: identity)).snapshot
    switch damage {
    case "snapshot":
      snapshot[snapshot.count / 2] ^= 0x40
      try await vectors.saveSnapshot(snapshot, identity: identity)
    case "log": try await vectors.append([[1, 2, 3]], identity: identity)
    case "none": try await vectors.removeOthers(than: "another")
    default:
      // Of patterns that there are not.
      var foreign = PatternVectors()
      var generator = SeededGenerator(seed: 9)
      foreign.insert((1000..<1010).map { ($0, vector(&generator)) })
      try await vectors.saveSnapshot(foreign.snapshot, identity: identity)
    }

    let after = try await loaded(stopped)
    #expect(Set(after.vectors.patterns) == before.patterns)
    let query = try #require(
      try await stopped.index(stopped.acme).neighbors(ofPattern: before.patterns.min() ?? 0, limit: 1).first)
    #expect(query.similarity > 0)
    let file = try await saved(stopped)
    #expect(Set(file.index?.patterns ?? []) == before.patterns)
    await stopped.close()
  }
}
