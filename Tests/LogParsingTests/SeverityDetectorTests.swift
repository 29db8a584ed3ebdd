import Domain
import LogParsing
import Testing

@Suite struct SeverityDetectorTests {
  @Test(arguments: [
    ("level", "INFO", Severity.info), ("level", "Information", .info), ("level", "notice", .info),
    ("level", "warn", .warning),
    ("LEVEL", "WARNING", .warning), ("lvl", "err", .error), ("severity", "ERROR", .error),
    ("severity", "CRITICAL", .critical),
    ("loglevel", "fatal", .critical), ("log.level", "debug", .debug), ("levelname", "TRACE", .trace),
    ("level", "[error]", .error),
    ("level", "Normal", .info), ("level", "FINEST", .trace), ("level", "I", .info), ("level", "W", .warning),
    ("level", "e", .error),
    ("level", "F", .critical), ("level", "V", .trace), ("level", "10", .trace), ("level", "20", .debug),
    ("level", "30", .info),
    ("level", "40", .warning), ("level", "50", .error), ("level", "60", .critical), ("level", "3", .error),
    ("level", "7", .debug),
    ("priority", "6", .info), ("PRIORITY", "2", .critical), ("priority", "34", .critical), ("priority", "165", .info),
    ("levelno", "20", .info), ("levelno", "50", .critical), ("severity_number", "17", .error),
    ("severity_text", "Warn", .warning),
    ("metadata.level", "error", .error),
  ])
  func `a level field is read by its name and value`(name: String, value: String, expected: Severity) {
    #expect(field(name, value) == expected)
  }

  @Test(arguments: [
    ("level", "sea"), ("level", ""), ("level", "12.5"), ("level", "1000"), ("message", "ERROR"), ("levels", "info"),
  ])
  func `what is no level is none`(name: String, value: String) {
    #expect(field(name, value) == nil)
  }

  @Test(arguments: [
    ("2015-10-18 18:01:47,978 INFO [main] a.B: Created error handler", Severity.info),
    ("[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() error", .info),
    ("[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 7] File does not exist", .error),
    ("- 1117838570 2005.06.03 R02 RAS KERNEL FATAL data storage interrupt", .critical),
    ("2016-09-28 04:30:30, Info                  CBS    Loaded, error none", .info),
    ("03-17 16:13:38.811  1702  2395 W WindowManager: error in name only", .warning),
    ("E/AndroidRuntime( 1234): died", .error),
    ("E0102 15:04:05.123456   12345 file.go:123] not found", .error),
    ("I0102 15:04:05.123456   12345 file.go:123] error was handled", .info),
    ("ts=1 level=warn msg=\"error in disguise\"", .warning),
    ("{\"level\":\"error\",\"msg\":\"x\"}", .error),
    ("{\"time\":1,\"level\":30,\"msg\":\"x\"}", .info),
    ("WARN: low disk", .warning),
    ("sshd[24200]: error: Received disconnect", .error),
    ("sshd[24200]: fatal: no hostkeys", .critical),
    ("<warn> wifi is weak", .warning),
    ("10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /error HTTP/1.1\" 200 2326", .info),
    ("10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 502 0", .error),
    ("10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/2\" 404 0", .warning),
    ("LOG:  database system is ready to accept connections", .info),
    ("panic: runtime error: index out of range", .critical),
    ("connection to 10.0.0.7 failed", .error),
    ("java.lang.NullPointerException: null", .error),
    ("TypeError: x is undefined", .error),
    ("request timeout after 3000ms", .warning),
    ("the read timed out", .warning),
    ("dial tcp: connection refused", .warning),
    ("finished with 0 errors", .unknown),
    ("no error was found", .unknown),
    ("failed=0 done=7", .unknown),
    ("\"error\":null", .unknown),
    ("non-fatal", .unknown),
    ("error_count is high", .unknown),
    ("terror in the mirror", .unknown),
    ("Accepted password for root from 10.0.0.1", .unknown),
    ("", .unknown),
  ])
  func `a message is read for its level, then for words of trouble`(message: String, expected: Severity) {
    let found = Array(message.utf8).withUnsafeBufferPointer { SeverityDetector.severity(message: $0) }

    #expect(found == expected, "\(message)")
  }

  @Test func `no bytes crash it`() {
    var random = SeededGenerator(seed: 7)
    let pieces = [
      "error", "level", "=", "\"", ":", " ", "HTTP/1.1", "5", "[", "]", "E", "/", "\u{FF}", "timed", " out", ",", "0",
    ]
    for _ in 0..<5000 {
      let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in pieces.randomElement(using: &random)! }
        .joined()
      Array(text.utf8).withUnsafeBufferPointer { _ = SeverityDetector.severity(message: $0) }
      _ = field("level", text)
    }
  }

  private func field(_ name: String, _ value: String) -> Severity? {
    Array(name.utf8).withUnsafeBufferPointer { name in
      Array(value.utf8).withUnsafeBufferPointer { SeverityDetector.severity(fieldName: name, value: $0) }
    }
  }
}
