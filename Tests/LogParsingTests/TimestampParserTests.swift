import Domain
import LogParsing
import Testing

@Suite struct TimestampParserTests {
  private func parse(_ text: String) -> String? {
    Array(text.utf8).withUnsafeBufferPointer { TimestampParser.parse($0, now: testNow)?.rfc3339 }
  }

  @Test(arguments: [
    ("1118297224", "2005-06-09T06:07:04Z"),
    ("1118297224.123", "2005-06-09T06:07:04.123Z"),
    ("1118297224.123456789", "2005-06-09T06:07:04.123456789Z"),
    ("1118297224.1234567899", "2005-06-09T06:07:04.123456789Z"),
    ("1118297224123", "2005-06-09T06:07:04.123Z"),
    ("1118297224123.5", "2005-06-09T06:07:04.1235Z"),
    ("1118297224123456", "2005-06-09T06:07:04.123456Z"),
    ("1118297224123456789", "2005-06-09T06:07:04.123456789Z"),
    ("1.118297224123e9", "2005-06-09T06:07:04.123Z"),
    ("1118297224123E-3", "2005-06-09T06:07:04.123Z"),
    ("0", "1970-01-01T00:00:00Z"),
    ("-1.5", "1969-12-31T23:59:58.5Z"),
    ("1763900000.1", "2025-11-23T12:13:20.1Z"),
  ])
  func `a number is a time by its magnitude, to the last digit`(text: String, expected: String) {
    #expect(parse(text) == expected)
  }

  @Test(arguments: [
    ("2005-06-09T06:07:04Z", "2005-06-09T06:07:04Z"),
    ("2005-06-09t06:07:04z", "2005-06-09T06:07:04Z"),
    ("2005-06-09T06:07:04.5+02:00", "2005-06-09T04:07:04.5Z"),
    ("2005-06-09T06:07:04.123456789-0730", "2005-06-09T13:37:04.123456789Z"),
    ("2005-06-09T06:07:04+02", "2005-06-09T04:07:04Z"),
    ("2005-06-09 06:07:04,123", "2005-06-09T06:07:04.123Z"),
    ("2005-06-09 06:07:04 +0200", "2005-06-09T04:07:04Z"),
    ("2005-06-09 06:07:04.5 +0200 UTC", "2005-06-09T04:07:04.5Z"),
    ("2005-06-09 06:07:04 UTC", "2005-06-09T06:07:04Z"),
    ("2005-06-09 06:07:04 PST", "2005-06-09T14:07:04Z"),
    ("2005-06-09_06:07:04", "2005-06-09T06:07:04Z"),
    ("2005/06/09 06:07:04", "2005-06-09T06:07:04Z"),
    ("2005/6/9:06:07:04.250", "2005-06-09T06:07:04.25Z"),
    ("2005.06.03", "2005-06-03T00:00:00Z"),
    ("2005-06-09", "2005-06-09T00:00:00Z"),
    ("2005-06-09T06:07", "2005-06-09T06:07:00Z"),
    ("2005-06-03-15.42.50.675872", "2005-06-03T15:42:50.675872Z"),
    ("20050609T060704Z", "2005-06-09T06:07:04Z"),
    ("20050609-6:7:4:123", "2005-06-09T06:07:04.123Z"),
    ("20050609 06:07:04", "2005-06-09T06:07:04Z"),
    ("081109 203518", "2008-11-09T20:35:18Z"),
    ("081109  6:07:04", "2008-11-09T06:07:04Z"),
    ("17/06/09 20:10:40", "2017-06-09T20:10:40Z"),
    ("06/29/17 20:10:40", "2017-06-29T20:10:40Z"),
    ("06/09/2005 06:07:04 PM", "2005-06-09T18:07:04Z"),
    ("06/09/2005 12:07:04 AM", "2005-06-09T00:07:04Z"),
    ("29/06/2005 06:07:04", "2005-06-29T06:07:04Z"),
    ("09.06.2005 06:07:04", "2005-06-09T06:07:04Z"),
    ("03-17 16:13:38.811", "2026-03-17T16:13:38.811Z"),
    ("10.30 16:49:06", "2025-10-30T16:49:06Z"),
    ("Dec 10 06:55:46", "2025-12-10T06:55:46Z"),
    ("Mar  8 06:55:46", "2026-03-08T06:55:46Z"),
    ("Mar 19 06:55:46", "2026-03-19T06:55:46Z"),
    ("Feb 29 00:00:00", "2024-02-29T00:00:00Z"),
    ("Jun 09 2005 06:07:04", "2005-06-09T06:07:04Z"),
    ("June 9, 2005 6:07:04 PM", "2005-06-09T18:07:04Z"),
    ("Thu Jun 09 06:07:04 2005", "2005-06-09T06:07:04Z"),
    ("Fri Sep 09 10:42:29.902022 2011", "2011-09-09T10:42:29.902022Z"),
    ("Thu Jun  9 06:07:04 EDT 2005", "2005-06-09T10:07:04Z"),
    ("Thu, 09 Jun 2005 06:07:04 GMT", "2005-06-09T06:07:04Z"),
    ("Thursday, 09-Jun-05 06:07:04 UTC", "2005-06-09T06:07:04Z"),
    ("10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z"),
    ("09-Jun-2005 06:07:04.5", "2005-06-09T06:07:04.5Z"),
    ("9 Jun 2005 06:07:04", "2005-06-09T06:07:04Z"),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ("  2005-06-09T06:07:04Z\n", "2005-06-09T06:07:04Z"),
  ])
  func `the layouts found in logs are read`(text: String, expected: String) {
    #expect(parse(text) == expected)
  }

  @Test(arguments: [
    "", " ", "soon", "-", ".", "1.", "1e", "--1", "99999999999999999999", "2005-13-09", "2005-02-30T00:00:00Z",
    "2005-06-09T25:00:00Z", "2005-06-09T06:07:04Zulu", "10.11.12.13", "1.2.3", "2005-06-09-", "Jun", "Jun 32 00:00:00",
    "9999-01-01T00:00:00Z", "1e99", "may 5 apples", "12:34:56", "0x10",
  ])
  func `what is no time is none`(text: String) {
    #expect(parse(text) == nil)
  }

  @Test(arguments: [
    ("2005-06-09 06:07:04,123 INFO [main] a.B: started", 23),
    ("2005-06-09 06:07:04 - started", 19),
    ("2005-06-09 06:07:04 -07 degrees", 19),
    ("Jun  9 06:06:20 combo syslogd 1.4.1: restart.", 15),
    ("1118297224 rest", 10),
    ("2005.06.03 R02-M1", 10),
    ("081109 203518 148 INFO", 13),
    ("Sun Dec 04 04:47:44 2005] [notice]", 24),
    ("10/Oct/2000:13:55:36 -0700] \"GET", 26),
  ])
  func `a time at the start of a line says how long it is`(line: String, byteCount: Int) {
    let found = Array(line.utf8).withUnsafeBufferPointer { TimestampParser.prefix(of: $0, now: testNow)?.byteCount }

    #expect(found == byteCount)
  }

  @Test func `times without a zone are taken in the zone given`() {
    let time = Array("2005-06-09 06:07:04".utf8).withUnsafeBufferPointer {
      TimestampParser.parse($0, now: testNow, zoneOffsetSeconds: 7200)
    }

    #expect(time?.rfc3339 == "2005-06-09T04:07:04Z")
  }

  @Test func `what RFC 3339 writes is read back`() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<2000 {
      let time = Timestamp(
        nanoseconds: Int64.random(in: -9_000_000_000_000_000_000...9_000_000_000_000_000_000, using: &random))

      #expect(parse(time.rfc3339) == time.rfc3339)
    }
  }

  @Test func `no bytes crash it, and a time never reaches beyond its text`() {
    var random = SeededGenerator(seed: 6)
    let alphabet = Array("0123456789:.,-/ TZ+JunDecThu[eE\u{00}\u{FF}".utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...30, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      bytes.withUnsafeBufferPointer {
        _ = TimestampParser.parse($0, now: testNow)
        if let found = TimestampParser.prefix(of: $0, now: testNow) { #expect(found.byteCount <= bytes.count) }
      }
    }
  }
}
