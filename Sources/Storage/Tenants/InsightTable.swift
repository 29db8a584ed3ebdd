package import Domain
internal import GRDB

/// What is found out about a tenant's records as time goes on: the detector's state, and documents of anomalies,
/// incidents and people's words on them.
package struct InsightTable: Sendable {
  let file: DatabaseFile

  package enum Kind: String, CaseIterable, Sendable {
    case anomaly, incident
    /// Anomalies not to be told of: a snooze, an expected change, a maintenance window.
    case suppression
    /// Verdicts on a pattern in a workload.
    case feedback
    /// An incident in a model's words, under the incident's id.
    case narrative
  }

  package struct Row: Hashable, Sendable {
    package var kind: Kind
    package var id: String
    package var startedAt: Timestamp
    package var changedAt: Timestamp
    package var isOpen: Bool
    /// JSON.
    package var document: [UInt8]

    package init(
      kind: Kind, id: String, startedAt: Timestamp, changedAt: Timestamp, isOpen: Bool, document: [UInt8]
    ) {
      self.kind = kind
      self.id = id
      self.startedAt = startedAt
      self.changedAt = changedAt
      self.isOpen = isOpen
      self.document = document
    }
  }

  /// Where the detector stands.
  package struct DetectorState: Hashable, Sendable {
    /// Of its last tick, since 1970.
    package var minute: Int64
    /// Its own business.
    package var data: [UInt8]

    package init(minute: Int64, data: [UInt8]) {
      self.minute = minute
      self.data = data
    }
  }

  // MARK: The detector

  /// Nil if there is none, or it is damaged: it learns anew from the records.
  package func detectorState() async throws(StorageError) -> DetectorState? {
    try await file.query("reading the detector") { database in
      guard let row = try GRDB.Row.fetchOne(database, sql: "SELECT minute, data, checksum FROM detector") else {
        return nil
      }
      let data = try row.bytes(1)
      return checksum(data) == row[2] ? DetectorState(minute: row[0], data: data) : nil
    }
  }

  /// Names of workloads by number.
  package func workloads() async throws(StorageError) -> [UInt32: String] {
    try await file.query("reading workloads") { database in
      let rows = try GRDB.Row.fetchAll(database, sql: "SELECT number, name FROM workload")
      return Dictionary(rows.map { ($0[0] as UInt32, $0[1] as String) }, uniquingKeysWith: { first, _ in first })
    }
  }

  /// Saves what a tick brought, in one transaction: a restart goes on where this ends, and tells of nothing twice.
  ///
  /// - Parameters:
  ///   - state: Nil leaves what is there.
  ///   - workloads: New ones.
  package func save(
    _ rows: [Row], state: DetectorState? = nil, workloads: [(number: UInt32, name: String)] = []
  ) async throws(StorageError) {
    let byteCount = rows.reduce(state?.data.count ?? 0) { $0 + $1.document.count }
    try await file.write("saving what was detected", byteCount: byteCount) { database in
      for (number, name) in workloads {
        try database.execute(
          sql: "INSERT OR IGNORE INTO workload (number, name) VALUES (?, ?)", arguments: [number, name])
      }
      if let state {
        try database.execute(
          sql: "INSERT OR REPLACE INTO detector (id, minute, data, checksum) VALUES (1, ?, ?, ?)",
          arguments: [state.minute, state.data.blob, checksum(state.data)])
      }
      let insertion = try database.cachedStatement(
        sql: """
          INSERT OR REPLACE INTO insight (kind, id, started_at, changed_at, is_open, document, checksum)
          VALUES (?, ?, ?, ?, ?, ?, ?)
          """)
      for row in rows {
        try insertion.execute(arguments: [
          row.kind.rawValue, row.id, row.startedAt.nanoseconds, row.changedAt.nanoseconds, row.isOpen,
          row.document.blob, checksum(row.document),
        ])
      }
    }
  }

  // MARK: Documents

  static let listSQL = """
    SELECT kind, id, started_at, changed_at, is_open, document, checksum
    FROM insight
    WHERE kind = ? AND changed_at >= ? AND started_at < ?
    ORDER BY changed_at DESC, id DESC
    LIMIT ?
    """
  static let listOpenSQL = """
    SELECT kind, id, started_at, changed_at, is_open, document, checksum
    FROM insight
    WHERE kind = ? AND is_open = 1 AND changed_at >= ? AND started_at < ?
    ORDER BY changed_at DESC, id DESC
    LIMIT ?
    """

  /// Those that lie in `range` at least in part, the latest first. Damaged ones are left out.
  package func list(
    _ kind: Kind, _ range: TimeRange = .all, onlyOpen: Bool = false, limit: Int
  ) async throws(StorageError) -> [Row] {
    try await file.query("listing what was detected") { database in
      try GRDB.Row.fetchAll(
        database, sql: onlyOpen ? Self.listOpenSQL : Self.listSQL,
        arguments: [kind.rawValue, range.start.nanoseconds, range.end.nanoseconds, limit]
      ).compactMap { try Self.row($0) }
    }
  }

  package func load(_ kind: Kind, id: String) async throws(StorageError) -> Row? {
    try await file.query("reading what was detected") { database in
      try GRDB.Row.fetchOne(
        database,
        sql: """
          SELECT kind, id, started_at, changed_at, is_open, document, checksum
          FROM insight
          WHERE kind = ? AND id = ?
          """, arguments: [kind.rawValue, id]
      ).flatMap { try Self.row($0) }
    }
  }

  /// - Returns: Whether it was there.
  package func delete(_ kind: Kind, id: String) async throws(StorageError) -> Bool {
    try await file.write("deleting what was detected") { database in
      try database.execute(sql: "DELETE FROM insight WHERE kind = ? AND id = ?", arguments: [kind.rawValue, id])
      return database.changesCount > 0
    }
  }

  /// Forgets what ended before `time`.
  package func deleteClosed(before time: Timestamp) async throws(StorageError) {
    try await file.write("forgetting what was detected long ago") { database in
      try database.execute(
        sql:
          "DELETE FROM insight WHERE kind IN ('anomaly', 'incident', 'narrative') AND is_open = 0 AND changed_at < ?",
        arguments: [time.nanoseconds])
    }
  }

  private static func row(_ row: GRDB.Row) throws -> Row? {
    let document = try row.bytes(5)
    guard checksum(document) == row[6], let kind = Kind(rawValue: row[0]) else { return nil }
    return Row(
      kind: kind, id: row[1], startedAt: Timestamp(nanoseconds: row[2]), changedAt: Timestamp(nanoseconds: row[3]),
      isOpen: row[4], document: document)
  }

  // MARK: Settings

  /// The value saved under `name`; nil if there is none.
  package func setting(_ name: String) async throws(StorageError) -> [UInt8]? {
    try await file.query("reading a setting") { database in
      try GRDB.Row.fetchOne(database, sql: "SELECT value FROM setting WHERE name = ?", arguments: [name])?.bytes(0)
    }
  }

  /// - Parameter value: Nil removes it.
  package func setSetting(_ name: String, to value: [UInt8]?) async throws(StorageError) {
    try await file.write("saving a setting") { database in
      if let value {
        try database.execute(
          sql: "INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", arguments: [name, value.blob])
      } else {
        try database.execute(sql: "DELETE FROM setting WHERE name = ?", arguments: [name])
      }
    }
  }
}
