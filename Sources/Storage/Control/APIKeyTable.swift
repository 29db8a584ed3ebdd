package import Domain
internal import GRDB
internal import Synchronization

/// A program's credential as stored: never the secret itself.
package struct APIKey: Hashable, Sendable {
  package var id: String
  package var tenant: TenantID
  /// The public part of the key, by which it is looked up.
  package var keyID: String
  /// A keyed hash of the secret.
  package var keyHash: [UInt8]
  /// What its maker called it.
  package var name: String
  /// `logs:read`, `logs:write` …; holds no spaces.
  package var scopes: [String]
  package var createdAt: Timestamp
  package var expiresAt: Timestamp?
  package var lastUsedAt: Timestamp?
  package var revokedAt: Timestamp?

  package init(
    id: String, tenant: TenantID, keyID: String, keyHash: [UInt8], name: String, scopes: [String], createdAt: Timestamp,
    expiresAt: Timestamp? = nil, lastUsedAt: Timestamp? = nil, revokedAt: Timestamp? = nil
  ) {
    self.id = id
    self.tenant = tenant
    self.keyID = keyID
    self.keyHash = keyHash
    self.name = name
    self.scopes = scopes
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.lastUsedAt = lastUsedAt
    self.revokedAt = revokedAt
  }
}

/// The API keys of all tenants. Times are kept to the millisecond.
package struct APIKeyTable: Sendable {
  let file: DatabaseFile
  private let known = KnownKeys()

  init(file: DatabaseFile) { self.file = file }

  private static let columns =
    "id, tenant_id, key_id, key_hash, name, scopes, created_at, expires_at, last_used_at, revoked_at"

  /// The key's tenant must exist.
  package func insert(_ key: APIKey) async throws(StorageError) {
    try await file.write("saving an API key") { database in
      try database.execute(
        sql: "INSERT INTO api_key (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          key.id, key.tenant.text, key.keyID, key.keyHash.blob, key.name, key.scopes.joined(separator: " "),
          key.createdAt.milliseconds, key.expiresAt?.milliseconds, key.lastUsedAt?.milliseconds,
          key.revokedAt?.milliseconds,
        ])
    }
  }

  /// The key of that public part, revoked and expired ones too.
  package func find(keyID: String) async throws(StorageError) -> APIKey? {
    let (key, generation) = known.find(keyID)
    if let key { return key }
    let found = try await file.query("looking an API key up") { database in
      try Row.fetchOne(database, sql: "SELECT \(Self.columns) FROM api_key WHERE key_id = ?", arguments: [keyID])
        .flatMap(Self.key)
    }
    if let found { known.insert(found, readIn: generation) }
    return found
  }

  /// A tenant's keys, oldest first.
  package func all(of tenant: TenantID) async throws(StorageError) -> [APIKey] {
    try await file.query("listing API keys") { database in
      try Row.fetchAll(
        database, sql: "SELECT \(Self.columns) FROM api_key WHERE tenant_id = ? ORDER BY created_at, id",
        arguments: [tenant.text]
      ).compactMap(Self.key)
    }
  }

  /// How many keys there are in all.
  package func count() async throws(StorageError) -> Int {
    try await file.query("counting API keys") { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM api_key") ?? 0 }
  }

  /// - Returns: Whether a living key of that tenant was there to revoke.
  package func revoke(id: String, of tenant: TenantID, at time: Timestamp) async throws(StorageError) -> Bool {
    defer { known.removeAll() }
    return try await file.write("revoking an API key") { database in
      try database.execute(
        sql: "UPDATE api_key SET revoked_at = ? WHERE id = ? AND tenant_id = ? AND revoked_at IS NULL",
        arguments: [time.milliseconds, id, tenant.text])
      return database.changesCount == 1
    }
  }

  /// Notes the key's use. Callers do so once a minute at most: each is a durable write.
  package func touch(id: String, at time: Timestamp) async throws(StorageError) {
    defer { known.removeAll() }
    try await file.write("noting the use of an API key") { database in
      try database.execute(
        sql: "UPDATE api_key SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?",
        arguments: [time.milliseconds, id])
    }
  }

  private static func key(_ row: Row) throws -> APIKey? {
    guard let tenant = TenantID(row[1] as String) else { return nil }
    func time(_ index: Int) -> Timestamp? { (row[index] as Int64?).map(Timestamp.init(milliseconds:)) }
    return APIKey(
      id: row[0], tenant: tenant, keyID: row[2], keyHash: try row.bytes(3), name: row[4],
      scopes: (row[5] as String).split(separator: " ").map(String.init), createdAt: Timestamp(milliseconds: row[6]),
      expiresAt: time(7), lastUsedAt: time(8), revokedAt: time(9))
  }
}

/// Keys that were looked up lately: every request brings one. Only this process writes the file, so what is kept here
/// is what the file says as long as every change forgets it.
private final class KnownKeys: Sendable {
  private struct State {
    var keys: [String: APIKey] = [:]
    var generation = 0
  }
  private let state = Mutex(State())

  private static let countMax = 16_384

  /// The key, if it is kept, and the generation for `insert`.
  func find(_ keyID: String) -> (APIKey?, generation: Int) { state.withLock { ($0.keys[keyID], $0.generation) } }

  /// Keeps a key unless there was a change since it was read.
  func insert(_ key: APIKey, readIn generation: Int) {
    state.withLock { state in
      guard state.generation == generation else { return }
      if state.keys.count >= Self.countMax { state.keys = [:] }
      state.keys[key.keyID] = key
    }
  }

  func removeAll() {
    state.withLock { state in
      state.keys = [:]
      state.generation += 1
    }
  }
}
