extension HNSWIndex {
  /// What an index is made of.
  package struct Stats: Hashable, Sendable {
    package var count: Int
    /// Slots whose vectors were removed, to be used again.
    package var freeSlotCount: Int
    /// Whether searches walk a graph or read everything.
    package var hasGraph: Bool
    /// Nodes by their highest layer.
    package var nodeCounts: [Int]
    /// Mean number of links of a node on layer 0.
    package var meanDegree: Double
    /// Nodes that no walk from the entry comes to.
    package var unreachableCount: Int
    package var vectorByteCount: Int
    package var linkByteCount: Int
  }

  /// - Complexity: Reads every link.
  package func stats() -> Stats {
    var nodeCounts: [Int] = []
    var linkCount = 0
    for slot in 0..<graph.slotCount where graph.isLive[slot] {
      let level = Int(graph.levels[slot])
      while nodeCounts.count <= level { nodeCounts.append(0) }
      nodeCounts[level] += 1
      linkCount += graph.linkCount(of: UInt32(slot), on: 0)
    }
    return Stats(
      count: count, freeSlotCount: freeSlots.count, hasGraph: graph.isBuilt, nodeCounts: nodeCounts,
      meanDegree: count == 0 ? 0 : Double(linkCount) / Double(count),
      unreachableCount: graph.isBuilt ? count - reachableCount() : 0, vectorByteCount: vectors.rows.byteCount,
      linkByteCount: graph.base.byteCount + graph.upper.byteCount)
  }

  private func reachableCount() -> Int {
    guard let entry = graph.entry else { return 0 }
    return graph.withLayer(0) { layer in
      var visited = VisitedSet(slotCount: graph.slotCount)
      var waiting = [entry]
      _ = visited.insert(entry)
      var reached = 0
      while let slot = waiting.popLast() {
        reached += 1
        for target in layer.links(of: slot) where visited.insert(target) { waiting.append(target) }
      }
      return reached
    }
  }

  /// What is wrong with the index, in sentences; empty when it is sound. For tests and for `verify`.
  ///
  /// - Complexity: Reads every link once from each side.
  package func checkInvariants() -> [String] {
    var faults: [String] = []
    let slotCount = graph.slotCount
    if vectors.count != slotCount || ids.count != slotCount || graph.isLive.count != slotCount {
      return ["vectors, ids and nodes are not equally many"]
    }
    let free = Set(freeSlots)
    if free.count != freeSlots.count { faults.append("a slot is free twice") }
    if count + free.count != slotCount { faults.append("used and free slots do not add up") }
    for (id, slot) in slotByID {
      if Int(slot) >= slotCount || ids[Int(slot)] != id { return faults + ["id \(id) is not in its slot \(slot)"] }
    }
    let used = Set(slotByID.values)
    for slot in 0..<UInt32(slotCount) {
      if graph.isLive[Int(slot)] != used.contains(slot) { faults.append("slot \(slot) is neither used nor free") }
      if graph.isLive[Int(slot)] == free.contains(slot) { faults.append("slot \(slot) is live and free, or neither") }
    }
    guard let entry = graph.entry else {
      for slot in 0..<UInt32(slotCount) where graph.linkCount(of: slot, on: 0) > 0 {
        faults.append("slot \(slot) has links without a graph")
      }
      return faults
    }
    if !graph.isLive[Int(entry)] { faults.append("the entry \(entry) is a free slot") }
    for slot in 0..<UInt32(slotCount) {
      let level = graph.level(of: slot)
      if graph.isLive[Int(slot)], level > graph.level(of: entry) {
        faults.append("slot \(slot) is above the entry")
      }
      for layer in 0...level {
        let links = graph.links(of: slot, on: layer)
        if links.count > parameters.linkCountMax(on: layer) { faults.append("slot \(slot) has too many links") }
        if Set(links).count != links.count { faults.append("slot \(slot) has a link twice on layer \(layer)") }
        if !graph.isLive[Int(slot)], !links.isEmpty { faults.append("free slot \(slot) has links") }
        for target in links {
          if target == slot { faults.append("slot \(slot) is linked to itself") }
          if Int(target) >= slotCount || graph.level(of: target) < layer || !graph.isLive[Int(target)] {
            faults.append("slot \(slot) is linked to \(target), which is not on layer \(layer)")
          } else if !graph.links(of: target, on: layer).contains(slot) {
            faults.append("slot \(slot) is linked to \(target) on layer \(layer), but not back")
          }
        }
      }
    }
    return faults
  }
}
