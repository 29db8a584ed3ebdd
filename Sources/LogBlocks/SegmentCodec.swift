package import Domain

// SEGMENT LAYOUT, version 1
//   4 bytes  magic "TLSG"
//   2 bytes  version, little-endian
//   rest     one frame (Compression.swift) whose content is, all integers varints, signed ones zigzag:
//            record count n
//            n signed distances of a time from the one before (from 0 at first), wrapping
//            n severity bytes
//            n stream numbers, n template numbers, n field set indexes, n variable counts
//            field set count; for each: field count and for each field name length, value length
//            variable lengths, record by record
//            the bytes of all field sets (name, value, name, value…), then of all variables
// Valid: magic, version, checksum and lengths agree, and indexes lie in their tables. Anything else is `.corrupt`,
// never a guess.

/// The small durable write that precedes a block: records as bytes, self-contained apart from template and stream
/// numbers.
package enum SegmentCodec {
  static let magic: [UInt8] = Array("TLSG".utf8)
  static let version = 1

  /// - Throws: `.invalidRecords` or `.tooLarge`.
  package static func encode(_ columns: RecordColumns) throws(BlockError) -> [UInt8] {
    try columns.validate()
    var content: [UInt8] = []
    content.reserveCapacity(columns.byteCount)
    encodeContent(columns, into: &content)
    guard content.count <= Int(UInt32.max) else { throw .tooLarge }
    var segment = magic
    segment.append(UInt8(version))
    segment.append(0)
    segment.append(contentsOf: Compressor().seal(content))
    return segment
  }

  /// Appends what is in a segment's frame.
  static func encodeContent(_ columns: RecordColumns, into content: inout [UInt8]) {
    content.appendVarint(columns.count)
    var previous: Int64 = 0
    for time in columns.times {
      content.appendSigned(time &- previous)
      previous = time
    }
    for severity in columns.severities { content.append(severity.rawValue) }
    for stream in columns.streams { content.appendVarint(stream) }
    for template in columns.templates { content.appendVarint(template) }
    for set in columns.fieldSets { content.appendVarint(set) }
    for row in 0..<columns.count { content.appendVarint(columns.variableStarts[row + 1] - columns.variableStarts[row]) }
    content.appendVarint(columns.fieldSetTable.count)
    for set in columns.fieldSetTable {
      content.appendVarint(set.count)
      for field in set {
        content.appendVarint(field.name.length)
        content.appendVarint(field.value.length)
      }
    }
    for span in columns.variables { content.appendVarint(span.length) }
    columns.bytes.withUnsafeBufferPointer { bytes in
      for set in columns.fieldSetTable {
        for field in set {
          content.append(contentsOf: bytes[field.name.range])
          content.append(contentsOf: bytes[field.value.range])
        }
      }
      for span in columns.variables { content.append(contentsOf: bytes[span.range]) }
    }
  }

  /// - Throws: `.corrupt` or `.unsupportedVersion`.
  package static func decode(_ bytes: [UInt8]) throws(BlockError) -> RecordColumns {
    let place = "segment"
    guard bytes.count > 6, Array(bytes[..<4]) == magic else { throw .corrupt(place: place) }
    let version = Int(bytes[4]) | Int(bytes[5]) << 8
    guard version == SegmentCodec.version else { throw .unsupportedVersion(version) }
    let content = try Decompressor().open(Array(bytes[6...]), place: place)
    return try decodeContent(content, place: place)
  }

  static func decodeContent(_ content: [UInt8], place: String) throws(BlockError) -> RecordColumns {
    guard content.count <= Int(UInt32.max) else { throw .corrupt(place: place) }
    return try content.read(place) { (reader) throws(BlockError) -> RecordColumns in
      try decodeContent(from: &reader)
    }
  }

  /// Reads to the end of `reader`, which has at most 4 GiB left.
  static func decodeContent(from reader: inout ByteReader) throws(BlockError) -> RecordColumns {
    let contentCount = reader.remaining
    var columns = RecordColumns()
    // A record takes six bytes at the least, so that no memory is taken for a count that the bytes cannot hold.
    let count = try reader.count(max: reader.remaining / 6)
    columns.times.reserveCapacity(count)
    columns.severities.reserveCapacity(count)
    columns.streams.reserveCapacity(count)
    columns.templates.reserveCapacity(count)
    columns.fieldSets.reserveCapacity(count)
    columns.variableStarts.reserveCapacity(count + 1)
    var time: Int64 = 0
    for _ in 0..<count {
      time = time &+ (try reader.signed())
      columns.times.append(time)
    }
    for _ in 0..<count {
      guard let severity = Severity(rawValue: try reader.byte()) else { throw reader.corrupt }
      columns.severities.append(severity)
    }
    for _ in 0..<count { columns.streams.append(try reader.number()) }
    for _ in 0..<count { columns.templates.append(try reader.number()) }
    for _ in 0..<count { columns.fieldSets.append(try reader.number()) }
    var variableCount = 0
    for _ in 0..<count {
      variableCount += try reader.count(max: reader.remaining)
      guard variableCount <= reader.remaining else { throw reader.corrupt }
      columns.variableStarts.append(UInt32(variableCount))
    }
    // Lengths first, offsets when all are known to fit.
    var offset = 0
    func span(_ reader: inout ByteReader) throws(BlockError) -> ByteSpan {
      let length = try reader.count(max: contentCount - offset)
      defer { offset += length }
      return ByteSpan(offset..<offset + length)
    }
    let setCount = try reader.count(max: reader.remaining)
    columns.fieldSetTable.reserveCapacity(setCount)
    for _ in 0..<setCount {
      let fieldCount = try reader.count(max: reader.remaining)
      var set: [FieldSpan] = []
      set.reserveCapacity(fieldCount)
      for _ in 0..<fieldCount {
        let name = try span(&reader)
        set.append(FieldSpan(name: name, value: try span(&reader)))
      }
      columns.fieldSetTable.append(set)
    }
    for set in columns.fieldSets where Int(set) >= setCount { throw reader.corrupt }
    columns.variables.reserveCapacity(variableCount)
    for _ in 0..<variableCount { columns.variables.append(try span(&reader)) }
    columns.bytes = try reader.array(offset)
    try reader.expectEnd()
    return columns
  }
}
