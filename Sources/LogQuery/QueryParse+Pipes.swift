import Domain

extension QueryParse {
  /// The pipes there are, by the name that starts them, aliases last.
  static let pipeNames = [
    "copy", "delete", "extract", "extract_regexp", "facets", "field_names", "field_values", "fields", "filter", "first",
    "format", "last",
    "len", "limit", "math", "offset", "rename", "replace", "replace_regexp", "sample", "sort", "stats",
    "stream_context", "top", "uniq",
    "unpack_json", "unpack_logfmt", "cp", "del", "drop", "eval", "head", "keep", "mv", "order", "rm", "skip", "where",
  ]

  /// Pipes that VictoriaLogs has and this does not.
  private static let missingPipeNames: Set<String> = [
    "block_stats", "blocks_count", "coalesce", "collapse_nums", "decolorize", "deduplicate", "drop_empty_fields",
    "generate_sequence",
    "hash", "join", "json_array_concat", "json_array_len", "pack_json", "pack_logfmt", "query_stats", "running_stats",
    "set_stream_fields",
    "split", "time_add", "total_stats", "union", "unpack_syslog", "unpack_words", "unroll",
  ]

  /// What follows a `|`.
  mutating func pipe(isFirst: Bool) throws(QueryError) -> Pipe {
    guard case .word(let word) = token.kind else {
      switch token.kind {
      case .quoted, .symbol("{"), .symbol("("), .symbol("!"), .symbol("*"): return .filter(try filter())
      default: throw unexpected(expected: "a pipe such as `stats`, `sort` or `limit`")
      }
    }
    let start = token
    let name = word.lowercased()
    // A field of that name is meant where an operator follows.
    let next = try lexer.peek()
    let isFilter =
      switch next.kind {
      case .symbol(":"): true
      case .symbol("="), .symbol("~"), .symbol(">"), .symbol("<"), .symbol("!"): !next.isApart
      default: false
      }
    if isFilter { return .filter(try filter()) }
    if QueryParse.functionNames.contains(name), next.kind == .symbol("(") { return try stats() }
    if name == "by", next.kind == .symbol("(") { return try stats() }
    if QueryParse.pipeNames.contains(name) || name == "length" { try lexer.advance() }
    switch name {
    case "fields", "keep": return .fields(try names())
    case "delete", "del", "rm", "drop": return .delete(try names())
    case "copy", "cp": return .copy(try namePairs())
    case "rename", "mv": return .rename(try namePairs())
    case "filter", "where": return .filter(try filter())
    case "sort", "order": return try sort()
    case "limit", "head": return .limit(token.startsArgument ? try count("how many records") : 10)
    case "offset", "skip": return .offset(try count("how many records to skip"))
    case "uniq": return try uniq()
    case "top": return try top()
    case "stats": return try stats()
    case "facets": return try facets()
    case "field_names":
      let hasName = try acceptKeyword("as")
      return .fieldNames(resultName: hasName || token.startsArgument ? try self.name("a field name") : nil)
    case "field_values":
      let field = try self.name("a field name")
      return .fieldValues(field, limit: try acceptKeyword("limit") ? try count("how many values") : nil)
    case "extract", "extract_regexp": return try extract(isRegexp: name == "extract_regexp")
    case "unpack_json": return .unpackJSON(try unpack())
    case "unpack_logfmt": return .unpackLogfmt(try unpack())
    case "format": return try format()
    case "replace", "replace_regexp": return try replace(isRegexp: name == "replace_regexp")
    case "math", "eval": return try math()
    case "len", "length": return try length()
    case "first", "last": return try first(isLast: name == "last")
    case "sample":
      let column = token.column
      let count = try count("keep one record of how many")
      guard count > 0 else { throw error("`sample` needs a number over 0", at: column) }
      return .sample(count)
    case "stream_context":
      guard isFirst else { throw error("`stream_context` must be the first pipe", at: start.column) }
      return try streamContext()
    default:
      if QueryParse.missingPipeNames.contains(name) {
        throw error("the pipe `\(name)` is not supported", at: start.column)
      }
      throw error("there is no pipe `\(word)`", at: start.column, expected: suggestion(for: name))
    }
  }

  private func suggestion(for name: String) -> String {
    let known = QueryParse.pipeNames + QueryParse.functionNames.sorted()
    let nearest = known.map { ($0, QueryParse.distance($0, name)) }.min { $0.1 < $1.1 }
    if let nearest, nearest.1 <= 2, nearest.1 < name.utf8.count { return "`\(nearest.0)`" }
    return "a pipe such as `stats`, `sort` or `limit`, or `filter` before a filter"
  }

  /// How many single edits apart two names are.
  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right.utf8.prefix(40))
    var row = Array(0...right.count)
    for (i, a) in left.utf8.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (a == b ? 0 : 1))
        diagonal = row[j + 1]
        row[j + 1] = next
      }
    }
    return row[right.count]
  }

  // MARK: Lists of names

  /// `foo`, `"foo bar"`, `foo*`, `*`
  private mutating func namePattern() throws(QueryError) -> String {
    if isSymbol("*") {
      try lexer.advance()
      return "*"
    }
    var name = try self.name("a field name")
    if isAdjacent("*") {
      try lexer.advance()
      name += "*"
    }
    return name
  }

  /// `a, b, c*`, in parentheses or not.
  private mutating func names() throws(QueryError) -> [String] {
    if isSymbol("(") { return try parenthesizedNames() }
    var names = [try namePattern()]
    while try accept(",") { names.append(try namePattern()) }
    return names
  }

  /// `(a, b)`, maybe empty.
  private mutating func parenthesizedNames() throws(QueryError) -> [String] {
    try expect("(")
    var names: [String] = []
    while try !accept(")") {
      names.append(try namePattern())
      if try !accept(","), !isSymbol(")") { throw unexpected(expected: "`,` or `)`") }
    }
    return names
  }

  /// `a as b, c as d`
  private mutating func namePairs() throws(QueryError) -> [(String, String)] {
    var pairs: [(String, String)] = []
    repeat {
      let column = token.column
      let from = try namePattern()
      _ = try acceptKeyword("as")
      let to = try namePattern()
      guard from.hasSuffix("*") == to.hasSuffix("*") else {
        throw error("`*` must stand in both names or in none", at: column)
      }
      pairs.append((from, to))
    } while try accept(",")
    return pairs
  }

  /// `if (filter)`, if it is there.
  private mutating func condition() throws(QueryError) -> Filter? {
    guard isKeyword("if"), try lexer.peek().kind == .symbol("(") else { return nil }
    try lexer.advance()
    try lexer.advance()
    if try accept(")") { return .all }
    let filter = try self.filter()
    try expect(")")
    return filter
  }

  // MARK: Order

  /// `by (a desc, b)`, parentheses or not; empty if there is none.
  mutating func sortKeys() throws(QueryError) -> [SortKey] {
    let hasBy = try acceptKeyword("by")
    var keys: [SortKey] = []
    if try accept("(") {
      while try !accept(")") {
        keys.append(try sortKey())
        if try !accept(","), !isSymbol(")") { throw unexpected(expected: "`,`, `asc`, `desc` or `)`") }
      }
      // An order behind the list is that of each field, turned around.
      if isKeyword("desc") { for index in keys.indices { keys[index].descending.toggle() } }
      if isKeyword("desc", "asc") { try lexer.advance() }
    } else if hasBy {
      repeat { keys.append(try sortKey()) } while try accept(",")
    }
    return keys
  }

  private mutating func sortKey() throws(QueryError) -> SortKey {
    let field = try name("a field name")
    let isDescending = isKeyword("desc")
    if isKeyword("desc", "asc") { try lexer.advance() }
    return SortKey(field: field, descending: isDescending)
  }

  private mutating func sort() throws(QueryError) -> Pipe {
    let keys = try sortKeys()
    var limit: Int?
    var offset = 0
    var partition: [String] = []
    var rank: String?
    while true {
      if try acceptKeyword("limit") {
        limit = try count("how many records")
      } else if try acceptKeyword("offset") {
        offset = try count("how many records to skip")
      } else if try acceptKeyword("partition") {
        partition = try partitionNames()
      } else if try acceptKeyword("rank") {
        rank = try resultName(default: "rank")
      } else {
        return .sort(by: keys, limit: limit, offset: offset, partitionBy: partition, rankField: rank)
      }
    }
  }

  private mutating func partitionNames() throws(QueryError) -> [String] {
    guard try acceptKeyword("by") else { throw unexpected(expected: "`by`") }
    return try names()
  }

  /// `[as] name`, if it is there.
  private mutating func resultName(default name: String) throws(QueryError) -> String {
    if try acceptKeyword("as") { return try self.name("a field name") }
    if case .quoted = token.kind { return try self.name("a field name") }
    guard case .word = token.kind, !isKeyword("limit", "offset", "partition", "rank", "hits", "with") else {
      return name
    }
    return try self.name("a field name")
  }

  private mutating func first(isLast: Bool) throws(QueryError) -> Pipe {
    var count = 1
    if case .word = token.kind, !isKeyword("by", "partition") { count = try self.count("how many records") }
    let keys = try sortKeys()
    let partition = try acceptKeyword("partition") ? try partitionNames() : []
    return isLast ? .last(count, by: keys, partitionBy: partition) : .first(count, by: keys, partitionBy: partition)
  }

  private mutating func uniq() throws(QueryError) -> Pipe {
    let hasBy = try acceptKeyword("by")
    var names: [String] = []
    if hasBy || isSymbol("(") || token.startsArgument && !isKeyword("hits", "with", "limit") {
      names = try self.names()
    }
    var hasHits = false
    var limit: Int?
    while true {
      if try acceptKeyword("with") {
        guard try acceptKeyword("hits") else { throw unexpected(expected: "`hits`") }
        hasHits = true
      } else if try acceptKeyword("hits") {
        hasHits = true
      } else if try acceptKeyword("limit") {
        limit = try count("how many values")
      } else {
        return .uniq(by: names, withHits: hasHits, limit: limit)
      }
    }
  }

  private mutating func top() throws(QueryError) -> Pipe {
    var count = 10
    if case .word(let word) = token.kind, word.unicodeScalars.first?.isDigit == true {
      count = try self.count("how many values")
    }
    let hasBy = try acceptKeyword("by")
    var names: [String] = []
    if hasBy || isSymbol("(") || token.startsArgument && !isKeyword("hits", "rank") { names = try self.names() }
    var hits = "hits"
    var rank: String?
    while true {
      if try acceptKeyword("hits") {
        hits = try resultName(default: "hits")
      } else if try acceptKeyword("rank") {
        rank = try resultName(default: "rank")
      } else {
        return .top(count, by: names, hitsField: hits, rankField: rank)
      }
    }
  }

  private mutating func facets() throws(QueryError) -> Pipe {
    let limit =
      token.startsArgument && !isKeyword("max_values_per_field", "max_value_len", "keep_const_fields")
      ? try count("how many values a field") : 10
    var valuesMax = 1000
    var lengthMax = 128
    var keepsConstant = false
    while true {
      if try acceptKeyword("max_values_per_field") {
        valuesMax = try count("a number of values")
      } else if try acceptKeyword("max_value_len") {
        lengthMax = try count("a length")
      } else if try acceptKeyword("keep_const_fields") {
        keepsConstant = true
      } else {
        return .facets(
          limit: limit, maxValuesPerField: valuesMax, maxValueLength: lengthMax, keepConstant: keepsConstant)
      }
    }
  }

  private mutating func streamContext() throws(QueryError) -> Pipe {
    var before = 0
    var after = 0
    var window: Int64?
    var hasAny = false
    while true {
      if try acceptKeyword("before") {
        before = try count("how many records")
        hasAny = true
      } else if try acceptKeyword("after") {
        after = try count("how many records")
        hasAny = true
      } else if hasAny, try acceptKeyword("time_window") {
        window = try duration("a duration such as `1h`")
      } else if hasAny {
        return .streamContext(before: before, after: after, window: window)
      } else {
        throw unexpected(expected: "`before` or `after` with a number")
      }
    }
  }

  // MARK: Fields out of fields

  private struct FieldOptions {
    var keepsOriginal = false
    var skipsEmpty = false
    var condition: Filter?
  }

  /// Takes `if (…)`, `keep_original_fields` and `skip_empty_results` where they stand; whether there was one.
  private mutating func accept(_ options: inout FieldOptions) throws(QueryError) -> Bool {
    if try acceptKeyword("keep_original_fields") {
      options.keepsOriginal = true
    } else if try acceptKeyword("skip_empty_results") {
      options.skipsEmpty = true
    } else if let condition = try condition() {
      options.condition = condition
    } else {
      return false
    }
    return true
  }

  private mutating func extract(isRegexp: Bool) throws(QueryError) -> Pipe {
    var options = FieldOptions()
    options.condition = try condition()
    let start = token
    let pattern = try text(isRegexp ? "a regular expression with named groups" : "a pattern such as \"ip=<ip> \"")
    if isRegexp {
      guard try check(regularExpression: pattern, from: start).contains(where: { $0 != nil }) else {
        throw error(
          "the regular expression has no named group", at: start.column, expected: "a group such as `(?P<ip>[0-9.]+)`")
      }
    }
    var from = "_msg"
    while true {
      if try acceptKeyword("from") {
        from = try name("a field name")
      } else if try !accept(&options) {
        break
      }
    }
    return isRegexp
      ? .extractRegexp(
        pattern: pattern, from: from, keepOriginal: options.keepsOriginal, skipEmpty: options.skipsEmpty,
        condition: options.condition)
      : .extract(
        pattern: pattern, from: from, keepOriginal: options.keepsOriginal, skipEmpty: options.skipsEmpty,
        condition: options.condition)
  }

  private mutating func unpack() throws(QueryError) -> Unpack {
    var options = FieldOptions()
    var unpack = Unpack(
      from: "_msg", fields: [], resultPrefix: "", keepOriginal: false, skipEmpty: false, condition: nil)
    while true {
      if try acceptKeyword("from") {
        unpack.from = try name("a field name")
      } else if try acceptKeyword("fields") {
        unpack.fields = try parenthesizedNames()
        if unpack.fields.contains("*") { unpack.fields = [] }
      } else if try acceptKeyword("result_prefix") {
        unpack.resultPrefix = try name("a prefix")
      } else if try !accept(&options) {
        break
      }
    }
    unpack.keepOriginal = options.keepsOriginal
    unpack.skipEmpty = options.skipsEmpty
    unpack.condition = options.condition
    return unpack
  }

  private mutating func format() throws(QueryError) -> Pipe {
    var options = FieldOptions()
    options.condition = try condition()
    let format = try text("a format such as \"<a>: <b>\"")
    var result = "_msg"
    while true {
      if try acceptKeyword("as") {
        result = try name("a field name")
      } else if try !accept(&options) {
        break
      }
    }
    return .format(
      format, resultField: result, keepOriginal: options.keepsOriginal, skipEmpty: options.skipsEmpty,
      condition: options.condition)
  }

  private mutating func replace(isRegexp: Bool) throws(QueryError) -> Pipe {
    var condition = try condition()
    try expect("(")
    let start = token
    let old = try text("the text to replace")
    if isRegexp { try check(regularExpression: old, from: start) }
    try expect(",")
    let new = try text("the text to put in place")
    try expect(")")
    var field = "_msg"
    var limit: Int?
    while true {
      if try acceptKeyword("at") {
        field = try name("a field name")
      } else if try acceptKeyword("limit") {
        limit = try count("how many times")
      } else if let later = try self.condition() {
        condition = later
      } else {
        break
      }
    }
    return isRegexp
      ? .replaceRegexp(old, with: new, at: field, limit: limit, condition: condition)
      : .replace(old, with: new, at: field, limit: limit, condition: condition)
  }

  private mutating func length() throws(QueryError) -> Pipe {
    try expect("(")
    let field = try name("a field name")
    try expect(")")
    let hasAs = try acceptKeyword("as")
    let result = hasAs || token.startsArgument ? try name("a field name") : "len(\(field))"
    return .length(of: field, resultField: result)
  }
}

extension Token {
  /// A word or quoted text.
  var startsArgument: Bool {
    switch kind {
    case .word, .quoted: true
    case .symbol, .end: false
    }
  }
}
