/// A series that an incident may have begun with.
package struct RootCandidate: Sendable, Equatable {
  package var key: SeriesKey
  package var text: String
  package var workload: String
  package var onset: Int64
  /// Comparable within an incident only.
  package var score: Double
  /// For a person, each a clause.
  package var reasons: [String]
  /// Series that explain it: it is a symptom then.
  package var explainedBy: [SeriesKey]

  package var isRoot: Bool { explainedBy.isEmpty }

  /// What is over weighs a third of what goes on: who reads this wants to know what is wrong now.
  static let overFactor = 1.0 / 3
  /// What another explains is no cause, but stays in the list.
  static let explainedFactor = 0.25

  /// How much a deviation and a severity weigh together. Deviations grow without bound with volume, so that their
  /// logarithm is taken: a debug line that comes ten thousand times is no match for an error that comes twenty.
  package static func weight(of node: IncidentNode) -> Double {
    Exponential.logarithm(1 + abs(node.anomaly.evidence.z)) * (1 + node.points) * (node.isOver ? overFactor : 1)
  }

  /// All nodes of `component` as candidates, likeliest first; ties by earliest onset.
  package static func candidates(_ component: [Int], of graph: IncidentGraph) -> [RootCandidate] {
    let explainers = Dictionary(
      uniqueKeysWithValues: component.map { node in
        (node, component.filter { $0 != node && graph.explains($0, node) != nil })
      })
    let onset = component.map { graph.nodes[$0].anomaly.onset }.min() ?? 0
    return component.map { index in
      let node = graph.nodes[index]
      let explained = (explainers[index] ?? []).sorted { graph.nodes[$0].key < graph.nodes[$1].key }
      let symptoms = component.filter { explainers[$0]?.contains(index) == true }
      var score = weight(of: node)
      if !explained.isEmpty { score *= explainedFactor }
      // Each that points at it makes it likelier, the first most.
      score *= 1 + 0.5 * Exponential.logarithm(1 + Double(symptoms.count))
      return RootCandidate(
        key: node.key, text: node.facts.text, workload: node.facts.workload, onset: node.anomaly.onset, score: score,
        reasons: reasons(node, isFirst: node.anomaly.onset == onset, symptoms, explained, graph),
        explainedBy: explained.map { graph.nodes[$0].key })
    }.sorted {
      if $0.score != $1.score { return $0.score > $1.score }
      return $0.onset != $1.onset ? $0.onset < $1.onset : $0.key < $1.key
    }
  }

  private static func reasons(
    _ node: IncidentNode, isFirst: Bool, _ symptoms: [Int], _ explained: [Int], _ graph: IncidentGraph
  ) -> [String] {
    var reasons = [Wording.change(node.anomaly)]
    if isFirst { reasons.append("among the first to change") }
    if !symptoms.isEmpty {
      let names = Set(symptoms.map { graph.nodes[$0].facts.workload }).sorted()
      reasons.append("\(Wording.list(names)) \(names.count == 1 ? "points" : "point") at \(node.facts.workload)")
    }
    if !node.anomaly.isShortfall,
      let worst = node.facts.severity.reasons.filter({ $0.points > 0 && $0.kind != .change }).max(by: {
        $0.points < $1.points
      })
    {
      reasons.append(worst.words)
    }
    if !explained.isEmpty {
      let names = Set(explained.map { graph.nodes[$0].facts.workload }).sorted()
      reasons.append("explained by \(Wording.list(names))")
    }
    if node.isOver { reasons.append("over since \(Wording.time(minute: node.anomaly.last))") }
    return reasons
  }
}
