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
    return try await withTaskExecutorPreference(compute) {
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
          .and([filter, .field("pattern", .oneOf(Set(open.map { Array(String($0).utf8) })))]), request.range, scope: scope)
        found.merge(near.patterns) { exact, _ in exact }
      }
      let nearRanks = Dictionary(
        nearest.filter { found[$0.pattern] != nil }.enumerated().map { ($0.element.pattern, $0.offset) },
        uniquingKeysWith: { first, _ in first })
      var hits: [MeaningHit] = []
      for (pattern, count) in found {
        guard let (source, row) = count.newest else { continue }
        let isExact = exactRanks[pattern] != nil
        hits.append(
          MeaningHit(
            row: try source.records.row(row), pattern: pattern,
            score: RankFusion.score([exactRanks[pattern], nearRanks[pattern]]), duplicateCount: count.count,
            match: isExact ? (nearRanks[pattern] == nil ? .word : .both) : .meaning))
      }
      hits.sort { left, right in
        let (a, b) = (left.match != .meaning, right.match != .meaning)
        if a != b { return a }
        return left.score != right.score ? left.score > right.score : (left.pattern ?? 0) < (right.pattern ?? 0)
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

/// Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): several orders in one.
enum RankFusion {
  /// - Parameter ranks: From 0, one for each order; nil where the order does not hold the hit.
  static func score(_ ranks: [Int?]) -> Double {
    // 60: the constant of the paper, which keeps the first few ranks from deciding alone.
    ranks.reduce(0) { $0 + ($1.map { 1 / Double(60 + $0) } ?? 0) }
  }
}
