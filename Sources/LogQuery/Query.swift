package import Domain

/// A parsed LogsQL query: which records, then what to do with them.
package struct Query: Sendable {
  package var filter: Filter
  package var pipes: [Pipe]
  package var options: QueryOptions

  package init(filter: Filter, pipes: [Pipe] = [], options: QueryOptions = QueryOptions()) {
    self.filter = filter
    self.pipes = pipes
    self.options = options
  }
}

/// `options(…)` at the head of a query, as far as it changes the answer.
package struct QueryOptions: Sendable, Equatable {
  /// The time range of the request does not narrow this (sub)query.
  package var ignoresRequestTimeRange = false

  package init() {}
}

/// A condition on a record.
package indirect enum Filter: Sendable {
  /// `*`
  case all
  /// Matches nothing.
  case none
  case and([Filter])
  case or([Filter])
  case not(Filter)
  /// A test on one field's value; a missing field has the empty value. `_msg` when the query names none.
  case field(String, ValueTest)
  /// `_time:…`, already resolved against the query's clock.
  case time(TimeRange)
  /// `_time:day_range[…]` and `_time:week_range[…]`.
  case timeOfDay(first: Int64, last: Int64, offset: Int64)
  case dayOfWeek(days: Set<Int>, offset: Int64)
  /// `{label="value", …}`: or of ands of label tests.
  case stream([[LabelTest]])
  /// `_stream_id:…`: 32 hex digits each.
  case streamID([String])
  /// `a:eq_field(b)`, `a:le_field(b)`, `a:lt_field(b)`.
  case compareFields(String, FieldComparison, String)
  /// `similar("free text", k)`: the patterns nearest in meaning; Search turns it into a test on `pattern` before
  /// scanning.
  case similar(String, limit: Int)
  /// `field:in(subquery)` and the like: Search runs it and puts the values in place before scanning.
  case subquery(String, SubqueryTest, Query)

  package enum FieldComparison: Sendable { case equal, less, lessOrEqual }
  package enum SubqueryTest: Sendable { case `in`, containsAll, containsAny }
}

/// One `label="value"` of a stream filter. An absent label has the empty value. Regular expressions match the whole
/// value.
package struct LabelTest: Sendable {
  package enum Comparison: Sendable { case equal, notEqual, matches, doesNotMatch, `in`, notIn }
  package var label: String
  /// Labels that stand in when `label` is absent, in order: what `FieldAlias` knows of a short name.
  package var alternatives: [String] = []
  package var comparison: Comparison
  /// One value, but for `in` and `notIn`.
  package var values: [[UInt8]]

  package init(label: String, alternatives: [String] = [], comparison: Comparison, values: [[UInt8]]) {
    self.label = label
    self.alternatives = alternatives
    self.comparison = comparison
    self.values = values
  }
}

/// A test on the bytes of one value, as the query says it. `ValueMatcher` is its compiled form.
package indirect enum ValueTest: Sendable {
  /// `error`, `"two words"`: the words stand side by side, bounded by non-word characters.
  case phrase([UInt8])
  /// `err*`, `"conn re"*`: as a phrase, but the last word may go on.
  case phrasePrefix([UInt8])
  /// `*xcept*` and `~"literal"` without operators: anywhere.
  case substring([UInt8])
  /// `="exact"`
  case exact([UInt8])
  /// `="exact"*`
  case exactPrefix([UInt8])
  /// `~"regexp"`; RE2 syntax.
  case regexp(String)
  /// `i(Error)`, `i(Err*)`.
  case caseInsensitivePhrase([UInt8])
  case caseInsensitivePrefix([UInt8])
  /// `seq(a, b, c)`: the phrases occur in this order.
  case sequence([[UInt8]])
  /// `in(a, b)`: equal to one of them.
  case oneOf(Set<[UInt8]>)
  case containsAll([[UInt8]])
  case containsAny([[UInt8]])
  /// `contains_common_case(a, b)`.
  case containsCommonCase([[UInt8]])
  /// `equals_common_case(a, b)`.
  case equalsCommonCase([[UInt8]])
  /// `range[…]`, `>5`, `<=10KiB`, on numbers, durations, sizes, IPv4 and timestamps as VictoriaLogs reads them.
  /// Bounds are inclusive.
  case numericRange(lower: Double, upper: Double)
  /// `>abc`, `<abc` where the bound is no number: bytes compare. Nil is open; `string_range(a, b)` is `a <= v < b`.
  case stringRange(lower: [UInt8]?, lowerInclusive: Bool, upper: [UInt8]?, upperInclusive: Bool)
  /// `ipv4_range(…)`: inclusive.
  case ipv4Range(UInt32, UInt32)
  /// `len_range(a, b)`: in Unicode scalars, inclusive.
  case lengthRange(UInt64, UInt64)
  /// `value_type(…)` is not kept by the store; `pattern_match("<ip> <N>")` and `pattern_match_full`.
  case patternMatch(String, full: Bool)
  /// `field:*`
  case any
  /// `field:""`
  case empty
}

/// A step after `|`.
///
/// In `fields`, `delete`, `copy`, `rename` and the field lists of `stats` functions and `unpack_…`, a name that ends
/// in `*` stands for every field with that prefix; `*` alone for all.
package indirect enum Pipe: Sendable {
  case fields([String])
  case delete([String])
  /// `(from, to)` pairs.
  case copy([(String, String)])
  case rename([(String, String)])
  case filter(Filter)
  case sort(by: [SortKey], limit: Int?, offset: Int, partitionBy: [String], rankField: String?)
  case limit(Int)
  case offset(Int)
  case uniq(by: [String], withHits: Bool, limit: Int?)
  case top(Int, by: [String], hitsField: String, rankField: String?)
  case stats(by: [StatsGroup], [StatsFunction])
  case facets(limit: Int, maxValuesPerField: Int, maxValueLength: Int, keepConstant: Bool)
  case fieldNames(resultName: String?)
  case fieldValues(String, limit: Int?)
  case extract(pattern: String, from: String, keepOriginal: Bool, skipEmpty: Bool, condition: Filter?)
  case extractRegexp(pattern: String, from: String, keepOriginal: Bool, skipEmpty: Bool, condition: Filter?)
  case unpackJSON(Unpack)
  case unpackLogfmt(Unpack)
  case format(String, resultField: String, keepOriginal: Bool, skipEmpty: Bool, condition: Filter?)
  case replace(String, with: String, at: String, limit: Int?, condition: Filter?)
  case replaceRegexp(String, with: String, at: String, limit: Int?, condition: Filter?)
  case math([(expression: MathExpression, resultField: String)])
  case length(of: String, resultField: String)
  case first(Int, by: [SortKey], partitionBy: [String])
  case last(Int, by: [SortKey], partitionBy: [String])
  case sample(Int)
  /// Lines around each hit in its stream; only as the first pipe. Search carries it out.
  case streamContext(before: Int, after: Int, window: Int64?)
}

package struct SortKey: Sendable {
  package var field: String
  package var descending: Bool

  package init(field: String, descending: Bool) {
    self.field = field
    self.descending = descending
  }
}

/// A `by (…)` entry: a field, maybe cut into buckets.
package struct StatsGroup: Sendable {
  package enum Bucket: Sendable {
    case none
    /// Nanoseconds; `_time:5m`. Calendar steps (week, month, year) keep their names.
    case time(step: Int64, offset: Int64)
    case calendar(CalendarStep, offset: Int64)
    /// `size:10KB offset 5`.
    case number(step: Double, offset: Double)
    /// `ip:/24`.
    case ipv4(prefixLength: Int)
  }
  package enum CalendarStep: Sendable { case week, month, year }

  package var field: String
  package var bucket: Bucket

  package init(field: String, bucket: Bucket = .none) {
    self.field = field
    self.bucket = bucket
  }
}

/// One `count() if (…) as name` of a `stats` pipe.
package struct StatsFunction: Sendable {
  package enum Kind: Sendable {
    case count, countEmpty, countUniq, countUniqHash, sum, average, minimum, maximum, median
    case quantile(Double)
    case values, uniqValues, jsonValues
    case rowAny
    case rowMin(String)
    case rowMax(String)
    case rate, rateSum, sumLength, histogram
  }
  package var kind: Kind
  /// Fields the function looks at; empty is all.
  package var fields: [String]
  /// `sort by (…)` of `json_values`.
  package var order: [SortKey]
  /// `limit N` of `count_uniq`, `values`, `uniq_values` and `json_values`.
  package var limit: Int?
  package var condition: Filter?
  package var resultName: String

  package init(
    kind: Kind, fields: [String], order: [SortKey] = [], limit: Int? = nil, condition: Filter? = nil, resultName: String
  ) {
    self.kind = kind
    self.fields = fields
    self.order = order
    self.limit = limit
    self.condition = condition
    self.resultName = resultName
  }
}

/// What `unpack_json` and `unpack_logfmt` take.
package struct Unpack: Sendable {
  package var from: String
  /// Empty is all.
  package var fields: [String]
  package var resultPrefix: String
  package var keepOriginal: Bool
  package var skipEmpty: Bool
  package var condition: Filter?

  package init(
    from: String, fields: [String], resultPrefix: String, keepOriginal: Bool, skipEmpty: Bool, condition: Filter?
  ) {
    self.from = from
    self.fields = fields
    self.resultPrefix = resultPrefix
    self.keepOriginal = keepOriginal
    self.skipEmpty = skipEmpty
    self.condition = condition
  }
}

/// An expression of the `math` pipe.
package indirect enum MathExpression: Sendable {
  case number(Double)
  case field(String)
  case negate(MathExpression)
  case binary(MathOperator, MathExpression, MathExpression)
  case call(MathFunction, [MathExpression])
}

package enum MathOperator: Sendable { case add, subtract, multiply, divide, modulo, power, and, or, xor, `default` }
package enum MathFunction: Sendable { case abs, ceil, exp, floor, ln, max, min, now, rand, round }
