import Domain
import GRDB
import Testing

@testable import Storage

@Suite struct TablesTests {
  private func open(_ fixture: StorageFixture) async throws -> (TenantDatabasePool, TenantDatabase) {
    let pool = fixture.pool(try fixture.directory())
    return (pool, try await pool.open(fixture.acme))
  }

  @Test func `patterns and their templates come back as saved`() async throws {
    let fixture = try StorageFixture()
    let (pool, database) = try await open(fixture)
    var merged = patternRow(2, "two")
    merged.mergedInto = 1
    try await database.patterns.save([patternRow(1, "one"), patternRow(2, "two")], assignments: [(10, 1), (11, 2)])
    try await database.patterns.save([merged], assignments: [(11, 1)])

    let loaded = try await database.patterns.load()

    #expect(loaded.rows == [patternRow(1, "one"), merged])
    #expect(loaded.assignments == [10: 1, 11: 1])
    try await database.patterns.removeAll()
    #expect(try await database.patterns.load().rows.isEmpty)
    await pool.closeAll()
  }

  @Test func `embeddings of two models are kept apart`() async throws {
    let fixture = try StorageFixture()
    let (pool, database) = try await open(fixture)
    try await database.vectors.save([(1, [0.5, -1]), (2, [.pi, 0])], identity: "old")
    try await database.vectors.save([(1, [1, 2, 3])], identity: "new")

    let old = try await database.vectors.load(identity: "old")

    #expect(old.map(\.pattern) == [1, 2])
    #expect(old.map(\.vector) == [[0.5, -1], [.pi, 0]])
    try await database.vectors.remove([2])
    #expect(try await database.vectors.load(identity: "old").map(\.pattern) == [1])
    try await database.vectors.removeOthers(than: "new")
    #expect(try await database.vectors.load(identity: "old").isEmpty)
    #expect(try await database.vectors.load(identity: "new").map(\.vector) == [[1, 2, 3]])
    await pool.closeAll()
  }

  @Test func `an index is its snapshot and what came after`() async throws {
    let fixture = try StorageFixture()
    let (pool, database) = try await open(fixture)
    #expect(try await database.vectors.loadIndex(identity: "m") == nil)
    try await database.vectors.append([[9]], identity: "m")
    try await database.vectors.saveSnapshot([1, 2, 3], identity: "m")
    try await database.vectors.append([[4], [5, 6]], identity: "m")
    try await database.vectors.append([[7]], identity: "other")

    let index = try #require(try await database.vectors.loadIndex(identity: "m"))

    #expect(index.snapshot == [1, 2, 3])
    #expect(index.log == [[4], [5, 6]])
    await pool.closeAll()
  }

  @Test(arguments: [
    "UPDATE index_snapshot SET data = x'010204'", "UPDATE index_log SET data = x'99'",
    "UPDATE embedding SET checksum = 1",
  ])
  func `a damaged index is not given out but found`(damage: String) async throws {
    let fixture = try StorageFixture()
    let (pool, database) = try await open(fixture)
    try await database.vectors.save([(1, [1])], identity: "m")
    try await database.vectors.saveSnapshot([1, 2, 3], identity: "m")
    try await database.vectors.append([[4]], identity: "m")
    #expect(try await database.verify().findings == [])

    try await database.file.write("damage") { try $0.execute(sql: damage) }

    if damage.contains("embedding") {
      #expect(try await database.vectors.load(identity: "m").isEmpty)
    } else {
      #expect(try await database.vectors.loadIndex(identity: "m") == nil)
    }
    #expect(try await database.verify().findings.map(\.problem) == ["its checksum is wrong"])
    await pool.closeAll()
  }

  @Test func `analyses are listed newest first, counted once, and gone when deleted`() async throws {
    let fixture = try StorageFixture()
    let (pool, database) = try await open(fixture)
    func row(_ id: String, _ seconds: Int64, _ status: String) -> AnalysisTable.Row {
      AnalysisTable.Row(id: id, createdAt: Timestamp(seconds: seconds), status: status, document: Array("{}".utf8))
    }
    try await database.analyses.save(row("a", 10, "pending"))
    try await database.analyses.save(row("b", 20, "running"))
    try await database.analyses.save(row("a", 10, "completed"))

    #expect(try await database.analyses.list(limit: 10).map(\.id) == ["b", "a"])
    #expect(try await database.analyses.list(limit: 1).map(\.id) == ["b"])
    #expect(try await database.analyses.list(limit: 10, status: "completed") == [row("a", 10, "completed")])
    #expect(try await database.analyses.load(id: "b") == row("b", 20, "running"))
    #expect(try await database.usage(days: 0...100_000).map(\.analysisCount) == [2])
    #expect(try await database.analyses.delete(id: "b"))
    #expect(try await database.analyses.delete(id: "b") == false)
    #expect(try await database.analyses.load(id: "b") == nil)
    await pool.closeAll()
  }

  @Test(arguments: [
    Stream(labels: []), Stream(labels: [Field("", "")]),
    Stream(labels: [Field("a", "x=\"y\""), Field(name: [0xFF, 0], value: [0, 0xC3])]),
  ])
  func `labels come back byte for byte`(stream: Domain.Stream) {
    #expect(StreamCodec.decode(StreamCodec.encode(stream)) == stream)
  }

  @Test(arguments: [[1], [0, 0, 0, 0], [255, 255, 255, 255, 1], [1, 0, 0, 0, 65, 0, 0]] as [[UInt8]])
  func `bytes that are no labels are refused`(bytes: [UInt8]) {
    #expect(StreamCodec.decode(bytes) == nil)
  }
}
