internal import Domain
internal import GRDB
internal import LogBlocks

/// The SQL of blocks. Headers and columns are rows of their own, so that opening a tenant reads no blob and a query
/// only what it needs.
enum BlockTable {
  /// `block.state`. Stored: never renumber.
  enum BlockState: Int64 {
    case live = 0
    /// Merged into another block or past the retention; to be deleted.
    case obsolete = 1
    /// Damaged; `note` says how.
    case quarantined = 2
  }

  static let columnSQL = "SELECT data FROM block_column WHERE block = ? AND key = ?"
  static let headerSQL = "SELECT data FROM block_header WHERE block = ?"
  static let deleteSQL = "DELETE FROM block WHERE number = ?"

  static func insert(
    _ block: EncodedBlock, number: Int64, at time: Timestamp, _ database: Database
  ) throws -> BlockReference {
    let summary = block.summary
    let storedByteCount = block.header.count + block.columns.reduce(0) { $0 + $1.data.count }
    let stream = summary.streamCounts.count == 1 ? summary.streamCounts[0].number : nil
    let insertion = try database.cachedStatement(
      sql: """
        INSERT INTO block
          (number, stream, record_count, min_time, max_time, raw_byte_count, stored_byte_count, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try insertion.execute(arguments: [
      number, stream, summary.recordCount, summary.minTime.nanoseconds, summary.maxTime.nanoseconds,
      summary.rawByteCount,
      storedByteCount, time.nanoseconds,
    ])
    try database.cachedStatement(sql: "INSERT INTO block_header (block, data) VALUES (?, ?)")
      .execute(arguments: [number, block.header.blob])
    let columns = try database.cachedStatement(sql: "INSERT INTO block_column (block, key, data) VALUES (?, ?, ?)")
    for column in block.columns { try columns.execute(arguments: [number, column.key, column.data.blob]) }
    return BlockReference(
      number: number, stream: stream, recordCount: summary.recordCount, minTime: summary.minTime,
      maxTime: summary.maxTime,
      rawByteCount: summary.rawByteCount, storedByteCount: storedByteCount, hold: BlockHold())
  }

  /// - Parameter hold: The hold that readers of a block have already, if any.
  static func load(_ database: Database, hold: (Int64) -> BlockHold?) throws -> BlockCatalog {
    var catalog = BlockCatalog()
    var live: [BlockReference] = []
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT number, state, stream, record_count, min_time, max_time, raw_byte_count, stored_byte_count
        FROM block
        """)
    while let row = try rows.next() {
      let number: Int64 = row[0]
      let state = BlockState(rawValue: row[1])
      guard state != .obsolete else {
        catalog.insertObsolete(number, hold: hold(number))
        continue
      }
      let block = BlockReference(
        number: number, stream: row[2], recordCount: row[3], minTime: Timestamp(nanoseconds: row[4]),
        maxTime: Timestamp(nanoseconds: row[5]), rawByteCount: row[6], storedByteCount: row[7],
        hold: hold(number) ?? BlockHold())
      if state == .live { live.append(block) } else { catalog.insertQuarantined(block) }
    }
    catalog.insert(live)
    return catalog
  }

  static func header(of number: Int64, _ database: Database) throws -> [UInt8]? {
    try Row.fetchOne(database.cachedStatement(sql: headerSQL), arguments: [number])?.bytes(0)
  }

  static func column(of number: Int64, key: String, _ database: Database) throws -> [UInt8]? {
    try Row.fetchOne(database.cachedStatement(sql: columnSQL), arguments: [number, key])?.bytes(0)
  }

  static func setState(_ state: BlockState, of numbers: some Sequence<Int64>, note: String? = nil, _ database: Database)
    throws
  {
    let update = try database.cachedStatement(sql: "UPDATE block SET state = ?, note = ? WHERE number = ?")
    for number in numbers { try update.execute(arguments: [state.rawValue, note, number]) }
  }

  /// Headers and columns go with their block.
  static func delete(_ numbers: some Sequence<Int64>, _ database: Database) throws {
    let deletion = try database.cachedStatement(sql: deleteSQL)
    for number in numbers { try deletion.execute(arguments: [number]) }
  }
}
