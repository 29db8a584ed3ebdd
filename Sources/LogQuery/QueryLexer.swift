/// A piece of a query's text.
struct Token: Equatable {
  enum Kind: Equatable {
    /// Letters, digits and whatever else has no meaning of its own: `error`, `10.0.0.1`, `2024-01-02T10`.
    case word(String)
    /// The inside of `"…"`, `'…'` or `` `…` ``, escapes resolved.
    case quoted([UInt8])
    case symbol(Unicode.Scalar)
    case end
  }

  var kind: Kind
  /// Offsets in scalars.
  var start: Int
  var end: Int
  /// White space or a comment stands before it.
  var isApart: Bool

  /// From 1.
  var column: Int { start + 1 }
}

/// Cuts a query into tokens, one at a time, so that the parser can change how it wants to see the rest.
///
/// - A word is a run without white space and without any of ``( ) [ ] { } , | : " ' ` = ! ~ < > * #``. A `-` that
///   does not stand inside a word is a symbol.
/// - `#` outside quotes starts a comment that runs to the end of the line.
struct QueryLexer {
  /// `expression`: operators of `math` are symbols too, and a `-` is never part of a word.
  enum Mode { case filter, expression }

  static let scalarCountMax = 1 << 20

  let text: [Unicode.Scalar]
  private(set) var token = Token(kind: .end, start: 0, end: 0, isApart: false)
  /// Where the token before the current one ended.
  private(set) var lastEnd = 0
  private(set) var mode = Mode.filter

  init(_ text: String) throws(QueryError) {
    self.text = Array(text.unicodeScalars)
    guard self.text.count <= QueryLexer.scalarCountMax else {
      throw QueryError(
        message: "the query is longer than \(QueryLexer.scalarCountMax) characters", column: QueryLexer.scalarCountMax)
    }
    token = try read(at: 0)
  }

  mutating func advance() throws(QueryError) {
    let end = token.end
    token = try read(at: end)
    lastEnd = end
  }

  /// The token after the current one.
  func peek() throws(QueryError) -> Token { try read(at: token.end) }

  func peek(after token: Token) throws(QueryError) -> Token { try read(at: token.end) }

  /// Reads the current token again as `mode` sees it, and those that follow.
  mutating func change(to mode: Mode) throws(QueryError) {
    self.mode = mode
    token = try read(at: token.start, isApart: token.isApart)
  }

  private func read(at position: Int, isApart: Bool = false) throws(QueryError) -> Token {
    var index = position
    while index < text.count {
      if text[index].properties.isWhitespace {
        index += 1
      } else if text[index] == "#" {
        while index < text.count, text[index] != "\n" { index += 1 }
      } else {
        break
      }
    }
    let isApart = isApart || index > position
    guard index < text.count else { return Token(kind: .end, start: text.count, end: text.count, isApart: isApart) }
    let first = text[index]
    if first == "\"" || first == "'" || first == "`" { return try quoted(at: index, isApart: isApart) }
    var end = index
    while end < text.count, isWord(text[end], at: end, from: index) { end += 1 }
    if end == index { return Token(kind: .symbol(first), start: index, end: index + 1, isApart: isApart) }
    return Token(kind: .word(string(index..<end)), start: index, end: end, isApart: isApart)
  }

  private func isWord(_ scalar: Unicode.Scalar, at index: Int, from start: Int) -> Bool {
    switch scalar {
    case "(", ")", "[", "]", "{", "}", ",", "|", ":", "\"", "'", "`", "=", "!", "~", "<", ">", "*", "#": return false
    case "-", "+":
      if mode == .filter { return scalar == "+" || index > start }
      // `1.5e-3`
      return index > start + 1 && (text[index - 1] == "e" || text[index - 1] == "E") && text[start].isDigit
        && index + 1 < text.count && text[index + 1].isDigit
        && text[start..<index - 1].allSatisfy { $0.isDigit || $0 == "." }
    case "/", "%", "^", "&", ";", "?", "\\": return mode == .filter
    default: return !scalar.properties.isWhitespace
    }
  }

  func string(_ range: Range<Int>) -> String {
    var string = ""
    string.unicodeScalars.append(contentsOf: text[range])
    return string
  }

  // MARK: Quotes

  private func quoted(at start: Int, isApart: Bool) throws(QueryError) -> Token {
    let quote = text[start]
    var bytes: [UInt8] = []
    var index = start + 1
    while index < text.count {
      let scalar = text[index]
      if scalar == quote { return Token(kind: .quoted(bytes), start: start, end: index + 1, isApart: isApart) }
      if scalar == "\\", quote != "`" {
        index = try appendEscape(at: index, quote: quote, to: &bytes)
      } else {
        bytes.append(scalar)
        index += 1
      }
    }
    throw QueryError(message: "this quote is not closed", column: start + 1, expected: "another `\(quote)`")
  }

  /// Reads the escape at `start`, which is a backslash; returns where it ends.
  private func appendEscape(at start: Int, quote: Unicode.Scalar, to bytes: inout [UInt8]) throws(QueryError) -> Int {
    guard start + 1 < text.count else {
      throw QueryError(message: "the text ends in a lone `\\`", column: start + 1, expected: "`\\\\` for a backslash")
    }
    let scalar = text[start + 1]
    switch scalar {
    case "a": bytes.append(0x07)
    case "b": bytes.append(0x08)
    case "f": bytes.append(0x0C)
    case "n": bytes.append(0x0A)
    case "r": bytes.append(0x0D)
    case "t": bytes.append(0x09)
    case "v": bytes.append(0x0B)
    case "\\", "\"", "'", "`": bytes.append(scalar)
    case "x", "u", "U", "0"..."7":
      let isOctal = scalar.isDigit
      let first = isOctal ? start + 1 : start + 2
      let count = isOctal ? 3 : scalar == "x" ? 2 : scalar == "u" ? 4 : 8
      let end = min(first + count, text.count)
      let digits = string(first..<max(first, end))
      guard digits.utf8.count == count, digits.utf8.first != UInt8(ascii: "+"), digits.utf8.first != UInt8(ascii: "-"),
        let value = UInt32(digits, radix: isOctal ? 8 : 16)
      else {
        throw QueryError(message: "bad escape `\\\(scalar)`", column: start + 1, expected: "\(count) digits")
      }
      if count <= 3 {
        guard value <= 0xFF else {
          throw QueryError(message: "this escape is no byte", column: start + 1, expected: "`\\000` to `\\377`")
        }
        bytes.append(UInt8(value))
      } else {
        guard let scalar = Unicode.Scalar(value) else {
          throw QueryError(message: "this escape is no Unicode character", column: start + 1)
        }
        bytes.append(scalar)
      }
      return end
    default:
      throw QueryError(
        message: "there is no escape `\\\(scalar)` in \(quote)…\(quote)", column: start + 1,
        expected: "`\\\\\(scalar)`, or backquotes around the text")
    }
    return start + 2
  }
}

extension Unicode.Scalar {
  var isDigit: Bool { value >= 0x30 && value <= 0x39 }
}

extension [UInt8] {
  fileprivate mutating func append(_ scalar: Unicode.Scalar) {
    if let encoded = UTF8.encode(scalar) { append(contentsOf: encoded) }
  }
}
