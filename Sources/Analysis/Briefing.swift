import Detection
import Domain
import Search

/// The result of an analysis in plain words: same facts, same text.
enum Briefing {
  /// A few paragraphs: what happened, where, why, what came just before, what was looked at.
  static func summary(_ report: Report, _ document: AnalysisDocument) -> String {
    guard document.recordCount > 0 else {
      return "There are no records between \(clock(document.start)) and \(clock(document.end))"
        + (document.namespace.map { " in namespace \($0)" } ?? "") + "."
    }
    var paragraphs = report.sections.prefix(3).map { section in
      var text =
        "\(section.grade.rawValue.prefix(1).uppercased())\(section.grade.rawValue.dropFirst()): \(section.title). "
      text += "Where: \(section.place). Since \(section.since)."
      if let origin = section.origins.first { text += " Likely cause: \(origin)." }
      return text
    }
    if paragraphs.isEmpty {
      paragraphs.append(
        "Nothing stands out among \(count(document.recordCount, "record")) of \(count(document.patternCount, "pattern")). "
          + "Looked at: new and rare patterns, bursts, drops, silences and shifts of each pattern in each workload by "
          + "minute, and what the lines say.")
    }
    if let change = document.findings.first(where: { $0.kind == "change" }) {
      paragraphs.append("Just before, \(change.detail)")
    }
    let rest = report.sections.count - min(3, report.sections.count)
    if rest > 0 { paragraphs.append("\(count(rest, "more incident")) of medium severity or worse below.") }
    paragraphs.append(
      "\(count(document.recordCount, "record")) in \(count(document.patternCount, "pattern")) were grouped into "
        + "\(count(document.clusterCount, "cluster")).")
    return paragraphs.joined(separator: "\n\n")
  }

  /// Lines that give orders to whoever analyzes them: told of, never followed. Nil if there are none.
  static func addressed(_ lines: [AnalysisDocument.Evidence]) -> AnalysisDocument.Finding? {
    var found: [AnalysisDocument.Evidence] = []
    var kinds: [String] = []
    for line in lines {
      let told = InjectionDetector.kinds(in: line.message)
      if told.isEmpty || found.contains(where: { $0.message == line.message }) { continue }
      found.append(line)
      for kind in told where !kinds.contains(kind.words) { kinds.append(kind.words) }
    }
    guard let first = found.first else { return nil }
    return .init(
      title: "Text in the logs gives orders to whoever analyzes them",
      detail: "It was read as data: \(list(kinds)). Somebody may be trying to mislead the reading of these logs.",
      kind: "injection", severity: SeverityScore.Grade.medium.rawValue, onset: first.time,
      evidence: Array(found.prefix(5)))
  }

  static func count(_ number: Int, _ noun: String) -> String { "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")" }

  /// 1234567 as `1,234,567`.
  private static func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
      if index > 0, index % 3 == 0 { text = "," + text }
      text = String(digit) + text
    }
    return text
  }

  static func list(_ names: some Collection<String>) -> String {
    let names = Array(names)
    return names.count <= 1
      ? names.first ?? "" : names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
  }

  /// What to call a pattern: its text, or where that is nothing but wildcards, one of its lines.
  static func name(of entry: PatternCounts.Entry) -> String {
    entry.pattern.text.replacing("<*>", with: "").contains { $0.isLetter }
      ? entry.pattern.text : clipped(String(decoding: entry.sample, as: UTF8.self), to: 200)
  }

  /// A pattern's text as a sentence quotes it: an ellipsis where something varies.
  static func spoken(_ pattern: String, to length: Int) -> String {
    clipped(pattern.replacing("<*>", with: "…"), to: length)
  }

  static func clipped(_ text: String, to length: Int) -> String {
    text.count <= length ? text : text.prefix(length - 1) + "…"
  }

  /// `2026-03-18T13:44:27.32Z` as `13:44:27 UTC on 2026-03-18`.
  static func clock(_ rfc3339: String) -> String { "\(time(rfc3339)) UTC on \(day(rfc3339))" }

  private static func time(_ rfc3339: String) -> Substring { rfc3339.drop { $0 != "T" }.dropFirst().prefix(8) }

  private static func day(_ rfc3339: String) -> Substring { rfc3339.prefix { $0 != "T" } }
}
