import Domain
import Indexing
import LogBlocks
import LogQuery
import Storage
import Synchronization

/// Every live tail of the process: one reader of commits a tenant, one evaluation of a commit a distinct filter, however many follow it.
final class LiveTails: Sendable {
  private let tails = Mutex<[TenantID: TenantTail]>([:])

  var followerCount: Int { tails.withLock { $0.values.reduce(0) { $0 + $1.followerCount } } }

  /// - Parameter service: Of the server's own: a tail's subqueries wait for nobody.
  func join(
    _ filter: Filter, of database: TenantDatabase, scope: TenantScope, _ service: SearchService
  ) -> TailSubscription {
    tails.withLock { tails in
      if let tail = tails[scope.tenant], tail.database === database, let subscription = tail.join(filter) {
        return subscription
      }
      let tail = TenantTail(database, scope: scope, service) { [weak self] tail in
        self?.tails.withLock { tails in
          if tails[scope.tenant] === tail { tails[scope.tenant] = nil }
        }
      }
      tails[scope.tenant] = tail
      let subscription = tail.join(filter)
      tail.start()
      // A tail that has not begun has not ended.
      return subscription ?? TailSubscription(TailListener()) {}
    }
  }
}

/// The live tails of one tenant, from the first follower to the last.
final class TenantTail: Sendable {
  /// Followers of one filter.
  private struct Channel {
    let filter: Filter
    var listeners: [Int: TailListener] = [:]
    /// Rows found and not handed on yet.
    var pending: [SearchRow] = []
    var lost = 0
  }

  private struct State {
    /// By the filter's text.
    var channels: [String: Channel] = [:]
    var nextNumber = 0
    var hasEnded = false
    var task: Task<Void, Never>?
  }

  /// Rows handed on as one, and rows that may wait to be.
  private static let batchRowsMax = 256
  private static let pendingRowsMax = 16_384
  /// The shortest time between two batches: at thousands of followers a batch for every commit would be mostly waking up.
  private static let beat = Duration.milliseconds(50)
  private static let heartbeat = Duration.seconds(15)

  let database: TenantDatabase
  private let scope: TenantScope
  private let service: SearchService
  private let didEnd: @Sendable (TenantTail) -> Void
  private let follower: CommitFollower
  private let state = Mutex(State())

  init(
    _ database: TenantDatabase, scope: TenantScope, _ service: SearchService,
    didEnd: @escaping @Sendable (TenantTail) -> Void
  ) {
    self.database = database
    self.scope = scope
    self.service = service
    self.didEnd = didEnd
    follower = database.feed.follow(keepsOpen: true)
  }

  /// Nil when the tail has ended.
  func join(_ filter: Filter) -> TailSubscription? {
    let text = filter.description
    let listener = TailListener()
    let number = state.withLock { state -> Int? in
      if state.hasEnded { return nil }
      state.nextNumber += 1
      state.channels[text, default: Channel(filter: filter)].listeners[state.nextNumber] = listener
      return state.nextNumber
    }
    guard let number else { return nil }
    return TailSubscription(listener) { [self] in leave(text, number) }
  }

  private func leave(_ text: String, _ number: Int) {
    let task = state.withLock { state -> Task<Void, Never>? in
      state.channels[text]?.listeners[number] = nil
      if state.channels[text]?.listeners.isEmpty == true { state.channels[text] = nil }
      guard state.channels.isEmpty, !state.hasEnded else { return nil }
      state.hasEnded = true
      return state.task
    }
    task?.cancel()
  }

  /// Begins to read commits; once.
  func start() {
    let task = Task {
      let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await self.read { signal.yield() } }
        group.addTask {
          for await _ in signals {
            self.flush()
            // The end of the task ends the stream, too.
            try? await Task.sleep(for: TenantTail.beat)
          }
        }
        group.addTask {
          while !Task.isCancelled {
            // As above.
            try? await Task.sleep(for: TenantTail.heartbeat)
            self.listeners().forEach { $0.beat() }
          }
        }
        // The reader ends first, with the feed or with the last follower.
        await group.next()
        group.cancelAll()
        signal.finish()
      }
      self.flush()
      let listeners = self.state.withLock { state in
        state.hasEnded = true
        state.task = nil
        return state.channels.values.flatMap(\.listeners.values)
      }
      listeners.forEach { $0.finish(.success(())) }
      self.didEnd(self)
    }
    let isOver = state.withLock { state in
      state.task = task
      return state.hasEnded
    }
    if isOver { task.cancel() }
  }

  var followerCount: Int { state.withLock { $0.channels.values.reduce(0) { $0 + $1.listeners.count } } }

  private func listeners() -> [TailListener] {
    state.withLock { $0.channels.values.flatMap(\.listeners.values) }
  }

  private func read(_ didFind: () -> Void) async {
    let evaluator = TailEvaluator(database, scope: scope, service)
    for await event in follower {
      switch event {
      case .dropped(let count): listeners().forEach { $0.drop(count) }
      case .commit(let commit):
        let filters = state.withLock { $0.channels.mapValues(\.filter) }
        let found = await evaluator.evaluate(filters, on: commit.columns)
        if found.isEmpty { continue }
        take(found)
        didFind()
      }
    }
  }

  private func take(_ found: [String: Result<[SearchRow], any Error>]) {
    let failed = state.withLock { state -> [(TailListener, any Error)] in
      var failed: [(TailListener, any Error)] = []
      for (text, result) in found {
        guard state.channels[text] != nil else { continue }
        switch result {
        case .success(let rows):
          let room = max(0, TenantTail.pendingRowsMax - (state.channels[text]?.pending.count ?? 0))
          state.channels[text]?.pending += rows.prefix(room)
          state.channels[text]?.lost += max(0, rows.count - room)
        case .failure(let error):
          failed += state.channels[text]?.listeners.values.map { ($0, error) } ?? []
        }
      }
      return failed
    }
    for (listener, error) in failed { listener.finish(.failure(error)) }
  }

  private func flush() {
    let ready = state.withLock { state -> [(rows: [SearchRow], lost: Int, listeners: [TailListener])] in
      var ready: [(rows: [SearchRow], lost: Int, listeners: [TailListener])] = []
      for (text, channel) in state.channels where !channel.pending.isEmpty || channel.lost > 0 {
        ready.append((channel.pending, channel.lost, Array(channel.listeners.values)))
        state.channels[text]?.pending = []
        state.channels[text]?.lost = 0
      }
      return ready
    }
    for (rows, lost, listeners) in ready {
      for start in stride(from: 0, to: rows.count, by: TenantTail.batchRowsMax) {
        let batch = TailBatch(Array(rows[start..<min(rows.count, start + TenantTail.batchRowsMax)]))
        for listener in listeners { listener.offer(batch) }
      }
      if lost > 0 { for listener in listeners { listener.drop(lost) } }
    }
  }
}

/// Runs the filters of one tenant's tails over commits. A filter is planned once, and again when what it looks up has grown.
///
/// Used by one task at a time.
private final class TailEvaluator {
  private struct Planned {
    let filter: ScanFilter
    let streamCount: Int
    let templateCount: Int
    let time: ContinuousClock.Instant
  }

  /// How long the values of a subquery hold.
  private static let subqueryAge = Duration.seconds(5)

  private let database: TenantDatabase
  private let scope: TenantScope
  private let service: SearchService
  /// Without patterns.
  private let names: TenantNames
  private var planned: [String: Planned] = [:]

  init(_ database: TenantDatabase, scope: TenantScope, _ service: SearchService) {
    self.database = database
    self.scope = scope
    self.service = service
    names = TenantNames(database, patterns: PatternMap(), words: TemplateWords())
  }

  /// - Returns: By filter; only those that found something or failed.
  func evaluate(
    _ filters: [String: Filter], on columns: RecordColumns
  ) async -> [String: Result<[SearchRow], any Error>] {
    await withTaskExecutorPreference(service.compute(scope)) {
      planned = planned.filter { filters[$0.key] != nil }
      var found: [String: Result<[SearchRow], any Error>] = [:]
      // A row that many filters find is put together once.
      var rows: [Int: SearchRow] = [:]
      for (text, filter) in filters {
        do {
          var names = names
          let plan: ScanFilter
          if filter.usesPatterns {
            names = try await service.tenant(scope, usesPatterns: true).1
            plan = try await service.planner(database, names, range: .all, scope: scope).plan(filter)
          } else {
            plan = try await self.plan(text, filter)
          }
          let (source, matches) = try open(columns, plan, names)
          var own: [SearchRow] = []
          try matches.forEach { index in
            let row = try rows[index] ?? source.records.row(index)
            rows[index] = row
            own.append(row)
          }
          if !own.isEmpty { found[text] = .success(own) }
        } catch {
          found[text] = .failure(error)
        }
      }
      return found
    }
  }

  private func open(
    _ columns: RecordColumns, _ filter: ScanFilter, _ names: TenantNames
  ) throws -> (OpenedSource, RowSet) {
    let source = OpenedSource(
      try HeadSource(columns),
      of: ScanUnit(origin: .head(columns), minTimeMaxTime: (.min, .max), recordCount: columns.count), filter: filter,
      names: names)
    return (source, try source.rows())
  }

  private func plan(_ text: String, _ filter: Filter) async throws -> ScanFilter {
    let (streamCount, templateCount) = (database.streamCount, database.templateCount)
    if let known = planned[text],
      known.streamCount == streamCount || !filter.looksUpStreams,
      known.templateCount == templateCount || !filter.looksUpTemplates,
      !filter.hasSubquery || ContinuousClock.now - known.time < TailEvaluator.subqueryAge
    {
      return known.filter
    }
    let plan = try await service.planner(database, names, range: .all, scope: scope).plan(filter)
    planned[text] = Planned(filter: plan, streamCount: streamCount, templateCount: templateCount, time: .now)
    return plan
  }
}

extension Filter {
  private func contains(_ leaf: (Filter) -> Bool) -> Bool {
    switch self {
    case .and(let parts), .or(let parts): parts.contains { $0.contains(leaf) }
    case .not(let part): part.contains(leaf)
    default: leaf(self)
    }
  }

  fileprivate var looksUpStreams: Bool {
    contains { leaf in
      switch leaf {
      case .stream, .streamID: true
      case .field(let name, _), .subquery(let name, _, _): name == "_stream" || name == "_stream_id"
      default: false
      }
    }
  }

  fileprivate var looksUpTemplates: Bool {
    contains { leaf in
      switch leaf {
      case .field(let name, _), .subquery(let name, _, _): name == "template"
      default: false
      }
    }
  }

  fileprivate var hasSubquery: Bool {
    contains { leaf in if case .subquery = leaf { true } else { false } }
  }
}
