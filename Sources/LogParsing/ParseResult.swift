package import Domain

/// Why one record of a body was not taken.
package struct Rejection: Hashable, Sendable {
  /// The line of the body on which the record starts, from 1.
  package var line: Int
  /// A clause without the line and without any log text: `expected ':' after the key at byte 34`.
  package var reason: String

  package init(line: Int, reason: String) {
    self.line = line
    self.reason = reason
  }

  /// `line 7: expected ':' after the key at byte 34`
  package var description: String { "line \(line): \(reason)" }
}

/// What a parser made of some bytes: every record of them is either in `records` or counted in `rejectedCount`.
package struct ParseResult: Sendable {
  package var records = ParsedRecords()
  /// Of a text log: for each record the line it starts on, from 1.
  package var recordLines: [Int] = []
  /// The first of the rejections, at most `rejectionsMax` of the parser's options.
  package var rejections: [Rejection] = []
  package var rejectedCount = 0

  package init() {}
}

/// What a record may be at most.
package struct ParsingLimits: Sendable {
  /// Bytes of one record as sent, 1 to 64 MiB.
  package var lineByteCountMax = 1 << 20
  /// Fields of one record after flattening, time and message not counted.
  package var fieldCountMax = 1000
  /// Objects and arrays inside one another, the record itself being the first; at most 256.
  package var nestingDepthMax = 64
  /// Bytes of a field's name after flattening.
  package var keyByteCountMax = 256
  /// How far ahead of `now` a record's time may be.
  package var futureNanosecondsMax: Int64 = 3_600_000_000_000
  /// How far behind `now` a record's time may be: ten years of 365.25 days.
  package var pastNanosecondsMax: Int64 = 315_576_000_000_000_000
  /// How long the tenant's records are kept, if they are ever removed. What would be removed at once is not taken.
  package var retentionNanoseconds: Int64?

  package init() {}

  /// The same without bounds on the time: for the import of old files.
  package static var anyTime: ParsingLimits {
    var limits = ParsingLimits()
    limits.futureNanosecondsMax = .max
    limits.pastNanosecondsMax = .max
    return limits
  }
}

/// Which fields label a record's stream: who wrote it.
package struct StreamFields: Sendable {
  /// Names that always do.
  package var always = [
    "kubernetes.namespace_name", "kubernetes.pod_name", "kubernetes.container_name", "stream", "source",
  ]
  /// Names that do where none of the first three does: senders outside Kubernetes.
  package var otherwise = [
    "namespace", "pod", "container", "service", "service.name", "app", "host", "hostname",
  ]

  package init() {}
}

/// The bounds on a record's time, as moments.
struct TimeBounds: Sendable {
  enum Breach { case future, past, retention }

  private let latest: Int64
  private let earliest: Int64
  private let retentionStart: Int64

  init(_ limits: ParsingLimits, now: Timestamp) {
    func back(_ nanoseconds: Int64) -> Int64 {
      nanoseconds == .max ? .min : now.advanced(byNanoseconds: -max(nanoseconds, 0)).nanoseconds
    }
    latest = now.advanced(byNanoseconds: max(limits.futureNanosecondsMax, 0)).nanoseconds
    earliest = back(limits.pastNanosecondsMax)
    retentionStart = back(limits.retentionNanoseconds ?? .max)
  }

  @inline(__always)
  func breach(_ time: Timestamp) -> Breach? {
    if time.nanoseconds > latest { return .future }
    if time.nanoseconds < earliest { return .past }
    return time.nanoseconds < retentionStart ? .retention : nil
  }

  static func reason(_ breach: Breach, _ limits: ParsingLimits) -> String {
    switch breach {
    case .future: "its time is more than \(spelled(limits.futureNanosecondsMax)) ahead"
    case .past: "its time is more than \(spelled(limits.pastNanosecondsMax)) back"
    case .retention: "its time is older than the retention of \(spelled(limits.retentionNanoseconds ?? 0))"
    }
  }

  /// `10 years`, `36 hours`: the largest unit that divides the span.
  private static func spelled(_ nanoseconds: Int64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    for (length, unit) in [(Int64(31_557_600), "year"), (86_400, "day"), (3600, "hour"), (60, "minute")]
    where seconds >= length && seconds % length == 0 {
      return "\(seconds / length) \(unit)\(seconds == length ? "" : "s")"
    }
    return "\(seconds) second\(seconds == 1 ? "" : "s")"
  }
}
