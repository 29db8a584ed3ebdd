/// A regular expression of RE2's syntax over UTF-8 bytes, in time linear in the text.
package struct RegularExpression: Sendable {
  /// Throws with `column` counted in scalars of `pattern`, from 1.
  package init(_ pattern: String) throws(QueryError) { fatalError() }
  /// The names of the capture groups; index 0 is the whole match. Nil for a group without a name.
  package var groupNames: [String?] { fatalError() }
  /// Whether the expression matches anywhere in `text`.
  package func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool { fatalError() }
  /// The leftmost match that starts at `start` or later: ranges by group, 0 the whole; nil entries took no part.
  package func captures(in text: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> [Range<Int>?]? { fatalError() }
  /// A literal that every match contains; empty if none is known.
  package var requiredLiteral: [UInt8] { fatalError() }
}
