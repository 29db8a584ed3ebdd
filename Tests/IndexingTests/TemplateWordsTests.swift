import Domain
import Testing

@testable import Indexing

@Suite struct TemplateWordsTests {
  private typealias Known = TemplateWords.Knowledge

  /// So many that words are worth a table.
  private func knowledge(of words: String..., in texts: [[UInt8]]) -> [UInt8]? {
    let templates = texts + Array(repeating: Array("filler".utf8), count: TemplateWords.templatesMin)
    let known = TemplateWords().knowledge(of: words.map { Array($0.utf8) }, count: templates.count) {
      Template(text: templates[Int($0)])
    }
    return known.map { Array($0.prefix(texts.count)) }
  }

  private func text(_ literal: String, _ slots: SlotKind..., then rest: String = "") -> [UInt8] {
    Array(literal.utf8) + slots.flatMap { [Template.slotMarker, $0.rawValue] } + Array(rest.utf8)
  }

  @Test func `a word is in a literal, in a variable, or nowhere`() {
    let texts = [
      text("disk is Full"), text("disk is fullest"), text("took ", .integer, then: " ms"), text("user ", .word),
      text("path ", .path, then: " is full"),
    ]
    #expect(
      knowledge(of: "full", in: texts) == [
        Known.inLiteral, Known.none, Known.none, Known.variablesOnly, Known.inLiteral,
      ])
    #expect(
      knowledge(of: "absent", in: texts) == [
        Known.none, Known.none, Known.none, Known.variablesOnly, Known.variablesOnly,
      ])
  }

  @Test func `of several words nothing is sure but that a template has room for none`() {
    let texts = [text("disk is full"), text("disk is fine"), text("user ", .word), text("full ", .word)]
    #expect(knowledge(of: "disk", "full", in: texts) == [Known.nothing, Known.none, Known.nothing, Known.nothing])
  }

  @Test func `letters outside ASCII are left to a look at the text`() {
    #expect(
      knowledge(of: "strasse", in: [text("STRASSE"), text("Stra\u{DF}e"), text("\u{212A}elvin")])
        == [Known.inLiteral, Known.nothing, Known.nothing])
  }

  @Test func `few templates are not worth a table`() {
    #expect(TemplateWords().knowledge(of: [Array("a".utf8)], count: 10) { _ in Template(text: []) } == nil)
  }

  @Test func `templates that come later are known too`() {
    let words = TemplateWords()
    func known(_ count: Int) -> UInt8? {
      words.knowledge(of: [Array("seven".utf8)], count: count) { number in
        Template(text: Array((number % 1000 == 7 ? "seven of them" : "others").utf8))
      }?.last
    }
    #expect(known(TemplateWords.templatesMin) == Known.none)
    #expect(known(3_008) == Known.inLiteral)
  }
}
