internal import Domain

/// Facts in plain words: the same facts, the same text.
enum Wording {
  static func change(_ anomaly: Anomaly) -> String {
    let evidence = anomaly.evidence
    let observed = rate(evidence.observed)
    switch anomaly.kind {
    case .new: return "new: never seen in this workload before"
    case .variant: return "new, much like a pattern that was known"
    case .rare: return "rare: seen on fewer than 3 of the 14 days before"
    case .spike:
      return "\(observed) a minute where \(usual(evidence.expected)) usual (\(evidence.baseline.description))"
    case .drop:
      return "down to \(observed) a minute from \(rate(evidence.expected)) (\(evidence.baseline.description))"
    case .silence: return "silent, where \(rate(evidence.expected)) records a minute are usual"
    case .shift:
      let direction = evidence.observed > evidence.expected ? "up" : "down"
      return "lastingly \(direction) to \(observed) a minute from \(rate(evidence.expected))"
    case .newValue:
      guard let value = anomaly.value else { return "a value never seen before" }
      return "value never seen before: \(clipped(value.value, to: 60))"
    case .deployment: return "\(Int(evidence.observed)) new patterns at once: another version runs"
    }
  }

  /// `1 is`, `12 are`, `none are`.
  private static func usual(_ value: Double) -> String {
    value < 0.05 ? "none are" : rate(value) == "1" ? "1 is" : "\(rate(value)) are"
  }

  /// To one decimal below 10.
  static func rate(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    if tenths < 10, tenths != tenths.rounded() { return "\(tenths)" }
    return value < 9e15 ? grouped(Int(value.rounded())) : "\(value)"
  }

  static func count(_ number: Int, _ noun: String) -> String { "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")" }

  /// 1234567 as `1,234,567`.
  static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  /// `a, b and c`; of more than `max` names `a, b and 3 more`.
  static func list(_ names: [String], max: Int = 6) -> String {
    if names.count <= 1 { return names.first ?? "" }
    if names.count > max { return names.prefix(max - 1).joined(separator: ", ") + " and \(names.count - max + 1) more" }
    return names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
  }

  /// A pattern's text as a sentence quotes it: an ellipsis where something varies, one line.
  static func quoted(_ text: String, to length: Int) -> String {
    var result = ""
    var rest = text[...]
    while let slot = rest.firstIndex(of: "<") {
      result += rest[..<slot]
      rest = rest[slot...]
      if rest.hasPrefix("<*>") {
        result += "…"
        rest = rest.dropFirst(3)
      } else {
        result.append("<")
        rest = rest.dropFirst()
      }
    }
    return clipped(result + rest, to: length)
  }

  /// At most `length` characters in one line.
  static func clipped(_ text: String, to length: Int) -> String {
    let line = text.prefix { !$0.isNewline }
    return line.count <= length ? String(line) : String(line.prefix(length - 1)) + "…"
  }

  static func timestamp(minute: Int64) -> Timestamp { Timestamp(seconds: minute * 60) }

  /// `13:44`
  static func time(minute: Int64) -> String {
    String(timestamp(minute: minute).rfc3339.drop { $0 != "T" }.dropFirst().prefix(5))
  }

  /// `13:44 UTC on 2026-03-18`
  static func clock(minute: Int64) -> String {
    "\(time(minute: minute)) UTC on \(timestamp(minute: minute).rfc3339.prefix(10))"
  }

  /// `5 minutes`, `2 h 10 min`.
  static func duration(minutes: Int64) -> String {
    if minutes < 120 { return minutes == 1 ? "1 minute" : "\(minutes) minutes" }
    return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
  }
}
