import Domain
import LogBlocks
import Testing

@Suite struct RoundTripTests {
  /// All records of `builder` through blocks and back, in the order of the blocks.
  private func throughBlocks(
    _ sources: [RecordColumns], _ builder: RecordBuilder, recordCountMax: Int = BlockEncoder.recordCountMax
  ) throws -> [PlainRecord] {
    let blocks = try BlockEncoder.encode(sources, recordCountMax: recordCountMax, template: builder.lookUp)
    return try blocks.flatMap { block in
      let decoder = try block.decoder()
      #expect(decoder.summary == block.summary)
      return try decoder.columns(rows: nil).plain
    }
  }

  private func inBlockOrder(_ records: [PlainRecord]) -> [PlainRecord] {
    records.enumerated().sorted {
      ($0.element.stream, $0.element.time, $0.offset) < ($1.element.stream, $1.element.time, $1.offset)
    }.map(\.element)
  }

  @Test(arguments: 0..<60)
  func `any records come back from a block, by stream and time`(seed: UInt64) throws {
    let builder = ArbitraryRecords.make(seed: seed, count: [1, 3, 17, 130, 400][Int(seed) % 5])

    let decoded = try throughBlocks([builder.columns], builder)

    #expect(decoded == inBlockOrder(builder.columns.plain), "seed \(seed)")
  }

  @Test(arguments: 0..<40)
  func `any records come back from a segment, in order`(seed: UInt64) throws {
    let columns = ArbitraryRecords.make(seed: seed, count: [0, 1, 3, 17, 130][Int(seed) % 5]).columns

    let decoded = try SegmentCodec.decode(try SegmentCodec.encode(columns))

    #expect(decoded.plain == columns.plain, "seed \(seed)")
    #expect(decoded.fieldSets == columns.fieldSets, "seed \(seed)")
  }

  @Test(arguments: 0..<20)
  func `records of several sources are one block as if they had come together`(seed: UInt64) throws {
    let builder = ArbitraryRecords.make(seed: seed, count: 90)
    let whole = try HeadSource(builder.columns)
    let parts = try [0..<30, 30..<31, 31..<90].map { try whole.columns(rows: Array($0)) }

    let decoded = try throughBlocks(parts, builder)

    #expect(decoded == inBlockOrder(builder.columns.plain), "seed \(seed)")
  }

  @Test(arguments: 0..<20)
  func `a merge of blocks holds the records of both`(seed: UInt64) throws {
    let builder = ArbitraryRecords.make(seed: seed, count: 120)
    let head = try HeadSource(builder.columns)
    let halves = try [0..<60, 60..<120].map { range in
      try BlockEncoder.encode([head.columns(rows: Array(range))], template: builder.lookUp)[0]
    }

    let merged = try throughBlocks(halves.map { try $0.decoder().columns(rows: nil) }, builder)

    #expect(merged == inBlockOrder(builder.columns.plain), "seed \(seed)")
  }

  @Test(arguments: 0..<20)
  func `chosen rows come back in the order chosen`(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let builder = ArbitraryRecords.make(seed: seed, count: 100)
    let decoder = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0].decoder()
    let all = inBlockOrder(builder.columns.plain)
    let rows = (0..<30).map { _ in UInt32.random(in: 0..<100, using: &generator) }

    let columns = try decoder.columns(rows: rows)

    #expect(columns.plain == rows.map { all[Int($0)] }, "seed \(seed)")
    #expect(
      Set(columns.plain.map(\.fields)).count == columns.fieldSetTable.count, "field sets are distinct, seed \(seed)")
  }

  @Test func `a full block of rows that share nothing comes back`() throws {
    var builder = RecordBuilder()
    let template = builder.template("request <number> of <word> took <duration>")
    for row in 0..<BlockEncoder.recordCountMax {
      let set = builder.fieldSet([("request_id", "r\(row &* 7919 % 99991)-\(row)"), ("n", "\(row % 7)")])
      builder.append(
        time: Int64(row) * 1_000_000, stream: UInt32(row % 3), template: template,
        variables: [Array("\(row)".utf8), Array("u\(row % 900)".utf8), Array("\(row % 77)ms".utf8)], fieldSet: set)
    }

    let blocks = try BlockEncoder.encode([builder.columns], template: builder.lookUp)
    let decoded = try blocks[0].decoder().columns(rows: nil)

    #expect(blocks.count == 1)
    #expect(decoded.plain == inBlockOrder(builder.columns.plain))
  }

  @Test func `a message of a mebibyte comes back`() throws {
    var generator = SeededGenerator(9)
    var builder = RecordBuilder()
    let template = builder.template("<bytes>")
    let set = builder.fieldSet([("k", "v")])
    let large = (0..<1 << 20).map { _ in UInt8.random(in: 0...255, using: &generator) }
    builder.append(time: 1, template: template, variables: [large], fieldSet: set)
    builder.append(time: 2, template: template, variables: [[]], fieldSet: set)
    builder.append(time: 3, template: template, variables: [large.reversed()], fieldSet: set)

    let decoder = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0].decoder()
    var message: [UInt8] = []
    try decoder.appendMessage(ofRow: 0, template: builder.lookUp(template)!, to: &message)

    #expect(message == large)
    #expect(try decoder.columns(rows: nil).plain == builder.columns.plain)
    #expect(try SegmentCodec.decode(try SegmentCodec.encode(builder.columns)).plain == builder.columns.plain)
  }

  @Test func `names of fields by the thousand share a column`() throws {
    var builder = RecordBuilder()
    let template = builder.template("")
    for row in 0..<3000 {
      let set = builder.fieldSet([
        ("id-\(row)", "value \(row)"), ("all", "\(row)"), ("id-\(row)", "again"), ("id-0", "x"),
      ])
      builder.append(time: Int64(row), template: template, fieldSet: set)
    }

    let block = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0]
    let decoder = try block.decoder()

    #expect(block.columns.count < 2100)
    #expect(try decoder.columns(rows: nil).plain == builder.columns.plain)
    #expect(
      try decoder.field(Array("id-2999".utf8)).withValue(atRow: 2999) { $0.map(Array.init) } == Array("value 2999".utf8)
    )
    #expect(try decoder.field(Array("id-2999".utf8)).withValue(atRow: 2998) { $0 == nil })
    #expect(try decoder.fields(ofRow: 1234) == builder.columns.plain[1234].fields)
  }

  @Test func `a busy stream has a block of its own and thin ones share`() throws {
    var builder = RecordBuilder()
    let template = builder.template("tick")
    let set = builder.fieldSet([])
    for row in 0..<1000 { builder.append(time: Int64(row), stream: 7, template: template, fieldSet: set) }
    for row in 0..<90 {
      builder.append(time: Int64(row), stream: UInt32(row % 30) * 2, template: template, fieldSet: set)
    }

    let blocks = try BlockEncoder.encode([builder.columns], recordCountMax: 400, template: builder.lookUp)

    #expect(blocks.map { $0.summary.streamCounts.map(\.number) == [7] }.filter { $0 }.count == 3)
    #expect(blocks.allSatisfy { $0.summary.recordCount <= 400 })
    #expect(blocks.reduce(0) { $0 + $1.summary.recordCount } == 1090)
  }

  @Test func `blocks end where their bytes reach the bound`() throws {
    var builder = RecordBuilder()
    let template = builder.template("<text>")
    let set = builder.fieldSet([])
    for row in 0..<100 {
      builder.append(
        time: Int64(row), stream: UInt32(row / 50), template: template, variables: [Array(repeating: 65, count: 1000)],
        fieldSet: set)
    }

    let blocks = try BlockEncoder.encode([builder.columns], rawByteCountMax: 10_000, template: builder.lookUp)

    #expect(blocks.allSatisfy { $0.summary.rawByteCount <= 10_000 })
    #expect(blocks.reduce(0) { $0 + $1.summary.recordCount } == 100)
  }

  @Test func `no records are no block, and an empty segment`() throws {
    #expect(try BlockEncoder.encode([], template: { _ in nil }).isEmpty)
    #expect(try BlockEncoder.encode([RecordColumns()], template: { _ in nil }).isEmpty)
    #expect(try SegmentCodec.decode(try SegmentCodec.encode(RecordColumns())).count == 0)
  }
}
