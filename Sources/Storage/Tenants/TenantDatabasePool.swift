package import Domain
package import Logging

/// The tenants that are open. Opens by scope and by nothing else; closes the least recently used above a bound, and
/// idle ones.
///
/// A database that `open` answers may be used for one request: it stays open while records are appended, a view lives
/// or a follower asked for it, and for a while after. Who keeps it longer meets `.closed` one day and opens the
/// tenant again.
package actor TenantDatabasePool {
  private enum Entry {
    case opening(Task<Result<TenantDatabase, StorageError>, Never>)
    case open(TenantDatabase, lastUse: Timestamp)
    case closing(Task<Void, Never>)
  }

  // Long enough for a request to get from `open` to its append or view.
  private static let graceSeconds: Int64 = 10

  private let directory: DataDirectory
  private let options: StorageOptions
  private let compute: ComputeQueues
  private let now: @Sendable () -> Timestamp
  private let logger: Logger
  private var entries: [TenantID: Entry] = [:]
  private var isClosed = false

  /// - Parameter computeThreadCount: Cores that encoding and merging of all tenants may hold together.
  package init(
    _ directory: DataDirectory, options: StorageOptions = StorageOptions(), computeThreadCount: Int = 1,
    now: @escaping @Sendable () -> Timestamp, logger: Logger
  ) {
    self.directory = directory
    self.options = options
    compute = ComputeQueues(count: computeThreadCount)
    self.now = now
    self.logger = logger
  }

  /// The tenant's database, opened if need be; who asks while it is being opened waits for the same opening.
  package func open(_ scope: TenantScope) async throws(StorageError) -> TenantDatabase {
    let tenant = scope.tenant
    while true {
      guard !isClosed else { throw .closed("opening a tenant", at: directory.tenantFile(tenant)) }
      switch entries[tenant] {
      case .open(let database, _):
        entries[tenant] = .open(database, lastUse: now())
        return database
      case .opening(let task):
        return try await task.value.get()
      case .closing(let task):
        await task.value
      case nil:
        return try await openFile(scope)
      }
    }
  }

  private func openFile(_ scope: TenantScope) async throws(StorageError) -> TenantDatabase {
    let task = Task { [directory, options, compute, now, logger] () -> Result<TenantDatabase, StorageError> in
      do throws(StorageError) {
        return .success(
          try await TenantDatabase(
            scope, directory: directory, options: options, compute: compute, now: now, logger: logger))
      } catch {
        return .failure(error)
      }
    }
    entries[scope.tenant] = .opening(task)
    let result = await task.value
    // Unless the pool was closed meanwhile, which then sees to the database.
    if case .opening = entries[scope.tenant] {
      switch result {
      case .success(let database): entries[scope.tenant] = .open(database, lastUse: now())
      case .failure: entries[scope.tenant] = nil
      }
    }
    let database = try result.get()
    closeLeastRecentlyUsed()
    return database
  }

  /// Tenants that have a file, open or not.
  package nonisolated func tenantsOnDisk() -> [TenantID] { directory.tenants() }

  /// Those that are open now.
  package var openTenants: [TenantID] {
    entries.compactMap { if case .open = $0.value { $0.key } else { nil } }.sorted()
  }

  // MARK: - Care

  /// The service: looks after open tenants every few seconds until its task is cancelled.
  package func run(clock: some Clock<Duration> = ContinuousClock()) async {
    while !Task.isCancelled {
      // Sleeping fails only when the task is cancelled, which ends the loop.
      try? await clock.sleep(for: .seconds(5))
      if !Task.isCancelled { await care() }
    }
  }

  /// One round: closes idle tenants, makes old or large heads into blocks, expires and merges.
  package func care() async {
    let time = now()
    var heads: [(database: TenantDatabase, byteCount: Int)] = []
    var closings: [Task<Void, Never>] = []
    for (tenant, entry) in entries {
      guard case .open(let database, let lastUse) = entry else { continue }
      if isUnused(database, since: lastUse, seconds: Int64(options.idleSecondsMax), at: time) {
        closings.append(close(database, tenant))
      } else {
        if database.isMaintenanceDue { database.scheduleMaintenance() }
        heads.append((database, database.statistics().headByteCount))
      }
    }
    var total = heads.reduce(0) { $0 + $1.byteCount }
    for head in heads.sorted(by: { $0.byteCount > $1.byteCount }) where total > options.headTotalByteCountMax {
      total -= head.byteCount
      do {
        try await head.database.flush()
      } catch {
        logger.warning(
          "head could not be stored as blocks",
          metadata: ["tenant": "\(head.database.scope.tenant.text)", "error": "\(error)"])
      }
    }
    for closing in closings { await closing.value }
  }

  private func closeLeastRecentlyUsed() {
    let time = now()
    var open: [(tenant: TenantID, database: TenantDatabase, lastUse: Timestamp)] = []
    for (tenant, entry) in entries {
      if case .open(let database, let lastUse) = entry { open.append((tenant, database, lastUse)) }
    }
    var surplus = open.count - options.openTenantsMax
    for entry in open.sorted(by: { $0.lastUse < $1.lastUse }) where surplus > 0 {
      guard isUnused(entry.database, since: entry.lastUse, seconds: Self.graceSeconds, at: time) else { continue }
      close(entry.database, entry.tenant)
      surplus -= 1
    }
  }

  private func isUnused(_ database: TenantDatabase, since lastUse: Timestamp, seconds: Int64, at time: Timestamp)
    -> Bool
  {
    time >= lastUse.advanced(byNanoseconds: seconds * 1_000_000_000) && database.uses.isIdle
  }

  @discardableResult
  private func close(_ database: TenantDatabase, _ tenant: TenantID) -> Task<Void, Never> {
    let task = Task {
      await database.close()
      self.forget(tenant)
    }
    entries[tenant] = .closing(task)
    return task
  }

  private func forget(_ tenant: TenantID) {
    if case .closing = entries[tenant] { entries[tenant] = nil }
  }

  /// Flushes and closes all; nothing opens afterwards.
  package func closeAll() async {
    isClosed = true
    var closings: [Task<Void, Never>] = []
    for (tenant, entry) in entries {
      switch entry {
      case .open(let database, _): closings.append(close(database, tenant))
      case .closing(let task): closings.append(task)
      case .opening(let opening):
        let task = Task {
          if case .success(let database) = await opening.value { await database.close() }
          self.forget(tenant)
        }
        entries[tenant] = .closing(task)
        closings.append(task)
      }
    }
    for closing in closings { await closing.value }
  }
}
