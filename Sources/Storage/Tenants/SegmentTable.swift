internal import Domain
internal import GRDB
internal import LogBlocks

/// The SQL of segments: the small durable writes that precede blocks.
enum SegmentTable {
  struct Row: Sendable {
    var recordCount: Int
    var rawByteCount: Int
    var data: [UInt8]
  }

  static func insert(_ segment: Row, number: Int64, at time: Timestamp, _ database: Database) throws {
    try database.cachedStatement(
      sql: "INSERT INTO segment (number, created_at, record_count, raw_byte_count, data) VALUES (?, ?, ?, ?, ?)"
    ).execute(arguments: [number, time.nanoseconds, segment.recordCount, segment.rawByteCount, segment.data.blob])
  }

  /// Those that are in blocks now. Damaged ones stay for the operator.
  static func delete(through number: Int64, _ database: Database) throws {
    try database.execute(sql: "DELETE FROM segment WHERE number <= ? AND quarantined = 0", arguments: [number])
  }

  /// Those of commits that failed, though their bytes may have reached the log.
  static func delete(after number: Int64, _ database: Database) throws {
    try database.execute(sql: "DELETE FROM segment WHERE number > ?", arguments: [number])
  }

  static func quarantine(_ numbers: [Int64], _ database: Database) throws {
    let update = try database.cachedStatement(sql: "UPDATE segment SET quarantined = 1 WHERE number = ?")
    for number in numbers { try update.execute(arguments: [number]) }
  }

  /// The head as the segments tell it, and the numbers of those that cannot be read.
  static func load(_ database: Database) throws -> (head: TenantHead, damaged: [Int64], quarantinedCount: Int) {
    var head = TenantHead()
    var damaged: [Int64] = []
    var quarantinedCount = 0
    let rows = try GRDB.Row.fetchCursor(
      database, sql: "SELECT number, created_at, record_count, quarantined, data FROM segment ORDER BY number")
    while let row = try rows.next() {
      let number: Int64 = row[0]
      guard row[3] == 0 else {
        quarantinedCount += 1
        continue
      }
      do {
        let columns = try SegmentCodec.decode(row.bytes(4))
        guard let times = columns.timeSpan, columns.count == row[2] else {
          throw BlockError.corrupt(place: "record count")
        }
        head.append(
          TenantHead.Chunk(
            columns: columns, lastSegment: number, minTime: times.first, maxTime: times.last,
            createdAt: Timestamp(nanoseconds: row[1]), byteCount: columns.byteCount))
      } catch BlockError.unsupportedVersion(let version) {
        throw BlockError.unsupportedVersion(version)
      } catch is BlockError {
        damaged.append(number)
      }
    }
    return (head, damaged, quarantinedCount)
  }
}

extension RecordColumns {
  /// The first and last moment; nil without records.
  var timeSpan: (first: Timestamp, last: Timestamp)? {
    guard var low = times.first else { return nil }
    var high = low
    for time in times {
      low = min(low, time)
      high = max(high, time)
    }
    return (Timestamp(nanoseconds: low), Timestamp(nanoseconds: high))
  }
}
