import Domain
import TestSupport

/// Records that meet in everything a filter looks at: few streams, several templates, fields that are there, empty,
/// absent or twice.
struct RecordGenerator {
  var random: SeededGenerator

  static let words = ["took", "refused", "ada", "cache", "miss", "Größe", "GET", "eu", "bytes", "worker", "日本"]
  static let pods = ["api-0", "api-1", "db-0"]
  static let levels = ["debug", "info", "warn", "error", "fatal", "notice"]

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  mutating func message() -> String {
    switch random.below(10) {
    case 0, 1:
      let status = random.pick([200, 404, 500])
      return "GET /api/v\(random.below(3))/items/\(random.below(40)) took \(random.below(50))ms status=\(status)"
    case 2:
      return "connection to 10.0.\(random.below(4)).\(random.below(4)):5432 refused after \(random.below(5)) attempts"
    case 3: return "user ada-\(random.below(6)) logged in"
    case 4: return "cache miss for key \"k\(random.below(9)) of eu\" region=eu-west-\(random.below(3))"
    case 5: return "Größe überschritten: \(random.below(20)).\(random.below(10)) bytes 日本"
    case 6: return ""
    case 7: return "worker stopped"
    case 8: return "id=\(String(random.next(), radix: 16)) \(random.pick(Self.words)) 0x1f \(random.below(9))"
    default:
      return (0..<random.below(5)).map { _ in random.pick(Self.words) }.joined(
        separator: random.pick([" ", "-", ", ", "=", "_"]))
    }
  }

  mutating func line(second: Int64) -> LogLine {
    let pod = random.pick(Self.pods)
    var fields: [(name: String, value: String)] = [
      ("kubernetes.namespace_name", pod == "db-0" ? "core" : "shop"), ("kubernetes.pod_name", pod),
      ("level", random.pick(Self.levels)),
    ]
    if !random.oneIn(3) { fields.append(("user", random.pick(["", "ada", "bob", "Bob", "ada lovelace"]))) }
    if !random.oneIn(3) { fields.append(("size", random.pick(["10KiB", "3", "-2", "1.5MB", "abc", "250", "10240"]))) }
    if random.oneIn(2) { fields.append(("took", random.pick(["15ms", "2s", "1m30s", "7", "none"]))) }
    if random.oneIn(3) { fields.append(("ip", "10.\(random.below(3)).0.\(random.below(3))")) }
    if random.oneIn(4) {
      fields.append(("dup", random.pick(["one", "two", ""])))
      fields.append(("dup", random.pick(["two", "three"])))
    }
    if random.oneIn(2) { fields.append(("trace", String(random.next(), radix: 16))) }
    if random.oneIn(5) { fields.append(("host", random.pick(["node-1", "node-2"]))) }
    if random.oneIn(4) { fields.append(("copy", fields.first { $0.name == "user" }?.value ?? "x")) }
    return LogLine(moment(second, nanoseconds: Int64(random.below(3))), message(), fields)
  }

  // MARK: Filters

  mutating func word() -> String {
    random.pick(Self.words + ["ms", "200", "10", "k3", "core", "api", "region", "stopped", "i", "0x1f", "GRÖSSE"])
  }

  mutating func phrase() -> String {
    (0...random.below(2)).map { _ in word() }.joined(separator: random.pick([" ", "-", " "]))
  }

  /// A test for a value, without the field.
  mutating func test() -> String {
    switch random.below(22) {
    case 0, 1: return word()
    case 2: return "\"\(phrase())\""
    case 3: return "\(word().prefix(3))*"
    case 4: return "\"\(phrase())\"*"
    case 5: return "=\"\(random.pick(["ada", "bob", "", "worker stopped", "15ms", "two"]))\""
    case 6: return "=\"\(random.pick(["a", "GET", "wor", "1"]))\"*"
    case 7:
      return
        "~\"\(random.pick(["^GET", "took [0-9]+ms", "(ada|bob)", "[0-9]{3}$", "ö", "^$", "(?i)CACHE", "k[0-4] of"]))\""
    case 8: return "i(\(word()))"
    case 9: return "i(\(word().prefix(2))*)"
    case 10: return "seq(\"\(word())\", \"\(word())\")"
    case 11: return "in(ada, bob, \"worker stopped\", 15ms, \"\")"
    case 12: return "contains_any(\(word()), \(word()))"
    case 13: return "contains_all(\(word()), \"\(word())\")"
    case 14: return "range[\(random.below(20)), \(20 + random.below(400))]"
    case 15: return random.pick([">5", ">=10KiB", "<16ms", "<=0", "<abc", ">ada"])
    case 16: return "len_range(\(random.below(6)), \(5 + random.below(30)))"
    case 17: return "string_range(\(random.pick(["a", "b", "1"])), \(random.pick(["c", "z", "zz"])))"
    case 18: return "*\(random.pick(["xcep", "ook", "che mi", "-1", "ö"]).split(separator: " ")[0])*"
    case 19: return "ipv4_range(10.0.0.0, 10.1.255.255)"
    case 20: return "\"\""
    default: return "*"
    }
  }

  static let fields = [
    "user", "size", "took", "ip", "dup", "trace", "host", "level", "severity", "copy", "kubernetes.pod_name", "absent",
    "_msg",
    "_stream", "namespace", "pod", "_id",
  ]

  mutating func leaf() -> String {
    switch random.below(14) {
    case 0...3: return test()
    case 4...8: return "\(random.pick(Self.fields)):\(test())"
    case 9:
      return random.pick([
        #"{kubernetes.pod_name="api-0"}"#, #"{pod!="api-1"}"#, #"{namespace=~"sh.*"}"#,
        #"{namespace="core" or pod="api-1"}"#,
        #"{absent=""}"#, #"{pod in ("api-0", "db-0")}"#, #"{pod!~"api-.*"}"#,
      ])
    case 10:
      let start = random.below(200)
      return random.pick([
        "_time:[2027-01-15T08:00:\(10 + random.below(40))Z, 2027-01-15T08:02:00Z)", "_time:2027-01-15T08:01",
        "_time:>=2027-01-15T08:0\(start % 4):00Z", "_time:<2027-01-15T08:02:10.5Z",
      ])
    case 11:
      return random.pick([
        "_time:day_range[08:01, 08:03)", "_time:day_range[10:00, 10:02] offset 2h", "_time:week_range[Mon, Fri]",
        "_time:week_range[Sat, Sat] offset 17h", "_time:day_range[23:58, 06:03) offset -2h",
      ])
    case 12: return random.pick(["user:eq_field(copy)", "size:lt_field(took)", "user:le_field(copy)"])
    default: return random.pick(["severity:in(error, critical)", "severity:>debug", "level:warn", "severity:unknown"])
    }
  }

  mutating func filter(depth: Int = 2) -> String {
    if depth == 0 || random.oneIn(3) { return random.oneIn(6) ? "!\(leaf())" : leaf() }
    switch random.below(5) {
    case 0, 1: return "\(filter(depth: depth - 1)) \(filter(depth: depth - 1))"
    case 2, 3: return "(\(filter(depth: depth - 1)) or \(filter(depth: depth - 1)))"
    default: return "!(\(filter(depth: depth - 1)))"
    }
  }
}
