extension HNSWGraph {
  /// Takes `slot` out of every layer and links those it had joined, as far as the heuristic would have.
  mutating func remove(_ slot: UInt32, vectors: VectorStore) {
    isLive[Int(slot)] = false
    guard isBuilt else { return }
    let level = level(of: slot)
    let neighborsByLayer = (0...level).map { links(of: slot, on: $0) }
    for layer in 0...level {
      for neighbor in neighborsByLayer[layer] { removeLink(from: neighbor, to: slot, on: layer) }
      setLinks(of: slot, to: [], on: layer)
    }
    if entry == slot { entry = nextEntry(candidates: neighborsByLayer[level]) }
    guard entry != nil else { return }
    vectors.withDistances { distances in
      for layer in 0...level { mend(neighborsByLayer[layer], on: layer, distances) }
    }
  }

  /// A node of the highest level left: one of `candidates` if they are on the top layer, else the first there is.
  private func nextEntry(candidates: [UInt32]) -> UInt32? {
    // The removed node was on the top layer, and so are those it was linked to there.
    if let candidate = candidates.max(by: { (level(of: $0), $1) < (level(of: $1), $0) }) { return candidate }
    var best: UInt32?
    for slot in 0..<UInt32(slotCount) where isLive[Int(slot)] {
      if let current = best, level(of: slot) <= level(of: current) { continue }
      best = slot
    }
    return best
  }

  /// Gives each of `orphans`, who lost a link, those of the others that it would have chosen.
  private mutating func mend(_ orphans: [UInt32], on layer: Int, _ distances: Distances) {
    let countMax = parameters.linkCountMax(on: layer)
    for orphan in orphans {
      let row = distances.row(orphan)
      let current = links(of: orphan, on: layer)
      var taken = current.map { Candidate(distance: distances.between(row, $0), slot: $0) }
      let candidates =
        orphans
        .filter { $0 != orphan && !current.contains($0) }
        .map { Candidate(distance: distances.between(row, $0), slot: $0) }
        .sorted()
      for candidate in candidates {
        if taken.count == countMax { break }
        guard linkCount(of: candidate.slot, on: layer) < countMax,
          HNSWGraph.isDiverse(candidate, among: taken, distances)
        else { continue }
        addLink(from: orphan, to: candidate.slot, on: layer)
        addLink(from: candidate.slot, to: orphan, on: layer)
        taken.append(candidate)
      }
    }
    for orphan in orphans where linkCount(of: orphan, on: layer) == 0 { reconnect(orphan, on: layer, distances) }
  }

  /// Links a node that has no links on `layer` as if it were new there.
  private mutating func reconnect(_ slot: UInt32, on layer: Int, _ distances: Distances) {
    guard let entry, entry != slot, level(of: entry) >= layer else { return }
    let query = distances.row(slot)
    var search = LayerSearch(slotCount: slotCount, linkCountMax: parameters.linkCountMax(on: 0))
    var start = Candidate(distance: distances.between(query, entry), slot: entry)
    for upperLayer in stride(from: level(of: entry), to: layer, by: -1) {
      start = withLayer(upperLayer) { search.descend(to: query, from: start, in: $0, distances) }
    }
    let found = neighborhood(of: query, from: [start], on: layer, &search, distances).filter { $0.slot != slot }
    for neighbor in HNSWGraph.selectNeighbors(from: found, countMax: parameters.m, distances) {
      addLink(from: slot, to: neighbor.slot, on: layer)
      addBackLink(from: neighbor.slot, to: slot, on: layer, distances)
    }
  }
}
