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
  let unit: ScanUnit
  /// What its rows have to match.
  let filter: ScanFilter
  /// Rows that whoever reads the source marked.
  var marked: RowSet?
  /// Whether its block was set aside while it was being read.
  fileprivate(set) var isDamaged = false
  private var matching: RowSet?

  init(_ reader: any RecordSource, of unit: ScanUnit, filter: ScanFilter, names: TenantNames) {
    self.reader = reader
    self.unit = unit
    self.filter = filter
    records = RecordReader(reader, names: names)
    evaluator = FilterEvaluator(reader, names: names)
  }

  /// Whether every row matches, as the filter alone says.
  var matchesAll: Bool {
    if case .all = filter { return true }
    return false
  }

  /// The rows that match.
  func rows() throws -> RowSet {
    if let matching { return matching }
    let rows = try evaluator.matches(filter, within: RowSet(rowCount: reader.count, full: true))
    matching = rows
    return rows
  }

  /// How many rows match, without looking at rows where counts of columns tell it.
  func count() throws -> Int { try matching?.count ?? evaluator.count(filter) ?? rows().count }
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
  private let templateBounds: NumberSet?
  fileprivate let limits: SearchLimits
  let clock: QueryClock
  /// Serves all blocks of the query.
  private let decompressor = Decompressor()
  /// Whether a column of the records of the unit at hand was read.
  private var isUnitOpened = false

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
    streamBounds = filter.streamBounds
    templateBounds = filter.templateBounds
    func mayMatch(_ first: Timestamp, _ last: Timestamp) -> Bool {
      bounds.overlaps(first: first, last: last) || (last == TimeRange.all.end && bounds.end == TimeRange.all.end)
    }
    var units: [ScanUnit] = []
    for block in view.blocks {
      statistics.blocks += 1
      guard mayMatch(block.minTime, block.maxTime) else {
        statistics.pruned.time += 1
        continue
      }
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

  private init(workerOf plan: ScanPlan) {
    view = plan.view
    names = plan.names.copy()
    filter = plan.filter.copy(for: names)
    range = plan.range
    units = plan.units
    streamBounds = plan.streamBounds
    templateBounds = plan.templateBounds
    limits = plan.limits
    clock = plan.clock
  }

  /// The same plan for another thread; `absorb` takes back what it cost.
  func worker() -> ScanPlan { ScanPlan(workerOf: self) }

  func absorb(_ worker: ScanPlan) { statistics.add(worker.statistics) }

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

  /// Runs `body` on the unit's columns before its rows were looked at, if any of them may match.
  ///
  /// - Parameter body: Answers how many rows matched.
  func readCounts(_ unit: ScanUnit, _ body: (OpenedSource) throws -> Int) throws {
    try checkDeadline()
    do {
      guard let source = try source(of: unit) else { return }
      note(source, matched: try body(source))
    } catch {
      guard case .block(let block) = unit.origin, view.quarantine(block, because: error) else { throw error }
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

  /// The records of a unit, whether they match or not.
  func records(of unit: ScanUnit) throws -> RecordReader { RecordReader(try reader(of: unit), names: names) }

  /// Sets a source's block aside if `error` tells of damage.
  ///
  /// - Returns: Whether it does; the source is then of no more use.
  func setAside(_ source: OpenedSource, because error: any Error) -> Bool {
    guard setAside(source.unit, because: error) else { return false }
    source.isDamaged = true
    return true
  }

  func setAside(_ unit: ScanUnit, because error: any Error) -> Bool {
    guard case .block(let block) = unit.origin else { return false }
    return view.quarantine(block, because: error)
  }

  private func openSource(_ unit: ScanUnit) throws -> (OpenedSource, RowSet)? {
    guard let source = try source(of: unit) else { return nil }
    let rows = try source.rows()
    note(source, matched: rows.count)
    return rows.isEmpty ? nil : (source, rows)
  }

  /// Nil if the unit's summary rules it out.
  private func source(of unit: ScanUnit) throws -> OpenedSource? {
    if let summary = try summary(of: unit) {
      if let streamBounds, !summary.streamCounts.contains(where: { streamBounds.contains($0.number) }) {
        statistics.pruned.streams += 1
        return nil
      }
      if let templateBounds, !summary.templateCounts.contains(where: { templateBounds.contains($0.number) }) {
        statistics.pruned.templates += 1
        return nil
      }
    }
    let filter = filter.simplified(forTimes: unit.minTimeMaxTime)
    if case .none = filter {
      statistics.pruned.time += 1
      return nil
    }
    isUnitOpened = false
    return OpenedSource(try reader(of: unit), of: unit, filter: filter, names: names)
  }

  /// Counts what became of a unit.
  private func note(_ source: OpenedSource, matched: Int) {
    statistics.matched += matched
    guard case .block = source.unit.origin, !isUnitOpened else { return }
    if matched > 0 {
      statistics.blocksSummarized += 1
      return
    }
    switch source.evaluator.ruledOut {
    case .templates: statistics.pruned.templates += 1
    case .tokens: statistics.pruned.tokens += 1
    case nil: statistics.pruned.nothingLeft += 1
    }
  }

  /// Whether every record of `unit` matches, so that its summary can answer.
  func matchesWholly(_ unit: ScanUnit) -> Bool {
    if case .all = filter.simplified(forTimes: unit.minTimeMaxTime) { return true }
    return false
  }

  /// Counts the records of a block that its summary answered for.
  func countMatched(_ count: Int) {
    statistics.matched += count
    statistics.blocksSummarized += 1
  }

  /// - Throws: `SearchError.timeout` past the deadline, `CancellationError` when the caller has gone.
  func checkDeadline() throws { try clock.check() }

  /// The same, and a moment for others: to be called where a query can be left for a while.
  func pause() async throws { try await clock.pause() }

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
      return BlockDecoder(summary: try view.summary(of: block), decompressor: decompressor) { [self] key in
        let data = try view.column(block: block, key: key)
        if isFirst, BlockSummary.holdsRecords(column: key) {
          isFirst = false
          isUnitOpened = true
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
