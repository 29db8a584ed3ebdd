import Testing

@testable import LogQuery

@Suite struct PipeSortTests {
  private static func sort(
    _ keys: String..., limit: Int? = nil, offset: Int = 0, partitionBy: [String] = [], rank: String? = nil
  ) -> Pipe {
    .sort(by: keys.map(key), limit: limit, offset: offset, partitionBy: partitionBy, rankField: rank)
  }

  private static func key(_ text: String) -> SortKey {
    text.hasPrefix("-")
      ? SortKey(field: String(text.dropFirst()), descending: true) : SortKey(field: text, descending: false)
  }

  @Test(arguments: [
    (["10", "9", "-1", "1e3", "2.5"], ["-1", "2.5", "9", "10", "1e3"]),
    (["1h", "5m", "90s", "10ms"], ["10ms", "90s", "5m", "1h"]),
    (["1MB", "900KB", "1MiB"], ["900KB", "1MB", "1MiB"]),
    (["10.0.0.2", "9.0.0.1", "10.0.0.10"], ["9.0.0.1", "10.0.0.2", "10.0.0.10"]),
    (["host10", "host9", "host09", "ahost"], ["ahost", "host09", "host9", "host10"]),
    (["b", "", "5", "a"], ["", "5", "a", "b"]),
    (["v1.10.0", "v1.9.2", "v1.9.10"], ["v1.9.2", "v1.9.10", "v1.10.0"]),
    (["9007199254740993", "9007199254740992"], ["9007199254740992", "9007199254740993"]),
    (
      ["2024-01-01T00:00:00.000000002Z", "2024-01-01T00:00:00.000000001Z", "2023-12-31T23:59:59Z"],
      ["2023-12-31T23:59:59Z", "2024-01-01T00:00:00.000000001Z", "2024-01-01T00:00:00.000000002Z"]
    ),
  ])
  func `sort compares numbers as numbers and text naturally`(values: [String], expected: [String]) throws {
    let rows = values.map { row("a=\($0)") }

    let up = try run([Self.sort("a")], on: rows).rows.map { text(of: "a", in: $0) }
    let down = try run([Self.sort("-a")], on: rows).rows.map { text(of: "a", in: $0) }

    #expect(up == expected)
    #expect(down == expected.reversed())
  }

  @Test func `equal rows keep their order, in both directions`() throws {
    let rows = ["a=1 n=1", "a=0 n=2", "a=1.0 n=3", "a=1 n=4"]

    #expect(try run(Self.sort("a"), .fields(["n"]), on: rows) == ["n=2", "n=1", "n=3", "n=4"])
    #expect(try run(Self.sort("-a"), .fields(["n"]), on: rows) == ["n=1", "n=3", "n=4", "n=2"])
  }

  @Test func `later keys break ties, each in its direction`() throws {
    let rows = ["a=1 b=1", "a=2 b=1", "a=1 b=2", "a=2 b=2"]

    #expect(try run(Self.sort("a", "-b"), on: rows) == ["a=1 b=2", "a=1 b=1", "a=2 b=2", "a=2 b=1"])
  }

  @Test func `rank counts on over the offset`() throws {
    let rows = ["a=3", "a=1", "a=2"]

    #expect(try run(Self.sort("a", limit: 1, offset: 1, rank: "place"), on: rows) == ["a=2 place=2"])
    #expect(try run(Self.sort("a", offset: 2, rank: "place"), on: rows) == ["a=3 place=3"])
  }

  @Test func `partitions are sorted, limited and ranked apart`() throws {
    let rows = ["h=b a=3", "h=a a=1", "h=b a=1", "h=a a=2", "h=b a=2"]

    #expect(
      try run(Self.sort("-a", limit: 2, partitionBy: ["h"], rank: "r"), on: rows)
        == ["h=a a=2 r=1", "h=a a=1 r=2", "h=b a=3 r=1", "h=b a=2 r=2"])
  }

  @Test func `first and last are the two ends`() throws {
    let rows = ["a=2", "a=3", "a=1"]

    #expect(try run(.first(2, by: [Self.key("a")], partitionBy: []), on: rows) == ["a=1", "a=2"])
    #expect(try run(.last(2, by: [Self.key("a")], partitionBy: []), on: rows) == ["a=3", "a=2"])
    #expect(try run(.last(1, by: [Self.key("-a")], partitionBy: []), on: rows) == ["a=1"])
    #expect(try run(.last(1, by: [], partitionBy: []), on: rows) == ["a=3"])
  }

  @Test(arguments: [1, 2, 3, 4, 5])
  func `a limited sort is the beginning of the whole one`(seed: UInt64) throws {
    var random = PipeTestGenerator(seed: seed)
    let rows = (0..<1200).map { index in
      let value = ["", "x\(Int.random(in: 0..<50, using: &random))", "\(Int.random(in: -99...99, using: &random))"]
        .randomElement(using: &random)!
      return row("a=\(value) b=\(Int.random(in: 0..<5, using: &random)) n=\(index)")
    }

    let whole = try run([Self.sort("b", "-a")], on: rows).rows
    for (limit, offset) in [(1, 0), (10, 0), (10, 25), (300, 100), (5000, 0)] {
      let part = try run([Self.sort("b", "-a", limit: limit, offset: offset)], on: rows).rows
      #expect(part == Array(whole.dropFirst(offset).prefix(limit)), "seed \(seed), limit \(limit), offset \(offset)")
    }
  }

  @Test(arguments: [11, 12, 13])
  func `the order of values is a total one`(seed: UInt64) {
    var random = PipeTestGenerator(seed: seed)
    let alphabet = Array("01029aZ.-:hms ".utf8)
    let values = (0..<120).map { _ in
      SortValue((0..<Int.random(in: 0...6, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
    }

    // One expectation for all triples: there are many.
    var violations: [String] = []
    for a in values {
      for b in values {
        if a.compare(b) != -b.compare(a) { violations.append("\(a.text) and \(b.text)") }
        for c in values.prefix(30) where a.compare(b) <= 0 && b.compare(c) <= 0 && a.compare(c) > 0 {
          violations.append("\(a.text), \(b.text) and \(c.text)")
        }
      }
    }
    #expect(violations.isEmpty, "seed \(seed)")
  }

  @Test func `a sort that needs too much says what to do`() throws {
    let rows = (0..<1000).map { row("a=\($0)") }
    let options = PipeOptions(now: pipeTestNow, byteCountMax: 100_000)

    let error = #expect(throws: PipeLimitError.self) { try run([Self.sort("a")], on: rows, options: options) }
    #expect(error?.pipe == "sort")
    #expect(
      error?.description == """
        the `sort` pipe needs more than 100000 bytes of memory; add `limit` to it, keep fewer fields before it, or narrow \
        the time range or the filter
        """)
    #expect(try run([Self.sort("a", limit: 10)], on: rows, options: options).rows.count == 10)
  }

  @Test func `a limit behind a sort keeps the sort from holding all rows`() throws {
    let rows = (0..<5000).map { row("a=\(($0 * 7919) % 5000) b=\(String(repeating: "x", count: 200))") }
    let options = PipeOptions(now: pipeTestNow, byteCountMax: 100_000)

    let fused = try run([Self.sort("-a"), .offset(3), .limit(4)], on: rows, options: options).rows

    #expect(fused.map { text(of: "a", in: $0) } == ["4996", "4995", "4994", "4993"])
    #expect(throws: PipeLimitError.self) { try run([Self.sort("-a")], on: rows, options: options) }
  }

  @Test func `an offset behind a limit skips rows of what the limit left`() throws {
    let rows = (0..<20).map { row("a=\($0)") }

    let left = try run([Self.sort("a"), .limit(10), .offset(8)], on: rows).rows

    #expect(left.map { text(of: "a", in: $0) } == ["8", "9"])
  }
}
