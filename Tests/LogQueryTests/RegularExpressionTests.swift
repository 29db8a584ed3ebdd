import Testing

@testable import LogQuery

@Suite struct RegularExpressionTests {
  static func captures(_ pattern: String, _ text: String, from start: Int = 0) throws -> [String?]? {
    let expression = try RegularExpression(pattern)
    let bytes = Array(text.utf8)
    return bytes.withUnsafeBufferPointer { buffer in
      expression.captures(in: buffer, from: start)?.map { range in
        range.map { String(decoding: bytes[$0], as: UTF8.self) }
      }
    }
  }

  static func matches(_ pattern: String, _ text: String) throws -> Bool {
    let expression = try RegularExpression(pattern)
    return Array(text.utf8).withUnsafeBufferPointer { expression.matches($0) }
  }

  private static let itMatchesAsReDoesCases: [(String, String, Bool)] = [
    ("err|warn", "transferring", true), ("err|warn", "warmer", false), ("^foo$", "foo", true),
    ("^foo$", "foo\n", false),
    ("(?m)^b$", "a\nb\nc", true), ("^b$", "a\nb\nc", false), ("a.c", "a\nc", false), ("(?s)a.c", "a\nc", true),
    ("(?i)ERROR", "an eRRor", true), ("(?i)straße", "STRAßE", true), ("(?i)привет", "ПРИВЕТ", true),
    ("(?i)[а-я]+!", "ПРИВЕТ!", true),
    ("(?i)k", "\u{212A}", true), ("a(?i)b(?-i)c", "aBc", true), ("a(?i)b(?-i)c", "aBC", false), ("(?i:a)b", "Ab", true),
    ("(?i:a)b", "AB", false), (#"\d+\.\d+"#, "v1.2", true), (#"\bfoo\b"#, "a foo b", true),
    (#"\bfoo\b"#, "afoo", false),
    (#"\Boo\b"#, "foo", true), (#"\Boo"#, "oo", false), ("", "", true), ("", "x", true), ("x*", "", true),
    ("^x*$", "y", false),
    ("^.$", "é", true), ("^..$", "é", false), ("^.{2,3}$", "日本", true), ("^.+$", "日本", true), ("[^a]", "a", false),
    ("[^a]", "日", true), ("^[^日]$", "本", true), ("^[^日]$", "日", false), (#"\pL+\d"#, "日本7", true),
    (#"^\p{Lu}\p{Ll}$"#, "Éa", true),
    (#"^\P{L}$"#, "7", true), (#"^\p{^L}$"#, "x", false), (#"\x41\x{1F600}"#, "A😀", true),
    (#"\Qa.b\E+"#, "a.bbb", true),
    (#"\Qa.b\E"#, "axb", false), ("a{2}", "aa", true), ("^a{2}$", "aaa", false), ("^a{2,}$", "aaaa", true),
    ("^a{0,2}$", "", true),
    ("a{x", "a{x", true), ("a{,3}", "a{,3}", true), ("[]a]", "]", true), ("[a-]", "-", true),
    ("[[:digit:]x]+$", "12x", true),
    (#"[\d\-]+"#, "1-2", true), (#"\101"#, "A", true), (#"\t\n\r\f\v\a"#, "\t\n\r\u{0C}\u{0B}\u{07}", true),
    ("(a|b)*c", "ababc", true),
    ("(?:a|ab)(?:c|bcd)$", "abcd", true), ("a||b", "", true), ("()", "", true), ("(a*)*$", "aaab", true),
    ("(a*)+b", "aaab", true),
    ("foo.*bar", "foo\u{FFFD}bar", true), ("(?U)a+", "aa", true), ("\\A\\d", "x1", false), ("\\d\\z", "1x", false),
    ("a$|^b", "ba", true), ("a$|^b", "ab", false), ("(?:)", "x", true), ("(?m)$^", "a", false), ("(?m)^$", "a\n", true),
  ]

  @Test(arguments: itMatchesAsReDoesCases)
  func `it matches as RE2 does`(pattern: String, text: String, expected: Bool) throws {
    #expect(try RegularExpressionTests.matches(pattern, text) == expected)
    #expect(try (RegularExpressionTests.captures(pattern, text) != nil) == expected)
  }

  private static let capturesAreTheLeftmostPreferredOnesCases: [(String, String, [String?])] = [
    (#"(\d+)-(\d+)?"#, "a 12- b", ["12-", "12", nil]),
    ("(a+)(a*)", "aaa", ["aaa", "aaa", ""]),
    ("(a+?)(a*)", "aaa", ["aaa", "a", "aa"]),
    ("(a|ab)(c|bcd)(d*)", "abcd", ["abcd", "a", "bcd", ""]),
    ("(?P<ip>[0-9.]+):(?<port>\\d+)", "at 10.0.0.1:80!", ["10.0.0.1:80", "10.0.0.1", "80"]),
    ("(.*?),(.*)", "a,b,c", ["a,b,c", "a", "b,c"]),
    ("x*", "baax", [""]),
    ("(a)|b", "b", ["b", nil]),
    ("(.+?)é", "日本é", ["日本é", "日本"]),
    ("(.)(.*)", "日本", ["日本", "日", "本"]),
    ("(?:(a)|b)*", "ab", ["ab", "a"]),
    ("^(\\w+) .* (\\w+)$", "one two three", ["one two three", "one", "three"]),
  ]

  @Test(arguments: capturesAreTheLeftmostPreferredOnesCases)
  func `captures are the leftmost, preferred ones`(pattern: String, text: String, expected: [String?]) throws {
    #expect(try RegularExpressionTests.captures(pattern, text) == expected)
  }

  @Test func `a search goes on from a place`() throws {
    let expression = try RegularExpression("(?m)^a|b")
    Array("ab\nab".utf8).withUnsafeBufferPointer { text in
      #expect(expression.captures(in: text, from: 0)?[0] == 0..<1)
      #expect(expression.captures(in: text, from: 1)?[0] == 1..<2)
      #expect(expression.captures(in: text, from: 2)?[0] == 3..<4)
      #expect(expression.captures(in: text, from: 5) == nil)
      #expect(expression.captures(in: text, from: 6) == nil)
    }
  }

  @Test func `groups have names`() throws {
    #expect(try RegularExpression("(?P<a>x)(y)(?<b_1>z)").groupNames == [nil, "a", nil, "b_1"])
  }

  private static let aBadPatternIsRefusedWithItsPlaceCases: [(String, Int)] = [
    ("(", 1), ("a)", 2), ("[a", 1), ("*a", 1), ("a**", 3), ("a\\", 2), (#"\1"#, 1), (#"(a)\2"#, 4), ("(?=a)", 1),
    ("(?<!a)", 1), ("a++", 3),
    ("a{1001}", 2), ("a{3,2}", 2), (#"\p{Greek}"#, 1), (#"\x{110000}"#, 1), (#"\y"#, 1), ("[z-a]", 2),
    ("(?P<a>x)(?P<a>y)", 9),
    ("(?x)", 3), ("é(", 2), ("[[:nope:]]", 2), (#"[a-\d]"#, 4), ("(?P<a-b>x)", 6), (#"\C"#, 1),
  ]

  @Test(arguments: aBadPatternIsRefusedWithItsPlaceCases)
  func `a bad pattern is refused with its place`(pattern: String, column: Int) {
    do {
      _ = try RegularExpression(pattern)
      Issue.record("\(pattern) was taken")
    } catch {
      #expect(error.column == column, "\(pattern): \(error)")
    }
  }

  @Test func `patterns that would be huge are refused`() {
    #expect(throws: QueryError.self) { try RegularExpression("((a{100}){100}){100}") }
    #expect(throws: QueryError.self) { try RegularExpression(#"\pL{1000}"#) }
    #expect(throws: QueryError.self) {
      try RegularExpression(String(repeating: "(", count: 10_000) + String(repeating: ")", count: 10_000))
    }
  }

  @Test func `time stays linear where backtracking would not end`() throws {
    let text = String(repeating: "a", count: 2000)
    #expect(try !RegularExpressionTests.matches("(a*)*b", text + "c"))
    #expect(try !RegularExpressionTests.matches("(a|a|aa)+$", text + "b"))
    #expect(try RegularExpressionTests.captures("(a?){30}a{30}$", text) != nil)
    // Far more states than are kept: the automaton starts over again and again.
    var generator = SplitMix(seed: 5)
    let noise = String((0..<6000).map { _ in generator.next() % 2 == 0 ? "a" : "b" } as [Character])
    #expect(try !RegularExpressionTests.matches("a[ab]{14}c", noise))
    #expect(try RegularExpressionTests.matches("a[ab]{14}c", noise + "a" + String(repeating: "b", count: 14) + "c"))
  }

  private static let itKnowsWhatEveryMatchContainsCases: [(String, [String])] = [
    ("connection (refused|reset) by peer", ["connection refused by peer|connection reset by peer"]),
    ("a+bc", ["bc", "a"]), ("(?i)abc", ["abc, any case"]), ("abc", ["abc"]), ("a|b", ["a|b"]),
    ("(foo){2}x?", ["foofoox|foofoo"]), (#"\bfoo\d"#, ["foo"]), ("x.*(foo|barbar[0-9]+)", ["foo|barbar", "x"]),
    ("a*b?", []), ("[ab]c.d", ["ac|bc", "d"]),
  ]

  @Test(arguments: itKnowsWhatEveryMatchContainsCases)
  func `it knows what every match contains`(pattern: String, literals: [String]) throws {
    #expect(try RegularExpression(pattern).requiredTexts.map(\.description) == literals)
  }

  /// A backtracking matcher for a few constructs, to hold the automata against.
  indirect enum Node {
    case any
    case letter(UInt8)
    case notLetter(UInt8)
    case start, end, boundary
    case both(Node, Node)
    case either(Node, Node)
    case star(Node)
    case optional(Node)

    static func random(_ generator: inout SplitMix, depth: Int) -> Node {
      switch generator.next() % (depth > 0 ? 12 : 5) {
      case 0, 1: .letter(UInt8(ascii: "a") + UInt8(generator.next() % 3))
      case 2: .any
      case 3: .notLetter(UInt8(ascii: "a"))
      case 4: [Node.start, .end, .boundary, .letter(UInt8(ascii: " "))][Int(generator.next() % 4)]
      case 5, 6, 7: .both(random(&generator, depth: depth - 1), random(&generator, depth: depth - 1))
      case 8, 9: .either(random(&generator, depth: depth - 1), random(&generator, depth: depth - 1))
      case 10: .star(random(&generator, depth: depth - 1))
      default: .optional(random(&generator, depth: depth - 1))
      }
    }

    var pattern: String {
      switch self {
      case .any: "."
      case .letter(let byte): String(Unicode.Scalar(byte))
      case .notLetter(let byte): "[^\(Unicode.Scalar(byte))]"
      case .start: "^"
      case .end: "$"
      case .boundary: "\\b"
      case .both(let first, let second): first.pattern + second.pattern
      case .either(let first, let second): "(?:\(first.pattern)|\(second.pattern))"
      case .star(let inner): "(?:\(inner.pattern))*"
      case .optional(let inner): "(?:\(inner.pattern))?"
      }
    }

    /// Calls `then` with every end of a match that starts at `index`, most preferred first, until it says true.
    func match(_ text: [UInt8], _ index: Int, _ then: (Int) -> Bool) -> Bool {
      switch self {
      case .any: return index < text.count && text[index] != 10 && then(index + 1)
      case .letter(let byte): return index < text.count && text[index] == byte && then(index + 1)
      case .notLetter(let byte): return index < text.count && text[index] != byte && then(index + 1)
      case .start: return index == 0 && then(index)
      case .end: return index == text.count && then(index)
      case .boundary:
        let before = index > 0 && text[index - 1] != 32
        let after = index < text.count && text[index] != 32
        return before != after && then(index)
      case .both(let first, let second): return first.match(text, index) { second.match(text, $0, then) }
      case .either(let first, let second): return first.match(text, index, then) || second.match(text, index, then)
      case .star(let inner):
        return inner.match(text, index) { $0 > index && self.match(text, $0, then) } || then(index)
      case .optional(let inner): return inner.match(text, index, then) || then(index)
      }
    }
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `it agrees with a backtracking matcher`(seed: UInt64) throws {
    var generator = SplitMix(seed: seed)
    for _ in 0..<120 {
      let node = Node.random(&generator, depth: 4)
      let expression = try RegularExpression(node.pattern)
      for _ in 0..<8 {
        let text = (0..<Int(generator.next() % 9)).map { _ in [97, 98, 99, 32][Int(generator.next() % 4)] as UInt8 }
        var expected: Range<Int>?
        for start in 0...text.count where expected == nil {
          _ = node.match(text, start) { end in
            expected = start..<end
            return true
          }
        }
        text.withUnsafeBufferPointer { buffer in
          let found = expression.captures(in: buffer)?[0]
          #expect(expression.matches(buffer) == (expected != nil), "\(node.pattern) on \(text), seed \(seed)")
          #expect(found?.lowerBound == expected?.lowerBound, "\(node.pattern) on \(text), seed \(seed)")
        }
      }
    }
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `no pattern and no text traps`(seed: UInt64) {
    var generator = SplitMix(seed: seed)
    let pieces = Array("ab()[]{}*+?|^$.\\-,:1234<>PiQEdDwWsSbBpLx\né日=!".unicodeScalars)
    for _ in 0..<500 {
      var pattern = ""
      for _ in 0..<generator.next() % 14 {
        pattern.unicodeScalars.append(pieces[Int(generator.next() % UInt64(pieces.count))])
      }
      // A pattern may be refused; that is what this is for.
      guard let expression = try? RegularExpression(pattern) else { continue }
      let text = (0..<generator.next() % 20).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      text.withUnsafeBufferPointer { buffer in
        let found = expression.captures(in: buffer)
        #expect((found != nil) == expression.matches(buffer), "\(pattern) on \(text)")
      }
    }
  }
}

/// A small generator with a seed.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}
