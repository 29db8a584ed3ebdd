import Domain
import Testing

@testable import LogQuery

@Suite struct PipeTextTests {
  private static func value(_ text: String) -> Row { Row([("_msg", Array(text.utf8))]) }

  private static func result(_ pipe: Pipe, _ row: Row, _ field: String = "r") throws -> String {
    text(of: field, in: try run([pipe], on: [row]).rows[0])
  }

  // MARK: extract

  @Test(arguments: [
    ("ip=<ip> ", "error ip=1.2.3.4 from x", "ip=1.2.3.4"), ("ip=<ip>", "ip=1.2.3.4 from x", "ip=1.2.3.4\\sfrom\\sx"),
    ("<a> <b>", "x y z", "a=x b=y\\sz"), ("ip=<ip> ", "nothing", ""), ("<a>-<b>;", "x-y", "a=x"),
    ("<_>:<b>;", "x:y;z", "b=y"),
    ("ip=<ip>,id=<id>,", "ip=1,id=2", "ip=1"), (#""msg":<m>"#, #"{"msg":"a \"b\" c","x":1}"#, #"m=a\s"b"\sc"#),
    (#"<a> <b>"#, #"'x y' z"#, "a=x\\sy b=z"), ("[<plain:m>]", #"["a","b"]"#, #"m="a","b""#),
    ("<a> &lt; <b>", "1 < 2", "a=1 b=2"),
    ("<a> end", "\"x\" end", "a=x"), ("<a>x", "\"open x", "a=\"open\\s"), ("<q:a>", "v", "q:a=v"),
  ])
  func `extract takes what stands between texts`(pattern: String, message: String, expected: String) throws {
    let rows = try run(
      [
        .extract(pattern: pattern, from: "_msg", keepOriginal: false, skipEmpty: false, condition: nil),
        .delete(["_msg"]),
      ],
      on: [Self.value(message)]
    ).rows

    #expect(rows.map { text($0) } == [expected])
  }

  @Test func `extract overwrites, unless it is told to keep or to skip`() throws {
    func extract(keep: Bool, skip: Bool, _ rows: String...) throws -> [String] {
      try run(
        .extract(pattern: "k=<a>;", from: "s", keepOriginal: keep, skipEmpty: skip, condition: nil), .delete(["s"]),
        on: rows)
    }

    #expect(try extract(keep: false, skip: false, "s=k=1; a=0", "s=none a=0") == ["a=1", ""])
    #expect(try extract(keep: true, skip: false, "s=k=1; a=0", "s=k=1;") == ["a=0", "a=1"])
    #expect(try extract(keep: false, skip: true, "s=k=1; a=0", "s=none a=0") == ["a=1", "a=0"])
  }

  @Test func `a condition leaves other rows alone`() throws {
    let condition = Filter.field("a", .empty)

    #expect(
      try run(
        .extract(pattern: "k=<a>;", from: "s", keepOriginal: false, skipEmpty: false, condition: condition),
        .delete(["s"]),
        on: ["s=k=1; a=0", "s=k=1;"]) == ["a=0", "a=1"])
  }

  @Test(arguments: ["<a", "<a><b>", "text", "<_>"])
  func `a pattern that cannot work is refused`(pattern: String) {
    #expect(throws: QueryError.self) {
      try run(.extract(pattern: pattern, from: "_msg", keepOriginal: false, skipEmpty: false, condition: nil), on: [])
    }
  }

  @Test func `extract_regexp takes named groups`() throws {
    let pipe = Pipe.extractRegexp(
      pattern: "(?P<ip>([0-9]+[.]){3}[0-9]+)(:(?P<port>[0-9]+))?", from: "_msg", keepOriginal: false, skipEmpty: false,
      condition: nil)

    #expect(try Self.result(pipe, Self.value("from 10.0.0.1:80 on"), "ip") == "10.0.0.1")
    #expect(try Self.result(pipe, Self.value("from 10.0.0.1:80 on"), "port") == "80")
    #expect(try Self.result(pipe, Row([("_msg", []), ("ip", [1])]), "ip") == "")
    #expect(throws: QueryError.self) {
      try run(
        .extractRegexp(pattern: "(a)", from: "_msg", keepOriginal: false, skipEmpty: false, condition: nil), on: [])
    }
  }

  // MARK: unpack

  private static func unpack(
    _ fields: [String] = [], prefix: String = "", keep: Bool = false, skip: Bool = false, condition: Filter? = nil
  ) -> Unpack {
    Unpack(
      from: "_msg", fields: fields, resultPrefix: prefix, keepOriginal: keep, skipEmpty: skip, condition: condition)
  }

  @Test(arguments: [
    (
      #"{"a":1,"b":"x y","c":true,"d":null,"e":[1,"]"],"f":{"g":{"h":-1.5e3}},"i":{}}"#,
      "a=1 b=x\\sy c=true e=[1,\"]\"] f.g.h=-1.5e3"
    ),
    (#" { "k" : "\u00e4\n\ud83d\ude00\"" } "#, "k=ä\n😀\""), (#"{"a":1"#, ""), (#"{"a":1} x"#, ""), (#"[1]"#, ""),
    (#"{"a":tru}"#, ""),
    (#"{"a":1,}"#, ""), ("", ""), (#"{}"#, ""), (#"{"a":{"b":[}}"#, ""), (#"{"a":"x"#, ""), (#"{"a":"\"#, ""),
  ])
  func `unpack_json flattens an object`(message: String, expected: String) throws {
    let rows = try run([.unpackJSON(Self.unpack()), .delete(["_msg"])], on: [Self.value(message)]).rows

    #expect(rows.map { text($0) } == [expected])
  }

  @Test func `unpack takes the fields asked for, with a prefix`() throws {
    let message = Self.value(#"{"a":"1","ab":"2","c":"3"}"#)
    func unpacked(_ unpack: Unpack, _ row: Row) throws -> String {
      text(try run([.unpackJSON(unpack), .delete(["_msg"])], on: [row]).rows[0])
    }

    #expect(try unpacked(Self.unpack(["a*"], prefix: "p_"), message) == "p_a=1 p_ab=2")
    #expect(try unpacked(Self.unpack(["c", "x"]), Row([("x", [49])] + message.fields)) == "c=3")
    #expect(try unpacked(Self.unpack(["c", "x"], skip: true), Row([("x", [49])] + message.fields)) == "x=1 c=3")
    #expect(try unpacked(Self.unpack(["c"], keep: true), Row([("c", [49])] + message.fields)) == "c=1")
  }

  @Test func `deep nesting is text, not a fall`() throws {
    let deep = String(repeating: #"{"a":"#, count: 100_000) + "1" + String(repeating: "}", count: 100_000)

    #expect(try run([.unpackJSON(Self.unpack()), .delete(["_msg"])], on: [Self.value(deep)]).rows[0].fields.count == 1)
  }

  @Test(arguments: [
    (#"level=info msg="two words" n=5"#, "level=info msg=two\\swords n=5"), (#"a= b=1"#, "b=1"), ("word a=1 =x", "a=1"),
    (#"a="x"y b=2"#, "a=\"x\"y b=2"), ("", ""), ("=", ""), (#"a="open"#, "a=\"open"),
  ])
  func `unpack_logfmt reads pairs`(message: String, expected: String) throws {
    let rows = try run([.unpackLogfmt(Self.unpack()), .delete(["_msg"])], on: [Self.value(message)]).rows

    #expect(rows.map { text($0) } == [expected])
  }

  @Test(arguments: [31, 32, 33])
  func `no bytes make the readers fall`(seed: UInt64) throws {
    var random = PipeTestGenerator(seed: seed)
    let alphabet = Array("{}[]\",:=\\u0tn1 .`'<>%é$".utf8)
    let rows = (0..<2000).map { _ in
      Row([("_msg", (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random)! })])
    }
    let options = FormatOption.names.sorted().map { "<\($0):_msg>" }.joined()

    let out = try run(
      [
        .unpackJSON(Self.unpack(prefix: "j.")), .unpackLogfmt(Self.unpack(prefix: "l.")),
        .extract(pattern: "a<x>=<y>", from: "_msg", keepOriginal: false, skipEmpty: false, condition: nil),
        .format(options, resultField: "f", keepOriginal: false, skipEmpty: false, condition: nil),
        .replaceRegexp("[^a]*?", with: "$0${x}$", at: "_msg", limit: nil, condition: nil),
      ], on: rows
    ).rows

    #expect(out.count == rows.count)
  }

  // MARK: format

  @Test(arguments: [
    ("<a>-<b>", "a=1 b=2", "1-2"), ("x<missing>y", "a=1", "xy"), ("&lt;<a>&gt;", "a=1", "<1>"),
    ("<q:a>", "a=\"\n", #""\"\n""#),
    ("<uc:a><lc:a>", "a=äB", "ÄBäb"), ("<time:a>", "a=1700000000", "2023-11-14T22:13:20Z"),
    ("<time:a>", "a=1700000000123", "2023-11-14T22:13:20.123Z"),
    ("<time:a>", "a=1700000000123456789", "2023-11-14T22:13:20.123456789Z"),
    ("<time:a>", "a=1700000000.5", "2023-11-14T22:13:20.5Z"), ("<time:a>", "a=word", "word"),
    ("<duration:a>", "a=90061500000000", "1d1h1m1.5s"),
    ("<duration:a>", "a=1002003", "1ms2µs3ns"), ("<duration:a>", "a=-1500000000", "-1.5s"),
    ("<duration:a>", "a=0", "0"),
    ("<duration_seconds:a>", "a=1m0.5s", "60.5"), ("<ipv4:a>", "a=167772161", "10.0.0.1"),
    ("<urlencode:a>", "a=a\\s/ä", "a%20%2F%C3%A4"),
    ("<urldecode:a>", "a=a%20b+c", "a b c"), ("<urldecode:a>", "a=%zz", "%zz"), ("<hexencode:a>", "a=fo~", "666F7E"),
    ("<hexdecode:a>", "a=666f", "fo"),
    ("<hexdecode:a>", "a=66f", "66f"), ("<base64encode:a>", "a=Mané", "TWFuw6k="),
    ("<base64decode:a>", "a=TWFuw6k=", "Mané"),
    ("<base64decode:a>", "a=TWE", "Ma"), ("<hexnumencode:a>", "a=255", "00000000000000FF"),
    ("<hexnumdecode:a>", "a=0xff", "255"), ("<other:a>", "other:a=1", "1"),
  ])
  func `format puts fields into text`(pattern: String, fields: String, expected: String) throws {
    let pipe = Pipe.format(pattern, resultField: "r", keepOriginal: false, skipEmpty: false, condition: nil)

    #expect(try Self.result(pipe, row(fields)) == expected)
  }

  @Test func `format keeps or skips as extract does`() throws {
    func format(keep: Bool, skip: Bool, _ fields: String) throws -> String {
      try Self.result(
        .format("<a>", resultField: "r", keepOriginal: keep, skipEmpty: skip, condition: nil), row(fields))
    }

    #expect(try format(keep: true, skip: false, "a=1 r=0") == "0")
    #expect(try format(keep: false, skip: true, "r=0") == "0")
    #expect(try format(keep: false, skip: false, "r=0") == "")
  }

  // MARK: replace

  @Test(
    arguments: [
      ("a", "b", nil, "banana", "bbnbnb"), ("a", "", 1, "banana", "bnana"), ("aa", "a", nil, "aaaaa", "aaa"),
      ("", "x", nil, "ab", "ab"),
      ("x", "y", nil, "ab", "ab"), ("a", "b", 0, "aa", "bb"),
    ] as [(String, String, Int?, String, String)])
  func `replace exchanges text`(old: String, new: String, limit: Int?, message: String, expected: String) throws {
    let pipe = Pipe.replace(old, with: new, at: "_msg", limit: limit, condition: nil)

    #expect(try Self.result(pipe, Self.value(message), "_msg") == expected)
  }

  @Test(
    arguments: [
      ("host-(.+?)-foo", "$1", nil, "x host-a-foo host-b-foo", "x a b"),
      ("(?P<k>\\w+)=(\\d+)", "${2}:${k}", nil, "a=1 b=2", "1:a 2:b"),
      ("\\d+", "<$0>", 1, "1 22 333", "<1> 22 333"), ("a*", "-", nil, "baac", "-b-c-"), ("x*", "-", nil, "äö", "-ä-ö-"),
      ("a", "$$$", nil, "a", "$$"),
      ("(a)", "$1x|${1}x|$9", nil, "a", "|ax|"), ("^", ">", nil, "ab", ">ab"),
    ] as [(String, String, Int?, String, String)])
  func `replace_regexp exchanges matches`(pattern: String, new: String, limit: Int?, message: String, expected: String)
    throws
  {
    let pipe = Pipe.replaceRegexp(pattern, with: new, at: "_msg", limit: limit, condition: nil)

    #expect(try Self.result(pipe, Self.value(message), "_msg") == expected)
  }

  @Test func `replace makes no field that was not there`() throws {
    #expect(try run(.replace("a", with: "b", at: "x", limit: nil, condition: nil), on: ["a=1"]) == ["a=1"])
    #expect(try run(.replaceRegexp("^", with: "b", at: "x", limit: nil, condition: nil), on: ["a=1"]) == ["a=1"])
  }
}
