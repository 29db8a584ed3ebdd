import Domain
import TestSupport
import Testing

@testable import Search

@Suite struct PatternRecordsTests {
  /// A record a second of either pod, in blocks and in the head, with an error each ten seconds.
  private static func world() async throws -> SearchFixture {
    let fixture = try SearchFixture()
    func lines(_ seconds: Range<Int>) -> [LogLine] {
      seconds.map { second in
        LogLine(
          moment(Int64(second)),
          second % 10 == 0 ? "connection refused after \(second) ms" : "request \(second) served",
          [("pod", "api-\(second % 2)"), ("number", "\(second)")])
      }
    }
    try await fixture.appliance.store(lines(0..<60), fixture.acme)
    try await fixture.appliance.flush(fixture.acme)
    try await fixture.appliance.store(lines(60..<120), fixture.acme)
    return fixture
  }

  private struct Numbers {
    var streams: [String: UInt32] = [:]
    var refused: UInt32 = 0
  }

  private static func numbers(_ fixture: SearchFixture) async throws -> Numbers {
    let volumes = try await fixture.search.minuteVolumes("*", .all, scope: fixture.acme)
    var numbers = Numbers()
    for (number, stream) in volumes.streams {
      numbers.streams[String(decoding: stream.label("pod") ?? [], as: UTF8.self)] = number
    }
    numbers.refused = try #require(volumes.patterns.first { $0.value.text.contains("refused") }).key
    return numbers
  }

  private static func records(
    _ fixture: SearchFixture, _ pattern: UInt32?, _ streams: Set<UInt32>, _ range: TimeRange = .all, first: Int,
    last: Int
  ) async throws -> [String] {
    try await fixture.search.records(
      ofPattern: pattern, streams: streams, range: range, first: first, last: last, scope: fixture.acme
    ).map { $0.text("number") }
  }

  @Test func `the first and the last records of a pattern come in the order of time`() async throws {
    let fixture = try await Self.world()
    let numbers = try await Self.numbers(fixture)
    let all = Set(numbers.streams.values)

    #expect(try await Self.records(fixture, numbers.refused, all, first: 2, last: 2) == ["0", "10", "100", "110"])
    #expect(try await Self.records(fixture, numbers.refused, all, first: 0, last: 1) == ["110"])
    #expect(try await Self.records(fixture, numbers.refused, all, first: 1, last: 0) == ["0"])
    #expect(try await Self.records(fixture, nil, all, first: 2, last: 1) == ["0", "1", "119"])
    await fixture.appliance.close()
  }

  @Test func `where the first ones are the last ones each comes once`() async throws {
    let fixture = try await Self.world()
    let numbers = try await Self.numbers(fixture)
    let window = TimeRange(start: moment(10), end: moment(31))

    let found = try await Self.records(
      fixture, numbers.refused, Set(numbers.streams.values), window, first: 2, last: 2)

    #expect(found == ["10", "20", "30"])
    await fixture.appliance.close()
  }

  @Test func `only the streams that were named are looked at`() async throws {
    let fixture = try await Self.world()
    let numbers = try await Self.numbers(fixture)
    let odd = try #require(numbers.streams["api-1"])

    #expect(try await Self.records(fixture, nil, [odd], first: 2, last: 1) == ["1", "3", "119"])
    #expect(try await Self.records(fixture, numbers.refused, [odd], first: 2, last: 2) == [])
    #expect(try await Self.records(fixture, nil, [], first: 2, last: 2) == [])
    let others = try await fixture.search.records(
      ofPattern: nil, streams: [odd], range: .all, first: 2, last: 2, scope: fixture.globex)
    #expect(others.isEmpty)
    await fixture.appliance.close()
  }
}
