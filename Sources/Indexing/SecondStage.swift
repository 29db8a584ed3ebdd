import Embedding
import Logging
import Storage

/// What a larger model says of how near a text is to a tenant's patterns.
///
/// Patterns are embedded when they are first needed, kept in memory and in the tenant's file. A search waits for what
/// is missing a moment, and then goes on without this stage: the patterns that were embedded would else stand before
/// those that were not, whatever they say. The embedding goes on meanwhile, so that a later search has it.
actor SecondStage {
  /// What the nearest pattern gets where words and spelling get 1 each: `TransformerRanking` says why.
  static let weight: Float = 5
  /// Of a tenant with more patterns, those that the built-in ranking puts first: nothing further down is worth a
  /// model's time.
  static let patternsMax = 4096
  private static let waitMax = Duration.milliseconds(300)
  /// Vectors in memory: 50 MB of 384 components.
  private static let entriesMax = 32_768
  /// Between two batches the work can be stopped, and what is done is saved.
  private static let batchCount = 64

  private struct Entry {
    var mark: Float
    var vector: [Float]
  }

  private let embedder: any Embedder
  private let database: TenantDatabase
  private let clock: any Clock<Duration>
  private let logger: Logger
  private var entries: [UInt32: Entry] = [:]
  /// Texts to embed, by pattern.
  private var queue: [UInt32: String] = [:]
  private var filling: Task<Void, Never>?
  private var loading: Task<Void, Never>?
  private var waiting: [AsyncStream<Void>.Continuation] = []

  init(
    _ embedder: any Embedder, database: TenantDatabase, clock: any Clock<Duration> = ContinuousClock(), logger: Logger
  ) {
    self.embedder = embedder
    self.database = database
    self.clock = clock
    self.logger = logger
  }

  /// Under which the vectors are saved: the model's, and the form in which they are.
  nonisolated var identity: String { embedder.identity + "/marked" }

  /// - Returns: Nil if the model knows nothing of the text, or a pattern is not embedded yet.
  func opinion(on text: String, patterns: [(id: UInt32, text: String)]) async -> PatternSearchIndex.Opinion? {
    if patterns.isEmpty { return nil }
    await load()
    let query = await embed([text])[0]
    guard query.contains(where: { $0 != 0 }) else { return nil }
    let missing = patterns.filter { !isKnown($0) }
    if !missing.isEmpty {
      embedLater(missing, keeping: patterns)
      await waitForQueue()
      guard missing.allSatisfy(isKnown) else { return nil }
    }
    var cosines: [UInt32: Float] = [:]
    cosines.reserveCapacity(patterns.count)
    for (id, _) in patterns { cosines[id] = entries[id].map { Self.product(query, $0.vector) } }
    return PatternSearchIndex.Opinion(weight: Self.weight, cosines: cosines)
  }

  /// Ends what is being embedded.
  func stop() async {
    filling?.cancel()
    await filling?.value
  }

  private func isKnown(_ pattern: (id: UInt32, text: String)) -> Bool {
    entries[pattern.id]?.mark == Self.mark(of: pattern.text)
  }

  // MARK: Embedding

  private func embedLater(_ missing: [(id: UInt32, text: String)], keeping needed: [(id: UInt32, text: String)]) {
    if entries.count + missing.count > Self.entriesMax {
      let needed = Set(needed.map(\.id))
      entries = entries.filter { needed.contains($0.key) }
    }
    for (id, text) in missing { queue[id] = text }
    if filling == nil { filling = Task { await self.fill() } }
  }

  private func fill() async {
    while !queue.isEmpty, !Task.isCancelled {
      let batch = Array(queue.prefix(Self.batchCount))
      let vectors = await embed(batch.map(\.value))
      var rows: [(pattern: UInt32, vector: [Float])] = []
      for ((id, text), vector) in zip(batch, vectors) {
        let mark = Self.mark(of: text)
        entries[id] = Entry(mark: mark, vector: vector)
        rows.append((id, vector + [mark]))
        if queue[id] == text { queue[id] = nil }
      }
      do {
        try await database.vectors.save(rows, identity: identity)
      } catch {
        // They are in memory, and made again after a restart.
        logger.debug("embeddings not saved", metadata: ["tenant": "\(database.scope.tenant.text)"])
      }
    }
    queue = [:]
    filling = nil
    for continuation in waiting { continuation.finish() }
    waiting = []
  }

  /// Off the actor: a model works for a millisecond a text.
  private nonisolated func embed(_ texts: [String]) async -> [[Float]] { embedder.embed(texts) }

  /// Until nothing is left to embed, or `waitMax` is over.
  private func waitForQueue() async {
    if filling == nil { return }
    let (done, continuation) = AsyncStream.makeStream(of: Void.self)
    waiting.append(continuation)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { for await _ in done {} }
      group.addTask { [clock] in
        // Ends early only when the embedding is done, or nobody asks any more.
        try? await clock.sleep(for: Self.waitMax)
      }
      await group.next()
      group.cancelAll()
    }
  }

  // MARK: Saved vectors

  private func load() async {
    if loading == nil { loading = Task { await self.restore() } }
    await loading?.value
  }

  private func restore() async {
    do {
      let saved = try await database.vectors.load(identity: identity)
      for (pattern, row) in saved where row.count == embedder.dimension + 1 && row.allSatisfy(\.isFinite) {
        entries[pattern] = Entry(mark: row[row.count - 1], vector: Array(row.dropLast()))
      }
      // The first time with this model: those of the one before serve nobody.
      if saved.isEmpty { try await database.vectors.removeOthers(than: StaticEmbedder.shared.identity, identity) }
    } catch {
      logger.warning(
        "saved embeddings not read", metadata: ["tenant": "\(database.scope.tenant.text)", "error": "\(error)"])
    }
  }

  /// Stands behind a saved vector and tells whether it is of the pattern's text as that is now: 24 bits of FNV-1a,
  /// which a `Float` holds exactly.
  private static func mark(of text: String) -> Float {
    let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return Float(hash >> 40)
  }

  private static func product(_ left: [Float], _ right: [Float]) -> Float {
    guard left.count == right.count else { return 0 }
    // Eight sums at once: additions of one would wait for each other.
    var sums = SIMD8<Float>.zero
    var index = 0
    while index + 8 <= left.count {
      for lane in 0..<8 { sums[lane] += left[index + lane] * right[index + lane] }
      index += 8
    }
    var sum = sums.sum()
    while index < left.count {
      sum += left[index] * right[index]
      index += 1
    }
    return sum
  }
}
