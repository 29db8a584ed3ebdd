package import Domain

/// What is known of a pattern when its severity is asked for.
package struct SeverityFacts: Sendable {
  /// What its counts did.
  package struct Change: Equatable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
      /// As usual.
      case steady
      /// Never seen before.
      case new
      /// Seen on few days only.
      case rare
      /// Many more at once, for a while.
      case spike
      /// Far fewer than usual.
      case drop
      /// Another level than before, that lasts.
      case shift
      /// None at all where there always were some.
      case silence
      /// A variable took a value it never had.
      case newValue
    }

    package var kind: Kind
    /// Standard deviations from what was expected, of either sign.
    package var z: Double
    /// Records a step, as they were to be expected and as they were.
    package var expected: Double
    package var observed: Double

    package init(kind: Kind, z: Double = 0, expected: Double = 0, observed: Double = 0) {
      self.kind = kind
      self.z = z
      self.expected = expected
      self.observed = observed
    }
  }

  /// The pattern's text, slots as `<*>`.
  package var text: String
  package var level: Severity
  /// nil: counts are not known.
  package var change: Change?
  package var workloadCount: Int
  package var podCount: Int
  /// What is known of the life of the workload's processes from elsewhere; what the text itself says of it is found.
  package var lifecycle: Set<LifecycleFact>
  /// Points that people's verdicts on this pattern in this workload add, at most `SeverityScorer.feedbackMax` either
  /// way.
  package var feedback: Double

  package init(
    text: String, level: Severity = .unknown, change: Change? = nil, workloadCount: Int = 1, podCount: Int = 1,
    lifecycle: Set<LifecycleFact> = [], feedback: Double = 0
  ) {
    self.text = text
    self.level = level
    self.change = change
    self.workloadCount = workloadCount
    self.podCount = podCount
    self.lifecycle = lifecycle
    self.feedback = feedback
  }
}
