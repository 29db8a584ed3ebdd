package import Domain
package import LogBlocks

/// A tenant's records as of one moment: what is committed later is not in it, and its blocks stay readable while it
/// lives, though they be merged or expired meanwhile.
///
/// The synchronous methods read the file on the calling thread: they are for compute threads. Tasks use the
/// asynchronous forms.
package final class TenantView: Sendable {
  /// The range asked for, cut by the retention. Records outside of it are not part of the view, though head and
  /// blocks may hold some.
  package let range: TimeRange
  /// Records not yet in blocks, oldest commit first.
  package let head: [RecordColumns]
  /// Blocks that reach into `range`, by their last moment, newest first.
  package let blocks: [BlockReference]
  /// Damaged blocks of the tenant, of whatever time, that are not among `blocks`.
  package let quarantinedCount: Int

  private let database: TenantDatabase
  private let use: UseCount.Use
  /// Those that were known when the view was made: no lock is needed to look at them.
  private let templates: [Template?]
  private let streams: [Stream?]
  private let usesCache: Bool

  /// - Parameter usesCache: False for work that reads much once, or must see what the file holds now.
  init(
    _ database: TenantDatabase, range: TimeRange, head: [RecordColumns], blocks: [BlockReference],
    quarantinedCount: Int, usesCache: Bool = true
  ) {
    self.database = database
    self.range = range
    self.head = head
    self.blocks = blocks
    self.quarantinedCount = quarantinedCount
    self.usesCache = usesCache
    use = database.uses.begin()
    (templates, streams) = database.numbers.withLock { ($0.templates.values, $0.streams.values) }
  }

  package func template(_ number: UInt32) -> Template? {
    number < templates.count ? templates[Int(number)] : database.template(number)
  }

  package func stream(_ number: UInt32) -> Stream? {
    number < streams.count ? streams[Int(number)] : database.stream(number)
  }

  // MARK: - For compute threads

  /// What is known of the block without reading a column. A few are kept, so that asking again costs nothing.
  package func summary(of block: BlockReference) throws(StorageError) -> BlockSummary {
    if let known = database.summaries[block.number] { return known }
    let operation = "reading the header of block \(block.number)"
    let header = try noting(block) { () throws(StorageError) in
      try database.file.read(operation) { try BlockTable.header(of: block.number, $0) }
    }
    guard let header else { throw damage(block, operation, "its header is missing") }
    let summary: BlockSummary
    do {
      summary = try BlockSummary(decoding: header)
    } catch {
      throw noted(block, StorageError(error, operation, at: database.file.path))
    }
    guard summary.recordCount == block.recordCount else { throw damage(block, operation, "header and row disagree") }
    database.summaries.insert(summary, of: block.number)
    return summary
  }

  /// A column's stored bytes. Their checksum is the decoder's business.
  package func column(block: BlockReference, key: String) throws(StorageError) -> [UInt8] {
    if usesCache, let known = database.columns[cacheKey(block, key)] { return known }
    var found: [[UInt8]?] = [nil]
    try load([key], of: block, into: &found)
    return found[0] ?? []
  }

  /// Several columns' stored bytes in one go, in the order of `keys`.
  package func columns(block: BlockReference, keys: [String]) throws(StorageError) -> [[UInt8]] {
    var found: [[UInt8]?] = Array(repeating: nil, count: keys.count)
    if usesCache {
      for (index, key) in keys.enumerated() { found[index] = database.columns[cacheKey(block, key)] }
    }
    if found.contains(where: { $0 == nil }) { try load(keys, of: block, into: &found) }
    return found.map { $0 ?? [] }
  }

  /// Reads what is missing in `columns`.
  private func load(_ keys: [String], of block: BlockReference, into columns: inout [[UInt8]?]) throws(StorageError) {
    let operation = "reading block \(block.number)"
    let missing = keys.indices.filter { columns[$0] == nil }
    let read = try noting(block) { () throws(StorageError) in
      try database.file.read(operation) { file in
        try missing.map { try BlockTable.column(of: block.number, key: keys[$0], file) }
      }
    }
    for (index, bytes) in zip(missing, read) {
      guard let bytes else { throw damage(block, operation, "its column \(keys[index]) is missing") }
      columns[index] = bytes
      if usesCache { database.columns.insert(bytes, for: cacheKey(block, keys[index])) }
    }
  }

  private func cacheKey(_ block: BlockReference, _ key: String) -> ColumnCache.Key {
    ColumnCache.Key(owner: database.cacheOwner, block: block.number, column: key)
  }

  /// The block as a source that reads each column when it is first asked for it. For one thread at a time.
  package func decoder(of block: BlockReference) throws(StorageError) -> BlockDecoder {
    BlockDecoder(summary: try summary(of: block)) { [self] key in try column(block: block, key: key) }
  }

  /// Runs `body` with the block's decoder.
  ///
  /// - Returns: Nil if the block turned out to be damaged: it is set aside, logged and counted, and the others
  ///   answer.
  package func readBlock<T>(_ block: BlockReference, _ body: (BlockDecoder) throws -> T) throws(StorageError) -> T? {
    do {
      return try body(decoder(of: block))
    } catch {
      let error = noted(block, StorageError(error, "reading block \(block.number)", at: database.file.path))
      if error.kind == .corrupt { return nil }
      throw error
    }
  }

  /// Sets a block aside whose bytes a decoder did not understand, for callers that run the decoder themselves.
  ///
  /// - Returns: Whether `error` tells of damage; of anything else nothing is done.
  package func quarantine(_ block: BlockReference, because error: any Error) -> Bool {
    noted(block, StorageError(error, "reading block \(block.number)", at: database.file.path)).kind == .corrupt
  }

  // MARK: - For tasks

  /// `summary(of:)` of several blocks, off the cooperative pool.
  package func summaries(of blocks: [BlockReference]) async throws(StorageError) -> [BlockSummary] {
    try await database.compute.run { [self] () throws(StorageError) in
      try blocks.map { block throws(StorageError) in try summary(of: block) }
    }
  }

  /// `columns(block:keys:)`, off the cooperative pool.
  package func loadColumns(block: BlockReference, keys: [String]) async throws(StorageError) -> [[UInt8]] {
    try await database.compute.run { [self] () throws(StorageError) in try columns(block: block, keys: keys) }
  }

  // MARK: - Damage

  private func noting<T>(_ block: BlockReference, _ body: () throws(StorageError) -> T) throws(StorageError) -> T {
    do { return try body() } catch { throw noted(block, error) }
  }

  private func damage(_ block: BlockReference, _ operation: String, _ cause: String) -> StorageError {
    noted(block, .corrupt(operation, at: database.file.path, cause: cause))
  }

  /// Sets the block aside if `error` says that its bytes are damaged.
  private func noted(_ block: BlockReference, _ error: StorageError) -> StorageError {
    if error.kind == .corrupt { database.quarantine(block.number, cause: error.cause) }
    return error
  }
}
