import Detection
import Domain

/// What became of a pattern in a window, by the window's steps.
struct PatternChange: Equatable, Sendable {
  enum Kind: String, Sendable { case new, burst, drop, silence, shift, rare, steady }

  var kind: Kind
  /// Index of the first step that is out of the ordinary; 0 for `steady`.
  var onset: Int
  /// Records a step, as expected and as they came.
  var expected: Double
  var observed: Double

  /// As usual, at so many records a step.
  static func steady(rate: Double) -> PatternChange {
    PatternChange(kind: .steady, onset: 0, expected: rate, observed: rate)
  }

  /// - Parameters:
  ///   - start: Of the window's first step.
  ///   - step: Nanoseconds.
  init(_ anomaly: Anomaly, start: Timestamp, step: Int64) {
    kind =
      switch anomaly.kind {
      case .new, .variant, .deployment, .newValue: .new
      case .spike: .burst
      case .drop: .drop
      case .silence: .silence
      case .shift: .shift
      case .rare: .rare
      }
    let distance = max(0, Timestamp(minute: anomaly.onset).nanoseconds(since: start))
    onset = Int(distance / max(1, step))
    let minutes = Double(step) / 6e10
    expected = anomaly.evidence.expected * minutes
    observed = anomaly.evidence.observed * minutes
  }

  private init(kind: Kind, onset: Int, expected: Double, observed: Double) {
    self.kind = kind
    self.onset = onset
    self.expected = expected
    self.observed = observed
  }
}
