package import Domain
import LogQuery

/// The records of one pattern from one stream in one minute.
package struct MinuteVolume: Hashable, Sendable {
  /// Minutes since 1970.
  package var minute: Int64
  package var stream: UInt32
  package var pattern: UInt32
  package var count: UInt32
}

/// A window's records, counted.
package struct MinuteVolumes: Sendable {
  /// By minute, then stream, then pattern; each of them once.
  package var volumes: [MinuteVolume]
  /// Labels by stream number.
  package var streams: [UInt32: Stream]
  /// By pattern number.
  package var patterns: [UInt32: Pattern]

  package var recordCount: Int { volumes.reduce(0) { $0 + Int($1.count) } }
}

extension SearchService {
  /// Counts of volumes that are held, at most: 24 bytes each.
  private static let volumesMax = 8_000_000

  /// Counts the records that match by pattern, stream and minute.
  package func minuteVolumes(
    _ filterText: String, _ range: TimeRange, scope: TenantScope
  ) async throws -> MinuteVolumes {
    let filter = try parseFilter(filterText)
    return try await withTurn(scope) {
      let plan = try await plan(filter, range, fields: ["pattern"], scope: scope)
      var volumes: [MinuteVolume] = []
      try await plan.forEachUnit { plan, unit in
        var counts = MinuteCounter()
        try plan.readCounts(unit) { source in
          let rows = try source.rows()
          if !rows.isEmpty { try counts.add(source, rows, names: plan.names) }
          return rows.count
        }
        return counts.volumes
      } take: { part in
        if volumes.isEmpty { volumes = part } else { volumes += part }
        if volumes.count > SearchService.volumesMax { volumes = MinuteCounter.merged(volumes) }
        guard volumes.count <= SearchService.volumesMax else {
          throw SearchError.tooLarge("counts by the minute are too many; narrow the time range or the filter")
        }
        return true
      }
      volumes = MinuteCounter.merged(volumes)
      var streams: [UInt32: Stream] = [:]
      var patterns: [UInt32: Pattern] = [:]
      for volume in volumes {
        if streams[volume.stream] == nil { streams[volume.stream] = plan.names.stream(volume.stream) }
        if patterns[volume.pattern] == nil { patterns[volume.pattern] = plan.names.pattern(volume.pattern) }
      }
      return MinuteVolumes(volumes: volumes, streams: streams, patterns: patterns)
    }
  }
}

/// Counts rows that mostly stand by stream and, within it, by time: what is kept at hand is one minute of one stream.
private struct MinuteCounter {
  private(set) var volumes: [MinuteVolume] = []

  private static let minute: Int64 = 60_000_000_000

  mutating func add(_ source: OpenedSource, _ rows: RowSet, names: TenantNames) throws {
    let reader = source.reader
    let times = try reader.times()
    let templates = try reader.templates()
    let streamCounts = reader.streamCounts
    let streams = streamCounts.count > 1 ? try reader.streams() : []
    var stream = streamCounts.first?.number ?? 0
    var patternOfTemplate = [Int32](repeating: -1, count: Int(reader.templateCounts.last?.number ?? 0) + 1)
    var places: [UInt32: Int32] = [:]
    var patterns: [UInt32] = []
    for entry in reader.templateCounts {
      guard let pattern = names.pattern(ofTemplate: entry.number) else { continue }
      let place = places[pattern] ?? Int32(patterns.count)
      if Int(place) == patterns.count {
        patterns.append(pattern)
        places[pattern] = place
      }
      patternOfTemplate[Int(entry.number)] = place
    }
    var counts = [UInt32](repeating: 0, count: patterns.count)
    var touched: [Int] = []
    var current: Range<Int64> = 0..<0
    func flush() {
      for place in touched {
        volumes.append(
          MinuteVolume(
            minute: current.lowerBound.floorDivided(by: MinuteCounter.minute), stream: stream, pattern: patterns[place],
            count: counts[place]))
        counts[place] = 0
      }
      touched.removeAll(keepingCapacity: true)
    }
    rows.forEach { row in
      let place = Int(patternOfTemplate[Int(templates[row])])
      if place < 0 { return }
      let time = times[row]
      if !streams.isEmpty, streams[row] != stream {
        flush()
        stream = streams[row]
        current = 0..<0
      }
      if !current.contains(time) {
        flush()
        let (start, isPast) = time.floorDivided(by: MinuteCounter.minute).multipliedReportingOverflow(
          by: MinuteCounter.minute)
        let first = isPast ? Int64.min : start
        current = first..<(first > Int64.max - MinuteCounter.minute ? Int64.max : first + MinuteCounter.minute)
      }
      if counts[place] == 0 { touched.append(place) }
      counts[place] &+= 1
    }
    flush()
  }

  /// In order, equal ones made one.
  static func merged(_ volumes: [MinuteVolume]) -> [MinuteVolume] {
    var sorted = volumes
    sorted.sort { left, right in
      if left.minute != right.minute { return left.minute < right.minute }
      return left.stream != right.stream ? left.stream < right.stream : left.pattern < right.pattern
    }
    var merged: [MinuteVolume] = []
    merged.reserveCapacity(sorted.count)
    for volume in sorted {
      if let last = merged.last, last.minute == volume.minute, last.stream == volume.stream,
        last.pattern == volume.pattern
      {
        merged[merged.count - 1].count &+= volume.count
      } else {
        merged.append(volume)
      }
    }
    return merged
  }
}
