package import Domain

/// A `ValueTest` made ready to run on bytes.
package struct ValueMatcher: Sendable {
  private let kind: Kind
  /// Whether a missing field passes.
  package private(set) var matchesEmpty = false
  /// Words that every matching value holds as whole words, as `WordTokenizer` finds them.
  package let requiredWords: [[UInt8]]
  /// Words of letters that every matching value holds as whole words in any case; in lower case, of ASCII alone. Known
  /// for phrases.
  package let plainWords: [[UInt8]]
  /// Whether every value passes that holds the only one of `plainWords`.
  package let isPlainWord: Bool
  /// Texts that every matching value contains.
  package let requiredTexts: [RequiredText]
  /// The same, made ready to be looked for in templates.
  package let searches: [TemplateSearch]

  private enum Kind: Sendable {
    case always
    case nonEmpty
    case empty
    case phrase(PhraseMatcher)
    case phrasePrefix(PhraseMatcher)
    case substring([UInt8])
    case exact([UInt8])
    case exactPrefix([UInt8])
    case regexp(RegularExpression)
    case folded(FoldedPhraseMatcher)
    case sequence([PhraseMatcher])
    case oneOf(ValueSet)
    case all([PhraseMatcher], needsEmpty: Bool)
    case any([PhraseMatcher], acceptsEmpty: Bool)
    case numeric(lower: Double, upper: Double)
    case string(lower: [UInt8]?, lowerInclusive: Bool, upper: [UInt8]?, upperInclusive: Bool)
    case ipv4(UInt32, UInt32)
    case length(UInt64, UInt64)
    case pattern(PlaceholderPattern)
  }

  /// Throws only for a regular expression that does not compile.
  package init(_ test: ValueTest) throws(QueryError) {
    var words: [[UInt8]] = []
    var texts: [RequiredText?] = []

    /// What a phrase needs.
    func need(_ phrase: [UInt8], isPrefix: Bool = false) {
      words += ByteSearch.innerWords(of: phrase, openStart: false, openEnd: isPrefix)
      texts.append(RequiredText([phrase]))
    }
    func anyOf(_ phrases: some Sequence<[UInt8]>) -> Kind {
      let all = Array(phrases)
      if all.count == 1 { need(all[0]) } else { texts = [RequiredText(all)] }
      return .any(all.filter { !$0.isEmpty }.map { PhraseMatcher($0) }, acceptsEmpty: all.contains([]))
    }
    func equalTo(_ values: some Collection<[UInt8]>) -> Kind {
      if values.count == 1, let value = values.first { need(value) } else { texts = [RequiredText(values)] }
      return .oneOf(ValueSet(values))
    }

    switch test {
    case .phrase(let phrase):
      need(phrase)
      kind = phrase.isEmpty ? .empty : .phrase(PhraseMatcher(phrase))
    case .phrasePrefix(let phrase):
      need(phrase, isPrefix: true)
      kind = phrase.isEmpty ? .nonEmpty : .phrasePrefix(PhraseMatcher(phrase, isPrefix: true))
    case .substring(let text):
      words = ByteSearch.innerWords(of: text, openStart: true, openEnd: true)
      texts = [RequiredText([text])]
      kind = text.isEmpty ? .always : .substring(text)
    case .exact(let value):
      need(value)
      kind = value.isEmpty ? .empty : .exact(value)
    case .exactPrefix(let prefix):
      need(prefix, isPrefix: true)
      kind = prefix.isEmpty ? .always : .exactPrefix(prefix)
    case .regexp(let pattern):
      let expression = try RegularExpression(pattern)
      texts = expression.requiredTexts
      for text in expression.requiredTexts where text.alternatives.count == 1 && !text.ignoresCase {
        words += ByteSearch.innerWords(of: text.alternatives[0], openStart: true, openEnd: true)
      }
      if let text = expression.literal {
        kind = text.isEmpty ? .always : .substring(text)
      } else {
        kind = .regexp(expression)
      }
    case .caseInsensitivePhrase(let phrase):
      if phrase.allSatisfy({ $0 < 0x80 }) { texts = [RequiredText([phrase], ignoresCase: true)] }
      kind = phrase.isEmpty ? .empty : .folded(FoldedPhraseMatcher(phrase))
    case .caseInsensitivePrefix(let phrase):
      if phrase.allSatisfy({ $0 < 0x80 }) { texts = [RequiredText([phrase], ignoresCase: true)] }
      kind = phrase.isEmpty ? .nonEmpty : .folded(FoldedPhraseMatcher(phrase, isPrefix: true))
    case .sequence(let phrases):
      for phrase in phrases { need(phrase) }
      let matchers = phrases.filter { !$0.isEmpty }.map { PhraseMatcher($0) }
      kind = matchers.isEmpty ? .always : .sequence(matchers)
    case .oneOf(let values): kind = equalTo(values)
    case .containsAll(let phrases):
      for phrase in phrases { need(phrase) }
      kind = .all(phrases.filter { !$0.isEmpty }.map { PhraseMatcher($0) }, needsEmpty: phrases.contains([]))
    case .containsAny(let phrases): kind = anyOf(phrases)
    case .containsCommonCase(let phrases):
      kind = anyOf(Set(phrases.flatMap(CommonCase.spellings)).sorted { $0.lexicographicallyPrecedes($1) })
    case .equalsCommonCase(let phrases): kind = equalTo(Set(phrases.flatMap(CommonCase.spellings)))
    case .numericRange(let lower, let upper): kind = .numeric(lower: lower, upper: upper)
    case .stringRange(let lower, let lowerInclusive, let upper, let upperInclusive):
      kind = .string(lower: lower, lowerInclusive: lowerInclusive, upper: upper, upperInclusive: upperInclusive)
    case .ipv4Range(let first, let last): kind = .ipv4(first, last)
    case .lengthRange(let least, let most): kind = .length(least, most)
    case .patternMatch(let pattern, let full):
      let pattern = PlaceholderPattern(pattern, full: full)
      texts = pattern.literals.map { RequiredText([$0]) }
      for literal in pattern.literals { words += ByteSearch.innerWords(of: literal, openStart: true, openEnd: true) }
      kind = .pattern(pattern)
    case .any: kind = .nonEmpty
    case .empty: kind = .empty
    }
    requiredWords = words
    plainWords = ValueMatcher.plainWords(of: test)
    isPlainWord =
      if case .caseInsensitivePhrase(let phrase) = test {
        plainWords.count == 1 && plainWords[0].count == phrase.count
      } else { false }
    requiredTexts = texts.compactMap(\.self)
    let (wholeStart, wholeEnd) = ValueMatcher.keepsWords(test)
    searches = requiredTexts.map { TemplateSearch($0, wholeStart: wholeStart, wholeEnd: wholeEnd) }
    matchesEmpty = matches(UnsafeBufferPointer(start: nil, count: 0))
  }

  private static func plainWords(of test: ValueTest) -> [[UInt8]] {
    guard case .phrase(let phrase) = test else {
      guard case .caseInsensitivePhrase(let phrase) = test else { return [] }
      return plainWords(of: .phrase(phrase))
    }
    // Outside ASCII a letter's other case may lie inside it.
    guard phrase.allSatisfy({ $0 < 0x80 }) else { return [] }
    return WordTokenizer.words(of: phrase.map(RequiredText.lowercased)).filter { word in
      !word.contains { $0 &- UInt8(ascii: "0") < 10 }
    }
  }

  /// Whether the test's texts begin, and end, where words do.
  private static func keepsWords(_ test: ValueTest) -> (start: Bool, end: Bool) {
    switch test {
    case .phrase, .caseInsensitivePhrase, .exact, .sequence, .oneOf, .containsAll, .containsAny, .containsCommonCase,
      .equalsCommonCase:
      (true, true)
    case .phrasePrefix, .caseInsensitivePrefix, .exactPrefix: (true, false)
    default: (false, false)
    }
  }

  /// `matches` for many values.
  package func predicate() -> (UnsafeBufferPointer<UInt8>) -> Bool {
    if case .regexp(let expression) = kind { return expression.predicate() }
    return matches
  }

  package func matches(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    switch kind {
    case .always: return true
    case .nonEmpty: return !value.isEmpty
    case .empty: return value.isEmpty
    case .phrase(let phrase), .phrasePrefix(let phrase): return phrase.matches(value)
    case .substring(let text): return ByteSearch.contains(value, text)
    case .exact(let text): return value.count == text.count && value.elementsEqual(text)
    case .exactPrefix(let text): return value.starts(with: text)
    case .regexp(let expression): return expression.matches(value)
    case .folded(let phrase): return phrase.matches(value)
    case .sequence(let phrases):
      var index = 0
      for phrase in phrases {
        guard let end = phrase.end(in: value, from: index) else { return false }
        index = end
      }
      return true
    case .oneOf(let values): return values.contains(value)
    case .all(let phrases, let needsEmpty):
      return (!needsEmpty || value.isEmpty) && phrases.allSatisfy { $0.matches(value) }
    case .any(let phrases, let acceptsEmpty):
      return acceptsEmpty && value.isEmpty || phrases.contains { $0.matches(value) }
    case .numeric(let lower, let upper):
      guard let number = FieldNumber.value(value) else { return false }
      return lower <= number && number <= upper
    case .string(let lower, let lowerInclusive, let upper, let upperInclusive):
      if let lower {
        let below = value.lexicographicallyPrecedes(lower)
        if below || !lowerInclusive && value.elementsEqual(lower) { return false }
      }
      if let upper {
        let below = value.lexicographicallyPrecedes(upper)
        if !below, !(upperInclusive && value.elementsEqual(upper)) { return false }
      }
      return true
    case .ipv4(let first, let last):
      guard let address = FieldNumber.ipv4(value) else { return false }
      return first <= address && address <= last
    case .length(let least, let most):
      var count: UInt64 = 0
      for byte in value where byte & 0xC0 != 0x80 { count += 1 }
      return least <= count && count <= most
    case .pattern(let pattern): return pattern.matches(value)
    }
  }
}

// MARK: - Templates

/// What a template says about all messages made from it.
package enum TemplateVerdict: Sendable, Equatable {
  /// Every message of the template passes; no message does; it depends on the variables.
  case all, none, maybe

  static func && (left: TemplateVerdict, right: TemplateVerdict) -> TemplateVerdict {
    left == .none || right == .none ? .none : left == .all && right == .all ? .all : .maybe
  }

  static func || (left: TemplateVerdict, right: TemplateVerdict) -> TemplateVerdict {
    left == .all || right == .all ? .all : left == .none && right == .none ? .none : .maybe
  }
}

extension ValueMatcher {
  /// Whether a message passes just if one of its template's literals does, or one of its variables, or some text across
  /// an edge between them: so the parts can be asked instead of the whole.
  package var isLocal: Bool {
    switch kind {
    case .phrase, .phrasePrefix, .substring, .folded: true
    case .any(_, let acceptsEmpty): !acceptsEmpty
    default: false
    }
  }

  /// What `template` alone says, whatever its variables are.
  ///
  /// Sound under what the decomposer promises: a word lies wholly in one literal or in one slot; a word with a digit
  /// lies in no literal; slots of numeric kinds hold only words with a digit. (Slots may be empty, and hold any bytes
  /// otherwise.)
  ///
  /// - Complexity: About a nanosecond a byte of the template for each required text.
  package func verdict(on template: Template) -> TemplateVerdict {
    var mayBeInLiteral = searches.isEmpty
    for search in searches {
      let places = search.places(in: template)
      if places.isNowhere { return .none }
      if places.inLiteral { mayBeInLiteral = true }
    }
    // Only a text that stands in a literal can be there whatever the variables are.
    if !mayBeInLiteral, isLocal { return .maybe }
    return verdict(on: TemplateText(template))
  }

  private func verdict(on template: TemplateText) -> TemplateVerdict {
    if !template.hasSlots {
      return template.literals[0].withUnsafeBufferPointer(matches) ? .all : .none
    }
    switch kind {
    case .always: return .all
    case .nonEmpty: return template.literals.contains { !$0.isEmpty } ? .all : .maybe
    case .empty: return template.literals.contains { !$0.isEmpty } ? .none : .maybe
    case .phrase(let phrase), .phrasePrefix(let phrase): return template.verdict(on: phrase)
    case .substring(let text): return template.verdict(onSubstring: text)
    case .exact(let text): return template.canEqual(text) ? .maybe : .none
    case .exactPrefix(let text):
      return template.literals[0].starts(with: text) ? .all : template.canStart(with: text) ? .maybe : .none
    case .regexp(let expression):
      // What a literal alone answers, its surroundings cannot take back, unless the expression looks at them.
      let isSure =
        !expression.hasAssertions && template.literals.contains { $0.withUnsafeBufferPointer(expression.matches) }
      return isSure ? .all : .maybe
    case .folded(let phrase): return template.verdict(on: phrase)
    case .sequence(let phrases):
      var next = 0
      for literal in template.literals {
        literal.withUnsafeBufferPointer { literal in
          var index = 0
          while next < phrases.count, let end = phrases[next].end(in: literal, from: index) {
            index = end
            next += 1
          }
        }
      }
      if next == phrases.count { return .all }
      return phrases.contains { template.verdict(on: $0) == .none } ? .none : .maybe
    case .oneOf(let values): return values.values.contains(where: template.canEqual) ? .maybe : .none
    case .all(let phrases, let needsEmpty):
      let all = phrases.reduce(TemplateVerdict.all) { $0 == .none ? .none : $0 && template.verdict(on: $1) }
      return needsEmpty ? all && (template.literals.contains { !$0.isEmpty } ? .none : .maybe) : all
    case .any(let phrases, let acceptsEmpty):
      let any = phrases.reduce(TemplateVerdict.none) { $0 == .all ? .all : $0 || template.verdict(on: $1) }
      return acceptsEmpty ? any || (template.literals.contains { !$0.isEmpty } ? .none : .maybe) : any
    case .length(_, let most):
      var count: UInt64 = 0
      for literal in template.literals { for byte in literal where byte & 0xC0 != 0x80 { count += 1 } }
      return count > most ? .none : .maybe
    case .pattern(let pattern):
      return pattern.literals.contains { template.verdict(onSubstring: $0) == .none } ? .none : .maybe
    case .numeric, .string, .ipv4: return .maybe
    }
  }
}
