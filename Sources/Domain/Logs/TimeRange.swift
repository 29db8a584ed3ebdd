/// A half-open span of time: `start` belongs to it, `end` does not.
package struct TimeRange: Hashable, Sendable {
  package var start: Timestamp
  package var end: Timestamp

  package init(start: Timestamp, end: Timestamp) {
    self.start = start
    self.end = end
  }

  /// Everything that can be stored.
  package static let all = TimeRange(start: Timestamp(nanoseconds: .min), end: Timestamp(nanoseconds: .max))

  package var isEmpty: Bool { end <= start }

  package func contains(_ time: Timestamp) -> Bool { start <= time && time < end }

  package func intersection(_ other: TimeRange) -> TimeRange {
    TimeRange(start: max(start, other.start), end: min(end, other.end))
  }

  /// Whether any moment of the closed span `first...last` lies in this range.
  package func overlaps(first: Timestamp, last: Timestamp) -> Bool { start <= last && first < end }
}
