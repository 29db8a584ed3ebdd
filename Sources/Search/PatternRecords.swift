package import Domain

extension SearchService {
  /// Records of one pattern, or of any, from some streams: the first ones and the last ones of a window, in the order of
  /// time.
  ///
  /// - Parameters:
  ///   - pattern: Nil is any.
  ///   - first: How many of the first; `last` as many of the last. A record that is both comes once.
  package func records(
    ofPattern pattern: UInt32?, streams: Set<UInt32>, range: TimeRange, first: Int, last: Int, scope: TenantScope
  ) async throws -> [SearchRow] {
    try await withTurn(scope) {
      let (database, names) = try await tenant(scope, usesPatterns: pattern != nil)
      var parts = [ScanFilter.streams(streams)]
      if let pattern { parts.append(.templates(names.templates(ofPatterns: [pattern]))) }
      let plan = try await plan(.and(parts), range, database, names)
      var rows: [SearchRow] = []
      func read(_ limit: Int, isDescending: Bool) throws -> [SearchRow] {
        guard limit > 0 else { return [] }
        var scan = OrderedScan(plan, isDescending: isDescending, limit: limit)
        var read: [SearchRow] = []
        while read.count < limit, let item = try scan.next() { read.append(try item.source.records.row(item.row)) }
        return read
      }
      rows = try read(first, isDescending: false)
      let known = Set(rows.map { $0["_id"] })
      rows += try read(last, isDescending: true).reversed().filter { !known.contains($0["_id"]) }
      return rows
    }
  }
}
