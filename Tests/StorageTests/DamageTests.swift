import Domain
import Foundation
import GRDB
import LogBlocks
import Testing

@testable import Storage

@Suite struct DamageTests {
  /// Three blocks of three pods.
  private func threeBlocks(_ fixture: StorageFixture) async throws -> (DataDirectory, [PlainRecord]) {
    var options = StorageOptions()
    options.mergeBlocksMin = 100
    let directory = try fixture.directory()
    let pool = fixture.pool(directory, options)
    let database = try await pool.open(fixture.acme)
    var all: [PlainRecord] = []
    for number in 0..<3 {
      all += try await append(
        database, count: 200, pod: "api-\(number)", start: 1_800_000_000 + Int64(number) * 1000, first: number * 1000,
        isNoisy: true)
      try await database.flush()
    }
    try await append(try await pool.open(fixture.globex), count: 5)
    await pool.closeAll()
    return (directory, all)
  }

  private func change(_ directory: DataDirectory, _ scope: TenantScope, _ sql: String, _ blob: (Data) -> Data) throws {
    let file = try DatabaseQueue(path: directory.tenantFile(scope.tenant))
    try file.write { database in
      let row = try Row.fetchOne(database, sql: "SELECT rowid, data FROM \(sql)")!
      let table = sql.split(separator: " ")[0]
      try database.execute(
        sql: "UPDATE \(table) SET data = ? WHERE rowid = ?", arguments: [blob(row[1] as Data), row[0] as Int64])
    }
  }

  private func flipped(_ data: Data, at place: Double) -> Data {
    var data = data
    data[data.startIndex + Int(Double(data.count - 1) * place)] ^= 0x10
    return data
  }

  @Test(arguments: ["tpl", "time", "vdir", "v1", "sev", "words", "shape"], [0.0, 0.5, 1.0])
  func `a flipped bit in a column is named, and the other blocks answer`(key: String, place: Double) async throws {
    let fixture = try StorageFixture()
    let (directory, all) = try await threeBlocks(fixture)
    let isThere = try await DatabaseQueue(path: directory.tenantFile(fixture.acme.tenant)).read {
      try Bool.fetchOne($0, sql: "SELECT 1 FROM block_column WHERE block = 2 AND key = ?", arguments: [key])
    }
    guard isThere == true else { return }  // a column that this block does without
    try change(directory, fixture.acme, "block_column WHERE block = 2 AND key = '\(key)'") { flipped($0, at: place) }
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)

    let report = try await database.verify()

    #expect(report.findings.map(\.place) == ["block 2"])
    #expect(report.blockCount == 3)
    #expect(report.recordCount == 400)
    #expect(try await records(database) == all.filter { !$0.stream.contains("api-1") }.sorted())
    #expect(try await database.view(.all).quarantinedCount == 1)
    #expect(database.statistics().quarantinedBlockCount == 1)
    #expect(try await pool.open(fixture.globex).verify().findings == [])
    await pool.closeAll()
    // It is remembered.
    let again = try await fixture.pool(directory).open(fixture.acme)
    #expect(try await again.verify().findings.map(\.problem) == ["was found damaged before and set aside"])
  }

  @Test func `a query that meets damage goes on without the block`() async throws {
    let fixture = try StorageFixture()
    let (directory, all) = try await threeBlocks(fixture)
    try change(directory, fixture.acme, "block_column WHERE block = 3 AND key = 'time'") { flipped($0, at: 0.5) }
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)

    let first = try await records(database)

    #expect(first == all.filter { !$0.stream.contains("api-2") }.sorted())
    #expect(database.statistics().quarantinedBlockCount == 1)
    await pool.closeAll()
  }

  @Test(arguments: [0.0, 0.3, 1.0])
  func `a damaged header is named`(place: Double) async throws {
    let fixture = try StorageFixture()
    let (directory, all) = try await threeBlocks(fixture)
    let file = try DatabaseQueue(path: directory.tenantFile(fixture.acme.tenant))
    try await file.write { database in
      let data = try Data.fetchOne(database, sql: "SELECT data FROM block_header WHERE block = 1")!
      try database.execute(
        sql: "UPDATE block_header SET data = ? WHERE block = 1", arguments: [self.flipped(data, at: place)])
    }
    try file.close()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)

    #expect(try await database.verify().findings.map(\.place) == ["block 1"])
    #expect(try await records(database) == all.filter { !$0.stream.contains("api-0") }.sorted())
    await pool.closeAll()
  }

  @Test func `a missing column is named`() async throws {
    let fixture = try StorageFixture()
    let (directory, _) = try await threeBlocks(fixture)
    let file = try DatabaseQueue(path: directory.tenantFile(fixture.acme.tenant))
    try await file.write { try $0.execute(sql: "DELETE FROM block_column WHERE block = 2 AND key = 'time'") }
    try file.close()
    let pool = fixture.pool(directory)

    let report = try await pool.open(fixture.acme).verify()

    #expect(report.findings.map(\.place) == ["block 2"])
    #expect(report.findings.first?.problem.contains("time") == true)
    await pool.closeAll()
  }

  @Test func `a damaged segment is set aside, the others are there`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    let first = try await append(database, count: 10)
    try await append(database, count: 10, first: 100)
    let last = try await append(database, count: 10, first: 200)
    let copy = try fixture.copy(of: directory)
    try change(copy, fixture.acme, "segment WHERE number = 2") { flipped($0, at: 0.5) }

    let copyPool = fixture.pool(copy)
    let reopened = try await copyPool.open(fixture.acme)

    #expect(try await records(reopened) == (first + last).sorted())
    #expect(reopened.statistics().quarantinedSegmentCount == 1)
    #expect(try await reopened.verify().findings.map(\.place) == ["segment 2"])
    // The blocks of the others do not take it with them.
    try await reopened.flush()
    #expect(try await reopened.verify().findings.map(\.place) == ["segment 2"])
    #expect(try await records(reopened) == (first + last).sorted())
    await copyPool.closeAll()
    await pool.closeAll()
  }

  @Test func `a damaged template is named with the blocks that need it`() async throws {
    let fixture = try StorageFixture()
    let (directory, _) = try await threeBlocks(fixture)
    let file = try DatabaseQueue(path: directory.tenantFile(fixture.acme.tenant))
    try await file.write { try $0.execute(sql: "UPDATE template SET text = x'414243' WHERE number = 0") }
    try file.close()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)

    let places = try await database.verify().findings.map(\.place)

    #expect(database.template(0) == nil)
    #expect(places.first == "template 0")
    #expect(places.contains("block 1"))
    await pool.closeAll()
  }

  @Test func `records of a damaged template still become blocks and are merged`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    try await append(database, count: 10)
    let copy = try fixture.copy(of: directory)
    let file = try DatabaseQueue(path: copy.tenantFile(fixture.acme.tenant))
    try await file.write { try $0.execute(sql: "UPDATE template SET text = x'414243' WHERE number = 0") }
    try file.close()
    let copyPool = fixture.pool(copy)
    let damaged = try await copyPool.open(fixture.acme)
    try await damaged.flush()
    for round in 1...3 {
      try await append(damaged, count: 10, first: round * 100)
      try await damaged.flush()
    }

    try await damaged.maintain()

    #expect(damaged.statistics().headRecordCount == 0)
    #expect(damaged.statistics().recordCount == 40)
    await copyPool.closeAll()
    await pool.closeAll()
  }

  @Test func `wherever a byte of the file is changed, nothing crashes and no wrong record is shown`() async throws {
    let fixture = try StorageFixture()
    let (directory, all) = try await threeBlocks(fixture)
    let path = directory.tenantFile(fixture.acme.tenant)
    let bytes = try readFile(path)
    let known = Set(all)
    var random = SplitMix(seed: 2026)
    var foundCount = 0

    for _ in 0..<25 {
      // Most of a small file is empty pages' zeros; damage there hurts nobody.
      var place = 0
      repeat { place = Int(random.next() % UInt64(bytes.count)) } while bytes[place] == 0
      var damaged = bytes
      damaged[place] ^= UInt8(truncatingIfNeeded: random.next() | 1)
      try writeFile(path, damaged)
      let pool = fixture.pool(directory)
      do {
        let database = try await pool.open(fixture.acme)
        let report = try await database.verify()
        let shown = try await records(database)
        foundCount += report.findings.isEmpty ? 0 : 1
        #expect(Set(shown).isSubset(of: known), "byte \(place)")
        #expect(!report.findings.isEmpty || shown == all.sorted(), "byte \(place)")
      } catch let error as StorageError {
        #expect(
          [.corrupt, .invalid].contains(error.kind) || error.description.contains("newer"), "byte \(place): \(error)")
        foundCount += 1
      }
      await pool.closeAll()
      for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }
    #expect(foundCount > 2)
  }

  @Test func `a byte changed in the log of a killed process is named where commits are lost by it`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    var all: [PlainRecord] = []
    for number in 0..<6 { all += try await append(database, count: 20, first: number * 100, isNoisy: true) }
    let path = directory.tenantFile(fixture.acme.tenant)
    let lastCommit = try readFile(path + "-wal").count
    all += try await append(database, count: 20, first: 900)
    let (file, log) = (try readFile(path), try readFile(path + "-wal"))
    let killed = try fixture.copy(of: directory)
    await pool.closeAll()
    let killedPath = killed.tenantFile(fixture.acme.tenant)
    var random = SplitMix(seed: 7)

    for round in 0..<30 {
      let place = round < 4 ? 8 * round : Int(random.next() % UInt64(lastCommit))
      var damaged = log
      damaged[place] ^= UInt8(truncatingIfNeeded: random.next() | 1)
      try writeFile(killedPath, file)
      try writeFile(killedPath + "-wal", damaged)
      let copyPool = fixture.pool(killed)
      let opened = try await copyPool.open(fixture.acme)
      let report = try await opened.verify()
      let shown = try await records(opened)
      #expect(shown == all.sorted() || report.findings.contains { $0.place == "log" }, "byte \(place)")
      #expect(Set(shown).isSubset(of: Set(all)), "byte \(place)")
      await copyPool.closeAll()
      // What was found stays known after the log is gone.
      let again = fixture.pool(killed)
      let later = try await again.open(fixture.acme).verify()
      #expect(later.findings.contains { $0.place == "log" } == report.findings.contains { $0.place == "log" })
      await again.closeAll()
      for name in try FileManager.default.contentsOfDirectory(atPath: killed.tenantFolder(fixture.acme.tenant)) {
        try FileManager.default.removeItem(atPath: killed.tenantFolder(fixture.acme.tenant) + "/" + name)
      }
    }
  }

  @Test func `a log that simply breaks off is no damage`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)
    for number in 0..<3 { try await append(database, count: 20, first: number * 100) }
    let log = try readFile(directory.tenantFile(fixture.acme.tenant) + "-wal")
    await pool.closeAll()

    for length in stride(from: 0, through: log.count, by: 509) {
      let damage = log[..<length].withUnsafeBytes { LogInspection.damage(of: $0) }
      #expect(damage == nil, "\(length) bytes")
    }
    #expect(log.withUnsafeBytes { LogInspection.damage(of: $0) } == nil)
  }
}

/// A small generator with a seed, so that a failure can be had again.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

func readFile(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
  if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
  let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  try handle.write(contentsOf: Data(bytes))
  try handle.truncate(atOffset: UInt64(bytes.count))
  try handle.close()
}
