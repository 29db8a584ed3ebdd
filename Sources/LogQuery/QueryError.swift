/// Why a text is no query: one sentence for the person who wrote it.
package struct QueryError: Error, Equatable, Sendable {
  /// A whole sentence without a full stop: what is wrong there.
  package var message: String
  /// Where, from 1, counted in Unicode scalars of the query text; 0 when the query did not come from text.
  package var column: Int
  /// What could have stood there, when that can be said shortly: "a field name", "`)`".
  package var expected: String?

  package init(message: String, column: Int, expected: String? = nil) {
    self.message = message
    self.column = column
    self.expected = expected
  }

  /// `column 7: …; expected …`
  package var description: String {
    (column > 0 ? "column \(column): " : "") + message + (expected.map { "; expected \($0)" } ?? "")
  }
}

extension QueryError: CustomStringConvertible {}
