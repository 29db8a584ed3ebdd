/// How bad an incident is, as rules found it and as a model may move it.
package enum IncidentSeverity: String, CaseIterable, Codable, Comparable, Sendable {
  case none, low, medium, high, critical

  package var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  package static func < (left: IncidentSeverity, right: IncidentSeverity) -> Bool { left.rank < right.rank }

  /// `steps` grades up, or down if negative, within the scale.
  package func moved(by steps: Int) -> IncidentSeverity {
    Self.allCases[min(max(rank + steps, 0), Self.allCases.count - 1)]
  }
}

/// What is known of an incident: all that a model is told, and all that its answer may rest on.
package struct IncidentFacts: Codable, Equatable, Sendable {
  /// A record, or many of one pattern, that shows something.
  package struct Evidence: Codable, Equatable, Sendable {
    package var id: String
    package var time: String
    package var workload: String
    package var text: String
    /// Records that this one stands for, itself among them.
    package var count: Int

    package init(id: String, time: String, workload: String, text: String, count: Int = 1) {
      self.id = id
      self.time = time
      self.workload = workload
      self.text = text
      self.count = count
    }
  }

  package var headline: String
  package var severity: IncidentSeverity
  /// 0...10
  package var score: Double
  /// The grade of `score - 1`: a model cannot bring the incident below it.
  package var lowestSeverity: IncidentSeverity
  /// Sentences, the weightiest first.
  package var facts: [String]
  /// The weightiest first.
  package var evidence: [Evidence]

  package init(
    headline: String, severity: IncidentSeverity, score: Double, lowestSeverity: IncidentSeverity, facts: [String],
    evidence: [Evidence]
  ) {
    self.headline = headline
    self.severity = severity
    self.score = score
    self.lowestSeverity = lowestSeverity
    self.facts = facts
    self.evidence = evidence
  }
}

/// An incident in a model's words, after everything that its evidence does not carry was taken out.
///
/// All of it is generated: what shows it says so. It is plain text.
package struct IncidentNarrative: Codable, Equatable, Sendable {
  package struct Claim: Codable, Equatable, Sendable {
    package var text: String
    /// Ids of `IncidentFacts.Evidence`, at least one.
    package var evidence: [String]
    package var isGenerated = true

    enum CodingKeys: String, CodingKey {
      case text, evidence
      case isGenerated = "generated"
    }
  }

  package var title: String
  /// At most one grade from the rules' one, and never below the grade of their score minus one.
  package var severity: IncidentSeverity
  /// What the model said; nil if it is no grade.
  package var proposedSeverity: IncidentSeverity?
  /// 0...1
  package var confidence: Double
  package var summary: String
  package var rootCause: [Claim]
  package var impact: String
  package var nextSteps: [String]
  /// The model, or this process, found text among the evidence that gives orders to whoever reads it.
  package var injectionSuspected: Bool
  /// Claims without evidence, or with evidence that nobody showed it.
  package var droppedClaimCount: Int
  package var model: String
  package var usedTokens: Int

  enum CodingKeys: String, CodingKey {
    case title, severity, confidence, summary, impact, model
    case proposedSeverity = "proposed_severity"
    case rootCause = "root_cause"
    case nextSteps = "next_steps"
    case injectionSuspected = "injection_suspected"
    case droppedClaimCount = "dropped_claims"
    case usedTokens = "used_tokens"
  }
}
