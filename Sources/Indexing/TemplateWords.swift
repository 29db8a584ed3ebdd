package import Domain
import Synchronization

/// Which templates of a tenant hold a word in their literals, so that a phrase need not be looked for in each of many
/// thousand templates.
///
/// A word lies wholly in one literal or in one variable, as the decomposer promises: a template without the word in its
/// literals, and without a slot that can hold one, has no message with it.
package final class TemplateWords: Sendable {
  /// What is known of the messages of a template, without a look at its text: one byte a template, for there are many.
  package enum Knowledge {
    /// A literal may hold the words, or it can't be told.
    @inlinable package static var nothing: UInt8 { 0 }
    /// A literal holds the only word.
    @inlinable package static var inLiteral: UInt8 { 1 }
    /// No message holds them.
    @inlinable package static var none: UInt8 { 2 }
    /// No literal holds them; variables may.
    @inlinable package static var variablesOnly: UInt8 { 3 }
  }

  /// Fewer templates are walked in less time than their words take memory.
  static let templatesMin = 2_000

  fileprivate struct State {
    /// By word in lower case: the numbers of the templates that have it in a literal, ascending.
    var templates: [[UInt8]: [UInt32]] = [:]
    /// By template: what is known if a word is in none of its literals.
    var without: [UInt8] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// What is known of each template, by number, up to `count`: values of `Knowledge`; nil if nothing.
  ///
  /// - Parameters:
  ///   - words: All of them stand in every message that is looked for, as whole words in any case. Without digits, and of
  ///     ASCII alone, in lower case.
  ///   - template: By number.
  package func knowledge(of words: [[UInt8]], count: Int, template: (UInt32) -> Template?) -> [UInt8]? {
    if count < TemplateWords.templatesMin || words.isEmpty { return nil }
    return state.withLock { state in
      while state.without.count < count {
        guard let next = template(UInt32(state.without.count)) else { break }
        state.take(next)
      }
      var holders: [UInt32]?
      for word in words {
        let ofWord = state.templates[word, default: []]
        holders = holders.map { TemplateWords.intersection($0, ofWord) } ?? ofWord
      }
      var known = state.without
      // One word may stand in a literal and the next in a variable: what is told apart here is only that some are in none.
      for number in holders ?? [] { known[Int(number)] = words.count == 1 ? Knowledge.inLiteral : Knowledge.nothing }
      if words.count > 1 {
        for number in known.indices where known[number] == Knowledge.variablesOnly {
          known[number] = Knowledge.nothing
        }
      }
      return known
    }
  }

  private static func intersection(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
    var both: [UInt32] = []
    var place = 0
    for number in left {
      while place < right.count, right[place] < number { place += 1 }
      if place < right.count, right[place] == number { both.append(number) }
    }
    return both
  }
}

extension TemplateWords.State {
  fileprivate mutating func take(_ template: Template) {
    let number = UInt32(without.count)
    var isPlain = true
    for literal in template.literals {
      // Letters outside ASCII have cases that this table does not know.
      if literal.contains(where: { $0 >= 0x80 }) { isPlain = false }
      let lowercased = literal.map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 0x20 : $0 }
      for word in WordTokenizer.words(of: lowercased) {
        if templates[word]?.last != number { templates[word, default: []].append(number) }
      }
    }
    without.append(
      !isPlain
        ? TemplateWords.Knowledge.nothing
        : template.slots.contains(where: \.mayHoldLetters)
          ? TemplateWords.Knowledge.variablesOnly : TemplateWords.Knowledge.none)
  }
}

extension SlotKind {
  /// Whether a word without a digit may stand in such a slot.
  fileprivate var mayHoldLetters: Bool {
    switch self {
    case .integer, .decimal, .ipv4, .hex, .duration: false
    case .uuid, .ipv6, .timestamp, .path, .quoted, .word, .bytes: true
    }
  }
}
