internal import Domain
internal import GRDB

/// A tenant's embeddings, and the vector index as a snapshot with a log of what came after. The index's bytes are its
/// own business; each row is checksummed here. `identity` is the embedder's: vectors of unequal identities are kept
/// apart.
package struct VectorTable: Sendable {
  let file: DatabaseFile
  let now: @Sendable () -> Timestamp

  /// Inserts or replaces the embeddings of patterns.
  package func save(
    _ embeddings: [(pattern: UInt32, vector: [Float])], identity: String
  ) async throws(StorageError) {
    guard !embeddings.isEmpty else { return }
    let byteCount = embeddings.reduce(0) { $0 + $1.vector.count * 4 }
    try await file.write("saving embeddings", byteCount: byteCount) { database in
      try Self.write(embeddings, identity: identity, in: database)
    }
  }

  private static func write(
    _ embeddings: [(pattern: UInt32, vector: [Float])], identity: String, in database: Database
  ) throws {
    let insertion = try database.cachedStatement(
      sql: "INSERT OR REPLACE INTO embedding (identity, pattern, vector, checksum) VALUES (?, ?, ?, ?)")
    for (pattern, vector) in embeddings {
      let bytes = bytes(of: vector)
      try insertion.execute(arguments: [identity, pattern, bytes.blob, checksum(bytes)])
    }
  }

  /// What is to be saved of the vectors: of one embedder.
  package struct Changes: Sendable {
    package var identity: String
    package var embeddings: [(pattern: UInt32, vector: [Float])] = []
    /// Patterns that have no embedding any more.
    package var removed: [UInt32] = []
    /// What the index's log gains; nothing if empty.
    package var log: [UInt8] = []
    /// The index as it is after all of this; then the log begins anew.
    package var snapshot: [UInt8]?

    package init(identity: String) { self.identity = identity }
  }

  /// Saves patterns, their embeddings, and what became of the index, in one transaction: after a crash none knows of
  /// what another does not.
  package func save(
    _ changes: Changes, patterns rows: [PatternTable.Row], assignments: [(template: UInt32, pattern: UInt32)],
    lastBlock: Int64?
  ) async throws(StorageError) {
    let time = now()
    let byteCount =
      PatternTable.byteCount(rows, assignments) + changes.embeddings.reduce(0) { $0 + $1.vector.count * 4 }
      + changes.log.count + (changes.snapshot?.count ?? 0)
    try await file.write("saving patterns", byteCount: byteCount) { database in
      try PatternTable.write(rows, assignments: assignments, lastBlock: lastBlock, in: database)
      let deletion = try database.cachedStatement(sql: "DELETE FROM embedding WHERE pattern = ?")
      for pattern in changes.removed { try deletion.execute(arguments: [pattern]) }
      try Self.write(changes.embeddings, identity: changes.identity, in: database)
      if let snapshot = changes.snapshot {
        try Self.write(snapshot: snapshot, identity: changes.identity, at: time, in: database)
      } else if !changes.log.isEmpty {
        try Self.append([changes.log], identity: changes.identity, in: database)
      }
    }
  }

  /// The embeddings of that identity by pattern; damaged ones are left out, for they can be made again.
  package func load(identity: String) async throws(StorageError) -> [(pattern: UInt32, vector: [Float])] {
    try await file.query("reading embeddings") { database in
      var embeddings: [(pattern: UInt32, vector: [Float])] = []
      let rows = try Row.fetchCursor(
        database, sql: "SELECT pattern, vector, checksum FROM embedding WHERE identity = ? ORDER BY pattern",
        arguments: [identity])
      while let row = try rows.next() {
        let bytes = try row.bytes(1)
        if checksum(bytes) == row[2] { embeddings.append((row[0], Self.vector(of: bytes))) }
      }
      return embeddings
    }
  }

  /// Forgets the embeddings of patterns that ended.
  package func remove(_ patterns: [UInt32]) async throws(StorageError) {
    guard !patterns.isEmpty else { return }
    try await file.write("forgetting embeddings") { database in
      let deletion = try database.cachedStatement(sql: "DELETE FROM embedding WHERE pattern = ?")
      for pattern in patterns { try deletion.execute(arguments: [pattern]) }
    }
  }

  /// Forgets all that is not of these identities, after everything was embedded anew.
  package func removeOthers(than identities: String...) async throws(StorageError) {
    try await file.write("forgetting embeddings") { database in
      let places = identities.map { _ in "?" }.joined(separator: ", ")
      for table in ["embedding", "index_snapshot", "index_log"] {
        try database.execute(
          sql: "DELETE FROM \(table) WHERE identity NOT IN (\(places))", arguments: StatementArguments(identities))
      }
    }
  }

  /// Adds entries to the index's log.
  package func append(_ entries: [[UInt8]], identity: String) async throws(StorageError) {
    guard !entries.isEmpty else { return }
    try await file.write("saving changes of the vector index", byteCount: entries.reduce(0) { $0 + $1.count }) {
      database in
      try Self.append(entries, identity: identity, in: database)
    }
  }

  private static func append(_ entries: [[UInt8]], identity: String, in database: Database) throws {
    let insertion = try database.cachedStatement(
      sql: "INSERT INTO index_log (identity, data, checksum) VALUES (?, ?, ?)")
    for entry in entries { try insertion.execute(arguments: [identity, entry.blob, checksum(entry)]) }
  }

  /// Puts a snapshot in the place of the one before and of the log: it must hold what the log says.
  package func saveSnapshot(_ snapshot: [UInt8], identity: String) async throws(StorageError) {
    let time = now()
    try await file.write("saving the vector index", byteCount: snapshot.count) { database in
      try Self.write(snapshot: snapshot, identity: identity, at: time, in: database)
    }
  }

  private static func write(snapshot: [UInt8], identity: String, at time: Timestamp, in database: Database) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO index_snapshot (identity, data, checksum, created_at) VALUES (?, ?, ?, ?)",
      arguments: [identity, snapshot.blob, checksum(snapshot), time.nanoseconds])
    try database.execute(sql: "DELETE FROM index_log WHERE identity = ?", arguments: [identity])
  }

  /// The snapshot and the log after it, in order; nil if there is none or any of it is damaged: then the index is
  /// made again from the embeddings.
  package func loadIndex(identity: String) async throws(StorageError) -> (snapshot: [UInt8], log: [[UInt8]])? {
    try await file.query("reading the vector index") { database in
      guard
        let row = try Row.fetchOne(
          database, sql: "SELECT data, checksum FROM index_snapshot WHERE identity = ?", arguments: [identity])
      else { return nil }
      let snapshot = try row.bytes(0)
      guard checksum(snapshot) == row[1] else { return nil }
      var log: [[UInt8]] = []
      let entries = try Row.fetchCursor(
        database, sql: "SELECT data, checksum FROM index_log WHERE identity = ? ORDER BY sequence",
        arguments: [identity])
      while let entry = try entries.next() {
        let bytes = try entry.bytes(0)
        guard checksum(bytes) == entry[1] else { return nil }
        log.append(bytes)
      }
      return (snapshot, log)
    }
  }

  // A vector's BLOB: float32, little-endian.
  private static func bytes(of vector: [Float]) -> [UInt8] {
    vector.flatMap { component in withUnsafeBytes(of: component.bitPattern.littleEndian) { Array($0) } }
  }

  private static func vector(of bytes: [UInt8]) -> [Float] {
    stride(from: 0, to: bytes.count - 3, by: 4).map { start in
      Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
    }
  }
}
