import Testing

@testable import Appliance

@Suite struct TerminalTests {
  @Test(arguments: [
    ("plain text, ünïcödé → 😀", "plain text, ünïcödé → 😀"),
    ("a\tb", "a    b"),
    ("red \u{1B}[31malert\u{1B}[0m", "red ␛[31malert␛[0m"),
    ("title \u{1B}]0;owned\u{7}", "title ␛]0;owned␇"),
    ("one\r\ntwo\u{8}\u{0}", "one␍␊two␈␀"),
    ("c1 \u{9B}2J del \u{7F}", "c1 \u{FFFD}2J del \u{FFFD}"),
    ("bidi \u{202E}\u{2066}\u{200F}\u{061C}", "bidi \u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
    ("line \u{2028}\u{2029}", "line \u{FFFD}\u{FFFD}"),
  ])
  func `log text can't move the cursor or change the terminal`(text: String, shown: String) {
    #expect(Array(Terminal.printable(text).unicodeScalars) == Array(shown.unicodeScalars))
  }

  @Test func `no control character of any kind comes through`() {
    for value in UInt32(0)...0xFFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      for shown in Terminal.printable(String(scalar)).unicodeScalars {
        #expect(shown.properties.generalCategory != .control, "U+\(String(value, radix: 16))")
        #expect(!shown.properties.isBidiControl, "U+\(String(value, radix: 16))")
      }
    }
  }

  @Test func `a record's names, times and values are all shown harmless`() throws {
    let escape = "\\u001b[2J"
    for json in [
      #"{"_time":"\#(escape)","_msg":"\#(escape)","kubernetes.pod_name":"\#(escape)","severity":"error"}"#,
      #"{"\#(escape)":"\#(escape)","count":"\#(escape)"}"#,
    ] {
      let line = try #require(LogLine(json: Array(json.utf8)))

      #expect(!line.text.contains("\u{1B}[2J"))
      #expect(line.text.contains("␛[2J"))
    }
  }

  @Test func `a record is its time, level, source and message; other rows are names and values`() throws {
    let record = try #require(
      LogLine(
        json: Array(#"{"_time":"2027-01-15T08:00:00Z","_msg":"hi","severity":"error","service":"api"}"#.utf8)))
    let row = try #require(LogLine(json: Array(#"{"n":"2","a":"1"}"#.utf8)))

    // Tests have no terminal, and so no color.
    #expect(record.text == "2027-01-15T08:00:00Z  ERR  api  hi")
    #expect(row.text == "a=1  n=2")
    #expect(LogLine(json: Array("[1]".utf8)) == nil)
  }
}

@Suite struct TableTests {
  @Test func `columns line up, figures to the right, and the last one is not padded`() {
    let table = Table(
      columns: ["n", "name", "text"], rows: [["1", "alpha", "short"], ["1200", "b", "a longer one"]],
      rightAligned: [0])

    #expect(
      table.text == """
           n  name   text
           1  alpha  short
        1200  b      a longer one

        """)
  }

  @Test func `a table without rows is its head`() {
    #expect(Table(columns: ["a", "b"], rows: []).text == "a  b\n")
  }
}

@Suite struct APIClientTests {
  @Test(arguments: [
    ("plain-_.~09azAZ", "plain-_.~09azAZ"), ("a b", "a%20b"), ("a+b&c=d", "a%2Bb%26c%3Dd"), ("→", "%E2%86%92"),
    ("\n", "%0A"), ("%", "%25"),
  ])
  func `a parameter is encoded so that any text comes through`(text: String, encoded: String) {
    #expect(APIClient.encoded(text) == encoded)
  }
}
