import Domain
import Search
import Storage
import TestSupport
import Testing

@testable import Ingest

@Suite struct IngestServiceTests {
  private let appliance: TestAppliance
  private let ingest: IngestService

  init() throws {
    appliance = try TestAppliance()
    ingest = Self.service(appliance)
  }

  private static func service(
    _ appliance: TestAppliance, bodyByteCountMax: Int = 1 << 20, retentionNanoseconds: Int64? = nil
  ) -> IngestService {
    IngestService(
      pool: appliance.pool,
      limits: IngestLimits(
        bodyByteCountMax: bodyByteCountMax, lineByteCountMax: 1 << 16, fieldCountMax: 20,
        retentionNanoseconds: retentionNanoseconds),
      executor: globalConcurrentExecutor, now: appliance.now,
      didOpen: { [indexes = appliance.indexes] in indexes.follow($0) })
  }

  private func messages(_ scope: TenantScope, _ query: String = "*") async throws -> [String] {
    let search = SearchService(
      pool: appliance.pool, indexes: appliance.indexes, limits: SearchLimits(seconds: 30, byteCountMax: 1 << 26),
      executor: globalConcurrentExecutor, now: appliance.now)
    var found: [String] = []
    try await search.prepare(SearchRequest(text: query, range: .all), scope: scope).run { rows in
      found += rows.map { String(decoding: $0["_msg"], as: UTF8.self) }
    }
    return found.sorted()
  }

  private func line(_ message: String, secondsAgo: Int64 = 0) -> LogLine {
    LogLine(appliance.time.now.advanced(byNanoseconds: -secondsAgo * 1_000_000_000), message, [("level", "info")])
  }

  @Test func `a receipt counts what was taken, and what was taken is there for its tenant alone`() async throws {
    let receipt = try await ingest.take([line("one"), line("two")].ndjson, encoding: .identity, scope: appliance.acme)

    #expect(receipt.acceptedCount == 2)
    #expect(receipt.rejectedCount == 0)
    #expect(try await messages(appliance.acme) == ["one", "two"])
    #expect(try await messages(appliance.globex) == [])
    await appliance.close()
  }

  @Test(arguments: Packed.allCases)
  func `packed bodies are taken like plain ones`(packed: Packed) async throws {
    let body = packed.pack([line("one"), line("two")].ndjson)

    let receipt = try await ingest.take(body, encoding: packed.encoding, scope: appliance.acme)
    #expect(receipt.acceptedCount == 2)
    #expect(try await messages(appliance.acme) == ["one", "two"])
    await appliance.close()
  }

  @Test func `a bad line is told by its number and spoils no neighbor`() async throws {
    let body = Array((line("one").json + "\n{\"broken\n" + line("two").json + "\n\n42\n" + line("three").json).utf8)

    let receipt = try await ingest.take(body, encoding: .identity, scope: appliance.acme)
    #expect(receipt.acceptedCount == 3)
    #expect(receipt.rejectedCount == 2)
    #expect(receipt.rejections.map(\.line) == [2, 5])
    #expect(receipt.rejections.allSatisfy { !$0.reason.isEmpty })
    #expect(try await messages(appliance.acme) == ["one", "three", "two"])
    await appliance.close()
  }

  @Test func `all rejections are counted and the first twenty told`() async throws {
    let body = Array(String(repeating: "nonsense\n", count: 30).utf8) + Array(line("good").json.utf8)

    let receipt = try await ingest.take(body, encoding: .identity, scope: appliance.acme)
    #expect(receipt.acceptedCount == 1)
    #expect(receipt.rejectedCount == 30)
    #expect(receipt.rejections.map(\.line) == Array(1...20))
    await appliance.close()
  }

  @Test func `times far ahead or long past are refused, but not of an import`() async throws {
    let ahead = line("ahead", secondsAgo: -2 * 3600)
    let past = line("past", secondsAgo: 11 * 365 * 86_400)
    let body = [ahead, past, line("now")].ndjson

    let receipt = try await ingest.take(body, encoding: .identity, scope: appliance.acme)
    #expect(receipt.acceptedCount == 1)
    #expect(receipt.rejections.map(\.line) == [1, 2])
    let imported = try await ingest.take(
      body, encoding: .identity, IngestOptions(takesAnyAge: true), scope: appliance.globex)
    #expect(imported.acceptedCount == 3)
    #expect(try await messages(appliance.globex) == ["ahead", "now", "past"])
    await appliance.close()
  }

  @Test func `what the retention would remove at once is refused, of an import too`() async throws {
    let service = Self.service(appliance, retentionNanoseconds: 86_400_000_000_000)
    let body = [line("old", secondsAgo: 2 * 86_400), line("new")].ndjson

    for options in [IngestOptions(), IngestOptions(takesAnyAge: true)] {
      let receipt = try await service.take(body, encoding: .identity, options, scope: appliance.acme)
      #expect(receipt.acceptedCount == 1)
      #expect(receipt.rejections.map(\.line) == [1])
    }
    await appliance.close()
  }

  @Test(arguments: Packed.allCases)
  func `of a body larger than the bound nothing is taken`(packed: Packed) async throws {
    let service = Self.service(appliance, bodyByteCountMax: 1_000)
    let body = (0..<50).map { line("message \($0)") }.ndjson

    await #expect(throws: BodyError.tooLarge(byteCountMax: 1_000)) {
      try await service.take(packed.pack(body), encoding: packed.encoding, scope: appliance.acme)
    }
    #expect(try await messages(appliance.acme) == [])
    await appliance.close()
  }

  @Test func `of a body that breaks off nothing is taken`() async throws {
    let body = Packed.gzip.pack((0..<50).map { line("message \($0)") }.ndjson)

    await #expect(throws: BodyError.truncated(.gzip)) {
      try await ingest.take(Array(body.dropLast(9)), encoding: .gzip, scope: appliance.acme)
    }
    #expect(try await messages(appliance.acme) == [])
    await appliance.close()
  }

  @Test func `a field that the sender names labels the stream`() async throws {
    let body = [LogLine(appliance.time.now, "one", [("env", "live"), ("source", "x")])].ndjson

    _ = try await ingest.take(body, encoding: .identity, IngestOptions(streamFields: ["env"]), scope: appliance.acme)
    _ = try await ingest.take(body, encoding: .identity, scope: appliance.globex)
    #expect(try await messages(appliance.acme, #"{env="live"}"#) == ["one"])
    #expect(try await messages(appliance.globex, #"{env="live"}"#) == [])
    #expect(try await messages(appliance.globex, "env:live") == ["one"])
    await appliance.close()
  }

  @Test func `an empty body is no error and takes nothing`() async throws {
    for packed in Packed.allCases {
      let receipt = try await ingest.take([UInt8](), encoding: packed.encoding, scope: appliance.acme)
      #expect(receipt.acceptedCount == 0)
      #expect(receipt.rejectedCount == 0)
    }
    await appliance.close()
  }

  @Test func `what was acknowledged is there after a crash`() async throws {
    _ = try await ingest.take([line("kept")].ndjson, encoding: .identity, scope: appliance.acme)

    let later = try appliance.afterCrash()
    let database = try await later.pool.open(later.acme)
    #expect(database.statistics().recordCount == 1)
    await later.close()
    await appliance.close()
  }

  @Test func `the counters tell what was taken and refused`() async throws {
    _ = try await ingest.take(Array((line("one").json + "\nbad\n").utf8), encoding: .identity, scope: appliance.acme)

    let text = ingest.metrics.render()
    #expect(text.contains("timberline_ingest_records_total 1\n"))
    #expect(text.contains("timberline_ingest_rejected_total 1\n"))
    await appliance.close()
  }
}
