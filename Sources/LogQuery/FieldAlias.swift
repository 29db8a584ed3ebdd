/// Short names for what shippers call `kubernetes.…`.
package enum FieldAlias {
  /// The fields `name` may stand for: itself, then others in order of preference. Its value is the first that is not empty.
  package static func candidates(for name: String) -> [String] { fatalError() }
  /// `name`'s test on the first candidate that is not empty, as plain field filters.
  package static func expand(_ name: String, _ test: ValueTest, matchesEmpty: Bool) -> Filter { fatalError() }
}
