import Domain
import GRDB
import LogBlocks
import Testing

@testable import Storage

@Suite struct BlocksTests {
  @Test func `a view shows the same through flush, merge and deletion`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let database = try await pool.open(fixture.acme)
    var expected: [PlainRecord] = []
    for round in 0..<4 {
      expected += try await append(database, count: 25, start: 1_800_000_000 + Int64(round) * 100, first: round * 100)
      try await database.flush()
    }
    let head = try await append(database, count: 10, pod: "api-1", first: 900)
    let view = try await database.view(.all)
    let onlyBlocks = try await database.view(
      TimeRange(start: Timestamp(seconds: 1_800_000_100), end: TimeRange.all.end))

    try await database.flush()
    try await database.maintain()
    try await append(database, count: 5, pod: "later", first: 5000)

    #expect(view.blocks.count == 4)
    #expect(try records(view, database) == (expected + head).sorted())
    #expect(try records(onlyBlocks, database).count == 75)
    #expect(database.statistics().blockCount == 2)
    #expect(try await blockNumbers(database) == [1, 2, 3, 4, 5, 6])
    await pool.closeAll()
  }

  @Test func `merged blocks are deleted once no view holds them`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    var expected: [PlainRecord] = []
    for round in 0..<4 {
      expected += try await append(database, count: 25, first: round * 100)
      try await database.flush()
    }
    do {
      let view = try await database.view(.all)
      try await database.maintain()
      #expect(try await blockNumbers(database) == [1, 2, 3, 4, 5])
      withExtendedLifetime(view) {}
    }

    try await database.maintain()

    #expect(try await blockNumbers(database) == [5])
    #expect(try await records(database) == expected.sorted())
    await pool.closeAll()
  }

  @Test func `obsolete blocks that a crash left are deleted at the next opening's maintenance`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    var expected: [PlainRecord] = []
    for round in 0..<4 {
      expected += try await append(database, count: 25, first: round * 100)
      try await database.flush()
    }
    let view = try await database.view(.all)
    try await database.maintain()
    let copy = try fixture.copy(of: directory)
    withExtendedLifetime(view) {}

    let reopened = try await fixture.pool(copy).open(fixture.acme)
    #expect(try await records(reopened) == expected.sorted())
    try await reopened.maintain()

    #expect(try await blockNumbers(reopened) == [5])
    await pool.closeAll()
  }

  @Test func `a busy stream has blocks of its own and thin ones share`() async throws {
    let fixture = try StorageFixture()
    var options = StorageOptions()
    options.blockRecordsMax = 500
    let pool = fixture.pool(try fixture.directory(), options)
    let database = try await pool.open(fixture.acme)
    var expected = try await append(database, count: 1000, pod: "busy")
    for pod in 0..<10 { expected += try await append(database, count: 5, pod: "thin-\(pod)", first: 5000) }

    try await database.flush()
    let view = try await database.view(.all)

    #expect(view.blocks.filter { $0.stream == 0 }.map(\.recordCount) == [500, 500])
    #expect(view.blocks.filter { $0.stream == nil }.map(\.recordCount) == [50])
    #expect(try records(view, database) == expected.sorted())
    await pool.closeAll()
  }

  @Test func `a head that is large enough becomes blocks by itself`() async throws {
    let fixture = try StorageFixture()
    var options = StorageOptions()
    options.headRecordsMax = 300
    options.blockRecordsMax = 200
    let directory = try fixture.directory()
    let pool = fixture.pool(directory, options)
    let database = try await pool.open(fixture.acme)

    var expected: [PlainRecord] = []
    for request in 0..<40 { expected += try await append(database, count: 50, first: request * 50) }
    await pool.closeAll()

    let reopened = try await fixture.pool(directory, options).open(fixture.acme)
    #expect(try await records(reopened) == expected.sorted())
    #expect(reopened.statistics().headRecordCount == 0)
  }

  @Test func `a head far above its bound becomes blocks piece by piece, with every record once`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    var options = StorageOptions()
    options.headRecordsMax = 50
    options.blockRecordsMax = 50
    options.mergeBlocksMin = 100
    // Old enough to be due only when the test says so.
    let pool = fixture.pool(directory, options)
    let database = try await pool.open(fixture.acme)
    var all: [PlainRecord] = []
    for number in 0..<8 { all += try await append(database, count: 40, first: number * 100) }

    try await database.flush()

    #expect(database.statistics().headRecordCount == 0)
    #expect(database.statistics().blockCount >= 7)
    #expect(try await records(database) == all.sorted())
    await pool.closeAll()
  }

  @Test func `when all heads together are too large, the largest become blocks first`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    var options = StorageOptions()
    options.headTotalByteCountMax = 40_000
    let pool = fixture.pool(directory, options)
    let (acme, globex) = (try await pool.open(fixture.acme), try await pool.open(fixture.globex))
    try await append(globex, count: 20)

    try await append(acme, count: 1000)
    await pool.care()

    #expect(acme.statistics().headRecordCount == 0)
    #expect(acme.statistics().recordCount == 1000)
    #expect(globex.statistics().headRecordCount == 20)
    await pool.closeAll()
  }

  @Test func `a file that nothing is written to any more is tidied once`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    let all = try await append(database, count: 20_000, isNoisy: true)
    let log = directory.tenantFile(fixture.acme.tenant) + "-wal"
    await pool.care()
    #expect(try readFile(log).count > 0)

    fixture.time.advance(seconds: 30)
    await pool.care()

    #expect(try readFile(log).isEmpty)
    #expect(!database.isTidyingDue)
    #expect(try await records(database) == all.sorted())
    await pool.closeAll()
  }

  @Test func `an old head becomes blocks when the pool looks after it`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let database = try await pool.open(fixture.acme)
    try await append(database, count: 5)
    let use = database.uses.begin()
    fixture.time.advance(seconds: 601)

    await pool.care()
    await database.scheduleMaintenance().value

    #expect(database.statistics().headRecordCount == 0)
    #expect(database.statistics().blockCount == 1)
    withExtendedLifetime(use) {}
    await pool.closeAll()
  }

  @Test func `what is past the retention is hidden at once, dropped by the block, and removed at a merge`() async throws
  {
    let fixture = try StorageFixture()
    var options = StorageOptions()
    options.retentionNanoseconds = 1000 * 1_000_000_000
    let pool = fixture.pool(try fixture.directory(), options)
    let database = try await pool.open(fixture.acme)
    // Records from 1,800,000,000 on; the clock stands there, too.
    let early = try await append(database, count: 100)
    try await database.flush()
    var late: [PlainRecord] = []
    for round in 0..<4 {
      late += try await append(database, count: 100, start: 1_800_000_500 + Int64(round), first: 1000 * (round + 1))
      try await database.flush()
    }
    let held = try await database.view(.all)
    fixture.time.advance(seconds: 1550)
    let limit: Int64 = (1_800_000_000 + 550) * 1_000_000_000

    #expect(try await records(database) == late.filter { $0.time >= limit }.sorted())
    try await database.maintain()
    #expect(try await records(database) == late.filter { $0.time >= limit }.sorted())
    #expect(database.statistics().blockCount == 1)
    #expect(database.statistics().recordCount == late.count { $0.time >= limit })
    #expect(try records(held, database) == (early + late).sorted())
    await pool.closeAll()
  }

  @Test func `space is given back after deletion`() async throws {
    let fixture = try StorageFixture()
    var options = StorageOptions()
    options.retentionNanoseconds = 1000 * 1_000_000_000
    options.vacuumByteCountMin = 4096
    let pool = fixture.pool(try fixture.directory(), options)
    let database = try await pool.open(fixture.acme)
    for round in 0..<8 {
      try await append(database, count: 500, pod: "api-\(round)", first: round * 1000, isNoisy: true)
      try await database.flush()
    }
    let before = try await pageCount(database)
    fixture.time.advance(seconds: 5000)

    try await database.maintain()

    #expect(database.statistics().blockCount == 0)
    #expect(try await pageCount(database) < before - 4)
    await pool.closeAll()
  }

  @Test func `a range opens only the blocks that reach into it, newest first`() async throws {
    let fixture = try StorageFixture()
    var options = StorageOptions()
    options.mergeBlocksMin = 100
    let pool = fixture.pool(try fixture.directory(), options)
    let database = try await pool.open(fixture.acme)
    for hour in [3, 1, 4, 2] {
      try await append(database, count: 10, start: 1_800_000_000 + Int64(hour) * 3600)
      try await database.flush()
    }
    func seconds(_ hour: Int64, _ offset: Int64) -> Timestamp {
      Timestamp(seconds: 1_800_000_000 + hour * 3600 + offset)
    }

    func numbers(_ range: TimeRange) async throws -> [Int64] { try await database.view(range).blocks.map(\.number) }

    #expect(try await numbers(.all) == [3, 1, 4, 2])
    #expect(try await numbers(TimeRange(start: seconds(2, 9), end: seconds(3, 0))) == [4])
    #expect(try await numbers(TimeRange(start: seconds(2, 9), end: seconds(3, 1))) == [1, 4])
    #expect(try await numbers(TimeRange(start: seconds(2, 10), end: seconds(3, 0))) == [])
    #expect(try await numbers(TimeRange(start: seconds(9, 0), end: seconds(1, 0))) == [])
    await pool.closeAll()
  }

  @Test func `many small requests are few chunks in the head, with their records unchanged`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let database = try await pool.open(fixture.acme)
    var expected: [PlainRecord] = []
    for request in 0..<130 {
      expected += try await append(database, count: 1, pod: "api-\(request % 3)", first: request)
    }

    let view = try await database.view(.all)

    #expect(view.head.count <= 8)
    #expect(view.head.allSatisfy { $0.fieldSetTable.count <= 3 })
    #expect(try records(view, database) == expected.sorted())
    await pool.closeAll()
  }

  @Test func `summaries are read when asked for, and columns one by one`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    try await append(try await pool.open(fixture.acme), count: 100)
    await pool.closeAll()
    let database = try await fixture.pool(directory).open(fixture.acme)
    let view = try await database.view(.all)
    let block = try #require(view.blocks.first)

    let summary = try await view.summaries(of: [block])[0]

    #expect(summary.recordCount == 100)
    #expect(summary.severityCounts[Int(Severity.error.rawValue)] == 10)
    let keys = summary.columns.map(\.key)
    let columns = try await view.loadColumns(block: block, keys: keys)
    #expect(columns.map(\.count) == summary.columns.map(\.byteCount))
    #expect(try view.column(block: block, key: keys[0]) == columns[0])
  }
}

@Suite struct BlockMergerTests {
  private func block(_ number: Int64, _ count: Int, stream: UInt32? = nil, time: Int64? = nil) -> BlockReference {
    BlockReference(
      number: number, stream: stream, recordCount: count, minTime: Timestamp(seconds: time ?? number),
      maxTime: Timestamp(seconds: time ?? number), rawByteCount: count * 100, storedByteCount: count * 10,
      hold: BlockHold())
  }

  private let merger = BlockMerger(recordsMax: 1000, rawByteCountMax: 1 << 20, countMin: 4)

  private func choose(_ blocks: [BlockReference], settled: Set<Int64> = []) -> [Int64]? {
    merger.choose(from: blocks, settled: settled)?.map(\.number)
  }

  @Test func `fewer than the least are left alone`() {
    #expect(choose([block(1, 10), block(2, 10), block(3, 10)]) == nil)
    #expect(choose([block(1, 10), block(2, 10), block(3, 10), block(4, 10)]) == [1, 2, 3, 4])
  }

  @Test func `only like ones are merged: of one stream, and of about one size`() {
    #expect(choose((1...4).map { block($0, 10, stream: UInt32($0)) }) == nil)
    #expect(choose((1...4).map { block($0, 10, stream: 7) }) == [1, 2, 3, 4])
    #expect(choose([block(1, 400), block(2, 10), block(3, 10), block(4, 10)]) == nil)
  }

  @Test func `neighbors in time are merged up to a full block`() {
    #expect(choose((1...9).map { block($0, 240, time: 10 - $0) }) == [9, 8, 7, 6])
    #expect(choose((1...9).map { block($0, 501) }) == nil)
  }

  @Test func `blocks that merging did not make fewer are not tried again`() {
    #expect(choose((1...4).map { block($0, 10) }, settled: [2]) == nil)
  }
}

/// The numbers of the blocks in the file, whatever their state.
private func blockNumbers(_ database: TenantDatabase) async throws -> [Int64] {
  try await database.file.maintain("test") { try Int64.fetchAll($0, sql: "SELECT number FROM block ORDER BY number") }
}

private func pageCount(_ database: TenantDatabase) async throws -> Int {
  try await database.file.maintain("test") { try Int.fetchOne($0, sql: "PRAGMA page_count")! }
}
