package import Domain

/// A `Filter` made ready to run on records.
package struct RecordMatcher: Sendable {
  private indirect enum Node: Sendable {
    case constant(Bool)
    case and([Node])
    case or([Node])
    case not(Node)
    case field(String, ValueMatcher)
    case time(TimeRange)
    case timeOfDay(first: Int64, last: Int64, offset: Int64)
    case dayOfWeek(days: Set<Int>, offset: Int64)
    case stream(StreamMatcher)
    case streamID(ValueSet)
    case compare(String, Filter.FieldComparison, String)
  }

  private let root: Node

  /// Throws on a bad regular expression and on `similar` and `subquery`, which Search resolves first.
  package init(_ filter: Filter) throws(QueryError) { root = try RecordMatcher.compile(filter) }

  package func matches(_ record: some FieldSource) -> Bool { RecordMatcher.matches(root, record) }

  private static func compile(_ filter: Filter) throws(QueryError) -> Node {
    switch filter {
    case .all: return .constant(true)
    case .none: return .constant(false)
    case .and(let parts): return .and(try compile(parts))
    case .or(let parts): return .or(try compile(parts))
    case .not(let inner): return .not(try compile(inner))
    case .field(let name, let test): return .field(name, try ValueMatcher(test))
    case .time(let range): return .time(range)
    case .timeOfDay(let first, let last, let offset): return .timeOfDay(first: first, last: last, offset: offset)
    case .dayOfWeek(let days, let offset): return .dayOfWeek(days: days, offset: offset)
    case .stream(let alternatives): return .stream(try StreamMatcher(alternatives))
    case .streamID(let ids): return .streamID(ValueSet(ids.map { Array($0.utf8) }))
    case .compareFields(let left, let comparison, let right): return .compare(left, comparison, right)
    case .similar: throw QueryError(message: "`similar` cannot be used here", column: 0)
    case .subquery: throw QueryError(message: "a query inside a filter cannot be used here", column: 0)
    }
  }

  private static func compile(_ filters: [Filter]) throws(QueryError) -> [Node] {
    var nodes: [Node] = []
    for filter in filters { nodes.append(try compile(filter)) }
    return nodes
  }

  private static func matches(_ node: Node, _ record: some FieldSource) -> Bool {
    switch node {
    case .constant(let answer): return answer
    case .and(let nodes): return nodes.allSatisfy { matches($0, record) }
    case .or(let nodes): return nodes.contains { matches($0, record) }
    case .not(let node): return !matches(node, record)
    case .field(let name, let matcher): return record.withField(name) { matcher.matches($0) }
    case .time(let range): return record.recordTime.map(range.contains) ?? false
    case .timeOfDay(let first, let last, let offset):
      return record.recordTime.map { TimeOfDay.isWithin($0, first: first, last: last, offset: offset) } ?? false
    case .dayOfWeek(let days, let offset):
      return record.recordTime.map { days.contains(TimeOfDay.weekday($0, offset: offset)) } ?? false
    case .stream(let matcher): return matcher.matches(record)
    case .streamID(let ids): return record.withField("_stream_id") { ids.contains($0) }
    case .compare(let left, let comparison, let right):
      return record.withField(left) { left in
        record.withField(right) { compare(left, comparison, $0) }
      }
    }
  }

  /// `eq_field`, `le_field` and `lt_field` on two values: numbers by value, other text by its bytes.
  package static func compare(
    _ left: UnsafeBufferPointer<UInt8>, _ comparison: Filter.FieldComparison, _ right: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    if comparison == .equal { return left.elementsEqual(right) }
    if let a = FieldNumber.value(left), let b = FieldNumber.value(right) { return comparison == .less ? a < b : a <= b }
    return comparison == .less ? left.lexicographicallyPrecedes(right) : !right.lexicographicallyPrecedes(left)
  }
}

/// Times of the day and days of the week, for a clock that is `offset` nanoseconds ahead of UTC.
package enum TimeOfDay {
  private static let day: Int64 = 86_400_000_000_000

  /// Nanoseconds since midnight, `first` and `last` included.
  package static func isWithin(_ time: Timestamp, first: Int64, last: Int64, offset: Int64) -> Bool {
    let local = time.advanced(byNanoseconds: offset).nanoseconds
    // Not by multiplying back: the first day there is begins before the first nanosecond that can be held.
    let remainder = local % day
    let sinceMidnight = remainder < 0 ? remainder + day : remainder
    return first <= sinceMidnight && sinceMidnight <= last
  }

  /// 0 is Sunday.
  package static func weekday(_ time: Timestamp, offset: Int64) -> Int {
    let days = time.advanced(byNanoseconds: offset).nanoseconds.floorDivided(by: day)
    // 1970-01-01 was a Thursday.
    let weekday = (days + 4) % 7
    return Int(weekday < 0 ? weekday + 7 : weekday)
  }
}

/// A `{…}` filter made ready to run on streams.
package struct StreamMatcher: Sendable {
  private struct Label: Sendable {
    /// The label and those that stand in for it.
    var names: [String]
    var nameBytes: [[UInt8]]
    var isNegated: Bool
    var condition: Condition
  }

  private enum Condition: Sendable {
    case oneOf(ValueSet)
    case matches(RegularExpression)
  }

  private let alternatives: [[Label]]

  /// Throws on a bad regular expression.
  package init(_ alternatives: [[LabelTest]]) throws(QueryError) {
    var compiled: [[Label]] = []
    for tests in alternatives {
      var labels: [Label] = []
      for test in tests {
        let names = [test.label] + test.alternatives
        let condition: Condition
        switch test.comparison {
        case .equal, .notEqual, .in, .notIn: condition = .oneOf(ValueSet(test.values))
        case .matches, .doesNotMatch:
          let pattern = String(decoding: test.values.first ?? [], as: UTF8.self)
          condition = .matches(try RegularExpression(pattern, matchesWhole: true))
        }
        let isNegated = test.comparison == .notEqual || test.comparison == .notIn || test.comparison == .doesNotMatch
        labels.append(
          Label(names: names, nameBytes: names.map { Array($0.utf8) }, isNegated: isNegated, condition: condition))
      }
      compiled.append(labels)
    }
    self.alternatives = compiled
  }

  package func matches(_ stream: Stream) -> Bool {
    alternatives.contains { labels in
      labels.allSatisfy { label in
        let value = label.nameBytes.lazy.compactMap { name in
          stream.labels.first { $0.name == name && !$0.value.isEmpty }?.value
        }.first
        return (value ?? []).withUnsafeBufferPointer { StreamMatcher.passes($0, label) }
      }
    }
  }

  package func matches(_ record: some FieldSource) -> Bool {
    alternatives.contains { labels in
      labels.allSatisfy { label in
        for name in label.names.dropLast() {
          let answer = record.withLabel(name) { $0.isEmpty ? nil : StreamMatcher.passes($0, label) }
          if let answer { return answer }
        }
        return record.withLabel(label.names[label.names.count - 1]) { StreamMatcher.passes($0, label) }
      }
    }
  }

  private static func passes(_ value: UnsafeBufferPointer<UInt8>, _ label: Label) -> Bool {
    switch label.condition {
    case .oneOf(let values): values.contains(value) != label.isNegated
    case .matches(let expression): expression.matches(value) != label.isNegated
    }
  }
}
