import Domain
import Storage
import TestSupport
import Testing

@testable import Indexing

@Suite struct TenantIndexTests {
  private let appliance: TestAppliance

  init() throws { appliance = try TestAppliance() }

  /// A moment of the morning of the test.
  private func at(_ second: Int64) -> Timestamp { Timestamp(seconds: 1_800_000_000 + second) }

  private func line(_ second: Int64, _ level: String, _ message: String) -> LogLine {
    LogLine(at(second), pod: "api-0", container: "api", level: level, message)
  }

  /// By text.
  private func patterns(_ appliance: TestAppliance, _ scope: TenantScope) async throws -> [String: Pattern] {
    let map = try await appliance.index(scope).current()
    return Dictionary(map.patterns.map { ($0.text, $0) }, uniquingKeysWith: { first, _ in first })
  }

  private var mixed: [LogLine] {
    (0..<20).flatMap { index -> [LogLine] in
      [
        line(Int64(index), "info", "GET /orders/\(index * 17) took \(index)ms"),
        line(Int64(index), "info", "cache refreshed for tenant \(index)"),
      ]
    } + [line(30, "error", "connection to 10.0.0.7:5432 refused after 3 attempts")]
  }

  /// Waits until the index was told of all commits: it follows them on its own.
  private func settle(_ appliance: TestAppliance, _ scope: TenantScope, until isSettled: ([String: Pattern]) -> Bool)
    async throws
  {
    // Bounded by turns, not by time: each turn lets the follower run.
    for _ in 0..<200_000 {
      if isSettled(try await patterns(appliance, scope)) { return }
      await Task.yield()
    }
    Issue.record("the index did not take the commits in")
  }

  private func settleLevels(_ appliance: TestAppliance, _ scope: TenantScope) async throws {
    try await settle(appliance, scope) { $0.values.allSatisfy { $0.firstSeen <= $0.lastSeen } && !$0.isEmpty }
  }

  @Test func `templates of one kind of line are one pattern with its times and worst level`() async throws {
    try await appliance.store(mixed, appliance.acme)
    try await settleLevels(appliance, appliance.acme)

    let patterns = try await patterns(appliance, appliance.acme)
    #expect(patterns.count == 3)
    let refused = try #require(patterns.values.first { $0.text.contains("refused") })
    #expect(refused.severity == .error)
    #expect(refused.firstSeen == at(30))
    #expect(refused.lastSeen == at(30))
    let request = try #require(patterns.values.first { $0.text.contains("GET") })
    #expect(request.severity == .info)
    #expect(request.firstSeen == at(0))
    #expect(request.lastSeen == at(19))
    await appliance.close()
  }

  @Test func `a proper stop keeps numbers, times and levels exactly`() async throws {
    try await appliance.store(mixed, appliance.acme)
    try await settleLevels(appliance, appliance.acme)
    // A later commit of one pattern only: the others' times stay what they are.
    try await appliance.store([line(3_000, "warning", "cache refreshed for tenant 99")], appliance.acme)
    try await settle(appliance, appliance.acme) { $0.values.contains { $0.lastSeen == at(3_000) } }
    let before = try await patterns(appliance, appliance.acme)

    let later = try await appliance.afterStop()
    let after = try await patterns(later, later.acme)
    #expect(after == before)
    #expect(try await later.pool.open(later.acme).view(.all).head.isEmpty)
    await later.close()
  }

  @Test func `a crash right after a commit loses no pattern and no level`() async throws {
    try await appliance.store(mixed, appliance.acme)
    try await settleLevels(appliance, appliance.acme)
    let before = try await patterns(appliance, appliance.acme)
    try await appliance.store([line(50, "critical", "cache refreshed for tenant 7")], appliance.acme)

    let later = try appliance.afterCrash()
    let after = try await patterns(later, later.acme)
    #expect(after.mapValues(\.number) == before.mapValues(\.number))
    let cache = try #require(after.values.first { $0.text.contains("cache") })
    #expect(cache.severity == .critical)
    #expect(cache.firstSeen == at(0))
    #expect(cache.lastSeen == at(50))
    await later.close()
    await appliance.close()
  }

  @Test func `a crash after records became blocks loses nothing of them either`() async throws {
    try await appliance.store(mixed, appliance.acme)
    try await settleLevels(appliance, appliance.acme)
    // No await between lets the index see this commit first, unless it is told before the head is stored.
    try await appliance.store(
      [line(-60, "critical", "cache refreshed for tenant 7"), line(90, "info", "GET /x/1 took 5ms")], appliance.acme)
    try await appliance.flush(appliance.acme)

    let later = try appliance.afterCrash()
    #expect(try await later.pool.open(later.acme).view(.all).head.isEmpty)
    let after = try await patterns(later, later.acme)
    let cache = try #require(after.values.first { $0.text.contains("cache") })
    #expect(cache.severity == .critical)
    #expect(cache.firstSeen == at(-60))
    #expect(cache.lastSeen == at(19))
    let request = try #require(after.values.first { $0.text.contains("GET") })
    #expect(request.lastSeen == at(90))
    #expect(request.firstSeen == at(0))
    await later.close()
    await appliance.close()
  }

  @Test func `a stop right after a crash keeps what nobody asked for`() async throws {
    try await appliance.store(mixed, appliance.acme)
    try await settleLevels(appliance, appliance.acme)
    try await appliance.store([line(50, "critical", "cache refreshed for tenant 7")], appliance.acme)

    let crashed = try appliance.afterCrash()
    crashed.indexes.follow(try await crashed.pool.open(crashed.acme))
    let later = try await crashed.afterStop()
    #expect(try await later.pool.open(later.acme).view(.all).head.isEmpty)
    let cache = try #require(try await patterns(later, later.acme).values.first { $0.text.contains("cache") })
    #expect(cache.severity == .critical)
    #expect(cache.lastSeen == at(50))
    await later.close()
    await appliance.close()
  }

  @Test func `what became blocks while nobody asked for the index is in it when somebody does`() async throws {
    try await appliance.store(mixed, appliance.acme)
    try await settleLevels(appliance, appliance.acme)
    let second = try await appliance.afterStop()
    try await second.store([line(-60, "critical", "cache refreshed for tenant 7")], second.acme)
    try await second.flush(second.acme)
    let third = try await second.afterStop()
    try await third.store([line(90, "info", "GET /x/1 took 5ms")], third.acme)

    let patterns = try await patterns(third, third.acme)

    let cache = try #require(patterns.values.first { $0.text.contains("cache") })
    #expect(cache.severity == .critical)
    #expect(cache.firstSeen == at(-60))
    #expect(cache.lastSeen == at(19))
    let request = try #require(patterns.values.first { $0.text.contains("GET") })
    #expect(request.lastSeen == at(90))
    await third.close()
  }

  @Test func `an index that was thrown away is made again from the records`() async throws {
    try await appliance.store(mixed, appliance.acme)
    try await settleLevels(appliance, appliance.acme)
    try await appliance.flush(appliance.acme)
    let before = try await patterns(appliance, appliance.acme)

    let copy = try await appliance.afterStop()
    try await copy.pool.open(copy.acme).patterns.removeAll()
    let later = try copy.afterCrash()
    #expect(try await patterns(later, later.acme) == before)
    await later.close()
    await copy.close()
  }

  @Test func `patterns that turn out to be one are one, and every template follows`() async throws {
    // One word varies more and more, until it is no word of the pattern any more.
    let names = [
      "ada", "bob", "cleo", "dan", "eve", "fay", "gus", "hal", "ivy", "jon", "kim", "lee", "mia", "ned", "ora", "pat",
    ]
    for name in names {
      try await appliance.store([line(1, "info", "session opened for \(name) by gateway")], appliance.acme)
    }
    let map = try await appliance.index(appliance.acme).current()
    let database = try await appliance.pool.open(appliance.acme)

    let living = Set(map.patterns.map(\.number))
    #expect(living.count < names.count)
    for template in 0..<UInt32(database.templateCount) {
      let pattern = try #require(map.pattern(ofTemplate: template))
      #expect(living.contains(pattern))
    }
    let later = try await appliance.afterStop()
    let again = try await later.index(later.acme).current()
    for template in 0..<UInt32(database.templateCount) {
      #expect(again.pattern(ofTemplate: template) == map.pattern(ofTemplate: template))
    }
    await later.close()
  }

  @Test func `a text finds the pattern that says so, and the one that means so`() async throws {
    try await appliance.store(
      mixed + [
        line(40, "error", "out of memory: killed process 4123"), line(41, "info", "user 17 signed in"),
        line(42, "warning", "disk usage at 91 percent"),
      ], appliance.acme)
    let index = try await appliance.index(appliance.acme)
    let map = try await index.current()
    func text(_ number: UInt32?) -> String { number.flatMap { map.pattern($0)?.text } ?? "" }

    let exact = try await index.nearest(to: "connection refused", limit: 3)
    let best = text(exact.first?.pattern)
    #expect(best.contains("refused"))
    #expect(exact.first?.sharesWords == true)
    #expect(exact.first?.score == 1)
    let meant = try await index.nearest(to: "login of a customer", limit: 2)
    #expect(meant.contains { text($0.pattern).contains("signed in") })
    #expect(meant.count <= 2)
    #expect(try await index.nearest(to: "", limit: 5).isEmpty)
    await appliance.close()
  }

  @Test func `two tenants' patterns know nothing of each other`() async throws {
    try await appliance.store([line(1, "info", "alpha started")], appliance.acme)
    try await appliance.store([line(1, "error", "omega stopped")], appliance.globex)

    #expect(try await patterns(appliance, appliance.acme).values.map(\.text) == ["alpha started"])
    #expect(try await patterns(appliance, appliance.globex).values.map(\.text) == ["omega stopped"])
    let found = try await appliance.index(appliance.globex).nearest(to: "alpha started", limit: 5)
    let map = try await appliance.index(appliance.globex).current()
    #expect(found.allSatisfy { map.pattern($0.pattern)?.text == "omega stopped" })
    await appliance.close()
  }

  @Test func `a tenant has one index for as long as it is open`() async throws {
    try await appliance.store([line(1, "info", "alpha started")], appliance.acme)

    let first = try await appliance.index(appliance.acme)
    let second = try await appliance.index(appliance.acme)
    #expect(first === second)
    #expect(try await appliance.index(appliance.globex) !== first)
    await appliance.close()
  }
}
