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
}

extension SearchService {
  /// Records that hold the words of the text, or whose pattern is near in meaning: one record a pattern, the best first. Records
  /// that hold every word come before those that are only near.
  package func meaning(_ request: MeaningRequest, scope: TenantScope) async throws -> [MeaningHit] {
    let filter = try parseFilter(request.filter)
    let words = WordTokenizer.words(of: Array(request.text.utf8))
    let nearest = try await index(scope).nearest(to: request.text, limit: request.limit * 2)
    return try await withTurn(scope) {
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
            match: sharesWords ? (near[pattern] == nil ? .word : .both) : .meaning))
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
}
