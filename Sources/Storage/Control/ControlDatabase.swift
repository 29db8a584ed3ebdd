package import Domain
internal import GRDB

/// What is of no single tenant: which tenants there are, who may come in, and the instance's own settings and secrets.
package final class ControlDatabase: Sendable {
  package let tenants: TenantTable
  package let apiKeys: APIKeyTable
  package let settings: SettingTable
  private let file: DatabaseFile

  package init(_ directory: DataDirectory) async throws(StorageError) {
    file = DatabaseFile(
      path: directory.controlFile, in: directory, migrations: .control, erasesDeleted: true)
    try await file.open { _ in }
    tenants = TenantTable(file: file)
    apiKeys = APIKeyTable(file: file)
    settings = SettingTable(file: file)
  }

  package func close() async { await file.close() }
}

/// The accounts.
package struct TenantTable: Sendable {
  let file: DatabaseFile

  /// - Throws: `.alreadyExists`
  package func create(_ tenant: Tenant) async throws(StorageError) {
    let path = file.path
    try await file.write("creating a tenant") { database in
      let isThere = try Bool.fetchOne(database, sql: "SELECT 1 FROM tenant WHERE id = ?", arguments: [tenant.id.text])
      guard isThere == nil else {
        throw StorageError(
          .alreadyExists, "creating a tenant", at: path, cause: "there is a tenant \(tenant.id.text)",
          remedy: "Choose another id.")
      }
      try database.execute(
        sql: "INSERT INTO tenant (id, name, created_at) VALUES (?, ?, ?)",
        arguments: [tenant.id.text, tenant.name, tenant.createdAt.milliseconds])
    }
  }

  package func find(_ id: TenantID) async throws(StorageError) -> Tenant? {
    try await file.query("looking a tenant up") { database in
      try Row.fetchOne(database, sql: "SELECT id, name, created_at FROM tenant WHERE id = ?", arguments: [id.text])
        .flatMap(Self.tenant)
    }
  }

  /// By id.
  package func all() async throws(StorageError) -> [Tenant] {
    try await file.query("listing the tenants") { database in
      try Row.fetchAll(database, sql: "SELECT id, name, created_at FROM tenant ORDER BY id").compactMap(Self.tenant)
    }
  }

  private static func tenant(_ row: Row) -> Tenant? {
    guard let id = TenantID(row[0] as String) else { return nil }
    return Tenant(id: id, name: row[1], createdAt: Timestamp(milliseconds: row[2]))
  }
}

/// The instance's settings and secrets, by name.
package struct SettingTable: Sendable {
  let file: DatabaseFile

  package func value(_ name: String) async throws(StorageError) -> [UInt8]? {
    try await file.query("reading a setting") { database in try Self.value(name, database) }
  }

  package func set(_ name: String, _ value: [UInt8]) async throws(StorageError) {
    try await file.write("saving a setting") { database in try Self.set(name, value, database) }
  }

  /// Random bytes from the system's generator, made and stored when first asked for: `token-pepper`.
  package func secret(_ name: String, byteCount: Int = 32) async throws(StorageError) -> [UInt8] {
    try await file.write("reading a secret") { database in
      if let known = try Self.value("secret." + name, database) { return known }
      var generator = SystemRandomNumberGenerator()
      let fresh = (0..<byteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      try Self.set("secret." + name, fresh, database)
      return fresh
    }
  }

  private static func value(_ name: String, _ database: Database) throws -> [UInt8]? {
    try Row.fetchOne(database, sql: "SELECT value FROM setting WHERE name = ?", arguments: [name])?.bytes(0)
  }

  private static func set(_ name: String, _ value: [UInt8], _ database: Database) throws {
    try database.execute(
      sql: "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
      arguments: [name, value.blob])
  }
}

extension Timestamp {
  /// Whole milliseconds since 1970, rounded down.
  var milliseconds: Int64 { nanoseconds.floorDivided(by: 1_000_000) }
}
