extension HNSWGraph {
  /// Links all vectors, in the order of their slots.
  mutating func build(vectors: VectorStore) {
    for slot in 0..<UInt32(slotCount) where isLive[Int(slot)] { connect(slot, vectors: vectors) }
  }

  /// INSERT (Algorithm 1): links `slot`, which has a vector and no links yet, to its neighbors on each of its layers.
  mutating func connect(_ slot: UInt32, vectors: VectorStore) {
    let level = level(of: slot)
    guard let entry else {
      self.entry = slot
      return
    }
    let top = self.level(of: entry)
    vectors.withDistances { distances in
      let query = distances.row(slot)
      var search = LayerSearch(slotCount: slotCount, linkCountMax: parameters.linkCountMax(on: 0))
      var entries = [Candidate(distance: distances.between(query, entry), slot: entry)]
      for layer in stride(from: top, through: 0, by: -1) {
        if layer > level {
          entries = [withLayer(layer) { search.descend(to: query, from: entries[0], in: $0, distances) }]
        } else {
          let found = neighborhood(of: query, from: entries, on: layer, &search, distances)
          let chosen = HNSWGraph.selectNeighbors(from: found, countMax: parameters.m, distances)
          for neighbor in chosen { addLink(from: slot, to: neighbor.slot, on: layer) }
          for neighbor in chosen { addBackLink(from: neighbor.slot, to: slot, on: layer, distances) }
          entries = found
        }
      }
    }
    if level > top { self.entry = slot }
  }

  /// The `efConstruction` nodes of `layer` nearest to `query`, nearest first.
  func neighborhood(
    of query: UnsafePointer<Float>, from entries: [Candidate], on layer: Int, _ search: inout LayerSearch,
    _ distances: Distances
  ) -> [Candidate] {
    var nearest = NearestCandidates(limit: parameters.efConstruction)
    _ = withLayer(layer) {
      search.collect(nearestTo: query, from: entries, in: $0, distances, into: &nearest)
    }
    return nearest.drain()
  }

  /// Adds the second half of a link whose first half, `target` to `slot`, stands. A full node chooses anew among its
  /// links and the new one, and what it gives up is unlinked on both sides.
  mutating func addBackLink(from slot: UInt32, to target: UInt32, on layer: Int, _ distances: Distances) {
    let countMax = parameters.linkCountMax(on: layer)
    let current = links(of: slot, on: layer)
    if current.count < countMax {
      addLink(from: slot, to: target, on: layer)
      return
    }
    let row = distances.row(slot)
    let candidates = (current + [target])
      .map { Candidate(distance: distances.between(row, $0), slot: $0) }
      .sorted()
    var kept = HNSWGraph.selectNeighbors(from: candidates, countMax: countMax, distances)
    var dropped: [Candidate] = []
    for candidate in candidates where !kept.contains(candidate) {
      // A node's only link is what it is found by: it stays, and one that has others goes in its place.
      guard linkCount(of: candidate.slot, on: layer) <= 1 else {
        dropped.append(candidate)
        continue
      }
      if kept.count < countMax {
        kept.append(candidate)
      } else if let index = kept.lastIndex(where: { linkCount(of: $0.slot, on: layer) > 1 }) {
        dropped.append(kept[index])
        kept[index] = candidate
      } else {
        dropped.append(candidate)
      }
    }
    setLinks(of: slot, to: kept.map(\.slot), on: layer)
    for candidate in dropped { removeLink(from: candidate.slot, to: slot, on: layer) }
  }
}
