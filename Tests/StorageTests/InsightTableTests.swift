import Domain
import Foundation
import GRDB
import Testing

@testable import Storage

@Suite struct InsightTableTests {
  private func open(_ fixture: StorageFixture) async throws -> (TenantDatabasePool, TenantDatabase) {
    let pool = fixture.pool(try fixture.directory())
    return (pool, try await pool.open(fixture.acme))
  }

  private func row(
    _ id: String, _ kind: InsightTable.Kind = .incident, _ seconds: Range<Int64> = 10..<20, isOpen: Bool = true,
    document: String = "{}"
  ) -> InsightTable.Row {
    .init(
      kind: kind, id: id, startedAt: Timestamp(seconds: seconds.lowerBound),
      changedAt: Timestamp(seconds: seconds.upperBound), isOpen: isOpen, document: Array(document.utf8))
  }

  private func range(_ start: Int64, _ end: Int64) -> TimeRange {
    TimeRange(start: Timestamp(seconds: start), end: Timestamp(seconds: end))
  }

  @Test func `documents come back as saved, each under its kind and id, the later word for it`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    let insights = try await pool.open(fixture.acme).insights
    try await insights.save([row("a", document: "old"), row("a", .anomaly), row("b")])
    try await insights.save([row("a", .incident, 10..<40, isOpen: false, document: "new")])

    #expect(
      try await insights.load(.incident, id: "a") == row("a", .incident, 10..<40, isOpen: false, document: "new"))
    #expect(try await insights.load(.anomaly, id: "a") == row("a", .anomaly))
    #expect(try await insights.load(.feedback, id: "a") == nil)
    #expect(try await insights.list(.incident, limit: 10).map(\.id) == ["a", "b"], "the latest first")
    #expect(try await insights.list(.incident, limit: 1).map(\.id) == ["a"])
    #expect(try await insights.list(.incident, onlyOpen: true, limit: 10).map(\.id) == ["b"])
    await pool.closeAll()

    let again = fixture.pool(directory)
    #expect(try await again.open(fixture.acme).insights.list(.incident, limit: 10).map(\.id) == ["a", "b"])
    await again.closeAll()
  }

  @Test func `a window lists what lies in it at least in part`() async throws {
    let fixture = try StorageFixture()
    let (pool, database) = try await open(fixture)
    try await database.insights.save([
      row("before", .incident, 10..<20), row("into", .incident, 15..<30), row("within", .incident, 35..<40),
      row("over", .incident, 10..<90), row("after", .incident, 50..<60),
    ])

    let found = try await database.insights.list(.incident, range(30, 50), limit: 10)

    #expect(found.map(\.id) == ["over", "within", "into"])
    #expect(try await database.insights.list(.incident, range(30, 50), onlyOpen: true, limit: 2).count == 2)
    await pool.closeAll()
  }

  @Test func `deleting says whether it was there, and takes nothing else`() async throws {
    let fixture = try StorageFixture()
    let (pool, database) = try await open(fixture)
    try await database.insights.save([row("a", .suppression), row("a", .feedback)])

    #expect(try await database.insights.delete(.suppression, id: "a"))
    #expect(try await !database.insights.delete(.suppression, id: "a"))
    #expect(try await database.insights.list(.feedback, limit: 10).count == 1)
    await pool.closeAll()
  }

  @Test func `what ended long ago is forgotten, what goes on and what people said is not`() async throws {
    let fixture = try StorageFixture()
    let (pool, database) = try await open(fixture)
    let kinds = InsightTable.Kind.allCases
    try await database.insights.save(
      kinds.flatMap {
        [
          row("ended", $0, 10..<20, isOpen: false), row("open", $0, 10..<20),
          row("recent", $0, 10..<100, isOpen: false),
        ]
      })

    try await database.insights.deleteClosed(before: Timestamp(seconds: 50))

    for kind in kinds {
      let isSaid = kind == .suppression || kind == .feedback
      let left = try await database.insights.list(kind, limit: 10).map(\.id)
      #expect(Set(left) == (isSaid ? ["ended", "open", "recent"] : ["open", "recent"]), "\(kind)")
    }
    await pool.closeAll()
  }

  @Test func `the detector's state and the workloads' numbers come back as saved`() async throws {
    let fixture = try StorageFixture()
    let (pool, database) = try await open(fixture)
    let insights = database.insights
    #expect(try await insights.detectorState() == nil)
    let state = InsightTable.DetectorState(minute: 30_000_000, data: (0...255).map { UInt8($0) })
    try await insights.save([row("a")], state: state, workloads: [(1, "orders"), (2, "payments")])
    try await insights.save([], workloads: [(2, "payments"), (3, "gateway")])

    #expect(try await insights.detectorState() == state)
    #expect(try await insights.workloads() == [1: "orders", 2: "payments", 3: "gateway"])
    let later = InsightTable.DetectorState(minute: 30_000_001, data: [])
    try await insights.save([], state: later)
    #expect(try await insights.detectorState() == later)
    await pool.closeAll()
  }

  @Test func `damaged documents and states are left out and found`() async throws {
    let fixture = try StorageFixture()
    let (pool, database) = try await open(fixture)
    try await database.insights.save(
      [row("a", document: "one"), row("b", document: "two")], state: .init(minute: 5, data: [1, 2, 3]))
    #expect(try await database.verify().findings == [])

    try await database.file.write("damage") {
      try $0.execute(sql: "UPDATE insight SET document = x'7b7d' WHERE id = 'a'; UPDATE detector SET data = x'01'")
    }

    #expect(try await database.insights.list(.incident, limit: 10).map(\.id) == ["b"])
    #expect(try await database.insights.load(.incident, id: "a") == nil)
    #expect(try await database.insights.detectorState() == nil)
    let findings = try await database.verify().findings
    #expect(findings.map(\.problem) == ["its checksum is wrong", "its checksum is wrong"])
    await pool.closeAll()
  }

  @Test func `a file of version 1 is brought to this one with all that is in it`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let path = directory.tenantFile(fixture.acme.tenant)
    try FileManager.default.createDirectory(
      atPath: String(path.dropLast("/tenant.sqlite".count)), withIntermediateDirectories: true)
    do {
      let file = try DatabaseQueue(path: path)
      try file.inDatabase { database in
        let first = Migrations(
          applicationID: Migrations.tenant.applicationID, steps: Array(Migrations.tenant.steps.prefix(1)))
        try first.run(database, path: path)
        try database.execute(sql: "INSERT INTO setting (name, value) VALUES ('kept', x'0102')")
      }
    }

    let pool = fixture.pool(directory)
    let database = try await pool.open(fixture.acme)

    #expect(try await database.insights.setting("kept") == [1, 2])
    #expect(try await database.insights.detectorState() == nil)
    try await database.insights.save([row("a")], state: .init(minute: 1, data: [9]), workloads: [(1, "orders")])
    #expect(try await database.insights.list(.incident, limit: 10) == [row("a")])
    let version = try database.file.read("test") { try Int.fetchOne($0, sql: "PRAGMA user_version") }
    #expect(version == Migrations.tenant.steps.count)
    #expect(try await append(database, count: 3).count == 3)
    #expect(try await database.verify().findings == [])
    await pool.closeAll()
  }
}
