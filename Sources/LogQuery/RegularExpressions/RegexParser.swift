/// Reads RE2's syntax: the tree, the number of groups and their names.
///
/// Not there, and said so in the error: backreferences, lookaround, possessive repeats (RE2 has none of them either),
/// scripts (`\p{Greek}`) and `\C`.
struct RegexParser {
  static let repeatCountMax = 1000
  static let nestingDepthMax = 200
  static let groupCountMax = 200

  private let pattern: [Unicode.Scalar]
  private var index = 0
  private var depth = 0
  private var flags = Flags()
  private(set) var groupNames: [String?] = [nil]

  private struct Flags {
    var ignoresCase = false
    var multiline = false
    var dotMatchesNewline = false
    var swapsGreed = false
  }

  init(_ pattern: String) { self.pattern = Array(pattern.unicodeScalars) }

  mutating func parse() throws(QueryError) -> RegexNode {
    let node = try alternation()
    if peek == ")" { throw error("this `)` closes nothing", expected: "`\\)` for the character itself") }
    return node
  }

  private var peek: Unicode.Scalar? { index < pattern.count ? pattern[index] : nil }

  private func peek(_ offset: Int) -> Unicode.Scalar? { index + offset < pattern.count ? pattern[index + offset] : nil }

  private func error(_ message: String, at position: Int? = nil, expected: String? = nil) -> QueryError {
    QueryError(message: "bad regular expression: " + message, column: (position ?? index) + 1, expected: expected)
  }

  private mutating func alternation() throws(QueryError) -> RegexNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= RegexParser.nestingDepthMax else { throw error("groups are nested too deeply") }
    // Flags set inside a group end with it.
    let outer = flags
    defer { flags = outer }
    var branches = [try concatenation()]
    while peek == "|" {
      index += 1
      branches.append(try concatenation())
    }
    return branches.count == 1 ? branches[0] : .alternation(branches)
  }

  private mutating func concatenation() throws(QueryError) -> RegexNode {
    var parts: [RegexNode] = []
    while let scalar = peek, scalar != "|", scalar != ")" {
      let start = index
      if scalar == "\\", peek(1) == "Q" {
        index += 2
        while index < pattern.count, !(pattern[index] == "\\" && peek(1) == "E") {
          parts.append(literal(pattern[index]))
          index += 1
        }
        index = min(index + 2, pattern.count)
        if let last = parts.popLast() { parts.append(try repeated(last, from: start)) }
        continue
      }
      guard let atom = try atom() else { continue }
      parts.append(try repeated(atom, from: start))
    }
    return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .concatenation(parts)
  }

  /// `atom` with the repetition that follows it, if one does.
  private mutating func repeated(_ atom: RegexNode, from start: Int) throws(QueryError) -> RegexNode {
    var node = atom
    var count = 0
    while let (lowest, highest) = try repetitionBounds() {
      count += 1
      if count > 1 { throw error("a repetition repeats another", at: index - 1, expected: "a group, as in `(?:a*)*`") }
      var greedy = true
      if peek == "?" {
        greedy = false
        index += 1
      }
      if peek == "+", lowest != highest || highest == nil {
        throw error("possessive repetition is not supported")
      }
      node = .repetition(node, min: lowest, max: highest, greedy: greedy != flags.swapsGreed)
    }
    return node
  }

  private mutating func repetitionBounds() throws(QueryError) -> (Int, Int?)? {
    switch peek {
    case "*":
      index += 1
      return (0, nil)
    case "+":
      index += 1
      return (1, nil)
    case "?":
      index += 1
      return (0, 1)
    case "{":
      // Anything but `{n}`, `{n,}` and `{n,m}` is text.
      let start = index
      index += 1
      guard let lowest = number() else {
        index = start
        return nil
      }
      var highest: Int? = lowest
      if peek == "," {
        index += 1
        highest = peek == "}" ? nil : number()
        if highest == nil, peek != "}" {
          index = start
          return nil
        }
      }
      guard peek == "}" else {
        index = start
        return nil
      }
      index += 1
      guard lowest <= RegexParser.repeatCountMax, highest ?? 0 <= RegexParser.repeatCountMax else {
        throw error("a repeat count is over \(RegexParser.repeatCountMax)", at: start)
      }
      if let highest, highest < lowest { throw error("the repeat counts are in the wrong order", at: start) }
      return (lowest, highest)
    default: return nil
    }
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let scalar = peek, scalar.value >= 0x30, scalar.value <= 0x39 {
      value = min((value ?? 0) * 10 + Int(scalar.value - 0x30), 1_000_000)
      index += 1
    }
    return value
  }

  private func literal(_ scalar: Unicode.Scalar) -> RegexNode { .scalars(folded(ScalarSet(scalar))) }

  private func folded(_ set: ScalarSet) -> ScalarSet { flags.ignoresCase ? set.caseFolded : set }

  /// The next atom; nil for a flag group that stands for nothing.
  private mutating func atom() throws(QueryError) -> RegexNode? {
    let start = index
    let scalar = pattern[index]
    switch scalar {
    case "(": return try group()
    case "[": return .scalars(try bracketClass())
    case ".":
      index += 1
      return .scalars(flags.dotMatchesNewline ? .any : .notNewline)
    case "^":
      index += 1
      return .assertion(flags.multiline ? .lineStart : .textStart)
    case "$":
      index += 1
      return .assertion(flags.multiline ? .lineEnd : .textEnd)
    case "*", "+", "?":
      throw error("`\(scalar)` has nothing to repeat", expected: "`\\\(scalar)` for the character itself")
    case "\\":
      guard let next = peek(1) else { throw error("it ends in a lone `\\`") }
      switch next {
      case "b":
        index += 2
        return .assertion(.wordBoundary)
      case "B":
        index += 2
        return .assertion(.notWordBoundary)
      case "A":
        index += 2
        return .assertion(.textStart)
      case "z":
        index += 2
        return .assertion(.textEnd)
      default: break
      }
      if let set = try escapedClass() { return .scalars(set) }
      index = start
      return literal(try escapedScalar())
    default:
      index += 1
      return literal(scalar)
    }
  }

  private mutating func group() throws(QueryError) -> RegexNode? {
    let start = index
    index += 1
    var number: Int?
    if peek == "?" {
      index += 1
      if peek == "P" || peek == "<" {
        if peek == "P" { index += 1 }
        if peek == "=" || peek == ">" { throw error("references to groups are not supported", at: start) }
        guard peek == "<" else { throw error("bad group", at: start, expected: "`(?P<name>…)`") }
        index += 1
        if peek == "=" || peek == "!" { throw error("lookbehind is not supported", at: start) }
        var name = ""
        while let scalar = peek, scalar != ">" {
          guard ScalarSet.word.contains(scalar.value) else {
            throw error("a group's name holds `\(scalar)`", expected: "letters, digits and `_`")
          }
          name.unicodeScalars.append(scalar)
          index += 1
        }
        guard peek == ">", !name.isEmpty else { throw error("bad group name", expected: "`(?P<name>…)`") }
        index += 1
        if groupNames.contains(name) { throw error("two groups are called `\(name)`", at: start) }
        number = try newGroup(name, at: start)
      } else if peek == "=" || peek == "!" {
        throw error("lookahead is not supported", at: start)
      } else {
        var changed = flags
        var enables = true
        flagLoop: while true {
          switch peek {
          case "i": changed.ignoresCase = enables
          case "m": changed.multiline = enables
          case "s": changed.dotMatchesNewline = enables
          case "U": changed.swapsGreed = enables
          case "-" where enables: enables = false
          case ":": break flagLoop
          case ")":
            index += 1
            flags = changed
            return nil
          default: throw error("bad group", expected: "one of the flags `imsU`, `:` or `)`")
          }
          index += 1
        }
        index += 1
        let outer = flags
        flags = changed
        let node = try alternation()
        flags = outer
        guard peek == ")" else { throw error("this `(` is not closed", at: start, expected: "`)`") }
        index += 1
        return node
      }
    } else {
      number = try newGroup(nil, at: start)
    }
    let node = try alternation()
    guard peek == ")" else { throw error("this `(` is not closed", at: start, expected: "`)`") }
    index += 1
    return number.map { .group(node, index: $0) } ?? node
  }

  private mutating func newGroup(_ name: String?, at position: Int) throws(QueryError) -> Int {
    guard groupNames.count <= RegexParser.groupCountMax else {
      throw error("it has more than \(RegexParser.groupCountMax) groups", at: position)
    }
    groupNames.append(name)
    return groupNames.count - 1
  }

  /// `\d`, `\pL` and the like; nil if the escape is none of these.
  private mutating func escapedClass() throws(QueryError) -> ScalarSet? {
    guard peek == "\\", let next = peek(1) else { return nil }
    switch next {
    case "d", "D", "w", "W", "s", "S":
      index += 2
      switch next {
      case "d": return .digits
      case "D": return ScalarSet.digits.inverted
      case "w": return folded(.word)
      case "W": return folded(.word).inverted
      case "s": return .space
      default: return ScalarSet.space.inverted
      }
    case "p", "P":
      let start = index
      index += 2
      var negated = next == "P"
      var name = ""
      if peek == "{" {
        index += 1
        if peek == "^" {
          negated.toggle()
          index += 1
        }
        while let scalar = peek, scalar != "}" {
          name.unicodeScalars.append(scalar)
          index += 1
        }
        guard peek == "}" else { throw error("`\\p{` is not closed", at: start, expected: "`}`") }
        index += 1
      } else if let scalar = peek {
        name.unicodeScalars.append(scalar)
        index += 1
      }
      guard let set = ScalarCategories.set(named: name) else {
        throw error(
          "there is no class `\\p{\(name)}`", at: start,
          expected: "a Unicode general category such as `L`, `Lu` or `Nd`")
      }
      let cased = folded(set)
      return negated ? cased.inverted : cased
    default: return nil
    }
  }

  /// `\n`, `\x{41}`, `\.` and the like.
  private mutating func escapedScalar() throws(QueryError) -> Unicode.Scalar {
    let start = index
    index += 1
    guard let scalar = peek else { throw error("it ends in a lone `\\`", at: start) }
    index += 1
    switch scalar {
    case "a": return "\u{07}"
    case "f": return "\u{0C}"
    case "t": return "\t"
    case "n": return "\n"
    case "r": return "\r"
    case "v": return "\u{0B}"
    case "0"..."7":
      // `\1` to `\7` alone would be references.
      if scalar != "0", !(peek.map { $0 >= "0" && $0 <= "7" } ?? false) {
        throw error("references to groups are not supported", at: start)
      }
      var value = scalar.value - 0x30
      for _ in 0..<2 {
        guard let digit = peek, digit >= "0", digit <= "7" else { break }
        value = value * 8 + digit.value - 0x30
        index += 1
      }
      return Unicode.Scalar(value) ?? "\0"
    case "8", "9": throw error("references to groups are not supported", at: start)
    case "x":
      var digits = ""
      if peek == "{" {
        index += 1
        while let digit = peek, digit != "}" {
          digits.unicodeScalars.append(digit)
          index += 1
        }
        guard peek == "}" else { throw error("`\\x{` is not closed", at: start, expected: "`}`") }
        index += 1
      } else {
        for _ in 0..<2 {
          guard let digit = peek else { break }
          digits.unicodeScalars.append(digit)
          index += 1
        }
        if digits.utf8.count != 2 { digits = "" }
      }
      guard let value = UInt32(digits, radix: 16), digits.utf8.first != UInt8(ascii: "+"),
        let result = Unicode.Scalar(value)
      else { throw error("bad `\\x` escape", at: start, expected: "`\\x41` or `\\x{1F600}`") }
      return result
    case "C": throw error("`\\C` is not supported", at: start)
    case "Z": throw error("`\\Z` is not supported", at: start, expected: "`\\z` or `$`")
    default:
      guard scalar.isASCII, !ScalarSet.word.contains(scalar.value) || scalar == "_" else {
        throw error("there is no escape `\\\(scalar)`", at: start)
      }
      return scalar
    }
  }

  private mutating func bracketClass() throws(QueryError) -> ScalarSet {
    let start = index
    index += 1
    var negated = false
    if peek == "^" {
      negated = true
      index += 1
    }
    var set = ScalarSet()
    var ranges: [ClosedRange<UInt32>] = []
    var isFirst = true
    while true {
      guard let scalar = peek else { throw error("this `[` is not closed", at: start, expected: "`]`") }
      if scalar == "]", !isFirst {
        index += 1
        break
      }
      isFirst = false
      if scalar == "[", peek(1) == ":" {
        set = set.union(try posixClass())
        continue
      }
      if scalar == "\\", let escaped = try escapedClass() {
        set = set.union(escaped)
        continue
      }
      let itemStart = index
      let low = try classScalar()
      var high = low
      if peek == "-", let after = peek(1), after != "]" {
        index += 1
        if peek == "\\", let next = peek(1), "dDwWsSpP".unicodeScalars.contains(next) {
          throw error("a class cannot end a range", at: index)
        }
        high = try classScalar()
      }
      guard low.value <= high.value else { throw error("the range is in the wrong order", at: itemStart) }
      ranges.append(low.value...high.value)
    }
    set = folded(set.union(ScalarSet(ranges)))
    return negated ? set.inverted : set
  }

  private mutating func classScalar() throws(QueryError) -> Unicode.Scalar {
    guard let scalar = peek else { throw error("a class is not closed", expected: "`]`") }
    if scalar == "\\" { return try escapedScalar() }
    index += 1
    return scalar
  }

  private mutating func posixClass() throws(QueryError) -> ScalarSet {
    let start = index
    index += 2
    let negated = peek == "^"
    if negated { index += 1 }
    var name = ""
    while let scalar = peek, scalar != ":", name.unicodeScalars.count < 10 {
      name.unicodeScalars.append(scalar)
      index += 1
    }
    guard peek == ":", peek(1) == "]" else {
      throw error("bad class", at: start, expected: "a name such as `[:alpha:]`")
    }
    index += 2
    let set: ScalarSet
    switch name {
    case "alnum": set = ScalarSet(pairs: "09AZaz")
    case "alpha": set = ScalarSet(pairs: "AZaz")
    case "ascii": set = ScalarSet([0...0x7F])
    case "blank": set = ScalarSet(pairs: "\t\t  ")
    case "cntrl": set = ScalarSet([0...0x1F, 0x7F...0x7F])
    case "digit": set = .digits
    case "graph": set = ScalarSet(pairs: "!~")
    case "lower": set = ScalarSet(pairs: "az")
    case "print": set = ScalarSet(pairs: " ~")
    case "punct": set = ScalarSet(pairs: "!/:@[`{~")
    case "space": set = ScalarSet(pairs: "\t\r  ")
    case "upper": set = ScalarSet(pairs: "AZ")
    case "word": set = .word
    case "xdigit": set = ScalarSet(pairs: "09AFaf")
    default: throw error("there is no class `[:\(name):]`", at: start)
    }
    return negated ? set.inverted : set
  }
}
