package import Domain

/// What a template says about all messages made from it.
package enum TemplateVerdict: Sendable, Equatable { case all, none, maybe }

/// A `ValueTest` made ready to run on bytes.
package struct ValueMatcher: Sendable {
  package init(_ test: ValueTest) throws(QueryError) { fatalError() }
  package func matches(_ value: UnsafeBufferPointer<UInt8>) -> Bool { fatalError() }
  /// Whether a missing field passes.
  package var matchesEmpty: Bool { fatalError() }
  /// Words that every matching value holds as whole words (`WordTokenizer`).
  package var requiredWords: [[UInt8]] { fatalError() }
  /// Byte strings that every matching value contains.
  package var requiredLiterals: [[UInt8]] { fatalError() }
  /// What `template` alone says, whatever its variables are.
  package func verdict(on template: Template) -> TemplateVerdict { fatalError() }
}
