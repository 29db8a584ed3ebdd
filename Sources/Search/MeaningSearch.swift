package import Domain
import Indexing
import LogQuery

/// What to look for in plain words.
package struct MeaningRequest: Sendable {
  package var text: String
  package var range: TimeRange
  /// LogsQL that narrows the records; `*` for all.
  package var filter: String
  package var limit: Int

  package init(text: String, range: TimeRange, filter: String, limit: Int) {
    self.text = text
    self.range = range
    self.filter = filter
    self.limit = limit
  }
}

/// A record that stands for all of its pattern in the window.
package struct MeaningHit: Sendable {
  /// Why it was found.
  package enum Match: String, Sendable { case word, meaning, both }

  /// The newest of its pattern.
  package var row: SearchRow
  package var pattern: UInt32?
  /// In 0...1, relative to the best hit.
  package var score: Double
  /// Records of the same pattern in the window.
  package var duplicateCount: Int
  package var match: Match
  /// Its place, from 1, among the patterns with records that hold every word, the most records first; nil if it has
  /// none.
  package var wordRank: Int?
  /// Its place, from 1, among the patterns near in meaning, the nearest first; nil if it is not among them.
  package var meaningRank: Int?
}

extension SearchService {
  /// Records that hold the words of the text, or whose pattern is near in meaning: one record a pattern, the best
  /// first.
  ///
  /// The score is that of weighted reciprocal rank fusion: over the two rankings, a pattern's weight / (60 + its rank),
  /// divided by the best hit's. (Cormack, Clarke and Büttcher 2009.) Words weigh twice what meaning weighs, so that,
  /// up to rank 60, what holds every word comes before what is only near.
  package func meaning(_ request: MeaningRequest, scope: TenantScope) async throws -> [MeaningHit] {
    let filter = try parseFilter(request.filter)
    let words = TenantIndex.tellingWords(of: request.text)
    return try await withTurn(scope) {
      let plan = try await plan(filter, request.range, fields: ["pattern"], scope: scope)
      // Patterns without a record that may be answered must not take the place of those that have one.
      let isEverything = if case .all = filter { request.range == .all } else { false }
      let present = isEverything ? nil : try await patternTotals(plan).patterns
      // One core ranks while the other looks for words.
      let index = try await index(scope)
      async let ranking = index.nearest(to: request.text, limit: request.limit * 2, among: present)
      var wordRanks: [UInt32: Int] = [:]
      var found: [UInt32: PatternCount] = [:]
      if !words.isEmpty {
        let holding = try await self.plan(
          .and([filter] + words.map { .field("_msg", .caseInsensitivePhrase($0)) }), request.range, fields: ["pattern"],
          scope: scope)
        let loudest = try await patternTotals(holding).loudest(request.limit)
        for (place, pattern) in loudest.enumerated() { wordRanks[pattern] = place + 1 }
        found = try await patternCounts(holding, request.range, only: NumberSet(loudest)).patterns
      }
      let nearest = try await ranking
      let meaningRanks = Dictionary(
        nearest.enumerated().map { ($0.element.pattern, $0.offset + 1) }, uniquingKeysWith: { first, _ in first })
      // Of patterns that are only near, those that can still be answered.
      let open = nearest.lazy.map(\.pattern).filter { wordRanks[$0] == nil }.prefix(max(0, request.limit - found.count))
      if !open.isEmpty {
        found.merge(try await patternCounts(plan, request.range, only: NumberSet(open)).patterns) { holding, _ in
          holding
        }
      }
      let near = Dictionary(nearest.map { ($0.pattern, $0) }, uniquingKeysWith: { first, _ in first })
      let newest = try RecordPlace.read(found.map { ($0.key, $0.value.newest) }) { try $0.row($1) }
      var hits = found.compactMap { pattern, count -> MeaningHit? in
        guard let row = newest[pattern] else { return nil }
        let (wordRank, meaningRank) = (wordRanks[pattern], meaningRanks[pattern])
        let sharesWords = wordRank != nil || near[pattern]?.sharesWords == true
        return MeaningHit(
          row: row, pattern: pattern, score: RankFusion.score(wordRank: wordRank, meaningRank: meaningRank),
          duplicateCount: count.count, match: sharesWords ? (meaningRank == nil ? .word : .both) : .meaning,
          wordRank: wordRank, meaningRank: meaningRank)
      }
      hits.sort { left, right in
        left.score != right.score ? left.score > right.score : (left.pattern ?? 0) < (right.pattern ?? 0)
      }
      let best = hits.first?.score ?? 1
      return hits.prefix(request.limit).map { hit in
        var hit = hit
        hit.score /= best
        return hit
      }
    }
  }
}

/// Two rankings made one: by place, for their scores are not of one scale.
private enum RankFusion {
  /// So that the first places do not outweigh everything: the value of the paper.
  private static let damping = 60.0
  /// Words that were typed say more than nearness.
  private static let wordWeight = 2.0

  static func score(wordRank: Int?, meaningRank: Int?) -> Double {
    (wordRank.map { wordWeight / (damping + Double($0)) } ?? 0) + (meaningRank.map { 1 / (damping + Double($0)) } ?? 0)
  }
}
