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
  private let compute: ThreadPool
  private let columns: ColumnCache
  private let heads: HeadBudget
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
    compute = ThreadPool(threadCount: computeThreadCount)
    columns = ColumnCache(byteCountMax: options.columnCacheByteCountMax)
    heads = HeadBudget(byteCountMax: options.headTotalByteCountMax)
    self.now = now
    self.logger = logger
    heads.onExcess { [weak self] in await self?.shrinkHeads() }
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
    let task = Task {
      [directory, options, compute, columns, heads, now, logger] () -> Result<TenantDatabase, StorageError> in
      do throws(StorageError) {
        return .success(
          try await TenantDatabase(
            scope, directory: directory, options: options, compute: compute, columns: columns, heads: heads, now: now,
            logger: logger))
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

  /// The open tenants that took in records since `time`, or have some that are in no block yet.
  package func tenantsWithRecords(since time: Timestamp) -> [TenantScope] {
    entries.compactMap { entry -> TenantScope? in
      guard case .open(let database, _) = entry.value, database.hasRecords(since: time) else { return nil }
      return database.scope
    }.sorted { $0.tenant < $1.tenant }
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
    var closings: [Task<Void, Never>] = []
    var hasTidied = false
    for (tenant, entry) in entries {
      guard case .open(let database, let lastUse) = entry else { continue }
      if isUnused(database, since: lastUse, seconds: Int64(options.idleSecondsMax), at: time) {
        closings.append(close(database, tenant))
      } else if database.isMaintenanceDue {
        database.scheduleMaintenance()
      } else if database.isTidyingDue {
        hasTidied = true
        await attempt("file could not be tidied", database) { database throws(StorageError) in
          try await database.tidy()
        }
      }
    }
    if heads.isExceeded { await heads.relieve()?.value }
    for closing in closings { await closing.value }
    freeMemory(isWorthwhile: hasTidied || !closings.isEmpty)
  }

  /// Makes the largest heads into blocks until all together are well below their bound.
  private func shrinkHeads() async {
    let open = entries.values.compactMap { entry -> (database: TenantDatabase, byteCount: Int)? in
      guard case .open(let database, _) = entry else { return nil }
      return (database, database.headByteCount)
    }
    // Several at once: while one waits for its sync, another is encoded.
    await withTaskGroup(of: Int.self) { group in
      var runningCount = 0
      var runningByteCount = 0
      for entry in open.sorted(by: { $0.byteCount > $1.byteCount }) {
        if runningCount >= 4, let byteCount = await group.next() {
          runningCount -= 1
          runningByteCount -= byteCount
        }
        guard heads.byteCount - runningByteCount > heads.reliefByteCount else { break }
        runningCount += 1
        runningByteCount += entry.byteCount
        group.addTask {
          await self.attempt("head could not be stored as blocks", entry.database) { database throws(StorageError) in
            try await database.flush()
          }
          return entry.byteCount
        }
      }
    }
  }

  private nonisolated func attempt(
    _ failure: Logger.Message, _ database: TenantDatabase,
    _ body: (TenantDatabase) async throws(StorageError) -> Void
  ) async {
    do {
      try await body(database)
    } catch {
      logger.warning(
        failure, metadata: ["tenant": "\(database.scope.tenant.text)", "error": "\(error)"])
    }
  }

  // MARK: - Memory

  // Growth worth the walk over the heap.
  private static let trimByteCountMin = 8 << 20
  private var trimmedByteCount = 0
  private var lastCommitCount = 0
  private var lastLookCount = 0
  private var quietRoundCount = 0

  /// Once nothing happens any more: forgets kept columns, and gives free memory back to the system.
  ///
  /// - Parameter isWorthwhile: Whether much was let go of in this round.
  private func freeMemory(isWorthwhile: Bool) {
    let isBusy = heads.commitCount != lastCommitCount
    let isAsked = columns.useCount != lastLookCount
    lastCommitCount = heads.commitCount
    lastLookCount = columns.useCount
    quietRoundCount = isBusy || isAsked ? 0 : quietRoundCount + 1
    if quietRoundCount == 12 { columns.removeAll() }
    guard !isBusy else { return }
    let resident = ProcessMemory.residentByteCount
    guard isWorthwhile || resident >= trimmedByteCount + Self.trimByteCountMin else { return }
    ProcessMemory.trim()
    trimmedByteCount = ProcessMemory.residentByteCount
  }

  // While more than the bound are in use, a look for tenants to close finds nothing: so it is not done at every opening.
  private static let lookSeconds: Int64 = 1
  private var lastLook: (time: Timestamp, count: Int)?

  private func closeLeastRecentlyUsed() {
    guard entries.count > options.openTenantsMax else { return }
    let time = now()
    if let lastLook, entries.count < lastLook.count + max(1, options.openTenantsMax / 8), time >= lastLook.time,
      time < lastLook.time.advanced(byNanoseconds: Self.lookSeconds * 1_000_000_000)
    {
      return
    }
    defer { lastLook = (time, entries.count) }
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
