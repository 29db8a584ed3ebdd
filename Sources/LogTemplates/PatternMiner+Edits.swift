internal import Domain

/// What people do to patterns, and what follows from it.
///
/// A merge is an alias: the templates stay where the tree has them, and the pattern is called by another's number. A
/// split pins templates to a pattern of their own. Both hold for templates yet to come.
extension PatternMiner {
  package enum EditError: Error, Equatable, Sendable {
    /// No pattern or template has this number.
    case unknown(UInt32)
    /// The two are one pattern already.
    case same(UInt32)
    /// Nothing would be left of the pattern.
    case nothingLeft(UInt32)
  }

  /// Lets all that belongs to `old` belong to `new` from now on, by the wish of a person.
  package mutating func merge(_ old: UInt32, into new: UInt32) throws(EditError) -> Changes {
    let (old, new) = (current(old), current(new))
    for pattern in [old, new] where living[pattern] == nil { throw .unknown(pattern) }
    guard old != new else { throw .same(new) }
    var changes = Changes()
    mergedInto[old] = new
    retire(old, into: new, &changes)
    tellAll(of: new, &changes)
    return changes
  }

  /// Takes `templates`, which belong to one pattern, out of it: they become a pattern of their own. Where they are all of
  /// a signature, so do later templates of that signature. The number stays with the part that has more records.
  ///
  /// - Parameter recordCount: How many records a template has.
  package mutating func split(
    _ templates: [UInt32], recordCount: (UInt32) -> Int = { _ in 1 }
  ) throws(EditError) -> Changes {
    guard let first = templates.first, let origin = pattern(ofTemplate: first) else {
      throw .unknown(templates.first ?? 0)
    }
    let part = Set(templates)
    for template in part where pattern(ofTemplate: template) != origin { throw .unknown(template) }
    let rest = self.templates(of: origin).filter { !part.contains($0) }
    guard !rest.isEmpty else { throw .nothingLeft(origin) }

    var changes = Changes()
    let fresh = makePattern()
    func weight(_ templates: some Sequence<UInt32>) -> Int { templates.reduce(0) { $0 + max(recordCount($1), 0) } }
    // Leaves cannot lend their number to a part of them: the part is pinned to a fresh number either way, and where it
    // is the larger one, the two numbers change places.
    let isLarger = weight(part) > weight(rest)
    let pin = isLarger ? origin : fresh
    if isLarger { rename(origin, to: fresh) }
    for template in part { pinned[template] = pin }
    for index in entries.indices
    where !entries[index].templates.isEmpty && entries[index].templates.allSatisfy({ part.contains($0) }) {
      entries[index].pin = pin
    }
    living[pin] = Living(group: -1, leaf: -1, told: living[pin]?.told ?? 0)
    for template in (isLarger ? rest : Array(part)).sorted() {
      changes.assignments.append(Assignment(template: template, pattern: fresh))
    }
    for pattern in [origin, fresh] {
      if let text = text(of: pattern) { tell(pattern, text.text, text.namedText, &changes) }
    }
    return changes
  }

  /// Gives all that has the number `old`, but for what it was merged from, the number `new`.
  private mutating func rename(_ old: UInt32, to new: UInt32) {
    for index in entries.indices where entries[index].pattern == old { entries[index].pattern = new }
    for index in entries.indices where entries[index].pin == old { entries[index].pin = new }
    for (template, pattern) in pinned where pattern == old { pinned[template] = new }
    for (from, to) in mergedInto where to == old { mergedInto[from] = new }
    if var place = living[old] {
      if place.group >= 0 { groups[Int(place.group)].tree.setPattern(new, of: Int(place.leaf)) }
      place.told = 0
      living[new] = place
    }
    if overflowPattern == old { overflowPattern = new }
  }

  /// The templates that belong to `pattern`, ascending.
  package func templates(of pattern: UInt32) -> [UInt32] {
    let pattern = current(pattern)
    return entryOfTemplate.keys.filter { self.pattern(ofTemplate: $0) == pattern }.sorted()
  }

  // MARK: What follows

  /// Ends a living number.
  mutating func retire(_ old: UInt32, into new: UInt32, _ changes: inout Changes) {
    if let source = sourceOfPattern.removeValue(forKey: old) { patternCountOfSource[source]! -= 1 }
    // One that was never told of ended before anybody knew it.
    guard let known = living.removeValue(forKey: old), known.told != 0 else { return }
    changes.merges.append(Merge(old: old, new: new))
  }

  /// Tells of every template that belongs to `pattern`.
  mutating func tellAll(of pattern: UInt32, _ changes: inout Changes) {
    for template in templates(of: pattern) {
      changes.assignments.append(Assignment(template: template, pattern: pattern))
    }
  }

  /// The text of a pattern that a person made by a split: what its signatures share.
  func textOfPinned(_ pattern: UInt32) -> (String, String) {
    let members = Set(pinned.lazy.filter { $0.value == pattern }.compactMap { self.entryOfTemplate[$0.key] }).sorted()
    guard let first = members.first(where: { $0 >= 0 }).map({ entries[Int($0)] }) else { return ("<*>", "<*>") }
    let tree = groups[Int(first.group)].tree
    var tokens = Array(tree.signature(Int(first.member)))
    var pieces = Array(tree.pieces(Int(first.member)))
    for member in members where member >= 0 && entries[Int(member)].group == first.group {
      let other = Int(entries[Int(member)].member)
      for (position, token) in tree.signature(other).enumerated() where token != tokens[position] {
        tokens[position] = PatternVocabulary.wildcard
      }
      for (position, piece) in tree.pieces(other).enumerated() {
        pieces[position] = pieces[position].joined(with: piece)
      }
    }
    return text(width: tree.width) { (tokens[$0], pieces[$0]) }
  }

  /// Reads templates once more, now that the columns before their message are known. The last is new. A pattern that
  /// loses all its templates by it goes on in that of the first.
  mutating func readAgain(
    _ templates: [(number: UInt32, template: Template)], source: UInt32?, _ changes: inout Changes
  ) {
    var left: [UInt32: UInt32] = [:]
    for (number, template) in templates {
      if let entry = entryOfTemplate[number], pinned[number] == nil, entry >= 0 {
        let old = pattern(ofTemplate: number)!
        entries[Int(entry)].templates.removeAll { $0 == number }
        entryOfTemplate[number] = nil
        if left[old] == nil { left[old] = number }
      } else if entryOfTemplate[number] != nil {
        continue
      }
      reader.read(template, frames: &frames)
      takeIn(number, source, &changes)
    }
    let inUse = Set(entryOfTemplate.keys.compactMap { self.pattern(ofTemplate: $0) })
    for old in left.keys.sorted() where !inUse.contains(old) && mergedInto[old] == nil {
      let new = pattern(ofTemplate: left[old]!)!
      mergedInto[old] = new
      retire(old, into: new, &changes)
    }
  }
}
