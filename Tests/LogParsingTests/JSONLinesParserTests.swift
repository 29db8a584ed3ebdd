import Domain
import LogParsing
import Testing

@Suite struct JSONLinesParserTests {
  // MARK: What records become

  @Test func `a record of Fluent Bit keeps its fields under their names, and labels its stream`() {
    let result = parseJSON(
      #"{"date":1773841460.123456789,"stream":"stderr","log":"it \"broke\"\n","level":"WARN","# + #""kubernetes":{"#
        + #""namespace_name":"shop","pod_name":"api-0","container_name":"api","host":"node-1","labels":{"app":"api"}}}"#
    )

    #expect(result.rejectedCount == 0)
    #expect(
      result.seen == [
        Seen(
          time: "2026-03-18T13:44:20.123456789Z", severity: "warning", message: "it \"broke\"",
          fields: [
            "stream=stderr", "level=WARN", "kubernetes.namespace_name=shop", "kubernetes.pod_name=api-0",
            "kubernetes.container_name=api", "kubernetes.host=node-1", "kubernetes.labels.app=api",
          ],
          labels: [
            "stream=stderr", "kubernetes.namespace_name=shop", "kubernetes.pod_name=api-0",
            "kubernetes.container_name=api",
          ])
      ])
  }

  @Test func `the direct form keeps its metadata`() {
    let result = parseJSON(
      #"{"timestamp":"2026-03-18T13:44:20Z","message":"signed in","source":"auth","level":"info","#
        + #""metadata":{"user":"ann","try":2}}"#)

    #expect(
      result.seen == [
        Seen(
          time: "2026-03-18T13:44:20Z", severity: "info", message: "signed in",
          fields: ["source=auth", "level=info", "metadata.user=ann", "metadata.try=2"], labels: ["source=auth"])
      ])
  }

  @Test(arguments: [
    (
      #"{"m":true,"n":false,"o":null,"p":-1.50e3,"q":[1, "a b" , {"x": []}],"r":{},"s":"","t":{"u":{"v":1}}}"#,
      ["m=true", "n=false", "p=-1.50e3", #"q=[1,"a b",{"x":[]}]"#, "s=", "t.u.v=1"]
    ),
    (#"{"a":1,"a":2}"#, ["a=1", "a=2"]),
    (#"{"a":"\u0041\n\t\/\\\"\u00e9\u20ac\uD83D\uDE00"}"#, ["a=A\n\t/\\\"é€😀"]),
    (#"{"a":"\uD83D","b":"\uDE00x","c":"\uD83D\u0041"}"#, ["a=\u{FFFD}", "b=\u{FFFD}x", "c=\u{FFFD}A"]),
    (#"{"k\u0065y":"v"}"#, ["key=v"]),
    ("{ \"a\" :\t1 , \"b\" : { \"c\" : 2 } }", ["a=1", "b.c=2"]),
  ])
  func `values are kept as sent`(line: String, fields: [String]) {
    let result = parseJSON(line)

    #expect(result.reasons == [])
    #expect(result.seen.first?.fields == fields)
  }

  @Test func `bytes that are no UTF-8 are kept`() {
    let result = parseJSON(
      Array(#"{"log":"a"#.utf8) + [0xFF, 0xC3, 0x28] + Array(#"","b":""#.utf8) + [0x80] + Array(#""}"#.utf8))

    #expect(result.rejectedCount == 0)
    #expect(Array(result.records.bytes[result.records.messages[0].range]) == [0x61, 0xFF, 0xC3, 0x28])
    #expect(Array(result.records.bytes[result.records.fieldSetTable[0][0].value.range]) == [0x80])
  }

  @Test(arguments: [
    (#"{"msg":"c","message":"b","log":"a"}"#, "a", ["msg=c", "message=b"]),
    (#"{"msg":"c","message":"b"}"#, "b", ["msg=c"]),
    (#"{"_msg":"d"}"#, "d", []),
    (#"{"log":null,"msg":"c"}"#, "c", []),
    (#"{"log":{"x":1},"msg":"c"}"#, "c", ["log.x=1"]),
    (#"{"log":["x"],"msg":"c"}"#, "c", [#"log=["x"]"#]),
    (#"{"log":7}"#, "7", []),
    (#"{"log":""}"#, "", []),
    (#"{"log":"two\n\n"}"#, "two\n", []),
    (#"{"a":1}"#, "", ["a=1"]),
  ])
  func `the message is the first there is of log, message, msg and _msg`(
    line: String, message: String, fields: [String]
  ) {
    let result = parseJSON(line)

    #expect(result.seen.first?.message == message)
    #expect(result.seen.first?.fields == fields)
  }

  @Test(arguments: [
    (#"{"log":"x","date":1773841460.25}"#, "2026-03-18T13:44:20.25Z", []),
    (#"{"log":"x","timestamp":1773841460250}"#, "2026-03-18T13:44:20.25Z", []),
    (#"{"log":"x","timestamp":"1773841460250000"}"#, "2026-03-18T13:44:20.25Z", []),
    (#"{"log":"x","@timestamp":"2026-03-18T14:44:20.25+01:00"}"#, "2026-03-18T13:44:20.25Z", []),
    (
      #"{"log":"x","time":"18/Mar/2026:13:44:20 +0000","date":1773841461}"#, "2026-03-18T13:44:21Z",
      ["time=18/Mar/2026:13:44:20 +0000"]
    ),
    (#"{"log":"x","time":null}"#, "2026-03-18T13:44:27Z", []),
    (#"{"log":"x"}"#, "2026-03-18T13:44:27Z", []),
  ])
  func `the time is the first there is of the time fields`(line: String, time: String, fields: [String]) {
    let result = parseJSON(line)

    #expect(result.seen.first?.time == time)
    #expect(result.seen.first?.fields == fields)
  }

  @Test func `names of other senders label a stream only outside Kubernetes`() {
    let result = parseJSON(
      #"{"log":"x","service":"pay","host":"h1","level":"info"}"# + "\n"
        + #"{"log":"x","service":"pay","kubernetes":{"pod_name":"p"}}"#)

    #expect(result.seen.map(\.labels) == [["service=pay", "host=h1"], ["kubernetes.pod_name=p"]])
  }

  @Test func `extra fields go on every record that has none of that name`() {
    let result = parseJSON(#"{"log":"x"}"# + "\n" + #"{"log":"x","source":"own"}"#) {
      $0.extraFields = [Field("source", "file.log"), Field("env", "test")]
    }

    #expect(result.seen.map(\.fields) == [["source=file.log", "env=test"], ["source=own", "env=test"]])
    #expect(result.seen.map(\.labels) == [["source=file.log", "env=test"], ["source=own", "env=test"]])
  }

  @Test func `the severity is the level field's, else the message's`() {
    let result = parseJSON(
      #"{"log":"all is well","level":"error"}"# + "\n" + #"{"log":"it failed"}"# + "\n"
        + #"{"log":"it failed","level":"odd"}"# + "\n" + #"{"log":"hello"}"#)

    #expect(result.seen.map(\.severity) == ["error", "error", "error", "unknown"])
  }

  @Test func `records that share all but time and message share their fields, wherever these stand`() {
    let rest = #""stream":"stdout","kubernetes":{"pod_name":"a","container_name":"b"}"#
    let lines = [
      #"{"date":1773841460,"log":"1",\#(rest)}"#, #"{"date":1773841461,"log":"2",\#(rest)}"#,
      #"{\#(rest),"log":"3","date":1773841462}"#, #"{"date":1773841463,\#(rest),"log":"4"}"#,
      #"{"log":"5",\#(rest),"date":1773841464}"#, #"{"date":1773841465,"log":"6",  \#(rest) }  "#,
    ]
    let result = parseJSON(lines.joined(separator: "\r\n"))

    #expect(result.seen.map(\.message) == ["1", "2", "3", "4", "5", "6"])
    #expect(result.seen.map(\.time).map { $0.suffix(3) } == ["20Z", "21Z", "22Z", "23Z", "24Z", "25Z"])
    #expect(result.records.fieldSetTable.count == 1)
    #expect(result.records.streamTable.count == 1)
  }

  @Test func `a rest that is known does not hide a better message or time`() {
    // The second line's rest was seen with the first, where it holds a time and a message of lower rank.
    let result = parseJSON(
      [
        #"{"date":1773841460,"log":"1","ts":1773841461,"msg":"m"}"#,
        #"{"_time":1773841462,"_msg":"2","ts":1773841461,"msg":"m"}"#,
        #"{"date":1773841463,"log":"3","ts":1773841461,"msg":"m"}"#,
      ].joined(separator: "\n"))

    #expect(result.seen.map(\.message) == ["1", "m", "3"])
    #expect(
      result.seen.map(\.fields) == [
        ["ts=1773841461", "msg=m"], ["_msg=2", "ts=1773841461"], ["ts=1773841461", "msg=m"],
      ])
  }

  // MARK: Forms of the body

  @Test(arguments: [
    #"{"log":"1"}"# + "\n" + #"{"log":"2"}"# + "\n",
    #"{"log":"1"}"# + "\r\n\r\n \t\r\n" + #"{"log":"2"}"#,
    "\u{FEFF}" + #"{"log":"1"}"# + "\n" + #"{"log":"2"}"#,
    #"{"log":"1"}{"log":"2"}"#,
    #"{"log":"1"} {"log":"2"}"#,
    #"[{"log":"1"},{"log":"2"}]"#,
    "[\n" + #"{"log":"1"},"# + "\n" + #"{"log":"2"}"# + "\n]\n",
    "  [ " + #"{"log":"1"} , {"log":"2"} ] "#,
    #"[{"log":"1"}]"# + "\n" + #"[{"log":"2"}]"#,
    "{\n  \"log\": \"1\"\n}\n{\n  \"log\": \"2\"\n}\n",
    "[\n  {\n    \"log\": \"1\"\n  },\n  {\n    \"log\": \"2\"\n  }\n]",
  ])
  func `records come as lines, one after another, over lines, or in arrays`(body: String) {
    let result = parseJSON(body)

    #expect(result.seen.map(\.message) == ["1", "2"])
    #expect(result.reasons == [])
  }

  @Test(arguments: ["", " ", "\n\n", "\u{FEFF}", "[]", "[ ]\n"])
  func `an empty body holds nothing`(body: String) {
    let result = parseJSON(body)

    #expect(result.records.count == 0)
    #expect(result.rejectedCount == 0)
  }

  // MARK: Bad records

  @Test(arguments: [
    (#"{"a" 1}"#, "line 2: expected ':' after the key at byte 6"),
    (#"{"a":1"#, "line 2: the line ends before the object does, at byte 7"),
    (#"{"a":"b}"#, "line 2: the line ends inside a string, at byte 9"),
    (#"{a:1}"#, "line 2: expected a key in double quotes at byte 2"),
    (#"{"a":1,}"#, "line 2: expected a key in double quotes at byte 8"),
    (#"{"a":1 "b":2}"#, "line 2: expected ',' or '}' after the value at byte 8"),
    (#"{"a":[1 2]}"#, "line 2: expected ',' or ']' after the value at byte 9"),
    (#"{"a":}"#, "line 2: expected a value at byte 6"),
    (#"{"a":01}"#, "line 2: malformed number at byte 6"),
    (#"{"a":1.}"#, "line 2: malformed number at byte 6"),
    (#"{"a":-}"#, "line 2: malformed number at byte 6"),
    (#"{"a":1e}"#, "line 2: malformed number at byte 6"),
    (#"{"a":tru}"#, "line 2: expected true, false or null at byte 6"),
    (#"{"a":"\x"}"#, "line 2: unknown escape in a string at byte 7"),
    (#"{"a":"\u12g4"}"#, "line 2: unknown escape in a string at byte 7"),
    ("{\"a\":\"\t\"}", "line 2: control character in a string at byte 7: it must be written as an escape"),
    (#"{"a":1} x"#, "line 2: expected the end of the line after the object at byte 9"),
    (#"{"a":1},"#, "line 2: expected the end of the line after the object at byte 8"),
    ("plain text", "line 2: expected an object, '{', at byte 1"),
    ("[2026-03-18] text", "line 2: expected an object, '{', at byte 2"),
    ("{}", "line 2: the object is empty"),
    (#"{"date":1773841460,"x":null,"y":{}}"#, "line 2: neither a message nor a field"),
    (#"{"log":"x","time":"soon"}"#, "line 2: the value at byte 19 is not a time"),
    (#"{"log":"x","date":{"a":1}}"#, "line 2: the value at byte 19 is not a time"),
    (#"{"log":"x","date":1773845068}"#, "line 2: its time is more than 1 hour ahead"),
    (#"{"log":"x","date":1400000000}"#, "line 2: its time is more than 10 years back"),
  ])
  func `a bad line says why and spoils no neighbor`(line: String, reason: String) {
    let result = parseJSON(#"{"log":"before"}"# + "\n" + line + "\n" + #"{"log":"after"}"#)

    #expect(result.seen.map(\.message) == ["before", "after"])
    #expect(result.reasons == [reason])
  }

  @Test func `a bad object over several lines is one rejection`() {
    let result = parseJSON("{\n  \"log\": \"1\",\n  \"a\": oops\n}\n{\"log\":\"2\"}\n{\n  \"log\": \"3\"\n}")

    #expect(result.seen.map(\.message) == ["2", "3"])
    #expect(result.reasons == ["line 1: expected a value at byte 8 of line 3"])
  }

  @Test(arguments: [
    (#"[{"log":"1"},{"log":oops},{"log":"2"}]"#, 1), (#"[{"log":"1"},7,"x",null,{"log":"2"}]"#, 3),
    ("[{\"log\":\"1\"},\n{\"log\":\"x},\n{\"log\":\"2\"}]", 1), (#"[{"log":"1"},{"log":"2"}"#, 1),
    (#"[{"log":"1"},{},{"log":"2"}]"#, 1),
  ])
  func `a bad element of an array spoils no neighbor`(body: String, rejected: Int) {
    let result = parseJSON(body)

    #expect(result.seen.map(\.message) == ["1", "2"])
    #expect(result.rejectedCount == rejected)
  }

  @Test func `a record that is refused leaves no stream and no fields behind`() {
    let result = parseJSON(#"{"log":"x","source":"a","date":1400000000}"# + "\n" + #"{"log":"x","source":"b"}"#)

    #expect(result.rejectedCount == 1)
    #expect(result.records.streamTable.count == 1)
    #expect(result.records.fieldSetTable.count == 1)
  }

  @Test func `limits name themselves`() {
    func reasons(_ line: String, _ change: @escaping (inout ParsingLimits) -> Void) -> [String] {
      parseJSON(line) { change(&$0.limits) }.reasons
    }

    #expect(
      reasons(#"{"log":"0123456789"}"#) { $0.lineByteCountMax = 15 } == ["line 1: longer than the limit of 15 bytes"])
    #expect(
      reasons("{\n\"log\":\n\"0123456789\"}") { $0.lineByteCountMax = 15 } == [
        "line 1: longer than the limit of 15 bytes"
      ])
    #expect(reasons(#"{"a":1,"b":2,"c":3}"#) { $0.fieldCountMax = 2 } == ["line 1: more than the limit of 2 fields"])
    #expect(
      reasons(#"{"a":{"b":[1]}}"#) { $0.nestingDepthMax = 2 }
        == ["line 1: more than 2 objects and arrays inside one another at byte 11"])
    #expect(
      reasons(#"{"a":{"bcdef":1}}"#) { $0.keyByteCountMax = 6 }
        == ["line 1: a field name longer than the limit of 6 bytes at byte 7"])
    #expect(
      reasons(#"{"log":"x","date":1773752400}"#) { $0.retentionNanoseconds = 86_400_000_000_000 }
        == ["line 1: its time is older than the retention of 1 day"])
  }

  @Test func `a line may be longer than a record if it holds several`() {
    let result = parseJSON(String(repeating: #"{"log":"0123456789"}"#, count: 10)) { $0.limits.lineByteCountMax = 20 }

    #expect(result.records.count == 10)
    #expect(result.rejectedCount == 0)
  }

  @Test func `deep nesting is refused, not followed`() {
    let result = parseJSON(#"{"a":"# + String(repeating: "[", count: 100_000) + "\n" + #"{"log":"after"}"#)

    #expect(result.seen.map(\.message) == ["after"])
    #expect(result.rejectedCount == 1)
  }

  @Test func `only the first reasons are written out`() {
    let result = parseJSON(String(repeating: "x\n", count: 50))

    #expect(result.rejections.count == 20)
    #expect(result.rejectedCount == 50)
    #expect(result.rejections.last?.line == 20)
  }

  // MARK: Properties

  @Test(arguments: 0..<6)
  func `lines are judged one by one, whatever the others are`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let good = [
      #"{"date":1773841460.5,"log":"hello","stream":"stdout","kubernetes":{"pod_name":"a","labels":{"x":"y"}}}"#,
      #"{"timestamp":"2026-03-18T13:44:20Z","message":"m","level":"info","metadata":{"a":[1,2,{"b":null}]}}"#,
      #"{"msg":"\u00e9\n","n":-1.5e3,"t":true}"#,
    ]
    var lines: [String] = []
    for _ in 0..<300 {
      var line = Array(good.randomElement(using: &random)!.utf8)
      if Bool.random(using: &random) {
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let place = Int.random(in: 1..<line.count, using: &random)
          switch Int.random(in: 0..<3, using: &random) {
          case 0: line[place] = UInt8.random(in: 0x20...0x7E, using: &random)
          case 1: line.remove(at: place)
          default: line.insert(Array("{}[]\",:\\0ex".utf8).randomElement(using: &random)!, at: place)
          }
        }
      }
      lines.append(String(decoding: line, as: UTF8.self))
    }
    // A line cut off before a line that starts like the inside of an object would be read together with it.
    let alone = lines.map { parseJSON($0) }
    let together = parseJSON(lines.joined(separator: "\n")) { $0.rejectionsMax = .max }

    #expect(together.seen == alone.flatMap(\.seen))
    #expect(together.rejectedCount == alone.reduce(0) { $0 + $1.rejectedCount })
    #expect(together.isWellFormed)
  }

  @Test(arguments: 0..<4)
  func `no bytes crash it`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let alphabet = Array("{}[]\",:\\u0Dd8 \n\r\ttruefalsn1.-e\u{FEFF}\u{FF}log".utf8)
    for _ in 0..<4000 {
      let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      #expect(parseJSON(bytes).isWellFormed)
    }
  }
}
