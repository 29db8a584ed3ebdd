package import Domain
package import Indexing
import LogBlocks
import LogQuery
package import Storage

/// A query in, records or counts out. Every call works on one tenant, which its scope proves.
package struct SearchService: Sendable {
  private let pool: TenantDatabasePool
  private let indexes: TenantIndexPool
  private let limits: SearchLimits
  private let executor: @Sendable (TenantID) -> any TaskExecutor
  private var gate: QueryGate?
  private let now: @Sendable () -> Timestamp
  let tails: LiveTails

  /// - Parameters:
  ///   - gate: Lets queries in; nil lets in all at once.
  ///   - executor: Where a tenant's scanning runs: work that holds a core for milliseconds.
  package init(
    pool: TenantDatabasePool, indexes: TenantIndexPool, limits: SearchLimits, gate: QueryGate? = nil,
    executor: @escaping @Sendable (TenantID) -> any TaskExecutor, now: @escaping @Sendable () -> Timestamp
  ) {
    self.pool = pool
    self.indexes = indexes
    self.limits = limits
    self.gate = gate
    self.executor = executor
    self.now = now
    tails = LiveTails()
  }

  package init(
    pool: TenantDatabasePool, indexes: TenantIndexPool, limits: SearchLimits, executor: any TaskExecutor,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.init(pool: pool, indexes: indexes, limits: limits, executor: { _ in executor }, now: now)
  }

  /// The same for the server's own work, which has its own bounds and takes no turns from people's queries.
  package var inBackground: SearchService {
    var service = self
    service.gate = nil
    return service
  }

  /// Runs `body` when it is the tenant's turn, on the compute executor, under one deadline. What a query asks for in turn (a subquery)
  /// is part of it.
  func withTurn<Result>(_ scope: TenantScope, _ body: () async throws -> Result) async throws -> Result {
    if QueryClock.current != nil { return try await body() }
    func run() async throws -> Result {
      try await QueryClock.$current.withValue(QueryClock(seconds: limits.seconds)) {
        try await withTaskExecutorPreference(executor(scope.tenant)) { try await body() }
      }
    }
    guard let gate else { return try await run() }
    return try await gate.withTurn(scope.tenant) { try await run() }
  }

  // MARK: Rows

  /// A query that was understood and can run, once.
  package struct PreparedQuery: Sendable {
    fileprivate let service: SearchService
    fileprivate let query: Query
    fileprivate let request: SearchRequest
    fileprivate let scope: TenantScope

    /// Hands rows over in batches as they are found.
    ///
    /// - Returns: What the query looked at.
    /// - Throws: `SearchError`, what Storage throws, and what `sink` throws, which ends the query.
    @discardableResult
    package func run(_ sink: ([SearchRow]) async throws -> Void) async throws -> SearchStatistics {
      try await service.run(self, sink)
    }
  }

  /// Parses a query and checks its pipes. What else can be wrong with it is known before the first row.
  ///
  /// - Throws: `SearchError.syntax`.
  package func prepare(_ request: SearchRequest, scope: TenantScope) async throws -> PreparedQuery {
    try prepare(try parse(request.text), request, scope: scope)
  }

  private func prepare(_ query: Query, _ request: SearchRequest, scope: TenantScope) throws -> PreparedQuery {
    // Regular expressions and the like are compiled here for their errors alone.
    do {
      _ = try PipeChain(pipeline(query.pipes), options: pipeOptions(range: request.range)) { _ in true }
    } catch {
      throw SearchError.syntax(error)
    }
    return PreparedQuery(service: self, query: query, request: request, scope: scope)
  }

  private func run(
    _ prepared: PreparedQuery, _ sink: ([SearchRow]) async throws -> Void
  ) async throws -> SearchStatistics {
    try await withTurn(prepared.scope) {
      let query = prepared.query
      let range = query.range(in: prepared.request.range)
      let usesPatterns = query.filter.usesPatterns || PipeChain.namedFields(by: query.pipes).contains("pattern")
      let (database, names) = try await tenant(prepared.scope, usesPatterns: usesPatterns)
      let filter = try await planner(database, names, range: range, scope: prepared.scope).plan(query.filter)
      var looksAround = false
      if case .streamContext = query.pipes.first { looksAround = true }
      let plan = try await plan(filter, range, looksAround: looksAround, database, names)
      let scan = RowScan(
        plan: plan, pipes: query.pipes, options: pipeOptions(range: range), limit: prepared.request.limit,
        offset: prepared.request.offset)
      do {
        try await scan.run { rows in
          // Pipes that stopped at the deadline hand on what they have: a part of an answer, which is none.
          try QueryClock.current?.check()
          try await sink(rows)
        }
        try QueryClock.current?.check()
      } catch let error as QueryError {
        throw SearchError.syntax(error)
      } catch let error as PipeLimitError {
        throw SearchError.tooLarge("\(error)")
      }
      return plan.finishedStatistics()
    }
  }

  // MARK: Counts

  /// Records over time, by the values of `field`.
  ///
  /// - Parameter step: Nanoseconds.
  package func hits(
    _ request: SearchRequest, step: Int64, field: String?, scope: TenantScope
  ) async throws -> VolumeHistogram {
    try await counting(request, fields: field.map { [$0] } ?? [], scope: scope) { source in
      var builder = HistogramBuilder(step: max(1, step), field: field, byteCountMax: limits.byteCountMax)
      switch source {
      case .rows(let rows, let statistics):
        builder.add(rows)
        return builder.result(statistics)
      case .plan(let plan):
        try await builder.add(plan)
        return builder.result(plan.finishedStatistics())
      }
    }
  }

  /// The most frequent values of each field, of fields that do not have too many.
  package func facets(_ request: SearchRequest, limit: Int, scope: TenantScope) async throws -> [Facet] {
    try await counting(request, scope: scope) { source in
      var builder = FacetBuilder(byteCountMax: limits.byteCountMax)
      switch source {
      case .rows(let rows, _): builder.add(rows)
      case .plan(let plan): try await builder.add(plan)
      }
      return builder.result(limit: limit)
    }
  }

  package func fieldNames(_ request: SearchRequest, scope: TenantScope) async throws -> [ValueHits] {
    try await counting(request, scope: scope) { source in
      var builder = FieldNameBuilder()
      switch source {
      case .rows(let rows, _): builder.add(rows)
      case .plan(let plan): try await builder.add(plan)
      }
      return builder.result()
    }
  }

  package func fieldValues(
    _ request: SearchRequest, field: String, limit: Int, scope: TenantScope
  ) async throws -> [ValueHits] {
    let byteCountMax = limits.byteCountMax
    return try await counting(request, fields: [field], scope: scope) { source in
      var counts: [[UInt8]: Int] = [:]
      switch source {
      case .rows(let rows, _):
        for row in rows { counts[ValueCodes.value(of: field, in: row), default: 0] += 1 }
      case .plan(let plan):
        var byteCount = 0
        for unit in plan.units {
          try await plan.pause()
          try plan.read(unit) { source, rows in
            let codes = try ValueCodes(field, of: source)
            var byCode: [Int: Int] = [:]
            rows.forEach { byCode[codes.code(ofRow: $0), default: 0] += 1 }
            for (code, count) in byCode {
              let value = codes.value(ofCode: code)
              counts[value, default: 0] += count
              if counts[value] == count { byteCount += value.count + 96 }
            }
          }
          if byteCount > byteCountMax {
            throw SearchError.tooLarge(
              "the values of \(field) hold more than \(byteCountMax) bytes; narrow the query")
          }
        }
      }
      counts[[]] = nil
      return ValueHits.ranked(counts, limit: limit)
    }
  }

  /// What is counted: columns, or the rows of a query that has pipes.
  private enum CountSource {
    case plan(ScanPlan)
    case rows([SearchRow], SearchStatistics)
  }

  /// Runs `body` in the tenant's turn.
  private func counting<Result: Sendable>(
    _ request: SearchRequest, fields: [String] = [], scope: TenantScope,
    _ body: (CountSource) async throws -> Result
  ) async throws -> Result {
    let query = try parse(request.text)
    return try await withTurn(scope) {
      if !query.pipes.isEmpty {
        var collected: [SearchRow] = []
        var byteCount = 0
        let statistics = try await prepare(query, request, scope: scope).run { batch in
          collected += batch
          byteCount += batch.reduce(0) { $0 + $1.fields.reduce(64) { $0 + $1.value.count + 48 } }
          if byteCount > limits.byteCountMax {
            throw SearchError.tooLarge(
              "the rows behind the pipes hold more than \(limits.byteCountMax) bytes; narrow the query")
          }
        }
        return try await body(.rows(collected, statistics))
      }
      return try await body(
        .plan(try await plan(query.filter, query.range(in: request.range), fields: fields, scope: scope)))
    }
  }

  // MARK: Around a record

  /// The lines of a record's stream before and after it.
  ///
  /// - Returns: Oldest first, with the record's index; nil if no record has the id.
  package func context(
    of id: RecordID, before: Int, after: Int, scope: TenantScope
  ) async throws -> (rows: [SearchRow], anchor: Int)? {
    try await withTurn(scope) {
      let stream = ScanFilter.streams([id.stream])
      func rows(_ filter: ScanFilter, _ range: TimeRange, isDescending: Bool, limit: Int) async throws -> [SearchRow] {
        if limit <= 0 { return [] }
        let plan = try await plan(filter, range, scope: scope)
        var scan = OrderedScan(plan, isDescending: isDescending, limit: limit)
        var rows: [SearchRow] = []
        while rows.count < limit, let item = try scan.next() { rows.append(try item.source.records.row(item.row)) }
        return rows
      }
      let next = id.time.advanced(byNanoseconds: 1)
      // A range that ends with the last moment there is holds that moment.
      let isLast = next == TimeRange.all.end && id.time != next
      let same = try await rows(
        .and(
          [stream, .time(TimeRange(start: id.time, end: next))]
            + (isLast ? [.not(.time(TimeRange(start: next, end: next)))] : [])),
        .all, isDescending: false, limit: 10_000)
      let text = Array(id.description.utf8)
      guard let index = same.firstIndex(where: { $0["_id"] == text }) else { return nil }
      let earlier = try await rows(
        .and([stream, .time(TimeRange(start: TimeRange.all.start, end: id.time))]), .all, isDescending: true,
        limit: max(0, before - index))
      let later = try await rows(
        .and([stream, .time(TimeRange(start: next, end: TimeRange.all.end))]), .all, isDescending: false,
        limit: id.time == next ? 0 : max(0, after - (same.count - index - 1)))
      let all = earlier.reversed() + same + later
      let anchor = earlier.count + index
      let start = max(0, anchor - before)
      return (Array(all[start..<min(all.count, anchor + after + 1)]), anchor - start)
    }
  }

  // MARK: For other parts of the search

  /// A plan over a fresh view of the tenant.
  ///
  /// - Parameter fields: Fields that will be read by name besides the filter's own.
  func plan(
    _ filter: Filter, _ range: TimeRange, fields: [String] = [], scope: TenantScope
  ) async throws -> ScanPlan {
    let (database, names) = try await tenant(scope, usesPatterns: filter.usesPatterns || fields.contains("pattern"))
    let planned = try await planner(database, names, range: range, scope: scope).plan(filter)
    return try await plan(planned, range, database, names)
  }

  func plan(_ filter: ScanFilter, _ range: TimeRange, scope: TenantScope) async throws -> ScanPlan {
    let (database, names) = try await tenant(scope, usesPatterns: false)
    return try await plan(filter, range, database, names)
  }

  /// - Parameter looksAround: Whether what lies outside of `range` is asked for by `ScanPlan.widened`.
  func plan(
    _ filter: ScanFilter, _ range: TimeRange, looksAround: Bool = false, _ database: TenantDatabase,
    _ names: TenantNames
  ) async throws -> ScanPlan {
    let view = try await database.view(looksAround ? .all : range.intersection(filter.timeBounds))
    return ScanPlan(view: view, names: names, filter: filter, range: range, limits: limits)
  }

  /// The tenant's database, and the names behind its numbers as of now.
  ///
  /// - Parameter usesPatterns: Whether patterns are asked for. What needs none does not wait for the index, which a tenant that was
  ///   just opened first has to load.
  func tenant(_ scope: TenantScope, usesPatterns: Bool) async throws -> (TenantDatabase, TenantNames) {
    let database = try await pool.open(scope)
    let index = try await indexes.index(of: database)
    let patterns = usesPatterns ? try await index.current() : PatternMap()
    return (database, TenantNames(database, patterns: patterns, words: index.words))
  }

  func index(_ scope: TenantScope) async throws -> TenantIndex {
    try await indexes.index(of: try await pool.open(scope))
  }

  /// - Parameter range: What is asked for; queries inside the filter keep to it, too.
  func planner(
    _ database: TenantDatabase, _ names: TenantNames, range: TimeRange, scope: TenantScope
  ) -> QueryPlanner {
    QueryPlanner(
      names: names,
      similarPatterns: { text, limit, filters in
        var present: NumberSet?
        if range != .all || !filters.isEmpty {
          let plan = try await plan(.and(filters), range, database, names)
          present = try await patternTotals(plan).patterns
        }
        let nearest = try await indexes.index(of: database).nearest(to: text, limit: limit, among: present)
        return NumberSet(nearest.lazy.map(\.pattern))
      },
      values: { query in
        var values: Set<[UInt8]> = []
        try await prepare(query, SearchRequest(text: "", range: range), scope: scope).run { rows in
          for row in rows {
            if let first = row.fields.first { values.insert(first.value) }
          }
          if values.count > 100_000 {
            throw SearchError.tooLarge("a subquery answers more than 100000 values; narrow it")
          }
        }
        return Array(values)
      })
  }

  func parse(_ text: String) throws -> Query {
    do {
      return try QueryParser(now: now()).parse(text)
    } catch {
      throw SearchError.syntax(error)
    }
  }

  func parseFilter(_ text: String) throws -> Filter {
    do {
      return try QueryParser(now: now()).parseFilter(text)
    } catch {
      throw SearchError.syntax(error)
    }
  }

  /// Where the tenant's work runs that holds a core for milliseconds.
  func compute(_ scope: TenantScope) -> any TaskExecutor { executor(scope.tenant) }

  var currentTime: Timestamp { now() }

  /// Most memory that one query may hold.
  var byteCountMax: Int { limits.byteCountMax }

  private func pipeline(_ pipes: [Pipe]) -> [Pipe] {
    if case .streamContext = pipes.first { return Array(pipes.dropFirst()) }
    return pipes
  }

  private func pipeOptions(range: TimeRange) -> PipeOptions {
    let clock = QueryClock.current
    return PipeOptions(
      now: now(), range: range, byteCountMax: limits.byteCountMax, isStopped: { clock?.isStopped ?? false })
  }
}

extension Filter {
  /// Whether the tenant's patterns decide what matches.
  var usesPatterns: Bool {
    switch self {
    case .field(let name, _): name == "pattern"
    case .compareFields(let left, _, let right): left == "pattern" || right == "pattern"
    case .similar: true
    case .subquery(let name, _, _): name == "pattern"
    case .and(let parts), .or(let parts): parts.contains { $0.usesPatterns }
    case .not(let part): part.usesPatterns
    case .all, .none, .time, .timeOfDay, .dayOfWeek, .stream, .streamID: false
    }
  }
}

extension Query {
  /// The time that a request for `range` covers.
  fileprivate func range(in range: TimeRange) -> TimeRange { options.ignoresRequestTimeRange ? .all : range }
}
