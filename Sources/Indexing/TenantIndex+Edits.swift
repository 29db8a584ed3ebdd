package import Domain
import LogTemplates

/// Why patterns can't be changed as a person asked.
package enum PatternEditError: Error, Equatable, Sendable {
  /// There is no pattern, or the pattern has no template, of this number.
  case unknown(UInt32)
  /// The two are one already.
  case same
  /// All templates of a pattern can't be taken out of it.
  case nothingLeft
}

/// A pattern and what it is made of.
package struct PatternDetail: Sendable {
  package var pattern: Pattern
  /// Variables by what they hold: `<NUM>`, `<IP>`.
  package var namedText: String
  package var templates: [(number: UInt32, text: String)]
  /// Numbers that lead here.
  package var mergedFrom: [UInt32]
}

extension TenantIndex {
  /// A pattern by its number, or by that of one that was merged into it; nil if there is none.
  package func detail(ofPattern number: UInt32) async throws -> PatternDetail? {
    let map = try await current()
    let number = map.current(number)
    guard let pattern = map.pattern(number) else { return nil }
    return PatternDetail(
      pattern: pattern, namedText: namedText(of: number),
      templates: map.templates(ofPatterns: [number]).compactMap { template in
        database.template(template).map { (template, $0.description) }
      }, mergedFrom: map.mergedInto.keys.filter { map.current($0) == number }.sorted())
  }

  /// Lets all that belongs to `old` belong to `new` from now on. Saved when this returns.
  ///
  /// - Throws: `PatternEditError`, `StorageError`.
  package func mergePattern(_ old: UInt32, into new: UInt32) async throws {
    try await edit { miner throws(PatternMiner.EditError) in try miner.merge(old, into: new) }
  }

  /// Makes some templates of a pattern a pattern of their own. Saved when this returns.
  ///
  /// - Throws: `PatternEditError`, `StorageError`.
  package func splitPattern(_ pattern: UInt32, templates: [UInt32]) async throws {
    let map = try await current()
    let pattern = map.current(pattern)
    for template in templates where map.pattern(ofTemplate: template) != pattern {
      throw PatternEditError.unknown(template)
    }
    if templates.isEmpty { throw PatternEditError.unknown(pattern) }
    try await edit { miner throws(PatternMiner.EditError) in try miner.split(templates) }
  }
}
