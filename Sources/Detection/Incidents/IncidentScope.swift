/// Where an incident is: the names of all that is affected.
package struct IncidentScope: Sendable, Equatable {
  package var namespaces: [String]
  /// The most severe first.
  package var workloads: [String]
  package var pods: [String]
  /// Pods that the affected workloads have in all.
  package var podCount: Int
  package var nodes: [String]

  package init(_ members: [IncidentNode]) {
    var seen = Set<String>()
    workloads = members.sorted {
      let (a, b) = ($0.points, $1.points)
      return a != b ? a > b : $0.key < $1.key
    }.map(\.facts.workload).filter { !$0.isEmpty && seen.insert($0).inserted }
    namespaces = Set(members.map(\.facts.namespace)).subtracting([""]).sorted()
    let all = members.flatMap(\.facts.pods)
    pods = Set(all.map(\.name)).subtracting([""]).sorted()
    nodes = Set(all.map(\.node)).subtracting([""]).sorted()
    var podCounts: [String: Int] = [:]
    for member in members {
      let workload = member.facts.namespace + "/" + member.facts.workload
      podCounts[workload] = max(podCounts[workload] ?? 0, member.facts.podCount, 0)
    }
    podCount = max(podCounts.values.reduce(0, +), pods.count)
  }

  /// `orders and payments; 3 of 12 pods, all on node-7`
  package var description: String {
    var parts: [String] = []
    if !workloads.isEmpty { parts.append(Wording.list(workloads, max: 4)) }
    if !pods.isEmpty {
      var text = podCount > pods.count ? "\(pods.count) of \(podCount) pods" : Wording.count(pods.count, "pod")
      if pods.count == podCount, pods.count > 1 { text = "all \(pods.count) pods" }
      if nodes.count == 1 {
        text += pods.count > 1 ? ", all on \(nodes[0])" : " on \(nodes[0])"
      } else if nodes.count > 1 {
        text += " on \(Wording.count(nodes.count, "node"))"
      }
      parts.append(text)
    }
    if !namespaces.isEmpty {
      parts.append("namespace\(namespaces.count == 1 ? "" : "s") \(Wording.list(namespaces, max: 3))")
    }
    return parts.joined(separator: "; ")
  }
}
