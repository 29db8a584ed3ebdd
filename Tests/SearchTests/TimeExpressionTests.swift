import Domain
import Testing

@testable import Search

@Suite struct TimeExpressionTests {
  private let now = Timestamp(seconds: 1_800_000_000)

  @Test(arguments: [
    ("now", Int64(1_800_000_000_000_000_000)), ("now-1h", 1_799_996_400_000_000_000),
    ("now+5m", 1_800_000_300_000_000_000),
    ("now-1h30m", 1_799_994_600_000_000_000), ("1h", 1_799_996_400_000_000_000), ("7d", 1_799_395_200_000_000_000),
    ("1700000000", 1_700_000_000_000_000_000), ("1700000000123", 1_700_000_000_123_000_000),
    ("1700000000123456", 1_700_000_000_123_456_000), ("1700000000123456789", 1_700_000_000_123_456_789),
    ("1700000000.5", 1_700_000_000_500_000_000), ("2027-01-15T08:00:00Z", 1_800_000_000_000_000_000),
    ("2027-01-15T09:00:00+01:00", 1_800_000_000_000_000_000), ("-1", -1_000_000_000),
    ("-9223372036854775808", .min), ("9223372036854775807", .max),
  ])
  func `times are read as people and programs write them`(text: String, nanoseconds: Int64) {
    #expect(TimeExpression.parse(text, now: now)?.nanoseconds == nanoseconds)
  }

  @Test(arguments: [
    "", "then", "now-", "now-x", "now*2h", "nowish", "nan", "inf", "1e30", "-1h", "2027-13-01T00:00:00Z",
    "99999999999999999999", "now-99999999999999d",
  ])
  func `anything else is no time`(text: String) {
    #expect(TimeExpression.parse(text, now: now) == nil)
  }

  @Test func `a value is quoted so that the query language reads it back`() {
    #expect(SearchText.quoted("a \"b\" \\ c\n\td\r") == #""a \"b\" \\ c\n\td\r""#)
  }
}
