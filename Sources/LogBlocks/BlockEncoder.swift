internal import CKernels
package import Domain

// BLOCK LAYOUT, version 1. A block is a header (BlockSummary+Coding.swift) and named columns, each one frame
// (Compression.swift). Rows are in the order of (stream, time). Integers are varints, signed ones zigzag. n rows, t
// templates and s streams by the header.
//
//   key    content of the frame
//   time   byte e (0, 3, 6 or 9), signed base b, then n integers k (IntegerCodec): the times are b + k · 10^e, wrapping
//   sev    n severities (CodeCodec, limit 7)
//   str    n indexes into the header's streams (CodeCodec, limit s); absent if s is 1
//   tpl    n indexes into the header's templates (CodeCodec, limit t); absent if t is 1
//   vdir   for each template in the header's order: slot count; for each slot: byte of character classes, group, byte
//          count
//   v0…    variable groups of about 128 KiB: the slots' values (ColumnCodec.swift), one after another in the order of
//          vdir; a slot's values are those of its template's rows, in row order
//   words  token filter (TokenFilter.swift) of the words that touch a variable: 5 bytes and more with a digit; where they
//          are many, words0 … words15, one for each part
//   wlet   runs of letters in variables (LetterRuns.swift); absent where they are many, and in blocks of the first
//          release
//   shape  shape count h; for each: field count and for each an index into the header's fields; then n indexes into the
//          shapes (CodeCodec, limit h); absent if the header has no fields. A row's shape says which fields it has, in
//          which order.
//   f<i>   the values (ColumnCodec.swift) of the header's field i, of the rows that have it; absent if it is constant
//          or shared
//   w<i>   token filter of all words of field i; only where it is stored as a list, and only for a name's first
//          occurrence
//   hits   for each of the header's fields, in order, that is a dictionary of at most 256 values: their lengths
//          (IntegerCodec) and bytes, then for each how many rows have it; absent if there is none, and in blocks written
//          before this column was
//   tail   the newest 128 records once more, so that who asks for them reads nothing else: row numbers (IntegerCodec) in
//          the order of (time, row), the last first, then those records as in a segment's frame (SegmentCodec.swift);
//          absent from blocks of fewer than 256 rows, and from those written before this column was
//   rest   the values (ColumnCodec.swift) of shared fields, row by row in the order of each row's shape
//
// Valid: frames' checksums agree, every index lies in its table, and every column ends where its last value does.
// Anything else is `.corrupt`, never a guess.

package struct EncodedBlock: Sendable {
  package var summary: BlockSummary
  /// `summary` as stored, checksummed.
  package var header: [UInt8]
  /// Each checksummed by itself.
  package var columns: [(key: String, data: [UInt8])]
}

/// Records to blocks.
package struct BlockEncoder {
  /// 64 Ki: a row number fits 16 bits, and a search that keeps ten rows decodes at most so much of a column.
  package static let recordCountMax = 65_536
  /// Above this a stream's records are cut into a further block, even where they are few. Bounds what one decoded
  /// column holds.
  package static let rawByteCountMax = 16 << 20
  /// More names than this share one column, so that senders who put identifiers into names cost no column each.
  static let fieldColumnCountMax = 1000
  /// A constant longer than this is stored as a column: headers are read by every query.
  static let constantByteCountMax = 1024
  static let groupByteCount = 128 << 10
  /// A field of more values than this is stored without their counts: nobody is shown so many.
  static let countedValuesMax = 256

  /// All records of `sources` as blocks, in the order of (stream, time). A stream that fills a block has its own; thin
  /// ones share.
  ///
  /// - Parameter template: The text of a template number; every number in `sources` has one with as many slots as its
  ///   records have variables.
  /// - Throws: `.invalidRecords` or `.tooLarge`.
  /// - Complexity: About 2 µs a record.
  package static func encode(
    _ sources: [RecordColumns], recordCountMax: Int = recordCountMax, rawByteCountMax: Int = rawByteCountMax,
    template: (UInt32) -> Template?
  ) throws(BlockError) -> [EncodedBlock] {
    let records = try RecordColumns.joined(sources)
    var encoder = BlockEncoder(records)
    try encoder.lookUpTemplates(template)
    var blocks: [EncodedBlock] = []
    for rows in encoder.partition(
      recordCountMax: max(1, min(recordCountMax, BlockEncoder.recordCountMax)), rawByteCountMax: rawByteCountMax)
    {
      blocks.append(try encoder.encode(rows))
    }
    return blocks
  }

  // MARK: - State

  let records: RecordColumns
  var templates: [UInt32: TemplateWords] = [:]
  /// By row of `records`.
  var rawByteCounts: [Int] = []

  let compressor = Compressor()
  var values = ValueEncoder()
  var words = WordCollector()
  var columns: [(key: String, data: [UInt8])] = []

  private init(_ records: RecordColumns) { self.records = records }

  private mutating func lookUpTemplates(_ template: (UInt32) -> Template?) throws(BlockError) {
    var setByteCounts: [Int] = []
    setByteCounts.reserveCapacity(records.fieldSetTable.count)
    for set in records.fieldSetTable {
      setByteCounts.append(set.reduce(0) { $0 + Int($1.name.length) + Int($1.value.length) })
    }
    let numbers = NumberColumn(records.count) { records.templates[$0] }
    var known: [TemplateWords] = []
    known.reserveCapacity(numbers.counts.count)
    for entry in numbers.counts {
      guard let found = template(entry.number) else { throw .invalidRecords("template \(entry.number) is unknown") }
      let words = TemplateWords(found)
      known.append(words)
      templates[entry.number] = words
    }
    rawByteCounts.reserveCapacity(records.count)
    for row in 0..<records.count {
      let range = Int(records.variableStarts[row])..<Int(records.variableStarts[row + 1])
      let words = known[Int(numbers.codes[row])]
      guard range.count == words.slotCount else {
        throw .invalidRecords("a record of template \(records.templates[row]) has \(range.count) variables")
      }
      var byteCount = words.literalByteCount + setByteCounts[Int(records.fieldSets[row])]
      for index in range { byteCount += Int(records.variables[index].length) }
      rawByteCounts.append(byteCount)
    }
  }

  // MARK: - Which rows make a block

  /// Rows by (stream, time), cut where a block is full. Of equal (stream, time) the earlier row comes first.
  func partition(recordCountMax: Int, rawByteCountMax: Int) -> [ArraySlice<UInt32>] {
    let streams = NumberColumn(records.count) { records.streams[$0] }
    var groups = RowGroups(codes: streams.codes, groupCount: streams.counts.count)
    for stream in streams.counts.indices {
      let range = groups.range(of: stream)
      var isSorted = true
      for index in range.dropFirst()
      where records.times[Int(groups.rows[index])] < records.times[Int(groups.rows[index - 1])] {
        isSorted = false
        break
      }
      if !isSorted {
        groups.rows[range].sort {
          let left = records.times[Int($0)]
          let right = records.times[Int($1)]
          return left != right ? left < right : $0 < $1
        }
      }
    }
    var blocks: [ArraySlice<UInt32>] = []
    var start = 0
    func close(at end: Int) {
      if end > start { blocks.append(groups.rows[start..<end]) }
      start = end
    }
    var pendingByteCount = 0
    for stream in streams.counts.indices {
      let range = groups.range(of: stream)
      let byteCount = range.reduce(0) { $0 + rawByteCounts[Int(groups.rows[$1])] }
      let isBusy = range.count * 2 > recordCountMax || byteCount > rawByteCountMax / 2
      if isBusy || range.upperBound - start > recordCountMax || pendingByteCount + byteCount > rawByteCountMax {
        close(at: range.lowerBound)
        pendingByteCount = 0
      }
      guard isBusy else {
        pendingByteCount += byteCount
        continue
      }
      // Cut evenly: no small rest is left behind.
      let parts = max(
        (range.count + recordCountMax - 1) / recordCountMax, (byteCount + rawByteCountMax - 1) / max(1, rawByteCountMax)
      )
      let partCount = (range.count + parts - 1) / parts
      var partByteCount = 0
      for index in range {
        let next = rawByteCounts[Int(groups.rows[index])]
        if index - start >= partCount || (index > start && partByteCount + next > rawByteCountMax) {
          close(at: index)
          partByteCount = 0
        }
        partByteCount += next
      }
      close(at: range.upperBound)
    }
    close(at: groups.rows.count)
    return blocks
  }

  // MARK: - One block

  private mutating func encode(_ rows: ArraySlice<UInt32>) throws(BlockError) -> EncodedBlock {
    let rows = Array(rows)
    columns = []
    var summary = BlockSummary()
    summary.recordCount = rows.count
    summary.rawByteCount = rows.reduce(0) { $0 + rawByteCounts[Int($1)] }
    guard summary.rawByteCount <= Int(UInt32.max) else { throw .tooLarge }

    encodeTimes(rows, &summary)
    encodeSeverities(rows, &summary)
    let streams = NumberColumn(rows.count) { records.streams[Int(rows[$0])] }
    summary.streamCounts = streams.counts
    encodeCodes(streams.codes, limit: streams.counts.count, key: ColumnKey.streams)
    let templates = NumberColumn(rows.count) { records.templates[Int(rows[$0])] }
    summary.templateCounts = templates.counts
    encodeCodes(templates.codes, limit: templates.counts.count, key: ColumnKey.templates)
    encodeVariables(rows, templates)
    encodeFields(rows, &summary)
    try encodeTail(rows)

    summary.columns = columns.map { BlockSummary.ColumnSummary(key: $0.key, byteCount: $0.data.count) }
    return EncodedBlock(summary: summary, header: summary.encoded(compressor), columns: columns)
  }

  mutating func append(_ key: String, _ content: [UInt8]) { columns.append((key, compressor.seal(content))) }

  private mutating func encodeCodes(_ codes: [UInt32], limit: Int, key: String) {
    guard limit > 1 else { return }
    var content: [UInt8] = []
    codes.withUnsafeBufferPointer { CodeCodec.encode($0, limit: limit, into: &content) }
    append(key, content)
  }

  private mutating func encodeTimes(_ rows: [UInt32], _ summary: inout BlockSummary) {
    let times = rows.map { records.times[Int($0)] }
    let base = times[0]
    var low = base
    var high = base
    // The largest step of 1 ns, 1 µs, 1 ms or 1 s that all times share.
    var exponent = 9
    var scale: Int64 = 1_000_000_000
    for time in times {
      low = min(low, time)
      high = max(high, time)
      let (distance, overflow) = time.subtractingReportingOverflow(base)
      if overflow {
        exponent = 0
        scale = 1
      }
      while distance % scale != 0 {
        exponent -= 3
        scale /= 1000
      }
    }
    summary.minTime = Timestamp(nanoseconds: low)
    summary.maxTime = Timestamp(nanoseconds: high)
    let steps = scale == 1 ? times.map { $0 &- base } : times.map { ($0 - base) / scale }
    var content: [UInt8] = [UInt8(exponent)]
    content.appendSigned(base)
    steps.withUnsafeBufferPointer { IntegerCodec.encode($0, into: &content) }
    append(ColumnKey.times, content)

    var minutes: [Int64: Int] = [:]
    var lastMinute = Int64.min
    var last = 0
    var counts: [BlockSummary.MinuteCount] = []
    for (index, time) in times.enumerated() {
      let minute = Timestamp(nanoseconds: time).minute
      if minute != lastMinute {
        lastMinute = minute
        if let known = minutes[minute] {
          last = known
        } else {
          last = counts.count
          minutes[minute] = last
          counts.append(.init(minute: minute, counts: Array(repeating: 0, count: Severity.allCases.count)))
        }
      }
      counts[last].counts[Int(records.severities[Int(rows[index])].rawValue)] += 1
    }
    summary.minuteCounts = counts.sorted { $0.minute < $1.minute }
  }

  private mutating func encodeSeverities(_ rows: [UInt32], _ summary: inout BlockSummary) {
    var codes: [UInt32] = []
    codes.reserveCapacity(rows.count)
    for row in rows {
      let code = records.severities[Int(row)].rawValue
      summary.severityCounts[Int(code)] += 1
      codes.append(UInt32(code))
    }
    encodeCodes(codes, limit: Severity.allCases.count, key: ColumnKey.severities)
  }
}

/// The names of a block's columns.
enum ColumnKey {
  static let times = "time"
  static let severities = "sev"
  static let streams = "str"
  static let templates = "tpl"
  static let variableDirectory = "vdir"
  static let fieldCounts = "hits"
  static let tail = "tail"
  static let words = "words"
  static func words(part: Int) -> String { "words\(part)" }
  static let letters = "wlet"
  static let shapes = "shape"
  static let sharedFields = "rest"
  static func variableGroup(_ group: Int) -> String { "v\(group)" }
  static func variableGroupPlace(_ group: Int) -> String { "column \(variableGroup(group))" }
  static func field(_ index: Int) -> String { "f\(index)" }
  static func fieldWords(_ index: Int) -> String { "w\(index)" }
}
