import Domain
import LogParsing
import Testing

@Suite struct TextLinesParserTests {
  private func records(_ text: String, _ change: (inout TextLinesParser.Options) -> Void = { _ in }) -> [Seen] {
    parseText(Array(text.utf8), change).seen
  }

  private func records(
    _ bytes: [UInt8], _ change: (inout TextLinesParser.Options) -> Void
  ) -> [Seen] { parseText(bytes, change).seen }

  private func parseText(
    _ bytes: [UInt8], _ change: (inout TextLinesParser.Options) -> Void
  ) -> (seen: [Seen], frame: String) {
    let found = LogParsingTests.parseText(bytes, pieceByteCount: .max, change)
    return (found.seen, found.frame)
  }

  /// One line in the manner of each system, what is found in it: frame, time, severity, fields.
  @Test(arguments: [
    (
      "05-09 16:13:38.811  1702  2395 D PowerKeeper: acquire lock=7", "timed", "2025-05-09T16:13:38.811Z", "debug",
      ["pid=1702", "thread=2395", "level=D", "logger=PowerKeeper"]
    ),
    ("[Sun Dec 11 04:47:44 2005] [error] child 7 left", "timed", "2005-12-11T04:47:44Z", "error", ["level=error"]),
    (
      "- 1117838579 2005.06.03 R11-M1 2005-06-03-15.42.59.675872 R11-M1 RAS KERNEL FATAL machine check", "timed",
      "2005-06-03T22:42:59Z", "critical", []
    ),
    (
      "081110 103615 148 WARN dfs.Receiver$Worker: block 7 is late", "timed", "2008-11-10T10:36:15Z", "warning",
      ["pid=148", "level=WARN", "logger=dfs.Receiver$Worker"]
    ),
    ("134681 node-9 unix.hw state_change 1077804749 1 Component moved", "timed", "2004-02-26T14:12:29Z", "unknown", []),
    (
      "2015-10-19 18:01:47,978 INFO [main] org.example.App: started", "timed", "2015-10-19T18:01:47.978Z", "info",
      ["level=INFO", "thread=main", "logger=org.example.App"]
    ),
    (
      "Jun 15 15:16:01 gate sshd(pam_unix)[19939]: authentication failure; uid=0", "syslog", "2025-06-15T15:16:01Z",
      "error",
      ["host=gate", "app=sshd(pam_unix)", "pid=19939"]
    ),
    (
      "Dec 11 06:55:46 gate sshd[24200]: Invalid user bob from 10.0.0.9", "syslog", "2025-12-11T06:55:46Z", "unknown",
      ["host=gate", "app=sshd", "pid=24200"]
    ),
    (
      "Dec 11 06:55:46 gate kernel: eth0 is up", "syslog", "2025-12-11T06:55:46Z", "unknown",
      ["host=gate", "app=kernel"]
    ),
    (
      "[10.31 16:49:06] browser.exe - proxy.example:5070 close, 0 bytes sent", "timed", "2025-10-31T16:49:06Z",
      "unknown", []
    ),
    (
      "2016-09-29 04:30:30, Info                  CBS    Loaded the stack", "timed", "2016-09-29T04:30:30Z", "info",
      ["level=Info"]
    ),
    (
      "<34>1 2003-10-11T22:14:15.003Z mymachine su 77 ID47 - 'su root' failed", "syslog", "2003-10-11T22:14:15.003Z",
      "critical",
      ["host=mymachine", "app=su", "pid=77"]
    ),
    (
      "<13>Feb  5 17:32:18 10.0.0.99 cron[7]: run", "syslog", "2026-02-05T17:32:18Z", "info",
      ["host=10.0.0.99", "app=cron", "pid=7"]
    ),
    (
      "2026-03-18T13:44:20.5+00:00 gate app[7]: ready", "syslog", "2026-03-18T13:44:20.5Z", "unknown",
      ["host=gate", "app=app", "pid=7"]
    ),
    (
      "W0318 13:44:20.123456   12345 proxier.go:320] missing br-netfilter", "klog", "2026-03-18T13:44:20.123456Z",
      "warning",
      ["pid=12345", "logger=proxier.go:320"]
    ),
    (
      "ts=2026-03-18T13:44:20Z level=warn component=head msg=\"slow disk\"", "logfmt", "2026-03-18T13:44:20Z",
      "warning",
      ["level=warn", "logger=head"]
    ),
    (
      "time=\"2026-03-18T13:44:20Z\" level=info msg=ready pid=7", "logfmt", "2026-03-18T13:44:20Z", "info",
      ["level=info", "pid=7"]
    ),
    (
      "10.0.0.1 - ann [18/Mar/2026:13:44:20 +0000] \"GET /a HTTP/1.1\" 503 12", "access", "2026-03-18T13:44:20Z",
      "error",
      ["method=GET", "status=503"]
    ),
    (
      "2026/03/18 13:44:20 [error] 31#31: *1 open() failed", "timed", "2026-03-18T13:44:20Z", "error",
      ["level=error", "pid=31"]
    ),
    (
      "[Fri Sep 09 10:42:29.902022 2011] [core:warn] [pid 35708:tid 436] [client 10.0.0.7] gone", "timed",
      "2011-09-09T10:42:29.902022Z", "warning", ["level=warn", "pid=35708"]
    ),
    (
      "2026-03-18 13:44:20,250 - shop.cart - ERROR - no such item", "timed", "2026-03-18T13:44:20.25Z", "error",
      ["logger=shop.cart", "level=ERROR"]
    ),
    (
      "2026-03-18 13:44:20.250  INFO 7 --- [main] o.e.Shop  : started", "timed", "2026-03-18T13:44:20.25Z", "info",
      ["level=INFO", "pid=7", "thread=main", "logger=o.e.Shop"]
    ),
    ("[2026-03-18 13:44:20] DEBUG: cache hit", "timed", "2026-03-18T13:44:20Z", "debug", ["level=DEBUG"]),
    ("2026-03-18T13:44:20Z\tINFO\tcontroller\tready", "timed", "2026-03-18T13:44:20Z", "info", ["level=INFO"]),
    ("just some words", "plain", "2026-03-18T13:44:27Z", "unknown", []),
  ])
  func `the head of a line is read, the line kept whole`(
    line: String, frame: String, time: String, severity: String, fields: [String]
  ) {
    let found = parseText(Array((line + "\n").utf8)) { _ in }

    #expect(found.frame == frame)
    #expect(
      found.seen == [
        Seen(time: time, severity: severity, message: line, fields: fields, labels: found.seen.first?.labels ?? [])
      ])
  }

  @Test func `CRI gives the message inside, and joins its pieces`() {
    let found = records(
      """
      2026-03-18T13:44:20.1Z stdout F first
      2026-03-18T13:44:20.2Z stderr P second, in
      2026-03-18T13:44:20.3Z stdout F third
      2026-03-18T13:44:20.4Z stderr F  two
      2026-03-18T13:44:20.5Z stderr F Traceback (most recent call last):
      2026-03-18T13:44:20.6Z stderr F   File "a.py", line 1
      2026-03-18T13:44:20.7Z stderr F ValueError: no

      """)

    #expect(
      found.map(\.message).prefix(3) == [
        "first", "third", "second, in two\nTraceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no",
      ])
    #expect(found.map(\.labels) == [["stream=stdout"], ["stream=stdout"], ["stream=stderr"]])
  }

  @Test func `Docker's JSON lines give the message inside`() {
    let found = records(#"{"log":"hello\n","stream":"stderr","time":"2026-03-18T13:44:20.123456789Z"}"# + "\n")

    #expect(
      found == [
        Seen(
          time: "2026-03-18T13:44:20.123456789Z", severity: "unknown", message: "hello", fields: ["stream=stderr"],
          labels: ["stream=stderr"])
      ])
  }

  @Test func `JSON and text may alternate, in order`() {
    let found = records(
      "2026-03-18 13:44:20 one\n{\"msg\":\"two\"}\n{\"msg\":\"three\"}\n{braces} are text\n2026-03-18 13:44:21 four\n")

    #expect(
      found.map(\.message) == [
        "2026-03-18 13:44:20 one", "two", "three", "{braces} are text", "2026-03-18 13:44:21 four",
      ])
  }

  @Test(arguments: [
    "[\n{\"msg\":\"1\"},\n{\"msg\":\"2\"}\n]\n", "{\n\"msg\":\"1\"\n}\n{\"msg\":\"2\"}\n",
    "\n[{\"msg\":\"1\"},{\"msg\":\"2\"}]",
  ])
  func `a JSON document is read whole`(text: String) {
    let found = LogParsingTests.parseText(Array(text.utf8), pieceByteCount: 3)

    #expect(found.seen.map(\.message) == ["1", "2"])
    #expect(found.rejectedCount == 0)
    #expect(found.frame == "json")
  }

  @Test func `a stack trace is one record`() {
    let trace = """
      2026-03-18 13:44:20,250 ERROR [main] a.B: it broke
      java.lang.IllegalStateException: no
      \tat a.B.run(B.java:7)
      Caused by: java.io.IOException: closed
      \t... 12 more
      """
    let found = records(trace + "\n\n2026-03-18 13:44:21,250 INFO [main] a.B: next\n")

    #expect(found.map(\.message) == [trace, "2026-03-18 13:44:21,250 INFO [main] a.B: next"])
    #expect(found.map(\.severity) == ["error", "info"])
  }

  @Test func `a line without a time has that of the record before it`() {
    let found = records("before\n2026-03-18 13:44:20 one\nbetween\n2026-03-18 13:44:21 two\n")

    #expect(found.map { $0.time.suffix(3) } == ["27Z", "20Z", "20Z", "21Z"])
  }

  @Test func `a time inside the text is not taken for the line's once its place is known`() {
    let lines = (0..<10).map { "2026-03-18 13:44:2\($0) line" } + ["expires on 2001-01-01 00:00:00"]
    let found = records(lines.joined(separator: "\n"))

    #expect(found.last?.time == "2026-03-18T13:44:29Z")
  }

  @Test func `extra fields are on every record`() {
    let found = records("2026-03-18 13:44:20 one\n{\"msg\":\"two\"}\n") {
      $0.extraFields = [Field("source", "a.log"), Field("env", "dev")]
    }

    #expect(found.map(\.labels) == [["source=a.log", "env=dev"], ["source=a.log", "env=dev"]])
  }

  @Test func `a line over the limit is refused and its neighbors kept`() {
    let text = Array("one\n\(String(repeating: "x", count: 500))\ntwo\n\(String(repeating: "y", count: 500))".utf8)
    for piece in [7, 64, 1000] {
      let found = LogParsingTests.parseText(text, pieceByteCount: piece) { $0.limits.lineByteCountMax = 100 }

      #expect(found.seen.map(\.message) == ["one", "two"], "pieces of \(piece)")
      #expect(
        found.reasons == ["line 2: longer than the limit of 100 bytes", "line 4: longer than the limit of 100 bytes"])
    }
  }

  @Test func `bounds on the time hold here too`() {
    let found = LogParsingTests.parseText(Array("2005-06-09 06:07:04 old\n2026-03-18 13:44:20 new\n".utf8)) {
      $0.limits = ParsingLimits()
    }

    #expect(found.seen.map(\.message) == ["2026-03-18 13:44:20 new"])
    #expect(found.reasons == ["line 1: its time is more than 10 years back"])
  }

  @Test func `however the bytes are cut, the records are the same`() {
    let text = """
      \u{FEFF}2026-03-18 13:44:20,250 ERROR [main] a.B: it broke\r
      \tat a.B.run(B.java:7)\r
      {"msg":"json","a":1}
      {"msg":"json","a":1}
      2026-03-18T13:44:20.1Z stdout F first
      2026-03-18T13:44:20.2Z stderr P second,
      2026-03-18T13:44:20.4Z stderr F  joined

      <13>Feb  5 17:32:18 10.0.0.99 cron[7]: run
      no end
      """
    let whole = LogParsingTests.parseText(Array(text.utf8))
    #expect(whole.seen.count == 7)

    for piece in 1...40 {
      let cut = LogParsingTests.parseText(Array(text.utf8), pieceByteCount: piece)

      #expect(cut.seen == whole.seen, "pieces of \(piece)")
    }
  }

  @Test(arguments: 0..<4)
  func `no bytes crash it`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let pieces = [
      "2026-03-18", "T", " ", "13:44:20", ".5", "Z", "[", "]", "<34>", "1 ", "stdout ", "F ", "P ", "{", "\"", "}",
      "\n", "\r\n", "\t",
      "I0318 ", "INFO", "Jun 9 ", "host ", "app[7]: ", "=", "ts=", "level=", "\u{FF}", "at ", "1077804749",
      "HTTP/1.1\" 500 ", "\\", ":", "-", "pid ",
    ]
    for _ in 0..<1500 {
      let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in pieces.randomElement(using: &random)! }
        .joined()
      let piece = Int.random(in: 1...50, using: &random)

      #expect(LogParsingTests.parseText(Array(text.utf8), pieceByteCount: piece).isWellFormed)
    }
  }
}
