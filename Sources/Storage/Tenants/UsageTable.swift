internal import Domain
internal import GRDB

/// What a tenant used on one day.
package struct UsageDay: Hashable, Sendable {
  /// Whole days since 1970, UTC.
  package var day: Int64
  package var recordCount: Int
  package var rawByteCount: Int
  package var analysisCount: Int
}

/// The SQL of the usage: written in the transaction of what it counts.
enum UsageTable {
  static func add(
    recordCount: Int = 0, rawByteCount: Int = 0, analysisCount: Int = 0, at time: Timestamp, _ database: Database
  ) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO usage (day, record_count, raw_byte_count, analysis_count)
        VALUES (?, ?, ?, ?)
        ON CONFLICT (day) DO UPDATE SET
          record_count = record_count + excluded.record_count,
          raw_byte_count = raw_byte_count + excluded.raw_byte_count,
          analysis_count = analysis_count + excluded.analysis_count
        """
    ).execute(arguments: [
      time.nanoseconds.floorDivided(by: 86_400_000_000_000), recordCount, rawByteCount, analysisCount,
    ])
  }

  static func load(_ days: ClosedRange<Int64>, _ database: Database) throws -> [UsageDay] {
    try Row.fetchAll(
      database,
      sql: """
        SELECT day, record_count, raw_byte_count, analysis_count
        FROM usage
        WHERE day BETWEEN ? AND ?
        ORDER BY day
        """, arguments: [days.lowerBound, days.upperBound]
    ).map { UsageDay(day: $0[0], recordCount: $0[1], rawByteCount: $0[2], analysisCount: $0[3]) }
  }
}
