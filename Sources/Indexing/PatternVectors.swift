import Dispatch
import Domain
import Embedding
import Storage
import VectorIndex

/// The vectors of a tenant's patterns in their graph, and what of it is not in the tenant's file yet.
///
/// The file has a snapshot and a log of what came after. A log that has grown is folded into a new snapshot: changes
/// are made again one by one when the index is next opened, a snapshot is used as it lies.
struct PatternVectors: Sendable {
  private var index = HNSWIndex(dimension: StaticEmbedder.dimension, metric: .cosine)
  /// Not saved yet, in order.
  private var changes: [IndexChange] = []
  /// Changes in the file's log.
  private(set) var loggedCount = 0
  /// Whether the file's snapshot and log are not of this index, so that a log of changes would not help.
  private(set) var needsSnapshot = true

  init() {}

  /// The index that was saved; nil if the bytes are damaged, or of an index of another kind.
  init?(snapshot: [UInt8], log: [[UInt8]]) {
    // What is wrong with bytes that are no snapshot does not matter: the index is made again.
    guard let saved = try? HNSWIndex(snapshot: snapshot), saved.dimension == index.dimension,
      saved.metric == index.metric, saved.precision == index.precision, saved.parameters == index.parameters
    else { return nil }
    index = saved
    for entry in log {
      let (logged, byteCount) = IndexChange.decode(entry)
      guard byteCount == entry.count else { return nil }
      // As above.
      for change in logged { guard (try? index.apply(change)) != nil else { return nil } }
      loggedCount += logged.count
    }
    needsSnapshot = false
  }

  var count: Int { index.count }

  /// In no order.
  var patterns: [UInt32] { index.identifiers.map { UInt32(truncatingIfNeeded: $0) } }

  func contains(_ pattern: UInt32) -> Bool { index.contains(UInt64(pattern)) }

  /// Equal indexes give equal bytes.
  var snapshot: [UInt8] { index.snapshot() }

  // MARK: Changing it

  /// Starts anew with vectors that the file has; those that are none of this index's are left out.
  mutating func rebuild(_ stored: [(pattern: UInt32, vector: [Float])]) {
    self = PatternVectors()
    let usable = stored.filter { entry in
      entry.vector.count == index.dimension && entry.vector.allSatisfy { $0.isFinite && abs($0) < 2 }
        && entry.vector.contains { $0 != 0 }
    }
    // Refuses no vector that is usable.
    try? index.insert(usable.map { (UInt64($0.pattern), $0.vector) }, concurrently: PatternVectors.onAllCores)
  }

  /// Inserts or replaces.
  mutating func insert(_ batch: [(pattern: UInt32, vector: [Float])]) {
    let entries = batch.map { (id: UInt64($0.pattern), vector: $0.vector) }
    // A few are inserted as the log will insert them; of many a snapshot is saved anyway.
    if entries.count <= PatternVectors.logCountMin {
      // As below.
      for entry in entries where (try? index.insert(id: entry.id, vector: entry.vector)) != nil {
        changes.append(.insertion(id: entry.id, vector: entry.vector))
      }
      // The embedder's vectors are all usable; those that were not would be found by words only.
    } else if (try? index.insert(entries, concurrently: PatternVectors.onAllCores)) != nil {
      changes += entries.map { .insertion(id: $0.id, vector: $0.vector) }
      needsSnapshot = true
    }
  }

  mutating func remove(_ pattern: UInt32) {
    if index.remove(id: UInt64(pattern)) { changes.append(.removal(id: UInt64(pattern))) }
  }

  private static let onAllCores: HNSWIndex.Concurrently = { count, body in
    DispatchQueue.concurrentPerform(iterations: count, execute: body)
  }

  // MARK: Searching it

  /// The nearest by cosine, nearest first.
  ///
  /// - Parameter among: The only ones that may be answered; the walk crosses the others, or, where few are allowed,
  ///   only those are read.
  func neighbors(
    of vector: [Float], k: Int, among allowed: NumberSet?
  ) throws -> [(pattern: UInt32, similarity: Float)] {
    let neighbors =
      if let allowed {
        try index.neighbors(of: vector, k: k, among: IDFilter(allowed.lazy.map(UInt64.init)))
      } else {
        try index.neighbors(of: vector, k: k)
      }
    return neighbors.map { (UInt32(truncatingIfNeeded: $0.id), 1 - $0.distance) }
  }

  // MARK: Saving it

  private static let logCountMin = 512

  /// A 32nd of the vectors, made again, takes as long as ten openings; a snapshot writes all of them.
  private var logCountMax: Int { max(PatternVectors.logCountMin, index.count / 32) }
  /// A stop leaves a short log behind, for the sake of the next opening.
  private var closingLogCountMax: Int { max(64, index.count / 256) }

  private func isSnapshotDue(isClosing: Bool) -> Bool {
    needsSnapshot || loggedCount + changes.count > (isClosing ? closingLogCountMax : logCountMax)
  }

  func needsSaving(isClosing: Bool) -> Bool {
    !changes.isEmpty || (isSnapshotDue(isClosing: isClosing) && (loggedCount > 0 || !index.isEmpty))
  }

  /// What is to be saved. If they cannot be saved, `didNotSave` is told before the next are taken.
  mutating func takeChanges(identity: String, isClosing: Bool) -> VectorTable.Changes {
    var result = VectorTable.Changes(identity: identity)
    var last: [UInt64: [Float]?] = [:]
    for change in changes {
      switch change {
      case .insertion(let id, let vector): last[id] = .some(vector)
      case .removal(let id): last[id] = .some(nil)
      }
    }
    for (id, vector) in last.sorted(by: { $0.key < $1.key }) {
      if let vector {
        result.embeddings.append((UInt32(truncatingIfNeeded: id), vector))
      } else {
        result.removed.append(UInt32(truncatingIfNeeded: id))
      }
    }
    if isSnapshotDue(isClosing: isClosing) {
      result.snapshot = index.snapshot()
      loggedCount = 0
      needsSnapshot = false
    } else {
      for change in changes { result.log += change.encoded }
      loggedCount += changes.count
    }
    changes = []
    return result
  }

  /// The file is without `lost`: the next save writes the index as a whole, with those embeddings.
  mutating func didNotSave(_ lost: VectorTable.Changes) {
    needsSnapshot = true
    changes =
      lost.removed.map { .removal(id: UInt64($0)) }
      + lost.embeddings.map { .insertion(id: UInt64($0.pattern), vector: $0.vector) } + changes
  }
}
