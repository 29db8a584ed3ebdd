import Domain
import Synchronization
import Testing

@testable import Search

@Suite struct QueryGateTests {
  private let acme = TenantID("acme")!
  private let globex = TenantID("globex")!

  /// A query that runs until it is let go.
  private final class Held: Sendable {
    private let (releases, release) = AsyncStream.makeStream(of: Void.self)
    private let (starts, start) = AsyncStream.makeStream(of: Void.self)

    func run() async {
      start.yield()
      for await _ in releases { return }
    }

    func started() async { for await _ in starts { return } }

    func finish() { release.yield() }
  }

  private final class Order: Sendable {
    let names = Mutex<[String]>([])
  }

  private func gate(perTenant: Int = 2, waiting: Int = 64, all: Int = 64, waitSeconds: Int = 60) -> QueryGate {
    QueryGate(
      QueryGateLimits(runningPerTenant: perTenant, waitingPerTenant: waiting, running: all, waitSeconds: waitSeconds))
  }

  /// Returns once so many wait.
  private func waiting(_ count: Int, at gate: QueryGate) async {
    while gate.counts.waiting != count { await Task.yield() }
  }

  @Test func `what comes on top of a tenant's queries waits, and what comes on top of that is refused`() async throws {
    let gate = gate(perTenant: 1, waiting: 1)
    let first = Held()
    async let one: Void = gate.withTurn(acme) { await first.run() }
    await first.started()
    async let two: Int = gate.withTurn(acme) { 2 }
    await waiting(1, at: gate)

    await #expect(throws: SearchError.self) { try await gate.withTurn(acme) { 3 } }
    #expect(try await gate.withTurn(globex) { 4 } == 4)
    #expect(gate.counts == QueryGate.Counts(running: 1, waiting: 1, refused: 1))
    first.finish()
    _ = try await one
    #expect(try await two == 2)
    #expect(gate.counts == QueryGate.Counts(running: 0, waiting: 0, refused: 1))
  }

  @Test func `a tenant with one query goes after one of a tenant with many`() async throws {
    let gate = gate(perTenant: 8, all: 1)
    let order = Order()
    let (acme, globex) = (acme, globex)
    let first = Held()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await gate.withTurn(acme) { await first.run() } }
      await first.started()
      for index in 0..<6 {
        group.addTask { try await gate.withTurn(acme) { order.names.withLock { $0.append("acme") } } }
        await waiting(index + 1, at: gate)
      }
      group.addTask { try await gate.withTurn(globex) { order.names.withLock { $0.append("globex") } } }
      await waiting(7, at: gate)
      first.finish()
      try await group.waitForAll()
    }

    #expect(order.names.withLock { $0.firstIndex(of: "globex") } == 1)
    #expect(gate.counts.running == 0)
  }

  @Test func `who goes away while waiting leaves no gap`() async throws {
    let gate = gate(perTenant: 1)
    let first = Held()
    async let one: Void = gate.withTurn(acme) { await first.run() }
    await first.started()
    let two = Task { try await gate.withTurn(acme) { 2 } }
    await waiting(1, at: gate)
    two.cancel()
    await #expect(throws: CancellationError.self) { try await two.value }

    #expect(gate.counts.waiting == 0)
    first.finish()
    _ = try await one
    #expect(try await gate.withTurn(acme) { 3 } == 3)
  }

  @Test func `a wait that is too long is refused`() async throws {
    let gate = gate(perTenant: 1, waitSeconds: 0)
    let first = Held()
    async let one: Void = gate.withTurn(acme) { await first.run() }
    await first.started()

    await #expect(throws: SearchError.self) { try await gate.withTurn(acme) { 2 } }
    first.finish()
    _ = try await one
    #expect(gate.counts == QueryGate.Counts(running: 0, waiting: 0, refused: 1))
  }

  @Test func `thousands that come and go leave the gate as it was`() async throws {
    let gate = gate(perTenant: 3, waiting: 10_000, all: 5)
    let tenants = (0..<7).map { TenantID("tenant-\($0)")! }
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<1_000 {
        let task = Task { try await gate.withTurn(tenants[index % 7]) { await Task.yield() } }
        if index % 3 == 0 { task.cancel() }
        // Those that were canceled end with an error, as they should.
        group.addTask { try? await task.value }
      }
    }

    #expect(gate.counts == QueryGate.Counts(running: 0, waiting: 0, refused: 0))
  }
}
