import Domain
import LogQuery
import Storage
import TestSupport
import Testing

@testable import Search

@Suite struct SearchServiceTests {
  private let fixture: SearchFixture

  init() throws { fixture = try SearchFixture() }

  private func line(_ second: Int64, _ message: String, pod: String = "api-0", level: String = "info") -> LogLine {
    LogLine(moment(second), pod: pod, container: "api", level: level, message)
  }

  private func store(_ lines: [LogLine], _ scope: TenantScope? = nil, flushed: Bool = false) async throws {
    try await fixture.appliance.store(lines, scope ?? fixture.acme)
    if flushed { try await fixture.appliance.flush(scope ?? fixture.acme) }
  }

  @Test func `a tenant's searches never show another's records`() async throws {
    try await store([line(1, "alpha of acme")])
    try await store([line(1, "alpha of globex"), line(2, "beta of globex")], fixture.globex)

    #expect(try await fixture.messages("alpha") == ["alpha of acme"])
    #expect(try await fixture.messages("alpha", fixture.globex) == ["alpha of globex"])
    let request = SearchRequest(text: "*", range: .all)
    for (scope, count) in [(fixture.acme, 1), (fixture.globex, 2)] {
      let hits = try await fixture.search.hits(request, step: 60_000_000_000, field: nil, scope: scope)
      #expect(hits.statistics.total == count)
      let page = try await fixture.search.patterns(request, limit: 10, order: .count, scope: scope)
      #expect(page.recordCount == count)
      let meant = try await fixture.search.meaning(
        MeaningRequest(text: "alpha", range: .all, filter: "*", limit: 10), scope: scope)
      #expect(meant.allSatisfy { $0.row.text("_msg").hasSuffix(scope.tenant.text) })
      #expect(!meant.isEmpty)
    }
    // An id that a stranger has learned opens nothing.
    let id = try #require(RecordID(try await fixture.rows("beta", fixture.globex)[0].text("_id")))
    #expect(try await fixture.search.context(of: id, before: 5, after: 5, scope: fixture.acme) == nil)
    #expect(try await fixture.search.context(of: id, before: 5, after: 5, scope: fixture.globex) != nil)
    await fixture.appliance.close()
  }

  @Test(arguments: [true, false])
  func `a whole line is found by its own text, however long`(flushed: Bool) async throws {
    let start = "upstream connect error or disconnect/reset before headers, retried and the latest reset reason "
    let quoted = "from \"" + String(repeating: "some words, ", count: 8) + "and 7\" on"
    let lines = (0..<20).map { start + "\($0) at host-\($0)" } + (0..<20).map { quoted + " \($0)" }
    try await store(lines.enumerated().map { line(Int64($0.offset), $0.element) }, flushed: flushed)

    for text in [lines[17], start + "17", lines[23], quoted] {
      let count = lines.filter { $0.hasPrefix(text + " ") || $0 == text }.count
      for filter in [
        "\"\(text.replacing("\"", with: "\\\""))\"", "i(\"\(text.uppercased().replacing("\"", with: "\\\""))\")",
        "contains_any(\"\(text.replacing("\"", with: "\\\""))\", zz, \"other words\")",
      ] {
        #expect(try await fixture.messages(filter).count == count, "\(filter)")
      }
    }
    await fixture.appliance.close()
  }

  // MARK: Context

  @Test(arguments: [true, false])
  func `context is the stream's own lines around one, oldest first`(flushed: Bool) async throws {
    try await store(
      (0..<10).map { line(Int64($0), "line \($0)") } + [line(4, "of another pod", pod: "api-1")], flushed: flushed)
    let id = try #require(RecordID(try await fixture.rows(#""line 5""#)[0].text("_id")))

    let around = try #require(try await fixture.search.context(of: id, before: 2, after: 3, scope: fixture.acme))
    #expect(around.rows.map { $0.text("_msg") } == ["line 3", "line 4", "line 5", "line 6", "line 7", "line 8"])
    #expect(around.anchor == 2)
    let all = try #require(try await fixture.search.context(of: id, before: 100, after: 100, scope: fixture.acme))
    #expect(all.rows.count == 10)
    #expect(all.anchor == 5)
    let alone = try #require(try await fixture.search.context(of: id, before: 0, after: 0, scope: fixture.acme))
    #expect(alone.rows.map { $0.text("_msg") } == ["line 5"])
    await fixture.appliance.close()
  }

  @Test func `context tells lines of one moment apart`() async throws {
    try await store((0..<7).map { line(1, "same \($0)") } + [line(0, "before"), line(2, "after")])
    let id = try #require(RecordID(try await fixture.rows(#""same 3""#)[0].text("_id")))

    let around = try #require(try await fixture.search.context(of: id, before: 1, after: 1, scope: fixture.acme))
    #expect(around.rows.count == 3)
    #expect(around.rows[around.anchor].text("_msg") == "same 3")
    let wide = try #require(try await fixture.search.context(of: id, before: 50, after: 50, scope: fixture.acme))
    #expect(wide.rows.count == 9)
    #expect(wide.rows.first?.text("_msg") == "before")
    #expect(wide.rows.last?.text("_msg") == "after")
    await fixture.appliance.close()
  }

  @Test func `an id that no record has is told so`() async throws {
    try await store([line(1, "one")])

    let id = RecordID(time: moment(1), stream: 0, messageChecksum: 12345)
    #expect(try await fixture.search.context(of: id, before: 1, after: 1, scope: fixture.acme) == nil)
    await fixture.appliance.close()
  }

  @Test(arguments: [true, false])
  func `stream_context shows each hit's surroundings in its stream, each line once`(flushed: Bool) async throws {
    let lines = (0..<10).map { line(Int64($0), [2, 7].contains($0) ? "hit \($0)" : "line \($0)") }
    try await store(lines + [line(2, "of another pod", pod: "api-1")], flushed: flushed)

    func shown(_ pipe: String, range: TimeRange = .all) async throws -> [String] {
      try await fixture.messages("hit | stream_context \(pipe)", range: range)
    }
    #expect(try await shown("before 1 after 1") == ["line 1", "hit 2", "line 3", "line 6", "hit 7", "line 8"])
    #expect(try await shown("after 2") == ["hit 2", "line 3", "line 4", "hit 7", "line 8", "line 9"])
    #expect(try await shown("before 3") == ["line 0", "line 1", "hit 2", "line 4", "line 5", "line 6", "hit 7"])
    #expect(try await shown("before 5 after 5").count == 10)
    // The range is where hits are looked for; what surrounds them may lie outside.
    let range = TimeRange(start: moment(7), end: moment(8))
    #expect(try await shown("before 1 after 1", range: range) == ["line 6", "hit 7", "line 8"])
    #expect(try await fixture.messages("hit | stream_context before 1 | fields _msg | limit 2") == ["line 1", "hit 2"])
    await fixture.appliance.close()
  }

  @Test func `a line at the moment of a hit is no hit`() async throws {
    try await store([line(0, "x 0"), line(1, "x 1"), line(2, "hit"), line(2, "x 2"), line(3, "x 3"), line(4, "x 4")])

    #expect(try await fixture.messages("hit | stream_context after 1") == ["hit", "x 2"])
    await fixture.appliance.close()
  }

  // MARK: Time at its ends

  @Test func `no bounds, steps or counts of a request make the search fall`() async throws {
    var extreme = [line(1, "now"), line(2, "later")]
    extreme.append(LogLine(Timestamp(nanoseconds: .min), "first of all", [("pod", "api-0")]))
    extreme.append(LogLine(Timestamp(nanoseconds: .max), "last of all", [("pod", "api-0")]))
    try await store(extreme, flushed: true)
    try await store(extreme)
    let bounds = [Int64.min, .min + 1, -1, 0, moment(2).nanoseconds, .max - 1, .max].map(Timestamp.init(nanoseconds:))

    for start in bounds {
      for end in bounds {
        let request = SearchRequest(text: "*", range: TimeRange(start: start, end: end))
        _ = try await fixture.rows("*", range: request.range)
        _ = try await fixture.rows("* | stream_context before 2 after 2", range: request.range)
        for step in [Int64(1), 60_000_000_000, .max] {
          _ = try await fixture.search.hits(request, step: step, field: "severity", scope: fixture.acme)
          _ = try await fixture.search.patternVolumes("*", request.range, step: step, scope: fixture.acme)
        }
        for order in PatternOrder.allCases {
          _ = try await fixture.search.patterns(request, limit: 10, order: order, scope: fixture.acme)
        }
        _ = try await fixture.search.fieldNames(request, scope: fixture.acme)
      }
    }
    let every = try await fixture.messages("*")
    #expect(every.count == 8)
    for row in try await fixture.rows("*") {
      let id = try #require(RecordID(row.text("_id")))
      _ = try await fixture.search.context(of: id, before: 3, after: 3, scope: fixture.acme)
    }
    _ = try await fixture.rows("*", limit: .max, offset: .max)
    for text in [
      "_time:day_range[08:00, 09:00)", "_time:week_range[Mon, Sun] offset 2h",
      "_time:day_range[00:00, 24:00) offset -3h",
    ] {
      _ = try await fixture.rows(text)
    }
    let hits = try await fixture.search.hits(
      SearchRequest(text: "*", range: .all), step: 60_000_000_000, field: nil, scope: fixture.acme)
    #expect(hits.series.first?.buckets.reduce(0) { $0 + $1.count } == 8)
    #expect(hits.series.first?.buckets.first?.start == Timestamp(nanoseconds: .min))
    await fixture.appliance.close()
  }

  @Test func `what the retention has ended is not shown, though its block is still there`() async throws {
    var options = StorageOptions()
    options.retentionNanoseconds = 3_600_000_000_000
    let fixture = try SearchFixture(options)
    try await fixture.appliance.store([line(-3_000, "older"), line(-10, "newer")], fixture.acme)
    try await fixture.appliance.flush(fixture.acme)
    #expect(try await fixture.messages("*").count == 2)

    fixture.appliance.time.advance(seconds: 1_000)
    #expect(try await fixture.messages("*") == ["newer"])
    #expect(try await fixture.messages("newer | stream_context before 5") == ["newer"])
    await fixture.appliance.close()
  }

  // MARK: Limits

  @Test func `a query past its deadline ends with a timeout`() async throws {
    try await store([line(1, "one")], flushed: true)
    let hurried = fixture.limited(seconds: 0)

    await #expect {
      try await hurried.prepare(SearchRequest(text: "one", range: .all), scope: fixture.acme).run { _ in }
    } throws: { error in
      guard case .timeout(seconds: 0)? = error as? SearchError else { return false }
      return true
    }
    let request = SearchRequest(text: "one", range: .all)
    let calls: [(SearchService) async throws -> Void] = [
      { _ = try await $0.hits(request, step: 1_000_000_000, field: nil, scope: fixture.acme) },
      { _ = try await $0.facets(request, limit: 5, scope: fixture.acme) },
      { _ = try await $0.fieldNames(request, scope: fixture.acme) },
      { _ = try await $0.fieldValues(request, field: "level", limit: 5, scope: fixture.acme) },
      { _ = try await $0.patterns(request, limit: 5, order: .count, scope: fixture.acme) },
      { _ = try await $0.explain(request, scope: fixture.acme) },
      {
        _ = try await $0.meaning(MeaningRequest(text: "one", range: .all, filter: "*", limit: 5), scope: fixture.acme)
      },
      {
        let id = RecordID(String(decoding: try await fixture.rows("one")[0]["_id"], as: UTF8.self))!
        _ = try await $0.context(of: id, before: 1, after: 1, scope: fixture.acme)
      },
    ]
    for call in calls {
      await #expect {
        try await call(hurried)
      } throws: { error in
        guard case .timeout(seconds: 0)? = error as? SearchError else { return false }
        return true
      }
    }
    await fixture.appliance.close()
  }

  @Test func `explain tells of each part what is known, in the order it is tried`() async throws {
    try await store(
      (0..<30).map { LogLine(moment(Int64($0)), "took \($0) ms", [("pod", "api-\($0 % 3)"), ("level", "info")]) },
      flushed: true)

    let explanation = try await fixture.search.explain(
      SearchRequest(text: #"took {pod="api-1"} | stats count() c"#, range: .all), scope: fixture.acme)

    #expect(explanation.query == #"took {pod="api-1"} | stats count() as c"#)
    #expect(explanation.filter.parts.map(\.text) == [#"{pod="api-1"}"#, "took"])
    #expect(explanation.filter.parts[0].known == "1 of 3 streams")
    #expect(explanation.filter.parts[1].known == "of 1 templates 1 always match, 0 by their variables")
    #expect(explanation.pipes == ["stats count() as c"])
    #expect(explanation.statistics.matched == 10)
    #expect(explanation.rowCount == 1)
    #expect(!explanation.stopsEarly)
    #expect(explanation.steps.map(\.name) == ["parse", "open", "plan", "run"])
    await fixture.appliance.close()
  }

  @Test func `a query that would hold too much says so`() async throws {
    try await store((0..<400).map { line(Int64($0), "line number \($0) with some text that is held") })
    let small = fixture.limited(byteCountMax: 10_000)

    func isTooLarge(_ error: any Error) -> Bool {
      if case .tooLarge? = error as? SearchError { return true }
      return false
    }
    await #expect {
      try await small.prepare(SearchRequest(text: "* | sort by (_msg)", range: .all), scope: fixture.acme).run { _ in }
    } throws: {
      isTooLarge($0)
    }
    await #expect {
      try await small.facets(SearchRequest(text: "* | fields *", range: .all), limit: 5, scope: fixture.acme)
    } throws: {
      isTooLarge($0)
    }
    await #expect {
      try await small.hits(
        SearchRequest(text: "*", range: .all), step: 1_000_000_000, field: "_msg", scope: fixture.acme)
    } throws: { isTooLarge($0) }
    await #expect {
      try await fixture.limited(byteCountMax: 100).patterns(
        SearchRequest(text: "*", range: .all), limit: 5, order: .count, scope: fixture.acme)
    } throws: { isTooLarge($0) }
    await #expect {
      try await small.fieldValues(SearchRequest(text: "*", range: .all), field: "_msg", limit: 5, scope: fixture.acme)
    } throws: { isTooLarge($0) }
    await fixture.appliance.close()
  }

  @Test func `what is wrong with a query is known before the first row`() async throws {
    for text in ["(", "a:~\"[\"", "* | nonsense", "* | extract_regexp \"(\"", "* | limit x"] {
      await #expect {
        _ = try await fixture.search.prepare(SearchRequest(text: text, range: .all), scope: fixture.acme)
      } throws: { error in
        guard case .syntax? = error as? SearchError else { return false }
        return true
      }
    }
    await fixture.appliance.close()
  }

  @Test func `an error of whoever takes the rows ends the query`() async throws {
    struct Gone: Error {}
    try await store([line(1, "one")])

    await #expect(throws: Gone.self) {
      try await fixture.search.prepare(SearchRequest(text: "*", range: .all), scope: fixture.acme).run { _ in
        throw Gone()
      }
    }
    await fixture.appliance.close()
  }

  @Test func `a cancelled query ends`() async throws {
    try await store([line(1, "one")], flushed: true)
    let prepared = try await fixture.search.prepare(SearchRequest(text: "*", range: .all), scope: fixture.acme)

    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await prepared.run { _ in }
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    await fixture.appliance.close()
  }

  // MARK: Queries within queries, meaning

  @Test func `a subquery's values stand in its place, within the request's time`() async throws {
    try await store([
      line(1, "order 17 failed"), line(2, "order 18 failed"),
      LogLine(moment(3), "alert", [("about", "order 17 failed")]),
      LogLine(moment(300), "alert", [("about", "order 18 failed")]),
    ])
    let text = #"_msg:in(about:* | fields about)"#

    #expect(try await fixture.messages(text).sorted() == ["order 17 failed", "order 18 failed"])
    let range = TimeRange(start: moment(0), end: moment(60))
    #expect(try await fixture.messages(text, range: range) == ["order 17 failed"])
    let lifted = #"_msg:in(options(ignore_global_time_filter=true) about:* | fields about)"#
    #expect(try await fixture.messages(lifted, range: range).count == 2)
    #expect(
      try await fixture.messages(
        "options(ignore_global_time_filter=true) failed", range: TimeRange(start: moment(2), end: moment(3))
      ).count == 2)
    #expect(try await fixture.messages(#"_msg:in(about:nothing | fields about)"#) == [])
    await fixture.appliance.close()
  }

  private var troubles: [LogLine] {
    [
      line(1, "connection to 10.0.0.7:5432 refused after 3 attempts", level: "error"),
      line(2, "connection to 10.0.0.9:5432 refused after 5 attempts", level: "error"),
      line(3, "user 17 signed in"), line(4, "disk usage at 91 percent", level: "warn"),
      line(5, "request took 17ms"), line(6, "could not reach the database", level: "error"),
    ]
  }

  @Test(arguments: [true, false])
  func `meaning puts the pattern that has every word first, one record a pattern`(flushed: Bool) async throws {
    try await store(troubles, flushed: flushed)

    let hits = try await fixture.search.meaning(
      MeaningRequest(text: "connection refused", range: .all, filter: "*", limit: 5), scope: fixture.acme)
    let first = try #require(hits.first)
    #expect(first.row.text("_msg") == "connection to 10.0.0.9:5432 refused after 5 attempts")
    #expect(first.duplicateCount == 2)
    #expect(first.match != .meaning)
    #expect(first.score == 1)
    #expect(hits.map(\.score) == hits.map(\.score).sorted(by: >))
    #expect(Set(hits.compactMap(\.pattern)).count == hits.count)
    #expect(hits.count <= 5)
    await fixture.appliance.close()
  }

  @Test func `a record with every word comes before one that is nearer as a whole`() async throws {
    let wordy =
      "nightly report for customers lists among many other things a timeout that some database had in the last week"
    try await store([line(1, wordy), line(2, "database timed out"), line(3, "user 17 signed in")])
    let index = try await fixture.appliance.index(fixture.acme)
    let nearest = try await index.nearest(to: "timeout database", limit: 3)
    // Else the words would decide nothing here.
    let map = try await index.current()
    let first = map.pattern(try #require(nearest.first).pattern)
    #expect(first?.text == "database timed out")

    let hits = try await fixture.search.meaning(
      MeaningRequest(text: "timeout database", range: .all, filter: "*", limit: 3), scope: fixture.acme)
    #expect(hits.first?.row.text("_msg") == wordy)
    await fixture.appliance.close()
  }

  @Test func `a hit's score is the sum of what its two ranks are worth`() async throws {
    try await store(troubles)
    let hits = try await fixture.search.meaning(
      MeaningRequest(text: "connection refused", range: .all, filter: "*", limit: 5), scope: fixture.acme)
    func worth(_ hit: MeaningHit) -> Double {
      (hit.wordRank.map { 2 / (60 + Double($0)) } ?? 0) + (hit.meaningRank.map { 1 / (60 + Double($0)) } ?? 0)
    }
    let best = worth(try #require(hits.first))
    #expect(hits.count > 1)
    for hit in hits { #expect(abs(hit.score - worth(hit) / best) < 1e-9) }
    await fixture.appliance.close()
  }

  @Test func `words of a question that say nothing need not stand in a record`() async throws {
    try await store(troubles)
    let hits = try await fixture.search.meaning(
      MeaningRequest(text: "where was a connection refused", range: .all, filter: "*", limit: 5), scope: fixture.acme)
    #expect(hits.first?.wordRank == 1)
    await fixture.appliance.close()
  }

  @Test(arguments: [true, false])
  func `of thousands of templates a phrase finds the same as of a few`(flushed: Bool) async throws {
    let kinds = [
      "Stop", "Order", "stopped", "o\u{308}rder", "user x9-order", "/var/order/log", "reorder", "STOP order",
    ]
    let lines = (0..<2_400).map { number in
      let (first, second) = (String(UnicodeScalar(97 + number % 26)!), String(UnicodeScalar(97 + number / 26 % 26)!))
      return line(
        Int64(number),
        "\(first)\(second)q \(kinds[number % kinds.count]) w\(String(number, radix: 36).filter(\.isLetter))z"
          + (number % 5 == 0 ? " id 17" : number % 7 == 0 ? " key a1-stop-b" : ""))
    }
    try await store(lines, flushed: flushed)
    let page = try await fixture.search.patterns(
      SearchRequest(text: "*", range: .all), limit: 1, order: .count, scope: fixture.acme)
    #expect(page.recordCount == 2_400)
    for phrase in ["stop", "Stop", "order", "stop order", "absent", "x9", "id 17", "key a1"] {
      for ignoresCase in [true, false] {
        let bytes = Array(phrase.utf8)
        let matcher = try ValueMatcher(ignoresCase ? .caseInsensitivePhrase(bytes) : .phrase(bytes))
        let expected = lines.map(\.message).filter { Array($0.utf8).withUnsafeBufferPointer(matcher.matches) }
        let found = try await fixture.messages("_msg:\(ignoresCase ? "i(\"\(phrase)\")" : "\"\(phrase)\"")")
        #expect(found.sorted() == expected.sorted(), "\(phrase) \(ignoresCase)")
      }
    }
    await fixture.appliance.close()
  }

  @Test func `meaning keeps to the filter and the time it is given`() async throws {
    try await store(troubles)

    let narrow = try await fixture.search.meaning(
      MeaningRequest(
        text: "connection refused", range: TimeRange(start: moment(0), end: moment(2)), filter: "*", limit: 5),
      scope: fixture.acme)
    #expect(narrow.first?.row.text("_msg") == "connection to 10.0.0.7:5432 refused after 3 attempts")
    #expect(narrow.first?.duplicateCount == 1)
    let filtered = try await fixture.search.meaning(
      MeaningRequest(text: "connection refused", range: .all, filter: "severity:warning", limit: 5), scope: fixture.acme
    )
    #expect(filtered.allSatisfy { $0.row.text("severity") == "warning" })
    await fixture.appliance.close()
  }

  @Test func `similar finds records whose pattern is near a text`() async throws {
    try await store(troubles)

    let found = try await fixture.messages(#"similar("login of a customer", 1)"#)
    #expect(found == ["user 17 signed in"])
    await fixture.appliance.close()
  }

  @Test(arguments: [true, false])
  func `similar looks among the records that the rest of the query lets pass`(flushed: Bool) async throws {
    try await store(
      (0..<40).map { line(Int64($0), "user \($0) \(["signed in", "signed out", "logged in"][$0 % 3])") }
        + [line(50, "disk usage at 91 percent", level: "warn")], flushed: flushed)

    for filter in ["severity:warning", "_time:[2027-01-15T08:00:45Z, 2027-01-15T09:00:00Z]"] {
      let found = try await fixture.messages(#"\#(filter) similar("user signed in", 1)"#)
      #expect(found == ["disk usage at 91 percent"], "\(filter)")
    }
    #expect(try await fixture.messages(#"severity:critical similar("user signed in", 1)"#) == [])
    let hits = try await fixture.search.meaning(
      MeaningRequest(text: "user signed in", range: .all, filter: "severity:warning", limit: 1), scope: fixture.acme)
    #expect(hits.map { $0.row.text("_msg") } == ["disk usage at 91 percent"])
    #expect(hits.first?.wordRank == nil)
    #expect(hits.first?.meaningRank == 1)
    await fixture.appliance.close()
  }

  // MARK: Similar to a record

  @Test(arguments: [true, false])
  func `records like one are the newest of the patterns near its own`(flushed: Bool) async throws {
    try await store(
      troubles + [
        line(7, "connection to the database was refused", level: "error"), line(8, "connection lost to the database"),
      ], flushed: flushed)
    let rows = try await fixture.rows("_msg:refused _msg:attempts")
    let id = try #require(rows.first.flatMap { RecordID($0.text("_id")) })
    func similar(_ filter: String = "*", _ range: TimeRange = .all, limit: Int = 5) async throws -> [MeaningHit]? {
      try await fixture.search.similar(to: id, range: range, filter: filter, limit: limit, scope: fixture.acme)
    }

    let hits = try #require(try await similar())
    #expect(hits.first?.row.text("_msg") == "connection to the database was refused")
    #expect(hits.map(\.score) == hits.map(\.score).sorted(by: >))
    #expect(hits.allSatisfy { $0.score <= 1 && !$0.row.text("_msg").contains("attempts") })
    #expect(hits.compactMap(\.meaningRank) == Array(1...hits.count))
    let informed = try #require(try await similar("severity:info", limit: 1))
    #expect(informed.map { $0.row.text("_msg") } == ["connection lost to the database"])
    let late = try #require(try await similar("*", TimeRange(start: moment(8), end: moment(9))))
    #expect(late.map { $0.row.text("_msg") } == ["connection lost to the database"])
    #expect(try await similar("severity:critical")?.isEmpty == true)
    let unknown = RecordID(time: moment(500), stream: id.stream, messageChecksum: id.messageChecksum)
    #expect(
      try await fixture.search.similar(to: unknown, range: .all, filter: "*", limit: 5, scope: fixture.acme) == nil)
    #expect(
      try await fixture.search.similar(to: id, range: .all, filter: "*", limit: 5, scope: fixture.globex) == nil)
    await fixture.appliance.close()
  }

  // MARK: Patterns

  @Test func `patterns are listed by count, rarity, age and growth`() async throws {
    try await store(
      (0..<9).map { line(Int64($0), "common \($0)") } + [line(-50, "rare 1"), line(5, "rare 2")]
        + (0..<4).map { line(40 + Int64($0), "risen \($0)") })
    let range = TimeRange(start: moment(0), end: moment(60))

    func texts(_ order: PatternOrder) async throws -> [String] {
      try await fixture.search.patterns(
        SearchRequest(text: "*", range: range), limit: 3, order: order, scope: fixture.acme
      )
      .patterns.map { String($0.pattern.text.prefix { $0 != " " }) }
    }
    #expect(try await texts(.count) == ["common", "risen", "rare"])
    #expect(try await texts(.rare) == ["rare", "risen", "common"])
    #expect(try await texts(.new) == ["risen", "common", "rare"])
    #expect(try await texts(.rising) == ["common", "risen", "rare"])
    let page = try await fixture.search.patterns(
      SearchRequest(text: "*", range: range), limit: 1, order: .rare, scope: fixture.acme)
    #expect(page.patterns.first?.previousCount == 1)
    #expect(page.patternCount == 3)
    #expect(page.recordCount == 14)
    await fixture.appliance.close()
  }

  @Test func `a window of any width has a bounded number of steps`() {
    for (start, end) in [(Int64.min, Int64.max), (0, 1), (-1, .max), (.min, .min), (0, 60_000_000_000 * 10_080)] {
      for step in [nil, 1, 60_000_000_000, Int64.max] as [Int64?] {
        let grid = TimeGrid(start: start, end: end, step: step)
        #expect(grid.step > 0)
        #expect(grid.stepCount <= TimeGrid.stepsMax + 1)
        #expect(grid.bucket(start) == 0)
        #expect(grid.bucket(.min) == 0)
        #expect(grid.bucket(end) <= grid.stepCount)
      }
    }
    let grid = TimeGrid(start: 5, end: 25, step: 10)
    #expect(grid.stepCount == 3)
    #expect([0, 9, 10, 24].map(grid.bucket) == [0, 0, 1, 2])
    #expect(grid.times(ofBucket: 1) == 10..<20)
  }
}
