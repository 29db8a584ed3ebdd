/// An anomalous series within an incident.
package struct IncidentNode: Sendable {
  /// The strongest that is told of the series at the moment.
  package var anomaly: Anomaly
  package var facts: SeriesFacts

  package var key: SeriesKey { anomaly.key }

  package init(anomaly: Anomaly, facts: SeriesFacts) {
    self.anomaly = anomaly
    self.facts = facts
  }

  /// How much it matters. Of lines that stay away the text does not count: fewer failures are good news.
  package var points: Double {
    anomaly.isShortfall
      ? facts.severity.points(of: .change) + facts.severity.points(of: .spread) + facts.severity.points(of: .feedback)
      : facts.severity.points
  }

  var isOver: Bool { anomaly.phase == .ended && anomaly.kind != .shift }
}

/// Which anomalous series belong together, and which explains which.
package struct IncidentGraph {
  /// Why two series belong together.
  package enum Edge: String, Sendable { case trace, pod, node, name, meaning }

  package let nodes: [IncidentNode]
  /// Groups of connected nodes as ascending indices, by their first node.
  package private(set) var components: [[Int]] = []
  private let links: IncidentLinks
  private let texts: [[UInt8]]

  /// Onsets this far apart belong together: what one thing causes is seen within two minutes, by the minute.
  static let onsetMinutes: Int64 = 2
  /// Cosine from which patterns speak of the same thing.
  static let similarityMin: Float = 0.6
  /// Names of fewer letters are words by chance: `api`, `web`.
  static let nameBytesMin = 4
  /// Standard deviations from which a series explains others by calls: those of an alarm.
  static let explainingZ = Detector.Limits.z
  /// Nodes that are compared pair by pair.
  private static let comparedMax = 400

  package init(_ nodes: [IncidentNode], links: IncidentLinks) {
    self.nodes = nodes
    self.links = links
    texts = nodes.map { node in
      IncidentGraph.lowercased((node.facts.text + "\n" + (node.facts.lines.first?.text ?? "")).utf8)
    }
    var parent = Array(nodes.indices)
    func root(_ index: Int) -> Int {
      var index = index
      while parent[index] != index { index = parent[index] }
      return index
    }
    // In a storm the strongest few hundred say what there is to say; the rest join by workload below.
    let compared = nodes.indices.sorted { left, right in
      let (a, b) = (nodes[left].points, nodes[right].points)
      return a != b ? a > b : left < right
    }.prefix(IncidentGraph.comparedMax).sorted()
    for (position, left) in compared.enumerated() {
      for right in compared[(position + 1)...] where edge(left, right) != nil {
        let (a, b) = (root(left), root(right))
        parent[max(a, b)] = min(a, b)
      }
    }
    if nodes.count > IncidentGraph.comparedMax {
      var first: [UInt32: Int] = [:]
      for index in nodes.indices {
        guard let other = first[nodes[index].key.workload] else {
          first[nodes[index].key.workload] = index
          continue
        }
        let (a, b) = (root(index), root(other))
        parent[max(a, b)] = min(a, b)
      }
    }
    var groups: [Int: [Int]] = [:]
    for index in nodes.indices { groups[root(index), default: []].append(index) }
    components = groups.keys.sorted().compactMap { groups[$0] }
  }

  /// What connects two nodes, the strongest reason first.
  package func edge(_ left: Int, _ right: Int) -> Edge? {
    let (a, b) = (nodes[left], nodes[right])
    guard abs(a.anomaly.onset - b.anomaly.onset) <= IncidentGraph.onsetMinutes else { return nil }
    if !a.facts.links.isDisjoint(with: b.facts.links) { return .trace }
    if names(left, right) || names(right, left) { return .name }
    if a.key.workload == b.key.workload { return .pod }
    for pod in a.facts.pods {
      for other in b.facts.pods {
        if pod.name == other.name, !pod.name.isEmpty { return .pod }
        if pod.node == other.node, !pod.node.isEmpty { return .node }
      }
    }
    if a.key.pattern != SeriesKey.allPatterns, b.key.pattern != SeriesKey.allPatterns,
      links.similarity(a.key.pattern, b.key.pattern) >= IncidentGraph.similarityMin
    {
      return .meaning
    }
    return nil
  }

  /// Whether `explainer` explains `node`: its text names the explainer's workload, or traces show it to call it.
  package func explains(_ explainer: Int, _ node: Int) -> Edge? {
    let (a, b) = (nodes[explainer], nodes[node])
    guard a.key.workload != b.key.workload,
      a.anomaly.onset - b.anomaly.onset <= IncidentGraph.onsetMinutes
    else { return nil }
    // Lines that stay away are what trouble elsewhere looks like, unless all of them do.
    guard !a.anomaly.isShortfall || a.anomaly.kind == .silence else { return nil }
    if names(node, explainer) { return names(explainer, node) ? nil : .name }
    // Only an alarm of its own explains others: calls alone connect everything with everything.
    guard abs(a.anomaly.evidence.z) >= IncidentGraph.explainingZ, a.points >= b.points,
      SeverityScore.Grade(points: a.points) >= .medium, b.anomaly.isShortfall || !names(explainer, node)
    else { return nil }
    // The caller fails where the called one does; what is no longer called writes less.
    let (caller, called) = b.anomaly.isShortfall ? (a.key.workload, b.key.workload) : (b.key.workload, a.key.workload)
    return links.calls(caller, called) && !links.calls(called, caller) ? .trace : nil
  }

  /// Whether the text of one node has the name of the other's workload.
  func names(_ node: Int, _ other: Int) -> Bool {
    let named = nodes[other].facts
    guard nodes[node].facts.workload != named.workload else { return false }
    return ([named.workload] + named.addresses).contains { name in
      name.utf8.count >= IncidentGraph.nameBytesMin
        && IncidentGraph.contains(texts[node], word: IncidentGraph.lowercased(name.utf8))
    }
  }

  static func lowercased(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    bytes.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
  }

  /// Whether `word` stands in `text` with no letter or digit on either side.
  static func contains(_ text: [UInt8], word: [UInt8]) -> Bool {
    guard let first = word.first, text.count >= word.count else { return false }
    func isPart(_ byte: UInt8) -> Bool {
      byte >= 0x80 || byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
        || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte == UInt8(ascii: "_")
    }
    for start in 0...(text.count - word.count) where text[start] == first {
      let end = start + word.count
      if start > 0, isPart(text[start - 1]) { continue }
      if end < text.count, isPart(text[end]) { continue }
      if text[start..<end].elementsEqual(word) { return true }
    }
    return false
  }
}
