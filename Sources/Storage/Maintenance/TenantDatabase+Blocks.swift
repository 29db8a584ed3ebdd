internal import Domain
internal import GRDB
internal import LogBlocks

extension TenantDatabase {
  /// Encodes the oldest part of the head as blocks and puts them in the place of its segments, in one transaction.
  ///
  /// - Returns: How many records that were.
  func storeHeadAsBlocks() async throws(StorageError) -> Int {
    let (frozen, epoch, hooks) = state.withLock { state in
      (
        state.head.freeze(recordsMax: options.headRecordsMax, byteCountMax: options.headByteCountMax), state.epoch,
        state.storingHooks
      )
    }
    guard let frozen else { return 0 }
    for hook in hooks { await hook(frozen.sources) }
    do {
      let blocks = try await encode(frozen.sources)
      _ = try await store(blocks, epoch: epoch, "storing blocks") { database in
        try SegmentTable.delete(through: frozen.lastSegment, database)
      } committed: { state, references in
        state.head.removeFrozen()
        state.catalog.insert(references)
      }
      noteHeadSize()
      return frozen.sources.reduce(0) { $0 + $1.count }
    } catch {
      state.withLock { if $0.epoch == epoch { $0.head.thaw() } }
      throw error
    }
  }

  /// Encodes records as blocks on a compute queue.
  func encode(_ sources: [RecordColumns]) async throws(StorageError) -> [EncodedBlock] {
    try await compute.run { [self] () throws(StorageError) in
      do {
        return try BlockEncoder.encode(
          sources, recordCountMax: options.blockRecordsMax, rawByteCountMax: options.blockRawByteCountMax
        ) { template($0) ?? Self.placeholder(for: $0, in: sources) }
      } catch {
        throw StorageError(error, "encoding a block", at: file.path)
      }
    }
  }

  /// A template of slots only, in the place of one whose row is damaged: its records' variables are kept, and whoever
  /// restores the row has their messages back.
  private static func placeholder(for template: UInt32, in sources: [RecordColumns]) -> Template? {
    for columns in sources {
      guard let row = columns.templates.firstIndex(of: template) else { continue }
      let slotCount = Int(columns.variableStarts[row + 1] - columns.variableStarts[row])
      let slot = [Template.slotMarker, SlotKind.bytes.rawValue]
      return Template(text: Array((0..<slotCount).map { _ in slot }.joined()))
    }
    return nil
  }

  /// Stores blocks and whatever `also` changes in one transaction, then lets `committed` bring memory in step.
  ///
  /// - Throws: `.busy` if file and memory were brought together anew since `epoch`; what is stored then might be
  ///   there twice.
  func store(
    _ blocks: [EncodedBlock], epoch: Int, _ operation: String,
    also: @escaping @Sendable (Database) throws -> Void,
    committed: @escaping @Sendable (inout State, [BlockReference]) -> Void
  ) async throws(StorageError) -> [BlockReference] {
    let time = now()
    let byteCount = blocks.reduce(0) { $0 + $1.header.count + $1.columns.reduce(0) { $0 + $1.data.count } }
    return try await file.write(operation, byteCount: byteCount) { [self] database in
      let (isCurrent, lastBlock) = state.withLock { ($0.epoch == epoch, $0.lastBlock) }
      guard isCurrent else {
        throw StorageError(
          .busy(retryAfterSeconds: 1), operation, at: file.path, cause: "the file was opened again meanwhile",
          remedy: "It is tried again by itself.")
      }
      // The number is used up even if the transaction fails: nobody must meet one block under another's number.
      state.withLock { $0.lastBlock += Int64(blocks.count) }
      var references: [BlockReference] = []
      for (index, block) in blocks.enumerated() {
        references.append(try BlockTable.insert(block, number: lastBlock + Int64(index) + 1, at: time, database))
      }
      try also(database)
      return references
    } committed: { [self] references in
      state.withLock { committed(&$0, references) }
      for (reference, block) in zip(references, blocks) { summaries.insert(block.summary, of: reference.number) }
    }
  }

  /// Deletes blocks that were merged or expired and that no view holds, a few a transaction so that writers need not
  /// wait long.
  func deleteObsoleteBlocks() async throws(StorageError) {
    let deletable = state.withLock { $0.catalog.deletable }
    for start in stride(from: 0, to: deletable.count, by: 16) {
      let numbers = Array(deletable[start..<min(start + 16, deletable.count)])
      try await file.write("deleting blocks", byteCount: numbers.count * 4096) { database in
        try BlockTable.delete(numbers, database)
      } committed: { [self] in
        state.withLock { $0.catalog.forget(numbers) }
        summaries.remove(numbers)
      }
    }
  }

  /// Gives free pages at the end of the file back to the disk where they are many.
  ///
  /// - Parameters:
  ///   - byteCountMin: Free bytes worth the work.
  ///   - share: What part of the file they must be at least: one in so many.
  func giveBackSpace(byteCountMin: Int, share: Int = 8) async throws(StorageError) {
    let stepPageCount = max(1, options.vacuumStepByteCount / 4096)
    // Bounded, for while records come in pages become free all the time.
    for _ in 0..<1024 {
      let hasMore = try await file.maintain("giving space back") { database in
        let pageCount = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        let freeCount = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
        guard freeCount * 4096 >= byteCountMin, freeCount * share >= pageCount else { return false }
        try database.execute(sql: "PRAGMA incremental_vacuum(\(stepPageCount))")
        return true
      }
      guard hasMore else { return }
    }
  }

  /// Sets a damaged block aside: views leave it out, the file keeps it. Its loss is logged and counted.
  func quarantine(_ number: Int64, cause: String) {
    guard state.withLock({ $0.catalog.quarantine(number) }) else { return }
    logger.error(
      "block is damaged and was set aside",
      metadata: ["tenant": "\(scope.tenant.text)", "block": "\(number)", "cause": "\(cause)"])
    file.enqueue { [self] in
      do {
        try file.writeNow("setting a damaged block aside", byteCount: 0) { database in
          try BlockTable.setState(.quarantined, of: [number], note: cause, database)
        } committed: {
        }
      } catch {
        // It stays set aside in memory, and the next opening finds the damage again.
        logger.warning("damage could not be noted", metadata: ["block": "\(number)", "error": "\(error)"])
      }
    }
  }
}
