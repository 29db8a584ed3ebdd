extension HNSWGraph {
  /// SELECT-NEIGHBORS-HEURISTIC (Algorithm 4): takes a candidate only if it is nearer to the node than to all taken
  /// before it, so that links lead in different directions.
  ///
  /// - Parameter candidates: Nearest to the node first, each with its distance to it.
  static func selectNeighbors(
    from candidates: [Candidate], countMax: Int, _ vectors: Distances
  ) -> [Candidate] {
    var taken: [Candidate] = []
    taken.reserveCapacity(countMax)
    for candidate in candidates {
      if taken.count == countMax { break }
      if isDiverse(candidate, among: taken, vectors) { taken.append(candidate) }
    }
    return taken
  }

  @inline(__always)
  static func isDiverse(_ candidate: Candidate, among taken: [Candidate], _ vectors: Distances) -> Bool {
    let row = vectors.row(candidate.slot)
    let distance = candidate.distance
    for other in taken where vectors.between(row, other.slot) < distance { return false }
    return true
  }
}
