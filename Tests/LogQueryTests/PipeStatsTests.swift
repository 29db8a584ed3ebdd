import Domain
import Testing

@testable import LogQuery

@Suite struct PipeStatsTests {
  private static func stats(by groups: [StatsGroup] = [], _ functions: StatsFunction...) -> Pipe {
    .stats(by: groups, functions)
  }

  private static func of(
    _ kind: StatsFunction.Kind, _ fields: String..., limit: Int? = nil, if condition: Filter? = nil
  ) -> StatsFunction {
    StatsFunction(kind: kind, fields: fields, limit: limit, condition: condition, resultName: "r")
  }

  private static let rows = ["a=3 b=x", "a=1 b=y", "a=zz", "b=x", "a=2.5 b=x"]

  @Test(arguments: [
    (of(.count), "5"), (of(.count, "a"), "4"), (of(.count, "a", "b"), "5"), (of(.count, "b*"), "4"),
    (of(.count, "*"), "5"),
    (of(.countEmpty, "a"), "1"), (of(.countEmpty, "x*"), "5"), (of(.countUniq, "b"), "2"),
    (of(.countUniq, "a", "b"), "5"),
    (of(.countUniq, "b", limit: 1), "1"), (of(.countUniqHash, "b"), "2"), (of(.countUniqHash, "a", "b"), "5"),
    (of(.countUniq), "5"), (of(.sum, "a"), "6.5"), (of(.sum, "b"), "NaN"), (of(.average, "a"), "2.1666666666666665"),
    (of(.average, "x"), "NaN"), (of(.minimum, "a"), ""), (of(.maximum, "a"), "zz"), (of(.maximum, "b"), "y"),
    (of(.minimum, "a", if: .field("a", .any)), "1"), (of(.median, "a", if: .field("a", .any)), "3"),
    (of(.median, "a"), "2.5"),
    (of(.quantile(0), "a", if: .field("a", .any)), "1"), (of(.quantile(1), "a"), "zz"), (of(.quantile(0.25), "a"), "1"),
    (of(.values, "a"), #"["3","1","zz","","2.5"]"#), (of(.values, "a", limit: 2), #"["3","1"]"#),
    (of(.uniqValues, "b"), #"["x","y"]"#), (of(.uniqValues, "a"), #"["1","2.5","3","zz"]"#),
    (of(.uniqValues, "a", limit: 2), #"["1","3"]"#), (of(.rowAny), #"{"a":"3","b":"x"}"#),
    (of(.rowAny, "b"), #"{"b":"x"}"#),
    (of(.rowMax("a")), #"{"a":"zz"}"#), (of(.rowMin("b"), "a"), #"{"a":"3"}"#),
    (of(.rowMin("a"), "b", if: .field("a", .any)), #"{"b":"y"}"#), (of(.sumLength, "a"), "7"),
    (of(.sumLength, "a", "b"), "11"),
    (of(.jsonValues, "b", limit: 2), #"[{"b":"x"},{"b":"y"}]"#),
    (
      StatsFunction(
        kind: .jsonValues, fields: ["a"], order: [SortKey(field: "a", descending: true)], limit: 3, resultName: "r"),
      #"[{"a":"zz"},{"a":"3"},{"a":"2.5"}]"#
    ),
    (
      StatsFunction(
        kind: .jsonValues, fields: ["a"], order: [SortKey(field: "b", descending: false)], resultName: "r"),
      #"[{"a":"zz"},{"a":"3"},{},{"a":"2.5"},{"a":"1"}]"#
    ),
    (of(.count, if: .field("b", .exact(Array("x".utf8)))), "3"),
    (of(.count, if: Filter.none), "0"),
  ])
  func `a function over all rows`(function: StatsFunction, expected: String) throws {
    let rows = try run([Self.stats(function)], on: Self.rows.map(row)).rows

    #expect(rows.map { text(of: "r", in: $0) } == [expected])
  }

  @Test(arguments: [
    (of(.count), "0"), (of(.sum, "a"), "NaN"), (of(.minimum, "a"), ""), (of(.median, "a"), ""),
    (of(.values, "a"), "[]"),
    (of(.uniqValues, "a"), "[]"), (of(.rowAny), "{}"), (of(.jsonValues), "[]"), (of(.histogram, "a"), "[]"),
    (of(.rate), "0"),
  ])
  func `without groups there is an answer even for no rows`(function: StatsFunction, expected: String) throws {
    let rows = try run([Self.stats(function)], on: []).rows

    #expect(rows.map { text(of: "r", in: $0) } == [expected])
    #expect(try run([Self.stats(by: [StatsGroup(field: "a")], function)], on: []).rows.isEmpty)
  }

  @Test func `durations and sizes add up, times and addresses do not`() throws {
    let rows = ["a=1.5s", "a=500ms", "a=1KiB", "a=2024-01-01T00:00:00Z", "a=1.2.3.4"]

    #expect(try run(Self.stats(Self.of(.sum, "a")), on: rows) == ["r=2000001024"])
    #expect(try run(Self.stats(Self.of(.maximum, "a")), on: Array(rows.prefix(2))) == ["r=1.5s"])
  }

  @Test(arguments: [
    (
      StatsGroup(field: "_time", bucket: .time(step: 60_000_000_000, offset: 0)), "2024-02-29T10:20:31.5Z",
      "2024-02-29T10:20:00Z"
    ),
    (
      StatsGroup(field: "_time", bucket: .time(step: 86_400_000_000_000, offset: 7_200_000_000_000)),
      "2024-02-29T23:00:00Z",
      "2024-02-29T22:00:00Z"
    ),
    (
      StatsGroup(field: "_time", bucket: .time(step: 3_600_000_000_000, offset: 0)), "1969-12-31T23:30:00Z",
      "1969-12-31T23:00:00Z"
    ),
    (StatsGroup(field: "_time", bucket: .calendar(.week, offset: 0)), "2024-02-29T10:20:31Z", "2024-02-26T00:00:00Z"),
    (StatsGroup(field: "_time", bucket: .calendar(.week, offset: 0)), "2024-02-26T00:00:00Z", "2024-02-26T00:00:00Z"),
    (StatsGroup(field: "_time", bucket: .calendar(.month, offset: 0)), "2024-02-29T10:20:31Z", "2024-02-01T00:00:00Z"),
    (
      StatsGroup(field: "_time", bucket: .calendar(.month, offset: 7_200_000_000_000)), "2024-02-29T23:00:00Z",
      "2024-02-29T22:00:00Z"
    ),
    (StatsGroup(field: "_time", bucket: .calendar(.year, offset: 0)), "2024-02-29T10:20:31Z", "2024-01-01T00:00:00Z"),
    (StatsGroup(field: "n", bucket: .number(step: 10, offset: 0)), "37", "30"),
    (StatsGroup(field: "n", bucket: .number(step: 10, offset: 5)), "37", "35"),
    (StatsGroup(field: "n", bucket: .number(step: 10, offset: 0)), "-3", "-10"),
    (StatsGroup(field: "n", bucket: .number(step: 0.1, offset: 0)), "0.35", "0.3"),
    (StatsGroup(field: "n", bucket: .number(step: 1000, offset: 0)), "1.5KiB", "1000"),
    (StatsGroup(field: "n", bucket: .time(step: 1_000_000_000, offset: 0)), "2.5s", "2s"),
    (StatsGroup(field: "n", bucket: .number(step: 10, offset: 0)), "word", "word"),
    (StatsGroup(field: "ip", bucket: .ipv4(prefixLength: 24)), "10.1.2.3", "10.1.2.0"),
    (StatsGroup(field: "ip", bucket: .ipv4(prefixLength: 0)), "10.1.2.3", "0.0.0.0"),
    (StatsGroup(field: "ip", bucket: .ipv4(prefixLength: 32)), "10.1.2.3", "10.1.2.3"),
    (StatsGroup(field: "ip", bucket: .ipv4(prefixLength: 24)), "::1", "::1"),
  ])
  func `buckets take values together`(group: StatsGroup, value: String, expected: String) throws {
    #expect(
      try run(Self.stats(by: [group], Self.of(.count)), on: ["\(group.field)=\(value)"]) == [
        "\(group.field)=\(expected) r=1"
      ])
  }

  @Test func `groups of several fields keep apart what looks alike`() throws {
    let rows = ["a=x b=", "a= b=x", "a=x b=", "a=xy b=z", "a=x b=yz"]

    #expect(
      try run(Self.stats(by: [StatsGroup(field: "a"), StatsGroup(field: "b")], Self.of(.count)), on: rows)
        == ["a=x b= r=2", "a= b=x r=1", "a=xy b=z r=1", "a=x b=yz r=1"])
  }

  @Test func `rate divides by the time of the query, or of the bucket`() throws {
    let rows = ["_time=2024-01-01T00:00:00Z n=5", "_time=2024-01-01T00:00:30Z n=7", "_time=2024-01-01T00:01:00Z n=9"]
    let start = Timestamp(seconds: 1_704_067_200)
    let range = TimeRange(start: start, end: start.advanced(byNanoseconds: 120_000_000_000))
    let options = PipeOptions(now: pipeTestNow, range: range)
    let minute = StatsGroup(field: "_time", bucket: .time(step: 60_000_000_000, offset: 0))

    #expect(try run(Self.stats(Self.of(.rate)), on: rows, options: options) == ["r=0.025"])
    #expect(try run(Self.stats(Self.of(.rateSum, "n")), on: rows, options: options) == ["r=0.175"])
    #expect(
      try run(Self.stats(by: [minute], Self.of(.rateSum, "n")), on: rows, options: options)
        == ["_time=2024-01-01T00:00:00Z r=0.2", "_time=2024-01-01T00:01:00Z r=0.15"])
    let open = PipeOptions(now: start.advanced(byNanoseconds: 300_000_000_000))
    #expect(try run(Self.stats(Self.of(.rate)), on: rows, options: open) == ["r=0.01"])
  }

  @Test func `a histogram has eighteen buckets to the decade`() throws {
    let rows = ["a=1", "a=1.05", "a=0", "a=5", "a=2e18", "a=word", "a=-1", "a=1e-9"]

    #expect(
      try run(Self.stats(Self.of(.histogram, "a")), on: rows) == [
        #"r=[{"vmrange":"0...1.000e-09","hits":2},{"vmrange":"8.799e-01...1.000e+00","hits":1},"#
          + #"{"vmrange":"1.000e+00...1.136e+00","hits":1},{"vmrange":"4.642e+00...5.275e+00","hits":1},"#
          + #"{"vmrange":"1.000e+18...+Inf","hits":1}]"#
      ])
  }

  @Test(arguments: [21, 22, 23])
  func `what stats says is what counting by hand says`(seed: UInt64) throws {
    var random = PipeTestGenerator(seed: seed)
    let values = (0..<4000).map { _ in
      (group: Int.random(in: 0..<40, using: &random), number: Int.random(in: -1000...1000, using: &random))
    }
    let rows = values.map { row("g=\($0.group) n=\($0.number)") }
    let functions: [(StatsFunction.Kind, ([Int]) -> String)] = [
      (.count, { "\($0.count)" }), (.sum, { "\($0.reduce(0, +))" }), (.minimum, { "\($0.min()!)" }),
      (.maximum, { "\($0.max()!)" }),
      (.countUniq, { "\(Set($0).count)" }), (.median, { "\($0.sorted()[$0.count / 2])" }),
      (.quantile(0.9), { "\($0.sorted()[Int(0.9 * Double($0.count))])" }),
      (.uniqValues, { "[" + Set($0).sorted().map { "\"\($0)\"" }.joined(separator: ",") + "]" }),
    ]

    let result = try run(
      [
        .stats(
          by: [StatsGroup(field: "g")],
          functions.enumerated().map { StatsFunction(kind: $1.0, fields: ["n"], resultName: "r\($0)") })
      ], on: rows
    ).rows

    let byGroup = Dictionary(grouping: values, by: \.group)
    #expect(result.count == byGroup.count)
    for row in result {
      let numbers = byGroup[Int(text(of: "g", in: row))!]!.map(\.number)
      for (index, function) in functions.enumerated() {
        #expect(text(of: "r\(index)", in: row) == function.1(numbers), "seed \(seed), function \(index)")
      }
    }
  }
}
