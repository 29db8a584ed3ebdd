package import Domain
import LogQuery

/// In which order patterns are listed.
package enum PatternOrder: String, CaseIterable, Sendable {
  /// The loudest first.
  case count
  /// The latest to appear first.
  case new
  /// Those that grew most against the window before.
  case rising
  /// The quietest first.
  case rare
}

/// One pattern's records in a window.
package struct PatternVolume: Sendable {
  package var pattern: Pattern
  package var count: Int
  /// By step, from the page's start.
  package var counts: [Int]
  /// Records in the window of equal length before.
  package var previousCount: Int
  /// The message of one of its records, the newest.
  package var sample: [UInt8]
  package var streamCount: Int
}

package struct PatternPage: Sendable {
  package var patterns: [PatternVolume]
  /// Before the limit.
  package var patternCount: Int
  package var recordCount: Int
  /// From the first step to the end of the last.
  package var range: TimeRange
  /// Nanoseconds.
  package var step: Int64
}

extension SearchService {
  /// The patterns of the records that match, with their counts over time.
  package func patterns(
    _ request: SearchRequest, limit: Int, order: PatternOrder, scope: TenantScope
  ) async throws -> PatternPage {
    let filter = try parseFilter(request.text)
    return try await withTurn(scope) {
      let plan = try await plan(filter, request.range, fields: ["pattern"], scope: scope)
      let totals = try await patternTotals(plan)
      var previous = PatternTotals()
      if request.range.start != TimeRange.all.start {
        // A window without an end goes on until now.
        let end = request.range.end == TimeRange.all.end ? currentTime : request.range.end
        let length = max(0, end.nanoseconds(since: request.range.start))
        let before = TimeRange(start: request.range.start.advanced(byNanoseconds: -length), end: request.range.start)
        previous = try await patternTotals(self.plan(filter, before, fields: ["pattern"], scope: scope))
      }
      var ranked = totals.compactMap { number, count in plan.names.pattern(number).map { (pattern: $0, count: count) } }
      ranked.sort { left, right in
        switch order {
        case .count: if left.count != right.count { return left.count > right.count }
        case .rare: if left.count != right.count { return left.count < right.count }
        case .new:
          if left.pattern.firstSeen != right.pattern.firstSeen {
            return left.pattern.firstSeen > right.pattern.firstSeen
          }
        case .rising:
          let left = left.count - previous[left.pattern.number]
          let right = right.count - previous[right.pattern.number]
          if left != right { return left > right }
        }
        return left.pattern.number < right.pattern.number
      }
      // Only of those that are shown is more counted than how many there are.
      let shown = ranked.prefix(limit).map(\.pattern)
      let counted = try await patternCounts(plan, request.range, only: NumberSet(shown.lazy.map(\.number)))
      let samples = try RecordPlace.read(shown.map { ($0.number, counted.patterns[$0.number]?.newest) }) {
        try $0.value(of: "_msg", atRow: $1)
      }
      let volumes = shown.compactMap { pattern -> PatternVolume? in
        guard let count = counted.patterns[pattern.number] else { return nil }
        return PatternVolume(
          pattern: pattern.including(count), count: count.count, counts: count.series(counted.grid),
          previousCount: previous[pattern.number], sample: samples[pattern.number] ?? [],
          streamCount: count.streams.count)
      }
      return PatternPage(
        patterns: volumes, patternCount: ranked.count, recordCount: ranked.reduce(0) { $0 + $1.count },
        range: counted.grid.range, step: counted.grid.step)
    }
  }

  /// How many records each pattern has; of blocks that match as a whole, their summaries tell it.
  func patternTotals(_ plan: ScanPlan) async throws -> PatternTotals {
    var totals = PatternTotals()
    for unit in plan.units {
      try await plan.pause()
      try plan.readCounts(unit) { source in
        let reader = source.reader
        if source.matchesAll {
          for entry in reader.templateCounts {
            guard let pattern = plan.names.pattern(ofTemplate: entry.number) else { continue }
            totals[pattern] += Int(entry.count)
          }
          return reader.count
        }
        let rows = try source.rows()
        if rows.isEmpty { return 0 }
        let templates = try reader.templates()
        var counts = [Int](repeating: 0, count: Int(reader.templateCounts.last?.number ?? 0) + 1)
        rows.forEach { counts[Int(templates[$0])] += 1 }
        for entry in reader.templateCounts where counts[Int(entry.number)] > 0 {
          guard let pattern = plan.names.pattern(ofTemplate: entry.number) else { continue }
          totals[pattern] += counts[Int(entry.number)]
        }
        return rows.count
      }
    }
    return totals
  }

  /// Counts each pattern's records of `range` by time, stream and severity.
  package func patternVolumes(
    _ filterText: String, _ range: TimeRange, step: Int64, scope: TenantScope
  ) async throws -> PatternCounts {
    let filter = try parseFilter(filterText)
    return try await withTurn(scope) {
      let counted = try await patternCounts(filter, range, step: step, scope: scope)
      return try PatternCounts(counted)
    }
  }

  func patternCounts(
    _ filter: Filter, _ range: TimeRange, step: Int64? = nil, scope: TenantScope
  ) async throws -> CountedPatterns {
    try await patternCounts(try await plan(filter, range, fields: ["pattern"], scope: scope), range, step: step)
  }

  /// - Parameter wanted: Patterns to count; nil: all.
  func patternCounts(
    _ plan: ScanPlan, _ range: TimeRange, step: Int64? = nil, only wanted: NumberSet? = nil
  ) async throws -> CountedPatterns {
    let counted = CountedPatterns(
      names: plan.names, grid: TimeGrid(range: range, plan: plan, step: step), wanted: wanted)
    for (index, unit) in plan.units.enumerated() {
      try await plan.pause()
      try plan.readCounts(unit) { source in
        guard counted.mayHold(source) else { return 0 }
        let rows = try source.rows()
        if !rows.isEmpty { try counted.add(source, rows, at: RecordPlace(plan: plan, unit: index, row: 0)) }
        return rows.count
      }
      if counted.byteCount > byteCountMax {
        throw SearchError.tooLarge(
          "the counts of all patterns hold more than \(byteCountMax) bytes; narrow the time range or the filter")
      }
    }
    return counted
  }
}

/// How many records each pattern has, by number.
struct PatternTotals: Sendable, Sequence {
  private var counts: [Int] = []

  /// 0 for a pattern without records.
  subscript(pattern: UInt32) -> Int {
    get { Int(pattern) < counts.count ? counts[Int(pattern)] : 0 }
    set {
      let index = Int(pattern)
      if index >= counts.count { counts += repeatElement(0, count: Swift.max(index + 1 - counts.count, counts.count)) }
      counts[index] = newValue
    }
  }

  /// Those with records, ascending.
  func makeIterator() -> AnyIterator<(UInt32, Int)> {
    var index = 0
    return AnyIterator {
      while index < counts.count, counts[index] == 0 { index += 1 }
      guard index < counts.count else { return nil }
      defer { index += 1 }
      return (UInt32(index), counts[index])
    }
  }

  var patterns: NumberSet {
    var patterns = NumberSet()
    for (index, count) in counts.enumerated() where count > 0 { patterns.insert(UInt32(index)) }
    return patterns
  }

  /// The patterns with the most records, these first; of equals the older first.
  func loudest(_ limit: Int) -> [UInt32] {
    let patterns = Array(self.patterns)
    func isLouder(_ left: UInt32, _ right: UInt32) -> Bool {
      self[left] != self[right] ? self[left] > self[right] : left < right
    }
    if patterns.count <= limit { return patterns.sorted(by: isLouder) }
    // Thousands hold a common word; a few are asked for.
    var chosen: [UInt32] = []
    for pattern in patterns {
      if chosen.count == limit, limit == 0 || !isLouder(pattern, chosen[limit - 1]) { continue }
      let place = chosen.firstIndex { isLouder(pattern, $0) } ?? chosen.count
      chosen.insert(pattern, at: place)
      if chosen.count > limit { chosen.removeLast() }
    }
    return chosen
  }
}

/// Equal steps over a window.
struct TimeGrid: Sendable {
  let range: TimeRange
  /// Nanoseconds.
  let step: Int64

  /// Steps kept apart, at most.
  static let stepsMax = 10_080

  /// - Parameter range: Where it is open, the records' own first and last times take its place.
  init(range: TimeRange, plan: ScanPlan, step: Int64?) {
    let first = plan.units.map(\.minTimeMaxTime.first).min() ?? 0
    let last = plan.units.map(\.minTimeMaxTime.last).max() ?? 0
    let start = range.start == TimeRange.all.start ? first : range.start.nanoseconds
    let end = range.end == TimeRange.all.end ? (last == .max ? last : last + 1) : range.end.nanoseconds
    self.init(start: start, end: max(start, end), step: step)
  }

  init(start: Int64, end: Int64, step: Int64?) {
    let minute: Int64 = 60_000_000_000
    var chosen = max(1, step ?? minute)
    // The distance of two 64-bit moments takes all 64 bits.
    let span = UInt64(bitPattern: end &- start)
    if span / UInt64(chosen) >= UInt64(TimeGrid.stepsMax) {
      chosen = (Int64(span / UInt64(TimeGrid.stepsMax)) / minute + 1) * minute
    }
    self.step = chosen
    let (aligned, overflow) = start.floorDivided(by: chosen).multipliedReportingOverflow(by: chosen)
    range = TimeRange(start: Timestamp(nanoseconds: overflow ? .min : aligned), end: Timestamp(nanoseconds: end))
  }

  var stepCount: Int {
    let (quotient, remainder) = UInt64(bitPattern: range.end.nanoseconds &- range.start.nanoseconds)
      .quotientAndRemainder(dividingBy: UInt64(step))
    return min(TimeGrid.stepsMax + 1, Int(quotient) + (remainder > 0 ? 1 : 0))
  }

  /// The moments of a step.
  func times(ofBucket bucket: Int) -> Range<Int64> {
    let (offset, isPast) = step.multipliedReportingOverflow(by: Int64(bucket))
    let start = isPast ? range.end : range.start.advanced(byNanoseconds: offset)
    return start.nanoseconds..<max(start.nanoseconds, start.advanced(byNanoseconds: step).nanoseconds)
  }

  /// The step that `time` lies in; the first for times before it.
  @inline(__always)
  func bucket(_ time: Int64) -> Int {
    let start = range.start.nanoseconds
    return time <= start ? 0 : Int(clamping: UInt64(bitPattern: time &- start) / UInt64(step))
  }
}

/// The patterns of the records that were added, counted.
final class CountedPatterns {
  let names: TenantNames
  let grid: TimeGrid
  private(set) var patterns: [UInt32: PatternCount] = [:]

  /// About what the counts take in memory.
  var byteCount: Int { patterns.values.reduce(0) { $0 + 200 + 32 * ($1.buckets.count + $1.streams.count) } }

  /// Patterns that are counted; nil: all.
  private let wanted: NumberSet?

  init(names: TenantNames, grid: TimeGrid, wanted: NumberSet? = nil) {
    self.names = names
    self.grid = grid
    self.wanted = wanted
  }

  private func pattern(ofTemplate number: UInt32) -> UInt32? {
    guard let pattern = names.pattern(ofTemplate: number) else { return nil }
    return wanted?.contains(pattern) == false ? nil : pattern
  }

  /// Whether a source has a template whose records are counted.
  func mayHold(_ source: OpenedSource) -> Bool {
    source.reader.templateCounts.contains { pattern(ofTemplate: $0.number) != nil }
  }

  /// Counts by small numbers in arrays; dictionaries see each pattern of a source once, not each row.
  func add(_ source: OpenedSource, _ rows: RowSet, at unit: RecordPlace) throws {
    let reader = source.reader
    // Pattern and stream numbers to places in this source's arrays.
    var numbers: [UInt32] = []
    var placeOfPattern: [UInt32: Int32] = [:]
    let templateCounts = reader.templateCounts
    var placeOfTemplate = [Int32](repeating: -1, count: Int(templateCounts.last?.number ?? 0) + 1)
    for entry in templateCounts {
      guard let pattern = pattern(ofTemplate: entry.number) else { continue }
      let place = placeOfPattern[pattern] ?? Int32(numbers.count)
      if Int(place) == numbers.count {
        numbers.append(pattern)
        placeOfPattern[pattern] = place
      }
      placeOfTemplate[Int(entry.number)] = place
    }
    let streamCounts = reader.streamCounts
    var placeOfStream = [Int32](repeating: 0, count: Int(streamCounts.last?.number ?? 0) + 1)
    for (place, entry) in streamCounts.enumerated() { placeOfStream[Int(entry.number)] = Int32(place) }

    let (firstTime, lastTime) = source.unit.minTimeMaxTime
    let firstBucket = min(grid.bucket(firstTime), grid.stepCount)
    let lastBucket = min(grid.bucket(lastTime), grid.stepCount)
    var byBucket = PairCounts(rowCount: numbers.count, columnCount: lastBucket - firstBucket + 1)
    var byStream = PairCounts(rowCount: numbers.count, columnCount: streamCounts.count)
    var bySeverity = PairCounts(rowCount: numbers.count, columnCount: Severity.allCases.count)
    var spans = [PatternCount.Span](repeating: PatternCount.Span(), count: numbers.count)
    let times = try reader.times()
    let templates = try reader.templates()
    let severities = try reader.severities()
    let streams = streamCounts.count > 1 ? try reader.streams() : []
    // Most records lie in the step of the one before: no division for them.
    var bucket = 0
    var bucketTimes: Range<Int64> = 0..<0
    times.withUnsafeBufferPointer { times in
      templates.withUnsafeBufferPointer { templates in
        severities.withUnsafeBufferPointer { severities in
          spans.withUnsafeMutableBufferPointer { spans in
            rows.forEach { row in
              let place = Int(placeOfTemplate[Int(templates[row])])
              if place < 0 { return }
              let time = times[row]
              if !bucketTimes.contains(time) {
                bucket = grid.bucket(time)
                bucketTimes = grid.times(ofBucket: bucket)
              }
              spans[place].include(time, row: row)
              byBucket.add(place, bucket - firstBucket)
              bySeverity.add(place, Int(severities[row].rawValue))
              if !streams.isEmpty { byStream.add(place, Int(placeOfStream[Int(streams[row])])) }
            }
          }
        }
      }
    }
    for (place, number) in numbers.enumerated() where spans[place].count > 0 {
      if streams.isEmpty { byStream.add(place, 0, count: UInt32(spans[place].count)) }
      patterns[number, default: PatternCount()].include(spans[place], at: unit)
    }
    bySeverity.forEach { place, column, count in patterns[numbers[place]]?.severityCounts[column] += count }
    byBucket.forEach { place, column, count in
      patterns[numbers[place]]?.buckets[firstBucket + column, default: 0] += count
    }
    byStream.forEach { place, column, count in
      patterns[numbers[place]]?.streams[streamCounts[column].number, default: 0] += count
    }
  }
}

/// Where a record stands: what thousands of patterns hold must not keep every block's columns in memory.
struct RecordPlace {
  let plan: ScanPlan
  /// Index in the plan's units.
  let unit: Int
  let row: Int

  /// What `body` reads of each record; each unit is opened once, and set aside if it turns out to be damaged.
  static func read<Key: Hashable, Value>(
    _ places: [(key: Key, place: RecordPlace?)], _ body: (RecordReader, Int) throws -> Value
  ) throws -> [Key: Value] {
    var values: [Key: Value] = [:]
    let known = places.compactMap { entry in entry.place.map { (key: entry.key, place: $0) } }
    for (_, ofPlan) in Dictionary(grouping: known, by: { ObjectIdentifier($0.place.plan) }) {
      for (unit, entries) in Dictionary(grouping: ofPlan, by: { $0.place.unit }) {
        let plan = entries[0].place.plan
        try plan.checkDeadline()
        do {
          let records = try plan.records(of: plan.units[unit])
          for entry in entries { values[entry.key] = try body(records, entry.place.row) }
        } catch {
          guard plan.setAside(plan.units[unit], because: error) else { throw error }
        }
      }
    }
    return values
  }
}

/// How often pairs of small numbers came: a plain table where that is small, else a dictionary.
private struct PairCounts {
  private static let cellsMax = 1 << 22
  private let columnCount: Int
  private var cells: [UInt32]
  private var sparse: [Int: UInt32] = [:]

  init(rowCount: Int, columnCount: Int) {
    self.columnCount = max(1, columnCount)
    let (product, overflow) = rowCount.multipliedReportingOverflow(by: self.columnCount)
    cells = overflow || product > PairCounts.cellsMax ? [] : Array(repeating: 0, count: product)
  }

  @inline(__always)
  mutating func add(_ row: Int, _ column: Int, count: UInt32 = 1) {
    let cell = row &* columnCount &+ column
    if cells.isEmpty { sparse[cell, default: 0] += count } else { cells[cell] &+= count }
  }

  /// Calls `body` with each pair that came.
  func forEach(_ body: (_ row: Int, _ column: Int, _ count: Int) -> Void) {
    for (cell, count) in cells.enumerated() where count > 0 { body(cell / columnCount, cell % columnCount, Int(count)) }
    for (cell, count) in sparse { body(cell / columnCount, cell % columnCount, Int(count)) }
  }
}

/// One pattern's records.
struct PatternCount {
  private(set) var count = 0
  /// By step of the grid.
  var buckets: [Int: Int] = [:]
  var streams: [UInt32: Int] = [:]
  /// By `Severity.rawValue`.
  var severityCounts = [Int](repeating: 0, count: Severity.allCases.count)
  private(set) var first = Int64.max
  private(set) var last = Int64.min
  /// The unit of its newest record.
  private var place: RecordPlace?
  private var row = 0

  /// The most serious that a tenth of its records are at or above: a single odd record does not speak for all.
  var severity: Severity {
    var above = 0
    for severity in Severity.allCases.reversed() {
      above += severityCounts[Int(severity.rawValue)]
      if above * 10 >= count, above > 0 { return severity }
    }
    return .unknown
  }

  /// Where its newest record stands.
  var newest: RecordPlace? { place.map { RecordPlace(plan: $0.plan, unit: $0.unit, row: row) } }

  /// The records of one source.
  struct Span {
    private(set) var count = 0
    fileprivate var first = Int64.max
    fileprivate var last = Int64.min
    fileprivate var row = 0

    @inline(__always)
    mutating func include(_ time: Int64, row: Int) {
      count &+= 1
      if time < first { first = time }
      if time >= last {
        last = time
        self.row = row
      }
    }
  }

  mutating func include(_ span: Span, at unit: RecordPlace) {
    count += span.count
    first = min(first, span.first)
    if span.last >= last {
      last = span.last
      place = unit
      row = span.row
    }
  }

  func series(_ grid: TimeGrid) -> [Int] {
    var series = [Int](repeating: 0, count: grid.stepCount)
    for (bucket, count) in buckets where bucket < series.count { series[bucket] += count }
    return series
  }
}

extension Pattern {
  /// With what these records say of it, which the index may not have been told yet.
  fileprivate func including(_ count: PatternCount) -> Pattern {
    var pattern = self
    pattern.firstSeen = min(pattern.firstSeen, Timestamp(nanoseconds: count.first))
    pattern.lastSeen = max(pattern.lastSeen, Timestamp(nanoseconds: count.last))
    pattern.severity = count.severity
    return pattern
  }
}

/// What an analysis starts from: each pattern's records in a window, counted.
package struct PatternCounts: Sendable {
  package struct Entry: Sendable {
    package var pattern: Pattern
    package var count: Int
    /// By step, from `range.start`.
    package var series: [Int]
    /// Stream number to records.
    package var streams: [UInt32: Int]
    /// That of its records in the window, as in `PatternCount.severity`.
    package var severity: Severity
    package var first: Timestamp
    package var last: Timestamp
    /// The message of its newest record.
    package var sample: [UInt8]
  }

  package var entries: [Entry]
  package var range: TimeRange
  /// Nanoseconds.
  package var step: Int64
  /// Labels by stream number.
  package var streams: [UInt32: Stream]

  init(_ counted: CountedPatterns) throws {
    range = counted.grid.range
    step = counted.grid.step
    var entries: [Entry] = []
    var streams: [UInt32: Stream] = [:]
    let samples = try RecordPlace.read(counted.patterns.map { ($0.key, $0.value.newest) }) {
      try $0.value(of: "_msg", atRow: $1)
    }
    for (number, count) in counted.patterns {
      guard let pattern = counted.names.pattern(number)?.including(count) else { continue }
      for stream in count.streams.keys where streams[stream] == nil { streams[stream] = counted.names.stream(stream) }
      entries.append(
        Entry(
          pattern: pattern, count: count.count, series: count.series(counted.grid), streams: count.streams,
          severity: count.severity, first: Timestamp(nanoseconds: count.first),
          last: Timestamp(nanoseconds: count.last), sample: samples[number] ?? []))
    }
    self.entries = entries.sorted { $0.pattern.number < $1.pattern.number }
    self.streams = streams
  }
}
