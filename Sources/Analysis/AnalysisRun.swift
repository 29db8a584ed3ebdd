import Domain
import Indexing
import Search

/// One pass over a window: count, compare, score, cluster, explain.
struct AnalysisRun: Sendable {
  let search: SearchService
  let index: TenantIndex
  let scope: TenantScope

  private static let minute: Int64 = 60_000_000_000
  /// What is looked back at for the usual rates: as long as the window, within these bounds.
  private static let baselineMax: Int64 = 24 * 3_600_000_000_000
  private static let clustersMax = 100
  private static let sampleMax = 3

  /// - Parameter report: Told of each step as it is done.
  func result(
    for request: AnalysisRequest, in document: AnalysisDocument,
    report: (AnalysisDocument) async throws -> Void
  ) async throws -> AnalysisDocument {
    var document = document
    let filter = request.namespace.map { "namespace:=\(SearchText.quoted($0))" } ?? "*"
    let counts = try await search.patternVolumes(filter, request.range, step: Self.minute, scope: scope)
    document.recordCount = counts.entries.reduce(0) { $0 + $1.count }
    document.patternCount = counts.entries.count
    document.stepSeconds = Int(counts.step / 1_000_000_000)
    document.start = counts.range.start.rfc3339
    document.progress.append(
      .init(
        step: "count",
        detail:
          "grouped \(Briefing.count(document.recordCount, "record")) into \(Briefing.count(document.patternCount, "pattern"))",
        count: document.patternCount))
    try await report(document)
    try Task.checkCancellation()

    let length = max(0, min(request.range.end.nanoseconds(since: request.range.start), Self.baselineMax))
    let before = TimeRange(start: counts.range.start.advanced(byNanoseconds: -length), end: counts.range.start)
    let baseline = try await search.patternVolumes(filter, before, step: counts.step, scope: scope)
    let members = members(counts, baseline)
    let changed = members.count { $0.change.kind != .steady }
    document.progress.append(
      .init(step: "compare", detail: "\(Briefing.count(changed, "pattern")) out of the ordinary", count: changed))
    try await report(document)
    try Task.checkCancellation()

    let clusters = try await PatternClusters(members) { pattern in
      try await index.neighbors(ofPattern: pattern, limit: 12)
    }
    var built: [(cluster: AnalysisDocument.Cluster, group: [Int])] = []
    for group in clusters.groups {
      let cluster = cluster(group.map { members[$0] }, counts)
      if cluster.size >= request.minClusterSize || cluster.severityScore >= 5 { built.append((cluster, group)) }
    }
    built.sort {
      $0.cluster.severityScore != $1.cluster.severityScore
        ? $0.cluster.severityScore > $1.cluster.severityScore : $0.cluster.size > $1.cluster.size
    }
    document.clusterCount = built.count
    built = Array(built.prefix(Self.clustersMax))
    for index in built.indices { built[index].cluster.clusterID = index }
    document.clusters = built.map(\.cluster)
    document.progress.append(
      .init(step: "cluster", detail: Briefing.count(document.clusterCount, "cluster"), count: document.clusterCount))
    try await report(document)
    try Task.checkCancellation()

    document.severityScore = document.clusters.first.map { ($0.severityScore * 10).rounded() / 10 } ?? 0
    document.severity = document.clusters.first?.severity ?? "none"
    document.findings = try await findings(built.map { $0.group.map { members[$0] } }, filter: filter, counts)
    document.headline = Briefing.headline(document.clusters, recordCount: document.recordCount)
    document.summary = Briefing.summary(document, findings: document.findings)
    document.progress.append(
      .init(step: "explain", detail: Briefing.count(document.findings.count, "finding"), count: document.findings.count)
    )
    return document
  }

  // MARK: Comparing

  private func members(_ counts: PatternCounts, _ baseline: PatternCounts) -> [PatternClusters.Member] {
    let beforeByPattern = Dictionary(
      baseline.entries.map { ($0.pattern.number, $0.series) }, uniquingKeysWith: { first, _ in first })
    // Minutes before the very first record say nothing about what is usual.
    let hasBaseline = !baseline.entries.isEmpty
    let baselineStart = baseline.entries.map(\.first).min() ?? baseline.range.start
    let skipped = max(0, Int(baselineStart.nanoseconds(since: baseline.range.start) / baseline.step))
    let windowStart = counts.entries.map(\.first).min() ?? counts.range.start
    let leading = hasBaseline ? 0 : max(0, Int(windowStart.nanoseconds(since: counts.range.start) / counts.step))
    let silent = [Int](repeating: 0, count: max(0, (baseline.entries.first?.series.count ?? 0) - skipped))
    // The last step may have only begun.
    return counts.entries.map { entry in
      let before = beforeByPattern[entry.pattern.number].map { Array($0.dropFirst(skipped)) } ?? silent
      let series = Array(entry.series.dropFirst(leading))
      // New only if the workload was there before, else all of a new sender's lines would be news.
      let isKnown = beforeByPattern[entry.pattern.number] != nil || entry.pattern.firstSeen < windowStart
      var change = VolumeAnomalies.change(in: series, before: before, isKnown: isKnown)
      change.onset += leading
      change.end += leading
      let workloads = workloads(entry, counts)
      let score = SeverityScore(
        text: entry.pattern.text + " " + String(decoding: entry.sample.prefix(512), as: UTF8.self),
        level: entry.severity,
        change: change, workloadCount: workloads.count)
      return PatternClusters.Member(entry: entry, change: change, score: score, workloads: workloads)
    }
  }

  private func workloads(_ entry: PatternCounts.Entry, _ counts: PatternCounts) -> [String] {
    var byWorkload: [String: Int] = [:]
    for (stream, count) in entry.streams {
      if let stream = counts.streams[stream] { byWorkload[stream.workload, default: 0] += count }
    }
    return byWorkload.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map(\.key)
  }

  private func cluster(_ members: [PatternClusters.Member], _ counts: PatternCounts) -> AnalysisDocument.Cluster {
    let ranked = members.sorted {
      $0.score.value != $1.score.value ? $0.score.value > $1.score.value : $0.entry.count > $1.entry.count
    }
    let lead = ranked[0]
    var series = [Int](repeating: 0, count: lead.entry.series.count)
    var byWorkload: [String: Int] = [:]
    for member in members {
      for (index, count) in member.entry.series.enumerated() where index < series.count { series[index] += count }
      for (rank, workload) in member.workloads.enumerated() {
        byWorkload[workload, default: 0] += max(1, member.entry.count / (rank + 1))
      }
    }
    let perMinute = Double(counts.step) / Double(Self.minute)
    // A cluster of several troubled patterns is worse than each alone.
    let others = ranked.dropFirst().filter { $0.score.value >= 3 }.count
    let score = min(lead.change.kind == .steady ? 7.9 : 10, lead.score.value + 0.3 * Double(min(3, others)))
    return AnalysisDocument.Cluster(
      clusterID: 0, label: Briefing.name(of: lead.entry), size: members.reduce(0) { $0 + $1.entry.count },
      sampleLogs: ranked.prefix(Self.sampleMax).map { String(decoding: $0.entry.sample, as: UTF8.self) },
      severity: Self.grade(score).rawValue, severityScore: (score * 10).rounded() / 10, reasons: lead.score.reasons,
      patterns: ranked.map(\.entry.pattern.number),
      firstSeen: (members.map(\.entry.first).min() ?? counts.range.start).rfc3339,
      lastSeen: (members.map(\.entry.last).max() ?? counts.range.end).rfc3339, counts: series,
      change: lead.change.kind.rawValue, baselineRate: lead.change.expected / perMinute,
      rate: lead.change.observed / perMinute,
      workloads: byWorkload.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map(\.key))
  }

  private static func grade(_ score: Double) -> SeverityScore.Grade {
    switch score {
    case ..<1.5: .none
    case ..<3: .low
    case ..<5: .medium
    case ..<8: .high
    default: .critical
    }
  }

  // MARK: Explaining

  /// Cause, effects, and what was changed just before, each with records that show it.
  private func findings(
    _ clusters: [[PatternClusters.Member]], filter: String, _ counts: PatternCounts
  ) async throws -> [AnalysisDocument.Finding] {
    let troubled = clusters.joined().filter {
      $0.score.value >= 3 && $0.change.kind != .steady && $0.change.kind != .silence
    }
    guard let firstOnset = troubled.map(\.change.onset).min() else { return [] }
    // Who is named by others and names nobody explains them; among equals the worse and the earlier comes first.
    func explained(_ member: PatternClusters.Member) -> Int { troubled.count { $0.names(member) } }
    func blames(_ member: PatternClusters.Member) -> Int { troubled.count { member.names($0) } }
    let candidates = troubled.sorted { left, right in
      func rank(_ member: PatternClusters.Member) -> Int {
        2 * explained(member) - 4 * blames(member) + (member.tellsOfExhaustion ? 1 : 0)
      }
      let (a, b) = (rank(left), rank(right))
      if a != b { return a > b }
      // Two steps count as one moment, from the first trouble on.
      let (c, d) = ((left.change.onset - firstOnset) / 2, (right.change.onset - firstOnset) / 2)
      if c != d { return c < d }
      if left.score.value != right.score.value { return left.score.value > right.score.value }
      return left.entry.pattern.number < right.entry.pattern.number
    }
    var findings: [AnalysisDocument.Finding] = []
    let root = candidates[0]
    let onset = onset(of: root, counts)
    let followers = troubled.filter { $0.names(root) }
    var detail =
      "\"\(Briefing.spoken(root.entry.pattern.text, to: 140))\" in \(Briefing.list(root.workloads.prefix(3))) "
      + "began at \(Briefing.clock(onset.rfc3339))"
    if !followers.isEmpty {
      let names = Set(followers.flatMap(\.workloads)).subtracting(root.workloads).sorted()
      if !names.isEmpty {
        detail += "; \(Briefing.list(names)) \(names.count == 1 ? "names it in its" : "name it in their") own errors"
      }
    }
    detail += "."
    findings.append(
      .init(
        title: Briefing.spoken(root.entry.pattern.text, to: 120), detail: detail, kind: "cause",
        severity: root.score.grade.rawValue, onset: onset.rfc3339,
        evidence: try await evidence("\(filter) pattern:=\(root.entry.pattern.number)", from: onset, limit: 3)))
    for effect in candidates.dropFirst().prefix(4) {
      let onset = self.onset(of: effect, counts)
      findings.append(
        .init(
          title: Briefing.spoken(effect.entry.pattern.text, to: 120),
          detail: "\(Briefing.count(effect.entry.count, "record")) from \(Briefing.list(effect.workloads.prefix(3))), "
            + "first at \(Briefing.clock(onset.rfc3339)).",
          kind: "effect", severity: effect.score.grade.rawValue, onset: onset.rfc3339,
          evidence: try await evidence("\(filter) pattern:=\(effect.entry.pattern.number)", from: onset, limit: 2)))
    }
    if let change = try await changeBefore(onset, filter: filter) { findings.append(change) }
    return findings
  }

  /// The first record of a pattern's change: of the step in which it began.
  private func onset(of member: PatternClusters.Member, _ counts: PatternCounts) -> Timestamp {
    let (offset, overflow) = Int64(member.change.onset).multipliedReportingOverflow(by: counts.step)
    let step = counts.range.start.advanced(byNanoseconds: overflow ? .max : offset)
    return max(step, member.entry.first)
  }

  /// A rollout, restart or change of configuration shortly before `onset`.
  private func changeBefore(_ onset: Timestamp, filter: String) async throws -> AnalysisDocument.Finding? {
    let window = TimeRange(
      start: onset.advanced(byNanoseconds: -15 * Self.minute), end: onset.advanced(byNanoseconds: Self.minute))
    let words =
      "(rollout or deployed or deployment or deploying or upgraded or upgrade or \"new version\" or restarted or restarting or "
      + "migration or \"effective configuration\" or \"configuration changed\" or \"config changed\" or \"config reload\" or scaled)"
    var rows: [SearchRow] = []
    let request = SearchRequest(text: "\(filter) \(words)", range: window, limit: 200)
    try await search.prepare(request, scope: scope).run { rows += $0 }
    // What happens all the time is not what made the difference.
    guard !rows.isEmpty, rows.count < 100 else { return nil }
    let shown = Array(rows.suffix(4).reversed())
    let evidence = shown.map(Self.evidence)
    guard let first = evidence.first else { return nil }
    return .init(
      title: "Change shortly before",
      detail: "at \(Briefing.clock(first.time)): \(Briefing.clipped(first.message, to: 200))",
      kind: "change", severity: "none", onset: first.time, evidence: evidence)
  }

  /// The first records from `time` on.
  private func evidence(_ query: String, from time: Timestamp, limit: Int) async throws -> [AnalysisDocument.Evidence] {
    var rows: [SearchRow] = []
    let request = SearchRequest(
      text: "\(query) | first \(limit) by (_time)", range: TimeRange(start: time, end: TimeRange.all.end))
    try await search.prepare(request, scope: scope).run { rows += $0 }
    return rows.map(Self.evidence)
  }

  private static func evidence(_ row: SearchRow) -> AnalysisDocument.Evidence {
    func text(_ name: String) -> String { String(decoding: row[name], as: UTF8.self) }
    return AnalysisDocument.Evidence(
      id: text("_id"), time: text("_time"), message: Briefing.clipped(text("_msg"), to: 2000), stream: text("_stream"))
  }
}
