import Detection
import Domain
import Embedding
import Indexing
import Search

/// Finds out what there is to know of an anomalous series: how serious it is, where it is, and records that show it.
struct SeriesFactsReader: Sendable {
  let search: SearchService
  let scope: TenantScope

  /// Words' vectors are shared by all tenants.
  static let scorer = SeverityScorer(embed: { StaticEmbedder.shared.embed($0) })

  private static let podsMax = 50
  private static let namespaceLabels = ["kubernetes.namespace_name", "namespace", "k8s.namespace.name"]
  private static let podLabels = ["kubernetes.pod_name", "pod", "k8s.pod.name", "host", "hostname"]
  private static let serviceLabels = ["service", "service.name", "app", "kubernetes.container_name", "container"]
  private static let nodeFields = ["kubernetes.host", "node_name", "k8s.node.name", "node", "host"]
  private static let linkFields = [
    "trace_id", "traceId", "trace.id", "request_id", "requestId", "correlation_id", "x_request_id",
  ]

  /// - Parameter readsLines: Whether records are looked up; without, it is only about numbers and texts.
  func facts(
    of anomaly: Anomaly, counts: WorkloadCounts, workload: String, feedback: Double, readsLines: Bool
  ) async throws -> SeriesFacts {
    let key = anomaly.key
    let isWhole = key.pattern == SeriesKey.allPatterns
    let pattern = counts.patterns[key.pattern]
    let streams = counts.streams(of: key)
    let all = counts.streams[key.workload] ?? [:]
    var podNodes: [String: String] = [:]
    var lines: [EvidenceLine] = []
    var links: Set<UInt64> = []
    if readsLines {
      let start = Timestamp(minute: anomaly.onset)
      let end = Timestamp(minute: max(anomaly.last, anomaly.onset) + 1)
      // Of what went quiet, the last that was heard; of all else, how it began and where it stands.
      let isQuiet = anomaly.kind == .silence || anomaly.kind == .drop
      let range =
        isQuiet
        ? TimeRange(start: start.advanced(byNanoseconds: -3_600_000_000_000), end: end)
        : TimeRange(start: start, end: end)
      let rows = try await search.records(
        // What was over before the counts at hand may be of any stream of the workload.
        ofPattern: isWhole ? nil : key.pattern,
        streams: streams.isEmpty ? Set(all.keys) : Set(streams.map(\.number)), range: range,
        first: isQuiet ? 0 : 3, last: 2, scope: scope)
      for row in rows {
        func text(_ names: [String]) -> String? {
          for name in names {
            let value = row[name]
            if !value.isEmpty { return String(decoding: value, as: UTF8.self) }
          }
          return nil
        }
        if let id = text(["_id"]), let time = text(["_time"]).flatMap({ TimeExpression.parse($0, now: start) }) {
          lines.append(
            EvidenceLine(
              id: id, time: time, text: Briefing.clipped(String(decoding: row["_msg"], as: UTF8.self), to: 2000),
              workload: workload, key: key))
        }
        if let pod = text(Self.podLabels), let node = text(Self.nodeFields), pod != node { podNodes[pod] = node }
        for name in Self.linkFields {
          let value = row[name]
          if !value.isEmpty { links.insert(StableHash.of(value)) }
        }
        links.formUnion(LinkIdentifiers.hashes(in: row["_msg"]))
      }
    }
    func label(_ stream: Stream, _ names: [String]) -> String? {
      for name in names {
        if let value = stream.label(name), !value.isEmpty { return String(decoding: value, as: UTF8.self) }
      }
      return nil
    }
    var pods: [String: Int] = [:]
    for entry in streams { if let pod = label(entry.stream, Self.podLabels) { pods[pod, default: 0] += entry.count } }
    let podCount = Set(all.values.compactMap { label($0, Self.podLabels) }).count
    // Lines name a workload by its service, its container or what its pods are called after.
    var addresses = Set(all.values.compactMap { label($0, Self.serviceLabels) })
    addresses.formUnion(all.values.compactMap { label($0, Self.podLabels).map(WorkloadName.name(ofPod:)) })
    let severity = Self.scorer.score(
      SeverityFacts(
        text: isWhole ? "" : (pattern?.text ?? "") + "\n" + (lines.first?.text.prefix(400) ?? ""),
        level: isWhole ? .unknown : pattern?.severity ?? .unknown, change: anomaly.change,
        workloadCount: 1, podCount: pods.count, feedback: feedback))
    return SeriesFacts(
      text: isWhole ? workload : pattern?.text ?? "", workload: workload,
      namespace: streams.lazy.compactMap { label($0.stream, Self.namespaceLabels) }.first ?? "",
      addresses: addresses.subtracting([workload]).sorted(), severity: severity,
      pods: pods.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.prefix(Self.podsMax)
        .map { SeriesFacts.Pod(name: $0.key, node: podNodes[$0.key] ?? "", count: $0.value) },
      podCount: podCount, links: links, lines: lines)
  }
}

extension Timestamp {
  /// The start of a minute since 1970.
  init(minute: Int64) {
    let (nanoseconds, overflow) = minute.multipliedReportingOverflow(by: 60_000_000_000)
    self.init(nanoseconds: overflow ? (minute < 0 ? .min : .max) : nanoseconds)
  }

  /// Whole minutes since 1970.
  var minute: Int64 { nanoseconds.floorDivided(by: 60_000_000_000) }
}
