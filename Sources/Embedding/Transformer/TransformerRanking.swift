/// The second stage of a search: what `PatternSearchIndex` found, ranked again with the cosines that a transformer, or
/// any other sentence embedder, gives query and patterns.
package enum TransformerRanking {
  package struct Hit: Hashable, Sendable {
    package let id: UInt32
    /// 0...8.5.
    package let score: Float
  }

  /// What the cosine counts for, beside stems and spelling with 1 each and word pieces with 1.5: more than all of them
  /// together, for alone it ranks better than they do. On the development queries it is worth 0.08 nDCG@10; from 5 to 6
  /// it is best in either half of them.
  private static let weight: Float = 5

  /// The patterns that fit best, best first, equal scores by id.
  ///
  /// The cosine is divided by its maximum for the query like the other scores, and takes the place of the static
  /// vectors' (worth 0.01): those are a transformer's own, without context.
  ///
  /// - Parameters:
  ///   - hits: What the index found, all of it.
  ///   - cosines: One for each pattern that may be answered.
  package static func rank(
    _ hits: [PatternSearchIndex.Hit], cosines: [(id: UInt32, cosine: Float)], limit: Int
  ) -> [Hit] {
    guard limit > 0, !cosines.isEmpty else { return [] }
    let partsByID = Dictionary(hits.lazy.map { ($0.id, $0.parts) }, uniquingKeysWith: { first, _ in first })
    let most = cosines.reduce(0) { max($0, $1.cosine) }
    let ranked = cosines.map { id, cosine in
      let transformer = most > 0 ? max(0, cosine) / most : 0
      let builtIn = partsByID[id].map { $0.word + $0.meaning - $0.embedding } ?? 0
      return Hit(id: id, score: builtIn + weight * transformer)
    }
    return Array(
      ranked.lazy.filter { $0.score > 0 }
        .sorted { $0.score != $1.score ? $0.score > $1.score : $0.id < $1.id }.prefix(limit))
  }
}
