/// Chooses the few lines that show an incident: each as telling as can be, and unlike those chosen before it.
///
/// Maximal marginal relevance (Carbonell and Goldstein 1998), with words in common for similarity.
enum EvidenceSelection {
  static let linesMin = 5
  static let linesMax = 8
  /// How much likeness to a chosen line takes away.
  private static let redundancyWeight = 0.7
  /// Below it a line adds nothing to `linesMin` others.
  private static let gainMin = 0.15

  /// - Parameter candidates: Of the incident, likeliest first.
  /// - Returns: Lines in the order of time.
  static func lines(_ members: [IncidentNode], candidates: [RootCandidate]) -> [EvidenceLine] {
    let pool = members.flatMap(\.facts.lines).sorted(by: precedes)
    guard let first = pool.first, let last = pool.last else { return [] }
    let best = max(candidates.first?.score ?? 0, .leastNormalMagnitude)
    let scores = Dictionary(candidates.map { ($0.key, $0.score / best) }, uniquingKeysWith: max)
    let root = candidates.first?.key
    let worst = members.filter { $0.key != root }.max {
      let (a, b) = ($0.points, $1.points)
      return a != b ? a < b : $0.key > $1.key
    }?.key
    let words = pool.map { Set(IdentifierWords.words(of: $0.text.utf8.prefix(512))) }

    var chosen: [Int] = []
    while chosen.count < linesMax {
      let workloads = Set(chosen.map { pool[$0].workload })
      let keys = Set(chosen.map { pool[$0].key })
      var top: (index: Int, gain: Double)?
      for index in pool.indices where !chosen.contains(index) {
        let line = pool[index]
        var relevance = scores[line.key] ?? 0
        // What must be among them: the root, the worst symptom, the first and the last, one line a workload.
        if line.key == root, !keys.contains(line.key) { relevance += 1 }
        if line.key == worst, !keys.contains(line.key) { relevance += 0.8 }
        if line == first || line == last { relevance += 0.6 }
        if !workloads.contains(line.workload) { relevance += 0.5 }
        let redundancy = chosen.map { likeness(words[index], words[$0]) }.max() ?? 0
        let gain = relevance - redundancyWeight * redundancy
        if gain > top?.gain ?? -.infinity { top = (index, gain) }
      }
      guard let top, chosen.count < linesMin || top.gain >= gainMin else { break }
      // A line that was said already, word for word, is never needed.
      if top.gain < 0, chosen.contains(where: { words[$0] == words[top.index] }) { break }
      chosen.append(top.index)
    }
    return chosen.sorted().map { pool[$0] }
  }

  private static func precedes(_ left: EvidenceLine, _ right: EvidenceLine) -> Bool {
    if left.time != right.time { return left.time < right.time }
    return left.key != right.key ? left.key < right.key : left.id < right.id
  }

  /// Words in common of all words (Jaccard).
  private static func likeness(_ left: Set<String>, _ right: Set<String>) -> Double {
    let union = left.union(right).count
    return union == 0 ? 1 : Double(left.intersection(right).count) / Double(union)
  }
}
