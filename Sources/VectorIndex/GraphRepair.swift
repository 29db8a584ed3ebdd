extension HNSWIndex {
  /// Takes `slot` out of every layer and links those it had joined, as far as the heuristic would have.
  mutating func unlink(_ slot: UInt32) {
    graph.setLive(slot, false)
    guard graph.entry != nil else { return }
    let level = level(of: slot)
    let neighborsByLayer = (0...level).map { links(of: slot, on: $0) }
    for layer in 0...level {
      for neighbor in neighborsByLayer[layer] { removeLink(from: neighbor, to: slot, on: layer) }
      setLinks(of: slot, to: UnsafeBufferPointer(start: nil, count: 0), on: layer)
    }
    if graph.entry == slot { graph.entry = nextEntry(candidates: neighborsByLayer[level]) }
    guard graph.entry != nil else { return }
    for layer in 0...level { mend(neighborsByLayer[layer], on: layer) }
  }

  /// A node of the highest level left: one of `candidates` if they are on the top layer, else the first there is.
  private func nextEntry(candidates: [UInt32]) -> UInt32? {
    // The removed node was on the top layer, and so are those it was linked to there.
    if let candidate = candidates.max(by: { (level(of: $0), $1) < (level(of: $1), $0) }) { return candidate }
    var best: UInt32?
    for slot in 0..<UInt32(vectors.count) where isLive(slot) {
      if let current = best, level(of: slot) <= level(of: current) { continue }
      best = slot
    }
    return best
  }

  /// Gives each of `orphans`, who lost a link, those of the others that it would have chosen.
  private mutating func mend(_ orphans: [UInt32], on layer: Int) {
    let countMax = parameters.linkCountMax(on: layer)
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * countMax) { taken in
      for orphan in orphans {
        var candidates: [UInt64] = []
        withExtendedLifetime(self) {
          let view = view
          let query = view.vectors.query(of: orphan)
          let links = view.links(of: orphan, on: layer)
          let current = UnsafeBufferPointer(start: links + 1, count: Int(links[0]))
          view.neighborhood(of: orphan, on: layer, into: taken)
          candidates = orphans.filter { $0 != orphan && !current.contains($0) }
            .map { Candidate(distance: view.vectors.distance(query, $0), slot: $0).key }
          candidates.sort()
        }
        for key in candidates {
          let count = linkCount(of: orphan, on: layer)
          if count == countMax { break }
          let slot = Candidate(key: key).slot
          let isChosen = withExtendedLifetime(self) {
            Int(view.links(of: slot, on: layer)[0]) < countMax
              && view.isDiverse(Candidate(key: key), among: UnsafeBufferPointer(rebasing: taken[..<count]))
          }
          guard isChosen else { continue }
          addLink(from: orphan, to: slot, on: layer)
          addLink(from: slot, to: orphan, on: layer)
          taken[count] = key
        }
      }
    }
    for orphan in orphans where linkCount(of: orphan, on: layer) == 0 { reconnect(orphan, on: layer) }
  }

  /// Links a node that has no links on `layer` as if it were new there.
  private mutating func reconnect(_ slot: UInt32, on layer: Int) {
    guard let entry = graph.entry, entry != slot, level(of: entry) >= layer else { return }
    var chosen: [UInt64] = []
    withExtendedLifetime(self) {
      let view = view
      let query = view.vectors.query(of: slot)
      var walk = newWalk()
      var start = Candidate(distance: view.vectors.distance(query, entry), slot: entry)
      for upperLayer in stride(from: view.level(of: entry), to: layer, by: -1) {
        start = walk.descend(to: query, from: start, on: upperLayer, view)
      }
      walk.collect(nearestTo: query, from: [start.key], limit: parameters.efConstruction, on: layer, view)
      let found = walk.keysFound.filter { Candidate(key: $0).slot != slot }
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: parameters.m) { taken in
        let count = found.withUnsafeBufferPointer {
          view.selectNeighbors(from: $0, countMax: parameters.m, into: taken, keepsPruned: true)
        }
        chosen = Array(taken[..<count])
      }
    }
    for key in chosen {
      addLink(from: slot, to: Candidate(key: key).slot, on: layer)
      addBackLink(from: Candidate(key: key).slot, to: slot, key: key, on: layer)
    }
  }

  // MARK: Giving memory back

  /// Copies the index without its free slots: vectors keep their order, their levels and their links.
  mutating func compact() {
    guard !freeSlots.isEmpty else { return }
    var compacted = HNSWIndex(dimension: dimension, metric: metric, precision: precision, parameters: parameters)
    withExtendedLifetime(self) {
      let view = view
      var slotAfter = [UInt32](repeating: .max, count: view.slotCount)
      var next: UInt32 = 0
      for slot in 0..<UInt32(view.slotCount) where view.isLive(slot) {
        slotAfter[Int(slot)] = next
        next += 1
      }
      compacted.slots = IDTable(roomFor: count)
      for slot in 0..<UInt32(view.slotCount) where view.isLive(slot) {
        compacted.vectors.appendCopy(of: slot, view.vectors)
        let level = view.level(of: slot)
        compacted.graph.appendNode(level: level)
        for layer in 0...level {
          let row = compacted.view.links(of: slotAfter[Int(slot)], on: layer)
          let old = view.links(of: slot, on: layer)
          row[0] = old[0]
          for index in 0..<Int(old[0]) { row[index + 1] = slotAfter[Int(old[index + 1])] }
        }
        compacted.slots.insert(slotAfter[Int(slot)], compacted.vectors.ids)
      }
      compacted.graph.entry = view.entry.map { slotAfter[Int($0)] }
    }
    self = compacted
  }
}

extension VectorStore {
  /// Adds the vector at `slot` of a store of the same shape, without its links.
  fileprivate mutating func appendCopy(of slot: UInt32, _ view: VectorView) {
    let node = nodes.append()
    node.initialize(repeating: 0, count: nodes.rowLength)
    node.update(from: view.nodes[slot], count: dimension)
    factors.append().update(from: view.factors[slot], count: factors.rowLength)
    if precision != .int8 { details.append().update(from: view.details[slot], count: details.rowLength) }
    ids.append().pointee = view.ids[slot].pointee
  }
}
