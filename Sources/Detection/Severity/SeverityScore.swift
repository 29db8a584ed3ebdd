/// How much a pattern matters, and what made it so.
package struct SeverityScore: Equatable, Sendable {
  package enum Grade: String, CaseIterable, Comparable, Sendable {
    case none, low, medium, high, critical

    package static func < (left: Grade, right: Grade) -> Bool { left.rank < right.rank }

    private var rank: Int { Grade.allCases.firstIndex(of: self) ?? 0 }

    /// Points from which a grade is given: low for a hint of trouble, medium for one clear word of it, high for
    /// trouble said in more than one way or said and seen, critical for trouble that is said plainly and seen.
    static let lowMin = 1.0
    static let mediumMin = 2.0
    static let highMin = 4.0
    static let criticalMin = 7.0

    package init(points: Double) {
      switch points {
      case ..<Grade.lowMin: self = .none
      case ..<Grade.mediumMin: self = .low
      case ..<Grade.highMin: self = .medium
      case ..<Grade.criticalMin: self = .high
      default: self = .critical
      }
    }
  }

  /// One thing that counted.
  package struct Reason: Equatable, Sendable {
    package enum Kind: String, CaseIterable, Sendable { case text, level, change, spread, lifecycle, feedback }

    package let kind: Kind
    /// What it added, or took away.
    package let points: Double
    /// For a person: `says "timed out"`.
    package let words: String
  }

  /// 0...10.
  package let points: Double
  /// In the order text, level, change, spread, lifecycle, feedback.
  package let reasons: [Reason]

  package var grade: Grade { Grade(points: points) }

  /// What one kind of reason added.
  package func points(of kind: Reason.Kind) -> Double {
    reasons.reduce(0) { $1.kind == kind ? $0 + $1.points : $0 }
  }
}
