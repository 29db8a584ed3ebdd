import Domain
import Testing

@testable import LogQuery

@Suite struct ValueMatcherTests {
  static func test(_ query: String) throws -> ValueTest {
    guard case .field(_, let test) = try QueryParser(now: Timestamp(seconds: 0)).parseFilter("x:" + query) else {
      throw QueryError(message: "no test on a field", column: 0)
    }
    return test
  }

  static func matches(_ query: String, _ value: [UInt8]) throws -> Bool {
    let matcher = try ValueMatcher(try test(query))
    return value.withUnsafeBufferPointer(matcher.matches)
  }

  private static let valuesMatchAsDocumentedCases: [(String, String, Bool)] = [
    // Words and phrases
    ("error", "error", true), ("error", "an error happened", true), ("error", "error: cannot", true),
    ("error", "errors", false),
    ("error", "ERROR", false), ("error", "_error", false), ("error", "fooerror error", true),
    ("error", "erroré", false), ("error", "éerror", false),
    ("error", "«error»", true), ("error", "", false), ("ошибка", "тут ошибка!", true), ("ошибка", "ошибками", false),
    ("\"ssh: login fail\"", "ERROR: ssh: login fail for", true), ("\"ssh: login fail\"", "ssh login fail", false),
    ("\"ssh: login fail\"", "ssh: login failed", false), ("\": x\"", "a: x", true), ("\": x\"", "a: xy", false),
    ("\"[\"", "a[b", true), ("10.0.0.1", "ip=10.0.0.1:80", true),
    ("10.0.0.1", "110.0.0.1", false), ("\"a\"", "ba ab a", true),
    // Prefixes
    ("err*", "err: foobar", true), ("err*", "file error", true), ("err*", "fooerror", false), ("err*", "Error", false),
    ("\"unexpected fail\"*", "error:unexpected failure", true),
    ("\"unexpected fail\"*", "unexpectedly failed", false), ("\"\"*", "x", true), ("\"\"*", "", false),
    // Substrings, exact values
    ("*ampl*", "Example", true), ("*ampl*", "EXAMPLE", false), ("=\"a b\"", "a b", true), ("=\"a b\"", "a b c", false),
    ("=\"a b\"*", "a bc", true), ("=\"a b\"*", "xa b", false),
    ("=\"\"", "", true), ("=\"\"", "x", false), ("\"\"", "", true), ("\"\"", "x", false), ("*", "x", true),
    ("*", "", false),
    // Cases
    ("i(error)", "An ErRoR occurred", true), ("i(error)", "Errors", false), ("i(error)", "FooError", false),
    ("i(ERR*)", "my error", true), ("i(\"Ünder Way\")", "ÜNDER WAY", true),
    ("i(straße)", "STRASSE", false), ("i(é)", "É", true),
    ("contains_common_case(VictoriaMetrics)", "a victoriaMetrics b", true),
    ("contains_common_case(VictoriaMetrics)", "VICTORIAMETRICS", true),
    ("contains_common_case(VictoriaMetrics)", "vIctoriametrics", false),
    ("equals_common_case(Error)", "ERROR", true), ("equals_common_case(Error)", "ERRor", false),
    ("equals_common_case(Error)", "an ERROR", false),
    // Several
    ("seq(error, \"open file\")", "some error: cannot open file /foo", true),
    ("seq(error, \"open file\")", "cannot open file: error", false), ("seq(a, a)", "a", false),
    ("seq(a, a)", "a a", true), ("in(a, \"b c\")", "b c", true), ("in(a, b)", "a b", false), ("in(\"\")", "", true),
    ("in()", "x", false), ("contains_all(a, \"b c\")", "b c a", true),
    ("contains_all(a, b)", "a", false), ("contains_all()", "x", true), ("contains_any(a, b)", "x b", true),
    ("contains_any(a, b)", "ab", false), ("contains_any()", "x", false),
    // Numbers
    (">5", "5", false), (">5", "5.1", true), (">=5", "5", true), ("<5", "abc", false), ("<5", "", false),
    (">10KiB", "11264", true), (">10KiB", "1MB", true), (">1.5s", "1501ms", true),
    (">1.5s", "1.5s", false), ("<1m", "59s", true), (">2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z", true),
    ("<=1.2.3.4", "1.2.3.4", true), ("<=1.2.3.4", "1.2.3.5", false),
    ("range(1, 5]", "1", false), ("range(1, 5]", "5", true), ("range[1, 5)", "5", false),
    ("range[-inf, 0]", "-3e2", true), (">abc", "abd", true), (">abc", "abc", false), (">=abc", "abc", true),
    ("<\"John\"", "Jane", true), ("<\"John\"", "John", false), ("<=\"John\"", "John", true),
    ("range[1, 5]", "took 4", false),
    ("ipv4_range(127.0.0.0/8)", "127.9.9.9", true), ("ipv4_range(127.0.0.0/8)", "128.0.0.0", false),
    ("ipv4_range(1.2.3.4)", "x 1.2.3.4", false), ("len_range(5, 7)", "ééééé", true),
    ("len_range(5, 7)", "12345678", false), ("len_range(0, inf)", "", true), ("string_range(A, C)", "Bob", true),
    ("string_range(A, C)", "C", false),
    // Expressions
    ("~\"err|warn\"", "transferring", true), ("~\"^err\"", "an err", false), ("~\"(?i)err\"", "ERR", true),
    ("~\"\"", "", true), ("~\"conn.*refused\"", "connection was refused", true),
    // Patterns
    (
      "pattern_match(\"user_id=<N>, ip=<IP4>, time=<DATETIME>\")",
      "x user_id=123, ip=45.67.89.12, time=2025-10-20T23:32:12Z y", true
    ),
    ("pattern_match(\"user_id=<N>\")", "user_id=abc", false), ("pattern_match(\"<N>.<N>s\")", "took 1.25s", true),
    ("pattern_match_full(\"took <N>ms\")", "took 5ms", true),
    ("pattern_match_full(\"took <N>ms\")", "it took 5ms", false),
    ("pattern_match(\"id <UUID>\")", "id 2edfed59-3e98-4073-bbb2-28d321ca71a7", true),
    ("pattern_match(\"at <TIME> on <DATE>\")", "at 10:20:30,5 on 2025/10/20", true),
    ("pattern_match(\"for <W> now\")", "for \"a b\" now", true),
    ("pattern_match(\"for <W> now\")", "for a b now", false), ("pattern_match(\"<IP4>.\")", "on 1.2.3.4.", true),
    ("pattern_match(\"commit <N>\")", "commit 12abcdEF", true),
  ]

  @Test(arguments: valuesMatchAsDocumentedCases)
  func `values match as documented`(query: String, value: String, expected: Bool) throws {
    #expect(try ValueMatcherTests.matches(query, Array(value.utf8)) == expected)
  }

  @Test func `bytes that are not UTF-8 are matched too`() throws {
    #expect(try ValueMatcherTests.matches("error", [0xFF, 0x65, 0x72, 0x72, 0x6F, 0x72, 0xC3]))
    #expect(try ValueMatcherTests.matches(#""\xff""#, [0x61, 0xFF, 0x62]))
    #expect(try ValueMatcherTests.matches("i(É)", [0xFF, 0xC3, 0x89, 0xFF]))
    #expect(try ValueMatcherTests.matches("len_range(1, 2)", [0xFF, 0xFE]))
  }

  private static let itKnowsWhatEveryMatchingValueHoldsCases: [(String, [String], [String])] = [
    ("\"conn refused by\"", ["conn", "refused", "by"], ["conn refused by"]), ("\"conn re\"*", ["conn"], ["conn re"]),
    ("*\"nn refused b\"*", ["refused"], ["nn refused b"]),
    ("=\"a b\"", ["a", "b"], ["a b"]), ("~\"xx failed to.*yy\"", ["failed"], ["xx failed to", "yy"]),
    ("~\"(timed? ?out|refused).*[0-9]{4}\"", [], ["timed out|timedout|time out|timeout|refused"]),
    ("i(Error)", [], ["error, any case"]), ("contains_any(a, b)", [], ["a|b"]), ("in(a)", ["a"], ["a"]),
    ("seq(a, \"b c\")", ["a", "b", "c"], ["a", "b c"]), (">5", [], []), ("\"\"", [], []),
    ("pattern_match(\"a took <N>ms\")", ["took"], ["a took ", "ms"]),
  ]

  @Test(arguments: itKnowsWhatEveryMatchingValueHoldsCases)
  func `it knows what every matching value holds`(query: String, words: [String], literals: [String]) throws {
    let matcher = try ValueMatcher(try ValueMatcherTests.test(query))
    #expect(matcher.requiredWords.map { String(decoding: $0, as: UTF8.self) } == words)
    #expect(matcher.requiredTexts.map(\.description) == literals)
  }

  // MARK: Templates

  /// `<n>` stands for an integer slot, `<x>` hex, `<w>` word, `<q>` quoted, `<b>` bytes.
  static func template(_ text: String) -> Template {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    let kinds: [(String, SlotKind)] = [
      ("<n>", .integer), ("<x>", .hex), ("<w>", .word), ("<q>", .quoted), ("<b>", .bytes), ("<u>", .uuid),
    ]
    while let first = rest.first {
      if let (mark, kind) = kinds.first(where: { rest.starts(with: $0.0.utf8) }) {
        bytes += [Template.slotMarker, kind.rawValue]
        rest = rest.dropFirst(mark.utf8.count)
      } else {
        bytes.append(first)
        rest = rest.dropFirst()
      }
    }
    return Template(text: bytes)
  }

  private static let aTemplateAloneAnswersWhereItCanCases: [(String, String, TemplateVerdict)] = [
    ("error", "an error in <n>", .all), ("error", "errors in <n>", .none), ("error", "all is well: <n>", .none),
    ("error", "said \"<q>\"", .maybe), ("error", "error<w>", .all), ("error", "plain error", .all),
    ("error", "plain", .none), ("\"took 5\"", "took <n> ms", .maybe), ("\"took 5\"", "took <q>", .maybe),
    ("\"took 5\"", "lasted <n>", .none), ("\"took x\"", "took <n> ms", .none), ("5", "took <n>", .maybe),
    ("5", "took long", .none), ("abc", "id <x>", .none), ("abc12f", "id <x>", .maybe), ("xyz1", "id <x>", .none),
    ("*xyz*", "id <n>", .none), ("*abc*", "id <x>", .maybe), ("*\"d <\"*", "id <n>", .none),
    ("err*", "errors <n>", .all), ("err*", "terror <n>", .none), ("*rror*", "terror <n>", .all),
    ("=\"took 5\"", "took <n>", .maybe), ("=\"took 5\"", "took <n> ms", .none), ("=\"took\"*", "took <n>", .all),
    ("=\"took 7\"*", "took <n>", .maybe), ("=\"xook\"*", "took <n>", .none), ("=\"5\"*", "<n> ms", .maybe),
    ("*", "a<n>", .all), ("*", "<n>", .maybe), ("\"\"", "a<n>", .none), ("\"\"", "<n>", .maybe),
    ("~\"conn.*refused\"", "conn <n> refused", .maybe),
    ("~\"conn.*refused\"", "conn <n> accepted", .none), ("~\"re[fg]used\"", "it refused <n>", .all),
    ("~\"^it\"", "it refused <n>", .maybe), ("i(ERROR)", "An Error <n>", .all), ("i(ERROR)", "errors <n>", .none),
    ("i(é)", "É <n>", .all), ("seq(a, b)", "a <n> b", .all), ("seq(b, a)", "a <n> b", .maybe),
    ("seq(a, z)", "a <n> b", .none), ("in(\"a 5\", \"b\")", "a <n>", .maybe), ("in(\"c 5\", \"b\")", "a <n>", .none),
    ("contains_all(a, b)", "a <n> b", .all), ("contains_all(a, 5)", "a <n> b", .maybe),
    ("contains_all(a, z)", "a <n> b", .none), ("contains_any(z, b)", "a <n> b", .all),
    ("contains_any(z, y)", "a <n> b", .none),
    (">5", "<n>", .maybe), (">5", "x", .none), ("len_range(0, 3)", "abcd<n>", .none),
    ("len_range(0, 9)", "abcd<n>", .maybe), ("pattern_match(\"took <N>\")", "took <n>", .maybe),
    ("pattern_match(\"tock <N>\")", "took <n>", .none),
    ("\"10.0\"", "<b>", .maybe),
  ]

  @Test(arguments: aTemplateAloneAnswersWhereItCanCases)
  func `a template alone answers where it can`(query: String, template: String, verdict: TemplateVerdict) throws {
    let matcher = try ValueMatcher(try ValueMatcherTests.test(query))
    #expect(matcher.verdict(on: ValueMatcherTests.template(template)) == verdict)
  }

  /// A message of random pieces, and the template a decomposer could make of it under its promise on words: numbers,
  /// hex words and mixed words are slots, quoted text may be; other words stand in literals.
  static func message(_ generator: inout SplitMix) -> (message: [UInt8], template: Template) {
    var message: [UInt8] = []
    var template: [UInt8] = []
    let words = ["a", "b", "ab", "error", "é", "日本", "Error", "x_y"]
    let joints = [" ", ": ", "-", ".", "\"", "", " [", "/"]
    func slot(_ kind: SlotKind, _ content: String) {
      message += Array(content.utf8)
      template += [Template.slotMarker, kind.rawValue]
    }
    var lastIsWord = false
    for _ in 0..<1 + generator.next() % 5 {
      var joint = joints[Int(generator.next() % UInt64(joints.count))]
      if lastIsWord, joint.isEmpty { joint = " " }
      if generator.next() % 6 == 0 {
        slot(.bytes, joint)
      } else {
        message += Array(joint.utf8)
        template += Array(joint.utf8)
      }
      lastIsWord = true
      switch generator.next() % 6 {
      case 0: slot(.integer, String(generator.next() % 30))
      case 1: slot(.hex, "ab" + String(generator.next() % 10) + "c")
      case 2: slot(.word, ["a1", "b2b", "é1", "x_1"][Int(generator.next() % 4)])
      case 3:
        let inside = ["", "a b", "error 5", "é"][Int(generator.next() % 4)]
        message.append(UInt8(ascii: "'"))
        template.append(UInt8(ascii: "'"))
        slot(.quoted, inside)
        message.append(UInt8(ascii: "'"))
        template.append(UInt8(ascii: "'"))
        lastIsWord = false
      default:
        let word = words[Int(generator.next() % UInt64(words.count))]
        if generator.next() % 5 == 0 {
          slot(.quoted, word)
        } else {
          message += Array(word.utf8)
          template += Array(word.utf8)
        }
      }
    }
    return (message, Template(text: template))
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `a template's answer holds for every message`(seed: UInt64) throws {
    var generator = SplitMix(seed: seed)
    for _ in 0..<40 {
      // Text to look for comes from messages, so that it is often there.
      let source = ValueMatcherTests.message(&generator).message
      let start = Int(generator.next() % UInt64(source.count + 1))
      var text = Array(source[start..<min(source.count, start + 1 + Int(generator.next() % 6))])
      if generator.next() % 8 == 0 { text = [] }
      let other = ValueMatcherTests.message(&generator).message
      let string = String(decoding: text, as: UTF8.self)
      let escaped = string.unicodeScalars.map {
        ScalarSet.word.contains($0.value) || !$0.isASCII ? String($0) : "\\\($0)"
      }.joined()
      let tests: [ValueTest] = [
        .phrase(text), .phrasePrefix(text), .substring(text), .exact(text), .exactPrefix(text),
        .caseInsensitivePhrase(text), .caseInsensitivePrefix(text),
        .sequence([text, other]), .oneOf([text, source, other]), .containsAll([text, other]),
        .containsAny([text, other]), .containsCommonCase([text]), .equalsCommonCase([source]),
        .lengthRange(0, generator.next() % 12), .any, .empty, .regexp(escaped + "."), .regexp("^" + escaped),
        .regexp("(?i)" + escaped), .patternMatch(string + "<N>", full: false),
        .numericRange(lower: 0, upper: 20),
        .stringRange(lower: text, lowerInclusive: true, upper: nil, upperInclusive: false),
      ]
      let messages =
        (0..<8).map { _ in ValueMatcherTests.message(&generator) } + [ValueMatcherTests.message(&generator)]
      for test in tests {
        let matcher = try ValueMatcher(test)
        for (message, template) in messages {
          let found = message.withUnsafeBufferPointer(matcher.matches)
          let verdict = matcher.verdict(on: template)
          if verdict != .maybe, (verdict == .all) != found {
            Issue.record(
              "\(test) on \(String(decoding: message, as: UTF8.self)) as \(template.description): \(verdict), seed \(seed)"
            )
          }
          if found {
            let words = WordTokenizer.words(of: message)
            let holdsLiterals = message.withUnsafeBufferPointer { message in
              matcher.requiredTexts.allSatisfy { $0.isContained(in: message) }
            }
            if !holdsLiterals || !matcher.requiredWords.allSatisfy(words.contains) {
              Issue.record("\(test) on \(String(decoding: message, as: UTF8.self)) needs too much, seed \(seed)")
            }
          }
        }
      }
    }
  }
}

extension RequiredText {
  /// `a|b`, and whether case counts.
  var description: String {
    alternatives.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "|")
      + (ignoresCase ? ", any case" : "")
  }
}

@Suite struct TemplateSearchTests {
  static func places(_ text: [String], _ template: String, ignoresCase: Bool = false) throws -> TemplateSearch.Places {
    let text = try #require(RequiredText(text.map { Array($0.utf8) }, ignoresCase: ignoresCase))
    return TemplateSearch(text).places(in: ValueMatcherTests.template(template))
  }

  @Test func `a text is found in literals, in slots that can hold it, and across their edges`() throws {
    #expect(try TemplateSearchTests.places(["timed out"], "it timed out after <n>ms").inLiteral)
    #expect(try TemplateSearchTests.places(["refused"], "a <n> b <x> c").isNowhere)
    #expect(try TemplateSearchTests.places(["refused"], "a <n> b <w> c <q>").slots == 0b110)
    let across = try TemplateSearchTests.places(["peer 42"], "by peer <n>")
    #expect(across.acrossEdge && !across.inLiteral && across.slots == 0)
    #expect(try TemplateSearchTests.places(["REFUSED by"], "was refused by <n>", ignoresCase: true).inLiteral)
    #expect(try TemplateSearchTests.places(["refused", "reset"], "was reset").inLiteral)
    #expect(try TemplateSearchTests.places(["refused", "reset"], "was re-set").isNowhere)
  }

  @Test func `a word crosses no edge, and one with a digit stands in no literal`() throws {
    #expect(try TemplateSearchTests.places(["abcdef"], "abc<w>").slots == 1)
    #expect(try !TemplateSearchTests.places(["abcdef"], "abc<w>").acrossEdge)
    #expect(try TemplateSearchTests.places(["x86"], "an x86 of <n>").isNowhere)
    #expect(try TemplateSearchTests.places(["a-b"], "a<q>").acrossEdge)
  }

  @Test func `what a slot's values are made of narrows it`() throws {
    let search = TemplateSearch(try #require(RequiredText([Array("x1".utf8)])))
    let template = ValueMatcherTests.template("<w> <w>")
    let classes = (0...255).map { UInt8($0) }.map { FieldNumber.isDigit($0) ? UInt8(1) : UInt8(2) }
    let masks = search.masks(ofClasses: classes)
    let places = search.places(in: template, allowed: .max) { $0 == 0 ? masks[0] : masks[0] | masks[1] }
    #expect(places.slots == 0b10)
  }

  @Test func `more bytes than a word has bits are looked for by their beginnings`() throws {
    let long = String(repeating: "abcdefgh", count: 20)
    // What is left out may stand in the slot behind.
    let begun = try TemplateSearchTests.places([long, "zz"], "so \(long) is")
    #expect(begun.acrossEdge && !begun.inLiteral)
    #expect(try TemplateSearchTests.places([long], "so <q>").acrossEdge)
    #expect(try TemplateSearchTests.places([long, "zz"], "so abcdefgh is").isNowhere)
  }
}

@Suite struct FieldNumberTests {
  private static let numbersAreReadCases: [(String, Double)] = [
    ("0", 0), ("-12.5", -12.5), ("+3", 3), ("1e3", 1000), ("1.5E-2", 0.015),
    ("123456789012345678", 123_456_789_012_345_680), ("0.1", 0.1), ("12345678901234567890", 12_345_678_901_234_567_168),
    (".5", 0.5), ("5.", 5),
    ("1.5s", 1.5e9), ("1h5m", 3.9e12), ("-3ms", -3e6), ("2µs", 2000), ("1d", 8.64e13), ("1w", 6.048e14),
    ("10KB", 10_000), ("10KiB", 10_240), ("1.5MiB", 1_572_864), ("2K", 2000), ("3Gi", 3_221_225_472), ("7B", 7),
    ("1.2.3.4", 16_909_060), ("2024-01-02T00:00:00Z", 1.7041536e18), ("0x10", 16), ("1_000", 1000), ("0b101", 5),
  ]

  @Test(arguments: numbersAreReadCases)
  func `numbers are read`(text: String, value: Double) {
    #expect(FieldNumber.reading(text, FieldNumber.value) == value)
  }

  private static let otherTextIsNoNumberCases: [String] = [
    "", "-", ".", "e5", "1e", "1x", "abc", "5 ", " 5", "1s5", "1.2.3", "1.2.3.4.5", "256.1.1.1", "2024-13-01T00:00:00Z",
    "--5", "1.2.3s", "inf", "nan", "0x", "1mm", "5KiBi",
  ]

  @Test(arguments: otherTextIsNoNumberCases)
  func `other text is no number`(text: String) {
    #expect(FieldNumber.reading(text, FieldNumber.value) == nil)
  }

  private static let timesAreReadCases: [(String, String)] = [
    ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
    ("2024-01-02T03:04:05.123456789Z", "2024-01-02T03:04:05.123456789Z"),
    ("2024-01-02 03:04:05+02:00", "2024-01-02T01:04:05Z"), ("2024-01-02T03:04:05-0130", "2024-01-02T04:34:05Z"),
    ("2024-02-29T00:00:00.5Z", "2024-02-29T00:00:00.5Z"),
  ]

  @Test(arguments: timesAreReadCases)
  func `times are read`(text: String, time: String) {
    #expect(FieldNumber.reading(text, FieldNumber.timestamp)?.rfc3339 == time)
  }

  private static let otherTextIsNoTimeCases: [String] = [
    "2024-01-02", "2024-01-02T03:04Z", "2023-02-29T00:00:00Z", "2024-01-02T25:04:05Z", "2024-01-02T03:04:05",
    "2024-01-02T03:04:05Zx", "xxxx-01-02T03:04:05Z",
  ]

  @Test(arguments: otherTextIsNoTimeCases)
  func `other text is no time`(text: String) {
    #expect(FieldNumber.reading(text, FieldNumber.timestamp) == nil)
  }

  @Test(arguments: 0..<3 as Range<UInt64>)
  func `no bytes trap, and plain numbers are the ones Swift reads`(seed: UInt64) {
    var generator = SplitMix(seed: seed)
    let letters = Array("0123456789.-+eEsmhdKMGiBTZ:_x ".utf8)
    for _ in 0..<5000 {
      let bytes = (0..<generator.next() % 24).map { _ in letters[Int(generator.next() % UInt64(letters.count))] }
      bytes.withUnsafeBufferPointer { buffer in
        _ = FieldNumber.value(buffer)
        _ = FieldNumber.byteCount(buffer)
        _ = FieldNumber.timestamp(buffer)
        if let number = FieldNumber.plain(buffer), Double(String(decoding: bytes, as: UTF8.self)) != number {
          Issue.record("\(bytes) was read as \(number)")
        }
      }
    }
  }
}
