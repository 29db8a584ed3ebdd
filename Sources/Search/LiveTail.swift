package import Domain
import LogBlocks
import LogQuery
import Storage

/// What a follower of new records is told.
package enum TailEvent: Sendable {
  case rows([SearchRow])
  /// The follower was too slow: so many records were passed over.
  case dropped(Int)
  /// Nothing matched for a while; the stream stands.
  case idle
}

extension SearchService {
  /// Events that may wait for a follower, and rows of one event.
  private static let tailEventsMax = 64
  private static let tailRowsMax = 256

  /// Records that match, as they become durable.
  ///
  /// - Throws: `SearchError.syntax`, also for a query with pipes that need all records at once.
  package func tail(_ text: String, scope: TenantScope) async throws -> AsyncThrowingStream<TailEvent, any Error> {
    let query = try parse(text)
    if !query.pipes.isEmpty {
      throw SearchError.syntax(
        QueryError(message: "a live tail takes a filter without pipes", column: 0, expected: "a filter"))
    }
    let (database, names) = try await tenant(scope, usesPatterns: query.filter.usesPatterns)
    // Checked once before the stream begins; then again whenever streams or templates have come that names must know.
    _ = try await planner(database, names, range: .all, scope: scope).plan(query.filter)
    let follower = database.feed.follow(keepsOpen: true)
    // Bounded: what a client does not take in time is passed over and counted, here as in the feed one stage before.
    let (stream, continuation) = AsyncThrowingStream.makeStream(
      of: TailEvent.self, throwing: (any Error).self, bufferingPolicy: .bufferingOldest(Self.tailEventsMax))
    let task = Task {
      var lost = 0
      func tell(_ rows: ArraySlice<SearchRow>) {
        if lost > 0, case .enqueued = continuation.yield(.dropped(lost)) { lost = 0 }
        if lost > 0 || rows.isEmpty {
          lost += rows.count
        } else if case .dropped = continuation.yield(.rows(Array(rows))) {
          lost = rows.count
        }
      }
      do {
        for await event in follower {
          switch event {
          case .dropped(let count):
            lost += count
            tell([])
          case .commit(let commit):
            let rows = try await matching(query.filter, commit.columns, scope: scope)
            var start = 0
            while start < rows.count {
              let end = min(rows.count, start + Self.tailRowsMax)
              tell(rows[start..<end])
              start = end
            }
          }
        }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    let heart = Task {
      while !Task.isCancelled {
        try await Task.sleep(for: .seconds(15))
        continuation.yield(.idle)
      }
    }
    continuation.onTermination = { _ in
      task.cancel()
      heart.cancel()
    }
    return stream
  }

  private func matching(_ filter: Filter, _ columns: RecordColumns, scope: TenantScope) async throws -> [SearchRow] {
    try await withTaskExecutorPreference(compute) {
      let (database, names) = try await tenant(scope, usesPatterns: filter.usesPatterns)
      let planned = try await planner(database, names, range: .all, scope: scope).plan(filter)
      let source = OpenedSource(
        try HeadSource(columns),
        of: ScanUnit(origin: .head(columns), minTimeMaxTime: (.min, .max), recordCount: columns.count),
        names: names)
      let rows = try source.evaluator.matches(planned, within: RowSet(rowCount: columns.count, full: true))
      var found: [SearchRow] = []
      try rows.forEach { found.append(try source.records.row($0)) }
      return found
    }
  }
}
