package import Domain
import Embedding
import LogTemplates
import Logging
import Storage

/// One tenant's patterns, and the vectors by which they are found: follows the tenant's templates and commits.
///
/// Everything here can be thrown away and made again from the tenant's file.
package actor TenantIndex {
  nonisolated let database: TenantDatabase
  private let logger: Logger
  nonisolated let embedder = StaticEmbedder.shared
  private nonisolated let secondStage: SecondStage?
  /// For queries, which fill it.
  package nonisolated let words = TemplateWords()
  private var miner = PatternMiner()
  private var searchIndex = PatternSearchIndex()
  private(set) var vectors = PatternVectors()
  /// Patterns whose vector, by a new text or none so far, is not in `vectors`.
  private var unplaced: Set<UInt32> = []
  private var lastSave: Task<Void, any Error>?

  private var templateCount = 0
  private var patternOfTemplate: [UInt32?] = []
  private var patterns: [UInt32: Pattern] = [:]
  private var namedTexts: [UInt32: String] = [:]
  private var mergedInto: [UInt32: UInt32] = [:]
  /// By template: what its records were like, for patterns that gain or lose the template.
  private var sightings: [UInt32: Sighting] = [:]

  private var dirtyPatterns: Set<UInt32> = []
  private var dirtyAssignments: Set<UInt32> = []
  /// While the index is made again: what the file says already.
  private var savedAssignments: [UInt32: UInt32] = [:]
  private var unsavedRecordCount = 0
  private var map: PatternMap?
  private var passedRecordCount = 0
  private var hasLoaded = false
  private var loading: Task<Void, any Error>?

  /// First and last time and the most serious severity of a template's records.
  private struct Sighting {
    var first: Int64
    var last: Int64
    var severity: Severity

    mutating func include(_ other: Sighting) {
      first = min(first, other.first)
      last = max(last, other.last)
      severity = max(severity, other.severity)
    }
  }

  /// Where the miner's state is kept, and how many templates it knew of when it was saved.
  private static let minerSetting = "pattern.miner"
  private var savedMinerCount = 0
  /// Whether a person changed it since.
  private var isEdited = false

  /// Records between two saves: what a crash may cost of "last seen", nothing else.
  private static let unsavedRecordsMax = 50_000

  /// - Parameter model: A larger model that has its say in what is near a text; nil: the built-in one alone.
  init(
    _ database: TenantDatabase, secondStage model: SecondStageModel? = nil,
    clock: any Clock<Duration> = ContinuousClock(), logger: Logger
  ) {
    self.database = database
    secondStage = model.map { SecondStage($0, database: database, clock: clock, logger: logger) }
    self.logger = logger
  }

  /// The patterns as of now, with every template that is durable taken in.
  package func current() async throws -> PatternMap {
    try await load()
    if templateCount < database.templateCount { takeTemplates() }
    if let map { return map }
    let fresh = PatternMap(patternOfTemplate: patternOfTemplate, byNumber: patterns, mergedInto: mergedInto)
    map = fresh
    return fresh
  }

  /// Patterns that ended since the index was loaded, each with the one that took its templates over.
  package var merges: [UInt32: UInt32] { mergedInto }

  /// The patterns that a text describes, the nearest first.
  ///
  /// - Parameter among: The only ones that may be answered; nil: all.
  package func nearest(
    to text: String, limit: Int, among allowed: NumberSet? = nil
  ) async throws -> [NearPattern] {
    _ = try await current()
    if limit <= 0 || allowed?.isEmpty == true { return [] }
    let isAllowed = allowed.map { allowed in { (id: UInt32) in allowed.contains(id) } }
    let opinion = await opinion(on: text, isAllowed)
    let hits = searchIndex.search(text, limit: limit, opinion: opinion, filter: isAllowed)
    let best = hits.first?.score ?? 1
    var near = hits.map {
      NearPattern(pattern: $0.id, score: best > 0 ? $0.score / best : 0, sharesWords: $0.parts.word > 0.05)
    }
    // What the sum of the four measures ranked low, but lies close by in the space of meanings.
    let known = Set(near.map(\.pattern))
    let query = embedder.embed(text)
    if near.count < limit, query.contains(where: { $0 != 0 }) {
      // A text without one known word has no direction to look in; then words alone decide.
      for neighbor in try vectors.neighbors(of: query, k: limit, among: allowed)
      where neighbor.similarity > 0.4 && !known.contains(neighbor.pattern) {
        near.append(NearPattern(pattern: neighbor.pattern, score: 0.3 * neighbor.similarity, sharesWords: false))
      }
    }
    return Array(near.prefix(limit))
  }

  private func opinion(
    on text: String, _ isAllowed: ((UInt32) -> Bool)?
  ) async -> PatternSearchIndex.Opinion? {
    guard let secondStage else { return nil }
    var numbers = patterns.keys.filter { isAllowed?($0) ?? true }
    if numbers.count > SecondStage.patternsMax {
      numbers = searchIndex.search(text, limit: SecondStage.patternsMax, filter: isAllowed).map(\.id)
    }
    return await secondStage.opinion(
      on: text, patterns: numbers.compactMap { number in patterns[number].map { (number, $0.text) } })
  }

  /// The words of a question that say what is sought, in the order they stand in; all of them if none does.
  package nonisolated static func tellingWords(of text: String) -> [[UInt8]] {
    let words = WordTokenizer.words(of: Array(text.utf8))
    let telling = words.filter { word in
      !StopWords.contains(Array(String(decoding: word, as: UTF8.self).lowercased().utf8))
    }
    return telling.isEmpty ? words : telling
  }

  /// The patterns nearest in meaning to `pattern`, itself left out, with their cosine.
  ///
  /// - Parameter among: The only ones that may be answered; nil: all.
  package func neighbors(
    ofPattern pattern: UInt32, limit: Int, among allowed: NumberSet? = nil
  ) async throws -> [(pattern: UInt32, similarity: Float)] {
    _ = try await current()
    guard limit > 0, let vector = searchIndex.embedding(of: pattern), vector.contains(where: { $0 != 0 }) else {
      return []
    }
    return Array(
      try vectors.neighbors(of: vector, k: limit + 1, among: allowed).filter { $0.pattern != pattern }.prefix(limit))
  }

  /// Asks to be told of all that happens to the tenant from now on.
  ///
  /// An index that nobody has asked and that has seen little stays empty: most of many tenants are rarely asked. When it
  /// is needed it reads the blocks that became such since it was last saved.
  nonisolated func begin() -> CommitFollower {
    database.beforeClosing { [weak self] in await self?.catchUpBeforeClosing() }
    database.beforeStoringBlocks { [weak self] columns in await self?.catchUp(with: columns) }
    return database.feed.follow()
  }

  /// Follows the tenant's commits until its database closes.
  func follow(_ follower: CommitFollower) async {
    do {
      for await event in follower {
        guard isNeeded(for: event) else { continue }
        try await load()
        if case .commit(let commit) = event { take(commit.columns) }
        let isSaveDue = unsavedRecordCount >= TenantIndex.unsavedRecordsMax || !dirtyAssignments.isEmpty
        if isSaveDue { await saveOrKeep() }
      }
    } catch {
      // The index is made again from the file when the tenant is next opened.
      logger.warning(
        "pattern index stopped", metadata: ["tenant": "\(database.scope.tenant.text)", "error": "\(error)"])
    }
    await secondStage?.stop()
  }

  /// Records that are worth an index before anybody asks: reading them all from blocks then would be felt.
  private static let eagerRecordsMin = 20_000

  private func isNeeded(for event: CommitEvent) -> Bool {
    if hasLoaded || loading != nil { return true }
    switch event {
    case .commit(let commit): passedRecordCount += commit.columns.count
    case .dropped(let count): passedRecordCount += count
    }
    return passedRecordCount >= TenantIndex.eagerRecordsMin
  }

  // MARK: By the wish of a person

  /// Variables by what they hold; the same as the text where that is not known.
  func namedText(of pattern: UInt32) -> String { namedTexts[pattern] ?? patterns[pattern]?.text ?? "" }

  /// Changes the miner, and saves all of it: what a person wished can't be made again from templates.
  func edit(
    _ body: (inout PatternMiner) throws(PatternMiner.EditError) -> PatternMiner.Changes
  ) async throws {
    _ = try await current()
    do {
      apply(try body(&miner))
    } catch {
      switch error {
      case .unknown(let number): throw PatternEditError.unknown(number)
      case .same: throw PatternEditError.same
      case .nothingLeft: throw PatternEditError.nothingLeft
      }
    }
    map = nil
    placeVectors()
    isEdited = true
    try await save()
  }

  // MARK: Taking in

  private func load() async throws {
    if hasLoaded { return }
    if let loading { return try await loading.value }
    let task = Task { try await self.restore() }
    loading = task
    do {
      try await task.value
    } catch {
      loading = nil
      throw error
    }
  }

  private func restore() async throws {
    let stored = try await database.patterns.load()
    let view = try await database.view(.all)
    for row in stored.rows where row.mergedInto == nil {
      patterns[row.number] = Pattern(
        number: row.number, text: row.text, severity: row.severity, firstSeen: row.firstSeen, lastSeen: row.lastSeen)
    }
    savedAssignments = stored.assignments
    if let state = try await database.insights.setting(TenantIndex.minerSetting) { restoreMiner(state, stored.rows) }
    takeTemplates()
    savedAssignments = [:]
    // Of an earlier build, whose miner told kinds of lines apart in another way.
    for number in Set(patterns.keys).subtracting(miner.patterns) { patterns[number] = nil }
    try await takeBlocks(of: view, after: stored.lastBlock)
    for columns in view.head { take(columns) }
    try await restoreVectors(
      Dictionary(stored.rows.map { ($0.number, $0.text) }, uniquingKeysWith: { _, last in last }))
    hasLoaded = true
    await saveOrKeep()
  }

  /// Goes on with the miner that was saved: what it knows of templates need not be found out again.
  private func restoreMiner(_ state: [UInt8], _ rows: [PatternTable.Row]) {
    // Damaged, of another build or ahead of the templates: it is made again from them.
    guard let saved = PatternMiner(state: state), saved.templateCount <= database.templateCount else { return }
    miner = saved
    savedMinerCount = saved.templateCount
    let names = Dictionary(rows.map { ($0.number, $0) }, uniquingKeysWith: { _, last in last })
    for number in miner.patterns {
      guard let text = miner.text(of: number) else { continue }
      namedTexts[number] = text.namedText
      searchIndex.insert(id: number, text: text.text)
      if names[number]?.mergedInto == nil, names[number]?.text == text.text { continue }
      patterns[number] = Pattern(
        number: number, text: text.text, severity: .unknown, firstSeen: TenantIndex.never.first,
        lastSeen: TenantIndex.never.last)
      dirtyPatterns.insert(number)
      unplaced.insert(number)
    }
    for row in rows { if let into = row.mergedInto { mergedInto[row.number] = into } }
    while templateCount < saved.templateCount {
      let number = UInt32(templateCount)
      let pattern = miner.pattern(ofTemplate: number)
      patternOfTemplate.append(pattern)
      if savedAssignments[number] != pattern { dirtyAssignments.insert(number) }
      templateCount += 1
    }
  }

  /// Reads the records of blocks that nobody told of, and of patterns that nothing is known of: all of them, when the
  /// index is made anew.
  private func takeBlocks(of view: TenantView, after lastBlock: Int64) async throws {
    let unseen = Set(patterns.values.lazy.filter { $0.firstSeen > $0.lastSeen }.map(\.number))
    for block in view.blocks {
      let isNew = block.number > lastBlock
      if !isNew, unseen.isEmpty { continue }
      guard let templates = try await templates(of: block, view) else { continue }
      func isUnseen(_ template: UInt32) -> Bool {
        if isNew { return true }
        return Int(template) < patternOfTemplate.count && patternOfTemplate[Int(template)].map(unseen.contains) ?? false
      }
      let wanted = Set(templates.lazy.filter(isUnseen))
      if wanted.isEmpty { continue }
      var seen: [UInt32: Sighting] = [:]
      _ = try view.readBlock(block) { source in
        let (times, templates, severities) = (try source.times(), try source.templates(), try source.severities())
        for row in 0..<source.count where wanted.contains(templates[row]) {
          let sighting = Sighting(first: times[row], last: times[row], severity: severities[row])
          seen[templates[row], default: sighting].include(sighting)
        }
      }
      for (template, sighting) in seen { note(template, sighting) }
      await Task.yield()
    }
  }

  /// Nil for a damaged block, which is set aside and reported where it is read.
  private func templates(of block: BlockReference, _ view: TenantView) async throws(StorageError) -> [UInt32]? {
    do {
      return try await view.summaries(of: [block]).first?.templateCounts.map(\.number)
    } catch {
      if error.kind == .corrupt { return nil }
      throw error
    }
  }

  private func takeTemplates() {
    let count = database.templateCount
    while templateCount < count {
      let number = UInt32(templateCount)
      guard let template = database.template(number) else { break }
      templateCount += 1
      patternOfTemplate.append(nil)
      apply(miner.insert(template, number: number))
    }
    map = nil
    if hasLoaded { placeVectors() }
  }

  private func apply(_ changes: PatternMiner.Changes) {
    for text in changes.texts {
      if var pattern = patterns[text.pattern] {
        if pattern.text != text.text {
          pattern.text = text.text
          patterns[text.pattern] = pattern
          dirtyPatterns.insert(text.pattern)
          unplaced.insert(text.pattern)
        }
      } else {
        patterns[text.pattern] = Pattern(
          number: text.pattern, text: text.text, severity: .unknown, firstSeen: TenantIndex.never.first,
          lastSeen: TenantIndex.never.last)
        dirtyPatterns.insert(text.pattern)
        unplaced.insert(text.pattern)
      }
      namedTexts[text.pattern] = text.namedText
      searchIndex.insert(id: text.pattern, text: text.text)
    }
    for assignment in changes.assignments {
      let index = Int(assignment.template)
      while patternOfTemplate.count <= index { patternOfTemplate.append(nil) }
      if patternOfTemplate[index] == assignment.pattern { continue }
      patternOfTemplate[index] = assignment.pattern
      if savedAssignments[assignment.template] == assignment.pattern {
        dirtyAssignments.remove(assignment.template)
      } else {
        dirtyAssignments.insert(assignment.template)
      }
      if let sighting = sightings[assignment.template] { note(assignment.template, sighting) }
    }
    for merge in changes.merges {
      if let old = patterns.removeValue(forKey: merge.old) {
        include(
          Sighting(first: old.firstSeen.nanoseconds, last: old.lastSeen.nanoseconds, severity: old.severity),
          inPattern: merge.new)
      }
      mergedInto[merge.old] = merge.new
      searchIndex.remove(id: merge.old)
      unplaced.remove(merge.old)
      vectors.remove(merge.old)
      dirtyPatterns.formUnion([merge.old, merge.new])
    }
  }

  /// The times of a pattern that no record has been seen of: any record's times take their place.
  private static let never = (first: Timestamp(nanoseconds: .max), last: Timestamp(nanoseconds: .min))

  private func take(_ columns: RecordColumns) {
    if templateCount < database.templateCount { takeTemplates() }
    var seen: [UInt32: Sighting] = [:]
    for row in 0..<columns.count {
      let time = columns.times[row]
      let sighting = Sighting(first: time, last: time, severity: columns.severities[row])
      seen[columns.templates[row], default: sighting].include(sighting)
    }
    for (template, sighting) in seen { note(template, sighting) }
    unsavedRecordCount += columns.count
    map = nil
  }

  private func note(_ template: UInt32, _ sighting: Sighting) {
    sightings[template, default: sighting].include(sighting)
    guard Int(template) < patternOfTemplate.count, let pattern = patternOfTemplate[Int(template)] else { return }
    include(sighting, inPattern: pattern)
  }

  private func include(_ sighting: Sighting, inPattern number: UInt32) {
    guard var pattern = patterns[number] else { return }
    pattern.firstSeen = min(pattern.firstSeen, Timestamp(nanoseconds: sighting.first))
    pattern.lastSeen = max(pattern.lastSeen, Timestamp(nanoseconds: sighting.last))
    pattern.severity = max(pattern.severity, sighting.severity)
    if patterns[number] != pattern {
      patterns[number] = pattern
      dirtyPatterns.insert(number)
    }
  }

  /// The index out of the file, or, where that is damaged or of another embedder, made again from the stored vectors;
  /// then what it does not know of yet.
  ///
  /// - Parameter savedTexts: By pattern, as the file has them: what a saved vector is of.
  private func restoreVectors(_ savedTexts: [UInt32: String]) async throws {
    let saved = try await database.vectors.loadIndex(identity: embedder.identity)
    if let saved, let restored = PatternVectors(snapshot: saved.snapshot, log: saved.log) {
      vectors = restored
    } else {
      vectors = PatternVectors()
      let stored = try await database.vectors.load(identity: embedder.identity)
      vectors.rebuild(stored.filter { patterns[$0.pattern] != nil })
      if saved != nil {
        logger.warning(
          "vector index made again from its vectors", metadata: ["tenant": "\(database.scope.tenant.text)"])
      }
      if patterns.isEmpty { return }
      try await database.vectors.removeOthers(
        than: embedder.identity, secondStage?.identity ?? embedder.identity)
    }
    for number in vectors.patterns where patterns[number] == nil { vectors.remove(number) }
    unplaced = []
    for (number, pattern) in patterns where pattern.text != savedTexts[number] || !vectors.contains(number) {
      unplaced.insert(number)
    }
    placeVectors()
  }

  /// Puts the vectors in the graph that are not there.
  private func placeVectors() {
    if unplaced.isEmpty { return }
    var batch: [(pattern: UInt32, vector: [Float])] = []
    for number in unplaced.sorted() where patterns[number] != nil {
      // A pattern of wildcards and unknown words alone has no direction; words still find it.
      if let vector = searchIndex.embedding(of: number), vector.contains(where: { $0 != 0 }) {
        batch.append((number, vector))
      } else {
        vectors.remove(number)
      }
    }
    unplaced = []
    vectors.insert(batch)
  }

  /// The feed may still hold back, or have passed over, commits of these records.
  private func catchUp(with columns: [RecordColumns], isClosing: Bool = false) async {
    // What becomes a block now is read from it when the index is needed.
    guard hasLoaded || loading != nil else { return }
    do {
      try await load()
      for columns in columns { take(columns) }
      try await save(isClosing: isClosing)
    } catch {
      logger.warning(
        "pattern index not saved", metadata: ["tenant": "\(database.scope.tenant.text)", "error": "\(error)"])
    }
  }

  private func catchUpBeforeClosing() async {
    guard hasLoaded || loading != nil else { return }
    do {
      await catchUp(with: try await database.view(.all).head, isClosing: true)
    } catch {
      logger.warning(
        "pattern index not saved", metadata: ["tenant": "\(database.scope.tenant.text)", "error": "\(error)"])
    }
  }

  /// Saves what changed. What can't be saved now, for the disk is full, say, stays in memory and is tried again with
  /// the next change: queries need it, not its being saved.
  private func saveOrKeep() async {
    do {
      try await save()
    } catch {
      logger.warning(
        "pattern index not saved", metadata: ["tenant": "\(database.scope.tenant.text)", "error": "\(error)"])
    }
  }

  /// One after another: the index's log has the order of its changes.
  private func save(isClosing: Bool = false) async throws {
    let before = lastSave
    let saving = Task {
      _ = await before?.result
      try await self.saveNow(isClosing: isClosing)
    }
    lastSave = saving
    try await saving.value
  }

  private func saveNow(isClosing: Bool) async throws {
    let patternNumbers = dirtyPatterns
    let templates = dirtyAssignments
    // Later templates are taken in again after a restart: a few are not worth writing all of it.
    let minerCount = miner.templateCount
    let isMinerDue =
      isEdited || minerCount > savedMinerCount + max(isClosing ? 64 : 1024, savedMinerCount / (isClosing ? 64 : 8))
    if patternNumbers.isEmpty, templates.isEmpty, !isMinerDue, !vectors.needsSaving(isClosing: isClosing) { return }
    dirtyPatterns = []
    dirtyAssignments = []
    unsavedRecordCount = 0
    // Of every block up to here this index was told before it was stored, or has read it.
    let lastBlock = database.lastBlock
    let rows = patternNumbers.sorted().compactMap { number -> PatternTable.Row? in
      if let pattern = patterns[number] {
        return PatternTable.Row(
          number: number, text: pattern.text, namedText: namedTexts[number] ?? pattern.text, severity: pattern.severity,
          firstSeen: pattern.firstSeen, lastSeen: pattern.lastSeen, mergedInto: nil)
      }
      return mergedInto[number].map {
        PatternTable.Row(
          number: number, text: "", namedText: "", severity: .unknown, firstSeen: TenantIndex.never.first,
          lastSeen: TenantIndex.never.last, mergedInto: $0)
      }
    }
    let assignments = templates.sorted().compactMap { template in
      patternOfTemplate[Int(template)].map { (template: template, pattern: $0) }
    }
    let changes = vectors.takeChanges(identity: embedder.identity, isClosing: isClosing)
    do {
      try await database.vectors.save(changes, patterns: rows, assignments: assignments, lastBlock: lastBlock)
      if isMinerDue {
        try await database.insights.setSetting(TenantIndex.minerSetting, to: miner.exportedState())
        savedMinerCount = minerCount
        isEdited = false
      }
    } catch {
      dirtyPatterns.formUnion(patternNumbers)
      dirtyAssignments.formUnion(templates)
      vectors.didNotSave(changes)
      throw error
    }
  }
}
