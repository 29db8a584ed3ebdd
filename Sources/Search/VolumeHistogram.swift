package import Domain
import LogBlocks
import LogQuery

/// How many records matched in each step of time, by the values of a field.
package struct VolumeHistogram: Sendable {
  package struct Bucket: Sendable {
    package var start: Timestamp
    package var count: Int
  }

  package struct Series: Sendable {
    /// The field's value; empty without a field, and for records that lack it.
    package var value: [UInt8]
    /// Those that are not empty, ascending.
    package var buckets: [Bucket]
  }

  /// The largest first.
  package var series: [Series]
  package var statistics: SearchStatistics

  /// Series kept apart; the rest are summed under an empty value.
  static let seriesMax = 50
}

/// Adds rows up into a `VolumeHistogram`.
struct HistogramBuilder {
  let step: Int64
  let field: String?
  private let byteCountMax: Int
  private var counts: [[UInt8]: [Int64: Int]] = [:]
  private var byteCount = 0

  init(step: Int64, field: String?, byteCountMax: Int) {
    self.step = step
    self.field = field
    self.byteCountMax = byteCountMax
  }

  mutating func add(_ plan: ScanPlan) async throws {
    for unit in plan.units {
      try await plan.pause()
      // Steps of whole minutes over everything in a block are in its summary.
      if step % 60_000_000_000 == 0, field == nil || field == "severity", plan.matchesWholly(unit),
        let summary = try plan.summary(of: unit)
      {
        add(summary)
        plan.countMatched(summary.recordCount)
        continue
      }
      try plan.read(unit) { source, rows in try add(source, rows) }
    }
  }

  /// Rows that pipes made; those without a time are left out.
  mutating func add(_ rows: [Row]) {
    for row in rows {
      guard let time = row["_time"].withUnsafeBufferPointer({ FieldNumber.timestamp($0) }) else { continue }
      counts[field.map { ValueCodes.value(of: $0, in: row) } ?? [], default: [:]][
        bucket(time.nanoseconds), default: 0] += 1
    }
  }

  private mutating func add(_ summary: BlockSummary) {
    for minute in summary.minuteCounts {
      // The first minute there is begins before the first nanosecond that can be held.
      let (product, overflow) = minute.minute.multipliedReportingOverflow(by: 60_000_000_000)
      let start = overflow ? Int64.min : product
      if field == nil {
        counts[[], default: [:]][bucket(start), default: 0] += minute.total
      } else {
        for severity in Severity.allCases where minute.counts[Int(severity.rawValue)] > 0 {
          counts[Array(severity.name.utf8), default: [:]][bucket(start), default: 0] +=
            Int(minute.counts[Int(severity.rawValue)])
        }
      }
    }
  }

  private mutating func add(_ source: OpenedSource, _ rows: RowSet) throws {
    let times = try source.reader.times()
    // Counted by code first, so that values are looked at once each.
    let codes = try ValueCodes(field, of: source)
    var byCode: [Int: [Int64: Int]] = [:]
    var last = (code: -1, bucket: Int64.min, count: 0)
    func flush(_ byCode: inout [Int: [Int64: Int]]) {
      if last.count > 0 { byCode[last.code, default: [:]][last.bucket, default: 0] += last.count }
    }
    rows.forEach { row in
      let code = codes.code(ofRow: row)
      let bucket = bucket(times[row])
      if code == last.code, bucket == last.bucket {
        last.count += 1
      } else {
        flush(&byCode)
        last = (code, bucket, 1)
      }
    }
    flush(&byCode)
    for (code, buckets) in byCode {
      let value = codes.value(ofCode: code)
      let before = counts[value]
      counts[value, default: [:]].merge(buckets, uniquingKeysWith: +)
      byteCount += (before == nil ? value.count + 96 : 0) + 40 * ((counts[value]?.count ?? 0) - (before?.count ?? 0))
    }
    if byteCount > byteCountMax {
      throw SearchError.tooLarge(
        "the counts hold more than \(byteCountMax) bytes; take a longer step or a field with fewer values")
    }
  }

  private func bucket(_ time: Int64) -> Int64 { time.floorDivided(by: step) }

  func result(_ statistics: SearchStatistics) -> VolumeHistogram {
    var totals = counts.map { (value: $0.key, buckets: $0.value, total: $0.value.values.reduce(0, +)) }
    totals.sort { $0.total != $1.total ? $0.total > $1.total : $0.value.lexicographicallyPrecedes($1.value) }
    var rest: [Int64: Int] = [:]
    for entry in totals.dropFirst(VolumeHistogram.seriesMax) { rest.merge(entry.buckets, uniquingKeysWith: +) }
    var series = totals.prefix(VolumeHistogram.seriesMax).map { self.series($0.value, $0.buckets) }
    if !rest.isEmpty {
      if let index = series.firstIndex(where: { $0.value.isEmpty }) {
        rest.merge(counts[[]] ?? [:], uniquingKeysWith: +)
        series[index] = self.series([], rest)
      } else {
        series.append(self.series([], rest))
      }
    }
    return VolumeHistogram(series: series, statistics: statistics)
  }

  private func series(_ value: [UInt8], _ buckets: [Int64: Int]) -> VolumeHistogram.Series {
    VolumeHistogram.Series(
      value: value,
      buckets: buckets.sorted { $0.key < $1.key }.map {
        // Only the first bucket of all can begin before what can be held.
        let (start, overflow) = $0.key.multipliedReportingOverflow(by: step)
        return VolumeHistogram.Bucket(start: Timestamp(nanoseconds: overflow ? .min : start), count: $0.value)
      })
  }
}
