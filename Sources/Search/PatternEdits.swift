package import Domain
package import Indexing

extension SearchService {
  /// A pattern and what it is made of; nil if there is none of that number.
  package func pattern(_ number: UInt32, scope: TenantScope) async throws -> PatternDetail? {
    try await index(scope).detail(ofPattern: number)
  }

  /// Makes one pattern of two.
  ///
  /// - Throws: `PatternEditError`.
  package func mergePattern(_ old: UInt32, into new: UInt32, scope: TenantScope) async throws {
    try await index(scope).mergePattern(old, into: new)
  }

  /// Takes templates out of a pattern.
  ///
  /// - Throws: `PatternEditError`.
  package func splitPattern(_ pattern: UInt32, templates: [UInt32], scope: TenantScope) async throws {
    try await index(scope).splitPattern(pattern, templates: templates)
  }
}
