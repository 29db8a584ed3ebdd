import Domain
import LogQuery
import TestSupport
import Testing

@testable import Search

/// Random records, half of them in blocks, half in the head, and random filters: what the search answers is held
/// against a plain look at every row.
@Suite struct ReferenceTests {
  private static let seed: UInt64 = 20_270_115

  private struct World {
    let fixture: SearchFixture
    /// Every row.
    let rows: [SearchRow]

    /// The rows that a plain look at each finds.
    func expected(_ filter: String) throws -> [SearchRow] {
      let parsed = try QueryParser(now: fixture.appliance.time.now).parseFilter(filter)
      let matcher = try RecordMatcher(parsed)
      return rows.filter { matcher.matches($0) }
    }
  }

  private static func world(count: Int = 180) async throws -> World {
    let fixture = try SearchFixture()
    var generator = RecordGenerator(seed: seed)
    var lines = (0..<count).map { _ in generator.line(second: 0) }
    // Out of order, some at the same moment.
    for index in lines.indices {
      lines[index].time = moment(Int64(generator.random.below(count)), nanoseconds: lines[index].time.nanoseconds % 3)
    }
    try await fixture.appliance.store(Array(lines[..<(count / 3)]), fixture.acme)
    try await fixture.appliance.store(Array(lines[(count / 3)..<(count / 2)]), fixture.acme)
    try await fixture.appliance.flush(fixture.acme)
    for start in stride(from: count / 2, to: count, by: 31) {
      try await fixture.appliance.store(Array(lines[start..<min(count, start + 31)]), fixture.acme)
    }
    // Another tenant with the like: none of it may ever be seen.
    try await fixture.appliance.store((0..<20).map { generator.line(second: Int64($0)) }, fixture.globex)
    let rows = try await fixture.rows("*")
    return World(fixture: fixture, rows: rows)
  }

  /// Times sort as moments, not as text: fractions have no trailing zeros.
  private static func time(_ row: SearchRow) -> Int64 {
    row["_time"].withUnsafeBufferPointer { FieldNumber.timestamp($0)?.nanoseconds ?? .min }
  }

  /// Rows in an order of no meaning, to be held against each other.
  private static func bag(_ rows: [SearchRow]) -> [String] {
    rows.map { row in
      row.fields.map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" }.joined(separator: "\u{1}")
    }.sorted()
  }

  @Test func `every record is there once, as it was sent`() async throws {
    let world = try await Self.world()

    #expect(world.rows.count == 180)
    for row in world.rows {
      #expect(row.fields.prefix(6).map(\.name) == ["_time", "_msg", "_stream", "_stream_id", "_id", "severity"])
    }
    #expect(world.rows.contains { row in row.fields.filter { $0.name == "dup" }.count == 2 })
    await world.fixture.appliance.close()
  }

  @Test func `filters find what a plain look at every record finds, newest first where asked for a few`() async throws {
    let world = try await Self.world()
    var generator = RecordGenerator(seed: Self.seed &+ 1)
    var foundCount = 0
    for round in 0..<260 {
      let filter = generator.filter()
      let expected = try world.expected(filter)
      let label = "round \(round), seed \(Self.seed): \(filter)"
      if !expected.isEmpty, expected.count < world.rows.count { foundCount += 1 }

      let all = try await world.fixture.rows(filter)
      #expect(Self.bag(all) == Self.bag(expected), "\(label)")

      let limit = 1 + generator.random.below(12)
      let offset = generator.random.oneIn(2) ? 0 : generator.random.below(9)
      let some = try await world.fixture.rows(filter, limit: limit, offset: offset)
      let times = expected.map(Self.time).sorted(by: >).dropFirst(offset).prefix(limit)
      #expect(some.map(Self.time) == Array(times), "\(label), limit \(limit), offset \(offset)")
      var left = Self.bag(expected)
      for row in Self.bag(some) {
        let index = left.firstIndex(of: row)
        #expect(index != nil, "\(label): a row that does not match, or twice")
        if let index { left.remove(at: index) }
      }
      if Self.bag(all) != Self.bag(expected) { break }
    }
    // Filters that find all or nothing prove little.
    #expect(foundCount > 80)
    await world.fixture.appliance.close()
  }

  @Test func `a time range of the request narrows every filter, at its very bounds too`() async throws {
    let world = try await Self.world()
    var generator = RecordGenerator(seed: Self.seed &+ 2)
    for round in 0..<40 {
      let filter = round % 3 == 0 ? "*" : generator.filter(depth: 1)
      let times = world.rows.map(Self.time)
      let bounds = [generator.random.pick(times), generator.random.pick(times)].sorted()
      let range = TimeRange(start: Timestamp(nanoseconds: bounds[0]), end: Timestamp(nanoseconds: bounds[1]))
      let expected = try world.expected(filter).filter { range.contains(Timestamp(nanoseconds: Self.time($0))) }

      let label = "round \(round), seed \(Self.seed): \(filter) in \(range)"
      #expect(Self.bag(try await world.fixture.rows(filter, range: range)) == Self.bag(expected), "\(label)")
      let hits = try await world.fixture.search.hits(
        SearchRequest(text: filter, range: range), step: 60_000_000_000, field: nil, scope: world.fixture.acme)
      #expect(hits.series.reduce(0) { $0 + $1.buckets.reduce(0) { $0 + $1.count } } == expected.count, "\(label)")
      #expect(hits.statistics.matched == expected.count, "\(label)")
    }
    await world.fixture.appliance.close()
  }

  // MARK: Counts

  private static func naiveCounts(_ rows: [SearchRow], _ field: String) -> [String: Int] {
    var counts: [String: Int] = [:]
    for row in rows where !row.text(field).isEmpty { counts[row.text(field), default: 0] += 1 }
    return counts
  }

  private static func filters(_ seed: UInt64) -> [String] {
    var generator = RecordGenerator(seed: seed)
    return ["*", "took", "severity:error", #"{pod="api-0"}"#] + (0..<8).map { _ in generator.filter(depth: 1) }
  }

  @Test func `pipes that count find in columns what the rows themselves give them`() async throws {
    let world = try await Self.world()
    let pipes = [
      "stats count() as n", "stats by (severity) count() as n", "stats by (pod) count() as n, count(user) as u",
      "stats by (severity, dup) count() as n, count_uniq(pod) as pods", "stats by (_time:1m) count() as n",
      "stats by (_time:1m offset 7s, severity) count() as n", "stats by (_stream) count() as n, max(size) as m",
      "stats by (absent) count() as n", "stats by (user) count() if (severity:error) as n, uniq_values(pod) as pods",
      "stats by (template) count() as n", "top 3 by (pod)", "top 5 by (template, severity)",
      "uniq by (severity, pod) with hits", "stats by (_time) count() as n", "stats by (_msg) count() as n",
      "stats by (dup) sum_len(user) as l, count_empty(size) as e",
    ]
    // What no record carries and pipes may ask for.
    var templates: [[UInt8]: [UInt8]] = [:]
    for row in try await world.fixture.rows("* | fields _id, template") { templates[row["_id"]] = row["template"] }
    for filter in Self.filters(11) {
      let expected = try world.expected(filter)
      for pipe in pipes {
        let query = try QueryParser(now: world.fixture.appliance.time.now).parse("* | \(pipe)")
        var byHand: [SearchRow] = []
        let chain = try PipeChain(query.pipes, options: PipeOptions(now: world.fixture.appliance.time.now)) {
          byHand.append($0)
          return true
        }
        for var row in expected {
          // Pipes see the first field of a name.
          var seen: Set<String> = []
          row.fields.removeAll { !seen.insert($0.name).inserted }
          row["template"] = templates[row["_id"]] ?? []
          _ = try chain.push(row)
        }
        try chain.finish()
        let found = try await world.fixture.rows("\(filter) | \(pipe)")
        #expect(Self.bag(found) == Self.bag(byHand), "\(filter) | \(pipe)")
      }
    }
    await world.fixture.appliance.close()
  }

  @Test func `histograms equal counts by hand, for every field and step`() async throws {
    let world = try await Self.world()
    for filter in Self.filters(5) {
      let expected = try world.expected(filter)
      for (field, step) in [
        (nil, 60_000_000_000), ("severity", 60_000_000_000), ("severity", 7_000_000_000), ("user", 60_000_000_000),
        ("dup", 1_000_000_000), ("absent", 3_600_000_000_000), ("_stream", 60_000_000_000), ("size", 60_000_000_000),
      ] as [(String?, Int64)] {
        var counts: [String: [Int64: Int]] = [:]
        for row in expected {
          counts[field.map { row.text($0) } ?? "", default: [:]][
            Self.time(row).floorDivided(by: step) * step, default: 0] += 1
        }
        for pipes in ["", " | fields *"] {
          let hits = try await world.fixture.search.hits(
            SearchRequest(text: filter + pipes, range: .all), step: step, field: field, scope: world.fixture.acme)
          let found = Dictionary(
            uniqueKeysWithValues: hits.series.map { series in
              (
                String(decoding: series.value, as: UTF8.self),
                Dictionary(uniqueKeysWithValues: series.buckets.map { ($0.start.nanoseconds, $0.count) })
              )
            })
          #expect(found == counts, "\(filter)\(pipes) by \(field ?? "nothing") each \(step)")
          #expect(hits.statistics.matched == expected.count, "\(filter)\(pipes)")
          #expect(hits.series.allSatisfy { $0.buckets.map(\.start) == $0.buckets.map(\.start).sorted() })
        }
      }
    }
    await world.fixture.appliance.close()
  }

  @Test func `values of a field equal counts by hand`() async throws {
    let world = try await Self.world()
    for filter in Self.filters(6) {
      let expected = try world.expected(filter)
      for field in ["user", "dup", "severity", "trace", "_msg", "_stream", "absent", "size", "kubernetes.pod_name"] {
        for pipes in ["", " | fields *"] {
          let values = try await world.fixture.search.fieldValues(
            SearchRequest(text: filter + pipes, range: .all), field: field, limit: 1000, scope: world.fixture.acme)
          let found = Dictionary(
            uniqueKeysWithValues: values.map { (String(decoding: $0.value, as: UTF8.self), $0.hits) })
          #expect(found == Self.naiveCounts(expected, field), "\(filter)\(pipes) of \(field)")
          #expect(values.map(\.hits) == values.map(\.hits).sorted(by: >))
        }
      }
      // A short name stands for what it is short for.
      for pipes in ["", " | fields *"] {
        let values = try await world.fixture.search.fieldValues(
          SearchRequest(text: filter + pipes, range: .all), field: "pod", limit: 10, scope: world.fixture.acme)
        let found = Dictionary(
          uniqueKeysWithValues: values.map { (String(decoding: $0.value, as: UTF8.self), $0.hits) })
        #expect(found == Self.naiveCounts(expected, "kubernetes.pod_name"), "\(filter)\(pipes)")
      }
    }
    let two = try await world.fixture.search.fieldValues(
      SearchRequest(text: "*", range: .all), field: "level", limit: 2, scope: world.fixture.acme)
    #expect(two.count == 2)
    await world.fixture.appliance.close()
  }

  @Test func `names of fields equal counts by hand`() async throws {
    let world = try await Self.world()
    for filter in Self.filters(7) {
      let expected = try world.expected(filter)
      var counts: [String: Int] = [:]
      for row in expected { for name in Set(row.fields.map(\.name)) { counts[name, default: 0] += 1 } }
      for pipes in ["", " | fields *"] {
        let names = try await world.fixture.search.fieldNames(
          SearchRequest(text: filter + pipes, range: .all), scope: world.fixture.acme)
        let found = Dictionary(uniqueKeysWithValues: names.map { (String(decoding: $0.value, as: UTF8.self), $0.hits) })
        #expect(found.filter { $0.value > 0 } == counts, "\(filter)\(pipes)")
      }
    }
    await world.fixture.appliance.close()
  }

  @Test func `facets equal counts by hand`() async throws {
    let world = try await Self.world()
    for filter in Self.filters(8) {
      let expected = try world.expected(filter)
      var counts: [String: [String: Int]] = [:]
      for row in expected {
        for name in Set(row.fields.map(\.name)) where !["_time", "_msg", "_stream", "_stream_id", "_id"].contains(name)
        {
          let value = row.text(name)
          if !value.isEmpty { counts[name, default: [:]][value, default: 0] += 1 }
        }
      }
      let facets = try await world.fixture.search.facets(
        SearchRequest(text: filter, range: .all), limit: 1000, scope: world.fixture.acme)
      let found = Dictionary(
        uniqueKeysWithValues: facets.map { facet in
          (
            facet.name,
            Dictionary(uniqueKeysWithValues: facet.values.map { (String(decoding: $0.value, as: UTF8.self), $0.hits) })
          )
        })
      #expect(found == counts, "\(filter)")
      if !facets.isEmpty { #expect(facets[0].name == "severity") }
    }
    await world.fixture.appliance.close()
  }

  @Test func `patterns' counts add up to the records, by step, stream and in all`() async throws {
    let world = try await Self.world()
    for filter in Self.filters(9) {
      let expected = try world.expected(filter)
      let request = SearchRequest(text: filter, range: .all)
      let page = try await world.fixture.search.patterns(
        request, limit: 10_000, order: .count, scope: world.fixture.acme)
      #expect(page.recordCount == expected.count, "\(filter)")
      #expect(page.patternCount == page.patterns.count)
      #expect(page.patterns.map(\.count) == page.patterns.map(\.count).sorted(by: >))
      let times = expected.map(Self.time)
      for entry in page.patterns {
        #expect(entry.counts.reduce(0, +) == entry.count, "\(filter): \(entry.pattern.text)")
        #expect(expected.contains { $0["_msg"] == entry.sample })
        #expect(times.contains(entry.pattern.firstSeen.nanoseconds) || entry.pattern.firstSeen < moment(1_000))
      }
      var bySteps = [Int](repeating: 0, count: page.patterns.first?.counts.count ?? 0)
      for entry in page.patterns { for (step, count) in entry.counts.enumerated() { bySteps[step] += count } }
      var naive = [Int](repeating: 0, count: bySteps.count)
      for time in times { naive[Int((time - page.range.start.nanoseconds) / page.step)] += 1 }
      #expect(bySteps == naive, "\(filter)")

      let volumes = try await world.fixture.search.patternVolumes(
        filter, .all, step: 30_000_000_000, scope: world.fixture.acme)
      #expect(volumes.entries.reduce(0) { $0 + $1.count } == expected.count)
      for entry in volumes.entries {
        let byStream = Dictionary(
          uniqueKeysWithValues: entry.streams.map { number, count in
            (String(decoding: volumes.streams[number]?.description ?? [], as: UTF8.self), count)
          })
        #expect(entry.series.reduce(0, +) == entry.count)
        // Each record once under the number it can be found by.
        let own = try await world.fixture.rows("\(filter) pattern:=\(entry.pattern.number)")
        #expect(own.count == entry.count)
        #expect(byStream == Self.naiveCounts(own, "_stream"))
        #expect(own.map(Self.time).min() == entry.first.nanoseconds)
        #expect(own.map(Self.time).max() == entry.last.nanoseconds)
        // The most serious that at least a tenth of them reach.
        let levels = own.compactMap { Severity(name: $0.text("severity")) }
        #expect(Severity.allCases.last { level in levels.count { $0 >= level } * 10 >= own.count } == entry.severity)
      }
    }
    await world.fixture.appliance.close()
  }
}
