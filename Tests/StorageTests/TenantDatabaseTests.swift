import Dispatch
import Domain
import GRDB
import LogBlocks
import Testing

@testable import Storage

@Suite struct TenantDatabaseTests {
  @Test func `what is acknowledged is there after a crash, exactly once`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    var expected = try await append(database, count: 50)
    try await database.flush()
    expected += try await append(database, count: 30, pod: "api-1", first: 100)
    expected += try await append(database, count: 1, pod: "api-2", first: 200, verb: "job")

    let survivor = try fixture.copy(of: directory)
    let reopened = try await fixture.pool(survivor).open(fixture.acme)

    #expect(try await records(reopened) == expected.sorted())
    #expect(reopened.statistics().headRecordCount == 31)
    #expect(reopened.templateCount == 2)
    #expect(reopened.streamCount == 3)
    await pool.closeAll()
  }

  @Test func `a closed tenant opens with everything in blocks`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let expected = try await append(try await pool.open(fixture.acme), count: 100)
    await pool.closeAll()

    let reopened = try await fixture.pool(directory).open(fixture.acme)

    #expect(reopened.statistics().headRecordCount == 0)
    #expect(reopened.statistics().blockCount == 1)
    #expect(try await records(reopened) == expected.sorted())
  }

  @Test func `tenants see only their own`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let acme = try await pool.open(fixture.acme)
    let globex = try await pool.open(fixture.globex)
    let acmeFeed = acme.feed.follow()
    let globexFeed = globex.feed.follow()

    let acmeRecords = try await append(acme, count: 20, pod: "acme-canary", verb: "acme-secret")
    let globexRecords = try await append(globex, count: 10, pod: "globex-canary", verb: "globex-secret")
    try await acme.patterns.save([patternRow(1, "acme")])
    try await acme.vectors.save([(1, [1, 0])], identity: "m")
    try await acme.analyses.save(
      AnalysisTable.Row(id: "a", createdAt: fixture.time.now, status: "pending", document: [1]))

    for flushed in [false, true] {
      if flushed {
        try await acme.flush()
        try await globex.flush()
      }
      #expect(try await records(acme) == acmeRecords.sorted())
      #expect(try await records(globex) == globexRecords.sorted())
    }
    #expect(globex.templateCount == 1)
    #expect(globex.template(0) != acme.template(0))
    #expect(try await globex.patterns.load().rows.isEmpty)
    #expect(try await globex.vectors.load(identity: "m").isEmpty)
    #expect(try await globex.analyses.list(limit: 9).isEmpty)
    #expect(try await globex.usage(days: 0...100_000).map(\.recordCount) == [10])
    #expect(await commitCounts(acmeFeed, 1) == [20])
    #expect(await commitCounts(globexFeed, 1) == [10])
    await pool.closeAll()
  }

  @Test func `requests that wait share one transaction`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let database = try await pool.open(fixture.acme)
    let gate = Gate()
    database.file.enqueue { gate.wait() }

    let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
      for request in 0..<40 {
        let columns = try makeColumns(database, count: 3, pod: "api-\(request)", first: request)
        group.addTask { try await database.append(columns, rawByteCount: 300) }
      }
      while database.commits.waitingCount < 40 { await Task.yield() }
      gate.open()
      return try await group.reduce(into: []) { $0.append($1) }
    }

    #expect(database.statistics().commitCount == 1)
    #expect(receipts.allSatisfy { $0.sequence == 1 && $0.recordCount == 3 })
    #expect(try await records(database).count == 120)
    #expect(try await database.usage(days: 0...100_000).map(\.rawByteCount) == [12_000])
    await pool.closeAll()
  }

  @Test func `a commit that fails takes nothing, and the next one brings the new templates`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    let columns = try makeColumns(database, count: 5)
    database.file.fault.withLock { $0 = { _ in throw DatabaseError(resultCode: .SQLITE_FULL) } }

    let error = await #expect(throws: StorageError.self) { try await database.append(columns, rawByteCount: 500) }

    #expect(error?.kind == .diskFull)
    #expect(try await records(database).isEmpty)
    #expect(try await database.usage(days: 0...100_000).isEmpty)
    database.file.fault.withLock { $0 = nil }
    _ = try await database.append(columns, rawByteCount: 500)
    let reopened = try await fixture.pool(try fixture.copy(of: directory)).open(fixture.acme)
    #expect(try await records(reopened) == plain(columns, database).sorted())
    #expect(reopened.template(0) == database.template(0))
    #expect(reopened.stream(0) == database.stream(0))
    await pool.closeAll()
  }

  @Test func `after a failed sync the file is opened again and what was refused is gone`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    var expected = try await append(database, count: 5)
    // The transaction reaches the log, and the answer is an error all the same.
    database.file.fault.withLock {
      $0 = { if $0 == .afterCommit { throw DatabaseError(resultCode: .SQLITE_IOERR_FSYNC) } }
    }

    let error = await #expect(throws: StorageError.self) {
      try await append(database, count: 7, pod: "lost", first: 50)
    }

    #expect(error?.kind == .inputOutput)
    database.file.fault.withLock { $0 = nil }
    expected += try await append(database, count: 3, pod: "next", first: 90)
    #expect(try await records(database) == expected.sorted())
    let reopened = try await fixture.pool(try fixture.copy(of: directory)).open(fixture.acme)
    #expect(try await records(reopened) == expected.sorted())
    await pool.closeAll()
  }

  @Test func `blocks whose sync failed are not there twice`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    let expected = try await append(database, count: 40)
    database.file.fault.withLock {
      $0 = { if $0 == .afterCommit { throw DatabaseError(resultCode: .SQLITE_IOERR_FSYNC) } }
    }
    await #expect(throws: StorageError.self) { try await database.flush() }
    database.file.fault.withLock { $0 = nil }

    let more = try await append(database, count: 2, pod: "api-9", first: 70)
    try await database.flush()

    #expect(try await records(database) == (expected + more).sorted())
    await pool.closeAll()
    let reopened = try await fixture.pool(directory).open(fixture.acme)
    #expect(try await records(reopened) == (expected + more).sorted())
  }

  @Test func `a view outlives the file's reopening, and its blocks are not deleted beneath it`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let database = try await pool.open(fixture.acme)
    var expected: [PlainRecord] = []
    for round in 0..<4 {
      expected += try await append(database, count: 10, first: round * 100)
      try await database.flush()
    }
    let view = try await database.view(.all)
    database.file.fault.withLock { $0 = { _ in throw DatabaseError(resultCode: .SQLITE_IOERR_WRITE) } }
    await #expect(throws: StorageError.self) { try await append(database, count: 1, first: 900) }
    database.file.fault.withLock { $0 = nil }
    let more = try await append(database, count: 2, first: 1000)

    try await database.maintain()
    try await database.maintain()

    #expect(database.statistics().blockCount == 1)
    #expect(try records(view, database) == expected.sorted())
    #expect(try await records(database) == (expected + more).sorted())
    await pool.closeAll()
  }

  @Test func `a full disk refuses records, loses none, and takes them when there is space again`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    var expected: [PlainRecord] = []
    try await database.file.maintain("limiting") { database in
      let pages = try Int.fetchOne(database, sql: "PRAGMA page_count")!
      try database.execute(sql: "PRAGMA max_page_count = \(pages + 16)")
    }

    var refusals = 0
    for request in 0..<40 {
      do {
        expected += try await append(database, count: 400, pod: "api-\(request)", first: request * 1000, isNoisy: true)
      } catch let error as StorageError {
        #expect(error.kind == .diskFull)
        #expect(error.remedy.contains("Free some space"))
        refusals += 1
      }
    }
    #expect(refusals > 0)
    #expect(!expected.isEmpty)
    #expect(try await records(database) == expected.sorted())
    let error = await #expect(throws: StorageError.self) { try await database.flush() }
    #expect(error?.kind == .diskFull)
    #expect(try await records(database) == expected.sorted())

    try await database.file.maintain("limiting") { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
    expected += try await append(database, count: 400, pod: "after", first: 100_000)
    try await database.flush()
    #expect(database.statistics().headRecordCount == 0)
    await pool.closeAll()
    let reopened = try await fixture.pool(directory).open(fixture.acme)
    #expect(try await records(reopened) == expected.sorted())
    #expect(try await reopened.verify().findings == [])
  }

  @Test func `more than may wait is refused as busy`() async throws {
    let fixture = try StorageFixture()
    var options = StorageOptions()
    options.waitingByteCountMax = 20_000
    let pool = fixture.pool(try fixture.directory(), options)
    let database = try await pool.open(fixture.acme)
    let columns = try makeColumns(database, count: 200)
    let gate = Gate()
    database.file.enqueue { gate.wait() }

    async let first = database.append(columns, rawByteCount: 1)
    while database.commits.waitingCount < 1 { await Task.yield() }
    let error = #expect(throws: StorageError.self) {
      for _ in 0..<4 { try database.commits.reserve(columns.byteCount) }
    }
    gate.open()

    #expect(error?.kind == .busy(retryAfterSeconds: 1))
    #expect(try await first.recordCount == 200)
    await pool.closeAll()
  }

  @Test func `a file of a newer build is refused`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    _ = try await pool.open(fixture.acme)
    await pool.closeAll()
    do {
      let file = try DatabaseQueue(path: directory.tenantFile(fixture.acme.tenant))
      try file.inDatabase { try $0.execute(sql: "PRAGMA user_version = 99") }
    }

    let error = await #expect(throws: StorageError.self) { try await fixture.pool(directory).open(fixture.acme) }

    #expect(error?.kind == .newerFormat(found: 99, supported: Migrations.tenant.steps.count))
    #expect(error?.description.contains("newer build") == true)
  }

  @Test func `records with numbers that nobody gave away are refused`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let database = try await pool.open(fixture.acme)
    var columns = try makeColumns(database, count: 2)
    columns.templates[1] = 77

    let error = await #expect(throws: StorageError.self) { try await database.append(columns, rawByteCount: 1) }

    #expect(error?.kind == .invalid)
    await pool.closeAll()
  }

  @Test func `usage counts by the day of arrival, in the same transaction`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let database = try await pool.open(fixture.acme)
    let day = fixture.time.now.nanoseconds.floorDivided(by: 86_400_000_000_000)
    try await append(database, count: 5)
    try await append(database, count: 6, first: 20)
    fixture.time.advance(seconds: 86_400)
    try await append(database, count: 7, first: 40)

    let usage = try await database.usage(days: day...day + 1)

    #expect(usage.map(\.recordCount) == [11, 7])
    #expect(usage.map(\.rawByteCount) == [1100, 700])
    await pool.closeAll()
  }

  @Test func `one connection writes and checkpoints, with full sync; the others only read`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let database = try await pool.open(fixture.acme)

    let settings = try await database.file.maintain("test") { database in
      try ["journal_mode", "synchronous", "wal_autocheckpoint", "auto_vacuum", "foreign_keys"].map {
        try String.fetchOne(database, sql: "PRAGMA \($0)")
      }
    }

    #expect(settings == ["wal", "2", "0", "2", "1"])
    #expect(throws: StorageError.self) {
      try database.file.read("test") { try $0.execute(sql: "DELETE FROM usage") }
    }
    #expect(throws: StorageError.self) {
      try database.file.read("test") { try $0.execute(sql: "PRAGMA user_version = 3") }
    }
    await pool.closeAll()
  }

  @Test func `the log is copied into the file as it grows, and stays small`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    var options = StorageOptions()
    options.checkpointByteCount = 100_000
    let pool = fixture.pool(directory, options)
    let database = try await pool.open(fixture.acme)
    for request in 0..<30 { try await append(database, count: 500, first: request * 1000, isNoisy: true) }
    // The copying follows the commit in the file's queue; so it is done when this is.
    try await database.file.maintain("waiting") { _ in }

    let path = directory.tenantFile(fixture.acme.tenant)
    let (size, logSize) = try (readFile(path).count, readFile(path + "-wal").count)

    #expect(size > 100_000)
    #expect(logSize < 400_000)
    await pool.closeAll()
  }

  @Test func `hot statements use their index`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    _ = try await pool.open(fixture.acme)
    await pool.closeAll()
    let file = try DatabaseQueue(path: directory.tenantFile(fixture.acme.tenant))

    for sql in [
      BlockTable.columnSQL, BlockTable.headerSQL, BlockTable.deleteSQL, "DELETE FROM block_column WHERE block = ?",
      "DELETE FROM segment WHERE number <= ?", "UPDATE block SET state = 1 WHERE number = ?",
      "SELECT data FROM index_log WHERE identity = ? ORDER BY sequence",
    ] {
      #expect(try queryPlan(sql, file).allSatisfy { $0.hasPrefix("SEARCH") }, "\(sql)")
    }
    for sql in [AnalysisTable.listSQL, AnalysisTable.listByStatusSQL, "SELECT * FROM segment ORDER BY number"] {
      #expect(try queryPlan(sql, file).allSatisfy { !$0.contains("TEMP B-TREE") }, "\(sql)")
    }
  }
}

func patternRow(_ number: UInt32, _ text: String) -> PatternTable.Row {
  PatternTable.Row(
    number: number, text: text, namedText: text, severity: .error, firstSeen: Timestamp(seconds: 1),
    lastSeen: Timestamp(seconds: 2))
}

/// The record counts of the next commits.
func commitCounts(_ follower: CommitFollower, _ count: Int) async -> [Int] {
  var counts: [Int] = []
  while counts.count < count, let event = await follower.next() {
    if case .commit(let commit) = event { counts.append(commit.columns.count) }
  }
  return counts
}

/// Holds a thread of a queue up until it is opened.
final class Gate: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)

  func open() { semaphore.signal() }

  func wait() { semaphore.wait() }
}
