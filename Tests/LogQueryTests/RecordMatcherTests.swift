import Domain
import Testing

@testable import LogQuery

@Suite struct RecordMatcherTests {
  static let now = Timestamp(seconds: 1_714_979_289)

  static func row(_ fields: (String, String)...) -> Row { Row(fields.map { ($0.0, Array($0.1.utf8)) }) }

  static let record = row(
    ("_time", "2024-05-06T07:00:00.5Z"), ("_msg", "connection refused by 10.0.0.1"),
    ("_stream", #"{kubernetes.pod_name="api-0",q="a\"b",stream="stderr"}"#),
    ("_stream_id", "00ab"), ("level", "error"), ("took", "1.5s"), ("limit", "2s"),
    ("kubernetes.namespace_name", "prod"), ("a", "x"), ("b", "x"))

  private static let aRecordPassesOrNotCases: [(String, Bool)] = [
    ("", true), ("*", true), ("!*", false), ("refused", true), ("refuse", false), ("refused level:error", true),
    ("refused level:warn", false), ("refused or level:warn", true), ("!refused", false), ("!missing:x", true),
    ("missing:\"\"", true), ("missing:*", false), ("level:*", true), ("level:(warn or error)", true),
    ("level:in(warn, error)", true), ("took:>1s", true), ("took:<1s", false), ("took:lt_field(limit)", true),
    ("limit:le_field(took)", false),
    ("a:eq_field(b)", true), ("a:eq_field(level)", false), ("_time:10m", true), ("_time:5m", false),
    ("_time:2024-05-06Z", true), ("_time:2024-05-07Z", false), ("_time:day_range[07:00, 08:00)", true),
    ("_time:day_range[08:00, 09:00)", false),
    ("_time:day_range[22:00, 07:30]", true), ("_time:day_range[09:00, 10:00) offset 2h", true),
    ("_time:week_range[Mon, Mon]", true), ("_time:week_range[Tue, Sun]", false),
    ("_time:week_range[Sun, Sun] offset -8h", true),
    ("{stream=\"stderr\"}", true), ("{stream=\"stdout\"}", false), ("{stream!=\"stdout\"}", true),
    ("{missing=\"\"}", true), ("{stream=~\"std.*\"}", true), ("{stream=~\"std\"}", false),
    ("{stream!~\"std.*\"}", false), ("{stream in (a, stderr)}", true),
    ("{stream not_in (a, stderr)}", false), ("{stream=\"x\" or kubernetes.pod_name=\"api-0\"}", true),
    ("{pod=\"api-0\"}", true), ("{pod=\"api-1\"}", false), ("{pod!=\"api-0\"}", false), ("{q=\"a\\\"b\"}", true),
    ("{}", true), ("{namespace=\"\"}", true),
    ("_stream_id:00ab", true), ("_stream_id:in(11, 00ab)", true), ("_stream_id:11", false), ("namespace:prod", true),
    ("namespace:=prod", true), ("namespace:!=prod", false), ("namespace:\"\"", false), ("pod:\"\"", true),
    ("namespace:*", true),
    ("_stream:stderr", true), ("_time:>2024-05-06T07:00:00Z", false), ("_time:>=2024-05-06T07:00:00Z", true),
  ]

  @Test(arguments: aRecordPassesOrNotCases)
  func `a record passes or not`(query: String, expected: Bool) throws {
    let filter = try QueryParser(now: RecordMatcherTests.now).parseFilter(query)
    #expect(try RecordMatcher(filter).matches(RecordMatcherTests.record) == expected)
  }

  private static let aStreamPassesOrNotCases: [(String, Bool)] = [
    ("{pod=\"api-0\"}", true), ("{kubernetes.pod_name=\"api-0\"}", true), ("{pod=\"b\"}", false),
    ("{stream=\"\"}", true), ("{pod=~\"api-.+\",container=\"\"}", true), ("{pod!~\"api.*\"}", false),
  ]

  @Test(arguments: aStreamPassesOrNotCases)
  func `a stream passes or not`(query: String, expected: Bool) throws {
    guard case .stream(let alternatives) = try QueryParser(now: RecordMatcherTests.now).parseFilter(query) else {
      Issue.record("no stream filter")
      return
    }
    let stream = Stream(labels: [Field("kubernetes.pod_name", "api-0")])
    #expect(try StreamMatcher(alternatives).matches(stream) == expected)
  }

  @Test func `what Search must resolve first is refused`() throws {
    for query in ["similar(\"x\")", "a:in(b | fields c)"] {
      let filter = try QueryParser(now: RecordMatcherTests.now).parseFilter(query)
      #expect(throws: QueryError.self) { try RecordMatcher(filter) }
    }
  }

  @Test func `labels are read from a stream's text as it was written`() {
    let stream = Stream(labels: [Field("a", "x\"y\\z\n,b=\"c"), Field("k.l", ""), Field("z", "é")])
    stream.description.withUnsafeBufferPointer { text in
      for label in stream.labels {
        #expect(StreamText.label(String(decoding: label.name, as: UTF8.self), in: text) == label.value)
      }
      #expect(StreamText.label("b", in: text).isEmpty)
    }
  }
}

@Suite struct FilterTraversalTests {
  private static let cases: [(String, String, String)] = [
    ("_time:2024Z error", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ("_time:2024Z _time:2024-05Z", "2024-05-01T00:00:00Z", "2024-06-01T00:00:00Z"),
    ("_time:2023Z or _time:2024Z", "2023-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ("(_time:2023Z a) or (_time:2024Z b)", "2023-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
  ]

  @Test(arguments: cases)
  func `a filter bounds the time`(query: String, start: String, end: String) throws {
    let range = try QueryParser(now: RecordMatcherTests.now).parseFilter(query).timeRange
    #expect(range.start.rfc3339 == start)
    #expect(range.end.rfc3339 == end)
  }

  @Test func `what is not certain does not bound the time`() throws {
    for query in ["error", "!_time:2024Z", "_time:2024Z or error"] {
      #expect(try QueryParser(now: RecordMatcherTests.now).parseFilter(query).timeRange == .all)
    }
    #expect(try QueryParser(now: RecordMatcherTests.now).parseFilter("_time:2023Z _time:2024Z").timeRange.isEmpty)
  }

  @Test func `leaves are replaced wherever they stand`() async throws {
    let filter = try QueryParser(now: RecordMatcherTests.now).parseFilter("a !(similar(\"x\") or b)")
    let replaced = await filter.replacingLeaves { leaf in
      if case .similar = leaf { return .field("pattern", .oneOf([[0x37]])) }
      return leaf
    }
    #expect(replaced.description == "a !(pattern:in(\"7\") or b)")
  }
}
