import Domain

extension QueryParse {
  static let functionNames: Set<String> = [
    "avg", "count", "count_empty", "count_uniq", "count_uniq_hash", "histogram", "json_values", "max", "median", "min",
    "quantile", "rate",
    "rate_sum", "row_any", "row_max", "row_min", "sum", "sum_len", "uniq_values", "values",
  ]

  /// `[by (…)] function [, function]`, behind `stats` or in its place.
  mutating func stats() throws(QueryError) -> Pipe {
    var groups: [StatsGroup] = []
    var hasGroups = false
    if isKeyword("by") || isSymbol("(") {
      groups = try statsGroups()
      hasGroups = true
    }
    var functions: [StatsFunction] = []
    repeat { functions.append(try statsFunction()) } while try accept(",")
    if !hasGroups, isKeyword("by") { groups = try statsGroups() }
    return .stats(by: groups, functions)
  }

  private mutating func statsGroups() throws(QueryError) -> [StatsGroup] {
    let hasBy = isKeyword("by")
    if hasBy { try lexer.advance() }
    try expect("(")
    var groups: [StatsGroup] = []
    while try !accept(")") {
      let field = try name("a field name")
      let bucket = try accept(":") ? try bucket(of: field) : StatsGroup.Bucket.none
      groups.append(StatsGroup(field: field, bucket: bucket))
      if try !accept(","), !isSymbol(")") { throw unexpected(expected: "`,` or `)`") }
    }
    return groups
  }

  /// `5m`, `1h offset 30m`, `month`, `10KiB`, `/24`
  private mutating func bucket(of field: String) throws(QueryError) -> StatsGroup.Bucket {
    let column = token.column
    let step = try value("a step such as `5m`, `100` or `/24`")
    let word = String(decoding: step, as: UTF8.self)
    var offset: (value: Double, nanoseconds: Int64?)?
    if try acceptKeyword("offset") {
      let column = token.column
      let text = try value("an offset")
      guard let number = text.withUnsafeBufferPointer(FieldNumber.value) else {
        throw error(
          "`\(String(decoding: text, as: UTF8.self))` is no offset", at: column, expected: "a duration or a number")
      }
      offset = (number, text.withUnsafeBufferPointer(FieldNumber.duration))
    }
    if word.hasPrefix("/") {
      guard let bits = Int(word.dropFirst()), (0...32).contains(bits) else {
        throw error("`\(word)` is no prefix length", at: column, expected: "`/0` to `/32`")
      }
      return .ipv4(prefixLength: bits)
    }
    if field == "_time" {
      let shift = offset?.nanoseconds ?? 0
      if let offset, offset.nanoseconds == nil, offset.value != 0 {
        throw error("the offset is no duration", expected: "a duration such as `1h`")
      }
      switch word.lowercased() {
      case "week": return .calendar(.week, offset: shift)
      case "month": return .calendar(.month, offset: shift)
      case "year": return .calendar(.year, offset: shift)
      default: break
      }
      let named: [String: Int64] = [
        "nanosecond": 1, "microsecond": 1000, "millisecond": 1_000_000, "second": 1_000_000_000,
        "minute": 60_000_000_000,
        "hour": 3_600_000_000_000, "day": 86_400_000_000_000,
      ]
      guard let nanoseconds = named[word.lowercased()] ?? step.withUnsafeBufferPointer(FieldNumber.duration),
        nanoseconds > 0
      else {
        throw error(
          "`\(word)` is no step of time", at: column,
          expected: "a duration such as `5m`, or `day`, `week`, `month`, `year`")
      }
      return .time(step: nanoseconds, offset: shift)
    }
    guard let number = step.withUnsafeBufferPointer(FieldNumber.value), number > 0 else {
      throw error("`\(word)` is no step", at: column, expected: "a number over 0, a size, a duration or `/24`")
    }
    return .number(step: number, offset: offset?.value ?? 0)
  }

  private mutating func statsFunction() throws(QueryError) -> StatsFunction {
    let start = token
    let word = try name("a function such as `count()`")
    let function = word.lowercased()
    guard QueryParse.functionNames.contains(function) else {
      throw error(
        "there is no function `\(word)`", at: start.column,
        expected: "one of " + QueryParse.functionNames.sorted().map { "`\($0)`" }.joined(separator: ", "))
    }
    try expect("(")
    var arguments: [String] = []
    let argumentsColumn = token.column
    while try !accept(")") {
      if isSymbol("*") {
        try lexer.advance()
        arguments.append("*")
      } else {
        var argument = try text("a field name or `)`")
        if isAdjacent("*") {
          try lexer.advance()
          argument += "*"
        }
        arguments.append(argument)
      }
      if try !accept(","), !isSymbol(")") { throw unexpected(expected: "`,` or `)`") }
    }
    let printed = arguments.joined(separator: ", ")
    func require(_ isEnough: Bool, _ what: String) throws(QueryError) {
      guard isEnough else { throw error("`\(function)` takes \(what)", at: argumentsColumn) }
    }

    let kind: StatsFunction.Kind
    switch function {
    case "count": kind = .count
    case "count_empty": kind = .countEmpty
    case "count_uniq": kind = .countUniq
    case "count_uniq_hash": kind = .countUniqHash
    case "sum": kind = .sum
    case "avg": kind = .average
    case "min": kind = .minimum
    case "max": kind = .maximum
    case "median": kind = .median
    case "quantile":
      try require(!arguments.isEmpty, "a number from 0 to 1 and fields")
      guard let phi = Double(arguments.removeFirst()), phi >= 0, phi <= 1 else {
        throw error(
          "`quantile` needs a number from 0 to 1 first", at: argumentsColumn, expected: "`quantile(0.95, field)`")
      }
      kind = .quantile(phi)
    case "values": kind = .values
    case "uniq_values": kind = .uniqValues
    case "json_values": kind = .jsonValues
    case "row_any": kind = .rowAny
    case "row_min", "row_max":
      try require(!arguments.isEmpty, "a field to compare by, and fields to give")
      let by = arguments.removeFirst()
      kind = function == "row_min" ? .rowMin(by) : .rowMax(by)
    case "rate":
      try require(arguments.isEmpty, "no fields")
      kind = .rate
    case "rate_sum": kind = .rateSum
    case "sum_len": kind = .sumLength
    default:
      try require(arguments.count == 1, "one field")
      kind = .histogram
    }
    if arguments.contains("*") { arguments = [] }
    var result = "\(function)(\(printed.isEmpty && function != "rate" ? "*" : printed))"

    var order: [SortKey] = []
    if isKeyword("sort"), case .jsonValues = kind {
      let start = token.start
      try lexer.advance()
      order = try sortKeys()
      guard !order.isEmpty else { throw unexpected(expected: "fields to sort by, as in `sort by (_time desc)`") }
      result += " " + lexer.string(start..<lexer.lastEnd)
    }
    var limit: Int?
    if isKeyword("limit") {
      switch kind {
      case .countUniq, .countUniqHash, .values, .uniqValues, .jsonValues: break
      default: throw error("`\(function)` takes no limit")
      }
      try lexer.advance()
      let count = try count("how many values")
      limit = count
      result += " limit \(count)"
    }
    var condition: Filter?
    if isKeyword("if"), try lexer.peek().kind == .symbol("(") {
      let conditionStart = token.start
      try lexer.advance()
      try lexer.advance()
      condition = try accept(")") ? .all : try conditionInParentheses()
      result += " " + lexer.string(conditionStart..<lexer.lastEnd)
    }
    if try acceptKeyword("as") {
      result = try name("a field name")
    } else if token.startsArgument, !isKeyword("by") {
      result = try name("a field name")
    }
    return StatsFunction(
      kind: kind, fields: arguments, order: order, limit: limit, condition: condition, resultName: result)
  }

  private mutating func conditionInParentheses() throws(QueryError) -> Filter {
    let filter = try self.filter()
    try expect(")")
    return filter
  }

  // MARK: Math

  /// `a / b as c, round(d) as e`
  mutating func math() throws(QueryError) -> Pipe {
    try lexer.change(to: .expression)
    var results: [(expression: MathExpression, resultField: String)] = []
    repeat {
      let start = token.start
      let expression = try expression(level: 0)
      let text = lexer.string(start..<max(start, lexer.lastEnd))
      let hasAs = try acceptKeyword("as")
      results.append((expression, hasAs || token.startsArgument ? try name("a field name") : text))
    } while try accept(",")
    try lexer.change(to: .filter)
    return .math(results)
  }

  /// Binary operators, loosest first.
  private static let operators: [[String: MathOperator]] = [
    ["default": .default], ["or": .or], ["xor": .xor], ["&": .and], ["+": .add, "-": .subtract],
    ["*": .multiply, "/": .divide, "%": .modulo], ["^": .power],
  ]

  private var operatorText: String? {
    switch token.kind {
    case .word(let word): word.lowercased()
    case .symbol(let symbol): String(symbol)
    case .quoted, .end: nil
    }
  }

  private mutating func expression(level: Int) throws(QueryError) -> MathExpression {
    if level == QueryParse.operators.count { return try operand() }
    var left = try expression(level: level + 1)
    var count = 0
    while let text = operatorText, let op = QueryParse.operators[level][text] {
      try lexer.advance()
      left = .binary(op, left, try expression(level: level + 1))
      // The tree is as deep as the chain is long.
      count += 1
      guard count <= 1000 else { throw error("the expression is too long") }
    }
    return left
  }

  private mutating func operand() throws(QueryError) -> MathExpression {
    try nested { (parse: inout QueryParse) throws(QueryError) in
      let start = parse.token
      if try parse.accept("-") {
        let inner = try parse.operand()
        if case .number(let number) = inner { return .number(-number) }
        return .negate(inner)
      }
      if try parse.accept("(") {
        let inner = try parse.expression(level: 0)
        try parse.expect(")")
        return inner
      }
      guard case .word(let word) = start.kind else { return .field(try parse.name("a field name, a number or `(`")) }
      let next = try parse.lexer.peek()
      if next.kind == .symbol("("), !next.isApart { return try parse.call(word.lowercased()) }
      try parse.lexer.advance()
      if word.unicodeScalars.first?.isDigit == true {
        guard let number = Array(word.utf8).withUnsafeBufferPointer(FieldNumber.value) else {
          throw parse.error("`\(word)` is no number", at: start.column, expected: "quotes around the name of a field")
        }
        return .number(number)
      }
      switch word.lowercased() {
      case "inf": return .number(.infinity)
      case "nan": return .number(.nan)
      default: return .field(word)
      }
    }
  }

  private mutating func call(_ name: String) throws(QueryError) -> MathExpression {
    let functions: [String: (MathFunction, ClosedRange<Int>)] = [
      "abs": (.abs, 1...1), "ceil": (.ceil, 1...1), "exp": (.exp, 1...1), "floor": (.floor, 1...1), "ln": (.ln, 1...1),
      "max": (.max, 1...100), "min": (.min, 1...100), "now": (.now, 0...0), "rand": (.rand, 0...0),
      "round": (.round, 1...2),
    ]
    guard let (function, counts) = functions[name] else {
      throw error(
        "there is no function `\(name)`",
        expected: "one of " + functions.keys.sorted().map { "`\($0)`" }.joined(separator: ", "))
    }
    let column = token.column
    try lexer.advance()
    try expect("(")
    var arguments: [MathExpression] = []
    while try !accept(")") {
      arguments.append(try expression(level: 0))
      if try !accept(","), !isSymbol(")") { throw unexpected(expected: "`,` or `)`") }
    }
    guard counts.contains(arguments.count) else {
      throw error(
        "`\(name)` takes \(counts.lowerBound == counts.upperBound ? "" : "at least ")\(counts.lowerBound) arguments",
        at: column)
    }
    return .call(function, arguments)
  }
}
