package import Domain

/// Finds for each template the pattern it belongs to: what a person would call the same kind of line.
///
/// Deterministic: inserting the same templates in the same order into a fresh miner gives the same patterns, numbers
/// and merges, so nothing but the template table need be stored. Templates are inserted in the order of their numbers.
///
/// Work is done for a new template only. Most have the signature of one seen before and cost one look-up; the rest walk
/// down one `PatternTree`, that of all signatures with as many tokens and the same punctuation.
package struct PatternMiner: Sendable {
  /// What one insertion changed.
  package struct Changes: Equatable, Sendable {
    /// Templates whose pattern is new or another than before, the inserted one among them.
    package var assignments: [Assignment] = []
    /// Patterns that are new or whose text changed.
    package var texts: [PatternText] = []
    /// Patterns that ended, each with the one that took its templates over. Queries by the old number follow it.
    package var merges: [Merge] = []

    package init() {}
  }

  package struct Assignment: Equatable, Sendable {
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

  /// Signatures told apart, at most. Templates with a new one after that belong to one pattern, `<*>`, that is there
  /// for the rest.
  package let signaturesMax: Int

  private var vocabulary: PatternVocabulary
  private var groups: [Group] = []
  private var groupOfShape: [[Int32]: Int] = [:]
  private var entries: [Entry] = []
  private var entryOfKey: [[UInt8]: Int] = [:]
  private var patternOfTemplate: [UInt32: UInt32] = [:]
  private var living: [UInt32: PatternText] = [:]
  private var mergedInto: [UInt32: UInt32] = [:]
  private var lastPattern: UInt32 = 0
  private var overflowPattern: UInt32 = 0

  /// A distinct signature.
  private struct Entry {
    var shown: [PatternSignature.Token]
    var templates: [UInt32]
    /// 0 before the first is given.
    var pattern: UInt32 = 0
  }

  /// The signatures of one shape.
  private struct Group {
    var tree = PatternTree()
    /// For each of the tree's signatures its index in `entries`.
    var entries: [Int] = []
  }

  /// - Parameters:
  ///   - isDictionaryWord: Whether lowercase ASCII letters are a word of the language logs are written in: words are
  ///     kept apart longer than names are. Nil judges by shape. The same judge must be given at each replay.
  ///   - signaturesMax: Bounds memory, at about 1 KiB a signature. Must not change between replays either.
  package init(isDictionaryWord: (@Sendable ([UInt8]) -> Bool)? = nil, signaturesMax: Int = 50_000) {
    self.signaturesMax = signaturesMax
    vocabulary = PatternVocabulary(isDictionaryWord: isDictionaryWord)
  }

  /// The pattern that `template` belongs to now.
  package func pattern(ofTemplate template: UInt32) -> UInt32? { patternOfTemplate[template] }

  /// The pattern that stands for `pattern` now: itself, or what it was merged into.
  package func current(_ pattern: UInt32) -> UInt32 {
    var pattern = pattern
    while let next = mergedInto[pattern] { pattern = next }
    return pattern
  }

  /// The text of a living pattern.
  package func text(of pattern: UInt32) -> PatternText? { living[pattern] }

  /// The numbers of the living patterns, ascending.
  package var patterns: [UInt32] { living.keys.sorted() }

  /// Takes in the template `number`. Inserting a known number changes nothing.
  package mutating func insert(_ template: Template, number: UInt32) -> Changes {
    var changes = Changes()
    guard patternOfTemplate[number] == nil else { return changes }
    let tokens = PatternSignature(template).tokens
    let key = PatternMiner.key(of: tokens)
    if let known = entryOfKey[key] {
      entries[known].templates.append(number)
      assign(number, to: entries[known].pattern, &changes)
    } else if entries.count < signaturesMax {
      entryOfKey[key] = entries.count
      entries.append(Entry(shown: tokens, templates: [number]))
      place(entries.count - 1, &changes)
    } else {
      if overflowPattern == 0 { overflowPattern = makePattern() }
      assign(number, to: overflowPattern, &changes)
      tell(overflowPattern, text: "<*>", namedText: "<*>", &changes)
    }
    return changes
  }

  /// Equal for equal signatures: token texts, which no marker byte occurs in.
  private static func key(of tokens: [PatternSignature.Token]) -> [UInt8] {
    var key: [UInt8] = []
    for token in tokens {
      key += token.text
      key.append(Template.slotMarker)
    }
    return key
  }

  /// Puts the new signature `entry` into the tree of its shape, and gives patterns to all that this moved.
  private mutating func place(_ entry: Int, _ changes: inout Changes) {
    let signature = entries[entry].shown.map { vocabulary.number(of: $0.text) }
    var shape = [Int32(truncatingIfNeeded: signature.count)]
    shape += signature.filter { vocabulary.traits(of: $0).contains(.mark) }
    let group: Int
    if let known = groupOfShape[shape] {
      group = known
    } else {
      group = groups.count
      groupOfShape[shape] = group
      groups.append(Group())
    }
    groups[group].entries.append(entry)
    let leaves = groups[group].tree.insert(signature, vocabulary)
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
        let entry = entries[groups[group].entries[member]]
        if entry.pattern != 0 { votes[entry.pattern, default: [:]][place, default: 0] += entry.templates.count }
      }
    }
    var claims: [[(pattern: UInt32, votes: Int)]] = Array(repeating: [], count: leaves.count)
    for pattern in votes.keys.sorted() {
      let winner = votes[pattern]!.max { ($0.value, $1.key) < ($1.value, $0.key) }!
      claims[winner.key].append((pattern, winner.value))
    }
    for (place, leaf) in leaves.enumerated() {
      let kept = claims[place].max { ($0.votes, $1.pattern) < ($1.votes, $0.pattern) }?.pattern ?? makePattern()
      for claim in claims[place] where claim.pattern != kept {
        mergedInto[claim.pattern] = kept
        living[claim.pattern] = nil
        changes.merges.append(Merge(old: claim.pattern, new: kept))
      }
      groups[group].tree.setPattern(kept, of: leaf)
      for member in groups[group].tree.nodes[leaf].members { give(kept, to: groups[group].entries[member], &changes) }
    }
  }

  private mutating func makePattern() -> UInt32 {
    lastPattern += 1
    return lastPattern
  }

  private mutating func give(_ pattern: UInt32, to entry: Int, _ changes: inout Changes) {
    guard entries[entry].pattern != pattern else { return }
    entries[entry].pattern = pattern
    for template in entries[entry].templates { assign(template, to: pattern, &changes) }
  }

  private mutating func assign(_ template: UInt32, to pattern: UInt32, _ changes: inout Changes) {
    patternOfTemplate[template] = pattern
    changes.assignments.append(Assignment(template: template, pattern: pattern))
  }

  /// Signatures looked at for the names of a pattern's variables.
  private static let namingSignaturesMax = 16

  /// Tells the text of the pattern at `leaf` if it is new or another.
  private mutating func describe(_ leaf: Int, of group: Int, _ changes: inout Changes) {
    let node = groups[group].tree.nodes[leaf]
    let sample = node.members.prefix(PatternMiner.namingSignaturesMax).map { entries[groups[group].entries[$0]].shown }
    var text: [UInt8] = []
    var namedText: [UInt8] = []
    for (position, token) in sample[0].enumerated() {
      let isShared = node.fillers[position].distinct.count == 1
      if !token.lead.isEmpty, !text.isEmpty {
        text.append(0x20)
        namedText.append(0x20)
      }
      if isShared, !token.isWildcard {
        text += token.text
        namedText += token.text
      } else {
        let isSameMask = sample.allSatisfy { $0[position].isWildcard && $0[position].mask == token.mask }
        text += Array("<*>".utf8)
        namedText += Array((isSameMask ? token.mask : .any).name.utf8)
      }
      if isShared {
        text += token.trail
        namedText += token.trail
      }
    }
    tell(
      node.pattern, text: String(decoding: text, as: UTF8.self), namedText: String(decoding: namedText, as: UTF8.self),
      &changes)
  }

  private mutating func tell(_ pattern: UInt32, text: String, namedText: String, _ changes: inout Changes) {
    if let known = living[pattern], known.text == text, known.namedText == namedText { return }
    let told = PatternText(pattern: pattern, text: text, namedText: namedText, isNew: living[pattern] == nil)
    living[pattern] = told
    changes.texts.append(told)
  }
}
