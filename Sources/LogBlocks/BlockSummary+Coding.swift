internal import Domain

// HEADER LAYOUT, version 1
//   4 bytes  magic "TLBK"
//   2 bytes  version, little-endian
//   rest     one frame (Compression.swift) whose content is, all integers varints, signed ones zigzag:
//            record count n, 1...65,536
//            signed first time; last time less first, wrapping
//            raw byte count
//            7 severity counts
//            minute count; for each: signed distance from the minute before (from 0 at first), 7 counts
//            template count; for each, ascending: number less the one before, count
//            stream count; the same
//            field count; for each: name length, name, occurrence, present count, storage byte, and by storage
//              0 constant: value length, value; 1 dictionary: distinct count; 2 list, 3 shared: nothing
//            column count; for each: key length, key, byte count
// Valid: magic, version, checksum, lengths, ascending order and sums agree. Anything else is `.corrupt`, never a guess.

extension BlockSummary {
  static let magic: [UInt8] = Array("TLBK".utf8)
  static let version = 1

  func encoded(_ compressor: Compressor) -> [UInt8] {
    var content: [UInt8] = []
    content.appendVarint(recordCount)
    content.appendSigned(minTime.nanoseconds)
    content.appendVarint(UInt64(bitPattern: maxTime.nanoseconds &- minTime.nanoseconds))
    content.appendVarint(rawByteCount)
    for count in severityCounts { content.appendVarint(count) }
    content.appendVarint(minuteCounts.count)
    var minute: Int64 = 0
    for entry in minuteCounts {
      content.appendSigned(entry.minute - minute)
      minute = entry.minute
      for count in entry.counts { content.appendVarint(count) }
    }
    for counts in [templateCounts, streamCounts] {
      content.appendVarint(counts.count)
      var number: UInt32 = 0
      for entry in counts {
        content.appendVarint(entry.number - number)
        number = entry.number
        content.appendVarint(entry.count)
      }
    }
    content.appendVarint(fields.count)
    for field in fields {
      content.appendVarint(field.name.count)
      content.append(contentsOf: field.name)
      content.appendVarint(field.occurrence)
      content.appendVarint(field.presentCount)
      switch field.storage {
      case .constant(let value):
        content.append(0)
        content.appendVarint(value.count)
        content.append(contentsOf: value)
      case .dictionary(let distinctCount):
        content.append(1)
        content.appendVarint(distinctCount)
      case .list: content.append(2)
      case .shared: content.append(3)
      }
    }
    content.appendVarint(columns.count)
    for column in columns {
      content.appendVarint(column.key.utf8.count)
      content.append(contentsOf: column.key.utf8)
      content.appendVarint(column.byteCount)
    }
    var header = BlockSummary.magic
    header.append(UInt8(BlockSummary.version))
    header.append(0)
    return header + compressor.seal(content)
  }

  /// - Throws: `.corrupt` or `.unsupportedVersion`.
  package init(decoding header: [UInt8]) throws(BlockError) {
    let place = "block header"
    guard header.count > 6, Array(header[..<4]) == BlockSummary.magic else { throw .corrupt(place: place) }
    let version = Int(header[4]) | Int(header[5]) << 8
    guard version == BlockSummary.version else { throw .unsupportedVersion(version) }
    let content = try Decompressor().open(Array(header[6...]), place: place)
    self = try content.read(place) { (reader) throws(BlockError) in try BlockSummary(from: &reader) }
  }

  init(from reader: inout ByteReader) throws(BlockError) {
    self.init()
    recordCount = try reader.count(max: BlockEncoder.recordCountMax)
    guard recordCount > 0 else { throw reader.corrupt }
    minTime = Timestamp(nanoseconds: try reader.signed())
    maxTime = Timestamp(nanoseconds: minTime.nanoseconds &+ Int64(bitPattern: try reader.varint()))
    guard minTime <= maxTime else { throw reader.corrupt }
    rawByteCount = try reader.count(max: Int(UInt32.max))
    severityCounts = try BlockSummary.severityCounts(sum: recordCount, from: &reader)

    var left = recordCount
    var minute: Int64 = 0
    for index in 0..<(try reader.count(max: recordCount)) {
      let next = minute.addingReportingOverflow(try reader.signed())
      guard !next.overflow, index == 0 || next.partialValue > minute else { throw reader.corrupt }
      minute = next.partialValue
      let counts = try BlockSummary.severityCounts(sum: nil, from: &reader)
      let total = counts.reduce(0) { $0 + Int($1) }
      guard total > 0, total <= left else { throw reader.corrupt }
      left -= total
      minuteCounts.append(MinuteCount(minute: minute, counts: counts))
    }
    guard left == 0 else { throw reader.corrupt }

    templateCounts = try BlockSummary.numberCounts(sum: recordCount, from: &reader)
    streamCounts = try BlockSummary.numberCounts(sum: recordCount, from: &reader)

    for _ in 0..<(try reader.count(max: reader.remaining)) {
      let name = try reader.array(try reader.count(max: reader.remaining))
      let occurrence = try reader.count(max: Int(UInt32.max))
      let presentCount = try reader.count(max: recordCount)
      let storage: FieldSummary.Storage
      switch try reader.byte() {
      case 0:
        guard presentCount == recordCount else { throw reader.corrupt }
        storage = .constant(try reader.array(try reader.count(max: reader.remaining)))
      case 1: storage = .dictionary(distinctCount: try reader.count(max: presentCount))
      case 2: storage = .list
      case 3: storage = .shared
      default: throw reader.corrupt
      }
      fields.append(FieldSummary(name: name, occurrence: occurrence, storage: storage, presentCount: presentCount))
    }
    for _ in 0..<(try reader.count(max: reader.remaining)) {
      let key = try reader.array(try reader.count(max: reader.remaining))
      columns.append(
        ColumnSummary(key: String(decoding: key, as: UTF8.self), byteCount: try reader.count(max: Int(UInt32.max))))
    }
    try reader.expectEnd()
  }

  private static func severityCounts(sum: Int?, from reader: inout ByteReader) throws(BlockError) -> [UInt32] {
    var counts: [UInt32] = []
    var total = 0
    for _ in Severity.allCases {
      let count = try reader.count(max: BlockEncoder.recordCountMax)
      counts.append(UInt32(count))
      total += count
    }
    guard sum == nil || sum == total else { throw reader.corrupt }
    return counts
  }

  private static func numberCounts(sum: Int, from reader: inout ByteReader) throws(BlockError) -> [NumberCount] {
    var result: [NumberCount] = []
    var number: UInt64 = 0
    var left = sum
    for index in 0..<(try reader.count(max: sum)) {
      let step = UInt64(try reader.number())
      guard index == 0 || step > 0, number + step <= UInt64(UInt32.max) else { throw reader.corrupt }
      number += step
      let count = try reader.count(max: left)
      guard count > 0 else { throw reader.corrupt }
      left -= count
      result.append(NumberCount(number: UInt32(number), count: UInt32(count)))
    }
    guard left == 0 else { throw reader.corrupt }
    return result
  }
}
