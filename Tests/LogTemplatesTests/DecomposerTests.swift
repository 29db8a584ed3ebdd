import Domain
import LogTemplates
import Testing

@Suite struct DecomposerTests {
  @Test(arguments: [
    ("took 35ms", "took <duration>"),
    ("GET /a/7 from 10.0.3.17", "GET <path> from <ipv4>"),
    ("nothing varies here", "nothing varies here"),
    ("", ""),
    ("Connection to 10.0.3.17:5432 timed out after 3000ms", "Connection to <ipv4>:<number> timed out after <duration>"),
    ("retry in 1.5s, limit 1h2m3.5s, 12µs", "retry in <duration>, limit <duration>, <duration>"),
    ("ratio 0.25 of -12 is -3.5", "ratio <decimal> of <number> is <decimal>"),
    ("flags=0x1F at 9f86d081884c7d65", "flags=<hex> at <hex>"),
    ("id 3f2504e0-4f89-11d3-9a0c-0305e82c3301 gone", "id <uuid> gone"),
    ("volume pvc-3f2504e0-4f89-11d3-9a0c-0305e82c3301 bound", "volume pvc-<uuid> bound"),
    ("from fe80::1 to ::1", "from <ipv6> to <ipv6>"),
    ("peer 2001:db8:0:0:8:800:200c:417a up", "peer <ipv6> up"),
    ("mac 00:1a:2b:3c:4d:5e", "mac <word>"),
    ("std::move and Foo::bar", "std::move and Foo::bar"),
  ])
  func `words that vary become typed slots`(message: String, template: String) {
    #expect(Decomposer().decompose(message).template.description == template)
  }

  @Test(arguments: [
    ("pod api-7f9c4b5d66-x2k4p started", "pod api-<word> started"),
    ("pod api-bcdfghjklm-xkwzp started", "pod api-<word> started"),
    ("node-12 joined, kafka-0 left", "node-<number> joined, kafka-<number> left"),
    ("deleted blk_-1608999687919862906", "deleted <word>"),
    ("deleted blk_1608999687919862906", "deleted <word>"),
    ("v1.2.3 on server1.example.com", "<word> on <word>"),
    ("resolve db.prod.internal failed", "resolve <word> failed"),
    ("mail to jane.doe@example.com", "mail to <word>"),
    ("java.lang.NullPointerException", "java.lang.NullPointerException"),
    ("eth0 is up", "<word> is up"),
  ])
  func `a name keeps its plain head and loses its random end`(message: String, template: String) {
    #expect(Decomposer().decompose(message).template.description == template)
  }

  @Test(arguments: [
    "2026-03-18T13:44:27.320123Z", "2026-03-18 13:44:27,123", "2026-03-18 13:44:27 +0100", "2026/03/18 13:44:27",
    "2026-03-18T13:44:27+01:00", "2026-03-18", "13:44:27.5", "Mar 18 13:44:27", "Mar  8 13:44:27",
    "Wed Mar 18 13:44:27 2026", "Wed Mar 18 13:44:27 UTC 2026", "Wed, 18 Mar 2026 13:44:27 GMT",
    "18/Mar/2026:13:44:27 +0000",
    "03-18 13:44:27.123", "26/03/18 13:44:27", "3/18/2026 1:44:27 PM", "2005-06-03-15.42.50.363779",
  ])
  func `a timestamp is one slot`(time: String) {
    #expect(Decomposer().decompose("\(time) started").template.description == "<time> started")
    #expect(Decomposer().decompose("[\(time)] started").template.description == "[<time>] started")
    #expect(Decomposer().decompose("at \(time)").template.description == "at <time>")
  }

  @Test(arguments: [
    ("open /etc/hosts: no such file", "open <path>: no such file"),
    ("read /var/log/app.log.", "read <path>."),
    ("src: /10.251.30.179:57828", "src: /<ipv4>:<number>"),
    ("and/or TCP/IP", "and/or TCP/IP"),
    ("get https://example.com/a?b=1&c=2, then stop", "get <path>, then stop"),
    (#"load C:\Windows\System32\x.dll"#, "load <path>"),
    (#"first line\nsecond line"#, #"first line\nsecond line"#),
    ("</div> is closed", "</div> is closed"),
  ])
  func `paths and addresses of pages are one slot`(message: String, template: String) {
    #expect(Decomposer().decompose(message).template.description == template)
  }

  @Test func `a long quoted string is one slot, unless it is the message`() {
    let long = String(repeating: "many words ", count: 8)

    #expect(Decomposer().decompose("agent \"\(long)\" seen").template.description == "agent \"<text>\" seen")
    #expect(Decomposer().decompose("level=info msg=\"\(long)\"").template.description == "level=info msg=\"\(long)\"")
    #expect(Decomposer().decompose("\"\(long)\" err=none").template.description == "\"\(long)\" err=none")
    #expect(Decomposer().decompose(#"service "web" restarted"#).template.description == #"service "web" restarted"#)
  }

  @Test func `lists of any length make few templates`() {
    var templates: Set<Template> = []
    for count in 1...200 {
      let list = (1...count).map { String($0 * 37) }.joined(separator: ", ")
      templates.insert(Decomposer().decompose("sizes [\(list)] done").template)
    }

    #expect(templates.count <= 9)
  }

  @Test func `a message with many variables ends in one slot for the rest`() {
    let message = (0..<2000).map { "word \($0)" }.joined(separator: " ")

    let (template, variables) = Decomposer().decompose(message)

    #expect(template.slots.count == Decomposer.slotsMax)
    #expect(variables.count == Decomposer.slotsMax)
    #expect(template.slots.last == .bytes)
    #expect(template.text.last == SlotKind.bytes.rawValue)
  }

  @Test(arguments: [1, 4096, 4097, 5000, 1 << 20])
  func `a template has at most 4096 literal bytes`(count: Int) {
    for word in ["a", "a ", "é", "some words 12 "] {
      let message = Array(String(repeating: word, count: count / word.utf8.count + 1).utf8)

      let (template, variables) = Decomposer().decompose(message)

      #expect(template.text.count - 2 * template.slots.count <= Decomposer.literalBytesMax)
      #expect(composed(template, variables) == message)
    }
  }

  @Test(arguments: [
    "/", "/-", "-/", "::", "a:", "a::", "1:", "\\A", "\\\\", "\"", "\\\"", "\" ", "A:\\", "a://", "Aa1Aa1Aa1Aa1Aa1Aa1+",
    "Mar ", "Wed, ", "1-", "a-",
    "a@", "1 ", "ff ", "12:12:", "2026-03-18 ", "msg=\"", "<", "\u{FF}", "é-",
  ])
  func `nothing makes the walk slow`(piece: String) {
    // Were it quadratic, this would take minutes.
    for end in ["", "é", "\"", "1"] {
      let message = Array((String(repeating: piece, count: (256 << 10) / piece.utf8.count) + end).utf8)

      let (template, variables) = Decomposer().decompose(message)

      #expect(composed(template, variables) == message)
    }
  }

  @Test func `bytes that are no UTF-8 never reach a literal`() {
    let (template, variables) = Decomposer().decompose([0x61, 0x20, 0xFF, 0xC3, 0x62, 0x20, 0x63, 0xFF, 0x0C])

    #expect(template.description == "a <bytes> c<bytes>\u{0C}")
    #expect(variables == [[0xFF, 0xC3, 0x62], [0xFF]])
  }
}

/// The message that `template` and `variables` stand for.
func composed(_ template: Template, _ variables: [[UInt8]]) -> [UInt8] {
  var bytes: [UInt8] = []
  var spans: [ByteSpan] = []
  for variable in variables {
    spans.append(ByteSpan(bytes.count..<bytes.count + variable.count))
    bytes += variable
  }
  var message: [UInt8] = []
  bytes.withUnsafeBufferPointer {
    Decomposer.compose(template: template.text, variables: spans[...], bytes: $0, into: &message)
  }
  return message
}
