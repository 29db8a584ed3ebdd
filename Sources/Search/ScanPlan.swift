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
  /// Rows that whoever reads the source marked.
  var marked: RowSet?
  let unit: ScanUnit
  /// Whether its block was set aside while it was being read.
  fileprivate(set) var isDamaged = false

  init(_ reader: any RecordSource, of unit: ScanUnit, names: TenantNames) {
    self.reader = reader
    self.unit = unit
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
  /// The filter without the range that was asked for, for units that lie within it.
  private let innerFilter: ScanFilter
  let range: TimeRange
  /// Units that may hold a match, in no particular order.
  let units: [ScanUnit]
  private(set) var statistics = SearchStatistics()
  fileprivate let view: TenantView
  private let streamBounds: Set<UInt32>?
  private let templateBounds: Set<UInt32>?
  fileprivate let limits: SearchLimits
  private let clock: QueryClock

  /// - Parameter range: Inclusive start, exclusive end; applies on top of the filter's own times.
  init(view: TenantView, names: TenantNames, filter: ScanFilter, range: TimeRange, limits: SearchLimits) {
    self.view = view
    self.names = names
    self.limits = limits
    clock = QueryClock.current ?? QueryClock(seconds: limits.seconds)
    // The view ends where the retention begins: what is older may still stand in a block, and is not there any more.
    let visible = range.intersection(view.range)
    let bounds = visible.intersection(filter.timeBounds)
    self.range = bounds
    self.filter = visible == .all ? filter : .and([.time(visible), filter])
    innerFilter = filter
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
    guard case .block(let block) = unit.origin else { return try openSource(unit) }
    do {
      return try openSource(unit)
    } catch {
      // A damaged block is set aside and named; the rest answers.
      guard view.quarantine(block, because: error) else { throw error }
      return nil
    }
  }

  /// Runs `body` on the unit's columns and matching rows, if it has any. A block that turns out to be damaged is set aside.
  func read(_ unit: ScanUnit, _ body: (OpenedSource, RowSet) throws -> Void) throws {
    guard let (source, rows) = try open(unit) else { return }
    do {
      try body(source, rows)
    } catch {
      guard setAside(source, because: error) else { throw error }
    }
  }

  /// Sets a source's block aside if `error` tells of damage.
  ///
  /// - Returns: Whether it does; the source is then of no more use.
  func setAside(_ source: OpenedSource, because error: any Error) -> Bool {
    guard case .block(let block) = source.unit.origin, view.quarantine(block, because: error) else { return false }
    source.isDamaged = true
    return true
  }

  private func openSource(_ unit: ScanUnit) throws -> (OpenedSource, RowSet)? {
    if let summary = try summary(of: unit) {
      if let streamBounds, !summary.streamCounts.contains(where: { streamBounds.contains($0.number) }) { return nil }
      if let templateBounds, !summary.templateCounts.contains(where: { templateBounds.contains($0.number) }) {
        return nil
      }
    }
    let source = OpenedSource(try reader(of: unit), of: unit, names: names)
    var rows = RowSet(rowCount: source.reader.count, full: true)
    // A unit that lies within the range need not be asked for its times.
    let isWithin =
      range.start.nanoseconds <= unit.minTimeMaxTime.first
      && (unit.minTimeMaxTime.last < range.end.nanoseconds || range.end == TimeRange.all.end)
    let filter = !isWithin ? self.filter : innerFilter.isTimeOnly ? .all : innerFilter
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
  func checkDeadline() throws { try clock.check() }

  /// Waits for whoever takes the rows. A reader's slowness is not the query's: it does not count against the deadline.
  func waiting(for body: () async throws -> Void) async throws { try await clock.waiting(for: body) }

  /// What the query has cost so far.
  func finishedStatistics() -> SearchStatistics {
    var result = statistics
    result.milliseconds = clock.milliseconds
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
