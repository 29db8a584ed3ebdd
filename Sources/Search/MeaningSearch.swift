package import Domain
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
  /// first. Records that hold every word come before those that are only near.
  ///
  /// The score is 1 where all words are, plus the nearness of the pattern, 1 for the nearest; divided by the best.
  package func meaning(_ request: MeaningRequest, scope: TenantScope) async throws -> [MeaningHit] {
    let filter = try parseFilter(request.filter)
    let words = WordTokenizer.words(of: Array(request.text.utf8))
    return try await withTurn(scope) {
      // Patterns without a record that may be answered must not take the place of those that have one.
      let present = try await patternsPresent(filter, request.range, scope: scope)
      let nearest = try await index(scope).nearest(to: request.text, limit: request.limit * 2, among: present)
      var found: [UInt32: PatternCount] = [:]
      var exactRanks: [UInt32: Int] = [:]
      if !words.isEmpty {
        let exact = try await patternCounts(
          .and([filter] + words.map { .field("_msg", .caseInsensitivePhrase($0)) }), request.range, scope: scope)
        let ranked = exact.patterns.sorted {
          $0.value.count != $1.value.count ? $0.value.count > $1.value.count : $0.key < $1.key
        }
        for (rank, entry) in ranked.prefix(request.limit).enumerated() {
          exactRanks[entry.key] = rank
          found[entry.key] = entry.value
        }
      }
      let open = nearest.map(\.pattern).filter { exactRanks[$0] == nil }
      if !open.isEmpty {
        let near = try await patternCounts(
          .and([filter, .field("pattern", .oneOf(Set(open.map { Array(String($0).utf8) })))]), request.range,
          scope: scope)
        found.merge(near.patterns) { exact, _ in exact }
      }
      let near = Dictionary(nearest.map { ($0.pattern, $0) }, uniquingKeysWith: { first, _ in first })
      let ranks = Dictionary(
        nearest.enumerated().map { ($0.element.pattern, $0.offset + 1) }, uniquingKeysWith: { first, _ in first })
      var hits: [MeaningHit] = []
      let newest = try RecordPlace.read(found.map { ($0.key, $0.value.newest) }) { try $0.row($1) }
      for (pattern, count) in found {
        guard let row = newest[pattern] else { continue }
        let isExact = exactRanks[pattern] != nil
        let sharesWords = isExact || near[pattern]?.sharesWords == true
        hits.append(
          MeaningHit(
            row: row, pattern: pattern,
            score: (isExact ? 1 : 0) + Double(near[pattern]?.score ?? 0), duplicateCount: count.count,
            match: sharesWords ? (near[pattern] == nil ? .word : .both) : .meaning,
            wordRank: exactRanks[pattern].map { $0 + 1 }, meaningRank: ranks[pattern]))
      }
      hits.sort { left, right in
        left.score != right.score ? left.score > right.score : (left.pattern ?? 0) < (right.pattern ?? 0)
      }
      let best = hits.map(\.score).max() ?? 1
      return hits.prefix(request.limit).map { hit in
        var hit = hit
        hit.score /= best
        return hit
      }
    }
  }
  /// The patterns of the records that match; nil if every record does.
  private func patternsPresent(_ filter: Filter, _ range: TimeRange, scope: TenantScope) async throws -> Set<UInt32>? {
    if case .all = filter, range == .all { return nil }
    let totals = try await patternTotals(try await plan(filter, range, fields: ["pattern"], scope: scope))
    return Set(totals.keys)
  }
}
