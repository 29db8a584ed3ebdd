package import Domain

extension Filter {
  /// The time outside of which no record can pass.
  package var timeRange: TimeRange {
    switch self {
    case .time(let range): return range
    case .none: return TimeRange(start: TimeRange.all.start, end: TimeRange.all.start)
    case .and(let parts): return parts.reduce(.all) { $0.intersection($1.timeRange) }
    case .or(let branches):
      let ranges = branches.map(\.timeRange).filter { !$0.isEmpty }
      guard let first = ranges.first else { return TimeRange(start: TimeRange.all.start, end: TimeRange.all.start) }
      return ranges.dropFirst().reduce(first) {
        TimeRange(start: min($0.start, $1.start), end: max($0.end, $1.end))
      }
    case .all, .not, .field, .timeOfDay, .dayOfWeek, .stream, .streamID, .compareFields, .similar, .subquery:
      return .all
    }
  }

  /// The filter with each part that is no `and`, `or` or `not` put through `change`: how Search puts what `similar` and inner
  /// queries stand for in their place.
  package func replacingLeaves<Failure: Error>(
    _ change: (Filter) async throws(Failure) -> Filter
  ) async throws(Failure) -> Filter {
    switch self {
    case .and(let parts):
      var changed: [Filter] = []
      for part in parts { changed.append(try await part.replacingLeaves(change)) }
      return .and(changed)
    case .or(let branches):
      var changed: [Filter] = []
      for branch in branches { changed.append(try await branch.replacingLeaves(change)) }
      return .or(changed)
    case .not(let inner): return .not(try await inner.replacingLeaves(change))
    default: return try await change(self)
    }
  }
}
