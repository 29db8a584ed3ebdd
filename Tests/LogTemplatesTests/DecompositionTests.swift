import Domain
import LogTemplates
import Testing

@Suite struct DecompositionTests {
  @Test func `each distinct template is listed once, in the order of its first record`() {
    let decomposition = Decomposition(
      records(["took 1ms", "user 7 left", "took 250ms", "idle", "user 8 left"]))

    #expect(
      decomposition.templates.map { Template(text: $0).description } == [
        "took <duration>", "user <number> left", "idle",
      ])
    #expect(decomposition.columns.templates == [0, 1, 0, 2, 1])
    #expect(decomposition.columns.variableStarts == [0, 1, 2, 3, 3, 4])
  }

  @Test func `every message comes back, for a batch of any messages`() {
    var generator = MessageGenerator(seed: 11)
    let messages = (0..<3000).map { _ in generator.next() }

    let decomposition = Decomposition(records(messages))

    let columns = decomposition.columns
    #expect(columns.count == messages.count)
    for (index, message) in messages.enumerated() {
      let range = Int(columns.variableStarts[index])..<Int(columns.variableStarts[index + 1])
      var composed: [UInt8] = []
      columns.bytes.withUnsafeBufferPointer {
        Decomposer.compose(
          template: decomposition.templates[Int(columns.templates[index])], variables: columns.variables[range],
          bytes: $0,
          into: &composed)
      }
      guard composed == message else {
        Issue.record("message \(index) of seed 11: \(message) became \(composed)")
        return
      }
    }
    #expect(Set(decomposition.templates).count == decomposition.templates.count)
  }

  @Test func `fields, streams, times and levels are carried over`() {
    var records = records(["a 1", "b 2"])
    let start = records.bytes.count
    records.bytes += Array("podapi-0hostn1".utf8)
    func span(_ offset: Int, _ count: Int) -> ByteSpan { ByteSpan(start + offset..<start + offset + count) }
    let pod = FieldSpan(name: span(0, 3), value: span(3, 5))
    let host = FieldSpan(name: span(8, 4), value: span(12, 2))
    records.streamTable = [[], [pod]]
    records.fieldSetTable = [[pod, host], []]
    records.streams = [1, 0]
    records.fieldSets = [0, 1]

    let decomposition = Decomposition(records)

    #expect(decomposition.streams == [Stream(labels: []), Stream(labels: [Field("pod", "api-0")])])
    let columns = decomposition.columns
    let fields = columns.fieldSetTable.map { set in
      set.map { Field(name: Array(columns.bytes[$0.name.range]), value: Array(columns.bytes[$0.value.range])) }
    }
    #expect(fields == [[Field("pod", "api-0"), Field("host", "n1")], []])
    #expect(columns.streams == [1, 0])
    #expect(columns.fieldSets == [0, 1])
    #expect(columns.times == records.times)
    #expect(columns.severities == records.severities)
  }

  @Test func `renumbering puts the tenant's numbers in place of the batch's`() {
    var decomposition = Decomposition(records(["took 1ms", "idle", "took 2ms"]))

    decomposition.renumber(templateNumbers: [40, 41], streamNumbers: [9])

    #expect(decomposition.columns.templates == [40, 41, 40])
    #expect(decomposition.columns.streams == [9, 9, 9])
  }

  @Test func `no records make no columns`() {
    let decomposition = Decomposition(ParsedRecords())

    #expect(decomposition.columns.count == 0)
    #expect(decomposition.columns.variableStarts == [0])
    #expect(decomposition.templates.isEmpty)
  }

  private func records(_ messages: [String]) -> ParsedRecords { records(messages.map { Array($0.utf8) }) }

  private func records(_ messages: [[UInt8]]) -> ParsedRecords {
    var records = ParsedRecords()
    records.streamTable = [[]]
    records.fieldSetTable = [[]]
    for (index, message) in messages.enumerated() {
      records.times.append(Int64(index))
      records.severities.append(index % 2 == 0 ? .info : .error)
      records.streams.append(0)
      records.fieldSets.append(0)
      records.messages.append(ByteSpan(records.bytes.count..<records.bytes.count + message.count))
      records.bytes += message
    }
    return records
  }
}
