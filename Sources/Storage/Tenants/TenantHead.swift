internal import Domain

/// Records that are durable in segments but not yet in a block, in memory for queries.
struct TenantHead: Sendable {
  /// The records of one or more segments.
  struct Chunk: Sendable {
    var columns: RecordColumns
    var lastSegment: Int64
    var minTime: Timestamp
    var maxTime: Timestamp
    /// When its first records were committed.
    var createdAt: Timestamp
    var byteCount: Int
  }

  // Requests of a few records are joined, so that a query meets tens of chunks and not thousands. A record is copied
  // once for each doubling of its chunk up to this size: 13 times at most.
  private static let joinedRecordsMax = 8192
  private static let joinedByteCountMax = 8 << 20

  private(set) var chunks: [Chunk] = []
  /// Chunks at the front that are being encoded as blocks: nothing is joined to them.
  private(set) var frozenCount = 0
  private(set) var recordCount = 0
  private(set) var byteCount = 0

  var oldest: Timestamp? { chunks.first?.createdAt }

  mutating func append(_ chunk: Chunk) {
    recordCount += chunk.columns.count
    byteCount += chunk.byteCount
    chunks.append(chunk)
    while chunks.count - frozenCount >= 2, mayJoinLastTwo {
      let last = chunks.removeLast()
      let index = chunks.count - 1
      chunks[index].columns.append(last.columns)
      chunks[index].lastSegment = last.lastSegment
      chunks[index].minTime = min(chunks[index].minTime, last.minTime)
      chunks[index].maxTime = max(chunks[index].maxTime, last.maxTime)
      byteCount -= chunks[index].byteCount + last.byteCount
      chunks[index].byteCount = chunks[index].columns.byteCount
      byteCount += chunks[index].byteCount
    }
  }

  private var mayJoinLastTwo: Bool {
    let last = chunks[chunks.count - 1]
    let previous = chunks[chunks.count - 2]
    return last.columns.count * 2 >= previous.columns.count
      && last.columns.count + previous.columns.count <= Self.joinedRecordsMax
      && last.byteCount + previous.byteCount <= Self.joinedByteCountMax
  }

  /// The oldest chunks, up to those bounds but one at least, to be made into blocks; nil if there is nothing. Ends with
  /// `thaw` or `removeFrozen`.
  mutating func freeze(recordsMax: Int, byteCountMax: Int) -> (sources: [RecordColumns], lastSegment: Int64)? {
    guard let first = chunks.first else { return nil }
    frozenCount = 1
    var records = first.columns.count
    var bytes = first.byteCount
    for chunk in chunks.dropFirst() {
      records += chunk.columns.count
      bytes += chunk.byteCount
      guard records <= recordsMax, bytes <= byteCountMax else { break }
      frozenCount += 1
    }
    return (chunks[..<frozenCount].map(\.columns), chunks[frozenCount - 1].lastSegment)
  }

  /// The blocks came to nothing: the records stay.
  mutating func thaw() { frozenCount = 0 }

  /// The frozen chunks are in blocks now.
  mutating func removeFrozen() {
    for chunk in chunks[..<frozenCount] {
      recordCount -= chunk.columns.count
      byteCount -= chunk.byteCount
    }
    chunks.removeFirst(frozenCount)
    frozenCount = 0
  }

  /// The chunks with records in `range`, oldest commit first.
  func overlapping(_ range: TimeRange) -> [RecordColumns] {
    chunks.lazy.filter { range.start <= $0.maxTime && range.reaches($0.minTime) }.map(\.columns)
  }
}
