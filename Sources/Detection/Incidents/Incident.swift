/// Anomalies that belong together: one thing that goes wrong, as far as counts and texts can tell.
package struct Incident: Sendable {
  package enum State: Hashable, Sendable {
    case open
    /// Nothing of it has been anomalous for `IncidentTracker.closingMinutes`.
    case closed
    /// It turned out to be part of another, older one.
    case merged(into: UInt64)
  }

  /// The same from tick to tick and in a replay.
  package var id: UInt64
  package var state: State
  /// The first onset of any of its anomalies.
  package var onset: Int64
  /// The last minute in which any of it was anomalous.
  package var last: Int64
  /// By severity, highest first. Those that are over are among them.
  package var members: [IncidentNode]
  /// Likeliest first; all members, with reasons. Those nobody else explains say `isRoot`.
  package var candidates: [RootCandidate]
  package var scope: IncidentScope
  /// 5 to 8 lines in the order of time, fewer if there are no more.
  package var evidence: [EvidenceLine]
  /// 0...10: that of its worst member, and a little more for others that are in trouble too.
  package var points: Double
  /// Rises at once, and falls only when the points have been lower for ten minutes.
  package var grade: SeverityScore.Grade

  package var isOpen: Bool { state == .open }

  /// Describes `members` as one incident: for an analysis on demand, which has no history.
  package init(id: UInt64? = nil, state: State = .open, of members: [IncidentNode], links: IncidentLinks) {
    let members = members.sorted(by: Incident.precedes)
    let graph = IncidentGraph(members, links: links)
    let candidates = RootCandidate.candidates(Array(members.indices), of: graph)
    let earliest = members.min { Detector.precedes($0.anomaly, $1.anomaly) }
    self.id = id ?? earliest.map { StableHash.of(0x1AC1, $0.anomaly.id) } ?? 0
    self.state = state
    onset = earliest?.anomaly.onset ?? 0
    last = members.map(\.anomaly.last).max() ?? onset
    self.members = members
    self.candidates = candidates
    scope = IncidentScope(members)
    evidence = EvidenceSelection.lines(members, candidates: candidates)
    points = Incident.points(members)
    grade = SeverityScore.Grade(points: points)
  }

  /// Groups anomalies of one moment or window into incidents, most severe first.
  package static func incidents(of nodes: [IncidentNode], links: IncidentLinks) -> [Incident] {
    let nodes = nodes.sorted { Detector.precedes($0.anomaly, $1.anomaly) }
    return IncidentGraph(nodes, links: links).components
      .map { component in
        let members = component.map { nodes[$0] }
        return Incident(state: members.allSatisfy(\.isOver) ? .closed : .open, of: members, links: links)
      }
      .sorted(by: isMoreUrgent)
  }

  /// What goes on before what is over, then by severity, then by onset.
  package static func isMoreUrgent(_ left: Incident, _ right: Incident) -> Bool {
    if left.isOpen != right.isOpen { return left.isOpen }
    if left.points != right.points { return left.points > right.points }
    return left.onset != right.onset ? left.onset < right.onset : left.id < right.id
  }

  private static func precedes(_ left: IncidentNode, _ right: IncidentNode) -> Bool {
    let (a, b) = (left.points, right.points)
    return a != b ? a > b : Detector.precedes(left.anomaly, right.anomaly)
  }

  /// A few troubled members are worse than one alone, but no crowd of them makes trouble critical that is none.
  private static func points(_ members: [IncidentNode]) -> Double {
    let all = members.map(\.points)
    guard let worst = all.max() else { return 0 }
    let others = all.filter { SeverityScore.Grade(points: $0) >= .medium }.count - 1
    return min(10, worst + 0.3 * Double(min(3, max(0, others))))
  }
}
