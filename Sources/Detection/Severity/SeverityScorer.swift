internal import Domain

/// Severity as a sum of what the text says, the level, what the counts did, how far it spreads, and what became of the
/// processes; every part with its reason in words.
///
/// Text and level reach high at most; critical needs a change or a lifecycle fact beside them.
package struct SeverityScorer: Sendable {
  private let text: SeverityText

  /// - Parameter embed: The unit vector of a text, zeros for one without a known word; nil leaves words alone.
  package init(embed: (@Sendable (String) -> [Float])? = nil) {
    text = SeverityText(embed: embed)
  }

  /// The most that feedback moves a score, either way: one grade, two at the lower ones.
  package static let feedbackMax = 3.0

  private static let pointsMax = 10.0
  /// What stays below critical.
  private static let withoutFactMax = Grade.criticalMin - 0.1
  private typealias Grade = SeverityScore.Grade

  package func score(_ facts: SeverityFacts) -> SeverityScore {
    let words = IdentifierWords.words(of: facts.text.utf8)
    let reading = text.reading(of: facts.text, words: words)
    var reasons: [SeverityScore.Reason] = []
    func add(_ kind: SeverityScore.Reason.Kind, _ points: Double, _ words: String) {
      if points != 0 { reasons.append(SeverityScore.Reason(kind: kind, points: points, words: words)) }
    }
    add(.text, reading.points, SeverityScorer.words(for: reading))
    let level = SeverityScorer.points(of: facts.level)
    add(.level, level, "level \(facts.level.name)")
    // Without trouble in text or level a change is news, not danger.
    let isTrouble = reading.points + level >= Grade.lowMin
    if let change = facts.change {
      let (points, words) = SeverityScorer.points(of: change, isTrouble: isTrouble)
      add(.change, points, words)
    }
    if isTrouble {
      let (points, words) = SeverityScorer.spread(workloads: facts.workloadCount, pods: facts.podCount)
      add(.spread, points, words)
    }
    let lifecycle = LifecycleFact.allCases.filter {
      facts.lifecycle.contains($0) || LifecycleFact.facts(in: words).contains($0)
    }
    if !lifecycle.isEmpty {
      add(.lifecycle, 2, "a process " + lifecycle.map(\.words).joined(separator: ", "))
    }
    let feedback = max(-SeverityScorer.feedbackMax, min(SeverityScorer.feedbackMax, facts.feedback))
    add(.feedback, feedback, feedback < 0 ? "marked as no problem here" : "marked as a problem here")

    let isChanged = facts.change.map { $0.kind != .steady } ?? false
    let limit = isChanged || !lifecycle.isEmpty ? SeverityScorer.pointsMax : SeverityScorer.withoutFactMax
    let sum = reasons.reduce(0) { $0 + $1.points }
    return SeverityScore(points: max(0, min(limit, sum)), reasons: reasons)
  }

  private static func words(for reading: SeverityText.Reading) -> String {
    if reading.terms.isEmpty { return "reads like a failure" }
    return "says " + reading.terms.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
  }

  /// The level mostly repeats what the text says, and half of the world's errors are logged as info: a nudge.
  private static func points(of level: Severity) -> Double {
    switch level {
    case .critical: 2.5
    case .error: 1.5
    case .warning: 0.6
    case .trace, .debug: -0.5
    case .unknown, .info: 0
    }
  }

  private static func points(of change: SeverityFacts.Change, isTrouble: Bool) -> (Double, String) {
    switch change.kind {
    // What goes on as ever has been lived with so far.
    case .steady: (isTrouble ? -1 : 0, "at its usual rate")
    case .new: (isTrouble ? 2 : 0.5, "new")
    case .rare: (isTrouble ? 1 : 0.2, "rarely seen before")
    case .newValue: (isTrouble ? 1 : 0.3, "with a value not seen before")
    case .spike, .shift: (isTrouble ? min(2.5, max(1, abs(change.z) / 8)) : 0.8, factor(change))
    case .drop: (1.2, "far fewer than usual")
    case .silence: (1.5, "went quiet")
    }
  }

  /// `12 times the usual rate`.
  private static func factor(_ change: SeverityFacts.Change) -> String {
    guard change.expected >= 0.05 else { return "far above the usual rate" }
    let factor = change.observed / change.expected
    guard factor < 1e6 else { return "far above the usual rate" }
    return (factor >= 10 ? "\(Int(factor.rounded()))" : "\((factor * 10).rounded() / 10)") + " times the usual rate"
  }

  private static func spread(workloads: Int, pods: Int) -> (Double, String) {
    var points = 0.0
    var places: [String] = []
    if workloads > 1 {
      points += workloads > 3 ? 0.8 : 0.5
      places.append("\(workloads) workloads")
    }
    if pods > 1 {
      points += pods > 5 ? 0.4 : 0.2
      places.append("\(pods) pods")
    }
    return (points, "in " + places.joined(separator: ", "))
  }
}
