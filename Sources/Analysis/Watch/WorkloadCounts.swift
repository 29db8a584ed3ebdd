import Detection
import Domain
import Search

/// Counts of a window by workload: what the detector takes in, and what is known of where the records came from.
struct WorkloadCounts {
  /// Minutes with records, ascending.
  private(set) var minutes: [MinuteCounts] = []
  /// By workload number.
  private(set) var streams: [UInt32: [UInt32: Stream]] = [:]
  /// Records of each pattern by stream, of the whole window.
  private var records: [SeriesKey: [UInt32: Int]] = [:]
  private(set) var patterns: [UInt32: Pattern]
  /// The last minute with records of a stream.
  private var lastMinutes: [UInt32: Int64] = [:]

  init(_ volumes: MinuteVolumes, numbers: inout WorkloadNumbers) {
    patterns = volumes.patterns
    var workloadOfStream: [UInt32: UInt32] = [:]
    for (number, stream) in volumes.streams.sorted(by: { $0.key < $1.key }) {
      let workload = numbers.claim(stream.workload)
      workloadOfStream[number] = workload
      streams[workload, default: [:]][number] = stream
    }
    var counts: [SeriesKey: UInt32] = [:]
    var minute: Int64?
    func flush() {
      guard let minute, !counts.isEmpty else { return }
      minutes.append(
        MinuteCounts(
          minute: minute, entries: counts.map { .init(key: $0.key, count: $0.value) }.sorted { $0.key < $1.key }))
      counts.removeAll(keepingCapacity: true)
    }
    for volume in volumes.volumes {
      if minute != volume.minute { flush() }
      minute = volume.minute
      let key = SeriesKey(pattern: volume.pattern, workload: workloadOfStream[volume.stream] ?? 0)
      counts[key, default: 0] &+= volume.count
    }
    flush()
    for volume in volumes.volumes {
      let key = SeriesKey(pattern: volume.pattern, workload: workloadOfStream[volume.stream] ?? 0)
      records[key, default: [:]][volume.stream, default: 0] += Int(volume.count)
      lastMinutes[volume.stream] = volume.minute
    }
  }

  /// Takes over what later counts know; of a series they have, they alone.
  mutating func absorb(_ later: WorkloadCounts) {
    minutes = later.minutes
    for (workload, known) in later.streams { streams[workload, default: [:]].merge(known) { _, later in later } }
    records.merge(later.records) { _, later in later }
    patterns.merge(later.patterns) { _, later in later }
    lastMinutes.merge(later.lastMinutes) { _, later in later }
  }

  /// Leaves out streams without records since `minute`.
  mutating func forget(before minute: Int64) {
    let gone = Set(lastMinutes.lazy.filter { $0.value < minute }.map(\.key))
    if gone.isEmpty { return }
    for stream in gone { lastMinutes[stream] = nil }
    streams = streams.mapValues { $0.filter { !gone.contains($0.key) } }.filter { !$0.value.isEmpty }
    records = records.mapValues { $0.filter { !gone.contains($0.key) } }.filter { !$0.value.isEmpty }
  }

  /// Which streams wrote records of the series, the most first; of a workload as a whole, all of its streams.
  func streams(of key: SeriesKey) -> [(number: UInt32, stream: Stream, count: Int)] {
    let all = streams[key.workload] ?? [:]
    if key.pattern == SeriesKey.allPatterns {
      return all.sorted { $0.key < $1.key }.map { (number: $0.key, stream: $0.value, count: 0) }
    }
    return (records[key] ?? [:]).sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
      .compactMap { entry in all[entry.key].map { (number: entry.key, stream: $0, count: entry.value) } }
  }
}
