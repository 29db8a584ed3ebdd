import Detection
import Domain
import Embedding
import LogParsing

/// Log files on the product's way: parsed, mined, and counted by pattern and workload, with what an incident wants to know.
struct ReplayedLog {
  struct Record {
    var file: Int
    var time: Timestamp
    var severity: Severity
    var workload: UInt32
    var pod: Int
    var message: [UInt8]
  }

  private(set) var records: [Record] = []
  /// The pattern of each record.
  private(set) var patterns: [UInt32] = []
  private(set) var workloads: [String] = []
  private(set) var pods: [SeriesFacts.Pod] = []

  private var log = MinedLog()
  private var workloadNumbers: [String: UInt32] = [:]
  private var podNumbers: [String: Int] = [:]
  private let embedder = StaticEmbedder.shared
  private let scorer: SeverityScorer

  init() {
    let embedder = StaticEmbedder.shared
    scorer = SeverityScorer { embedder.embed($0) }
  }

  /// Takes in a file; `file` is what its records are known by.
  mutating func take(_ path: String, file: Int) throws {
    let bytes = try Gzip.read(path)
    var parser = TextLinesParser(options: .init(now: MinedLog.now))
    let fed = bytes.withUnsafeBufferPointer { parser.feed($0) }
    for result in [fed, parser.finish()] {
      if let rejection = result.rejections.first {
        throw DataFileError(path: path, line: rejection.line, reason: rejection.reason)
      }
      take(result.records, file: file)
    }
    guard records.last?.file == file else { throw DataFileError(path: path, reason: "holds no records") }
  }

  private mutating func take(_ parsed: ParsedRecords, file: Int) {
    log.take(parsed)
    let streams = parsed.streamTable.map { stream(ReplayedLog.texts($0, in: parsed)) }
    let nodes = parsed.fieldSetTable.map { ReplayedLog.texts($0, in: parsed)["node"] ?? "" }
    for index in 0..<parsed.count {
      let (workload, pod) = streams[Int(parsed.streams[index])]
      if pods[pod].node.isEmpty { pods[pod].node = nodes[Int(parsed.fieldSets[index])] }
      records.append(
        Record(
          file: file, time: Timestamp(nanoseconds: parsed.times[index]), severity: parsed.severities[index],
          workload: workload, pod: pod, message: Array(parsed.bytes[parsed.messages[index].range])))
    }
  }

  /// Says which pattern each record belongs to, after the last file: merges are followed.
  mutating func settle() { patterns = log.patterns }

  private static func texts(_ fields: [FieldSpan], in parsed: ParsedRecords) -> [String: String] {
    var texts: [String: String] = [:]
    for field in fields {
      texts[String(decoding: parsed.bytes[field.name.range], as: UTF8.self)] = String(
        decoding: parsed.bytes[field.value.range], as: UTF8.self)
    }
    return texts
  }

  /// Numbers the workload and the pod of a stream: a pod is named after what runs in it, a container is called `server`.
  private mutating func stream(_ labels: [String: String]) -> (workload: UInt32, pod: Int) {
    func first(_ names: [String]) -> String? { names.lazy.compactMap { labels[$0] }.first { !$0.isEmpty } }
    let pod = first(["kubernetes.pod_name", "pod"])
    let name =
      pod.map(WorkloadName.name(ofPod:))
      ?? first(["service", "service.name", "app", "kubernetes.container_name", "container", "source", "host"]) ?? "log"
    let workload = workloadNumbers[name] ?? UInt32(workloads.count)
    if workload == workloads.count {
      workloadNumbers[name] = workload
      workloads.append(name)
    }
    let podName = pod ?? name
    let number = podNumbers[podName] ?? pods.count
    if number == pods.count {
      podNumbers[podName] = number
      pods.append(SeriesFacts.Pod(name: podName, node: "", count: 0))
    }
    return (workload, number)
  }

  func key(_ index: Int) -> SeriesKey { SeriesKey(pattern: patterns[index], workload: records[index].workload) }

  func text(of pattern: UInt32) -> String { log.miner.text(of: pattern)?.text ?? "" }

  /// The cosine of two patterns' texts.
  func similarity() -> (UInt32, UInt32) -> Float {
    var cache: [UInt32: [Float]] = [:]
    func vector(_ pattern: UInt32) -> [Float] {
      if let known = cache[pattern] { return known }
      let made = embedder.embed(text(of: pattern))
      cache[pattern] = made
      return made
    }
    return { left, right in zip(vector(left), vector(right)).reduce(0) { $0 + $1.0 * $1.1 } }
  }

  /// Lines and ids that are looked at for a series.
  private static let sampleMax = 64

  /// What is known of an anomalous series.
  ///
  /// - Parameter indices: Its records in the window, in the order of time.
  func facts(_ key: SeriesKey, change: SeverityFacts.Change?, _ indices: [Int]) -> SeriesFacts {
    let sample = indices.prefix(ReplayedLog.sampleMax)
    var byPod: [Int: Int] = [:]
    for index in indices { byPod[records[index].pod, default: 0] += 1 }
    let level = indices.map { records[$0].severity }.max() ?? .unknown
    let text = text(of: key.pattern)
    let workload = workloads[Int(key.workload)]
    let shown = Set([indices.first, indices.dropFirst(indices.count / 2).first, indices.last].compactMap(\.self))
    return SeriesFacts(
      text: text, workload: workload,
      severity: scorer.score(
        SeverityFacts(text: text, level: level, change: change, podCount: max(1, byPod.count))),
      pods: byPod.sorted { $0.key < $1.key }.map {
        SeriesFacts.Pod(name: pods[$0.key].name, node: pods[$0.key].node, count: $0.value)
      },
      podCount: byPod.count,
      links: Set(sample.flatMap { LinkIdentifiers.hashes(in: records[$0].message.prefix(1024)) }),
      lines: shown.sorted().map {
        EvidenceLine(
          id: "\($0)", time: records[$0].time, text: String(decoding: records[$0].message.prefix(500), as: UTF8.self),
          workload: workload, key: key)
      })
  }

  /// Who calls whom, by the ids on lines.
  func callGraph(_ indices: some Sequence<Int>) -> CallGraph {
    CallGraph(
      indices.lazy.flatMap { index in
        LinkIdentifiers.hashes(in: records[index].message.prefix(512)).prefix(1).map {
          (trace: $0, workload: records[index].workload, time: records[index].time.nanoseconds)
        }
      })
  }
}
