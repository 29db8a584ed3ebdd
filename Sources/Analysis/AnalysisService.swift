package import Domain
package import Indexing
package import Logging
package import Search
package import Storage
import Synchronization

/// So many analyses wait for their turn that one more is refused.
package struct AnalysisBusy: Error, Sendable {}

/// Runs analyses, keeps them in the tenant's file, and answers them as JSON documents.
package final class AnalysisService: Sendable {
  private let pool: TenantDatabasePool
  private let indexes: TenantIndexPool
  private let search: SearchService
  private let executor: any TaskExecutor
  private let now: @Sendable () -> Timestamp
  private let logger: Logger
  private let slots = RunSlots(count: 2)
  /// Analyses that run or wait, of all tenants.
  private static let runsMax = 64
  /// Runs by analysis id: what is stored as running and is not here was cut off by the end of an earlier process.
  private let runs = Mutex<[String: Task<Void, Never>]>([:])
  private let followers = Mutex<[String: [Follower]]>([:])

  /// - Parameter executor: Where the arithmetic runs.
  package init(
    pool: TenantDatabasePool, indexes: TenantIndexPool, search: SearchService, executor: any TaskExecutor,
    now: @escaping @Sendable () -> Timestamp, logger: Logger
  ) {
    self.pool = pool
    self.indexes = indexes
    self.search = search
    self.executor = executor
    self.now = now
    self.logger = logger
  }

  /// Begins an analysis.
  ///
  /// - Returns: Its document, `pending`; the result appears in it later.
  /// - Throws: `AnalysisBusy` when too many wait already.
  package func start(_ request: AnalysisRequest, scope: TenantScope) async throws -> [UInt8] {
    guard runs.withLock({ $0.count < Self.runsMax }) else { throw AnalysisBusy() }
    let createdAt = now()
    var random = SystemRandomNumberGenerator()
    let id = Self.makeID(createdAt, using: &random)
    let document = AnalysisDocument(
      id: id, createdAt: createdAt.rfc3339, status: .pending, namespace: request.namespace,
      start: request.range.start.rfc3339, end: request.range.end.rfc3339, minClusterSize: request.minClusterSize,
      trigger: request.trigger)
    // Known here before it is stored: a stored one that is not known counts as cut off.
    runs.withLock { $0[id] = Task {} }
    do {
      try await save(document, scope: scope)
    } catch {
      runs.withLock { $0[id] = nil }
      throw error
    }
    runs.withLock { runs in
      runs[id] = Task {
        await self.run(document, request, scope: scope)
        self.runs.withLock { $0[id] = nil }
        for follower in self.followers.withLock({ $0.removeValue(forKey: id) ?? [] }) { follower.continuation.finish() }
      }
    }
    return try JSON.bytes(document)
  }

  /// The newest first.
  package func list(limit: Int, scope: TenantScope) async throws -> [[UInt8]] {
    let rows = try await database(scope).analyses.list(limit: limit)
    var documents: [[UInt8]] = []
    for row in rows { documents.append(try await living(row, scope: scope)) }
    return documents
  }

  /// Nil if there is none of that id.
  package func document(_ id: String, scope: TenantScope) async throws -> [UInt8]? {
    guard let row = try await database(scope).analyses.load(id: id) else { return nil }
    return try await living(row, scope: scope)
  }

  /// The document as it changes, until the run has ended; ends at once if it has. Nil if there is none of that id.
  package func updates(of id: String, scope: TenantScope) async -> AsyncStream<[UInt8]>? {
    let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingNewest(16))
    let follower = Follower(continuation: continuation)
    // Before the look at what there is, so that nothing comes between.
    followers.withLock { $0[id, default: []].append(follower) }
    continuation.onTermination = { [weak self] _ in
      self?.followers.withLock { $0[id]?.removeAll { $0 === follower } }
    }
    do {
      guard let document = try await document(id, scope: scope) else {
        continuation.finish()
        return nil
      }
      continuation.yield(document)
    } catch {
      // What can't be read now has no updates; who asks for the document is told why.
      continuation.finish()
      return stream
    }
    if runs.withLock({ $0[id] == nil }) { continuation.finish() }
    return stream
  }

  private final class Follower: Sendable {
    let continuation: AsyncStream<[UInt8]>.Continuation

    init(continuation: AsyncStream<[UInt8]>.Continuation) { self.continuation = continuation }
  }

  /// Stops a run; what it found so far stays, as failed.
  ///
  /// - Returns: Its document; nil if there is none of that id.
  package func cancel(_ id: String, scope: TenantScope) async throws -> [UInt8]? {
    // Nobody ends another tenant's run.
    guard try await database(scope).analyses.load(id: id) != nil else { return nil }
    let run = runs.withLock { $0[id] }
    run?.cancel()
    await run?.value
    return try await document(id, scope: scope)
  }

  /// The report of an analysis as Markdown; nil if there is no analysis of that id, empty while it runs.
  package func report(_ id: String, scope: TenantScope) async throws -> String? {
    guard let row = try await database(scope).analyses.load(id: id) else { return nil }
    let document = try JSON.value(AnalysisDocument.self, row.document)
    return document.report ?? (document.summary.isEmpty ? "" : "# \(document.headline)\n\n\(document.summary)\n")
  }

  /// - Returns: Whether there was one.
  package func delete(_ id: String, scope: TenantScope) async throws -> Bool {
    // Nobody ends another tenant's run.
    guard try await database(scope).analyses.load(id: id) != nil else { return false }
    let run = runs.withLock { $0[id] }
    run?.cancel()
    await run?.value
    return try await database(scope).analyses.delete(id: id)
  }

  /// Ends what is running; each run is stored as failed.
  package func finish() async {
    let tasks = runs.withLock { Array($0.values) }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
  }

  /// The tenant's database, its index told of it, so that it misses nothing of what happens to the records.
  private func database(_ scope: TenantScope) async throws -> TenantDatabase {
    let database = try await pool.open(scope)
    indexes.follow(database)
    return database
  }

  // MARK: A run

  private func run(_ pending: AnalysisDocument, _ request: AnalysisRequest, scope: TenantScope) async {
    var document = pending
    do {
      document = try await slots.run {
        var document = pending
        document.status = .running
        try await self.save(document, scope: scope)
        let run = AnalysisRun(
          search: self.search, index: try await self.indexes.index(of: try await self.database(scope)), scope: scope)
        return try await withTaskExecutorPreference(self.executor) { [document] in
          try await run.result(for: request, in: document) { partial in
            try await self.save(partial, scope: scope)
          }
        }
      }
      document.status = .completed
    } catch {
      document.status = .failed
      document.error =
        error is CancellationError ? "the analysis was stopped before it was done; start it again" : "\(error)"
      logger.warning("analysis failed", metadata: ["analysis": "\(document.id)", "error": "\(error)"])
    }
    do {
      try await save(document, scope: scope)
    } catch {
      logger.error("an analysis could not be stored", metadata: ["analysis": "\(document.id)", "error": "\(error)"])
    }
  }

  /// The row's document; one that an earlier process left running is failed.
  private func living(_ row: AnalysisTable.Row, scope: TenantScope) async throws -> [UInt8] {
    let isOpen =
      row.status == AnalysisDocument.Status.pending.rawValue || row.status == AnalysisDocument.Status.running.rawValue
    guard isOpen, runs.withLock({ $0[row.id] == nil }) else { return row.document }
    // It may have ended between the two looks.
    guard let again = try await database(scope).analyses.load(id: row.id), again.status == row.status else {
      return try await database(scope).analyses.load(id: row.id)?.document ?? row.document
    }
    var document = try JSON.value(AnalysisDocument.self, row.document)
    document.status = .failed
    document.error = "the server ended before the analysis was done; start it again"
    try await save(document, scope: scope)
    return try JSON.bytes(document)
  }

  private func save(_ document: AnalysisDocument, scope: TenantScope) async throws {
    guard let createdAt = TimeExpression.parse(document.createdAt, now: now()) else {
      preconditionFailure("an analysis carries the time it was made")
    }
    let json = try JSON.bytes(document)
    try await database(scope).analyses.save(
      AnalysisTable.Row(id: document.id, createdAt: createdAt, status: document.status.rawValue, document: json))
    for follower in followers.withLock({ $0[document.id] ?? [] }) { follower.continuation.yield(json) }
  }

  /// A ULID: 48 bits of milliseconds and 80 random ones, so that ids sort by time.
  private static func makeID(_ time: Timestamp, using random: inout some RandomNumberGenerator) -> String {
    let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    var milliseconds = UInt64(clamping: time.nanoseconds / 1_000_000)
    var digits: [UInt8] = []
    for _ in 0..<10 {
      digits.append(alphabet[Int(milliseconds & 31)])
      milliseconds >>= 5
    }
    digits.reverse()
    for _ in 0..<16 { digits.append(alphabet[Int.random(in: 0..<32, using: &random)]) }
    return String(decoding: digits, as: UTF8.self)
  }
}
