import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// A plan lent to one task at a time.
private struct LentPlan: @unchecked Sendable {
  // Sendable: a plan is handed from one task to the next and never held by two.
  let plan: ScanPlan
}

extension ScanPlan {
  /// How long a scan goes on alone: most queries are over before a second thread would have begun.
  private static let aloneMilliseconds = 4.0

  private static let coreCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  /// Looks at every unit, at several at once where it takes long. `read` runs on the tenant's threads, each with a plan of
  /// its own; `take` gets what it found, in no particular order, one after another.
  ///
  /// - Parameter take: Answers whether more is wanted.
  func forEachUnit<Part: Sendable>(
    _ read: @escaping @Sendable (ScanPlan, ScanUnit) throws -> Part, take: (Part) throws -> Bool
  ) async throws {
    var next = 0
    while next < units.count, ScanPlan.coreCount == 1 || clock.milliseconds < ScanPlan.aloneMilliseconds {
      try await pause()
      guard try take(read(self, units[next])) else { return }
      next += 1
    }
    if next == units.count { return }
    var workers: [ScanPlan] = []
    defer { for worker in workers { absorb(worker) } }
    try await withThrowingTaskGroup(of: (LentPlan, Part).self) { group in
      func start(_ lent: LentPlan) {
        let unit = units[next]
        next += 1
        group.addTask {
          try lent.plan.checkDeadline()
          return (lent, try read(lent.plan, unit))
        }
      }
      while workers.count < ScanPlan.coreCount, next < units.count {
        let worker = worker()
        workers.append(worker)
        start(LentPlan(plan: worker))
      }
      while let (lent, part) = try await group.next() {
        guard try take(part) else {
          group.cancelAll()
          return
        }
        if next < units.count { start(lent) }
      }
    }
  }
}
