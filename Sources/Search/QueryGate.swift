import Domain
import Synchronization

/// How many queries may run, and how many may wait for their turn.
package struct QueryGateLimits: Sendable {
  /// Of one tenant, at once.
  package var runningPerTenant: Int
  /// Of one tenant, beyond those that run.
  package var waitingPerTenant: Int
  /// Of all tenants, at once.
  package var running: Int
  /// Longest wait for a turn.
  package var waitSeconds: Int

  package init(runningPerTenant: Int, waitingPerTenant: Int, running: Int, waitSeconds: Int) {
    self.runningPerTenant = runningPerTenant
    self.waitingPerTenant = waitingPerTenant
    self.running = running
    self.waitSeconds = waitSeconds
  }
}

/// Lets queries in: each tenant has its own line, and where all tenants together ask for more than may run, the lines take turns, so
/// that a tenant with a hundred queries waits for itself and not the others for it.
package final class QueryGate: Sendable {
  package struct Counts: Sendable, Equatable {
    package var running = 0
    package var waiting = 0
    /// Since the start.
    package var refused = 0
  }

  private struct Waiter {
    let number: Int
    let continuation: CheckedContinuation<Bool, Never>
  }

  private struct Line {
    var running = 0
    var waiting: [Waiter] = []
    /// Those that wait, and those on their way to their place in `waiting` or from it.
    var pendingCount = 0
  }

  private struct State {
    var lines: [TenantID: Line] = [:]
    /// Tenants that wait, the one whose turn is next first.
    var turns: [TenantID] = []
    var counts = Counts()
    var nextNumber = 0
    /// Waiters that were withdrawn before they stood in line.
    var withdrawn: Set<Int> = []
  }

  private let limits: QueryGateLimits
  private let state = Mutex(State())

  package init(_ limits: QueryGateLimits) { self.limits = limits }

  package var counts: Counts { state.withLock { $0.counts } }

  /// Runs `body` once it is the tenant's turn.
  ///
  /// - Throws: `SearchError.tooMany` when the tenant's line is full or the wait too long, `CancellationError` when the caller goes away
  ///   while it waits.
  func withTurn<Result>(_ tenant: TenantID, _ body: () async throws -> Result) async throws -> Result {
    try await enter(tenant)
    defer { leave(tenant) }
    return try await body()
  }

  private func enter(_ tenant: TenantID) async throws {
    enum Entry { case running, waiting(Int), refused }
    let entry = state.withLock { state -> Entry in
      let line = state.lines[tenant] ?? Line()
      // Who comes later never overtakes who waits.
      if line.waiting.isEmpty, line.running < limits.runningPerTenant, state.counts.running < limits.running {
        QueryGate.start(tenant, &state)
        return .running
      }
      guard line.pendingCount < limits.waitingPerTenant else {
        state.counts.refused += 1
        return .refused
      }
      state.nextNumber += 1
      state.lines[tenant, default: Line()].pendingCount += 1
      return .waiting(state.nextNumber)
    }
    switch entry {
    case .running: return
    case .refused: throw refusal
    case .waiting(let number):
      let isGranted = await withTaskGroup(of: Bool.self) { group in
        group.addTask { await self.wait(number, of: tenant) }
        group.addTask {
          // A canceled sleep ends the wait as the end of the wait does.
          try? await Task.sleep(for: .seconds(self.limits.waitSeconds))
          return false
        }
        var isGranted = await group.next() ?? false
        group.cancelAll()
        // The turn may have come while the wait was being ended.
        for await other in group where other { isGranted = true }
        return isGranted
      }
      state.withLock { state in
        state.withdrawn.remove(number)
        state.lines[tenant]?.pendingCount -= 1
        QueryGate.tidy(tenant, &state)
      }
      if isGranted {
        if !Task.isCancelled { return }
        leave(tenant)
      }
      try Task.checkCancellation()
      state.withLock { $0.counts.refused += 1 }
      throw refusal
    }
  }

  private var refusal: SearchError {
    .tooMany(running: limits.runningPerTenant, waiting: limits.waitingPerTenant)
  }

  /// - Returns: Whether the turn came, which then must be given back.
  private func wait(_ number: Int, of tenant: TenantID) async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isWithdrawn = state.withLock { state in
          if state.withdrawn.remove(number) != nil { return true }
          state.lines[tenant, default: Line()].waiting.append(Waiter(number: number, continuation: continuation))
          state.counts.waiting += 1
          if !state.turns.contains(tenant) { state.turns.append(tenant) }
          return false
        }
        if isWithdrawn { continuation.resume(returning: false) } else { callNext() }
      }
    } onCancel: {
      let waiter = state.withLock { state -> Waiter? in
        guard let place = state.lines[tenant]?.waiting.firstIndex(where: { $0.number == number }) else {
          // Not in line yet, or called already.
          state.withdrawn.insert(number)
          return nil
        }
        state.counts.waiting -= 1
        let waiter = state.lines[tenant]?.waiting.remove(at: place)
        QueryGate.tidy(tenant, &state)
        return waiter
      }
      waiter?.continuation.resume(returning: false)
    }
  }

  private func leave(_ tenant: TenantID) {
    state.withLock { state in
      state.lines[tenant]?.running -= 1
      state.counts.running -= 1
      QueryGate.tidy(tenant, &state)
    }
    callNext()
  }

  /// Calls whoever may run now, tenant by tenant.
  private func callNext() {
    let called = state.withLock { state -> [Waiter] in
      var called: [Waiter] = []
      var skipped: [TenantID] = []
      while state.counts.running < limits.running, !state.turns.isEmpty {
        let tenant = state.turns.removeFirst()
        guard let line = state.lines[tenant], let first = line.waiting.first else { continue }
        guard line.running < limits.runningPerTenant else {
          skipped.append(tenant)
          continue
        }
        state.lines[tenant]?.waiting.removeFirst()
        state.counts.waiting -= 1
        QueryGate.start(tenant, &state)
        called.append(first)
        if line.waiting.count > 1 { state.turns.append(tenant) }
      }
      // Those that could not go keep their place before the others.
      state.turns = skipped + state.turns
      return called
    }
    for waiter in called { waiter.continuation.resume(returning: true) }
  }

  private static func start(_ tenant: TenantID, _ state: inout State) {
    state.lines[tenant, default: Line()].running += 1
    state.counts.running += 1
  }

  private static func tidy(_ tenant: TenantID, _ state: inout State) {
    if let line = state.lines[tenant], line.waiting.isEmpty {
      state.turns.removeAll { $0 == tenant }
      if line.running == 0, line.pendingCount == 0 { state.lines[tenant] = nil }
    }
  }
}
