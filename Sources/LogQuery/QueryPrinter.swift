import Domain

// A tree back to LogsQL. `QueryParser` reads what is printed here to the same tree; times are printed as the moments
// they were resolved to, and short names of fields as what they stand for.

extension Query: CustomStringConvertible {
  package var description: String {
    let head = options.ignoresRequestTimeRange ? "options(ignore_global_time_filter=true) " : ""
    return ([head + filter.description] + pipes.map(\.description)).joined(separator: " | ")
  }
}

extension Filter: CustomStringConvertible {
  package var description: String {
    switch self {
    case .all: "*"
    case .none: "!*"
    case .and(let parts): parts.isEmpty ? "*" : Filter.printed(parts, inside: 2).joined(separator: " ")
    case .or(let branches): branches.isEmpty ? "!*" : Filter.printed(branches, inside: 1).joined(separator: " or ")
    case .not(let inner): "!" + inner.printed(inside: 3)
    case .field("_msg", .any): "_msg:*"
    case .field(let name, let test): (name == "_msg" ? "" : Print.name(name) + ":") + test.description
    case .time(let range): Print.time(range)
    case .timeOfDay(let first, let last, let offset):
      "_time:day_range" + Print.timeOfDay(first, last) + Print.offset(offset)
    case .dayOfWeek(let days, let offset): Print.weekdays(days, offset)
    case .stream(let alternatives):
      "{" + alternatives.map { $0.map(\.description).joined(separator: ",") }.joined(separator: " or ") + "}"
    case .streamID(let ids):
      ids.count == 1
        ? "_stream_id:" + Print.text(ids[0]) : "_stream_id:in(" + ids.map(Print.text).joined(separator: ",") + ")"
    case .compareFields(let left, let comparison, let right):
      Print.name(left) + ":" + Print.comparison(comparison) + "(" + Print.name(right) + ")"
    case .similar(let text, let limit): "similar(\(Print.quoted(Array(text.utf8))), \(limit))"
    case .subquery(let name, let test, let query):
      (name == "_msg" ? "" : Print.name(name) + ":") + Print.membership(test) + "(\(query))"
    }
  }

  /// The parts of an `and` or an `or`; a short name's test, which was written out, is one part again.
  private static func printed(_ parts: [Filter], inside level: Int) -> [String] {
    var printed: [String] = []
    var index = 0
    while index < parts.count {
      printed.append(parts[index].printed(inside: level))
      if case .field(let name, let test) = parts[index], FieldAlias.names.contains(name) {
        let written = FieldAlias.candidates(for: name).map { Filter.field($0, test).description }
        if parts[index...].prefix(written.count).map(\.description) == written { index += written.count - 1 }
      }
      index += 1
    }
    return printed
  }

  /// With parentheses where it binds looser than what is around it: 1 `or`, 2 `and`, 3 `not`.
  private func printed(inside level: Int) -> String {
    let own =
      switch self {
      case .or(let branches): branches.count == 1 ? 3 : 1
      case .and(let parts): parts.count == 1 ? 3 : 2
      case .dayOfWeek: 1
      default: 4
      }
    return own <= level ? "(" + description + ")" : description
  }
}

extension LabelTest: CustomStringConvertible {
  package var description: String {
    let first = Print.quoted(values.first ?? [])
    let all = "(" + values.map(Print.quoted).joined(separator: ",") + ")"
    let test =
      switch comparison {
      case .equal: "=" + first
      case .notEqual: "!=" + first
      case .matches: "=~" + first
      case .doesNotMatch: "!~" + first
      case .in: " in" + all
      case .notIn: " not_in" + all
      }
    return Print.name(label) + test
  }
}

extension ValueTest: CustomStringConvertible {
  package var description: String {
    switch self {
    case .phrase(let text): Print.phrase(text)
    case .phrasePrefix(let text): text.isEmpty ? "\"\"*" : Print.phrase(text) + "*"
    case .substring(let text): "*" + Print.quoted(text) + "*"
    case .exact(let text): "=" + Print.quoted(text)
    case .exactPrefix(let text): "=" + Print.quoted(text) + "*"
    case .regexp(let pattern): "~" + Print.quoted(Array(pattern.utf8))
    case .caseInsensitivePhrase(let text): "i(" + Print.quoted(text) + ")"
    case .caseInsensitivePrefix(let text): "i(" + Print.quoted(text) + "*)"
    case .sequence(let phrases): "seq" + Print.list(phrases)
    case .oneOf(let values): "in" + Print.list(values.sorted { $0.lexicographicallyPrecedes($1) })
    case .containsAll(let phrases): "contains_all" + Print.list(phrases)
    case .containsAny(let phrases): "contains_any" + Print.list(phrases)
    case .containsCommonCase(let phrases): "contains_common_case" + Print.list(phrases)
    case .equalsCommonCase(let phrases): "equals_common_case" + Print.list(phrases)
    case .numericRange(let lower, let upper): "range[\(lower), \(upper)]"
    case .stringRange(let lower, let lowerInclusive, let upper, let upperInclusive):
      switch (lower, upper) {
      case (let lower?, let upper?): "string_range(\(Print.quoted(lower)), \(Print.quoted(upper)))"
      case (let lower?, nil): (lowerInclusive ? ">=" : ">") + Print.quoted(lower)
      case (nil, let upper?): (upperInclusive ? "<=" : "<") + Print.quoted(upper)
      case (nil, nil): "in(*)"
      }
    case .ipv4Range(let first, let last): "ipv4_range(\(Print.address(first)), \(Print.address(last)))"
    case .lengthRange(let least, let most): "len_range(\(least), \(most == .max ? "inf" : "\(most)"))"
    case .patternMatch(let pattern, let full):
      "pattern_match\(full ? "_full" : "")(\(Print.quoted(Array(pattern.utf8))))"
    case .any: "*"
    case .empty: "\"\""
    }
  }
}

extension Pipe: CustomStringConvertible {
  package var description: String {
    switch self {
    case .fields(let names): "fields " + Print.names(names)
    case .delete(let names): "delete " + Print.names(names)
    case .copy(let pairs): "copy " + Print.pairs(pairs)
    case .rename(let pairs): "rename " + Print.pairs(pairs)
    case .filter(let filter): "filter \(filter)"
    case .sort(let keys, let limit, let offset, let partition, let rank):
      "sort" + Print.keys(keys) + Print.limit(limit) + (offset > 0 ? " offset \(offset)" : "")
        + Print.partition(partition)
        + (rank.map { " rank as " + Print.name($0) } ?? "")
    case .limit(let count): "limit \(count)"
    case .offset(let count): "offset \(count)"
    case .uniq(let names, let withHits, let limit):
      "uniq" + (names.isEmpty ? "" : " by (\(Print.names(names)))") + (withHits ? " with hits" : "")
        + Print.limit(limit)
    case .top(let count, let names, let hits, let rank):
      "top \(count)" + (names.isEmpty ? "" : " by (\(Print.names(names)))") + " hits as " + Print.name(hits)
        + (rank.map { " rank as " + Print.name($0) } ?? "")
    case .stats(let groups, let functions):
      "stats" + (groups.isEmpty ? "" : " by (\(groups.map(\.description).joined(separator: ", ")))") + " "
        + functions.map(\.description).joined(separator: ", ")
    case .facets(let limit, let valuesMax, let lengthMax, let keepsConstant):
      "facets \(limit) max_values_per_field \(valuesMax) max_value_len \(lengthMax)"
        + (keepsConstant ? " keep_const_fields" : "")
    case .fieldNames(let name): "field_names" + (name.map { " as " + Print.name($0) } ?? "")
    case .fieldValues(let name, let limit): "field_values " + Print.name(name) + Print.limit(limit)
    case .extract(let pattern, let from, let keepOriginal, let skipEmpty, let condition):
      "extract" + Print.condition(condition) + " " + Print.quoted(Array(pattern.utf8)) + " from " + Print.name(from)
        + Print.options(keepOriginal, skipEmpty)
    case .extractRegexp(let pattern, let from, let keepOriginal, let skipEmpty, let condition):
      "extract_regexp" + Print.condition(condition) + " " + Print.quoted(Array(pattern.utf8)) + " from "
        + Print.name(from)
        + Print.options(keepOriginal, skipEmpty)
    case .unpackJSON(let unpack): "unpack_json" + unpack.description
    case .unpackLogfmt(let unpack): "unpack_logfmt" + unpack.description
    case .format(let format, let result, let keepOriginal, let skipEmpty, let condition):
      "format" + Print.condition(condition) + " " + Print.quoted(Array(format.utf8)) + " as " + Print.name(result)
        + Print.options(keepOriginal, skipEmpty)
    case .replace(let old, let new, let field, let limit, let condition):
      "replace" + Print.condition(condition) + Print.list([Array(old.utf8), Array(new.utf8)], quoting: true) + " at "
        + Print.name(field) + Print.limit(limit)
    case .replaceRegexp(let old, let new, let field, let limit, let condition):
      "replace_regexp" + Print.condition(condition) + Print.list([Array(old.utf8), Array(new.utf8)], quoting: true)
        + " at "
        + Print.name(field) + Print.limit(limit)
    case .math(let results):
      "math " + results.map { "\($0.expression) as " + Print.name($0.resultField) }.joined(separator: ", ")
    case .length(let field, let result): "len(\(Print.name(field))) as " + Print.name(result)
    case .first(let count, let keys, let partition): "first \(count)" + Print.keys(keys) + Print.partition(partition)
    case .last(let count, let keys, let partition): "last \(count)" + Print.keys(keys) + Print.partition(partition)
    case .sample(let count): "sample \(count)"
    case .streamContext(let before, let after, let window):
      "stream_context before \(before) after \(after)" + (window.map { " time_window \($0)ns" } ?? "")
    }
  }
}

extension StatsGroup: CustomStringConvertible {
  package var description: String {
    let step =
      switch bucket {
      case .none: ""
      case .time(let step, let offset): ":\(step)ns" + Print.offset(offset)
      case .calendar(let step, let offset):
        ":" + (step == .week ? "week" : step == .month ? "month" : "year") + Print.offset(offset)
      case .number(let step, let offset): ":\(step)" + (offset == 0 ? "" : " offset \(offset)")
      case .ipv4(let prefixLength): ":/\(prefixLength)"
      }
    return Print.name(field) + step
  }
}

extension StatsFunction: CustomStringConvertible {
  package var description: String {
    var arguments = fields.map { Print.name($0) }
    let name: String
    switch kind {
    case .count: name = "count"
    case .countEmpty: name = "count_empty"
    case .countUniq: name = "count_uniq"
    case .countUniqHash: name = "count_uniq_hash"
    case .sum: name = "sum"
    case .average: name = "avg"
    case .minimum: name = "min"
    case .maximum: name = "max"
    case .median: name = "median"
    case .quantile(let phi):
      name = "quantile"
      arguments.insert("\(phi)", at: 0)
    case .values: name = "values"
    case .uniqValues: name = "uniq_values"
    case .jsonValues: name = "json_values"
    case .rowAny: name = "row_any"
    case .rowMin(let field):
      name = "row_min"
      arguments.insert(Print.name(field), at: 0)
    case .rowMax(let field):
      name = "row_max"
      arguments.insert(Print.name(field), at: 0)
    case .rate: name = "rate"
    case .rateSum: name = "rate_sum"
    case .sumLength: name = "sum_len"
    case .histogram: name = "histogram"
    }
    let sort = order.isEmpty ? "" : " sort" + Print.keys(order)
    return "\(name)(\(arguments.joined(separator: ", ")))" + sort + Print.limit(limit) + Print.condition(condition)
      + " as " + Print.name(resultName)
  }
}

extension Unpack: CustomStringConvertible {
  package var description: String {
    Print.condition(condition) + " from " + Print.name(from)
      + (fields.isEmpty ? "" : " fields (\(Print.names(fields)))")
      + (resultPrefix.isEmpty ? "" : " result_prefix " + Print.quoted(Array(resultPrefix.utf8)))
      + Print.options(keepOriginal, skipEmpty)
  }
}

extension MathExpression: CustomStringConvertible {
  package var description: String {
    switch self {
    case .number(let number): number < 0 ? "(\(number))" : "\(number)"
    case .field(let name): Print.quoted(Array(name.utf8))
    case .negate(let inner): "(-\(inner))"
    case .binary(let op, let left, let right): "(\(left) \(op.symbol) \(right))"
    case .call(let function, let arguments): "\(function)(\(arguments.map(\.description).joined(separator: ", ")))"
    }
  }
}

extension MathOperator {
  fileprivate var symbol: String {
    switch self {
    case .add: "+"
    case .subtract: "-"
    case .multiply: "*"
    case .divide: "/"
    case .modulo: "%"
    case .power: "^"
    case .and: "&"
    case .or: "or"
    case .xor: "xor"
    case .default: "default"
    }
  }
}

/// Pieces of LogsQL.
private enum Print {
  /// Words that mean something where a phrase could stand.
  private static let reserved: Set<String> = [
    "and", "or", "not", "if", "as", "by", "asc", "desc", "limit", "offset", "in",
  ]

  /// Bare where that reads the same, else in quotes.
  static func phrase(_ text: [UInt8]) -> String {
    let isPlain =
      text.first.map { $0 != UInt8(ascii: "-") } == true
      && text.allSatisfy {
        WordTokenizer.isASCIIWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "/")
      }
    let string = String(decoding: text, as: UTF8.self)
    return isPlain && !reserved.contains(string.lowercased()) ? string : quoted(text)
  }

  static func text(_ text: String) -> String { phrase(Array(text.utf8)) }

  /// A field's name; a `*` at its end stays outside the quotes.
  static func name(_ name: String) -> String {
    if name == "*" { return "*" }
    if name.hasSuffix("*") { return self.name(String(name.dropLast())) + "*" }
    return name.isEmpty ? "\"\"" : text(name)
  }

  static func quoted(_ text: [UInt8]) -> String {
    var result = "\""
    text.withUnsafeBufferPointer { bytes in
      var index = 0
      while index < bytes.count {
        guard let (scalar, length) = Scalars.decode(bytes, at: index) else {
          result += "\\x" + hex(bytes[index])
          index += 1
          continue
        }
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\r": result += "\\r"
        default:
          if scalar.value < 0x20 || scalar.value == 0x7F {
            result += "\\x" + hex(UInt8(scalar.value))
          } else {
            result.unicodeScalars.append(scalar)
          }
        }
        index += length
      }
    }
    return result + "\""
  }

  private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

  static func list(_ values: [[UInt8]], quoting: Bool = false) -> String {
    (quoting ? " (" : "(") + values.map(quoted).joined(separator: ", ") + ")"
  }

  static func names(_ names: [String]) -> String { names.map(name).joined(separator: ", ") }

  static func pairs(_ pairs: [(String, String)]) -> String {
    pairs.map { name($0.0) + " as " + name($0.1) }.joined(separator: ", ")
  }

  static func keys(_ keys: [SortKey]) -> String {
    keys.isEmpty
      ? "" : " by (" + keys.map { name($0.field) + ($0.descending ? " desc" : "") }.joined(separator: ", ") + ")"
  }

  static func partition(_ names: [String]) -> String { names.isEmpty ? "" : " partition by (\(self.names(names)))" }
  static func limit(_ limit: Int?) -> String { limit.map { " limit \($0)" } ?? "" }
  static func condition(_ filter: Filter?) -> String { filter.map { " if (\($0))" } ?? "" }

  static func options(_ keepOriginal: Bool, _ skipEmpty: Bool) -> String {
    (keepOriginal ? " keep_original_fields" : "") + (skipEmpty ? " skip_empty_results" : "")
  }

  static func comparison(_ comparison: Filter.FieldComparison) -> String {
    switch comparison {
    case .equal: "eq_field"
    case .less: "lt_field"
    case .lessOrEqual: "le_field"
    }
  }

  static func membership(_ test: Filter.SubqueryTest) -> String {
    switch test {
    case .in: "in"
    case .containsAll: "contains_all"
    case .containsAny: "contains_any"
    }
  }

  static func offset(_ nanoseconds: Int64) -> String { nanoseconds == 0 ? "" : " offset \(nanoseconds)ns" }

  static func address(_ address: UInt32) -> String {
    "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
  }

  static func time(_ range: TimeRange) -> String {
    let opens = range.start == TimeRange.all.start
    let closes = range.end == TimeRange.all.end
    return opens && closes
      ? "_time:*"
      : opens
        ? "_time:<" + range.end.rfc3339
        : closes ? "_time:>=" + range.start.rfc3339 : "_time:[\(range.start.rfc3339), \(range.end.rfc3339))"
  }

  static func timeOfDay(_ first: Int64, _ last: Int64) -> String {
    func clock(_ nanoseconds: Int64) -> String {
      let seconds = Int(nanoseconds / 1_000_000_000)
      var text: [UInt8] = []
      for (index, part) in [seconds / 3600, seconds / 60 % 60, seconds % 60].enumerated() {
        if index > 0 { text.append(UInt8(ascii: ":")) }
        text.appendDecimal(part, width: 2)
      }
      return String(decoding: text, as: UTF8.self)
    }
    let start = first % 1_000_000_000 == 0 ? "[" + clock(first) : "(" + clock(first - 1)
    let end = last % 1_000_000_000 == 0 ? clock(last) + "]" : clock(last + 1) + ")"
    return start + ", " + end
  }

  static func weekdays(_ days: Set<Int>, _ offset: Int64) -> String {
    let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    if days.isEmpty { return "_time:week_range(Sun, Sun)" + self.offset(offset) }
    if days.count == 7 { return "_time:week_range[Sun, Sat]" + self.offset(offset) }
    // Runs around the week, each from a day whose eve is not in the set.
    let runs = days.sorted().filter { !days.contains(($0 + 6) % 7) }.map { first in
      var last = first
      while days.contains((last + 1) % 7) { last = (last + 1) % 7 }
      return "_time:week_range[\(names[first]), \(names[last])]" + self.offset(offset)
    }
    return runs.joined(separator: " or ")
  }
}
