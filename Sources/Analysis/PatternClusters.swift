import Detection
import Domain
import Indexing
import Search

/// Patterns of one window that belong together: alike in meaning, or out of the ordinary at the same time in workloads that name or
/// share one another.
struct PatternClusters {
  /// One pattern with all that was found out about it.
  struct Member {
    let entry: PatternCounts.Entry
    let change: PatternChange
    let score: SeverityScore
    /// Names of who wrote it, the most active first.
    let workloads: [String]
  }

  private var parent: [Int]
  let members: [Member]

  /// Cosine from which two patterns say the same kind of thing.
  private static let similarityMin: Float = 0.75
  /// Cosine from which two patterns that changed together belong together.
  private static let relatedSimilarityMin: Float = 0.45
  /// Steps between onsets that count as "at the same time".
  private static let onsetDistanceMax = 3

  /// - Parameter neighbors: The patterns nearest in meaning to a member, with their cosine.
  init(_ members: [Member], neighbors: (UInt32) async throws -> [(pattern: UInt32, similarity: Float)]) async throws {
    self.members = members
    parent = Array(members.indices)
    let indexByPattern = Dictionary(
      members.indices.map { (members[$0].entry.pattern.number, $0) }, uniquingKeysWith: { first, _ in first })
    for (index, member) in members.enumerated() {
      for neighbor in try await neighbors(member.entry.pattern.number) {
        guard let other = indexByPattern[neighbor.pattern] else { continue }
        let isSameKind = (member.change.kind == .steady) == (members[other].change.kind == .steady)
        if isSameKind && neighbor.similarity >= Self.similarityMin
          || neighbor.similarity >= Self.relatedSimilarityMin && changedTogether(member, members[other])
        {
          join(index, other)
        }
      }
    }
    let changed = members.indices.filter { members[$0].change.kind != .steady && members[$0].score.grade >= .low }
    for (position, left) in changed.enumerated() {
      for right in changed[(position + 1)...] where changedTogether(members[left], members[right]) {
        if isConnected(members[left], members[right]) { join(left, right) }
      }
    }
  }

  /// The clusters as indices of members.
  var groups: [[Int]] {
    var groups: [Int: [Int]] = [:]
    for index in members.indices { groups[root(index), default: []].append(index) }
    return groups.values.sorted { $0[0] < $1[0] }
  }

  private func changedTogether(_ left: Member, _ right: Member) -> Bool {
    left.change.kind != .steady && right.change.kind != .steady
      && abs(left.change.onset - right.change.onset) <= Self.onsetDistanceMax
  }

  /// Whether they share a workload, or one names the other's.
  private func isConnected(_ left: Member, _ right: Member) -> Bool {
    if !Set(left.workloads).isDisjoint(with: right.workloads) { return true }
    return left.names(right) || right.names(left)
  }

  private func root(_ index: Int) -> Int {
    var index = index
    while parent[index] != index { index = parent[index] }
    return index
  }

  private mutating func join(_ left: Int, _ right: Int) {
    let (a, b) = (root(left), root(right))
    if a != b { parent[max(a, b)] = min(a, b) }
  }
}

extension PatternClusters.Member {
  /// Whether its text names a workload of `other`: "payments: 504" says that payments explains it.
  func names(_ other: PatternClusters.Member) -> Bool {
    let text = String(decoding: entry.sample, as: UTF8.self).lowercased() + " " + entry.pattern.text.lowercased()
    return other.workloads.contains { workload in
      workload.count >= 4 && !workloads.contains(workload) && text.contains(workload.lowercased())
    }
  }
}
