internal import CKernels
package import Domain

/// Finds for each template the pattern it belongs to: what a person would call the same kind of line.
///
/// Deterministic: inserting the same templates in the same order into a fresh miner, with the same edits between them,
/// gives the same patterns, numbers and merges. `exportedState()` spares the work of doing so again.
///
/// Work is done for a new template only. Most have the signature of one seen before and cost one look-up; the rest walk
/// down one `PatternTree`, that of all signatures with as many tokens and the same punctuation.
package struct PatternMiner: Sendable {
  /// What one insertion or edit changed.
  package struct Changes: Equatable, Sendable {
    /// Templates whose pattern is new or another than before, the inserted one among them.
    package var assignments: [Assignment] = []
    /// Patterns that are new or whose text changed.
    package var texts: [PatternText] = []
    /// Patterns that ended, each with the one that took its templates over. Queries by the old number follow it.
    package var merges: [Merge] = []

    package init() {}
  }

  package struct Assignment: Hashable, Sendable {
    package var template: UInt32
    package var pattern: UInt32

    package init(template: UInt32, pattern: UInt32) {
      self.template = template
      self.pattern = pattern
    }
  }

  package struct PatternText: Equatable, Sendable {
    package var pattern: UInt32
    /// Variables as `<*>`.
    package var text: String
    /// Variables by what they hold: `<ip>`, `<num>`, `<path>` ...
    package var namedText: String
    package var isNew: Bool
  }

  package struct Merge: Equatable, Sendable {
    package var old: UInt32
    package var new: UInt32

    package init(old: UInt32, new: UInt32) {
      self.old = old
      self.new = new
    }
  }

  /// What a miner may hold. Must not change between replays.
  package struct Limits: Equatable, Sendable {
    /// Signatures told apart; bounds memory, at about 1 KiB each.
    package var signaturesMax = 200_000
    /// Patterns in all.
    package var patternsMax = 100_000
    /// Patterns that one source opens: a source that writes its data into its messages must not crowd out the others.
    package var patternsPerSourceMax = 5000

    package init() {}
  }

  package let limits: Limits

  var vocabulary: PatternVocabulary
  var pieceTexts = ByteTable()
  var reader = SignatureReader()
  var frames = FrameMemory()
  var groups: [Group] = []
  var groupOfShape: [[Int32]: Int] = [:]
  var entries: [Entry] = []
  /// Signatures as bytes; their numbers are indices of `entries`.
  var keys = ByteTable()
  /// Index in `entries`, -1 for what overflowed.
  var entryOfTemplate: [UInt32: Int32] = [:]
  /// By number: where it stands and what was told of it. Numbers that others stand for are not among them.
  var living: [UInt32: Living] = [:]
  var mergedInto: [UInt32: UInt32] = [:]
  /// Templates that were taken out of their signature's pattern, and where they are.
  var pinned: [UInt32: UInt32] = [:]
  var sourceOfPattern: [UInt32: UInt32] = [:]
  var patternCountOfSource: [UInt32: Int] = [:]
  var lastPattern: UInt32 = 0
  /// 0 while nothing overflowed.
  package internal(set) var overflowPattern: UInt32 = 0

  /// A distinct signature.
  struct Entry: Sendable {
    var group: Int32
    /// Its index in the group's tree.
    var member: Int32
    var templates: [UInt32]
    /// That of its leaf; 0 before the first is given. `current` says which stands for it.
    var pattern: UInt32 = 0
    /// Where new templates of it belong if a person took it out of its pattern.
    var pin: UInt32 = 0
  }

  /// The signatures of one shape.
  struct Group: Sendable {
    var tree: PatternTree
    /// For each of the tree's signatures its index in `entries`.
    var entries: [Int32] = []
  }

  struct Living: Sendable {
    /// -1 for a pattern without a leaf: what overflowed, and what was taken out of another.
    var group: Int32
    var leaf: Int32
    /// Hash of the text told last, 0 if none was.
    var told: UInt64 = 0
  }

  /// - Parameter isDictionaryWord: Whether lowercase ASCII letters are a word of the language logs are written in:
  ///   words are kept apart longer than names are. Nil judges by shape. The same judge must be given at each replay.
  package init(isDictionaryWord: (@Sendable ([UInt8]) -> Bool)? = nil, limits: Limits = Limits()) {
    self.limits = limits
    vocabulary = PatternVocabulary(isDictionaryWord: isDictionaryWord)
  }

  /// The pattern that `template` belongs to now.
  package func pattern(ofTemplate template: UInt32) -> UInt32? {
    guard let entry = entryOfTemplate[template] else { return nil }
    return current(entry < 0 ? overflowPattern : pinned[template] ?? entries[Int(entry)].pattern)
  }

  /// The pattern that stands for `pattern` now: itself, or what it was merged into.
  package func current(_ pattern: UInt32) -> UInt32 {
    var pattern = pattern
    while let next = mergedInto[pattern] { pattern = next }
    return pattern
  }

  /// The numbers of the living patterns, ascending.
  package var patterns: [UInt32] { living.keys.sorted() }

  package var patternCount: Int { living.count }

  /// Templates that were taken in.
  package var templateCount: Int { entryOfTemplate.count }

  /// Takes in the template `number`. Inserting a known number changes nothing.
  ///
  /// - Parameter source: Who wrote it, for the bound on one source's patterns; nil for no bound.
  package mutating func insert(_ template: Template, number: UInt32, source: UInt32? = nil) -> Changes {
    var changes = Changes()
    guard entryOfTemplate[number] == nil else { return changes }
    reader.read(template, frames: &frames)
    if let columns = reader.openingColumns {
      let earlier = frames.learn(
        columns: columns.shape, nextWord: columns.nextWord, template: template, number: number)
      if !earlier.isEmpty {
        readAgain(earlier, source: source, &changes)
        return changes
      }
    }
    takeIn(number, source, &changes)
    return changes
  }

  /// Gives the template that `reader` has read its pattern.
  mutating func takeIn(_ number: UInt32, _ source: UInt32?, _ changes: inout Changes) {
    let (signature, pieces) = signature()
    if let known = signature.withUnsafeBytes({ keys.number(of: $0.bindMemory(to: UInt8.self)) }) {
      return join(number, to: known, pieces, &changes)
    }
    let group = group(of: signature)
    if isFull(source) {
      if let leaf = groups[group].tree.leaf(fitting: signature) {
        let member = groups[group].tree.nodes[leaf].members[0]
        return join(number, to: Int(groups[group].entries[Int(member)]), pieces, &changes)
      }
      return overflow(number, &changes)
    }
    let entry = entries.count
    _ = signature.withUnsafeBytes { keys.insert($0.bindMemory(to: UInt8.self)) }
    entryOfTemplate[number] = Int32(truncatingIfNeeded: entry)
    entries.append(
      Entry(
        group: Int32(truncatingIfNeeded: group), member: Int32(truncatingIfNeeded: groups[group].entries.count),
        templates: [number]))
    groups[group].entries.append(Int32(truncatingIfNeeded: entry))
    let last = lastPattern
    place(entry, signature, pieces, &changes)
    if let source {
      for pattern in last..<lastPattern where living[pattern + 1] != nil {
        sourceOfPattern[pattern + 1] = source
        patternCountOfSource[source, default: 0] += 1
      }
    }
  }

  /// Whether a new signature must not open a pattern.
  private func isFull(_ source: UInt32?) -> Bool {
    if entries.count >= limits.signaturesMax || living.count >= limits.patternsMax { return true }
    guard let source else { return false }
    return patternCountOfSource[source, default: 0] >= limits.patternsPerSourceMax
  }

  private mutating func overflow(_ number: UInt32, _ changes: inout Changes) {
    entryOfTemplate[number] = -1
    if overflowPattern == 0 {
      overflowPattern = makePattern()
      living[overflowPattern] = Living(group: -1, leaf: -1)
    }
    let pattern = current(overflowPattern)
    changes.assignments.append(Assignment(template: number, pattern: pattern))
    if pattern == overflowPattern { tell(pattern, "<*>", "<*>", &changes) }
  }

  /// The tokens just read by their numbers, and how each is shown.
  private mutating func signature() -> (signature: [Int32], pieces: [PatternTree.Piece]) {
    var signature: [Int32] = []
    var pieces: [PatternTree.Piece] = []
    signature.reserveCapacity(reader.tokens.count)
    pieces.reserveCapacity(reader.tokens.count)
    var text: [UInt8] = []
    for (index, token) in reader.tokens.enumerated() {
      let number = reader.message.withUnsafeBufferPointer {
        vocabulary.number(of: UnsafeBufferPointer(rebasing: $0[token.text]))
      }
      signature.append(number)
      reader.writePiece(of: index, into: &text)
      let named = pieceTexts.insert(text).number
      var plain = named
      var place = 0
      var isNamed = false
      while let marker = text[place...].firstIndex(of: Template.slotMarker) {
        text[marker + 1] = SignatureReader.Mask.any.rawValue
        place = marker + 2
        isNamed = true
      }
      if isNamed { plain = pieceTexts.insert(text).number }
      pieces.append(
        PatternTree.Piece(
          plain: Int32(truncatingIfNeeded: plain), named: Int32(truncatingIfNeeded: named),
          hasLead: text.first == 0x20, mask: token.mask ?? .any))
    }
    return (signature, pieces)
  }

  private mutating func group(of signature: [Int32]) -> Int {
    let shape = shape(of: signature)
    if let known = groupOfShape[shape] { return known }
    groupOfShape[shape] = groups.count
    groups.append(Group(tree: PatternTree(width: signature.count)))
    return groups.count - 1
  }

  func shape(of signature: [Int32]) -> [Int32] {
    [Int32(truncatingIfNeeded: signature.count)]
      + signature.filter { vocabulary.traits(of: $0).contains(.mark) }
  }

  /// Adds a template to a known signature.
  private mutating func join(
    _ number: UInt32, to entry: Int, _ pieces: [PatternTree.Piece], _ changes: inout Changes
  ) {
    entryOfTemplate[number] = Int32(truncatingIfNeeded: entry)
    entries[entry].templates.append(number)
    if entries[entry].pin != 0 { pinned[number] = entries[entry].pin }
    let pattern = current(pinned[number] ?? entries[entry].pattern)
    changes.assignments.append(Assignment(template: number, pattern: pattern))
    let group = Int(entries[entry].group)
    guard groups[group].tree.join(pieces, into: Int(entries[entry].member)) else { return }
    describe(groups[group].tree.leaf(of: Int(entries[entry].member)), of: group, &changes)
  }

  /// Puts the new signature `entry` into the tree of its shape, and gives patterns to all that this moved.
  private mutating func place(
    _ entry: Int, _ signature: [Int32], _ pieces: [PatternTree.Piece], _ changes: inout Changes
  ) {
    let group = Int(entries[entry].group)
    let leaves = groups[group].tree.insert(signature, pieces, vocabulary)
    if leaves.count == 1, groups[group].tree.nodes[leaves[0]].pattern != 0 {
      give(groups[group].tree.nodes[leaves[0]].pattern, to: entry, &changes)
    } else {
      settle(leaves, of: group, &changes)
    }
    for leaf in leaves { describe(leaf, of: group, &changes) }
  }

  /// Numbers the patterns `leaves` after a division. A number stays with the leaf that holds most of its templates; a
  /// leaf with several keeps that of its largest part, and the others are merged into it; a leaf with none gets a new
  /// one.
  private mutating func settle(_ leaves: [Int], of group: Int, _ changes: inout Changes) {
    var votes: [UInt32: [Int: Int]] = [:]
    for (place, leaf) in leaves.enumerated() {
      for member in groups[group].tree.nodes[leaf].members {
        let entry = entries[Int(groups[group].entries[Int(member)])]
        if entry.pattern != 0 { votes[entry.pattern, default: [:]][place, default: 0] += entry.templates.count }
      }
    }
    var claims: [[(pattern: UInt32, votes: Int)]] = Array(repeating: [], count: leaves.count)
    for pattern in votes.keys.sorted() {
      let winner = votes[pattern]!.max { ($0.value, $1.key) < ($1.value, $0.key) }!
      claims[winner.key].append((pattern, winner.value))
    }
    for (place, leaf) in leaves.enumerated() {
      let members = groups[group].tree.nodes[leaf].members.map { Int(groups[group].entries[Int($0)]) }
      let kept: UInt32
      if let claim = claims[place].max(by: { ($0.votes, $1.pattern) < ($1.votes, $0.pattern) }) {
        kept = claim.pattern
      } else {
        kept = makePattern()
        // What comes out of a pattern that a person merged into another goes on with that.
        let origin: UInt32 = members.map { entries[$0].pattern }.first(where: { $0 != 0 }) ?? 0
        if let target = mergedInto[origin] { mergedInto[kept] = current(target) }
      }
      for claim in claims[place] where claim.pattern != kept { end(claim.pattern, into: kept, &changes) }
      groups[group].tree.setPattern(kept, of: leaf)
      for member in members { give(kept, to: member, &changes) }
    }
  }

  /// Lets the number `old` of a leaf that is no more go on in `new`.
  private mutating func end(_ old: UInt32, into new: UInt32, _ changes: inout Changes) {
    let (oldest, newest) = (current(old), current(new))
    if oldest == newest {
      if mergedInto[old] == nil {
        // A person merged `new` into `old`, whose leaf is gone: now the other way around.
        mergedInto[new] = nil
        mergedInto[old] = new
        retire(old, into: new, &changes)
        tellAll(of: new, &changes)
      }
      return
    }
    if mergedInto[old] == nil {
      mergedInto[old] = newest
      retire(old, into: newest, &changes)
      if newest != new { tellAll(of: newest, &changes) }
    } else {
      // A person merged `old` into another: what turned out to be the same kind follows.
      mergedInto[newest] = oldest
      retire(newest, into: oldest, &changes)
      tellAll(of: oldest, &changes)
    }
  }

  mutating func makePattern() -> UInt32 {
    lastPattern += 1
    return lastPattern
  }

  private mutating func give(_ pattern: UInt32, to entry: Int, _ changes: inout Changes) {
    guard entries[entry].pattern != pattern else { return }
    entries[entry].pattern = pattern
    let shown = current(pattern)
    for template in entries[entry].templates where pinned[template] == nil {
      changes.assignments.append(Assignment(template: template, pattern: shown))
    }
  }
}
