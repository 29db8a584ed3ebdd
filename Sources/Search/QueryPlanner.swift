import CKernels
import Domain
import LogQuery

/// Turns a parsed filter into one that runs on columns, with everything looked up that belongs to the tenant: short field names,
/// streams, patterns near in meaning.
struct QueryPlanner {
  let names: TenantNames
  /// The patterns nearest to a text, for `similar(…)`, of those that have records which pass all of `filters`.
  let similarPatterns: (_ text: String, _ limit: Int, _ filters: [ScanFilter]) async throws -> NumberSet
  /// The values that a subquery answers.
  let values: (_ query: Query) async throws -> [[UInt8]]

  /// - Parameter others: What every record passes besides, as far as it is known: `similar(…)` looks there only.
  func plan(_ filter: Filter, besides others: [ScanFilter] = []) async throws -> ScanFilter {
    // A filter can have as many parts as a request has room for.
    try QueryClock.current?.check()
    switch filter {
    case .all: return .all
    case .none: return .none
    case .and(let parts):
      var planned: [ScanFilter] = []
      for part in parts where !part.asksForSimilar { planned.append(try await plan(part, besides: others)) }
      // Last, so that patterns whose records the others leave out do not take the place of those that stay.
      let known = others + planned.filter { !$0.readsMessages }
      for part in parts where part.asksForSimilar { planned.append(try await plan(part, besides: known)) }
      return .and(planned.sorted { QueryPlanner.cost($0) < QueryPlanner.cost($1) })
    case .or(let parts):
      var planned: [ScanFilter] = []
      for part in parts { planned.append(try await plan(part, besides: others)) }
      return .or(planned)
    case .not(let part): return .not(try await plan(part, besides: others))
    case .field(let name, let test): return try planField(name, test)
    case .time(let range): return .time(range)
    case .timeOfDay(let first, let last, let offset): return .timeOfDay(first: first, last: last, offset: offset)
    case .dayOfWeek(let days, let offset): return .dayOfWeek(days: days, offset: offset)
    case .stream(let alternatives):
      let matcher = try compiled { () throws(QueryError) in try StreamMatcher(alternatives) }
      return .streams(names.streams { matcher.matches($0) })
    case .streamID(let ids):
      let wanted = Set(ids)
      return .streams(names.streams(withIDs: wanted))
    case .compareFields(let left, let comparison, let right): return .compare(left, comparison, right)
    case .similar(let text, let limit):
      return .templates(names.templates(ofPatterns: try await similarPatterns(text, limit, others)))
    case .subquery(let name, let test, let query):
      let values = try await values(query)
      switch test {
      case .in: return try planField(name, .oneOf(Set(values)))
      case .containsAll: return try planField(name, .containsAll(values))
      case .containsAny: return try planField(name, .containsAny(values))
      }
    }
  }

  private func planField(_ name: String, _ test: ValueTest) throws -> ScanFilter {
    let matcher = try compiled { () throws(QueryError) in try ValueMatcher(test) }
    func passes(_ text: [UInt8]) -> Bool { text.withUnsafeBufferPointer { matcher.matches($0) } }
    switch name {
    case "_msg", "": return .message(MessageTest(matcher, templates: names))
    case "_time": return .timeText(matcher)
    case "_stream": return .streams(names.streams { passes($0.description) })
    case "_stream_id": return .streams(names.streamNumbers { passes(names.streamID($0)) })
    case "severity":
      return .severity(passes: Severity.allCases.map { passes(Array($0.name.utf8)) })
    case "template": return .templates(names.templates { passes(Array($0.description.utf8)) })
    case "pattern":
      return .templates(names.templates(ofPatterns: names.patterns { passes(Array(String($0).utf8)) }))
    case "_id":
      if case .exact(let text) = test, let id = RecordID(String(decoding: text, as: UTF8.self)) { return .record(id) }
      return .recordText(matcher)
    default:
      return .field(names: FieldAlias.candidates(for: name).map { Array($0.utf8) }, matcher)
    }
  }

  private func compiled<Value>(_ body: () throws(QueryError) -> Value) throws -> Value {
    do {
      return try body()
    } catch {
      throw SearchError.syntax(error)
    }
  }

  /// Cheap tests first, so that dear ones see fewer rows.
  static func cost(_ filter: ScanFilter) -> Int {
    switch filter {
    case .all, .none: 0
    case .streams, .templates: 1
    case .time, .severity: 2
    case .record: 3
    case .field: 4
    case .message: 5
    case .and(let parts), .or(let parts): (parts.map { cost($0) }.max() ?? 0) + 1
    case .not(let part): cost(part)
    case .timeOfDay, .dayOfWeek: 6
    case .timeText, .recordText, .compare: 9
    }
  }
}

extension Filter {
  /// Whether a part of it is `similar(…)`.
  fileprivate var asksForSimilar: Bool {
    switch self {
    case .similar: true
    case .and(let parts), .or(let parts): parts.contains(where: \.asksForSimilar)
    case .not(let part): part.asksForSimilar
    default: false
    }
  }
}
