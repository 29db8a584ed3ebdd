/// Something out of the ordinary in one series, from when it began until it ended.
package struct Anomaly: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// Never seen in a workload that was known.
    case new
    /// Never seen, but much like a pattern that was.
    case variant(of: UInt32)
    case spike
    case drop
    /// All of a workload's records stopped.
    case silence
    /// A lasting change of the rate, which is the usual rate from now on.
    case shift
    /// Seen on fewer than 3 of the 14 days before.
    case rare
    /// A variable took a value it had never had.
    case newValue
    /// So many new patterns in one workload that another version of it must run.
    case deployment
  }

  package enum Phase: UInt8, Sendable { case opened = 0, ongoing, ended }

  /// Stable from tick to tick, and the same in a replay.
  package var id: UInt64
  package var kind: Kind
  /// `SeriesKey.allPatterns` for silences and deployments.
  package var key: SeriesKey
  package var phase: Phase
  /// The first minute out of the ordinary.
  package var onset: Int64
  /// The last minute out of the ordinary so far.
  package var last: Int64
  package var evidence: Evidence
  /// For `newValue`: the variable's index and its value.
  package var value: MinuteCounts.NewValue?
  /// The id of the suppression that keeps it out of incidents.
  package var suppressedBy: UInt64?

  /// What was expected, from what, and what came instead.
  package struct Evidence: Hashable, Sendable {
    /// Records a minute when it deviated most.
    package var observed: Double
    /// Records a minute.
    package var expected: Double
    /// The largest deviation so far, in standard deviations; negative below expectation.
    package var z: Double
    package var baseline: Expectation.Basis
    /// Records since the onset, and how many were to be expected.
    package var total: Double
    package var expectedTotal: Double
  }

  package init(
    id: UInt64, kind: Kind, key: SeriesKey, phase: Phase, onset: Int64, last: Int64, evidence: Evidence,
    value: MinuteCounts.NewValue? = nil, suppressedBy: UInt64? = nil
  ) {
    self.id = id
    self.kind = kind
    self.key = key
    self.phase = phase
    self.onset = onset
    self.last = last
    self.evidence = evidence
    self.value = value
    self.suppressedBy = suppressedBy
  }

  /// Records that came and should not have, or did not and should have.
  package var excess: Double { evidence.total - evidence.expectedTotal }

  /// What stands in a window that nothing is known to compare with: its records as they are.
  package init(key: SeriesKey, kind: Kind, minute: Int64, count: Double) {
    self.init(
      id: Anomaly.identity(kind, key, onset: minute), kind: kind, key: key, phase: .ongoing, onset: minute,
      last: minute,
      evidence: Evidence(observed: count, expected: 0, z: 1, baseline: .none, total: count, expectedTotal: 0))
  }

  static func identity(_ kind: Kind, _ key: SeriesKey, onset: Int64, salt: UInt64 = 0) -> UInt64 {
    StableHash.of(UInt64(kind.number), UInt64(key.pattern), UInt64(key.workload), UInt64(bitPattern: onset), salt)
  }
}

extension Anomaly {
  /// What severity makes of it.
  package var change: SeverityFacts.Change {
    let kind: SeverityFacts.Change.Kind =
      switch self.kind {
      case .new, .variant: .new
      case .spike: .spike
      case .drop: .drop
      case .silence: .silence
      case .shift: .shift
      case .rare: .rare
      case .newValue: .newValue
      // Somebody rolled out a version: what it writes is judged by what it says.
      case .deployment: .steady
      }
    return SeverityFacts.Change(kind: kind, z: evidence.z, expected: evidence.expected, observed: evidence.observed)
  }

  /// Records that are missing rather than too many.
  package var isShortfall: Bool { evidence.z < 0 }
}

extension Anomaly.Kind {
  /// As stored and as answered.
  package var name: String {
    switch self {
    case .new: "new"
    case .variant: "variant"
    case .spike: "spike"
    case .drop: "drop"
    case .silence: "silence"
    case .shift: "shift"
    case .rare: "rare"
    case .newValue: "new_value"
    case .deployment: "deployment"
    }
  }

  /// Stored: never renumber.
  var number: UInt8 {
    switch self {
    case .new: 1
    case .variant: 2
    case .spike: 3
    case .drop: 4
    case .silence: 5
    case .shift: 6
    case .rare: 7
    case .newValue: 8
    case .deployment: 9
    }
  }

  init?(number: UInt8, of pattern: UInt32) {
    switch number {
    case 1: self = .new
    case 2: self = .variant(of: pattern)
    case 3: self = .spike
    case 4: self = .drop
    case 5: self = .silence
    case 6: self = .shift
    case 7: self = .rare
    case 8: self = .newValue
    case 9: self = .deployment
    default: return nil
    }
  }
}

/// Numbers that are the same in every process, unlike those of `Hasher`.
package enum StableHash {
  /// FNV-1a over the bytes of `values`.
  package static func of(_ values: UInt64...) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for value in values {
      var rest = value
      for _ in 0..<8 {
        hash = (hash ^ (rest & 0xFF)) &* 0x100_0000_01B3
        rest >>= 8
      }
    }
    return hash
  }

  package static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }
}

/// Somebody's word that anomalies are not to be told of: a snooze, a change that was expected, a maintenance window.
///
/// What is suppressed is still found and listed, with the suppression's id, but joins no incident.
package struct Suppression: Hashable, Sendable {
  package enum Reason: UInt8, Sendable { case snoozed = 0, expected, maintenance }

  package var id: UInt64
  package var reason: Reason
  /// Nil is all of them.
  package var workload: UInt32?
  package var pattern: UInt32?
  /// The names of the kinds it holds for; empty is all.
  package var kinds: Set<String>
  /// The minutes it holds for.
  package var minutes: Range<Int64>
  /// It holds again every so many minutes after the first time: 10,080 is a week.
  package var periodMinutes: Int64?

  package init(
    id: UInt64, reason: Reason, workload: UInt32? = nil, pattern: UInt32? = nil, kinds: Set<String> = [],
    minutes: Range<Int64>, periodMinutes: Int64? = nil
  ) {
    self.id = id
    self.reason = reason
    self.workload = workload
    self.pattern = pattern
    self.kinds = kinds
    self.minutes = minutes
    self.periodMinutes = periodMinutes
  }

  package func holds(for kind: Anomaly.Kind, _ key: SeriesKey, minute: Int64) -> Bool {
    if let workload, workload != key.workload { return false }
    if let pattern, pattern != key.pattern { return false }
    if !kinds.isEmpty, !kinds.contains(kind.name) { return false }
    guard minute >= minutes.lowerBound else { return false }
    guard let periodMinutes, periodMinutes > 0 else { return minutes.contains(minute) }
    return (minute - minutes.lowerBound) % periodMinutes < Int64(minutes.count)
  }
}
