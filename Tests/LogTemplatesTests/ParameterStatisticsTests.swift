import Domain
import LogTemplates
import Testing

@Suite struct ParameterStatisticsTests {
  @Test func `a few values are counted exactly`() {
    var statistics = ParameterStatistics()

    for value in ["root", "ana", "root", "bert", "root"] { statistics.insert(value) }

    #expect(statistics.count == 5)
    #expect(statistics.distinctCount == 3)
    #expect(statistics.topValues.map { String(decoding: $0.value, as: UTF8.self) } == ["root", "ana", "bert"])
    #expect(statistics.topValues.map(\.count) == [3, 1, 1])
    #expect(statistics.numberRange == nil)
  }

  @Test func `a value is new once, and nothing is once there are many`() {
    var statistics = ParameterStatistics()

    #expect(statistics.isNew("root"))
    let first = statistics.insert("root")
    #expect(first && !statistics.isNew("root"))
    let second = statistics.insert("root")
    #expect(!second)
    for number in 0..<1000 { statistics.insert("user-\(number)") }
    #expect(!statistics.isNew("mallory"))
  }

  @Test func `frequent values are found among many, with bounds that hold`() {
    var statistics = ParameterStatistics()

    for number in 0..<20_000 { statistics.insert(number % 4 == 0 ? "hot" : "\(number)") }

    let hot = statistics.topValues.first { $0.value == Array("hot".utf8) }
    #expect(hot.map { $0.count - $0.error <= 5000 && $0.count >= 5000 } == true)
    #expect(abs(Double(statistics.distinctCount) / 15_001 - 1) < 0.15)
  }

  @Test(arguments: [
    (["1", "2", "3"], 1.0, 2.0, 3.0), (["-5", "5", "0"], -5.0, 0.0, 5.0), (["35ms", "1.5s", "1m30s"], 0.035, 1.5, 90),
    (["7", "no number", "0x1f"], 7, 7, 7),
  ])
  func `numbers have least, middle and greatest, durations in seconds`(
    values: [String], min: Double, median: Double, max: Double
  ) throws {
    var statistics = ParameterStatistics()

    for value in values { statistics.insert(value) }

    let range = try #require(statistics.numberRange)
    #expect(range.min == min)
    #expect(range.max == max)
    #expect(abs(range.median - median) <= 0.05 * abs(median))
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func `merged parts say what the whole says`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var whole = ParameterStatistics()
    var parts = Array(repeating: ParameterStatistics(), count: 5)
    var numbers: [Double] = []

    for _ in 0..<5000 {
      let number = Int.random(in: 0..<(1 << Int.random(in: 1..<20, using: &random)), using: &random)
      numbers.append(Double(number))
      whole.insert("\(number)")
      parts[Int.random(in: 0..<5, using: &random)].insert("\(number)")
    }
    let merged = parts.reduce(into: ParameterStatistics()) { $0.merge($1) }

    #expect(merged.count == whole.count)
    #expect(merged.distinctCount == whole.distinctCount)
    #expect(merged.numberRange == whole.numberRange)
    let median = numbers.sorted()[(numbers.count - 1) / 2]
    #expect(abs(try #require(whole.numberRange).median - median) <= 0.07 * median + 1)
    for value in merged.topValues {
      let count = UInt64(numbers.count { Array("\(Int($0))".utf8) == value.value })
      #expect(value.count >= count && value.count - value.error <= count)
    }
  }

  @Test func `any bytes are a value`() {
    var generator = MessageGenerator(seed: 9)
    var statistics = ParameterStatistics()

    for _ in 0..<1000 { generator.next().withUnsafeBufferPointer { _ = statistics.insert($0) } }

    #expect(statistics.count == 1000)
    #expect(statistics.topValues.allSatisfy { $0.value.count <= ParameterStatistics.valueBytesMax })
  }

  @Test func `the variables of a template are told as its pattern shows them`() {
    let message = Array("2026-03-18 13:44:27 INFO read node-12 from 10.0.0.7:5432 in 35 ms for {}.".utf8)
    let (template, _) = Decomposer().decompose(message)
    var miner = PatternMiner()
    _ = miner.insert(template, number: 0)
    var text: [UInt8] = []
    var spans: [ByteSpan] = []
    message.withUnsafeBufferPointer { Decomposer().decompose($0, template: &text, variables: &spans) }

    let parameters = miner.parameters(of: template)
    let values = message.withUnsafeBufferPointer { bytes in
      parameters.map { parameter in
        var value: [UInt8] = []
        parameter.appendValue(of: spans[...], in: bytes, to: &value)
        return parameter.name + String(decoding: value, as: UTF8.self)
      }
    }

    #expect(values == ["<id>node-12", "<ip>10.0.0.7:5432", "<num>35"])
    #expect(miner.text(of: 1)?.namedText == "read <id> from <ip> in <num> ms for {}.")
  }
}

extension ParameterStatistics {
  @discardableResult fileprivate mutating func insert(_ value: String) -> Bool {
    Array(value.utf8).withUnsafeBufferPointer { insert($0) }
  }

  fileprivate func isNew(_ value: String) -> Bool { Array(value.utf8).withUnsafeBufferPointer { isNew($0) } }
}
