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
    return try await withTaskExecutorPreference(compute) {
      let counted = try await patternCounts(filter, request.range, scope: scope)
      var previous: [UInt32: Int] = [:]
      if request.range.start != TimeRange.all.start, request.range.end != TimeRange.all.end {
        let length = request.range.end.nanoseconds - request.range.start.nanoseconds
        let before = TimeRange(start: request.range.start.advanced(byNanoseconds: -length), end: request.range.start)
        previous = try await patternCounts(filter, before, scope: scope).patterns.mapValues(\.count)
      }
      var volumes = counted.patterns.compactMap { number, count -> PatternVolume? in
        guard let pattern = counted.names.pattern(number) else { return nil }
        return PatternVolume(
          pattern: pattern.including(count), count: count.count, counts: count.series(counted.grid), previousCount: previous[number] ?? 0,
          sample: [], streamCount: count.streams.count)
      }
      volumes.sort { left, right in
        switch order {
        case .count: if left.count != right.count { return left.count > right.count }
        case .rare: if left.count != right.count { return left.count < right.count }
        case .new: if left.pattern.firstSeen != right.pattern.firstSeen { return left.pattern.firstSeen > right.pattern.firstSeen }
        case .rising:
          let (a, b) = (left.count - left.previousCount, right.count - right.previousCount)
          if a != b { return a > b }
        }
        return left.pattern.number < right.pattern.number
      }
      let total = volumes.count
      let recordCount = volumes.reduce(0) { $0 + $1.count }
      volumes = Array(volumes.prefix(limit))
      for index in volumes.indices {
        if let (source, row) = counted.patterns[volumes[index].pattern.number]?.newest {
          volumes[index].sample = try source.records.value(of: "_msg", atRow: row)
        }
      }
      return PatternPage(
        patterns: volumes, patternCount: total, recordCount: recordCount, range: counted.grid.range, step: counted.grid.step)
    }
  }

  /// Counts each pattern's records of `range` by time, stream and severity.
  package func patternVolumes(
    _ filterText: String, _ range: TimeRange, step: Int64, scope: TenantScope
  ) async throws -> PatternCounts {
    let filter = try parseFilter(filterText)
    return try await withTaskExecutorPreference(compute) {
      let counted = try await patternCounts(filter, range, step: step, scope: scope)
      return PatternCounts(counted)
    }
  }

  func patternCounts(
    _ filter: Filter, _ range: TimeRange, step: Int64? = nil, scope: TenantScope
  ) async throws -> CountedPatterns {
    let plan = try await plan(filter, range, scope: scope)
    let grid = TimeGrid(range: range, plan: plan, step: step)
    let counted = CountedPatterns(names: plan.names, grid: grid)
    for unit in plan.units {
      guard let (source, rows) = try plan.open(unit) else { continue }
      let times = try source.reader.times()
      let templates = try source.reader.templates()
      let streams = try source.reader.streams()
      let severities = try source.reader.severities()
      var entries: [UInt32: PatternCount] = [:]
      rows.forEach { row in
        let template = templates[row]
        entries[template, default: PatternCount()].add(
          time: times[row], bucket: grid.bucket(times[row]), stream: streams[row], severity: severities[row], row: row,
          source: source)
      }
      for (template, entry) in entries {
        guard let pattern = plan.names.pattern(ofTemplate: template) else { continue }
        counted.patterns[pattern, default: PatternCount()].merge(entry)
      }
    }
    return counted
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
    var start = range.start == TimeRange.all.start ? first : range.start.nanoseconds
    let end = range.end == TimeRange.all.end ? last.addingReportingOverflow(1).partialValue : range.end.nanoseconds
    let minute: Int64 = 60_000_000_000
    var chosen = step ?? minute
    let (length, overflow) = max(end, start).subtractingReportingOverflow(start)
    let span = overflow ? Int64.max : length
    if span / chosen >= Int64(TimeGrid.stepsMax) { chosen = (span / Int64(TimeGrid.stepsMax) / minute + 1) * minute }
    self.step = chosen
    start = start.floorDivided(by: chosen).multipliedReportingOverflow(by: chosen).partialValue
    self.range = TimeRange(start: Timestamp(nanoseconds: start), end: Timestamp(nanoseconds: max(start, end)))
  }

  var stepCount: Int {
    Int(min(Int64(TimeGrid.stepsMax) + 1, (range.end.nanoseconds - range.start.nanoseconds + step - 1) / step))
  }

  @inline(__always)
  func bucket(_ time: Int64) -> Int32 { Int32(clamping: (time - range.start.nanoseconds) / step) }
}

final class CountedPatterns {
  let names: TenantNames
  let grid: TimeGrid
  var patterns: [UInt32: PatternCount] = [:]

  init(names: TenantNames, grid: TimeGrid) {
    self.names = names
    self.grid = grid
  }
}

struct PatternCount {
  var count = 0
  var buckets: [Int32: Int] = [:]
  var streams: [UInt32: Int] = [:]
  var severities: [Severity: Int] = [:]
  var newest: (source: OpenedSource, row: Int)?
  var first = Int64.max
  var last = Int64.min

  mutating func add(time: Int64, bucket: Int32, stream: UInt32, severity: Severity, row: Int, source: OpenedSource) {
    count += 1
    buckets[bucket, default: 0] += 1
    streams[stream, default: 0] += 1
    severities[severity, default: 0] += 1
    first = min(first, time)
    if time >= last {
      last = time
      newest = (source, row)
    }
  }

  mutating func merge(_ other: PatternCount) {
    count += other.count
    buckets.merge(other.buckets, uniquingKeysWith: +)
    streams.merge(other.streams, uniquingKeysWith: +)
    severities.merge(other.severities, uniquingKeysWith: +)
    first = min(first, other.first)
    if other.last >= last {
      last = other.last
      newest = other.newest
    }
  }

  func series(_ grid: TimeGrid) -> [Int] {
    var series = [Int](repeating: 0, count: grid.stepCount)
    for (bucket, count) in buckets where Int(bucket) < series.count && bucket >= 0 { series[Int(bucket)] += count }
    return series
  }
}

extension Pattern {
  /// With what these records say of it, which the index may not have been told yet.
  fileprivate func including(_ count: PatternCount) -> Pattern {
    var pattern = self
    pattern.firstSeen = min(pattern.firstSeen, Timestamp(nanoseconds: count.first))
    pattern.lastSeen = max(pattern.lastSeen, Timestamp(nanoseconds: count.last))
    pattern.severity = max(pattern.severity, count.severities.keys.max() ?? .unknown)
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
    /// The most serious severity of its records in the window.
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

  init(_ counted: CountedPatterns) {
    range = counted.grid.range
    step = counted.grid.step
    var entries: [Entry] = []
    var streams: [UInt32: Stream] = [:]
    for (number, count) in counted.patterns {
      guard let pattern = counted.names.pattern(number)?.including(count) else { continue }
      for stream in count.streams.keys where streams[stream] == nil { streams[stream] = counted.names.stream(stream) }
      // A sample that can't be read leaves the analysis without that line, not without an answer.
      let sample = count.newest.flatMap { try? $0.source.records.value(of: "_msg", atRow: $0.row) } ?? []
      entries.append(
        Entry(
          pattern: pattern, count: count.count, series: count.series(counted.grid), streams: count.streams,
          severity: count.severities.keys.max() ?? .unknown, first: Timestamp(nanoseconds: count.first),
          last: Timestamp(nanoseconds: count.last), sample: sample))
    }
    self.entries = entries.sorted { $0.pattern.number < $1.pattern.number }
    self.streams = streams
  }
}
