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
    /// Memory of codes with their links on layer 0, of what is kept beside the codes, and of the layers above and the
    /// table of ids.
    package var nodeByteCount: Int
    package var detailByteCount: Int
    package var otherByteCount: Int

    package var byteCount: Int { nodeByteCount + detailByteCount + otherByteCount }
  }

  /// - Complexity: Reads every link.
  package func stats() -> Stats {
    var nodeCounts: [Int] = []
    var linkCount = 0
    let detailByteCount = vectors.details.byteCount + vectors.factors.byteCount
    withExtendedLifetime(self) {
      let view = view
      for slot in 0..<UInt32(view.slotCount) where view.isLive(slot) {
        let level = view.level(of: slot)
        while nodeCounts.count <= level { nodeCounts.append(0) }
        nodeCounts[level] += 1
        linkCount += Int(view.links(of: slot, on: 0)[0])
      }
    }
    return Stats(
      count: count, freeSlotCount: freeSlots.count, hasGraph: graph.entry != nil, nodeCounts: nodeCounts,
      meanDegree: count == 0 ? 0 : Double(linkCount) / Double(count),
      unreachableCount: graph.entry != nil ? count - reachableCount() : 0, nodeByteCount: vectors.nodes.byteCount,
      detailByteCount: detailByteCount,
      otherByteCount: vectors.ids.byteCount + graph.byteCount + slots.byteCount + 4 * freeSlots.capacity)
  }

  private func reachableCount() -> Int {
    guard let entry = graph.entry else { return 0 }
    return withExtendedLifetime(self) {
      let view = view
      var isVisited = [Bool](repeating: false, count: view.slotCount)
      var waiting = [entry]
      isVisited[Int(entry)] = true
      var reached = 0
      while let slot = waiting.popLast() {
        reached += 1
        for target in view.linkArray(of: slot, on: 0) where !isVisited[Int(target)] {
          isVisited[Int(target)] = true
          waiting.append(target)
        }
      }
      return reached
    }
  }

  /// What is wrong with the index, in sentences; empty when it is sound. For tests and for `verify`.
  ///
  /// - Complexity: Reads every link once from each side.
  package func checkInvariants() -> [String] {
    let slotCount = vectors.count
    let counts = [vectors.factors.count, vectors.ids.count, graph.levels.count, graph.upperStarts.count]
    if counts.contains(where: { $0 != slotCount }) || precision != .int8 && vectors.details.count != slotCount {
      return ["vectors, ids and nodes are not equally many"]
    }
    let free = Set(freeSlots)
    var faults: [String] = []
    if free.count != freeSlots.count { faults.append("a slot is free twice") }
    if count + free.count != slotCount { faults.append("used and free slots do not add up") }
    for slot in 0..<UInt32(slotCount) {
      if isLive(slot) == free.contains(slot) { faults.append("slot \(slot) is live and free, or neither") }
      if isLive(slot), slots.slot(of: id(of: slot), vectors.ids) != slot {
        faults.append("the id of slot \(slot) is not found")
      }
    }
    return faults + faultsOfLinks(slotCount: UInt32(slotCount))
  }

  private func faultsOfLinks(slotCount: UInt32) -> [String] {
    var faults: [String] = []
    if let entry = graph.entry, !isLive(entry) { faults.append("the entry \(entry) is a free slot") }
    for slot in 0..<slotCount {
      let level = level(of: slot)
      if let entry = graph.entry, isLive(slot), level > self.level(of: entry) {
        faults.append("slot \(slot) is above the entry")
      }
      for layer in 0...level {
        let links = links(of: slot, on: layer)
        if graph.entry == nil, !links.isEmpty { faults.append("slot \(slot) has links without a graph") }
        if links.count > parameters.linkCountMax(on: layer) { faults.append("slot \(slot) has too many links") }
        if Set(links).count != links.count { faults.append("slot \(slot) has a link twice on layer \(layer)") }
        if !isLive(slot), !links.isEmpty { faults.append("free slot \(slot) has links") }
        for target in links {
          if target == slot { faults.append("slot \(slot) is linked to itself") }
          if target >= slotCount || self.level(of: target) < layer || !isLive(target) {
            faults.append("slot \(slot) is linked to \(target), which is not on layer \(layer)")
          } else if !self.links(of: target, on: layer).contains(slot) {
            faults.append("slot \(slot) is linked to \(target) on layer \(layer), but not back")
          }
        }
      }
    }
    return faults
  }
}
