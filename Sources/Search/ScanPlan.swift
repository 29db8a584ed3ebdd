import Domain
import LogBlocks
import LogQuery
import Storage

/// A part of a tenant's records that is scanned as one: a block, or one commit of the head.
struct ScanUnit: Sendable {
  enum Origin: Sendable {
    case block(BlockReference)
    case head(RecordColumns)
  }

  let origin: Origin
  let minTimeMaxTime: (first: Int64, last: Int64)
  let recordCount: Int
}

/// A unit with its columns at hand.
final class OpenedSource {
  let reader: any RecordSource
  let records: RecordReader
  let evaluator: FilterEvaluator

  init(_ reader: any RecordSource, names: TenantNames) {
    self.reader = reader
    records = RecordReader(reader, names: names)
    evaluator = FilterEvaluator(reader, names: names)
  }
}

/// One query over one consistent view of a tenant: which units can match, and what looking at them has cost.
///
/// Used by one task at a time.
final class ScanPlan {
  let names: TenantNames
  let filter: ScanFilter
  let range: TimeRange
  /// Units that may hold a match, in no particular order.
  let units: [ScanUnit]
  private(set) var statistics = SearchStatistics()
  fileprivate let view: TenantView
  private let streamBounds: Set<UInt32>?
  private let templateBounds: Set<UInt32>?
  fileprivate let limits: SearchLimits
  private let start = ContinuousClock.now

  /// - Parameter range: Inclusive start, exclusive end; applies on top of the filter's own times.
  init(view: TenantView, names: TenantNames, filter: ScanFilter, range: TimeRange, limits: SearchLimits) {
    self.view = view
    self.names = names
    self.limits = limits
    let bounds = range.intersection(filter.timeBounds)
    self.range = bounds
    self.filter = range == .all ? filter : .and([.time(range), filter])
    streamBounds = filter.streamBounds
    templateBounds = filter.templateBounds
    func mayMatch(_ first: Timestamp, _ last: Timestamp) -> Bool {
      bounds.overlaps(first: first, last: last) || (last == TimeRange.all.end && bounds.end == TimeRange.all.end)
    }
    var units: [ScanUnit] = []
    for block in view.blocks {
      statistics.blocks += 1
      guard mayMatch(block.minTime, block.maxTime) else { continue }
      statistics.total += block.recordCount
      units.append(
        ScanUnit(
          origin: .block(block), minTimeMaxTime: (block.minTime.nanoseconds, block.maxTime.nanoseconds),
          recordCount: block.recordCount))
    }
    for columns in view.head {
      guard let first = columns.times.min(), let last = columns.times.max(),
        mayMatch(Timestamp(nanoseconds: first), Timestamp(nanoseconds: last))
      else { continue }
      statistics.total += columns.count
      units.append(
        ScanUnit(origin: .head(columns), minTimeMaxTime: (first, last), recordCount: columns.count))
    }
    self.units = units
  }

  /// What is known of a block without reading its columns; nil for a part of the head.
  func summary(of unit: ScanUnit) throws -> BlockSummary? {
    if case .block(let block) = unit.origin { return try view.summary(of: block) }
    return nil
  }

  /// The columns of `unit`, and its rows that match; nil if there are none.
  ///
  /// - Throws: What reading a column throws, `SearchError.timeout`, `CancellationError`.
  func open(_ unit: ScanUnit) throws -> (OpenedSource, RowSet)? {
    try checkDeadline()
    if let summary = try summary(of: unit) {
      if let streamBounds, !summary.streamCounts.contains(where: { streamBounds.contains($0.number) }) { return nil }
      if let templateBounds, !summary.templateCounts.contains(where: { templateBounds.contains($0.number) }) { return nil }
    }
    let source = OpenedSource(try reader(of: unit), names: names)
    var rows = RowSet(rowCount: source.reader.count, full: true)
    // A unit that lies within the range need not be asked for its times.
    let isWithin =
      range.start.nanoseconds <= unit.minTimeMaxTime.first
      && (unit.minTimeMaxTime.last < range.end.nanoseconds || range.end == TimeRange.all.end)
    let filter = isWithin && self.filter.isTimeOnly ? ScanFilter.all : self.filter
    rows = try source.evaluator.matches(filter, within: rows)
    if rows.isEmpty { return nil }
    statistics.matched += rows.count
    return (source, rows)
  }

  /// Whether every record of `unit` matches, so that its summary can answer.
  func matchesWholly(_ unit: ScanUnit) -> Bool {
    filter.isTimeOnly && range.start.nanoseconds <= unit.minTimeMaxTime.first
      && (unit.minTimeMaxTime.last < range.end.nanoseconds || range.end == TimeRange.all.end)
  }

  /// Counts records that a summary answered for.
  func countMatched(_ count: Int) { statistics.matched += count }

  /// - Throws: `SearchError.timeout` past the deadline, `CancellationError` when the caller has gone.
  func checkDeadline() throws {
    try Task.checkCancellation()
    if ContinuousClock.now - start > .seconds(limits.seconds) { throw SearchError.timeout(seconds: limits.seconds) }
  }

  /// What the query has cost so far.
  func finishedStatistics() -> SearchStatistics {
    var result = statistics
    result.milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
    return result
  }

  private func reader(of unit: ScanUnit) throws -> any RecordSource {
    switch unit.origin {
    case .head(let columns): return try HeadSource(columns)
    case .block(let block):
      var isFirst = true
      return BlockDecoder(summary: try view.summary(of: block)) { [self] key in
        let data = try view.column(block: block, key: key)
        if isFirst {
          isFirst = false
          statistics.blocksOpened += 1
        }
        statistics.bytesRead += data.count
        return data
      }
    }
  }
}

extension ScanPlan {
  /// A plan over the same view with another filter, over all times of the view.
  func widened(to filter: ScanFilter) -> ScanPlan {
    ScanPlan(view: view, names: names, filter: filter, range: .all, limits: limits)
  }
}
