package import Domain

/// A `Filter` made ready to run on records.
package struct RecordMatcher: Sendable {
  /// Throws on a bad regular expression and on `similar` and `subquery`, which Search resolves first.
  package init(_ filter: Filter) throws(QueryError) { fatalError() }
  package func matches(_ record: some FieldSource) -> Bool { fatalError() }
}

/// A `{…}` filter made ready to run on streams.
package struct StreamMatcher: Sendable {
  package init(_ alternatives: [[LabelTest]]) throws(QueryError) { fatalError() }
  package func matches(_ stream: Stream) -> Bool { fatalError() }
}
