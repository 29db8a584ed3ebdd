import Domain
import LogBlocks
import Testing

@Suite struct SourceTests {
  /// The same records as a block and as the head holds them, in the block's order.
  private func bothSources(seed: UInt64, count: Int = 150) throws -> (
    block: BlockDecoder, head: HeadSource, RecordBuilder
  ) {
    let builder = ArbitraryRecords.make(seed: seed, count: count)
    let block = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0].decoder()
    return (block, try HeadSource(block.columns(rows: nil)), builder)
  }

  @Test(arguments: 0..<30)
  func `head and block answer alike`(seed: UInt64) throws {
    let (block, head, builder) = try bothSources(seed: seed)

    #expect(try block.times() == head.times())
    #expect(try block.severities() == head.severities())
    #expect(try block.streams() == head.streams())
    #expect(try block.templates() == head.templates())
    #expect(block.templateCounts == head.templateCounts)
    #expect(block.streamCounts == head.streamCounts)
    #expect(Set(block.fieldNames) == Set(head.fieldNames))
    for name in block.fieldNames + [Array("no such".utf8)] {
      let left = try block.field(name)
      let right = head.field(name)
      for row in 0..<block.count {
        let value = left.withValue(atRow: row) { $0.map(Array.init) }
        #expect(value == right.withValue(atRow: row) { $0.map(Array.init) }, "seed \(seed)")
        #expect(value == head.fields(ofRow: row).first { $0.name == name }?.value, "seed \(seed)")
      }
    }
    for entry in block.templateCounts {
      #expect(try block.rows(ofTemplate: entry.number) == head.rows(ofTemplate: entry.number))
      #expect(try block.slotCount(ofTemplate: entry.number) == head.slotCount(ofTemplate: entry.number))
      for slot in 0..<head.slotCount(ofTemplate: entry.number) {
        let left = try block.variables(ofTemplate: entry.number, slot: slot)
        let right = head.variables(ofTemplate: entry.number, slot: slot)
        #expect(left.count == right.count)
        for index in 0..<right.count {
          #expect(left.withValue(at: index, Array.init) == right.withValue(at: index, Array.init), "seed \(seed)")
        }
        let classes = try block.characterClasses(ofTemplate: entry.number, slot: slot)
        #expect(classes == head.characterClasses(ofTemplate: entry.number, slot: slot))
      }
    }
    for row in 0..<block.count {
      let template = builder.lookUp(try block.templates()[row])!
      var left: [UInt8] = []
      var right: [UInt8] = []
      try block.appendMessage(ofRow: row, template: template, to: &left)
      try head.appendMessage(ofRow: row, template: template, to: &right)
      #expect(left == right)
      #expect(try block.fields(ofRow: row) == head.fields(ofRow: row))
    }
  }

  @Test(arguments: 0..<30)
  func `the filter of a block's messages has every word that touches a variable`(seed: UInt64) throws {
    let (block, _, builder) = try bothSources(seed: seed)
    for row in 0..<block.count {
      let template = builder.lookUp(try block.templates()[row])!
      var message: [UInt8] = []
      try block.appendMessage(ofRow: row, template: template, to: &message)
      let inLiterals = Set(template.literals.flatMap { WordTokenizer.words(of: $0) })
      for word in WordTokenizer.words(of: message) where !inLiterals.contains(word) {
        #expect(try block.variablesMayContain(word: word), "seed \(seed) \(String(decoding: word, as: UTF8.self))")
      }
    }
  }

  @Test(arguments: 0..<30)
  func `the filter of a field has every word of its values`(seed: UInt64) throws {
    let (block, _, _) = try bothSources(seed: seed)
    for row in 0..<block.count {
      var seen: Set<[UInt8]> = []
      for field in try block.fields(ofRow: row) where seen.insert(field.name).inserted {
        for word in WordTokenizer.words(of: field.value) {
          #expect(try block.field(field.name, mayContain: word), "seed \(seed)")
        }
      }
    }
  }

  @Test func `words across a literal and a variable are in the filter, others are not`() throws {
    var builder = RecordBuilder()
    let template = builder.template("user_<number> waited <number>ms for job<number>x<number>, id <word>")
    let set = builder.fieldSet([])
    for row in 0..<200 {
      builder.append(
        time: Int64(row), template: template,
        variables: ["\(row)", "\(row * 31)", "\(row)", "\(row + 1)", "pod-\(row)a7f9"].map { Array($0.utf8) },
        fieldSet: set)
    }
    let block = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0].decoder()

    for word in ["user_42", "6169ms", "job7x8", "199a7f9"] {
      #expect(try block.variablesMayContain(word: Array(word.utf8)))
    }
    var falsePositives = 0
    for number in 1000..<3000 where try block.variablesMayContain(word: Array("user_\(number)".utf8)) {
      falsePositives += 1
    }
    #expect(falsePositives < 40)
  }

  @Test(arguments: 0..<30)
  func `messages of a template come one after another in row order`(seed: UInt64) throws {
    let (block, head, builder) = try bothSources(seed: seed)
    for entry in block.templateCounts {
      let template = builder.lookUp(entry.number)!
      for source in [block, head] as [any RecordSource] {
        var rows: [UInt32] = []
        try source.forEachMessage(ofTemplate: entry.number, template: template) { row, message in
          var expected: [UInt8] = []
          try source.appendMessage(ofRow: row, template: template, to: &expected)
          #expect(Array(message) == expected, "seed \(seed)")
          rows.append(UInt32(row))
          return rows.count < 40
        }
        #expect(rows == Array(try source.rows(ofTemplate: entry.number).prefix(40)))
      }
    }
  }

  @Test func `only what a question needs is read`() throws {
    var builder = RecordBuilder()
    let template = builder.template("took <duration>")
    for row in 0..<500 {
      let set = builder.fieldSet([
        ("host", "a"), ("request_id", "id-\(row * 7717)"), ("level", row % 9 == 0 ? "warn" : "info"),
      ])
      builder.append(
        time: Int64(row), severity: row % 9 == 0 ? .warning : .info, template: template,
        variables: [Array("\(row * 37)ms".utf8)], fieldSet: set)
    }
    let encoded = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0]
    let columns = Dictionary(uniqueKeysWithValues: encoded.columns.map { ($0.key, $0.data) })
    var read: [String] = []
    let block = BlockDecoder(summary: encoded.summary) { key in
      read.append(key)
      return columns[key]!
    }

    #expect(try block.field(Array("host".utf8)).withValue(atRow: 3) { $0.map(Array.init) } == Array("a".utf8))
    #expect(try block.streams() == Array(repeating: 0, count: 500))
    #expect(try block.templates() == Array(repeating: template, count: 500))
    #expect(read.isEmpty)

    _ = try block.field(Array("level".utf8))
    _ = try block.field(Array("level".utf8))
    _ = try block.characterClasses(ofTemplate: template, slot: 0)
    #expect(read == ["f2", "vdir"])
    #expect(block.loadedByteCount == read.reduce(0) { $0 + columns[$1]!.count })
  }

  @Test func `a summary counts what its block holds`() throws {
    var builder = RecordBuilder()
    let first = builder.template("a")
    let second = builder.template("b <number>")
    let minute: Int64 = 60_000_000_000
    for row in 0..<10 {
      let set = builder.fieldSet([("k", "v\(row % 2)"), ("same", "x")])
      builder.append(
        time: Int64(row) * minute / 2, severity: row < 4 ? .error : .info, stream: UInt32(row % 2),
        template: row < 7 ? first : second, variables: row < 7 ? [] : [[49]], fieldSet: set)
    }

    let summary = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0].summary

    #expect(summary.recordCount == 10)
    #expect(summary.minTime.nanoseconds == 0)
    #expect(summary.maxTime.nanoseconds == 9 * minute / 2)
    #expect(summary.rawByteCount == 7 * 1 + 3 * 3 + 10 * 8)
    #expect(summary.severityCounts == [0, 0, 0, 6, 0, 4, 0])
    #expect(summary.minuteCounts.map(\.minute) == [0, 1, 2, 3, 4])
    #expect(summary.minuteCounts.map(\.total) == [2, 2, 2, 2, 2])
    #expect(summary.minuteCounts[1].counts == [0, 0, 0, 0, 0, 2, 0])
    #expect(summary.templateCounts == [.init(number: 0, count: 7), .init(number: 1, count: 3)])
    #expect(summary.streamCounts == [.init(number: 0, count: 5), .init(number: 1, count: 5)])
    #expect(summary.fields.map(\.storage) == [.dictionary(distinctCount: 2), .constant([120])])
    #expect(summary.templateCode(of: 1) == 1)
    #expect(summary.templateCode(of: 2) == nil)
    #expect(summary.hasStream(1))
    #expect(!summary.hasStream(9))
  }
}
