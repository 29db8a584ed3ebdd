package import Domain
import LogQuery

extension SearchService {
  /// What is less alike than this is not alike.
  private static let similarityMin: Float = 0.3

  /// The newest records of the patterns that are nearest in meaning to a record's: one record a pattern, the nearest
  /// first, the record's own pattern left out.
  ///
  /// A hit's score is the cosine of the two patterns' vectors, and says something by itself.
  ///
  /// - Parameters:
  ///   - range: Of the records that are answered; the record asked about may lie outside.
  ///   - filterText: LogsQL that narrows them. Only patterns with a record that passes are looked at, so that a filter
  ///     that few pass costs no hit.
  /// - Returns: Nil if no record has the id.
  package func similar(
    to id: RecordID, range: TimeRange, filter filterText: String, limit: Int, scope: TenantScope
  ) async throws -> [MeaningHit]? {
    let filter = try parseFilter(filterText)
    return try await withTurn(scope) {
      guard let template = try await template(of: id, scope: scope) else { return nil }
      let index = try await index(scope)
      guard let pattern = try await index.current().pattern(ofTemplate: template) else { return [] }
      let plan = try await plan(filter, range, fields: ["pattern"], scope: scope)
      var present = try await patternTotals(plan).patterns
      present.remove(pattern)
      let neighbors = try await index.neighbors(ofPattern: pattern, limit: limit, among: present)
        .filter { $0.similarity >= SearchService.similarityMin }
      if neighbors.isEmpty { return [] }
      let counted = try await patternCounts(plan, range, only: NumberSet(neighbors.lazy.map(\.pattern)))
      let newest = try RecordPlace.read(neighbors.map { ($0.pattern, counted.patterns[$0.pattern]?.newest) }) {
        try $0.row($1)
      }
      return neighbors.enumerated().compactMap { rank, neighbor in
        guard let row = newest[neighbor.pattern], let count = counted.patterns[neighbor.pattern] else { return nil }
        return MeaningHit(
          row: row, pattern: neighbor.pattern, score: Double(min(neighbor.similarity, 1)), duplicateCount: count.count,
          match: .meaning, wordRank: nil, meaningRank: rank + 1)
      }
    }
  }

  private func template(of id: RecordID, scope: TenantScope) async throws -> UInt32? {
    let plan = try await plan(ScanFilter.record(id), .all, scope: scope)
    var scan = OrderedScan(plan, isDescending: true, limit: 1)
    guard let item = try scan.next() else { return nil }
    return try item.source.reader.templates()[item.row]
  }
}
