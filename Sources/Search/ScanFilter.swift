import Domain
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
  case templates(Set<UInt32>)
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
  var templateBounds: Set<UInt32>? {
    switch self {
    case .templates(let templates): return templates
    case .and(let parts):
      return parts.compactMap(\.templateBounds).reduce(nil) { $0?.intersection($1) ?? $1 }
    default: return nil
    }
  }

  /// Whether only time decides, so that counts by minute answer without a look at rows.
  var isTimeOnly: Bool {
    switch self {
    case .all, .time: true
    case .and(let parts): parts.allSatisfy(\.isTimeOnly)
    default: false
    }
  }
}

/// A test on messages, with what it has learned of each template.
final class MessageTest: @unchecked Sendable {
  // Sendable: the verdicts are written only by the one task that runs the query; a plan is not shared between queries.
  let matcher: ValueMatcher
  private var verdicts: [UInt8] = []
  private let templates: any TemplateSource

  init(_ matcher: ValueMatcher, templates: any TemplateSource) {
    self.matcher = matcher
    self.templates = templates
  }

  /// What the template alone says; asked once for each template of a query.
  func verdict(on number: UInt32) -> TemplateVerdict {
    let index = Int(number)
    if index >= verdicts.count { verdicts.append(contentsOf: repeatElement(0, count: index + 1 - verdicts.count)) }
    switch verdicts[index] {
    case 1: return .all
    case 2: return .none
    case 3: return .maybe
    default:
      guard let template = templates.template(number) else { return .maybe }
      let verdict = matcher.verdict(on: template)
      verdicts[index] = verdict == .all ? 1 : verdict == .none ? 2 : 3
      return verdict
    }
  }
}

/// Where the texts behind numbers are found.
protocol TemplateSource: Sendable {
  func template(_ number: UInt32) -> Template?
}
