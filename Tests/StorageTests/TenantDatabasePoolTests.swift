import Domain
import Synchronization
import Testing

@testable import Storage

@Suite struct TenantDatabasePoolTests {
  @Test func `who asks at once gets the same opening`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())

    let opened = try await withThrowingTaskGroup(of: TenantDatabase.self) { group in
      for _ in 0..<20 { group.addTask { try await pool.open(fixture.acme) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }

    #expect(Set(opened.map(ObjectIdentifier.init)).count == 1)
    await pool.closeAll()
  }

  @Test func `above the bound the least recently used is flushed and closed`() async throws {
    let fixture = try StorageFixture()
    var options = StorageOptions()
    options.openTenantsMax = 2
    let pool = fixture.pool(try fixture.directory(), options)
    let scopes = ["a", "b", "c"].map { TenantScope(proven: TenantID($0)!) }
    var expected: [PlainRecord] = []
    for scope in scopes {
      fixture.time.advance(seconds: 20)
      expected = try await append(try await pool.open(scope), count: 10)
    }
    await pool.care()

    #expect(await pool.openTenants == [TenantID("b")!, TenantID("c")!])
    let reopened = try await pool.open(scopes[0])
    #expect(reopened.statistics().headRecordCount == 0)
    #expect(reopened.statistics().blockCount == 1)
    #expect(try await records(reopened) == expected.sorted())
    await pool.closeAll()
  }

  @Test func `a tenant in use is not closed, an idle one is`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let acme = try await pool.open(fixture.acme)
    try await append(acme, count: 5)
    let view = try await acme.view(.all)
    let globex = try await pool.open(fixture.globex)
    let watcher = globex.feed.follow(keepsOpen: true)
    _ = try await pool.open(TenantScope(proven: TenantID("idle")!))
    fixture.time.advance(seconds: 400)

    await pool.care()

    #expect(await pool.openTenants == [fixture.acme.tenant, fixture.globex.tenant])
    #expect(try records(view, acme).count == 5)
    withExtendedLifetime(watcher) {}
    await pool.closeAll()
  }

  @Test func `a follower that is an index does not keep a tenant open, and is called before it closes`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    let follower = database.feed.follow()
    database.beforeClosing { [weak database] in
      do { try await database?.patterns.save([patternRow(7, "saved at closing")]) } catch { Issue.record(error) }
    }
    fixture.time.advance(seconds: 400)

    await pool.care()

    #expect(await pool.openTenants == [])
    #expect(await follower.next() == nil)
    #expect(try await pool.open(fixture.acme).patterns.load().rows.map(\.number) == [7])
    await pool.closeAll()
  }

  @Test func `a closed pool opens nothing, and a closed tenant says so`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let database = try await pool.open(fixture.acme)
    let view = try await database.view(.all)
    await pool.closeAll()

    for operation: @Sendable () async throws -> Void in [
      { _ = try await pool.open(fixture.acme) }, { _ = try await database.view(.all) },
      { _ = try database.templateNumbers(for: [[1]]) }, { try await database.patterns.save([patternRow(1, "x")]) },
      { _ = try await database.append(RecordColumns.one, rawByteCount: 1) },
    ] {
      let error = await #expect(throws: StorageError.self) { try await operation() }
      #expect(error?.kind == .closed)
    }
    withExtendedLifetime(view) {}
  }

  @Test func `closing waits for a tenant that is being opened`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())

    async let opening = pool.open(fixture.acme)
    await pool.closeAll()

    #expect(await pool.openTenants.isEmpty)
    do {
      let database = try await opening
      await #expect(throws: StorageError.self) { try await database.view(.all) }
    } catch let error as StorageError {
      #expect(error.kind == .closed)
    }
  }

  @Test func `a tenant that does not open can be tried again`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    try await append(try await pool.open(fixture.acme), count: 1)
    await pool.closeAll()
    let path = directory.tenantFile(fixture.acme.tenant)
    let bytes = try readFile(path)
    try writeFile(
      path, Array("this is no database at all, but long enough to be read as one ".utf8) + bytes.dropFirst(62))

    let second = fixture.pool(directory)
    let error = await #expect(throws: StorageError.self) { try await second.open(fixture.acme) }
    try writeFile(path, bytes)

    #expect(error?.kind == .corrupt)
    #expect(try await records(try await second.open(fixture.acme)).count == 1)
    #expect(try await second.open(fixture.globex).templateCount == 0)
    await second.closeAll()
  }

  @Test func `many tenants are listed without being opened`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    for number in 0..<200 {
      let tenant = TenantID("t\(number)")!
      try directory.makeTenantFolder(tenant)
      try DataDirectory.makeFile(directory.tenantFile(tenant))
    }
    let pool = fixture.pool(directory)

    #expect(pool.tenantsOnDisk().count == 200)
    #expect(await pool.openTenants.isEmpty)
  }
}

extension RecordColumns {
  /// A record without variables or fields.
  static var one: RecordColumns {
    var columns = RecordColumns()
    columns.times = [1]
    columns.severities = [.info]
    columns.streams = [0]
    columns.templates = [0]
    columns.variableStarts = [0, 0]
    columns.fieldSets = [0]
    columns.fieldSetTable = [[]]
    return columns
  }
}
