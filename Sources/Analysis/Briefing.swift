import Domain
import Search

/// The result of an analysis in plain words: same facts, same text.
enum Briefing {
  /// One sentence: the worst that is going on, where, since when.
  static func headline(_ clusters: [AnalysisDocument.Cluster], recordCount: Int) -> String {
    guard recordCount > 0 else { return "No records in this window" }
    guard let worst = clusters.first(where: { $0.severityScore >= 3 }) else {
      return "Nothing unusual in \(count(recordCount, "record"))"
    }
    let place = worst.workloads.isEmpty ? "" : " in \(list(worst.workloads.prefix(3)))"
    let label = spoken(worst.label, to: 90)
    switch worst.change {
    case "new": return "New\(place) since \(clock(worst.firstSeen)): \(label)"
    case "burst", "shift": return "\(times(worst)) more than usual\(place): \(label)"
    case "silence": return "Quiet\(place): \(label)"
    default: return "Ongoing\(place): \(label)"
    }
  }

  /// A few paragraphs: what happened, what came just before, what else is there, what was looked at.
  static func summary(
    _ document: AnalysisDocument, findings: [AnalysisDocument.Finding]
  ) -> String {
    guard document.recordCount > 0 else {
      return "There are no records between \(clock(document.start)) and \(clock(document.end))"
        + (document.namespace.map { " in namespace \($0)" } ?? "") + "."
    }
    var paragraphs: [String] = []
    let serious = document.clusters.filter { $0.severityScore >= 3 }
    if serious.isEmpty {
      paragraphs.append(
        "Nothing stands out among \(count(document.recordCount, "record")) of \(count(document.patternCount, "pattern")). "
          + "Looked at: new patterns, bursts, silences and shifts of each pattern by minute, and what the lines say.")
    } else {
      for cluster in serious.prefix(3) { paragraphs.append(sentence(cluster)) }
      if let cause = findings.first(where: { $0.kind == "cause" }) {
        paragraphs.append("Likely cause: \(cause.detail)")
      }
      if let change = findings.first(where: { $0.kind == "change" }) {
        paragraphs.append("Just before, \(change.detail)")
      }
      let rest = serious.count - min(3, serious.count)
      if rest > 0 {
        paragraphs.append(
          "\(count(rest, "more cluster")) of medium severity or worse \(rest == 1 ? "is" : "are") listed below.")
      }
    }
    let quiet = document.clusters.count - serious.count
    paragraphs.append(
      "\(count(document.recordCount, "record")) in \(count(document.patternCount, "pattern")) were grouped into "
        + "\(count(document.clusterCount, "cluster"))\(quiet > 0 && !serious.isEmpty ? "; \(quiet) of them show nothing unusual" : "")."
    )
    return paragraphs.joined(separator: "\n\n")
  }

  private static func sentence(_ cluster: AnalysisDocument.Cluster) -> String {
    let place = cluster.workloads.isEmpty ? "" : " from \(list(cluster.workloads.prefix(3)))"
    let span =
      cluster.firstSeen.prefix(19) == cluster.lastSeen.prefix(19)
      ? "at \(clock(cluster.firstSeen))"
      : day(cluster.firstSeen) == day(cluster.lastSeen)
        ? "between \(time(cluster.firstSeen)) and \(clock(cluster.lastSeen))"
        : "between \(clock(cluster.firstSeen)) and \(clock(cluster.lastSeen))"
    let how: String
    switch cluster.change {
    case "new": how = "not seen before this window"
    case "burst": how = "a burst of \(rate(cluster.rate)) a minute where \(usual(cluster.baselineRate)) usual"
    case "shift": how = "a lasting rise to \(rate(cluster.rate)) a minute from \(rate(cluster.baselineRate))"
    case "silence": how = "gone quiet: \(rate(cluster.rate)) a minute where \(rate(cluster.baselineRate)) are usual"
    default: how = "at its usual rate of \(rate(cluster.rate)) a minute"
    }
    return
      "\(cluster.severity.prefix(1).uppercased())\(cluster.severity.dropFirst()): \"\(spoken(cluster.label, to: 140))\", "
      + "\(count(cluster.size, "record"))\(place) \(span), \(how)."
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

  private static func times(_ cluster: AnalysisDocument.Cluster) -> String {
    guard cluster.baselineRate >= 0.05 else { return "Far" }
    return "\(Int((cluster.rate / cluster.baselineRate).rounded())) times"
  }

  private static func usual(_ value: Double) -> String {
    value < 0.05 ? "none are" : value < 1.05 && value > 0.95 ? "1 is" : "\(rate(value)) are"
  }

  private static func rate(_ value: Double) -> String {
    value >= 10 ? "\(Int(value.rounded()))" : "\((value * 10).rounded() / 10)"
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
