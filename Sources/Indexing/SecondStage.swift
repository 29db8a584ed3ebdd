package import Embedding
import Logging
import Storage

/// A model beside the built-in one that tells how near texts are in meaning: in this process, or somewhere else.
package struct SecondStageModel: Sendable {
  /// Vectors of unequal identities cannot be compared.
  package let identity: String
  /// Vectors of unit length in the order of the texts, or zeros for a text in which it knows nothing; nil if it cannot
  /// be asked now.
  package let embed: @Sendable ([String]) async -> [[Float]]?

  package init(identity: String, embed: @escaping @Sendable ([String]) async -> [[Float]]?) {
    self.identity = identity
    self.embed = embed
  }

  package init(_ embedder: any Embedder) {
    self.init(identity: embedder.identity) { embedder.embed($0) }
  }
}

/// What a larger model says of how near a text is to a tenant's patterns.
///
/// Patterns are embedded when they are first needed, kept in memory and in the tenant's file. A search waits for what
/// is missing a moment, and then goes on without this stage: the patterns that were embedded would else stand before
/// those that were not, whatever they say. The embedding goes on meanwhile, so that a later search has it.
actor SecondStage {
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

  private let model: SecondStageModel
  private let database: TenantDatabase
  private let clock: any Clock<Duration>
  private let logger: Logger
  private var entries: [UInt32: Entry] = [:]
  private var queries: [String: [Float]] = [:]
  private static let queriesMax = 256
  /// Texts to embed, by pattern.
  private var queue: [UInt32: String] = [:]
  private var filling: Task<Void, Never>?
  private var loading: Task<Void, Never>?
  private var waiting: [AsyncStream<Void>.Continuation] = []

  init(
    _ model: SecondStageModel, database: TenantDatabase, clock: any Clock<Duration> = ContinuousClock(), logger: Logger
  ) {
    self.model = model
    self.database = database
    self.clock = clock
    self.logger = logger
  }

  /// Under which the vectors are saved: the model's, and the form in which they are.
  nonisolated var identity: String { model.identity + "/marked" }

  /// - Returns: Nil if the model knows nothing of the text, cannot be asked, or a pattern is not embedded in time.
  func opinion(on text: String, patterns: [(id: UInt32, text: String)]) async -> PatternSearchIndex.Opinion? {
    if patterns.isEmpty { return nil }
    await load()
    return await withTaskGroup(of: PatternSearchIndex.Opinion?.self) { group in
      group.addTask { await self.wholeOpinion(on: text, patterns) }
      group.addTask { [clock] in
        // Ends early only when there is an opinion, or nobody asks any more.
        try? await clock.sleep(for: Self.waitMax)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }

  private func wholeOpinion(
    on text: String, _ patterns: [(id: UInt32, text: String)]
  ) async -> PatternSearchIndex.Opinion? {
    // First, so that the model is not kept waiting for the question.
    var missing = patterns.filter { !isKnown($0) }
    embedLater(missing, keeping: patterns)
    guard let query = await vector(ofQuery: text), query.contains(where: { $0 != 0 }) else { return nil }
    // Those of an endpoint that gives other vectors than before.
    let unlike = patterns.filter { isKnown($0) && entries[$0.id]?.vector.count != query.count }
    embedLater(unlike, keeping: patterns)
    missing += unlike
    if !missing.isEmpty {
      await waitForQueue()
      guard missing.allSatisfy({ isKnown($0) && entries[$0.id]?.vector.count == query.count }) else { return nil }
    }
    var cosines: [UInt32: Float] = [:]
    cosines.reserveCapacity(patterns.count)
    for (id, _) in patterns { cosines[id] = entries[id].map { Self.product(query, $0.vector) } }
    return PatternSearchIndex.Opinion(cosines: cosines)
  }

  /// A search is asked again with another window, or for its next page.
  private func vector(ofQuery text: String) async -> [Float]? {
    if let known = queries[text] { return known }
    guard let vector = await model.embed([text])?.first else { return nil }
    if queries.count >= Self.queriesMax { queries = [:] }
    queries[text] = vector
    return vector
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
    if missing.isEmpty { return }
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
      // The next search asks for what is still missing.
      guard let vectors = await model.embed(batch.map(\.value)), vectors.count == batch.count else { break }
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

  /// Until nothing is left to embed, or nobody waits any more.
  private func waitForQueue() async {
    if filling == nil { return }
    let (done, continuation) = AsyncStream.makeStream(of: Void.self)
    waiting.append(continuation)
    for await _ in done {}
  }

  // MARK: Saved vectors

  private func load() async {
    if loading == nil { loading = Task { await self.restore() } }
    await loading?.value
  }

  private func restore() async {
    do {
      let saved = try await database.vectors.load(identity: identity)
      for (pattern, row) in saved where row.count > 1 && row.allSatisfy(\.isFinite) {
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
