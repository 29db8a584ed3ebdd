package import Domain
internal import GRDB

/// A tenant's analyses: each a JSON document, with what is needed to list them beside it.
package struct AnalysisTable: Sendable {
  let file: DatabaseFile
  let now: @Sendable () -> Timestamp

  package struct Row: Hashable, Sendable {
    package var id: String
    package var createdAt: Timestamp
    /// `pending`, `running`, `completed` or `failed`.
    package var status: String
    /// JSON.
    package var document: [UInt8]

    package init(id: String, createdAt: Timestamp, status: String, document: [UInt8]) {
      self.id = id
      self.createdAt = createdAt
      self.status = status
      self.document = document
    }
  }

  static let listSQL = """
    SELECT id, created_at, status, document, checksum
    FROM analysis
    ORDER BY created_at DESC, id DESC
    LIMIT ?
    """
  static let listByStatusSQL = """
    SELECT id, created_at, status, document, checksum
    FROM analysis
    WHERE status = ?
    ORDER BY created_at DESC, id DESC
    LIMIT ?
    """

  /// Inserts the analysis, or replaces it. A new one counts in the day's usage, in the same transaction.
  package func save(_ row: Row) async throws(StorageError) {
    let time = now()
    try await file.write("saving an analysis", byteCount: row.document.count) { database in
      let isKnown =
        try Bool.fetchOne(database, sql: "SELECT 1 FROM analysis WHERE id = ?", arguments: [row.id]) ?? false
      try database.execute(
        sql: """
          INSERT OR REPLACE INTO analysis (id, created_at, status, document, checksum)
          VALUES (?, ?, ?, ?, ?)
          """,
        arguments: [row.id, row.createdAt.nanoseconds, row.status, row.document.blob, checksum(row.document)])
      if !isKnown { try UsageTable.add(analysisCount: 1, at: time, database) }
    }
  }

  package func load(id: String) async throws(StorageError) -> Row? {
    let path = file.path
    return try await file.query("reading an analysis") { database in
      try GRDB.Row.fetchOne(
        database, sql: "SELECT id, created_at, status, document, checksum FROM analysis WHERE id = ?", arguments: [id]
      ).map { try Self.row($0, path: path) }
    }
  }

  /// Newest first; with `status` only those.
  package func list(limit: Int, status: String? = nil) async throws(StorageError) -> [Row] {
    let path = file.path
    return try await file.query("listing analyses") { database in
      let rows =
        if let status {
          try GRDB.Row.fetchAll(database, sql: Self.listByStatusSQL, arguments: [status, limit])
        } else {
          try GRDB.Row.fetchAll(database, sql: Self.listSQL, arguments: [limit])
        }
      return try rows.map { try Self.row($0, path: path) }
    }
  }

  /// - Returns: Whether it was there.
  package func delete(id: String) async throws(StorageError) -> Bool {
    try await file.write("deleting an analysis") { database in
      try database.execute(sql: "DELETE FROM analysis WHERE id = ?", arguments: [id])
      return database.changesCount > 0
    }
  }

  private static func row(_ row: GRDB.Row, path: String) throws -> Row {
    let document = try row.bytes(3)
    guard checksum(document) == row[4] else {
      throw StorageError.corrupt("reading analysis \(row[0] as String)", at: path, cause: "its checksum is wrong")
    }
    return Row(id: row[0], createdAt: Timestamp(nanoseconds: row[1]), status: row[2], document: document)
  }
}
