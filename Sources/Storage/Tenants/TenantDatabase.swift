package import Domain
internal import GRDB
internal import LogBlocks
internal import Logging
internal import Synchronization

/// What the store says of records that are durable.
package struct Receipt: Hashable, Sendable {
  package let recordCount: Int
  /// Counts commits of this tenant since it was opened, from 1; requests that shared a transaction share the number.
  package let sequence: Int64
}

/// How much a tenant holds, as of now.
package struct TenantStatistics: Hashable, Sendable {
  /// In blocks and in the head.
  package var recordCount = 0
  package var headRecordCount = 0
  package var headByteCount = 0
  package var blockCount = 0
  package var rawByteCount = 0
  package var storedByteCount = 0
  package var templateCount = 0
  package var streamCount = 0
  package var quarantinedBlockCount = 0
  package var quarantinedSegmentCount = 0
  /// Transactions with records since the tenant was opened.
  package var commitCount: Int64 = 0
  package var firstTime: Timestamp?
  package var lastTime: Timestamp?
}

/// One tenant: one file, and what of it is kept in memory.
///
/// Records are durable in *segments* when `append` returns, and stand in the *head*; a head that is large or old
/// becomes *blocks*. Readers take a `TenantView`. All that changes head and catalog runs on the file's own queue
/// right after its transaction, so memory and file agree between any two of its jobs.
package final class TenantDatabase: Sendable {
  package let scope: TenantScope
  package let feed: CommitFeed
  package let patterns: PatternTable
  package let vectors: VectorTable
  package let analyses: AnalysisTable
  package let insights: InsightTable

  let file: DatabaseFile
  let options: StorageOptions
  let compute: ThreadPool
  let now: @Sendable () -> Timestamp
  let logger: Logger
  let uses = UseCount()
  let summaries: SummaryCache
  let columns: ColumnCache
  /// The tenant's mark in the cache that all share.
  let cacheOwner: UInt64
  let heads: HeadBudget
  let commits: GroupCommit
  private let maintenanceTurns = Turnstile()

  struct Numbers: Sendable {
    var templates = NumberTable<Template>()
    var streams = NumberTable<Stream>()
  }

  struct State: Sendable {
    var head = TenantHead()
    var catalog = BlockCatalog()
    /// The last segment that was acknowledged.
    var lastSegment: Int64 = 0
    var lastBlock: Int64 = 0
    var commitCount: Int64 = 0
    var quarantinedSegmentCount = 0
    /// What `HeadBudget` knows of the head.
    var notedHeadByteCount = 0
    /// When records were last stored, if the file was not tidied since.
    var untidySince: Timestamp?
    /// When records were last stored, by this process.
    var storedAt: Timestamp?
    /// Grows when file and memory were brought together anew; work begun before must not be stored then.
    var epoch = 0
    var isClosed = false
    /// Kinds of blocks that merging would not make fewer.
    var settledBlocks: Set<Int64> = []
    var maintenance: Task<Void, Never>?
    var maintenanceError: StorageError?
    var closingHooks: [@Sendable () async -> Void] = []
    var storingHooks: [@Sendable ([RecordColumns]) async -> Void] = []
  }

  let numbers = Mutex(Numbers())
  let state = Mutex(State())

  /// Opens the tenant's file and reads what is kept in memory: templates, streams, the rows of blocks, and the head
  /// from segments.
  init(
    _ scope: TenantScope, directory: DataDirectory, options: StorageOptions, compute: ThreadPool,
    columns: ColumnCache, heads: HeadBudget, now: @escaping @Sendable () -> Timestamp, logger: Logger
  ) async throws(StorageError) {
    self.scope = scope
    self.options = options
    self.compute = compute
    self.columns = columns
    cacheOwner = columns.makeOwner()
    self.heads = heads
    self.now = now
    self.logger = logger
    try directory.makeTenantFolder(scope.tenant)
    file = DatabaseFile(
      path: directory.tenantFile(scope.tenant), in: directory, migrations: .tenant,
      checkpointByteCount: options.checkpointByteCount, idleReadersMax: options.idleReadersMax)
    feed = CommitFeed(uses: uses)
    patterns = PatternTable(file: file)
    vectors = VectorTable(file: file, now: now)
    analyses = AnalysisTable(file: file, now: now)
    insights = InsightTable(file: file)
    summaries = SummaryCache(countMax: options.summariesMax)
    commits = GroupCommit(
      file: file, waitingByteCountMax: options.waitingByteCountMax, commitByteCountMax: options.commitByteCountMax)
    do {
      let damaged = try await file.open { [self] database in
        try loadNumbers(database)
        return try load(database)
      }
      try await file.onReopening { [weak self] database in try self?.reload(database) }
      if !damaged.isEmpty {
        logger.error(
          "segments cannot be read and were set aside",
          metadata: ["tenant": "\(scope.tenant.text)", "segments": "\(damaged)"])
        try await file.write("setting damaged segments aside") { try SegmentTable.quarantine(damaged, $0) }
      }
      noteHeadSize()
      try await noteLogDamage()
    } catch {
      await file.close()
      throw error
    }
  }

  // MARK: - Numbers of templates and streams

  /// The numbers of the templates of those texts. A new one gets its number at once and is durable before any record
  /// that uses it.
  ///
  /// - Throws: `.closed`, or `.invalid` when 4 Gi numbers are given away.
  package func templateNumbers(for texts: [[UInt8]]) throws(StorageError) -> [UInt32] {
    try requireOpen("numbering templates")
    return try numbers.withLock { (numbers) throws(StorageError) in
      try requireRoom(numbers.templates.count + texts.count)
      return texts.map { numbers.templates.allocate(Template(text: $0)) }
    }
  }

  /// The numbers of those streams; see `templateNumbers`.
  package func streamNumbers(for streams: [Stream]) throws(StorageError) -> [UInt32] {
    try requireOpen("numbering streams")
    return try numbers.withLock { (numbers) throws(StorageError) in
      try requireRoom(numbers.streams.count + streams.count)
      return streams.map { numbers.streams.allocate($0) }
    }
  }

  /// Nil for a number that was never given away, or whose row is damaged.
  package func template(_ number: UInt32) -> Template? { numbers.withLock { $0.templates[number] } }

  package func stream(_ number: UInt32) -> Stream? { numbers.withLock { $0.streams[number] } }

  /// Numbers `0..<templateCount` are given away.
  package var templateCount: Int { numbers.withLock { $0.templates.count } }

  package var streamCount: Int { numbers.withLock { $0.streams.count } }

  /// The highest number that a block was given.
  package var lastBlock: Int64 { state.withLock { $0.lastBlock } }

  private func requireRoom(_ count: Int) throws(StorageError) {
    guard count < Int(UInt32.max) else {
      throw StorageError(
        .invalid, "numbering templates", at: file.path, cause: "4 Gi numbers are given away",
        remedy: "Split this tenant's senders over several tenants.")
    }
  }

  func requireOpen(_ operation: String) throws(StorageError) {
    if state.withLock({ $0.isClosed }) { throw .closed(operation, at: file.path) }
  }

  // MARK: - Writing

  /// Makes records durable. They are in views and in the feed when this returns.
  ///
  /// - Parameters:
  ///   - columns: With this tenant's numbers of templates and streams.
  ///   - rawByteCount: Bytes as they were sent, for the usage.
  /// - Throws: `.busy` when too much waits, `.diskFull`; then nothing of `columns` was taken.
  package func append(_ columns: RecordColumns, rawByteCount: Int) async throws(StorageError) -> Receipt {
    let use = uses.begin()
    defer { withExtendedLifetime(use) {} }
    guard let times = columns.timeSpan else {
      return Receipt(recordCount: 0, sequence: state.withLock { $0.commitCount })
    }
    try requireOpen("storing records")
    let byteCount = columns.byteCount
    try commits.reserve(byteCount)
    defer { commits.release(byteCount) }
    try await waitForHead()
    let segment: [UInt8]
    do {
      try requireKnownNumbers(columns)
      segment = try SegmentCodec.encode(columns)
    } catch {
      throw StorageError(error, "encoding records", at: file.path)
    }
    let entry = GroupCommit.Entry(
      columns: columns,
      segment: SegmentTable.Row(recordCount: columns.count, rawByteCount: rawByteCount, data: segment),
      minTime: times.first, maxTime: times.last)
    let receipt = try await commits.append(entry) { [self] entries throws(StorageError) in try commit(entries) }
    if isFlushDue { scheduleMaintenance() }
    if heads.isExceeded { heads.relieve() }
    return receipt
  }

  /// Writes a group in one transaction; runs on the file's queue.
  private func commit(_ entries: [GroupCommit.Entry]) throws(StorageError) -> [Receipt] {
    let time = now()
    let lastSegment = state.withLock { $0.lastSegment }
    // Numbers are given away before their records are appended: all that this group uses are among these.
    let (templates, streams, templateCount, streamCount) = numbers.withLock { numbers in
      (numbers.templates.unsaved(), numbers.streams.unsaved(), numbers.templates.count, numbers.streams.count)
    }
    let byteCount = entries.reduce(0) { $0 + $1.segment.data.count }
    var receipts: [Receipt] = []
    try file.writeNow("storing records", byteCount: byteCount) { database in
      try TemplateTable.insert(templates, at: time, database)
      try StreamTable.insert(streams, at: time, database)
      var number = lastSegment
      for entry in entries {
        number += 1
        try SegmentTable.insert(entry.segment, number: number, at: time, database)
      }
      try UsageTable.add(
        recordCount: entries.reduce(0) { $0 + $1.columns.count },
        rawByteCount: entries.reduce(0) { $0 + $1.segment.rawByteCount }, at: time, database)
    } committed: { _ in
      numbers.withLock { numbers in
        numbers.templates.markDurable(upTo: templateCount)
        numbers.streams.markDurable(upTo: streamCount)
      }
      let sequence = state.withLock { state in
        for entry in entries {
          state.lastSegment += 1
          state.head.append(
            TenantHead.Chunk(
              columns: entry.columns, lastSegment: state.lastSegment, minTime: entry.minTime, maxTime: entry.maxTime,
              createdAt: time, byteCount: entry.columns.byteCount))
        }
        state.commitCount += 1
        state.untidySince = time
        state.storedAt = time
        return state.commitCount
      }
      noteHeadSize()
      feed.publish(
        entries.map { Commit(sequence: sequence, columns: $0.columns, templateCount: templateCount) })
      receipts = entries.map { Receipt(recordCount: $0.columns.count, sequence: sequence) }
    }
    return receipts
  }

  private func requireKnownNumbers(_ columns: RecordColumns) throws(BlockError) {
    let (templateCount, streamCount) = numbers.withLock { ($0.templates.count, $0.streams.count) }
    guard (columns.templates.max()).map({ $0 < templateCount }) ?? true,
      (columns.streams.max()).map({ $0 < streamCount }) ?? true
    else { throw .invalidRecords("a template or stream has a number that was never given away") }
  }

  /// Tells what all heads together hold of a change of this one.
  func noteHeadSize() {
    let growth = state.withLock { state in
      let byteCount = state.isClosed ? 0 : state.head.byteCount
      defer { state.notedHeadByteCount = byteCount }
      return byteCount - state.notedHeadByteCount
    }
    heads.add(growth)
  }

  /// Holds a request back while heads are far above their bound, which blocks then cannot keep up with.
  private func waitForHead() async throws(StorageError) {
    if heads.isFarExceeded { await heads.relieve()?.value }
    for _ in 0..<2 where isHeadFull { await scheduleMaintenance().value }
    guard isHeadFull else { return }
    throw state.withLock { $0.maintenanceError }
      ?? StorageError(
        .busy(retryAfterSeconds: 2), "taking records", at: file.path, cause: "the head is full",
        remedy: "Send again in a moment.")
  }

  private var isHeadFull: Bool {
    state.withLock { state in
      state.head.recordCount >= options.headRecordsMax * 3 || state.head.byteCount >= options.headByteCountMax * 3
    }
  }

  // MARK: - Reading

  /// Head and blocks as of this moment, cut by the retention.
  package func view(_ range: TimeRange) async throws(StorageError) -> TenantView {
    let range = retainedRange.map(range.intersection) ?? range
    let (isClosed, head, blocks, quarantinedCount) = state.withLock { state in
      (state.isClosed, state.head.overlapping(range), state.catalog.overlapping(range), state.catalog.quarantined.count)
    }
    guard !isClosed else { throw .closed("reading records", at: file.path) }
    return TenantView(self, range: range, head: head, blocks: blocks, quarantinedCount: quarantinedCount)
  }

  /// What the retention leaves; nil if everything is kept.
  var retainedRange: TimeRange? {
    options.retentionNanoseconds.map { retention in
      TimeRange(start: now().advanced(byNanoseconds: -retention), end: TimeRange.all.end)
    }
  }

  var headByteCount: Int { state.withLock { $0.head.byteCount } }

  /// Whether records came since `time`, or are in no block yet.
  func hasRecords(since time: Timestamp) -> Bool {
    state.withLock { $0.head.byteCount > 0 || $0.storedAt.map { $0 >= time } ?? false }
  }

  package func statistics() -> TenantStatistics {
    var statistics = TenantStatistics()
    numbers.withLock { numbers in
      statistics.templateCount = numbers.templates.count
      statistics.streamCount = numbers.streams.count
    }
    state.withLock { state in
      statistics.headRecordCount = state.head.recordCount
      statistics.headByteCount = state.head.byteCount
      statistics.recordCount = state.head.recordCount
      statistics.blockCount = state.catalog.live.count
      for block in state.catalog.live {
        statistics.recordCount += block.recordCount
        statistics.rawByteCount += block.rawByteCount
        statistics.storedByteCount += block.storedByteCount
      }
      statistics.quarantinedBlockCount = state.catalog.quarantined.count
      statistics.quarantinedSegmentCount = state.quarantinedSegmentCount
      statistics.commitCount = state.commitCount
      let starts = state.catalog.live.map(\.minTime) + state.head.chunks.map(\.minTime)
      let ends = state.catalog.live.prefix(1).map(\.maxTime) + state.head.chunks.map(\.maxTime)
      statistics.firstTime = starts.min()
      statistics.lastTime = ends.max()
    }
    return statistics
  }

  /// What was taken in on those days: whole days since 1970, UTC. Days without records are left out.
  package func usage(days: ClosedRange<Int64>) async throws(StorageError) -> [UsageDay] {
    try await file.query("reading the usage") { try UsageTable.load(days, $0) }
  }

  // MARK: - Maintenance

  /// Makes the head into blocks, whatever its size.
  package func flush() async throws(StorageError) {
    try await maintenanceTurns.withTurn { () async throws(StorageError) in
      // What comes in meanwhile may wait for the next time.
      var rest = state.withLock { $0.head.recordCount }
      while rest > 0 {
        let count = try await storeHeadAsBlocks()
        if count == 0 { break }
        rest -= count
      }
    }
  }

  /// Merges of one maintenance, so that a long backlog is worked off beside other work.
  private static let mergesMax = 16

  /// What is due: the head to blocks, expired blocks out, small blocks merged, space given back.
  package func maintain() async throws(StorageError) {
    try await maintenanceTurns.withTurn { () async throws(StorageError) in
      // First what makes room: on a full disk the rest cannot go on without it.
      try await expireBlocks()
      try await deleteObsoleteBlocks()
      for _ in 0..<Self.mergesMax {
        // The head before every merge: senders may be waiting for it.
        while isFlushDue, try await storeHeadAsBlocks() > 0 {}
        guard try await mergeBlocks() else { break }
      }
      try await deleteObsoleteBlocks()
      try await giveBackSpace(byteCountMin: options.vacuumByteCountMin)
    }
  }

  var isFlushDue: Bool {
    let time = now()
    return state.withLock { state in
      guard let oldest = state.head.oldest, state.head.frozenCount == 0 else { return false }
      return state.head.recordCount >= options.headRecordsMax || state.head.byteCount >= options.headByteCountMax
        || time >= oldest.advanced(byNanoseconds: Int64(options.headAgeSecondsMax) * 1_000_000_000)
    }
  }

  /// Whether `maintain` would find something to do, as far as memory tells.
  var isMaintenanceDue: Bool {
    if isFlushDue { return true }
    let retained = retainedRange
    return state.withLock { state in
      !state.catalog.deletable.isEmpty || retained.map { !state.catalog.endingBefore($0.start).isEmpty } ?? false
    }
  }

  /// Whether nothing was stored for a while and the file has not been tidied since.
  var isTidyingDue: Bool {
    let time = now()
    return state.withLock { state in
      guard let since = state.untidySince, state.maintenance == nil else { return false }
      return time >= since.advanced(byNanoseconds: Int64(options.quietSecondsMax) * 1_000_000_000)
    }
  }

  /// A head of this size need not wait for its age where nothing more comes.
  private static let quietHeadByteCountMin = 1 << 20

  /// Stores a large head, copies the log into the file, gives free space back, and lets go of memory that only writing needs.
  func tidy() async throws(StorageError) {
    state.withLock { $0.untidySince = nil }
    if state.withLock({ $0.head.byteCount >= Self.quietHeadByteCountMin }) { try await flush() }
    try await maintenanceTurns.withTurn { () async throws(StorageError) in
      try await deleteObsoleteBlocks()
      try await giveBackSpace(byteCountMin: min(1 << 20, options.vacuumByteCountMin), share: 64)
      try await file.tidy()
    }
  }

  /// Runs `maintain` beside the callers, once at a time. `close` waits for it.
  @discardableResult
  func scheduleMaintenance() -> Task<Void, Never> {
    state.withLock { state in
      if let running = state.maintenance { return running }
      let task = Task { [self] in
        var failure: StorageError?
        do throws(StorageError) {
          try await maintain()
        } catch {
          failure = error
          if error.kind != .closed {
            logger.error("maintenance failed", metadata: ["tenant": "\(scope.tenant.text)", "error": "\(error)"])
          }
        }
        self.state.withLock { [failure] state in
          state.maintenance = nil
          state.maintenanceError = failure
        }
      }
      state.maintenance = task
      return task
    }
  }

  // MARK: - Closing

  /// Registers what must run before the file closes, while it can still be written: an index that saves itself.
  package func beforeClosing(_ body: @escaping @Sendable () async -> Void) {
    state.withLock { $0.closingHooks.append(body) }
  }

  /// Registers what must know of records before they leave the head for blocks: an index that catches up from the head.
  package func beforeStoringBlocks(_ body: @escaping @Sendable ([RecordColumns]) async -> Void) {
    state.withLock { $0.storingHooks.append(body) }
  }

  /// Flushes and closes. The pool's business: others may still be using the tenant.
  package func close() async {
    let hooks = state.withLock { state in
      defer { state.closingHooks = [] }
      return state.closingHooks
    }
    for hook in hooks { await hook() }
    let running = state.withLock { state in
      state.isClosed = true
      return state.maintenance
    }
    feed.finish()
    await running?.value
    do {
      try await flush()
      try await deleteObsoleteBlocks()
      // What the next segments would have reused is not needed soon.
      try await giveBackSpace(byteCountMin: min(1 << 20, options.vacuumByteCountMin), share: 64)
    } catch {
      // The records stay durable in their segments; the next opening reads them into the head.
      logger.warning(
        "head could not be stored as blocks at closing",
        metadata: ["tenant": "\(scope.tenant.text)", "error": "\(error)"])
    }
    state.withLock { $0.storingHooks = [] }
    noteHeadSize()
    columns.removeAll(of: cacheOwner)
    await file.close()
  }

  // MARK: - Loading

  private func loadNumbers(_ database: Database) throws {
    let templates = try TemplateTable.load(database)
    let streams = try StreamTable.load(database)
    numbers.withLock { numbers in
      numbers.templates = templates
      numbers.streams = streams
    }
  }

  /// The name in table `setting` of what was found wrong with the log at an opening: text, a line each time.
  static let logDamageSetting = "log.damage"

  /// Keeps for `verify` that commits were lost with a damaged log: the file itself shows nothing of it.
  private func noteLogDamage() async throws(StorageError) {
    guard let damage = file.logDamage.withLock({ $0 }) else { return }
    logger.error(
      "log is damaged, commits are missing",
      metadata: ["tenant": "\(scope.tenant.text)", "damage": "\(damage.description)"])
    let line = Array("\(damage.description)\n".utf8)
    try await file.write("noting a damaged log") { database in
      try database.execute(
        sql: """
          INSERT INTO setting (name, value) VALUES (?, ?)
          ON CONFLICT (name) DO UPDATE SET value = CAST(value || excluded.value AS BLOB)
          """, arguments: [Self.logDamageSetting, line.blob])
    }
  }

  /// Reads blocks and head. Answers the numbers of segments that cannot be read.
  @discardableResult
  private func load(_ database: Database) throws -> [Int64] {
    let (head, damaged, quarantinedCount) = try SegmentTable.load(database)
    let holds = state.withLock { $0.catalog.holds }
    let catalog = try BlockTable.load(database) { holds[$0] }
    let lastSegment = try Int64.fetchOne(database, sql: "SELECT max(number) FROM segment") ?? 0
    // A number that the patterns know of is not given to other records, though its block be gone.
    let lastBlock = max(
      try Int64.fetchOne(database, sql: "SELECT max(number) FROM block") ?? 0, try PatternTable.lastBlock(database))
    state.withLock { state in
      state.head = head
      state.catalog = catalog
      // Never back to a number that was used since the file was opened.
      state.lastSegment = max(state.lastSegment, lastSegment)
      state.lastBlock = max(state.lastBlock, lastBlock)
      state.quarantinedSegmentCount = quarantinedCount + damaged.count
      state.epoch += 1
    }
    noteHeadSize()
    return damaged
  }

  /// After a failed write: what was refused goes, and memory is made from the file again.
  private func reload(_ database: Database) throws {
    try SegmentTable.delete(after: state.withLock { $0.lastSegment }, database)
    let damaged = try load(database)
    try SegmentTable.quarantine(damaged, database)
    logger.warning(
      "file was opened again after a failed write", metadata: ["tenant": "\(scope.tenant.text)"])
  }
}
