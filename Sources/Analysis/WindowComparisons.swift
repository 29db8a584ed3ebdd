import Detection
package import Domain
import FoundationEssentials
package import Search

/// Two windows side by side: before and after, one pod and another, one version and the next.
package struct ComparedWindow: Sendable {
  /// LogsQL.
  package var query: String
  package var range: TimeRange

  package init(query: String, range: TimeRange) {
    self.query = query
    self.range = range
  }
}

/// What is unlike between two windows, as answered.
struct ComparisonDocument: Encodable {
  struct Row: Encodable {
    var pattern: UInt32
    var text: String
    var workload: String
    /// new, gone, up, down
    var change: String
    /// Records.
    var before: UInt64
    var after: UInt64
    /// Records a minute.
    var rateBefore: Double
    var rateAfter: Double
    /// Nil where one of them is none.
    var ratio: Double?
    /// Of the ratio, 95 %.
    var ratioLow: Double?
    var ratioHigh: Double?
    /// Log-likelihood ratio, negative where it became less.
    var g2: Double
    /// Of all that is unlike, 0...1.
    var share: Double

    enum CodingKeys: String, CodingKey {
      case pattern, text, workload, change, before, after
      case rateBefore = "rate_before"
      case rateAfter = "rate_after"
      case ratio
      case ratioLow = "ratio_low"
      case ratioHigh = "ratio_high"
      case g2, share
    }
  }

  var recordsBefore: UInt64
  var recordsAfter: UInt64
  var divergence: Double
  var rows: [Row]
  /// Before the limit.
  var total: Int

  enum CodingKeys: String, CodingKey {
    case recordsBefore = "records_before"
    case recordsAfter = "records_after"
    case divergence, rows, total
  }
}

extension SearchService {
  /// What is unlike between two windows, the most telling first, as a JSON document.
  package func comparison(
    _ before: ComparedWindow, _ after: ComparedWindow, limit: Int, scope: TenantScope
  ) async throws -> [UInt8] {
    var numbers = WorkloadNumbers()
    func window(
      _ compared: ComparedWindow, _ numbers: inout WorkloadNumbers
    ) async throws -> (WindowComparison.Window, [UInt32: Pattern]) {
      let volumes = try await minuteVolumes(compared.query, compared.range, scope: scope)
      let counts = WorkloadCounts(volumes, numbers: &numbers)
      var totals: [SeriesKey: UInt64] = [:]
      for minute in counts.minutes {
        for entry in minute.entries { totals[entry.key, default: 0] += UInt64(entry.count) }
      }
      let first = counts.minutes.first?.minute ?? 0
      let isOpen = compared.range.start == TimeRange.all.start || compared.range.end == TimeRange.all.end
      let size =
        isOpen
        ? Double((counts.minutes.last?.minute ?? first) - first + 1)
        : Double(compared.range.end.nanoseconds(since: compared.range.start)) / 6e10
      return (WindowComparison.Window(size: max(size, 1 / 60), counts: totals), counts.patterns)
    }
    let (first, firstPatterns) = try await window(before, &numbers)
    let (second, secondPatterns) = try await window(after, &numbers)
    let patterns = firstPatterns.merging(secondPatterns) { _, later in later }
    let comparison = WindowComparison(before: first, after: second)
    func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
    return try JSON.bytes(
      ComparisonDocument(
        recordsBefore: first.total, recordsAfter: second.total, divergence: rounded(comparison.divergence),
        rows: comparison.rows.prefix(limit).map { row in
          let hasRatio = row.ratio.isFinite && row.before > 0 && row.after > 0
          return ComparisonDocument.Row(
            pattern: row.key.pattern, text: patterns[row.key.pattern]?.text ?? "",
            workload: numbers.name(row.key.workload), change: row.change.rawValue, before: row.before,
            after: row.after, rateBefore: rounded(row.rateBefore), rateAfter: rounded(row.rateAfter),
            ratio: hasRatio ? rounded(row.ratio) : nil,
            ratioLow: hasRatio ? rounded(row.ratioInterval.lowerBound) : nil,
            ratioHigh: hasRatio ? rounded(row.ratioInterval.upperBound) : nil, g2: rounded(row.g2),
            share: rounded(row.share))
        }, total: comparison.rows.count))
  }
}
