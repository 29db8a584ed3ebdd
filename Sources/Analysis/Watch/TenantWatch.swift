import Detection
import Domain
import FoundationEssentials
import Indexing
import Search
import Storage

/// Follows one tenant's counts minute by minute, and keeps its anomalies and incidents in the tenant's file.
actor TenantWatch {
  private let search: SearchService
  private let indexes: TenantIndexPool
  private let pool: TenantDatabasePool
  private let scope: TenantScope
  private let reader: SeriesFactsReader

  private var detector = Detector()
  private var tracker = IncidentTracker()
  private var numbers = WorkloadNumbers()
  private var places: WorkloadCounts?
  private var hasLoaded = false
  /// Minutes before this one in which nothing came may be minutes in which nobody was there to take it.
  private let firstMinute: Int64
  private var savedMinute: Int64 = 0
  /// The last minute with a record.
  private(set) var lastActive: Int64 = 0

  private var facts: [UInt64: KnownFacts] = [:]
  private var feedback: [SeriesKey: Double] = [:]
  private var suppressions: [Suppression] = []
  private var saved = SavedInsights()
  private let similarity = PatternSimilarity()

  private var followedMerges: Set<UInt32> = []
  /// Whether what the file calls open was compared with what the detector knows.
  private var isSettled = false
  /// The day in which old documents were forgotten last, since 1970.
  private var forgotDay: Int64 = 0
  private var lastTurn: Task<Void, Never>?

  private struct KnownFacts {
    var facts: SeriesFacts
    var minute: Int64
    var hasLines: Bool
  }

  /// What a fresh watch learns from: a day shows the hours, more would take long to count.
  private static let historyMinutes: Int64 = 1440
  /// What is looked back at for where records came from.
  private static let placesMinutes: Int64 = 60
  private static let saveMinutes: Int64 = 10
  /// Lines of an anomaly that goes on are looked up again after so many minutes.
  private static let factsMinutes: Int64 = 5
  /// Anomalies of a minute that are told of, those that deviate most: nobody reads more, and a flood must not hold up
  /// the watch of others.
  private static let toldMax = 500
  /// Comparisons of patterns in a minute.
  private static let comparisonsMax = 50_000
  /// Looks at lines in a tick, whether of one minute or of a day that is caught up with.
  private static let linesMax = 300
  /// Origins that were not heard of for so long are no longer looked at: pods come and go.
  private static let originsMinutes: Int64 = 1440
  /// Ended anomalies and incidents are kept for so long.
  private static let keptDays: Int64 = 90
  private var linesLeft = 0

  init(
    search: SearchService, indexes: TenantIndexPool, pool: TenantDatabasePool, scope: TenantScope, now: Timestamp
  ) {
    self.search = search
    self.indexes = indexes
    self.pool = pool
    self.scope = scope
    reader = SeriesFactsReader(search: search, scope: scope)
    firstMinute = now.minute
    lastActive = now.minute
  }

  // MARK: A tick

  /// Takes in all minutes that are over at `now`.
  ///
  /// - Returns: What changed, as JSON documents.
  func tick(_ now: Timestamp) async throws -> [InsightEvent] {
    try await inTurn { watch in
      do {
        return try await watch.tickNow(now)
      } catch {
        // What was taken in and not saved is taken in again, from where the file stands.
        watch.hasLoaded = false
        throw error
      }
    }
  }

  /// Runs `body` after everything that was asked for before: what waits for the file more than once would otherwise see
  /// the half of what another did.
  private func inTurn<Result: Sendable>(
    _ body: @escaping @Sendable (isolated TenantWatch) async throws -> Result
  ) async throws -> Result {
    let before = lastTurn
    let turn = Task {
      await before?.value
      return try await body(self)
    }
    lastTurn = Task { _ = await turn.result }
    return try await withTaskCancellationHandler {
      try await turn.value
    } onCancel: {
      turn.cancel()
    }
  }

  private func tickNow(_ now: Timestamp) async throws -> [InsightEvent] {
    try await load(now)
    let end = now.minute
    if end / 1440 != forgotDay {
      try await database().insights.deleteClosed(
        before: now.advanced(byNanoseconds: -Self.keptDays * 86_400_000_000_000))
      forgotDay = end / 1440
    }
    let start = detector.minute >= 0 ? max(detector.minute + 1, end - Self.historyMinutes) : end - Self.historyMinutes
    guard start < end else { return [] }
    let volumes = try await search.minuteVolumes(
      "*", TimeRange(start: Timestamp(minute: start), end: Timestamp(minute: end)), scope: scope)
    let counts = WorkloadCounts(volumes, numbers: &numbers)
    if places == nil { places = counts } else { places?.absorb(counts) }
    places?.forget(before: end - Self.originsMinutes)
    if let last = counts.minutes.last?.minute { lastActive = max(lastActive, last) }
    similarity.patterns = places?.patterns ?? [:]

    linesLeft = Self.linesMax
    // What was counted as two patterns is counted as one from now on, and was not new.
    for (old, new) in try await indexes.index(of: database()).merges.sorted(by: { $0.key < $1.key })
    where followedMerges.insert(old).inserted {
      detector.merge(pattern: old, into: new)
    }
    var incidents: [UInt64: Incident] = [:]
    var anomalies: [UInt64: Anomaly] = [:]
    var next = 0
    for minute in start..<end {
      try Task.checkCancellation()
      similarity.comparisonsLeft = Self.comparisonsMax
      var brought = MinuteCounts(minute: minute, entries: [])
      if next < counts.minutes.count, counts.minutes[next].minute == minute {
        brought = counts.minutes[next]
        next += 1
      } else if minute < firstMinute {
        continue
      }
      let found = detector.tick(brought, suppressions: suppressions) { self.similarity($0, $1) }
      for anomaly in found { anomalies[anomaly.id] = anomaly }
      // What is over is still part of its incident, also after a restart or hours later.
      let past = tracker.members.filter { facts[$0.id] == nil }
      try await learnFacts(of: found + past.filter { !anomalies.keys.contains($0.id) }, minute: minute)
      for incident in tracker.update(
        minute: minute, found.filter { self.facts[$0.id] != nil || $0.phase == .ended },
        links: IncidentLinks(similarity: { self.similarity($0, $1) }),
        facts: { self.facts[$0.id]?.facts })
      {
        incidents[incident.id] = incident
      }
      if minute % 64 == 0 { await Task.yield() }
    }
    let isSaveDue = end - savedMinute >= Self.saveMinutes
    for id in saved.unknown(incidents.keys) {
      if let row = try await database().insights.load(.incident, id: id) { saved.recall(row) }
    }
    var changes = try saved.take(
      anomalies.values.sorted { $0.onset < $1.onset }.compactMap { anomaly in
        facts[anomaly.id].map { IncidentNode(anomaly: anomaly, facts: $0.facts) }
      }, incidents.values.sorted { $0.id < $1.id })
    let openAnomalies = Set(detector.openAnomalies.map(\.id))
    if !isSettled {
      try changes.append(
        saved.settle(
          anomalies: openAnomalies.union(anomalies.keys), incidents: Set(tracker.openIDs).union(incidents.keys)))
    }
    try await database().insights.save(
      changes.rows, state: isSaveDue ? state : nil, workloads: numbers.added)
    numbers.didSave()
    if isSaveDue { savedMinute = detector.minute }
    isSettled = true
    let living = openAnomalies.union(anomalies.keys).union(tracker.members.map(\.id))
    facts = facts.filter { living.contains($0.key) }
    saved.keep(incidents: tracker.ids)
    return changes.events
  }

  private func database() async throws -> TenantDatabase { try await pool.open(scope) }

  private func learnFacts(of found: [Anomaly], minute: Int64) async throws {
    guard let places else { return }
    let ranked =
      found.filter { $0.suppressedBy == nil }.sorted { abs($0.evidence.z) > abs($1.evidence.z) }
      + found.filter { $0.suppressedBy != nil }
    for anomaly in ranked.prefix(Self.toldMax) {
      let known = facts[anomaly.id]
      let readsLines = linesLeft > 0 && (known?.hasLines != true || minute - (known?.minute ?? 0) >= Self.factsMinutes)
      if known != nil, !readsLines, anomaly.phase != .ended {
        // Its severity follows its numbers.
        if minute - (known?.minute ?? 0) < Self.factsMinutes { continue }
      }
      if readsLines { linesLeft -= 1 }
      func read(lines: Bool) async throws -> SeriesFacts {
        try await reader.facts(
          of: anomaly, counts: places, workload: numbers.name(anomaly.key.workload),
          feedback: (feedback[anomaly.key] ?? 0)
            + (feedback[SeriesKey(pattern: SeriesKey.allPatterns, workload: anomaly.key.workload)] ?? 0),
          readsLines: lines)
      }
      var fresh: SeriesFacts
      var hasLines = readsLines
      do {
        fresh = try await read(lines: readsLines)
      } catch let error where readsLines && !(error is CancellationError) {
        // Records that can't be read now are looked up again; the anomaly is told of all the same.
        fresh = try await read(lines: false)
        hasLines = false
      }
      if !hasLines, let known {
        fresh.lines = known.facts.lines
        fresh.links = known.facts.links
      }
      facts[anomaly.id] = KnownFacts(facts: fresh, minute: minute, hasLines: hasLines || known?.hasLines == true)
    }
  }

  // MARK: What people say

  /// - Returns: The changed document; nil if there is no such incident.
  func setStatus(_ status: IncidentDocument.Status, ofIncident id: String, at time: Timestamp) async throws -> [UInt8]?
  {
    try await inTurn { try await $0.setStatusNow(status, id, time) }
  }

  private func setStatusNow(_ status: IncidentDocument.Status, _ id: String, _ time: Timestamp) async throws -> [UInt8]?
  {
    try await load(time)
    let insights = try await database().insights
    guard let old = try await insights.load(.incident, id: id) else { return nil }
    let row = try saved.setStatus(status, of: old, at: time)
    try await insights.save([row])
    return row.document
  }

  func add(_ document: SuppressionDocument, at time: Timestamp) async throws {
    try await inTurn { try await $0.addNow(document, time) }
  }

  private func addNow(_ document: SuppressionDocument, _ time: Timestamp) async throws {
    try await load(time)
    guard let suppression = suppression(document) else { return }
    try await database().insights.save(
      [
        InsightTable.Row(
          kind: .suppression, id: document.id, startedAt: Timestamp(minute: suppression.minutes.lowerBound),
          changedAt: Timestamp(minute: suppression.minutes.upperBound), isOpen: true,
          document: try JSON.bytes(document))
      ], workloads: numbers.added)
    numbers.didSave()
    suppressions.append(suppression)
  }

  /// - Returns: Whether there was one.
  func removeSuppression(_ id: String, at time: Timestamp) async throws -> Bool {
    try await inTurn { watch in
      try await watch.load(time)
      watch.suppressions.removeAll { String($0.id, radix: 16) == id }
      return try await watch.database().insights.delete(.suppression, id: id)
    }
  }

  /// - Parameter points: What it adds to the score of the pattern in the workload; 0 takes back what was said.
  func setFeedback(
    workload: String, pattern: UInt32?, points: Double, at time: Timestamp
  ) async throws -> [UInt8] {
    try await inTurn { try await $0.setFeedbackNow(workload, pattern, points, time) }
  }

  private func setFeedbackNow(
    _ workload: String, _ pattern: UInt32?, _ points: Double, _ time: Timestamp
  ) async throws -> [UInt8] {
    try await load(time)
    let key = SeriesKey(pattern: pattern ?? SeriesKey.allPatterns, workload: numbers.claim(workload))
    let document = FeedbackDocument(workload: workload, pattern: pattern, points: points, changedAt: time.rfc3339)
    let json = try JSON.bytes(document)
    let id = "\(key.workload).\(key.pattern)"
    if points == 0 {
      _ = try await database().insights.delete(.feedback, id: id)
      feedback[key] = nil
    } else {
      try await database().insights.save(
        [InsightTable.Row(kind: .feedback, id: id, startedAt: time, changedAt: time, isOpen: true, document: json)],
        workloads: numbers.added)
      feedback[key] = points
    }
    numbers.didSave()
    // Scores are made anew.
    facts = [:]
    return json
  }

  private func suppression(_ document: SuppressionDocument) -> Suppression? {
    guard let id = UInt64(document.id, radix: 16),
      let start = TimeExpression.parse(document.start, now: Timestamp(nanoseconds: 0)),
      let end = TimeExpression.parse(document.end, now: Timestamp(nanoseconds: 0)), start < end
    else { return nil }
    let reason: Suppression.Reason =
      switch document.reason {
      case .snoozed: .snoozed
      case .expected: .expected
      case .maintenance: .maintenance
      }
    return Suppression(
      id: id, reason: reason, workload: document.workload.map { numbers.claim($0) }, pattern: document.pattern,
      kinds: Set(document.kinds), minutes: start.minute..<max(end.minute, start.minute + 1),
      periodMinutes: document.repeatMinutes.map(Int64.init))
  }

  // MARK: The file

  private func load(_ now: Timestamp) async throws {
    if hasLoaded { return }
    detector = Detector()
    tracker = IncidentTracker()
    places = nil
    savedMinute = 0
    (facts, feedback, suppressions) = ([:], [:], [])
    (saved, followedMerges, isSettled) = (SavedInsights(), [], false)
    let insights = try await database().insights
    numbers = WorkloadNumbers(try await insights.workloads())
    if let state = try await insights.detectorState(), let (detector, tracker) = Self.decode(state.data) {
      self.detector = detector
      self.tracker = tracker
      savedMinute = state.minute
      // Where records came from is not part of the state.
      let volumes = try await search.minuteVolumes(
        "*",
        TimeRange(
          start: Timestamp(minute: state.minute - Self.placesMinutes), end: Timestamp(minute: state.minute + 1)),
        scope: scope)
      places = WorkloadCounts(volumes, numbers: &numbers)
    }
    // Documents of a build that wrote them in another way are left out: they are found out or said again.
    for row in try await insights.list(.feedback, limit: 10_000) {
      guard let document = try? JSON.value(FeedbackDocument.self, row.document) else { continue }
      let workload = numbers.claim(document.workload)
      feedback[SeriesKey(pattern: document.pattern ?? SeriesKey.allPatterns, workload: workload)] = document.points
    }
    // As above.
    for row in try await insights.list(.suppression, limit: 10_000) {
      guard let document = try? JSON.value(SuppressionDocument.self, row.document) else { continue }
      if let suppression = suppression(document) { suppressions.append(suppression) }
    }
    saved = try await SavedInsights(openIn: insights)
    hasLoaded = true
  }

  /// Saves where the detector stands, so that the next start need not learn anew.
  func save() async throws { try await inTurn { try await $0.saveNow() } }

  private func saveNow() async throws {
    guard hasLoaded, detector.minute > savedMinute else { return }
    try await database().insights.save([], state: state, workloads: numbers.added)
    numbers.didSave()
    savedMinute = detector.minute
  }

  // DETECTOR STATE in the tenant's file: u32 byte count of the detector's own state, little-endian; that; the tracker's.
  private var state: InsightTable.DetectorState {
    let (own, incidents) = (detector.serialized(), tracker.serialized())
    let count = UInt32(own.count)
    let head = (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * UInt32($0))) }
    return InsightTable.DetectorState(minute: detector.minute, data: head + own + incidents)
  }

  private static func decode(_ data: [UInt8]) -> (Detector, IncidentTracker)? {
    guard data.count >= 4 else { return nil }
    let count = (0..<4).reduce(0) { $0 | Int(data[$1]) << (8 * $1) }
    guard data.count - 4 >= count else { return nil }
    // Of another build, or damaged: it learns anew.
    guard let detector = try? Detector(serialized: Array(data[4..<(4 + count)])),
      let tracker = try? IncidentTracker(serialized: Array(data[(4 + count)...]))
    else { return nil }
    return (detector, tracker)
  }
}
