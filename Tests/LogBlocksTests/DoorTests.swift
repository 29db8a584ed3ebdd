import CKernels
import Domain
import Testing

@testable import LogBlocks

/// What a source answers without its whole columns is what its whole columns say.
@Suite struct DoorTests {
  private func sources(
    seed: UInt64, count: Int = 150
  ) throws -> (encoded: EncodedBlock, all: RecordColumns, head: HeadSource, builder: RecordBuilder) {
    let builder = ArbitraryRecords.make(seed: seed, count: count)
    let encoded = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0]
    let all = try encoded.decoder().columns(rows: nil)
    return (encoded, all, try HeadSource(all), builder)
  }

  private func randomRows(_ count: Int, _ generator: inout SeededGenerator) -> RowBits {
    let share = Int.random(in: 0...4, using: &generator)
    return RowBits(rowCount: count) { _ in Int.random(in: 0..<4, using: &generator) < share }
  }

  private func message(_ row: Int, _ all: RecordColumns, _ builder: RecordBuilder) -> [UInt8] {
    let literals = builder.lookUp(all.templates[row])!.literals
    var message = literals[0]
    for (slot, index) in (all.variableStarts[row]..<all.variableStarts[row + 1]).enumerated() {
      message += all.bytes[all.variables[Int(index)].range] + literals[slot + 1]
    }
    return message
  }

  @Test func `a span of ours lies in memory as the kernels' does`() {
    let span = ByteSpan(offset: 1, length: 2)

    #expect(MemoryLayout<ByteSpan>.stride == MemoryLayout<tl_span>.stride)
    #expect(unsafeBitCast(span, to: tl_span.self).offset == 1)
    #expect(unsafeBitCast(span, to: tl_span.self).length == 2)
  }

  @Test(arguments: 0..<30)
  func `one row is read as all rows are`(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let (encoded, all, head, builder) = try sources(seed: seed, count: [150, 700][Int(seed % 2)])
    let plain = all.plain
    // A new decoder for few rows, so that none of them finds a whole column.
    for _ in 0..<12 {
      let block = try encoded.decoder()
      for _ in 0..<3 {
        let row = Int.random(in: 0..<plain.count, using: &generator)
        let expected = message(row, all, builder)
        for source in [block, head] as [any RecordSource] {
          var text: [UInt8] = []
          try source.appendMessage(ofRow: row, template: builder.lookUp(plain[row].template)!, to: &text)
          #expect(text == expected, "seed \(seed) row \(row)")
          #expect(try source.time(ofRow: row) == plain[row].time)
          #expect(try source.severity(ofRow: row) == plain[row].severity)
          #expect(try source.stream(ofRow: row) == plain[row].stream)
          #expect(try source.template(ofRow: row) == plain[row].template)
          #expect(try source.fields(ofRow: row) == plain[row].fields)
          for name in source.fieldNames {
            let value = plain[row].fields.first { $0.name == name }?.value
            #expect(try source.fieldValue(name, ofRow: row) == value, "seed \(seed) row \(row)")
          }
        }
      }
    }
  }

  @Test(arguments: 0..<30)
  func `rows by value, and values by rows`(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let (encoded, all, head, _) = try sources(seed: seed, count: [1, 63, 64, 150, 300][Int(seed % 5)])
    let plain = all.plain
    for source in [try encoded.decoder(), head] as [any RecordSource] {
      for name in source.fieldNames + [[1, 2, 3]] {
        let values = plain.map { record in record.fields.first { $0.name == name }?.value }
        let sought = values.randomElement(using: &generator)!
        let found = try source.rows(whereField: name) { $0.map(Array.init) == sought }
        #expect(found == RowBits(rowCount: plain.count) { values[$0] == sought }, "seed \(seed)")
        for chosen in [nil, randomRows(plain.count, &generator)] {
          guard let counts = try source.fieldValueCounts(name, within: chosen) else { continue }
          var byValue: [[UInt8]?: Int] = [:]
          for row in plain.indices where chosen?.containsRow(row) ?? true { byValue[values[row], default: 0] += 1 }
          #expect(counts.absentCount == byValue[nil, default: 0], "seed \(seed)")
          byValue[nil] = nil
          for index in 0..<counts.values.count {
            #expect(counts.counts[index] == byValue.removeValue(forKey: counts.values[index]) ?? 0, "seed \(seed)")
          }
          #expect(byValue.isEmpty, "seed \(seed)")
        }
      }
      #expect(
        try source.rows { $0 >= .error } == RowBits(rowCount: plain.count) { plain[$0].severity >= .error })
      let stream = plain.randomElement(using: &generator)!.stream
      let template = plain.randomElement(using: &generator)!.template
      #expect(
        try source.rows(whereStream: { $0 == stream }) == RowBits(rowCount: plain.count) { plain[$0].stream == stream })
      #expect(
        try source.rows(whereTemplate: { $0 == template })
          == RowBits(rowCount: plain.count) { plain[$0].template == template })
      for chosen in [nil, randomRows(plain.count, &generator)] {
        let counts = try source.severityCounts(within: chosen)
        for severity in Severity.allCases {
          let expected = plain.indices.count {
            plain[$0].severity == severity && chosen?.containsRow($0) ?? true
          }
          #expect(counts[Int(severity.rawValue)] == expected)
        }
      }
    }
  }

  @Test(arguments: 0..<30)
  func `the rows whose turn comes first`(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let (encoded, all, head, _) = try sources(seed: seed, count: [1, 150, 400][Int(seed % 3)])
    for source in [try encoded.decoder(), head] as [any RecordSource] {
      for newestFirst in [true, false] {
        for chosen in [nil, randomRows(all.count, &generator)] {
          let expected = (0..<all.count).filter { chosen?.containsRow($0) ?? true }.sorted { left, right in
            let (a, b) = newestFirst ? (right, left) : (left, right)
            return all.times[a] != all.times[b] ? all.times[a] < all.times[b] : a < b
          }
          for limit in [0, 1, 7, 100, 1000] {
            let latest = try source.latestRows(limit: limit, newestFirst: newestFirst, within: chosen)
            #expect(latest.map(\.row) == Array(expected.prefix(limit)), "seed \(seed)")
            #expect(latest.allSatisfy { all.times[$0.row] == $0.time })
          }
        }
      }
    }
  }

  @Test(arguments: 0..<20)
  func `the newest rows are read alone, and are what the block holds`(seed: UInt64) throws {
    let (encoded, all, _, builder) = try sources(seed: seed, count: [255, 256, 300, 700][Int(seed % 4)])
    let plain = all.plain
    let columns = Dictionary(uniqueKeysWithValues: encoded.columns.map { ($0.key, $0.data) })
    var read: [String] = []
    let block = BlockDecoder(summary: encoded.summary) { key in
      read.append(key)
      return columns[key]!
    }

    let latest = try block.latestRows(limit: 128, newestFirst: true, within: nil)
    for turn in latest {
      var text: [UInt8] = []
      try block.appendMessage(ofRow: turn.row, template: builder.lookUp(plain[turn.row].template)!, to: &text)
      #expect(text == message(turn.row, all, builder), "seed \(seed)")
      #expect(try block.time(ofRow: turn.row) == plain[turn.row].time)
      #expect(try block.severity(ofRow: turn.row) == plain[turn.row].severity)
      #expect(try block.stream(ofRow: turn.row) == plain[turn.row].stream)
      #expect(try block.template(ofRow: turn.row) == plain[turn.row].template)
      #expect(try block.fields(ofRow: turn.row) == plain[turn.row].fields)
    }

    let expected = (0..<all.count).sorted { all.times[$0] != all.times[$1] ? all.times[$0] > all.times[$1] : $0 > $1 }
    #expect(latest.map(\.row) == Array(expected.prefix(128)), "seed \(seed)")
    if all.count >= 256 { #expect(read == ["tail"]) }
    try block.verifyCopies()
  }

  @Test func `a copy that says something else is noticed`() throws {
    let (encoded, _, _, _) = try sources(seed: 3, count: 300)
    let (other, _, _, _) = try sources(seed: 4, count: 300)
    let place = try #require(encoded.columns.firstIndex { $0.key == ColumnKey.tail })
    var forged = encoded
    forged.columns[place].data = try #require(other.columns.first { $0.key == ColumnKey.tail }).data

    #expect(throws: BlockError.corrupt(place: "column tail")) { try forged.decoder().verifyCopies() }
  }

  @Test(arguments: 0..<30)
  func `messages come whole or in pieces, only of the rows asked for`(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let (encoded, all, head, builder) = try sources(seed: seed)
    let chosen = randomRows(all.count, &generator)
    for source in [try encoded.decoder(), head] as [any RecordSource] {
      var rows = RowBits(rowCount: all.count, all: false)
      var rowsInPieces = rows
      for entry in source.templateCounts {
        let template = builder.lookUp(entry.number)!
        try source.forEachMessage(ofTemplate: entry.number, template: template, within: chosen) { row, message in
          #expect(Array(message) == self.message(row, all, builder), "seed \(seed)")
          rows.insertRow(row)
          return true
        }
        var literal: UnsafePointer<UInt8>?
        try source.forEachPieces(ofTemplate: entry.number, template: template, within: chosen) { row, pieces in
          #expect(pieces.count == template.slots.count * 2 + 1)
          #expect(pieces.flatMap { Array($0) } == self.message(row, all, builder), "seed \(seed)")
          if let literal { #expect(literal == pieces[0].baseAddress) }
          literal = pieces[0].baseAddress
          rowsInPieces.insertRow(row)
          return true
        }
      }
      #expect(rows == chosen, "seed \(seed)")
      #expect(rowsInPieces == chosen, "seed \(seed)")
    }
  }

  @Test(arguments: 0..<40)
  func `no part of a value is ruled out, in either case`(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let (encoded, all, head, builder) = try sources(seed: seed)
    let block = try encoded.decoder()
    func lower(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }
    for row in 0..<all.count {
      let slots = builder.lookUp(all.templates[row])!.slots.count
      for slot in 0..<slots {
        let value = Array(all.bytes[all.variables[Int(all.variableStarts[row]) + slot].range])
        let start = Int.random(in: 0...value.count, using: &generator)
        let part = Array(value[start..<Int.random(in: start...value.count, using: &generator)])
        for source in [block, head] as [any RecordSource] {
          // The head looks at every value: fewer literals are enough.
          for whole in source === block ? [part, value] : row % 10 == 0 ? [part] : [] {
            let template = all.templates[row]
            let isRuledOut =
              try !source.slotMayContain(whole, ignoringCase: false, ofTemplate: template, slot: slot)
              || !source.slotMayContain(whole.map(lower), ignoringCase: true, ofTemplate: template, slot: slot)
            #expect(!isRuledOut, "seed \(seed) \(String(decoding: whole, as: UTF8.self))")
          }
        }
      }
    }
  }

  @Test func `what no value holds is ruled out`() throws {
    var builder = RecordBuilder()
    let template = builder.template("<word> <number> <hex> <word> <word>")
    let set = builder.fieldSet([])
    for row in 0..<300 {
      builder.append(
        time: Int64(row), template: template,
        variables: [
          "Pod-\(row * 7919 % 1000)x", "\(row * 31)", "\(String(row * 7_777_777 + 0xAB0000, radix: 16))",
          ["GET", "POST"][row % 2], "blk_\(row * 77)_end",
        ].map { Array($0.utf8) }, fieldSet: set)
    }
    let block = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0].decoder()
    func mayContain(_ literal: String, _ slot: Int, ignoringCase: Bool = false) throws -> Bool {
      try block.slotMayContain(
        Array(literal.utf8), ignoringCase: ignoringCase, ofTemplate: template, slot: slot)
    }

    #expect(try mayContain("od-7", 0))
    #expect(try mayContain("pod-7", 0, ignoringCase: true))
    #expect(try !mayContain("pod-7", 0))
    #expect(try !mayContain("doP", 0))
    #expect(try !mayContain("od-7a", 0))
    #expect(try !mayContain("7a", 1))
    #expect(try mayContain("31", 1))
    #expect(try mayContain("ab00", 2))
    #expect(try !mayContain("fffffffff", 2))
    #expect(try mayContain("os", 3, ignoringCase: true))
    #expect(try !mayContain("PUT", 3))
    #expect(try mayContain("k_77", 4))
    #expect(try mayContain("7_en", 4))
    #expect(try !mayContain("k_x", 4))
    #expect(try !mayContain("end_", 4))
    #expect(try !mayContain("x", 9))
  }

  @Test(arguments: 0..<20)
  func `rows of a slot whose value passes`(seed: UInt64) throws {
    let (encoded, all, head, builder) = try sources(seed: seed)
    for source in [try encoded.decoder(), head] as [any RecordSource] {
      for entry in source.templateCounts {
        for slot in 0..<builder.lookUp(entry.number)!.slots.count {
          var rows: [Int] = []
          try source.forEachRow(ofTemplate: entry.number, slot: slot) {
            $0.count % 2 == 1
          } _: {
            rows.append($0)
          }
          let expected = (0..<all.count).filter {
            all.templates[$0] == entry.number
              && all.variables[Int(all.variableStarts[$0]) + slot].length % 2 == 1
          }
          #expect(rows == expected, "seed \(seed)")
        }
      }
    }
  }

  @Test(arguments: 0..<10)
  func `a block written without counts of values still counts them`(seed: UInt64) throws {
    let (encoded, _, _, _) = try sources(seed: seed)
    var older = encoded
    older.columns.removeAll { $0.key == ColumnKey.fieldCounts }
    older.summary.columns.removeAll { $0.key == ColumnKey.fieldCounts }
    older.header = older.summary.encoded(Compressor())
    let block = try encoded.decoder()
    let olderBlock = try older.decoder()
    for name in block.fieldNames {
      guard let counts = try block.fieldValueCounts(name, within: nil) else { continue }
      let others = try #require(try olderBlock.fieldValueCounts(name, within: nil))
      #expect(counts.counts == others.counts)
      #expect(
        (0..<counts.values.count).map { counts.values[$0] } == (0..<others.values.count).map { others.values[$0] })
      #expect(counts.absentCount == others.absentCount)
    }
  }
}
