internal import Domain

/// A block's newest records, which it holds once more in one small column: most questions are about these.
struct BlockTail {
  static let recordCount = 128
  /// A smaller block is itself hardly more than its tail.
  static let blockRecordCountMin = 256

  /// In the order of (time, row), the last first.
  let turns: [RowTime]
  let records: RecordColumns
  /// By row: which of the records it is.
  private let places: [Int: Int]

  init(blockRecordCount: Int, from reader: inout ByteReader) throws(BlockError) {
    let rows = try IntegerCodec.decode(count: BlockTail.recordCount, from: &reader)
    records = try SegmentCodec.decodeContent(from: &reader)
    guard records.count == rows.count else { throw reader.corrupt }
    var turns: [RowTime] = []
    var places: [Int: Int] = [:]
    for (place, row) in rows.enumerated() {
      guard row >= 0, row < Int64(blockRecordCount), places.updateValue(place, forKey: Int(row)) == nil else {
        throw reader.corrupt
      }
      turns.append(RowTime(row: Int(row), time: records.times[place]))
    }
    self.turns = turns
    self.places = places
  }

  func place(ofRow row: Int) -> Int? { places[row] }

  func appendVariable(_ slot: Int, at place: Int, to bytes: inout [UInt8]) throws(BlockError) {
    let index = Int(records.variableStarts[place]) + slot
    guard index < Int(records.variableStarts[place + 1]) else { throw .corrupt(place: "column \(ColumnKey.tail)") }
    bytes.append(contentsOf: records.bytes[records.variables[index].range])
  }

  func fields(at place: Int) -> [Field] {
    records.fieldSetTable[Int(records.fieldSets[place])].map {
      Field(name: Array(records.bytes[$0.name.range]), value: Array(records.bytes[$0.value.range]))
    }
  }

  /// The first field of that name.
  func fieldValue(_ name: [UInt8], at place: Int) -> [UInt8]? {
    records.fieldSetTable[Int(records.fieldSets[place])].first { records.bytes[$0.name.range].elementsEqual(name) }
      .map { Array(records.bytes[$0.value.range]) }
  }
}

extension BlockEncoder {
  mutating func encodeTail(_ rows: [UInt32]) throws(BlockError) {
    guard rows.count >= BlockTail.blockRecordCountMin else { return }
    var latest = LatestRows(limit: BlockTail.recordCount, newestFirst: true)
    for (row, source) in rows.enumerated() {
      _ = latest.insert(RowTime(row: row, time: records.times[Int(source)]))
    }
    let turns = latest.sorted
    var content: [UInt8] = []
    turns.map { Int64($0.row) }.withUnsafeBufferPointer { IntegerCodec.encode($0, into: &content) }
    SegmentCodec.encodeContent(try records.selecting(turns.map { rows[$0.row] }), into: &content)
    append(ColumnKey.tail, content)
  }
}
