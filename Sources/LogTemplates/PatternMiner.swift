package import Domain

/// Finds for each template the pattern it belongs to: what a person would call the same kind of line.
///
/// Deterministic: inserting the same templates in the same order into a fresh miner gives the same patterns, numbers and merges,
/// so nothing but the template table need be stored. Templates are inserted in the order of their numbers.
package struct PatternMiner: Sendable {
  /// What one insertion changed.
  package struct Changes: Equatable, Sendable {
    /// Templates whose pattern is new or another than before, the inserted one among them.
    package var assignments: [Assignment] = []
    /// Patterns that are new or whose text changed.
    package var texts: [PatternText] = []
    /// Patterns that ended, each with the one that took its templates over. Queries by the old number follow it.
    package var merges: [Merge] = []
  }

  package struct Assignment: Equatable, Sendable {
    package var template: UInt32
    package var pattern: UInt32
  }

  package struct PatternText: Equatable, Sendable {
    package var pattern: UInt32
    /// Variables as `<*>`.
    package var text: String
    /// Variables by what they hold: `<ip>`, `<num>`, `<path>` ...
    package var namedText: String
    package var isNew: Bool
  }

  package struct Merge: Equatable, Sendable {
    package var old: UInt32
    package var new: UInt32
  }

  /// - Parameter isDictionaryWord: Whether lowercase ASCII letters are a word of the language logs are written in: words are kept
  ///   apart longer than names are. Nil judges by shape. The same judge must be given at each replay.
  package init(isDictionaryWord: (@Sendable ([UInt8]) -> Bool)? = nil) {}

  /// Takes in the template `number`. Inserting a known number changes nothing.
  package mutating func insert(_ template: Template, number: UInt32) -> Changes { Changes() }

  /// The pattern that `template` belongs to now.
  package func pattern(ofTemplate template: UInt32) -> UInt32? { nil }

  /// The pattern that stands for `pattern` now: itself, or what it was merged into.
  package func current(_ pattern: UInt32) -> UInt32 { pattern }

  /// The text of a living pattern.
  package func text(of pattern: UInt32) -> PatternText? { nil }

  /// The numbers of the living patterns, ascending.
  package var patterns: [UInt32] { [] }
}
