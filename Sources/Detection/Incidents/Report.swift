/// What there is to say about a window, from facts alone: the same facts give the same report.
///
/// Written for a reader who was woken up: the worst first, then where, since when, what shows it, and what is normal again.
package struct Report: Sendable, Equatable {
  /// One incident.
  package struct Section: Sendable, Equatable {
    package var incident: UInt64
    package var title: String
    package var grade: SeverityScore.Grade
    /// What made the grade, each a clause.
    package var gradeReasons: [String]
    /// Each a sentence's worth: which pattern did what.
    package var changes: [String]
    package var place: String
    package var since: String
    /// Likely origins, likeliest first, each with its reasons.
    package var origins: [String]
    package var evidence: [EvidenceLine]
    /// What was anomalous and no longer is.
    package var normalAgain: [String]
  }

  /// What was looked at.
  package struct Coverage: Sendable, Equatable {
    /// Minutes since 1970.
    package var minutes: Range<Int64>
    package var recordCount: Int
    package var patternCount: Int
    package var workloadCount: Int
    /// Anomalies that somebody snoozed or expected.
    package var suppressedCount: Int

    package init(
      minutes: Range<Int64>, recordCount: Int, patternCount: Int, workloadCount: Int, suppressedCount: Int = 0
    ) {
      self.minutes = minutes
      self.recordCount = recordCount
      self.patternCount = patternCount
      self.workloadCount = workloadCount
      self.suppressedCount = suppressedCount
    }
  }

  package var headline: String
  package var grade: SeverityScore.Grade
  /// The most urgent first.
  package var sections: [Section]
  /// Incidents of low severity, in one line each.
  package var minor: [String]
  package var coverage: Coverage

  /// A reader can hold so many troubles in mind; the rest are listed in a line each.
  private static let sectionsMax = 5
  private static let changesMax = 6
  private static let originsMax = 3
  private static let minorMax = 20

  /// - Parameter incidents: Of the window, in any order.
  package init(_ incidents: [Incident], coverage: Coverage) {
    let incidents = incidents.filter {
      if case .merged = $0.state { return false }
      return !$0.members.isEmpty
    }.sorted(by: Incident.isMoreUrgent)
    let serious = incidents.filter { $0.grade >= .medium }
    let told = serious.prefix(Report.sectionsMax)
    sections = told.map(Report.section)
    let rest = serious.dropFirst(Report.sectionsMax) + incidents.filter { $0.grade < .medium }
    minor = rest.prefix(Report.minorMax).map { "\($0.grade.rawValue): \(Report.title($0))" }
    if rest.count > Report.minorMax { minor.append("and \(rest.count - Report.minorMax) more") }
    self.coverage = coverage
    grade = incidents.map(\.grade).max() ?? .none
    headline = Report.headline(Array(serious), minorCount: incidents.count - serious.count, coverage)
  }

  private static func headline(_ serious: [Incident], minorCount: Int, _ coverage: Coverage) -> String {
    guard coverage.recordCount > 0 || !serious.isEmpty else { return "No records in this window" }
    guard let worst = serious.first else {
      let changes = minorCount == 0 ? "" : "; \(Wording.count(minorCount, "small change"))"
      return "Nothing needs attention in \(Wording.count(coverage.recordCount, "record"))\(changes)"
    }
    var text = title(worst)
    if !worst.isOpen { text = "Over: " + text }
    if serious.count > 1 { text += " (and \(Wording.count(serious.count - 1, "other incident")))" }
    return text
  }

  /// What an incident is called: who does what, since when.
  package static func title(_ incident: Incident) -> String {
    guard let root = incident.candidates.first, let node = incident.members.first(where: { $0.key == root.key }) else {
      return "Unusual records"
    }
    let name = Wording.quoted(root.text, to: 90)
    let place = root.workload
    let clock = Wording.time(minute: incident.onset)
    switch node.anomaly.kind {
    case .silence: return "\(place) has been silent since \(clock)"
    case .deployment: return "\(place) writes \(Int(node.anomaly.evidence.observed)) new patterns since \(clock)"
    case .drop: return "\(place) writes less of \"\(name)\" since \(clock)"
    case .new, .variant: return "New in \(place) since \(clock): \"\(name)\""
    case .rare: return "Rare in \(place) at \(clock): \"\(name)\""
    case .newValue: return "\(place), \(Wording.change(node.anomaly)) at \(clock) in \"\(name)\""
    case .spike: return "\(place) since \(clock): \(factor(node.anomaly)) \"\(name)\""
    case .shift:
      let more = node.anomaly.evidence.observed > node.anomaly.evidence.expected ? "more" : "less"
      return "\(place) writes lastingly \(more) of \"\(name)\" since \(clock)"
    }
  }

  private static func factor(_ anomaly: Anomaly) -> String {
    guard anomaly.evidence.expected >= 0.5 else { return "unusually many" }
    let factor = anomaly.evidence.observed / anomaly.evidence.expected
    return "\(Wording.rate(factor)) times the usual"
  }

  /// What there is to say about one incident, whatever its severity.
  package static func section(_ incident: Incident) -> Section {
    let order = Dictionary(
      incident.candidates.enumerated().map { ($0.element.key, $0.offset) }, uniquingKeysWith: { first, _ in first })
    let ranked = incident.members.sorted { (order[$0.key] ?? .max) < (order[$1.key] ?? .max) }
    let current = ranked.filter { !$0.isOver }
    let shown = current.isEmpty ? ranked : current
    var changes = shown.prefix(changesMax).map(change)
    if shown.count > changesMax { changes.append("and \(shown.count - changesMax) more series") }
    let worst = incident.members.first
    var since = "\(Wording.clock(minute: incident.onset))"
    if incident.isOpen {
      since += ", still going on"
    } else {
      since += ", until \(Wording.time(minute: incident.last))"
    }
    let roots = incident.candidates.filter(\.isRoot)
    return Section(
      incident: incident.id, title: title(incident), grade: incident.grade,
      gradeReasons: worst.map { $0.facts.severity.reasons.filter { $0.points > 0 }.map(\.words) } ?? [],
      changes: changes, place: incident.scope.description, since: since,
      origins: (roots.isEmpty ? incident.candidates : roots).prefix(originsMax).map {
        "\($0.workload): \"\(Wording.quoted($0.text, to: 90))\" (\($0.reasons.joined(separator: "; ")))"
      },
      evidence: incident.evidence,
      normalAgain: incident.isOpen
        ? ranked.filter(\.isOver).prefix(changesMax).map {
          "\($0.facts.workload): \"\(Wording.quoted($0.facts.text, to: 90))\" "
            + "since \(Wording.time(minute: $0.anomaly.last + 1))"
        }
        : ["everything, since \(Wording.time(minute: incident.last + 1))"])
  }

  /// What a series did: `payments: "connection to <*> refused" is 40 a minute where none are usual (…)`.
  package static func change(_ node: IncidentNode) -> String {
    if node.key.pattern == SeriesKey.allPatterns { return "\(node.facts.workload): \(Wording.change(node.anomaly))" }
    return "\(node.facts.workload): \"\(Wording.quoted(node.facts.text, to: 120))\" is \(Wording.change(node.anomaly))"
  }
}
