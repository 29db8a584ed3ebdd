import Domain
import LogQuery
import TestSupport
import Testing

@testable import Search

/// Counts by the minute, held against a plain look at the rows.
@Suite struct MinuteVolumesTests {
  private static let seed: UInt64 = 20_270_116
  private static let seconds = 600

  /// Records of ten minutes, out of order: half in blocks and half in the head, or all in one of them.
  private static func world(_ place: Place, count: Int = 240) async throws -> SearchFixture {
    let fixture = try SearchFixture()
    var generator = RecordGenerator(seed: seed)
    let lines = (0..<count).map { _ in generator.line(second: Int64(generator.random.below(seconds))) }
    switch place {
    case .head: try await fixture.appliance.store(lines, fixture.acme)
    case .blocks:
      try await fixture.appliance.store(lines, fixture.acme)
      try await fixture.appliance.flush(fixture.acme)
    case .both:
      try await fixture.appliance.store(Array(lines[..<(count / 2)]), fixture.acme)
      try await fixture.appliance.flush(fixture.acme)
      try await fixture.appliance.store(Array(lines[(count / 2)...]), fixture.acme)
    }
    // Another tenant's are not counted.
    try await fixture.appliance.store((0..<20).map { generator.line(second: Int64($0)) }, fixture.globex)
    return fixture
  }

  enum Place: CaseIterable, Sendable { case head, blocks, both }

  private static func minute(_ row: SearchRow) -> Int64 {
    let time = row["_time"].withUnsafeBufferPointer { FieldNumber.timestamp($0)?.nanoseconds ?? .min }
    return time.floorDivided(by: 60_000_000_000)
  }

  private struct Key: Hashable {
    var minute: Int64
    var stream: String
  }

  @Test(arguments: Place.allCases)
  func `they add up to the records of any window and filter, minute by minute and stream by stream`(
    place: Place
  ) async throws {
    let fixture = try await Self.world(place)
    var generator = RecordGenerator(seed: Self.seed &+ 1)
    var foundCount = 0
    for round in 0..<40 {
      let filter = round < 10 ? "*" : generator.filter()
      let bounds = [generator.random.below(Self.seconds), generator.random.below(Self.seconds)].sorted()
      let range =
        round == 0 ? .all : TimeRange(start: moment(Int64(bounds[0])), end: moment(Int64(bounds[1]), nanoseconds: 1))
      let label = "round \(round), seed \(Self.seed): \(filter) from \(bounds[0]) to \(bounds[1])"
      let rows = try await fixture.rows(filter, range: range)

      let volumes = try await fixture.search.minuteVolumes(filter, range, scope: fixture.acme)

      if !rows.isEmpty { foundCount += 1 }
      #expect(volumes.recordCount == rows.count, "\(label)")
      var expected: [Key: Int] = [:]
      for row in rows { expected[Key(minute: Self.minute(row), stream: row.text("_stream")), default: 0] += 1 }
      var counted: [Key: Int] = [:]
      for volume in volumes.volumes {
        let stream = try #require(volumes.streams[volume.stream], "\(label)")
        counted[Key(minute: volume.minute, stream: String(decoding: stream.description, as: UTF8.self)), default: 0] +=
          Int(volume.count)
        #expect(volumes.patterns[volume.pattern] != nil, "\(label)")
        #expect(volume.count > 0, "\(label)")
      }
      #expect(counted == expected, "\(label)")
    }
    #expect(foundCount > 15)
    await fixture.appliance.close()
  }

  @Test func `each minute, stream and pattern comes once, in this order`() async throws {
    let fixture = try await Self.world(.both)

    let volumes = try await fixture.search.minuteVolumes("*", .all, scope: fixture.acme).volumes

    let keys = volumes.map { [Int64($0.minute), Int64($0.stream), Int64($0.pattern)] }
    #expect(Set(keys).count == keys.count)
    #expect(keys.sorted { $0.lexicographicallyPrecedes($1) } == keys)
    await fixture.appliance.close()
  }

  @Test func `by pattern they are what a query for the pattern counts`() async throws {
    let fixture = try await Self.world(.both)
    let volumes = try await fixture.search.minuteVolumes("*", .all, scope: fixture.acme)
    var counts: [UInt32: Int] = [:]
    for volume in volumes.volumes { counts[volume.pattern, default: 0] += Int(volume.count) }

    #expect(counts.count > 3)
    for (pattern, count) in counts {
      #expect(try await fixture.rows("pattern:=\(pattern)").count == count, "pattern \(pattern)")
    }
    await fixture.appliance.close()
  }

  @Test func `moments at either end of time have their minutes`() async throws {
    let fixture = try SearchFixture()
    let ends = [Int64.min, -1, 0, 59_999_999_999, 60_000_000_000, Int64.max - 1].map { Timestamp(nanoseconds: $0) }
    try await fixture.appliance.store(ends.map { LogLine($0, "at an end", [("pod", "api-0")]) }, fixture.acme)

    let volumes = try await fixture.search.minuteVolumes("*", .all, scope: fixture.acme).volumes

    #expect(volumes.map(\.minute) == [Int64.min / 60_000_000_000 - 1, -1, 0, 1, Int64.max / 60_000_000_000])
    #expect(volumes.map(\.count) == [1, 1, 2, 1, 1])
    await fixture.appliance.close()
  }
}
