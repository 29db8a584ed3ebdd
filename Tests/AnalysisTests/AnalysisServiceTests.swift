import Domain
import Foundation
import Indexing
import Search
import Storage
import TestSupport
import Testing

@testable import Analysis

@Suite struct AnalysisServiceTests {
  private let appliance: TestAppliance
  private let service: AnalysisService

  init() throws {
    appliance = try TestAppliance()
    service = Self.service(appliance)
  }

  private static func service(_ appliance: TestAppliance) -> AnalysisService {
    let search = SearchService(
      pool: appliance.pool, indexes: appliance.indexes, limits: SearchLimits(seconds: 120, byteCountMax: 1 << 27),
      executor: globalConcurrentExecutor, now: appliance.now)
    return AnalysisService(
      pool: appliance.pool, indexes: appliance.indexes, search: search, executor: globalConcurrentExecutor,
      now: appliance.now,
      logger: .quiet)
  }

  private var request: AnalysisRequest {
    AnalysisRequest(
      namespace: nil, range: TimeRange(start: at(0), end: at(60)), minClusterSize: 1)
  }

  /// Minutes into the hour that is looked at.
  private func at(_ minute: Int, _ second: Int = 0) -> Timestamp {
    appliance.time.now.advanced(byNanoseconds: (Int64(minute - 60) * 60 + Int64(second)) * 1_000_000_000)
  }

  private func decode(_ bytes: [UInt8]) throws -> AnalysisDocument {
    try JSONDecoder().decode(AnalysisDocument.self, from: Data(bytes))
  }

  /// Runs an analysis to its end.
  private func analyze(
    _ request: AnalysisRequest? = nil, _ scope: TenantScope, service: AnalysisService? = nil
  ) async throws -> AnalysisDocument {
    let service = service ?? self.service
    let pending = try decode(try await service.start(request ?? self.request, scope: scope))
    #expect(pending.status == .pending)
    // Bounded by turns, not by time.
    for _ in 0..<2_000_000 {
      let document = try decode(try #require(try await service.document(pending.id, scope: scope)))
      if document.status == .completed || document.status == .failed { return document }
      await Task.yield()
    }
    Issue.record("the analysis did not end")
    return pending
  }

  /// Two hours of a shop: the same few lines each minute.
  private func routine() -> [LogLine] {
    (-60..<60).flatMap { minute -> [LogLine] in
      (0..<3).flatMap { part -> [LogLine] in
        [
          LogLine(
            at(minute, part * 20), pod: "web-0", container: "web", level: "info",
            "GET /cart/\(minute * 3 + part) took \(10 + part)ms"),
          LogLine(
            at(minute, part * 20 + 1), pod: "payments-0", container: "payments", level: "info",
            "payment \(minute + 100) accepted"),
          LogLine(
            at(minute, part * 20 + 2), pod: "db-0", container: "database", level: "info",
            "checkpoint complete: wrote \(part) buffers"),
        ]
      }
    }
  }

  /// From minute 30 on the database's disk is full; payments fail because of it, and the web because of payments.
  private func incident() -> [LogLine] {
    (30..<60).flatMap { minute -> [LogLine] in
      (0..<8).flatMap { part -> [LogLine] in
        [
          LogLine(
            at(minute, part * 7), pod: "db-0", container: "database", level: "fatal",
            "could not write to file: no space left on device (disk full)"),
          LogLine(
            at(minute, part * 7 + 1), pod: "payments-0", container: "payments", level: "error",
            "query to database failed after \(part) retries"),
          LogLine(
            at(minute, part * 7 + 2), pod: "web-0", container: "web", level: "error",
            "payments answered 503, order \(minute * 8 + part) rejected"),
        ]
      }
    } + [LogLine(at(28), pod: "db-0", container: "database", level: "info", "configuration changed: archive_mode on")]
  }

  @Test func `the planted cause is found, with its effects, the change before it, and records that show them`()
    async throws
  {
    try await appliance.store(routine() + incident(), appliance.acme)

    let document = try await analyze(nil, appliance.acme)
    #expect(document.status == .completed)
    #expect(document.error == nil)
    let cause = try #require(document.findings.first { $0.kind == "cause" })
    #expect(cause.title.contains("no space left on device"))
    #expect(cause.detail.contains("database"))
    #expect(!cause.evidence.isEmpty)
    for evidence in cause.evidence {
      #expect(evidence.message.contains("no space left on device"))
      #expect(RecordID(evidence.id) != nil)
      #expect(evidence.stream.contains("database"))
    }
    #expect(cause.onset.hasPrefix(String(at(30).rfc3339.prefix(16))))
    let effects = document.findings.filter { $0.kind == "effect" }
    #expect(effects.contains { $0.title.contains("answered") })
    #expect(effects.contains { $0.title.contains("query to database failed") })
    let change = try #require(document.findings.first { $0.kind == "change" })
    #expect(change.detail.contains("configuration changed"))
    #expect(["high", "critical"].contains(document.severity))
    #expect(document.summary.contains("no space left on device"))
    #expect(document.headline != "")
    #expect(document.recordCount == 541 + 720)
    #expect(document.progress.map(\.step) == ["count", "compare", "cluster", "explain"])
    await appliance.close()
  }

  @Test func `the one that others name is the cause, though they complain louder and at the same time`() async throws {
    let troubles = (30..<60).flatMap { minute -> [LogLine] in
      (0..<8).flatMap { part -> [LogLine] in
        [
          LogLine(
            at(minute, part * 7), pod: "db-0", container: "database", level: "error",
            "lock on table orders held by \(part)"),
          LogLine(
            at(minute, part * 7 + 1), pod: "payments-0", container: "payments", level: "fatal",
            "fatal: query to database failed, worker crashed after \(part) retries"),
        ]
      }
    }
    try await appliance.store(routine() + troubles, appliance.acme)

    let document = try await analyze(nil, appliance.acme)
    let cause = try #require(document.findings.first { $0.kind == "cause" })
    #expect(cause.title.contains("lock on table"))
    #expect(cause.detail.contains("payments"))
    let effect = try #require(document.findings.first { $0.kind == "effect" })
    #expect(effect.title.contains("query to database failed"))
    await appliance.close()
  }

  @Test func `records of all clusters are the records of the window`() async throws {
    try await appliance.store(routine() + incident(), appliance.acme)

    let document = try await analyze(nil, appliance.acme)
    #expect(document.clusters.reduce(0) { $0 + $1.size } == document.recordCount)
    #expect(document.clusterCount == document.clusters.count)
    #expect(document.clusters.map(\.clusterID) == Array(0..<document.clusters.count))
    #expect(document.clusters.map(\.severityScore) == document.clusters.map(\.severityScore).sorted(by: >))
    let patterns = document.clusters.flatMap(\.patterns)
    #expect(Set(patterns).count == patterns.count)
    #expect(patterns.count == document.patternCount)
    for cluster in document.clusters { #expect(cluster.counts.reduce(0, +) == cluster.size) }
    // What fails together because of one another stands together.
    let failing = try #require(document.clusters.first)
    #expect(Set(failing.workloads) == ["web", "payments", "database"])
    await appliance.close()
  }

  @Test func `of quiet hours nothing unusual is told`() async throws {
    try await appliance.store(routine(), appliance.acme)

    let document = try await analyze(nil, appliance.acme)
    #expect(document.headline.hasPrefix("Nothing needs attention"))
    #expect(document.findings.isEmpty)
    #expect(["none", "low"].contains(document.severity))
    #expect(document.clusters.allSatisfy { $0.severityScore < 3 })
    await appliance.close()
  }

  @Test func `the same records give the same text`() async throws {
    try await appliance.store(routine() + incident(), appliance.acme)
    try await appliance.store(routine() + incident(), appliance.globex)
    try await appliance.flush(appliance.globex)

    var first = try await analyze(nil, appliance.acme)
    for scope in [appliance.acme, appliance.globex] {
      let again = try await analyze(nil, scope)
      #expect(again.headline == first.headline)
      #expect(again.summary == first.summary)
      #expect(again.findings.map(\.title) == first.findings.map(\.title))
      #expect(again.findings.map { $0.evidence.map(\.id) } == first.findings.map { $0.evidence.map(\.id) })
      first.id = again.id
      #expect(again.clusters.map(\.reasons) == first.clusters.map(\.reasons))
    }
    await appliance.close()
  }

  @Test func `a window without records says so`() async throws {
    let document = try await analyze(nil, appliance.acme)

    #expect(document.status == .completed)
    #expect(document.headline == "No records in this window")
    #expect(document.clusters.isEmpty)
    await appliance.close()
  }

  @Test func `a namespace is looked at alone`() async throws {
    try await appliance.store(
      routine() + [LogLine(at(10), pod: "x-0", container: "x", namespace: "quo\"te", level: "info", "alone")],
      appliance.acme)
    var request = request
    request.namespace = "quo\"te"

    let document = try await analyze(request, appliance.acme)
    #expect(document.recordCount == 1)
    await appliance.close()
  }

  @Test func `clusters that are small are left out unless they are bad`() async throws {
    try await appliance.store(
      routine() + [
        LogLine(at(20), pod: "web-0", container: "web", level: "info", "cache warmed"),
        LogLine(at(21), pod: "web-0", container: "web", level: "fatal", "panic: out of memory, worker killed"),
      ], appliance.acme)
    var request = request
    request.minClusterSize = 100

    let document = try await analyze(request, appliance.acme)
    #expect(!document.clusters.contains { $0.label.contains("cache warmed") })
    #expect(document.clusters.contains { $0.label.contains("panic") })
    await appliance.close()
  }

  @Test(arguments: [(Int64.min, Int64.max), (.min + 1, .max - 1), (0, .max), (.min, 0), (5, 5)])
  func `no window makes an analysis fall`(start: Int64, end: Int64) async throws {
    try await appliance.store(
      [
        LogLine(Timestamp(nanoseconds: .min), "first"), LogLine(at(1), "error: failed"),
        LogLine(Timestamp(nanoseconds: .max), "last"),
      ],
      appliance.acme)
    let request = AnalysisRequest(
      namespace: nil, range: TimeRange(start: Timestamp(nanoseconds: start), end: Timestamp(nanoseconds: end)),
      minClusterSize: 1)

    #expect(try await analyze(request, appliance.acme).status == .completed)
    await appliance.close()
  }

  // MARK: Keeping

  @Test func `a run that a crash cut off is failed, and says so`() async throws {
    let cutOff = AnalysisDocument(
      id: "01CUTOFF", createdAt: at(0).rfc3339, status: .running, namespace: nil, start: at(0).rfc3339,
      end: at(60).rfc3339,
      minClusterSize: 1)
    let database = try await appliance.pool.open(appliance.acme)
    try await database.analyses.save(
      AnalysisTable.Row(
        id: cutOff.id, createdAt: at(0), status: "running", document: Array(try JSONEncoder().encode(cutOff))))

    let listed = try await service.list(limit: 10, scope: appliance.acme).map(decode)
    #expect(listed.map(\.status) == [.failed])
    let document = try decode(try #require(try await service.document(cutOff.id, scope: appliance.acme)))
    #expect(document.status == .failed)
    #expect(document.error?.isEmpty == false)
    await appliance.close()
  }

  @Test func `a stop ends what is running, and stores it as failed or done`() async throws {
    try await appliance.store(routine() + incident(), appliance.acme)
    let pending = try decode(try await service.start(request, scope: appliance.acme))

    await service.finish()
    let document = try decode(try #require(try await service.document(pending.id, scope: appliance.acme)))
    #expect(document.status == .failed || document.status == .completed)
    #expect((document.status == .failed) == (document.error != nil))
    await appliance.close()
  }

  @Test func `analyses are listed the newest first, and deleted`() async throws {
    var ids: [String] = []
    for _ in 0..<3 {
      ids.append(try await analyze(nil, appliance.acme).id)
      appliance.time.advance(seconds: 1)
    }

    #expect(try await service.list(limit: 10, scope: appliance.acme).map { try decode($0).id } == ids.reversed())
    #expect(try await service.list(limit: 2, scope: appliance.acme).count == 2)
    #expect(try await service.delete(ids[1], scope: appliance.acme))
    #expect(try await !service.delete(ids[1], scope: appliance.acme))
    #expect(try await service.document(ids[1], scope: appliance.acme) == nil)
    #expect(try await service.list(limit: 10, scope: appliance.acme).count == 2)
    await appliance.close()
  }

  @Test func `another tenant neither sees nor ends nor deletes an analysis`() async throws {
    try await appliance.store(routine() + incident(), appliance.acme)
    let pending = try decode(try await service.start(request, scope: appliance.acme))

    #expect(try await !service.delete(pending.id, scope: appliance.globex))
    #expect(try await service.document(pending.id, scope: appliance.globex) == nil)
    #expect(try await service.list(limit: 10, scope: appliance.globex).isEmpty)
    for _ in 0..<2_000_000 {
      let document = try decode(try #require(try await service.document(pending.id, scope: appliance.acme)))
      if document.status == .completed || document.status == .failed {
        #expect(document.status == .completed)
        break
      }
      await Task.yield()
    }
    // Its records are those of its own tenant.
    let other = try await analyze(nil, appliance.globex)
    #expect(other.recordCount == 0)
    await appliance.close()
  }

  @Test func `the answer has every member, those without a value as null`() async throws {
    let bytes = try await service.start(request, scope: appliance.acme)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])

    for member in [
      "id", "created_at", "status", "namespace", "start", "end", "cluster_count", "severity_score", "severity",
      "headline",
      "summary", "record_count", "pattern_count", "progress", "clusters", "findings", "error",
    ] {
      #expect(object[member] != nil, "\(member)")
    }
    #expect(object["namespace"] is NSNull)
    #expect(object["error"] is NSNull)
    await service.finish()
    await appliance.close()
  }
}
