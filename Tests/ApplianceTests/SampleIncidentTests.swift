import Domain
import LogParsing
import Testing

@testable import Appliance

@Suite struct SampleIncidentTests {
  private static let end = Timestamp(seconds: 1_800_000_000)

  private func bodies(_ recordCount: Int, end: Timestamp = end) async -> [[UInt8]] {
    var sample = SampleIncident(end: end)
    sample.recordCount = recordCount
    var bodies: [[UInt8]] = []
    await sample.generate { bodies.append($0) }
    return bodies
  }

  /// The records of a sample, as the ingest reads them.
  private func records(_ recordCount: Int) async throws -> [(time: Timestamp, severity: Severity, message: String)] {
    let body = await bodies(recordCount).flatMap(\.self)
    let result = body.withUnsafeBufferPointer {
      JSONLinesParser(options: .init(now: Self.end)).parse($0)
    }
    try #require(result.rejectedCount == 0, "\(result.rejections.map(\.description))")
    return (0..<result.records.count).map { row in
      (
        Timestamp(nanoseconds: result.records.times[row]), result.records.severities[row],
        String(decoding: result.records.bytes[result.records.messages[row].range], as: UTF8.self)
      )
    }
  }

  @Test func `the same seed gives the same bytes, and another hour only other times`() async throws {
    let first = await bodies(2000)

    #expect(await bodies(2000) == first)
    let later = await bodies(2000, end: Self.end.advanced(byNanoseconds: 3_600_000_000_000))
    #expect(later != first)
    let messages = { (bodies: [[UInt8]]) in
      bodies.flatMap { $0.split(separator: UInt8(ascii: ",")).filter { $0.starts(with: "\"log\"".utf8) } }
    }
    #expect(messages(later) == messages(first))
  }

  @Test(arguments: [1000, 4321, 12_000])
  func `there are as many records as were asked for, all taken by the ingest's parser`(count: Int) async throws {
    #expect(try await records(count).count == count)
    let bodies = await bodies(count)
    #expect(bodies.allSatisfy { $0.last == UInt8(ascii: "\n") })
  }

  @Test func `records come in the order of time, over three hours up to the end`() async throws {
    let times = try await records(8000).map(\.time)

    #expect(times == times.sorted())
    let sample = SampleIncident(end: Self.end)
    let first = try #require(times.first), last = try #require(times.last)
    #expect(first >= Self.end.advanced(byNanoseconds: -3 * 3_600_000_000_000))
    #expect(last <= Self.end)
    #expect(sample.deployment > first && sample.deployment < last)
  }

  @Test func `the incident is in it: after the rollout and not before, and it ends`() async throws {
    let records = try await records(20_000)
    let deployment = SampleIncident(end: Self.end).deployment
    func times(_ words: String) -> [Timestamp] { records.filter { $0.message.contains(words) }.map(\.time) }

    #expect(times("rollout started").count == 1)
    #expect(times("rollout started").first.map { abs($0.nanoseconds - deployment.nanoseconds) < 1_000_000 } == true)
    #expect(times("effective configuration").count == 1)
    for words in ["charge failed", "checkout failed", "connection pool exhausted", "circuit breaker opened"] {
      let times = times(words)
      #expect(!times.isEmpty, "\(words)")
      #expect(times.allSatisfy { $0 > deployment }, "\(words)")
      #expect(times.allSatisfy { $0 < Self.end.advanced(byNanoseconds: -60_000_000_000) }, "\(words)")
    }
    let isBad: (Severity) -> Bool = { $0 == .error || $0 == .critical }
    let before = records.filter { $0.time < deployment }
    let after = records.filter { $0.time >= deployment }
    let share = { (part: [(time: Timestamp, severity: Severity, message: String)]) in
      Double(part.count { isBad($0.severity) }) / Double(part.count)
    }
    #expect(share(after) > 10 * share(before))
    #expect(share(before) < 0.02)
  }
}
