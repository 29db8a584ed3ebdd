import Detection
import Domain
import Indexing
import Search

/// One pass over a window: count, compare, score, cluster, explain.
struct AnalysisRun: Sendable {
  let search: SearchService
  let index: TenantIndex
  let scope: TenantScope

  private static let minute: Int64 = 60_000_000_000
  /// What is looked back at for what is usual: as long as the window, within these bounds.
  private static let historyMin: Int64 = 6 * 3_600_000_000_000
  private static let historyMax: Int64 = 24 * 3_600_000_000_000
  /// Anomalies whose lines are looked up.
  private static let linesMax = 60
  private static let incidentsMax = 50
  /// Incidents whose causes are findings, and effects of each.
  private static let toldIncidentsMax = 3
  private static let effectsMax = 4
  /// Of what goes on as ever: below critical.
  private static let steadyMax = 6.9
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

    let length = request.range.end.nanoseconds(since: request.range.start)
    let history = min(max(length, Self.historyMin), Self.historyMax)
    let volumes = try await search.minuteVolumes(
      filter, TimeRange(start: request.range.start.advanced(byNanoseconds: -history), end: request.range.end),
      scope: scope)
    let similarity = PatternSimilarity(volumes.patterns)
    let detection = try WindowDetection(volumes, from: request.range.start.minute) { similarity($0, $1) }
    let nodes = try await nodes(detection)
    let members = members(counts, nodes)
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
      if cluster.size >= request.minClusterSize || cluster.severityScore >= 4 { built.append((cluster, group)) }
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

    // What the detector used up is not missing here, where it decides what belongs together.
    similarity.comparisonsLeft = PatternSimilarity.comparisonsMax
    let incidents = Incident.incidents(of: nodes, links: IncidentLinks { similarity($0, $1) })
    let story = Report(
      incidents,
      coverage: Report.Coverage(
        minutes: counts.range.start.minute..<max(counts.range.start.minute, counts.range.end.minute),
        recordCount: document.recordCount, patternCount: document.patternCount,
        workloadCount: Set(members.flatMap(\.workloads)).count))
    let worst = max(incidents.first?.points ?? 0, document.clusters.first?.severityScore ?? 0)
    document.severityScore = (worst * 10).rounded() / 10
    document.severity = SeverityScore.Grade(points: worst).rawValue
    document.incidents = incidents.prefix(Self.incidentsMax).map { IncidentDocument($0) }
    document.findings = try await findings(incidents, filter: filter)
    if let addressed = try await addressed(document, filter: filter, request.range) {
      document.findings.append(addressed)
    }
    document.headline = story.headline
    document.summary = Briefing.summary(story, document)
    document.report = story.markdown
    document.progress.append(
      .init(step: "explain", detail: Briefing.count(document.findings.count, "finding"), count: document.findings.count)
    )
    return document
  }

  // MARK: Comparing

  /// Each anomaly with what is known of its series; lines are looked up for the most serious.
  private func nodes(_ detection: WindowDetection) async throws -> [IncidentNode] {
    let reader = SeriesFactsReader(search: search, scope: scope)
    func node(_ anomaly: Anomaly, readsLines: Bool) async throws -> IncidentNode {
      IncidentNode(
        anomaly: anomaly,
        facts: try await reader.facts(
          of: anomaly, counts: detection.counts, workload: detection.numbers.name(anomaly.key.workload), feedback: 0,
          readsLines: readsLines))
    }
    var nodes: [IncidentNode] = []
    for anomaly in detection.anomalies {
      try Task.checkCancellation()
      nodes.append(try await node(anomaly, readsLines: false))
    }
    let ranked = nodes.indices.sorted { left, right in
      let (a, b) = (nodes[left].facts.severity.points, nodes[right].facts.severity.points)
      return a != b ? a > b : left < right
    }
    for index in ranked.prefix(Self.linesMax) { nodes[index] = try await node(nodes[index].anomaly, readsLines: true) }
    return nodes
  }

  private func members(_ counts: PatternCounts, _ nodes: [IncidentNode]) -> [PatternClusters.Member] {
    var nodeOfPattern: [UInt32: IncidentNode] = [:]
    for node in nodes where node.key.pattern != SeriesKey.allPatterns {
      let known = nodeOfPattern[node.key.pattern]
      if known.map({ $0.facts.severity.points < node.facts.severity.points }) ?? true {
        nodeOfPattern[node.key.pattern] = node
      }
    }
    return counts.entries.map { entry in
      let workloads = workloads(entry, counts)
      let rate = Double(entry.count) / Double(max(1, entry.series.count))
      guard let node = nodeOfPattern[entry.pattern.number] else {
        let score = SeriesFactsReader.scorer.score(
          SeverityFacts(
            text: entry.pattern.text + "\n" + String(decoding: entry.sample.prefix(400), as: UTF8.self),
            level: entry.severity, change: SeverityFacts.Change(kind: .steady), workloadCount: workloads.count))
        return PatternClusters.Member(entry: entry, change: .steady(rate: rate), score: score, workloads: workloads)
      }
      let score = SeriesFactsReader.scorer.score(
        SeverityFacts(
          text: entry.pattern.text + "\n" + String(decoding: entry.sample.prefix(400), as: UTF8.self),
          level: entry.severity, change: node.anomaly.change, workloadCount: workloads.count,
          podCount: node.facts.pods.count))
      return PatternClusters.Member(
        entry: entry, change: PatternChange(node.anomaly, start: counts.range.start, step: counts.step), score: score,
        workloads: workloads)
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
      $0.score.points != $1.score.points ? $0.score.points > $1.score.points : $0.entry.count > $1.entry.count
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
    let others = ranked.dropFirst().filter { $0.score.grade >= .medium }.count
    let score = min(lead.change.kind == .steady ? Self.steadyMax : 10, lead.score.points + 0.3 * Double(min(3, others)))
    return AnalysisDocument.Cluster(
      clusterID: 0, label: Briefing.name(of: lead.entry), size: members.reduce(0) { $0 + $1.entry.count },
      sampleLogs: ranked.prefix(Self.sampleMax).map { String(decoding: $0.entry.sample, as: UTF8.self) },
      severity: SeverityScore.Grade(points: score).rawValue, severityScore: (score * 10).rounded() / 10,
      reasons: lead.score.reasons.map(\.words),
      patterns: ranked.map(\.entry.pattern.number),
      firstSeen: (members.map(\.entry.first).min() ?? counts.range.start).rfc3339,
      lastSeen: (members.map(\.entry.last).max() ?? counts.range.end).rfc3339, counts: series,
      change: lead.change.kind.rawValue, baselineRate: lead.change.expected / perMinute,
      rate: lead.change.observed / perMinute,
      workloads: byWorkload.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map(\.key))
  }

  // MARK: Explaining

  /// Of the most serious incidents: the likely cause, its effects, and what was changed just before, each with records
  /// that show it.
  private func findings(_ incidents: [Incident], filter: String) async throws -> [AnalysisDocument.Finding] {
    var findings: [AnalysisDocument.Finding] = []
    for incident in incidents.filter({ $0.grade >= .medium }).prefix(Self.toldIncidentsMax) {
      for (rank, candidate) in incident.candidates.prefix(1 + Self.effectsMax).enumerated() {
        guard let node = incident.members.first(where: { $0.key == candidate.key }) else { continue }
        let began = node.facts.lines.first.map { max($0.time, Timestamp(minute: candidate.onset)) }
        let onset = (began ?? Timestamp(minute: candidate.onset)).rfc3339
        let lines = incident.evidence.filter { $0.key == candidate.key }
        findings.append(
          .init(
            title: Briefing.spoken(candidate.text, to: 120),
            detail: "\"\(Briefing.spoken(candidate.text, to: 140))\" in \(candidate.workload) began at "
              + "\(Briefing.clock(onset)): \(candidate.reasons.joined(separator: "; ")).",
            kind: rank == 0 ? "cause" : "effect", severity: node.facts.severity.grade.rawValue, onset: onset,
            evidence: (lines.isEmpty ? Array(node.facts.lines.prefix(2)) : lines).map(Self.evidence)))
      }
      if let change = try await changeBefore(Timestamp(minute: incident.onset), filter: filter) {
        findings.append(change)
      }
    }
    return findings
  }

  /// Orders to the analyzer in the evidence of incidents and in the samples of clusters, as a finding with their records.
  private func addressed(
    _ document: AnalysisDocument, filter: String, _ range: TimeRange
  ) async throws -> AnalysisDocument.Finding? {
    var lines = (document.incidents ?? []).flatMap(\.evidence).map {
      AnalysisDocument.Evidence(id: $0.id, time: $0.time, message: $0.message, stream: $0.workload)
    }
    for cluster in document.clusters
    where cluster.sampleLogs.contains(where: { !InjectionDetector.kinds(in: $0).isEmpty }) {
      let patterns = cluster.patterns.prefix(Self.sampleMax).map(String.init).joined(separator: ",")
      let request = SearchRequest(text: "\(filter) pattern:in(\(patterns))", range: range, limit: 10)
      try await search.prepare(request, scope: scope).run { lines += $0.map(Self.evidence) }
    }
    return Briefing.addressed(lines)
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

  private static func evidence(_ line: EvidenceLine) -> AnalysisDocument.Evidence {
    AnalysisDocument.Evidence(id: line.id, time: line.time.rfc3339, message: line.text, stream: line.workload)
  }

  private static func evidence(_ row: SearchRow) -> AnalysisDocument.Evidence {
    func text(_ name: String) -> String { String(decoding: row[name], as: UTF8.self) }
    return AnalysisDocument.Evidence(
      id: text("_id"), time: text("_time"), message: Briefing.clipped(text("_msg"), to: 2000), stream: text("_stream"))
  }
}
