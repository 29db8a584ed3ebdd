import Domain

extension QueryParse {
  mutating func filter() throws(QueryError) -> Filter { try disjunction(nil) }

  /// `a or b or …`. `field` is what a word without a field name is looked for in; nil is `_msg`.
  private mutating func disjunction(_ field: String?) throws(QueryError) -> Filter {
    try nested { (parse) throws(QueryError) in
      var branches: [Filter] = []
      repeat {
        let branch = try parse.conjunction(field)
        if case .or(let inner) = branch { branches += inner } else { branches.append(branch) }
      } while try parse.acceptConnective("or")
      if branches.count == 1 { return branches[0] }
      if branches.contains(where: { if case .all = $0 { true } else { false } }) { return .all }
      return .or(branches)
    }
  }

  /// `a b and c …`
  private mutating func conjunction(_ field: String?) throws(QueryError) -> Filter {
    var parts: [Filter] = []
    while true {
      let part = try negation(field)
      switch part {
      case .all: break
      case .and(let inner): parts += inner
      default: parts.append(part)
      }
      if try acceptConnective("and") { continue }
      if try isConnective("or") { break }
      switch token.kind {
      case .end, .symbol("|"), .symbol(")"): return QueryParse.all(parts)
      case .symbol(","), .symbol("]"), .symbol("}"), .symbol(":"):
        throw unexpected(expected: "a filter, `or`, `|` or the end of the query")
      default: break
      }
    }
    return QueryParse.all(parts)
  }

  /// `keyword`, unless it is the name of a field.
  private func isConnective(_ keyword: String) throws(QueryError) -> Bool {
    guard isKeyword(keyword) else { return false }
    return try lexer.peek().kind != .symbol(":")
  }

  private mutating func acceptConnective(_ keyword: String) throws(QueryError) -> Bool {
    guard try isConnective(keyword) else { return false }
    try lexer.advance()
    return true
  }

  private static func all(_ parts: [Filter]) -> Filter {
    parts.isEmpty ? .all : parts.count == 1 ? parts[0] : .and(parts)
  }

  /// `not a`, `!a`, `-a`
  private mutating func negation(_ field: String?) throws(QueryError) -> Filter {
    var isNegated = false
    while try acceptNegation() { isNegated.toggle() }
    let filter = try primary(field)
    return isNegated ? QueryParse.not(filter) : filter
  }

  /// `!`, `-`, or `not` unless it is the name of a field.
  private mutating func acceptNegation() throws(QueryError) -> Bool {
    if try accept(oneOf: "!", "-") { return true }
    guard isKeyword("not"), try lexer.peek().kind != .symbol(":") else { return false }
    try lexer.advance()
    return true
  }

  private static func not(_ filter: Filter) -> Filter {
    switch filter {
    case .not(let inner): inner
    case .all: .none
    case .none: .all
    default: .not(filter)
    }
  }

  private mutating func primary(_ field: String?) throws(QueryError) -> Filter {
    switch token.kind {
    case .end, .symbol(")"), .symbol("|"): throw unexpected(expected: "a filter, such as a word or `field:value`")
    case .symbol("("):
      let start = token
      try lexer.advance()
      let inner = try disjunction(field)
      guard try accept(")") else {
        if token.kind == .end { throw error("this `(` is not closed", at: start.column, expected: "`)`") }
        throw unexpected(expected: "`)`")
      }
      return inner
    case .symbol("{"):
      guard field == nil else { throw error("a stream filter takes no field", expected: "`_stream:{…}`") }
      return .stream(try streamFilter())
    case .word(let word):
      if isKeyword("and", "or"), try isConnective(word.lowercased()) {
        throw error("`\(word)` has nothing before it", expected: "a filter; quote the word to look for it")
      }
      if let named = try namedFilter() { return named }
      return try test(field ?? "_msg", isNamed: field != nil)
    case .quoted:
      if let named = try namedFilter() { return named }
      return try test(field ?? "_msg", isNamed: field != nil)
    default: return try test(field ?? "_msg", isNamed: field != nil)
    }
  }

  /// `field:…`, `field=…`, `field!=…`, `field~…`, `field>…`; nil if the current token is no field's name.
  private mutating func namedFilter() throws(QueryError) -> Filter? {
    let next = try lexer.peek()
    guard case .symbol(let symbol) = next.kind else { return nil }
    switch symbol {
    case ":":
      let name = try self.name("a field name")
      try lexer.advance()
      return try fieldFilter(name)
    case "=", "<", ">", "~":
      guard !next.isApart else { return nil }
      return try fieldFilter(try name("a field name"))
    case "!":
      let after = try lexer.peek(after: next)
      guard !next.isApart, !after.isApart, after.kind == .symbol("=") || after.kind == .symbol("~") else { return nil }
      return try fieldFilter(try name("a field name"))
    default: return nil
    }
  }

  /// What stands behind `field:`.
  private mutating func fieldFilter(_ name: String) throws(QueryError) -> Filter {
    try nested { (parse) throws(QueryError) in
      var isNegated = false
      while try parse.acceptNegation() { isNegated.toggle() }
      let filter = try parse.fieldTest(name)
      return isNegated ? QueryParse.not(filter) : filter
    }
  }

  private mutating func fieldTest(_ name: String) throws(QueryError) -> Filter {
    switch name {
    case "_time": return try timeFilter()
    case "_stream" where isSymbol("{"): return .stream(try streamFilter())
    case "_stream_id": return try streamIDFilter()
    default:
      if isSymbol("(") {
        let start = token
        try lexer.advance()
        let inner = try disjunction(name)
        guard try accept(")") else {
          if token.kind == .end { throw error("this `(` is not closed", at: start.column, expected: "`)`") }
          throw unexpected(expected: "`)`")
        }
        return inner
      }
      return try test(name, isNamed: true)
    }
  }

  /// One test on `field`. Behind a field's name a word may hold `:` and the like.
  private mutating func test(_ field: String, isNamed: Bool) throws(QueryError) -> Filter {
    switch token.kind {
    case .symbol("*"):
      let star = token
      try lexer.advance()
      guard !token.isApart else { return isNamed ? .anyValue(of: field) : .all }
      switch token.kind {
      case .word, .quoted:
        let text = try value("the text looked for")
        guard isAdjacent("*") else {
          throw error(
            "`*` before text needs one behind it too", at: star.column,
            expected: "`*text*`, or `~\"text$\"` for an ending")
        }
        try lexer.advance()
        return try expand(field, .substring(text))
      case .symbol("*"): throw error("one `*` is enough")
      case .symbol(":"): throw error("`*` is no field", at: star.column, expected: "a field name before `:`")
      default: return isNamed ? .anyValue(of: field) : .all
      }
    case .symbol("="):
      try lexer.advance()
      let text = try value("a value behind `=`")
      if isAdjacent("*") {
        try lexer.advance()
        return try expand(field, .exactPrefix(text))
      }
      return try expand(field, .exact(text))
    case .symbol("~"):
      try lexer.advance()
      let start = token
      let pattern = try text("a regular expression behind `~`")
      try check(regularExpression: pattern, from: start)
      return try expand(field, .regexp(pattern))
    case .symbol(">"), .symbol("<"): return try comparison(field)
    case .quoted(let text):
      try lexer.advance()
      return try expand(field, try withStar(text))
    case .word(let word):
      let next = try lexer.peek()
      if !next.isApart, next.kind == .symbol("(") || next.kind == .symbol("["),
        let filter = try function(word.lowercased(), field, isNamed: isNamed)
      {
        return filter
      }
      let text = isNamed ? try value("a value") : Array(try name("a word").utf8)
      return try expand(field, try withStar(text))
    default: throw unexpected(expected: isNamed ? "a value" : "a filter, such as a word or `field:value`")
    }
  }

  /// A phrase, or with `*` behind it the beginning of one.
  private mutating func withStar(_ text: [UInt8]) throws(QueryError) -> ValueTest {
    guard isAdjacent("*") else { return .phrase(text) }
    try lexer.advance()
    if !token.isApart, case .word = token.kind {
      throw error(
        "`*` may stand at the end of a word only", at: lexer.lastEnd,
        expected: "`~\"regular expression\"` for a gap in the middle")
    }
    return .phrasePrefix(text)
  }

  /// A test on a field, its short name written out.
  func expand(_ field: String, _ test: ValueTest) throws(QueryError) -> Filter {
    guard FieldAlias.names.contains(field) else { return .field(field, test) }
    return FieldAlias.expand(field, test, matchesEmpty: try ValueMatcher(test).matchesEmpty)
  }

  // MARK: Comparisons

  private mutating func comparison(_ field: String) throws(QueryError) -> Filter {
    let isGreater = isSymbol(">")
    try lexer.advance()
    var isInclusive = false
    if isAdjacent("=") {
      isInclusive = true
      try lexer.advance()
    }
    let text = try value("a number or text to compare with")
    if let number = QueryParse.bound(text) {
      return try expand(
        field,
        isGreater
          ? .numericRange(lower: isInclusive ? number : number.nextUp, upper: .infinity)
          : .numericRange(lower: -.infinity, upper: isInclusive ? number : number.nextDown))
    }
    return try expand(
      field,
      isGreater
        ? .stringRange(lower: text, lowerInclusive: isInclusive, upper: nil, upperInclusive: false)
        : .stringRange(lower: nil, lowerInclusive: false, upper: text, upperInclusive: isInclusive))
  }

  /// A number as ranges take it, `inf` too.
  static func bound(_ text: [UInt8]) -> Double? {
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "inf", "+inf": .infinity
    case "-inf": -.infinity
    default: text.withUnsafeBufferPointer(FieldNumber.value)
    }
  }

  // MARK: Functions

  /// `name(…)` or `name[…]`; nil if there is no such filter.
  private mutating func function(_ name: String, _ field: String, isNamed: Bool) throws(QueryError) -> Filter? {
    let start = token
    if name == "range" {
      try lexer.advance()
      return try range(field)
    }
    guard try lexer.peek().kind == .symbol("(") else { return nil }
    switch name {
    case "i":
      try lexer.advance()
      try lexer.advance()
      if try accept("*") {
        try expect(")")
        return .anyValue(of: field)
      }
      let text = try value("a word or phrase")
      var test = ValueTest.caseInsensitivePhrase(text)
      if isAdjacent("*") {
        try lexer.advance()
        test = .caseInsensitivePrefix(text)
      }
      try expect(")")
      return try expand(field, test)
    case "exact":
      try lexer.advance()
      try lexer.advance()
      let text = try value("a value")
      let isPrefix = try accept("*")
      try expect(")")
      return try expand(field, isPrefix ? .exactPrefix(text) : .exact(text))
    case "re", "regexp":
      try lexer.advance()
      try lexer.advance()
      let pattern = token
      let text = try self.text("a regular expression")
      try check(regularExpression: text, from: pattern)
      try expect(")")
      return try expand(field, .regexp(text))
    case "seq":
      try lexer.advance()
      return try expand(field, .sequence(try list()))
    case "in", "contains_all", "contains_any": return try membership(name, field)
    case "contains_common_case":
      try lexer.advance()
      return try expand(field, .containsCommonCase(try list()))
    case "equals_common_case":
      try lexer.advance()
      return try expand(field, .equalsCommonCase(try list()))
    case "ipv4_range":
      try lexer.advance()
      return try ipv4Range(field)
    case "len_range":
      try lexer.advance()
      try expect("(")
      let least = try length()
      try expect(",")
      let most = try length()
      try expect(")")
      return try expand(field, .lengthRange(least, most))
    case "string_range":
      try lexer.advance()
      try expect("(")
      let lower = try value("the lower bound")
      try expect(",")
      let upper = try value("the upper bound")
      try expect(")")
      return try expand(field, .stringRange(lower: lower, lowerInclusive: true, upper: upper, upperInclusive: false))
    case "eq_field", "le_field", "lt_field":
      try lexer.advance()
      try expect("(")
      let other = try self.name("a field name")
      try expect(")")
      return .compareFields(field, name == "eq_field" ? .equal : name == "le_field" ? .lessOrEqual : .less, other)
    case "pattern_match", "pattern_match_full":
      try lexer.advance()
      try expect("(")
      let pattern = try text("a pattern such as \"took <N>ms\"")
      try expect(")")
      return try expand(field, .patternMatch(pattern, full: name == "pattern_match_full"))
    case "similar":
      guard !isNamed || field == "_msg" else {
        throw error("`similar` looks at messages only", expected: "`similar(…)` without a field")
      }
      try lexer.advance()
      try expect("(")
      let text = try self.text("the text to look for, in quotes")
      var limit = QueryParse.similarPatternsDefault
      if try accept(",") {
        let column = token.column
        limit = try count("how many patterns")
        guard limit > 0, limit <= QueryParse.similarPatternsMax else {
          throw error("`similar` takes 1 to \(QueryParse.similarPatternsMax) patterns", at: column)
        }
      }
      try expect(")")
      guard !text.allSatisfy(\.isWhitespace) else { throw error("`similar` needs some text", at: start.column) }
      return .similar(text, limit: limit)
    case "value_type", "ipv6_range", "json_array_contains_any", "json_array_contains_all", "json_array_contains":
      throw error("the filter `\(name)` is not supported", at: start.column)
    default: return nil
    }
  }

  /// Patterns that `similar("…")` looks for when the query does not say.
  static let similarPatternsDefault = 20
  static let similarPatternsMax = 10_000

  /// `(a, "b c")`, maybe empty.
  private mutating func list() throws(QueryError) -> [[UInt8]] {
    try expect("(")
    var values: [[UInt8]] = []
    while try !accept(")") {
      values.append(try value("a value or `)`"))
      if try !accept(","), !isSymbol(")") { throw unexpected(expected: "`,` or `)`") }
    }
    return values
  }

  /// `in(…)`, `contains_all(…)` and `contains_any(…)`, on values or on a query's answer.
  private mutating func membership(_ name: String, _ field: String) throws(QueryError) -> Filter {
    try lexer.advance()
    let start = lexer
    try lexer.advance()
    if isSymbol("*"), try lexer.peek().kind == .symbol(")") {
      try lexer.advance()
      try lexer.advance()
      return .all
    }
    lexer = start
    let listError: QueryError
    do {
      let values = try list()
      switch name {
      case "in": return try expand(field, .oneOf(Set(values)))
      case "contains_all": return try expand(field, .containsAll(values))
      default: return try expand(field, .containsAny(values))
      }
    } catch {
      listError = error
    }
    lexer = start
    let query: Query
    do {
      query = try subquery()
    } catch {
      throw error.column > listError.column ? error : listError
    }
    return .subquery(field, name == "in" ? .in : name == "contains_all" ? .containsAll : .containsAny, query)
  }

  /// `(query | fields x)`
  private mutating func subquery() throws(QueryError) -> Query {
    try nested { (parse) throws(QueryError) in
      try parse.expect("(")
      let query = try parse.query()
      guard parse.isSymbol(")") else { throw parse.unexpected(expected: "`|` or `)`") }
      switch query.pipes.last {
      case .fields(let names) where names.count == 1 && !names[0].hasSuffix("*"): break
      case .uniq(let names, false, _) where names.count == 1: break
      default: throw parse.error("a query inside a filter must give one field", expected: "`| fields name` at its end")
      }
      try parse.lexer.advance()
      return query
    }
  }

  /// What follows `range`.
  private mutating func range(_ field: String) throws(QueryError) -> Filter {
    let includesLower = isSymbol("[")
    guard try accept(oneOf: "[", "(") else { throw unexpected(expected: "`[` or `(`") }
    var lower = try number()
    try expect(",")
    var upper = try number()
    let includesUpper = isSymbol("]")
    guard try accept(oneOf: "]", ")") else { throw unexpected(expected: "`]` or `)`") }
    if !includesLower { lower = lower.nextUp }
    if !includesUpper, upper < .infinity { upper = upper.nextDown }
    return try expand(field, .numericRange(lower: lower, upper: upper))
  }

  private mutating func number() throws(QueryError) -> Double {
    let column = token.column
    let text = try value("a number")
    guard let number = QueryParse.bound(text) else {
      throw error(
        "`\(String(decoding: text, as: UTF8.self))` is no number", at: column,
        expected: "a number, a duration, a size, a time or `inf`")
    }
    return number
  }

  private mutating func length() throws(QueryError) -> UInt64 {
    let column = token.column
    let text = try value("a length")
    guard let number = QueryParse.bound(text) ?? text.withUnsafeBufferPointer(FieldNumber.radixInteger), number >= 0
    else {
      throw error(
        "`\(String(decoding: text, as: UTF8.self))` is no length", at: column, expected: "a whole number or `inf`")
    }
    return number >= 1e19 ? .max : UInt64(number)
  }

  private mutating func ipv4Range(_ field: String) throws(QueryError) -> Filter {
    try expect("(")
    let column = token.column
    let first = try value("an IPv4 address or `address/bits`")
    if try accept(",") {
      let lastColumn = token.column
      let last = try value("an IPv4 address")
      try expect(")")
      guard let low = first.withUnsafeBufferPointer(FieldNumber.ipv4) else { throw noAddress(first, column) }
      guard let high = last.withUnsafeBufferPointer(FieldNumber.ipv4) else { throw noAddress(last, lastColumn) }
      return try expand(field, .ipv4Range(low, high))
    }
    try expect(")")
    let parts = first.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = Array(parts[0]).withUnsafeBufferPointer(FieldNumber.ipv4) else {
      throw noAddress(first, column)
    }
    guard parts.count == 2 else { return try expand(field, .ipv4Range(address, address)) }
    guard let bits = UInt32(String(decoding: parts[1], as: UTF8.self)), bits <= 32 else {
      throw error(
        "`\(String(decoding: first, as: UTF8.self))` has no good prefix length", at: column, expected: "`/0` to `/32`")
    }
    let mask: UInt32 = bits == 0 ? 0 : .max << (32 - bits)
    return try expand(field, .ipv4Range(address & mask, address | ~mask))
  }

  private func noAddress(_ text: [UInt8], _ column: Int) -> QueryError {
    error(
      "`\(String(decoding: text, as: UTF8.self))` is no IPv4 address", at: column,
      expected: "an address such as `10.0.0.1`")
  }

  // MARK: Streams

  /// `{a="b", c!~"d" or e in (f, g)}`
  private mutating func streamFilter() throws(QueryError) -> [[LabelTest]] {
    let start = token
    try expect("{")
    var alternatives: [[LabelTest]] = []
    var tests: [LabelTest] = []
    while try !accept("}") {
      if token.kind == .end { throw error("this `{` is not closed", at: start.column, expected: "`}`") }
      tests.append(try labelTest())
      if try accept(",") { continue }
      if try acceptKeyword("or") {
        alternatives.append(tests)
        tests = []
        if isSymbol("}") { throw unexpected(expected: "a label") }
      } else if !isSymbol("}"), token.kind != .end {
        throw unexpected(expected: "`,`, `or` or `}`")
      }
    }
    alternatives.append(tests)
    return alternatives
  }

  private mutating func labelTest() throws(QueryError) -> LabelTest {
    let label = try name("a label")
    let alternatives = Array(FieldAlias.candidates(for: label).dropFirst())
    func made(_ comparison: LabelTest.Comparison, _ values: [[UInt8]]) -> LabelTest {
      LabelTest(label: label, alternatives: alternatives, comparison: comparison, values: values)
    }
    if isKeyword("in", "not_in") {
      let comparison: LabelTest.Comparison = isKeyword("in") ? .in : .notIn
      try lexer.advance()
      return made(comparison, try list())
    }
    if isKeyword("not") {
      try lexer.advance()
      guard try acceptKeyword("in") else { throw unexpected(expected: "`in`") }
      return made(.notIn, try list())
    }
    let isNegated = try accept("!")
    let isPattern: Bool
    if isSymbol("=") {
      try lexer.advance()
      isPattern = !isNegated && isAdjacent("~")
      if isPattern { try lexer.advance() }
    } else if isNegated, isAdjacent("~") {
      try lexer.advance()
      isPattern = true
    } else {
      throw unexpected(expected: isNegated ? "`=` or `~`" : "`=`, `!=`, `=~`, `!~` or `in`")
    }
    let start = token
    let value = try value("the label's value, in quotes")
    if isPattern { try check(regularExpression: String(decoding: value, as: UTF8.self), from: start) }
    return made(isPattern ? (isNegated ? .doesNotMatch : .matches) : isNegated ? .notEqual : .equal, [value])
  }

  private mutating func streamIDFilter() throws(QueryError) -> Filter {
    if isKeyword("in"), try lexer.peek().kind == .symbol("(") {
      let filter = try membership("in", "_stream_id")
      if case .field(_, .oneOf(let ids)) = filter {
        return .streamID(ids.map { String(decoding: $0, as: UTF8.self) }.sorted())
      }
      return filter
    }
    if isSymbol("*") { return try test("_stream_id", isNamed: true) }
    _ = try accept("=")
    return .streamID([try text("a stream's id")])
  }
}

extension Filter {
  /// `field:*`
  static func anyValue(of field: String) -> Filter { FieldAlias.expand(field, .any, matchesEmpty: false) }
}
