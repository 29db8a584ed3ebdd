import Domain
import Indexing
import LogQuery

/// A filter made ready for columns: names resolved, values compiled, streams and patterns looked up for one tenant.
indirect enum ScanFilter: Sendable {
  case all
  case none
  case and([ScanFilter])
  case or([ScanFilter])
  case not(ScanFilter)
  case time(TimeRange)
  /// Nanoseconds of the day, inclusive, after shifting by `offset`.
  case timeOfDay(first: Int64, last: Int64, offset: Int64)
  /// 0 is Sunday.
  case dayOfWeek(days: Set<Int>, offset: Int64)
  case message(MessageTest)
  /// By `Severity.rawValue`.
  case severity(passes: [Bool])
  case streams(Set<UInt32>)
  /// Records of these templates.
  case templates(NumberSet)
  /// The first of `names` that is not empty.
  case field(names: [[UInt8]], ValueMatcher)
  /// `_time` as text.
  case timeText(ValueMatcher)
  case record(RecordID)
  case recordText(ValueMatcher)
  case compare(String, Filter.FieldComparison, String)

  /// The times outside which nothing matches.
  var timeBounds: TimeRange {
    switch self {
    case .time(let range): range
    case .record(let id): TimeRange(start: id.time, end: id.time.advanced(byNanoseconds: 1))
    case .and(let parts): parts.reduce(.all) { $0.intersection($1.timeBounds) }
    case .or(let parts):
      parts.dropFirst().reduce(parts.first?.timeBounds ?? .all) { bounds, part in
        let other = part.timeBounds
        return TimeRange(start: min(bounds.start, other.start), end: max(bounds.end, other.end))
      }
    default: .all
    }
  }

  /// The streams outside which nothing matches; nil is any.
  var streamBounds: Set<UInt32>? {
    switch self {
    case .streams(let streams): return streams
    case .record(let id): return [id.stream]
    case .and(let parts):
      return parts.compactMap(\.streamBounds).reduce(nil) { $0?.intersection($1) ?? $1 }
    default: return nil
    }
  }

  /// The templates outside which nothing matches; nil is any.
  var templateBounds: NumberSet? {
    switch self {
    case .templates(let templates): return templates
    case .and(let parts):
      return parts.compactMap(\.templateBounds).reduce(nil) { $0?.intersection($1) ?? $1 }
    default: return nil
    }
  }

  /// Whether a part of it looks at messages, which cost more than counts.
  var readsMessages: Bool {
    switch self {
    case .message, .record, .recordText, .compare: true
    case .and(let parts), .or(let parts): parts.contains(where: \.readsMessages)
    case .not(let part): part.readsMessages
    default: false
    }
  }

  /// The filter for records of which none is before `times.first` or after `times.last`: what time alone decides is
  /// decided.
  func simplified(forTimes times: (first: Int64, last: Int64)) -> ScanFilter {
    switch self {
    case .time(let range):
      let isEndless = range.end == TimeRange.all.end
      let (start, end) = (range.start.nanoseconds, range.end.nanoseconds)
      if start <= times.first, isEndless || times.last < end { return .all }
      return times.last < start || (!isEndless && times.first >= end) ? .none : self
    case .and(let parts):
      var left: [ScanFilter] = []
      for part in parts {
        switch part.simplified(forTimes: times) {
        case .all: continue
        case .none: return .none
        case let other: left.append(other)
        }
      }
      return left.isEmpty ? .all : left.count == 1 ? left[0] : .and(left)
    case .or(let parts):
      var left: [ScanFilter] = []
      for part in parts {
        switch part.simplified(forTimes: times) {
        case .all: return .all
        case .none: continue
        case let other: left.append(other)
        }
      }
      return left.isEmpty ? .none : left.count == 1 ? left[0] : .or(left)
    case .not(let part):
      switch part.simplified(forTimes: times) {
      case .all: return .none
      case .none: return .all
      case let other: return .not(other)
      }
    default: return self
    }
  }

  /// The same filter with a memory of its own, for another thread.
  func copy(for templates: any TemplateSource) -> ScanFilter {
    switch self {
    case .message(let test): .message(test.copy(for: templates))
    case .and(let parts): .and(parts.map { $0.copy(for: templates) })
    case .or(let parts): .or(parts.map { $0.copy(for: templates) })
    case .not(let part): .not(part.copy(for: templates))
    default: self
    }
  }
}

/// Where the texts behind numbers are found.
protocol TemplateSource: Sendable {
  func template(_ number: UInt32) -> Template?
  /// What words that must stand in a message tell of each template, by number: values of `TemplateWords.Knowledge`; nil if nothing.
  func knowledge(of words: [[UInt8]]) -> [UInt8]?
}
