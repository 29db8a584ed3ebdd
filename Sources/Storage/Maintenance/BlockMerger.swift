internal import Domain
internal import LogBlocks

/// Chooses small blocks to be merged.
///
/// Blocks are alike if they are of one stream, or all of several streams. Among like ones those of about one size
/// (within a factor of four) are merged, neighbors in time first, so that a record is rewritten once for each
/// fourfold growth: 8 times at most on the way from one record to a full block.
struct BlockMerger {
  var recordsMax: Int
  var rawByteCountMax: Int
  /// At least so many at once.
  var countMin: Int
  /// At most so many: bounds what a merge holds in memory and in one transaction.
  var countMax = 32

  private struct Kind: Hashable {
    var stream: UInt32?
    var size: Int
  }

  /// The blocks of one merge, oldest first; nil if there is nothing worth it.
  func choose(from blocks: [BlockReference], settled: Set<Int64>) -> [BlockReference]? {
    var groups: [Kind: [BlockReference]] = [:]
    for block in blocks
    where block.recordCount * 2 <= recordsMax && block.rawByteCount * 2 <= rawByteCountMax
      && !settled.contains(block.number)
    {
      let size = (Int.bitWidth - block.recordCount.leadingZeroBitCount) / 2
      groups[Kind(stream: block.stream, size: size), default: []].append(block)
    }
    var best: [BlockReference]?
    for group in groups.values where group.count >= countMin {
      guard let run = run(of: group.sorted { ($0.minTime, $0.number) < ($1.minTime, $1.number) }) else { continue }
      // The most blocks gone for the work; of equals the oldest, so that the choice does not depend on the table's
      // order.
      if best.map({ (-$0.count, $0[0].number) > (-run.count, run[0].number) }) ?? true { best = run }
    }
    return best
  }

  /// The first neighbors in time that fit a block together.
  private func run(of group: [BlockReference]) -> [BlockReference]? {
    var run: [BlockReference] = []
    var records = 0
    var bytes = 0
    for block in group {
      if records + block.recordCount > recordsMax || bytes + block.rawByteCount > rawByteCountMax
        || run.count == countMax
      {
        if run.count >= countMin { break }
        run = []
        records = 0
        bytes = 0
      }
      run.append(block)
      records += block.recordCount
      bytes += block.rawByteCount
    }
    return run.count >= countMin ? run : nil
  }
}

extension TenantDatabase {
  /// Merges blocks that are worth it, once.
  ///
  /// - Returns: Whether there may be more.
  func mergeBlocks() async throws(StorageError) -> Bool {
    let merger = BlockMerger(
      recordsMax: options.blockRecordsMax, rawByteCountMax: options.blockRawByteCountMax,
      countMin: options.mergeBlocksMin)
    let (chosen, epoch) = state.withLock { state in
      (merger.choose(from: state.catalog.live, settled: state.settledBlocks), state.epoch)
    }
    guard let chosen else { return false }
    do {
      try await merge(chosen, epoch: epoch)
    } catch {
      guard error.kind == .invalid else { throw error }
      // They stay as they are; other blocks need not wait for them.
      state.withLock { $0.settledBlocks.formUnion(chosen.map(\.number)) }
      logger.error("blocks could not be merged", metadata: ["tenant": "\(scope.tenant.text)", "error": "\(error)"])
    }
    return true
  }

  /// Puts fewer blocks with the same records in the place of `chosen`; records past the retention are left behind.
  private func merge(_ chosen: [BlockReference], epoch: Int) async throws(StorageError) {
    let view = TenantView(self, range: .all, head: [], blocks: chosen, quarantinedCount: 0, usesCache: false)
    let start = retainedRange?.start
    let sources = try await compute.run { () throws(StorageError) in
      try chosen.map { block throws(StorageError) in
        try view.readBlock(block) { decoder in
          guard let start, block.minTime < start else { return try decoder.columns(rows: nil) }
          let times = try decoder.times()
          return try decoder.columns(rows: times.indices.filter { times[$0] >= start.nanoseconds }.map(UInt32.init))
        }
      }
    }
    // A damaged block was set aside; the next round chooses among the others.
    guard !sources.contains(where: { $0 == nil }) else { return }
    let records = sources.compactMap { $0 }.filter { $0.count > 0 }
    let blocks = records.isEmpty ? [] : try await encode(records)
    let numbers = Set(chosen.map(\.number))
    guard blocks.count < chosen.count else {
      state.withLock { $0.settledBlocks.formUnion(numbers) }
      return
    }
    _ = try await store(blocks, epoch: epoch, "merging blocks") { database in
      try BlockTable.setState(.obsolete, of: numbers, note: "merged", database)
    } committed: { state, references in
      state.catalog.retire(numbers)
      state.catalog.insert(references)
    }
  }
}
