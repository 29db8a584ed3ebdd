import Testing

@testable import LogQuery

@Suite struct PipeGroupTests {
  private static let rows = ["a=x b=1", "a=y b=1", "a=x b=2", "b=1", "a=x b=1"]

  @Test func `uniq names each set of values once`() throws {
    #expect(try run(.uniq(by: ["a"], withHits: false, limit: nil), on: Self.rows) == ["a=x", "a=y", "a="])
    #expect(
      try run(.uniq(by: ["a", "b"], withHits: true, limit: nil), on: Self.rows)
        == ["a=x b=1 hits=2", "a=y b=1 hits=1", "a=x b=2 hits=1", "a= b=1 hits=1"])
    #expect(
      try run(.uniq(by: [], withHits: true, limit: nil), on: ["b=2 a=1", "a=1 b=2", "a=1"]) == [
        "a=1 b=2 hits=2", "a=1 hits=1",
      ])
  }

  @Test func `a limited uniq goes on counting what it keeps`() throws {
    #expect(try run(.uniq(by: ["a"], withHits: true, limit: 1), on: Self.rows) == ["a=x hits=3"])
    #expect(try run(.uniq(by: ["hits"], withHits: true, limit: nil), on: ["hits=7"]) == ["hits=7 hitss=1"])
  }

  @Test func `top ranks by hits, then by value`() throws {
    #expect(
      try run(.top(2, by: ["a"], hitsField: "hits", rankField: "rank"), on: ["a=10", "a=9", "a=b", "a=b"])
        == ["a=b hits=2 rank=1", "a=9 hits=1 rank=2"])
    #expect(try run(.top(0, by: ["a"], hitsField: "hits", rankField: nil), on: ["a=1"]) == [])
  }

  @Test func `field_values leaves empty values out`() throws {
    #expect(try run(.fieldValues("a", limit: nil), on: Self.rows) == ["a=x hits=3", "a=y hits=1"])
    #expect(try run(.fieldValues("a", limit: 1), on: Self.rows) == ["a=x hits=3"])
  }

  @Test func `field_names counts the rows that have each field`() throws {
    #expect(try run(.fieldNames(resultName: nil), on: Self.rows) == ["name=a hits=4", "name=b hits=5"])
    #expect(try run(.fieldNames(resultName: "n"), on: ["x= y=1"]) == ["n=y hits=1"])
  }

  @Test func `facets shows the most frequent values of the fields that tell something`() throws {
    let rows = ["c=k a=x id=1", "c=k a=x id=2", "c=k a=y id=3", "c=k a=y2222222222 id=4"]

    #expect(
      try run(.facets(limit: 2, maxValuesPerField: 3, maxValueLength: 20, keepConstant: false), on: rows)
        == ["field_name=a field_value=x hits=2", "field_name=a field_value=y hits=1"])
    #expect(
      try run(.facets(limit: 9, maxValuesPerField: 3, maxValueLength: 5, keepConstant: true), on: rows)
        == ["field_name=c field_value=k hits=4"])
  }

  @Test(arguments: [
    ("uniq", Pipe.uniq(by: ["a"], withHits: false, limit: nil)),
    ("top", .top(1, by: ["a"], hitsField: "hits", rankField: nil)),
    ("field_values", .fieldValues("a", limit: nil)), ("stats", .stats(by: [StatsGroup(field: "a")], [])),
    ("facets", .facets(limit: 9, maxValuesPerField: 99_999, maxValueLength: 99, keepConstant: true)),
    ("stats values", .stats(by: [], [StatsFunction(kind: .values, fields: ["a"], resultName: "v")])),
    ("stats median", .stats(by: [], [StatsFunction(kind: .median, fields: ["a"], resultName: "v")])),
    ("stats count_uniq", .stats(by: [], [StatsFunction(kind: .countUniq, fields: ["a"], resultName: "v")])),
    ("stats json_values", .stats(by: [], [StatsFunction(kind: .jsonValues, fields: [], resultName: "v")])),
  ])
  func `what needs too much is named`(name: String, pipe: Pipe) throws {
    let rows = (0..<5000).map { row("a=value\($0)") }

    let error = #expect(throws: PipeLimitError.self) {
      try run([pipe], on: rows, options: PipeOptions(now: pipeTestNow, byteCountMax: 50_000))
    }
    #expect(error?.pipe == name)
    #expect(error?.remedy.isEmpty == false)
  }
}
