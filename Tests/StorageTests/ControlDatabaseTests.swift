import Domain
import GRDB
import Testing

@testable import Storage

@Suite struct ControlDatabaseTests {
  private func key(_ id: String, _ tenant: TenantID, at seconds: Int64 = 5) -> APIKey {
    APIKey(
      id: id, tenant: tenant, keyID: "k-\(id)", keyHash: [1, 2, 0, 255], name: "agent \(id)",
      scopes: ["logs:write", "logs:read"],
      createdAt: Timestamp(seconds: seconds), expiresAt: Timestamp(seconds: 99))
  }

  private func control(_ fixture: StorageFixture) async throws -> (DataDirectory, ControlDatabase) {
    let directory = try fixture.directory()
    let control = try await ControlDatabase(directory)
    for scope in [fixture.acme, fixture.globex] {
      try await control.tenants.create(
        Tenant(id: scope.tenant, name: scope.tenant.text.uppercased(), createdAt: Timestamp(seconds: 1)))
    }
    return (directory, control)
  }

  @Test func `tenants are kept, and no id twice`() async throws {
    let fixture = try StorageFixture()
    let (_, control) = try await control(fixture)

    let error = await #expect(throws: StorageError.self) {
      try await control.tenants.create(Tenant(id: fixture.acme.tenant, name: "x", createdAt: Timestamp(seconds: 2)))
    }

    #expect(error?.kind == .alreadyExists)
    #expect(try await control.tenants.all().map(\.name) == ["ACME", "GLOBEX"])
    #expect(try await control.tenants.find(fixture.acme.tenant)?.createdAt == Timestamp(seconds: 1))
    #expect(try await control.tenants.find(TenantID("nobody")!) == nil)
  }

  @Test func `an API key comes back as it was, for its own tenant only`() async throws {
    let fixture = try StorageFixture()
    let (_, control) = try await control(fixture)
    let acmeKey = key("1", fixture.acme.tenant)
    try await control.apiKeys.insert(acmeKey)
    try await control.apiKeys.insert(key("2", fixture.globex.tenant))

    #expect(try await control.apiKeys.find(keyID: "k-1") == acmeKey)
    #expect(try await control.apiKeys.find(keyID: "k-3") == nil)
    #expect(try await control.apiKeys.all(of: fixture.acme.tenant) == [acmeKey])
    #expect(try await control.apiKeys.all(of: fixture.globex.tenant).map(\.id) == ["2"])
    #expect(try await control.apiKeys.count() == 2)
  }

  @Test func `a key is revoked once, by its own tenant`() async throws {
    let fixture = try StorageFixture()
    let (_, control) = try await control(fixture)
    try await control.apiKeys.insert(key("1", fixture.acme.tenant))
    let time = Timestamp(seconds: 50)

    #expect(try await control.apiKeys.revoke(id: "1", of: fixture.globex.tenant, at: time) == false)
    #expect(try await control.apiKeys.revoke(id: "1", of: fixture.acme.tenant, at: time) == true)
    #expect(try await control.apiKeys.revoke(id: "1", of: fixture.acme.tenant, at: Timestamp(seconds: 60)) == false)
    #expect(try await control.apiKeys.find(keyID: "k-1")?.revokedAt == time)
  }

  @Test func `the last use never goes back`() async throws {
    let fixture = try StorageFixture()
    let (_, control) = try await control(fixture)
    try await control.apiKeys.insert(key("1", fixture.acme.tenant))

    try await control.apiKeys.touch(id: "1", at: Timestamp(seconds: 20))
    try await control.apiKeys.touch(id: "1", at: Timestamp(seconds: 10))

    #expect(try await control.apiKeys.find(keyID: "k-1")?.lastUsedAt == Timestamp(seconds: 20))
  }

  @Test func `a secret is made once and stays`() async throws {
    let fixture = try StorageFixture()
    let (directory, control) = try await control(fixture)
    let secret = try await control.settings.secret("token-pepper")
    await control.close()

    let again = try await ControlDatabase(directory)

    #expect(secret.count == 32)
    #expect(try await again.settings.secret("token-pepper") == secret)
    #expect(try await again.settings.secret("another") != secret)
    try await again.settings.set("banner", Array("hello".utf8))
    #expect(try await again.settings.value("banner") == Array("hello".utf8))
    #expect(try await again.settings.value("nothing") == nil)
  }

  @Test func `a key is found by an index`() async throws {
    let fixture = try StorageFixture()
    let (directory, control) = try await control(fixture)
    await control.close()
    let database = try DatabaseQueue(path: directory.controlFile)

    for sql in [
      "SELECT id FROM api_key WHERE key_id = 'x'", "SELECT id FROM api_key WHERE tenant_id = 'x' ORDER BY created_at",
      "SELECT value FROM setting WHERE name = 'x'",
    ] {
      #expect(try queryPlan(sql, database).allSatisfy { $0.hasPrefix("SEARCH") }, "\(sql)")
    }
  }
}

/// The steps of SQLite's plan for a statement; unbound parameters are NULL.
func queryPlan(_ sql: String, _ database: DatabaseQueue) throws -> [String] {
  try database.read { database in
    let statement = try database.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
    try statement.setArguments(StatementArguments(Array(repeating: 0, count: sql.count { $0 == "?" })))
    return try Row.fetchAll(statement).map { $0["detail"] }
  }
}
