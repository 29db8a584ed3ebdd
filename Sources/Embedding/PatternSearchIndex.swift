internal import Domain

/// Finds the patterns that a few words describe: by the words themselves, by their spelling, and by their meaning.
///
/// The rank is a sum of four scores, each divided by its maximum over the patterns for the query: BM25 over stems (k1 1.2, b 0.5), the
/// cosine of TF-IDF weighted character 3- to 5-grams, the cosine of the embeddings, and a soft match of word piece to word piece.
package struct PatternSearchIndex: Sendable {
  /// One pattern found.
  package struct Hit: Hashable, Sendable {
    package let id: UInt32
    /// The sum of `parts`, 0...4.
    package let score: Float
    package let parts: Parts
    /// The cosine of query and pattern, not divided by anything: what says that the best hit is no good.
    package let cosine: Float
  }

  /// What each measure adds to a score, each 0...1, 1 for the pattern that is best by it.
  package struct Parts: Hashable, Sendable {
    /// Stems in common.
    package let words: Float
    /// Spelling in common.
    package let grams: Float
    /// Embeddings.
    package let cosine: Float
    /// Word pieces that mean alike.
    package let soft: Float

    package var word: Float { words + grams }
    package var meaning: Float { cosine + soft }
  }

  package var count: Int { 0 }
  package init(embedder: StaticEmbedder = .shared)
  /// Adds the pattern `id`, or gives it a new text.
  package mutating func insert(id: UInt32, text: String)
  package mutating func remove(id: UInt32) -> Bool
  package func search(_ query: String, limit: Int, filter: ((UInt32) -> Bool)? = nil) -> [Hit]
}
