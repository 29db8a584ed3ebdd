import Domain
import Indexing
import LogBlocks
import LogQuery

/// A test on messages, with what it has learned of each template.
final class MessageTest: @unchecked Sendable {
  // Sendable: the verdicts are written only by the one task that runs the query; a plan is not shared between queries.
  let matcher: ValueMatcher
  /// The matcher's test.
  let passes: (UnsafeBufferPointer<UInt8>) -> Bool
  /// For each of the matcher's searches: by a slot's character classes, what its values can be part of.
  let slotMasks: [[UInt64]]
  /// For each of the matcher's searches: its runs of letters, and what of its text they are.
  let letterRuns: [[(run: LetterRun, ignoresCase: Bool, mask: UInt64)]]
  /// By template: `TemplateWords.Knowledge`, or what a look at it has shown.
  private var verdicts: [UInt8] = []
  private static var all: UInt8 { 4 }
  private static var maybe: UInt8 { 5 }
  private var walks: [(inVariables: [UInt64], isRuledOut: Bool)?] = []
  private let templates: any TemplateSource

  init(_ matcher: ValueMatcher, templates: any TemplateSource) {
    self.matcher = matcher
    passes = matcher.predicate()
    self.templates = templates
    verdicts = templates.knowledge(of: matcher.plainWords) ?? []
    letterRuns = matcher.searches.map { search in
      search.runs.compactMap { run in
        LetterRun(run.letters, isWholeStart: run.isWholeStart, isWholeEnd: run.isWholeEnd).map {
          ($0, search.text.ignoresCase, run.mask)
        }
      }
    }
    slotMasks = matcher.searches.map { search in
      let masks = search.masks(ofClasses: MessageTest.classOfByte)
      return (0...255).map { classes in
        masks.indices.reduce(0) { classes >> $1 & 1 == 1 ? $0 | masks[$1] : $0 }
      }
    }
  }

  private init(_ other: MessageTest, templates: any TemplateSource) {
    matcher = other.matcher
    passes = other.matcher.predicate()
    slotMasks = other.slotMasks
    letterRuns = other.letterRuns
    verdicts = other.verdicts
    self.templates = templates
  }

  /// The same test for another thread.
  func copy(for templates: any TemplateSource) -> MessageTest { MessageTest(self, templates: templates) }

  private static let classOfByte: [UInt8] = (0...255).map { CharacterClasses(of: CollectionOfOne($0)).rawValue }

  /// What the template alone says; asked once for each template of a query.
  func verdict(on number: UInt32) -> TemplateVerdict {
    let index = Int(number)
    if index >= verdicts.count { verdicts.append(contentsOf: repeatElement(0, count: index + 1 - verdicts.count)) }
    switch verdicts[index] {
    case TemplateWords.Knowledge.none: return .none
    case MessageTest.all: return .all
    case MessageTest.maybe, TemplateWords.Knowledge.variablesOnly: return .maybe
    case TemplateWords.Knowledge.inLiteral where matcher.isPlainWord: return .all
    default:
      guard let template = templates.template(number) else { return .maybe }
      let verdict = matcher.verdict(on: template)
      verdicts[index] =
        verdict == .all ? MessageTest.all : verdict == .none ? TemplateWords.Knowledge.none : MessageTest.maybe
      return verdict
    }
  }

  /// Whether no message of the template can pass where variables hold no more than `inVariables` of the searches' texts.
  ///
  /// What was found out for one source is remembered: the next mostly holds the same letters.
  func rulesOut(_ number: UInt32, _ inVariables: [UInt64]) -> Bool {
    // Where variables may hold everything, the verdict has said what there is to say.
    if inVariables.allSatisfy({ $0 == .max }) { return false }
    let index = Int(number)
    if verdicts[index] == TemplateWords.Knowledge.variablesOnly, inVariables.allSatisfy({ $0 == 0 }) { return true }
    if index >= walks.count { walks.append(contentsOf: repeatElement(nil, count: index + 1 - walks.count)) }
    if let known = walks[index], known.inVariables == inVariables { return known.isRuledOut }
    guard let template = templates.template(number) else { return false }
    let isRuledOut = matcher.searches.indices.contains { index in
      var places = matcher.searches[index].places(in: template, allowed: inVariables[index])
      if matcher.isLocal { places.inLiteral = false }
      return places.isNowhere
    }
    walks[index] = (inVariables, isRuledOut)
    return isRuledOut
  }
}

extension FilterEvaluator {
  /// The rows whose messages pass.
  func matchMessages(_ test: MessageTest, within candidates: RowSet) throws -> RowSet {
    var whole = NumberSet()
    var rows = RowSet(rowCount: candidates.rowCount, full: false)
    try scanMessages(test, within: candidates, whole: { whole.insert($0.number) }, into: &rows)
    if whole.count == source.templateCounts.count { return candidates }
    if !whole.isEmpty {
      var wholeRows = RowSet(rowCount: source.count, bits: try source.rows(whereTemplate: whole.contains))
      wholeRows.formIntersection(candidates)
      rows.formUnion(wholeRows)
    }
    return rows
  }

  /// How many messages pass. Templates that pass as a whole cost nothing.
  func countMessages(_ test: MessageTest) throws -> Int {
    var count = 0
    var rows = RowSet(rowCount: source.count, full: false)
    try scanMessages(
      test, within: RowSet(rowCount: source.count, full: true), whole: { count += Int($0.count) }, into: &rows)
    return count + rows.count
  }

  /// Decides templates by their text; looks at variables only where a template leaves it open, and there first at those
  /// slots that can hold what is looked for.
  ///
  /// - Parameters:
  ///   - whole: Takes each template of which every message passes.
  ///   - rows: Takes the rows of the other templates that pass; only candidates.
  private func scanMessages(
    _ test: MessageTest, within candidates: RowSet, whole: (NumberCount) -> Void, into rows: inout RowSet
  ) throws {
    // Such a word stands in no literal: without it in a variable, no message has it.
    for word in test.matcher.requiredWords where try !source.variablesMayContain(word: word) {
      ruledOut = .tokens
      return
    }
    var open: [UInt32] = []
    for entry in source.templateCounts {
      switch test.verdict(on: entry.number) {
      case .all: whole(entry)
      case .none: continue
      case .maybe: open.append(entry.number)
      }
    }
    if open.isEmpty {
      ruledOut = .templates
      return
    }
    // A run of letters that no variable holds stands in none: what is left for slots.
    let inVariables = try test.letterRuns.map { runs in
      try runs.reduce(UInt64.max) { mask, entry in
        try source.variablesMayContain(entry.run, ignoringCase: entry.ignoresCase) ? mask : mask & ~entry.mask
      }
    }
    var isAnyLeft = false
    for number in open {
      if try scan(number, test, inVariables, within: candidates, into: &rows) { isAnyLeft = true }
    }
    if !isAnyLeft { ruledOut = .tokens }
  }

  /// - Returns: Whether variables had to be looked at.
  private func scan(
    _ number: UInt32, _ test: MessageTest, _ inVariables: [UInt64], within candidates: RowSet, into rows: inout RowSet
  ) throws -> Bool {
    let matcher = test.matcher
    let passes = test.passes
    if test.rulesOut(number, inVariables) { return false }
    let template = try names.requiredTemplate(number)
    // The required text that leaves the fewest slots to look at.
    var best: (text: RequiredText, slots: UInt64)?
    for (index, search) in matcher.searches.enumerated() {
      var places = try search.places(in: template, allowed: inVariables[index]) { slot in
        test.slotMasks[index][Int(try source.characterClasses(ofTemplate: number, slot: slot).rawValue)]
      }
      // A local test that could pass by a literal alone would have passed all messages.
      if matcher.isLocal { places.inLiteral = false }
      if places.isNowhere { return false }
      if places.inLiteral || places.acrossEdge { continue }
      if best.map({ places.slots.nonzeroBitCount < $0.slots.nonzeroBitCount }) ?? true {
        best = (search.text, places.slots)
      }
    }
    guard let best else {
      try source.forEachMessage(ofTemplate: number, template: template, within: candidates.words) { row, message in
        if passes(message) { rows.insert(row) }
        return true
      }
      return true
    }
    var found = RowSet(rowCount: candidates.rowCount, full: false)
    var hasFound = false
    var slots = best.slots
    while slots != 0 {
      let slot = slots.trailingZeroBitCount
      slots &= slots - 1
      let mayHold = try best.text.alternatives.contains {
        try source.slotMayContain($0, ignoringCase: best.text.ignoresCase, ofTemplate: number, slot: slot)
      }
      if !mayHold { continue }
      try source.forEachRow(
        ofTemplate: number, slot: slot,
        where: { matcher.isLocal ? passes($0) : best.text.isContained(in: $0) }
      ) { row in
        found.insert(row)
        hasFound = true
      }
    }
    if !hasFound { return true }
    found.formIntersection(candidates)
    if matcher.isLocal {
      rows.formUnion(found)
      return true
    }
    try source.forEachMessage(ofTemplate: number, template: template, within: found.words) { row, message in
      if passes(message) { rows.insert(row) }
      return true
    }
    return true
  }
}
