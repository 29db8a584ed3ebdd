package import Domain
internal import GRDB

/// A tenant's patterns, and which pattern each template is of.
package struct PatternTable: Sendable {
  let file: DatabaseFile

  package struct Row: Hashable, Sendable {
    package var number: UInt32
    /// For people: variables as `<*>`.
    package var text: String
    /// Variables by what they hold: `<ip>`, `<num>`.
    package var namedText: String
    package var severity: Severity
    package var firstSeen: Timestamp
    package var lastSeen: Timestamp
    /// The pattern that took this one's templates over.
    package var mergedInto: UInt32?

    package init(
      number: UInt32, text: String, namedText: String, severity: Severity, firstSeen: Timestamp, lastSeen: Timestamp,
      mergedInto: UInt32? = nil
    ) {
      self.number = number
      self.text = text
      self.namedText = namedText
      self.severity = severity
      self.firstSeen = firstSeen
      self.lastSeen = lastSeen
      self.mergedInto = mergedInto
    }
  }

  /// The name in table `setting` of the last block whose records the patterns know of: 8 bytes, little-endian.
  static let blockSetting = "pattern.block"

  /// All patterns by number, the pattern of each template that has one, and the last block that they know of.
  package func load() async throws(StorageError)
    -> (rows: [Row], assignments: [UInt32: UInt32], lastBlock: Int64)
  {
    try await file.query("reading the patterns") { database in
      let rows = try GRDB.Row.fetchAll(
        database,
        sql: """
          SELECT number, text, named_text, severity, first_seen, last_seen, merged_into
          FROM pattern
          ORDER BY number
          """
      ).map { row in
        Row(
          number: row[0], text: row[1], namedText: row[2], severity: Severity(rawValue: row[3]) ?? .unknown,
          firstSeen: Timestamp(nanoseconds: row[4]), lastSeen: Timestamp(nanoseconds: row[5]), mergedInto: row[6])
      }
      var assignments: [UInt32: UInt32] = [:]
      let cursor = try GRDB.Row.fetchCursor(database, sql: "SELECT template, pattern FROM template_pattern")
      while let row = try cursor.next() { assignments[row[0]] = row[1] }
      return (rows, assignments, try Self.lastBlock(database))
    }
  }

  /// 0 if they know of none.
  static func lastBlock(_ database: Database) throws -> Int64 {
    let row = try GRDB.Row.fetchOne(
      database, sql: "SELECT value FROM setting WHERE name = ?", arguments: [blockSetting])
    guard let bytes = try row?.bytes(0), bytes.count == 8 else { return 0 }
    return Int64(bitPattern: (0..<8).reduce(0) { $0 | UInt64(bytes[$1]) << (8 * $1) })
  }

  /// Inserts or replaces rows and assignments in one transaction.
  ///
  /// - Parameter lastBlock: The records of all blocks up to this one are known. Nil leaves it as it is.
  package func save(
    _ rows: [Row], assignments: [(template: UInt32, pattern: UInt32)] = [], lastBlock: Int64? = nil
  ) async throws(StorageError) {
    guard !rows.isEmpty || !assignments.isEmpty else { return }
    try await file.write("saving patterns", byteCount: Self.byteCount(rows, assignments)) { database in
      try Self.write(rows, assignments: assignments, lastBlock: lastBlock, in: database)
    }
  }

  /// About what they take in the file.
  static func byteCount(_ rows: [Row], _ assignments: [(template: UInt32, pattern: UInt32)]) -> Int {
    rows.count * 256 + assignments.count * 16
  }

  /// As `save`, as a part of a transaction.
  static func write(
    _ rows: [Row], assignments: [(template: UInt32, pattern: UInt32)], lastBlock: Int64?, in database: Database
  ) throws {
    let insertion = try database.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO pattern (number, text, named_text, severity, first_seen, last_seen, merged_into)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """)
    for row in rows {
      try insertion.execute(arguments: [
        row.number, row.text, row.namedText, row.severity.rawValue, row.firstSeen.nanoseconds,
        row.lastSeen.nanoseconds,
        row.mergedInto,
      ])
    }
    let assignment = try database.cachedStatement(
      sql: "INSERT OR REPLACE INTO template_pattern (template, pattern) VALUES (?, ?)")
    for entry in assignments { try assignment.execute(arguments: [entry.template, entry.pattern]) }
    guard let lastBlock else { return }
    let bytes = withUnsafeBytes(of: lastBlock.littleEndian) { [UInt8]($0) }
    try database.execute(
      sql: "INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", arguments: [Self.blockSetting, bytes.blob])
  }

  /// Forgets all, for an index that is made anew from the templates.
  package func removeAll() async throws(StorageError) {
    try await file.write("forgetting the patterns") { database in
      try database.execute(sql: "DELETE FROM pattern")
      try database.execute(sql: "DELETE FROM template_pattern")
      try database.execute(sql: "DELETE FROM setting WHERE name = ?", arguments: [Self.blockSetting])
    }
  }
}
