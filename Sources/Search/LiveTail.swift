package import Domain
import LogQuery
import Storage

/// What a follower of new records is told.
package enum TailEvent: Sendable {
  case rows(TailBatch)
  /// The follower was too slow: so many records were passed over.
  case dropped(Int)
  /// Nothing matched for a while; the stream stands.
  case idle
}

extension SearchService {
  /// Records that match, as they become durable.
  ///
  /// - Throws: `SearchError.syntax`, also for a query with pipes that need all records at once.
  package func tail(_ text: String, scope: TenantScope) async throws -> TailSubscription {
    let query = try parse(text)
    if !query.pipes.isEmpty {
      throw SearchError.syntax(
        QueryError(message: "a live tail takes a filter without pipes", column: 0, expected: "a filter"))
    }
    let (database, names) = try await tenant(scope, usesPatterns: query.filter.usesPatterns)
    // Once before the stream begins, so that what is wrong with the filter is known at once.
    _ = try await inBackground.planner(database, names, range: .all, scope: scope).plan(query.filter)
    return tails.join(query.filter, of: database, scope: scope, inBackground)
  }
}
