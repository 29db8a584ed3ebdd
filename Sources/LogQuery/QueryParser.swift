package import Domain

/// LogsQL text to a tree.
package struct QueryParser {
  /// - Parameter now: What `_time:5m` counts back from.
  package init(now: Timestamp) { fatalError() }
  /// The empty text is `*`.
  package func parse(_ text: String) throws(QueryError) -> Query { fatalError() }
  /// Only the part before the first pipe.
  package func parseFilter(_ text: String) throws(QueryError) -> Filter { fatalError() }
}
