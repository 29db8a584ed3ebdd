import Domain
import Testing

@testable import LogBlocks

@Suite struct DamageTests {
  /// What a decoder offers for few rows; throws at the first thing that is wrong.
  private func readSome(_ decoder: BlockDecoder, _ builder: RecordBuilder) throws {
    _ = try decoder.latestRows(limit: 5, newestFirst: true, within: nil)
    for row in Set([0, decoder.count / 2, decoder.count - 1]) {
      var message: [UInt8] = []
      if let template = builder.lookUp(try decoder.template(ofRow: row)) {
        try decoder.appendMessage(ofRow: row, template: template, to: &message)
      }
      _ = try decoder.fields(ofRow: row)
      _ = try decoder.severity(ofRow: row)
      _ = try decoder.stream(ofRow: row)
    }
    for latest in try decoder.latestRows(limit: 5, newestFirst: true, within: nil) {
      var message: [UInt8] = []
      if let template = builder.lookUp(try decoder.template(ofRow: latest.row)) {
        try decoder.appendMessage(ofRow: latest.row, template: template, to: &message)
      }
      _ = try decoder.fields(ofRow: latest.row)
      for name in decoder.fieldNames { _ = try decoder.fieldValue(name, ofRow: latest.row) }
    }
    for entry in decoder.templateCounts {
      for slot in 0..<min(20, try decoder.slotCount(ofTemplate: entry.number)) {
        _ = try decoder.slotMayContain(Array("1a".utf8), ignoringCase: true, ofTemplate: entry.number, slot: slot)
      }
      guard let template = builder.lookUp(entry.number) else { continue }
      try decoder.forEachMessage(ofTemplate: entry.number, template: template) { _, message in !message.isEmpty }
      try decoder.forEachPieces(ofTemplate: entry.number, template: template, within: nil) { _, _ in true }
    }
    for name in decoder.fieldNames {
      let rows = try decoder.rows(whereField: name) { ($0?.count ?? 0) % 2 == 0 }
      _ = try decoder.fieldValueCounts(name, within: rows)
    }
  }

  /// Everything a decoder offers; throws at the first thing that is wrong.
  private func readAll(_ decoder: BlockDecoder, _ builder: RecordBuilder) throws {
    _ = try decoder.columns(rows: nil)
    for name in decoder.fieldNames {
      _ = try decoder.field(name)
      _ = try decoder.field(name, mayContain: Array("word1".utf8))
    }
    try decoder.verifyCopies()
    _ = try decoder.variablesMayContain(word: Array("word1".utf8))
    for row in 0..<min(decoder.count, 20) {
      var message: [UInt8] = []
      let number = try decoder.templates()[row]
      if let template = builder.lookUp(number) {
        try decoder.appendMessage(ofRow: row, template: template, to: &message)
      }
      _ = try decoder.fields(ofRow: row)
    }
  }

  private func damaged(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
    case 1: bytes += [UInt8.random(in: 0...255, using: &generator)]
    case 2 where !bytes.isEmpty:
      bytes[Int.random(in: 0..<bytes.count, using: &generator)] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(
        using: &generator)!
    case 3 where !bytes.isEmpty: bytes.remove(at: Int.random(in: 0..<bytes.count, using: &generator))
    default:
      if !bytes.isEmpty {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
    }
    return bytes
  }

  @Test func `every flipped bit of a segment is noticed`() throws {
    let segment = try SegmentCodec.encode(ArbitraryRecords.make(seed: 5, count: 6).columns)
    for index in segment.indices {
      for bit in 0..<8 {
        var flipped = segment
        flipped[index] ^= 1 << UInt8(bit)
        #expect(throws: BlockError.self) { try SegmentCodec.decode(flipped) }
      }
      #expect(throws: BlockError.self) { try SegmentCodec.decode(Array(segment[..<index])) }
    }
  }

  @Test func `every flipped bit of a header is noticed`() throws {
    let builder = ArbitraryRecords.make(seed: 6, count: 6)
    let header = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0].header
    for index in header.indices {
      for bit in 0..<8 {
        var flipped = header
        flipped[index] ^= 1 << UInt8(bit)
        #expect(throws: BlockError.self) { try BlockSummary(decoding: flipped) }
      }
      #expect(throws: BlockError.self) { try BlockSummary(decoding: Array(header[..<index])) }
    }
  }

  @Test func `a flipped byte of a column is noticed by whoever reads it`() throws {
    let builder = ArbitraryRecords.make(seed: 7, count: 260)
    let block = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0]
    for column in block.columns.indices {
      for index in stride(from: column % 31, to: block.columns[column].data.count, by: 31) {
        var flipped = block
        flipped.columns[column].data[index] ^= 0x10
        #expect(throws: BlockError.self) { try readAll(flipped.decoder(), builder) }
      }
    }
  }

  @Test(arguments: 0..<60)
  func `contents that pass the checksum but are nonsense throw and never trap`(seed: UInt64) throws {
    var generator = SeededGenerator(seed &+ 1000)
    let builder = ArbitraryRecords.make(seed: seed, count: [1, 9, 60, 300][Int(seed) % 4])
    let block = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0]
    let compressor = Compressor()
    let decompressor = Decompressor()
    for _ in 0..<25 {
      var broken = block
      let column = Int.random(in: 0..<broken.columns.count, using: &generator)
      let content = try decompressor.open(broken.columns[column].data, place: "")
      broken.columns[column].data = compressor.seal(damaged(content, &generator))
      do {
        try readSome(broken.decoder(), builder)
      } catch is BlockError {}
      do {
        try readAll(broken.decoder(), builder)
      } catch is BlockError {}
    }
  }

  @Test(arguments: 0..<40)
  func `headers that pass the checksum but are nonsense throw and never trap`(seed: UInt64) throws {
    var generator = SeededGenerator(seed &+ 2000)
    let builder = ArbitraryRecords.make(seed: seed, count: 50)
    let block = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0]
    let content = try Decompressor().open(Array(block.header[6...]), place: "")
    let compressor = Compressor()
    for _ in 0..<40 {
      var broken = block
      broken.header = Array(block.header[..<6]) + compressor.seal(damaged(content, &generator))
      do {
        try readSome(broken.decoder(), builder)
      } catch is BlockError {}
      do {
        try readAll(broken.decoder(), builder)
      } catch is BlockError {}
    }
  }

  @Test(arguments: 0..<40)
  func `segments that pass the checksum but are nonsense throw or are whole`(seed: UInt64) throws {
    var generator = SeededGenerator(seed &+ 3000)
    let segment = try SegmentCodec.encode(ArbitraryRecords.make(seed: seed, count: 30).columns)
    let content = try Decompressor().open(Array(segment[6...]), place: "")
    for _ in 0..<100 {
      do {
        let columns = try SegmentCodec.decodeContent(damaged(content, &generator), place: "segment")
        try columns.validate()
      } catch {
        #expect(error == .corrupt(place: "segment"))
      }
    }
  }

  @Test(arguments: 0..<40)
  func `random bytes are no segment, header or frame`(seed: UInt64) throws {
    var generator = SeededGenerator(seed &+ 4000)
    for count in 0..<60 {
      let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      #expect(throws: BlockError.self) { try SegmentCodec.decode(Array("TLSG".utf8) + [1, 0] + noise) }
      #expect(throws: BlockError.self) { try BlockSummary(decoding: Array("TLBK".utf8) + [1, 0] + noise) }
      for kind in 0..<12 as Range<UInt8> {
        for flag in [0, 0x80] as [UInt8] {
          let content = [kind | flag] + noise
          do {
            _ = try content.read("noise") { (reader) throws(BlockError) in
              try ColumnCodec.decodeStored(
                count: 40, byteCountMax: 1 << 16, times: Array(0..<40), in: WorkingMemory(), from: &reader)
            }
          } catch {
            #expect(error == .corrupt(place: "noise"))
          }
        }
      }
    }
  }

  @Test func `a newer version is told from damage`() throws {
    var segment = try SegmentCodec.encode(RecordColumns())
    segment[4] = 9

    #expect(throws: BlockError.unsupportedVersion(9)) { try SegmentCodec.decode(segment) }
  }

  @Test func `columns that do not fit each other are refused`() throws {
    var builder = RecordBuilder()
    let template = builder.template("x <number>")
    builder.append(time: 1, template: template, variables: [[49]], fieldSet: builder.fieldSet([]))
    var outside = builder.columns
    outside.variables[0] = ByteSpan(offset: .max, length: .max)
    var short = builder.columns
    short.severities = []
    var descending = builder.columns
    descending.variableStarts = [1, 1]
    var unknownSet = builder.columns
    unknownSet.fieldSets = [4]

    for columns in [outside, short, descending, unknownSet] {
      #expect(throws: BlockError.self) { try SegmentCodec.encode(columns) }
      #expect(throws: BlockError.self) { try HeadSource(columns) }
      #expect(throws: BlockError.self) { try BlockEncoder.encode([columns], template: builder.lookUp) }
    }
    #expect(throws: BlockError.self) { try BlockEncoder.encode([builder.columns], template: { _ in nil }) }
    #expect(throws: BlockError.self) {
      try BlockEncoder.encode([builder.columns], template: { _ in Template(text: Array("no slot".utf8)) })
    }
  }
}
