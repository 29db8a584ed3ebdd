package import Domain

/// LogsQL text to a tree.
///
/// Precedence: `not` (`!`, `-`) binds closest, then `and` or nothing, then `or`. A field name before a parenthesis
/// holds for all inside. Short names of fields (`FieldAlias`) are written out. What fails says where, in scalars from
/// 1.
package struct QueryParser {
  /// Parentheses, negations and queries inside queries, one in another.
  static let nestingDepthMax = 64

  private let now: Timestamp

  /// - Parameter now: What `_time:5m` counts back from.
  package init(now: Timestamp) { self.now = now }

  /// The empty text is `*`.
  package func parse(_ text: String) throws(QueryError) -> Query {
    var parse = QueryParse(lexer: try QueryLexer(text), now: now)
    return try parse.whole { (parse) throws(QueryError) in try parse.query() }
  }

  /// A filter without pipes. The empty text is `*`.
  package func parseFilter(_ text: String) throws(QueryError) -> Filter {
    var parse = QueryParse(lexer: try QueryLexer(text), now: now)
    if parse.lexer.token.kind == .end { return .all }
    return try parse.whole { (parse) throws(QueryError) in try parse.filter() }
  }
}

/// One parse on its way: the lexer and what has been seen. Filters are in `QueryParse+Filters.swift` and `+Time`,
/// pipes in `+Pipes`.
struct QueryParse {
  var lexer: QueryLexer
  let now: Timestamp
  var depth = 0

  init(lexer: QueryLexer, now: Timestamp) {
    self.lexer = lexer
    self.now = now
  }

  /// All of the text.
  mutating func whole<Result>(
    _ parse: (inout QueryParse) throws(QueryError) -> Result
  ) throws(QueryError) -> Result {
    let result = try parse(&self)
    guard token.kind == .end else {
      if token.kind == .symbol(")") { throw error("this `)` closes nothing") }
      throw unexpected(expected: "`|` or the end of the query")
    }
    return result
  }

  /// `[options(…)] filter | pipe | …`
  mutating func query() throws(QueryError) -> Query {
    var options = QueryOptions()
    if isKeyword("options"), try lexer.peek().kind == .symbol("(") { options = try queryOptions() }
    var filter = Filter.all
    if token.kind != .end, token.kind != .symbol("|"), token.kind != .symbol(")") { filter = try self.filter() }
    var pipes: [Pipe] = []
    while try accept("|") { pipes.append(try pipe(isFirst: pipes.isEmpty)) }
    return Query(filter: filter, pipes: pipes, options: options)
  }

  private mutating func queryOptions() throws(QueryError) -> QueryOptions {
    var options = QueryOptions()
    try lexer.advance()
    try expect("(")
    while try !accept(")") {
      let column = token.column
      let name = try self.name("an option")
      try expect("=")
      let value = String(decoding: try value("a value"), as: UTF8.self)
      switch name {
      // How a query is run is the server's business here.
      case "concurrency", "parallel_readers", "allow_partial_response": break
      case "ignore_global_time_filter":
        guard value == "true" || value == "false" else { throw error("`\(value)` is not true or false", at: column) }
        options.ignoresRequestTimeRange = value == "true"
      default:
        throw error(
          "the option `\(name)` is not supported", at: column,
          expected: "`ignore_global_time_filter`, `concurrency`, `parallel_readers` or `allow_partial_response`")
      }
      if try !accept(","), token.kind != .symbol(")") { throw unexpected(expected: "`,` or `)`") }
    }
    return options
  }

  /// One level deeper, within the bound.
  mutating func nested<Result>(
    _ body: (inout QueryParse) throws(QueryError) -> Result
  ) throws(QueryError) -> Result {
    depth += 1
    defer { depth -= 1 }
    guard depth <= QueryParser.nestingDepthMax else { throw error("the query is nested too deeply") }
    return try body(&self)
  }

  // MARK: Tokens

  var token: Token { lexer.token }

  func error(_ message: String, at column: Int? = nil, expected: String? = nil) -> QueryError {
    QueryError(message: message, column: column ?? token.column, expected: expected)
  }

  /// The current token cannot stand here.
  func unexpected(expected: String) -> QueryError {
    let found =
      switch token.kind {
      case .end: "the query ends here"
      default: "`\(lexer.string(token.start..<token.end))` cannot stand here"
      }
    return error(found, expected: expected)
  }

  func isSymbol(_ symbol: Unicode.Scalar) -> Bool { token.kind == .symbol(symbol) }

  /// `symbol` right behind the token before it.
  func isAdjacent(_ symbol: Unicode.Scalar) -> Bool { token.kind == .symbol(symbol) && !token.isApart }

  /// An unquoted word, in any case.
  func isKeyword(_ keywords: String...) -> Bool {
    guard case .word(let word) = token.kind else { return false }
    let lower = word.lowercased()
    return keywords.contains(lower)
  }

  mutating func accept(_ symbol: Unicode.Scalar) throws(QueryError) -> Bool {
    guard isSymbol(symbol) else { return false }
    try lexer.advance()
    return true
  }

  mutating func accept(oneOf symbols: Unicode.Scalar...) throws(QueryError) -> Bool {
    guard case .symbol(let symbol) = token.kind, symbols.contains(symbol) else { return false }
    try lexer.advance()
    return true
  }

  mutating func acceptKeyword(_ keyword: String) throws(QueryError) -> Bool {
    guard isKeyword(keyword) else { return false }
    try lexer.advance()
    return true
  }

  mutating func expect(_ symbol: Unicode.Scalar) throws(QueryError) {
    guard try accept(symbol) else { throw unexpected(expected: "`\(symbol)`") }
  }

  /// A word or a quoted text as a name.
  mutating func name(_ what: String) throws(QueryError) -> String {
    switch token.kind {
    case .word(let word):
      try lexer.advance()
      return word
    case .quoted(let bytes):
      try lexer.advance()
      return String(decoding: bytes, as: UTF8.self)
    default: throw unexpected(expected: what)
    }
  }

  /// A value behind a field name or in a list: quoted, or everything up to white space or one of ``* , ( ) [ ] { } |
  /// ! " ' ` ``.
  mutating func value(_ what: String) throws(QueryError) -> [UInt8] {
    if case .quoted(let bytes) = token.kind {
      try lexer.advance()
      return bytes
    }
    let start = token.start
    var isFirst = true
    joining: while isFirst || !token.isApart {
      switch token.kind {
      case .word: break
      case .symbol(let symbol):
        switch symbol {
        case "-": break
        case ":", "=", "<", ">", "~": if isFirst { break joining }
        default: break joining
        }
      case .quoted, .end: break joining
      }
      try lexer.advance()
      isFirst = false
    }
    guard !isFirst else { throw unexpected(expected: what) }
    let text = lexer.string(start..<lexer.lastEnd)
    guard text != "-" else { throw error("`-` is no value", at: start + 1, expected: what) }
    return Array(text.utf8)
  }

  /// As `value`, as text.
  mutating func text(_ what: String) throws(QueryError) -> String { String(decoding: try value(what), as: UTF8.self) }

  /// A whole number of at least 0.
  mutating func count(_ what: String) throws(QueryError) -> Int {
    let column = token.column
    let text = try value(what)
    guard let number = text.withUnsafeBufferPointer(FieldNumber.value), number >= 0, number <= 1e15,
      number == number.rounded()
    else { throw error("`\(String(decoding: text, as: UTF8.self))` is no whole number", at: column, expected: what) }
    return Int(number)
  }

  /// `5m`, `1.5h`; nanoseconds.
  mutating func duration(_ what: String) throws(QueryError) -> Int64 {
    let column = token.column
    let text = try value(what)
    guard let nanoseconds = text.withUnsafeBufferPointer(FieldNumber.duration) else {
      throw error("`\(String(decoding: text, as: UTF8.self))` is no duration", at: column, expected: what)
    }
    return nanoseconds
  }

  /// Compiles `pattern`, read from `token`, for its errors alone.
  @discardableResult
  func check(regularExpression pattern: String, from token: Token) throws(QueryError) -> [String?] {
    do {
      return try RegularExpression.check(pattern)
    } catch {
      var placed = error
      // Without escapes the pattern stands in the query as it is.
      let isVerbatim = token.end - token.start == pattern.unicodeScalars.count + 2
      if case .quoted = token.kind {
        placed.column = isVerbatim ? token.column + error.column : token.column
      } else {
        placed.column = token.column + error.column - 1
      }
      throw placed
    }
  }
}
