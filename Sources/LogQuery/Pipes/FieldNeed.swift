/// What a list of pipes reads of the rows it gets: found from the last pipe to the first, each turning what it is asked
/// for into what it asks for.
struct FieldNeed {
  private(set) var isAll = true
  /// In the order met, each once. Where all are needed, those that are read by name.
  private(set) var names: [String] = []

  init(_ pipes: [Pipe]) {
    for pipe in pipes.reversed() { ask(pipe) }
  }

  private mutating func add(_ name: String) {
    if name.hasSuffix("*") {
      isAll = true
    } else if !names.contains(name) {
      names.append(name)
    }
  }

  private mutating func add(_ fields: [String]) { for name in fields { add(name) } }

  private mutating func add(fieldsOf expression: MathExpression) {
    switch expression {
    case .number: return
    case .field(let name): if !names.contains(name) { names.append(name) }
    case .negate(let inner): add(fieldsOf: inner)
    case .binary(_, let left, let right):
      add(fieldsOf: left)
      add(fieldsOf: right)
    case .call(_, let arguments): for argument in arguments { add(fieldsOf: argument) }
    }
  }

  private mutating func add(_ filter: Filter?) {
    guard let filter else { return }
    switch filter {
    case .all, .none: return
    case .and(let parts), .or(let parts): for part in parts { add(part) }
    case .not(let inner): add(inner)
    case .field(let name, _), .subquery(let name, _, _): add(name)
    case .time, .timeOfDay, .dayOfWeek: add("_time")
    case .stream: add("_stream")
    case .streamID: add("_stream_id")
    case .compareFields(let left, _, let right):
      add(left)
      add(right)
    case .similar: add("pattern")
    }
  }

  /// `name` is written by a pipe, so it is not read before. What else is needed stays.
  private mutating func write(_ name: String) { names.removeAll { $0 == name } }

  private mutating func restart(with fields: [String], isAll: Bool = false) {
    self.isAll = isAll
    names = []
    add(fields)
  }

  /// Whether what comes after looks at field `name`.
  private func wants(_ name: String) -> Bool { isAll || names.contains(name) }

  private mutating func ask(_ pipe: Pipe) {
    switch pipe {
    case .fields(let kept):
      let patterns = FieldPattern.all(kept)
      names.removeAll { name in !patterns.contains { $0.matches(name) } }
      if isAll {
        isAll = false
        add(kept)
      }
    case .delete(let gone):
      let patterns = FieldPattern.all(gone)
      names.removeAll { name in patterns.contains { $0.matches(name) } }
    case .copy(let pairs): for (from, to) in pairs.reversed() { askCopy(from, to, removesSource: false) }
    case .rename(let pairs): for (from, to) in pairs.reversed() { askCopy(from, to, removesSource: true) }
    case .filter(let filter): add(filter)
    case .limit, .offset, .sample: return
    case .sort(let keys, _, _, let partition, let rankField):
      if let rankField { write(rankField) }
      askOrder(keys, partition)
    case .first(_, let keys, let partition), .last(_, let keys, let partition): askOrder(keys, partition)
    case .uniq(let by, _, _), .top(_, let by, _, _): restart(with: by, isAll: by.isEmpty)
    case .stats(let groups, let functions): askStats(groups, functions)
    case .facets, .fieldNames: restart(with: [], isAll: true)
    case .fieldValues(let name, _): restart(with: [name])
    case .extract(let pattern, let from, let keepOriginal, let skipEmpty, let condition):
      // A bad pattern is the chain's to complain about.
      let results = (try? PlaceholderText(pattern, options: ["plain"]))?.fields ?? []
      askResults(results, mayStay: keepOriginal || skipEmpty || condition != nil, condition, reads: [from])
    case .extractRegexp(let pattern, let from, let keepOriginal, let skipEmpty, let condition):
      // As above.
      let results = (try? RegularExpression(pattern))?.groupNames.compactMap { $0 } ?? []
      askResults(results, mayStay: keepOriginal || skipEmpty || condition != nil, condition, reads: [from])
    case .unpackJSON(let unpack), .unpackLogfmt(let unpack):
      let results = unpack.fields.filter { !$0.hasSuffix("*") }.map { unpack.resultPrefix + $0 }
      let mayStay = unpack.keepOriginal || unpack.skipEmpty || unpack.condition != nil
      askResults(results, mayStay: mayStay, unpack.condition, reads: [unpack.from])
    case .format(let pattern, let result, let keepOriginal, let skipEmpty, let condition):
      // As above.
      let reads = (try? PlaceholderText(pattern, options: FormatOption.names))?.fields ?? []
      askResults([result], mayStay: keepOriginal || skipEmpty || condition != nil, condition, reads: reads)
    case .replace(_, _, let field, _, let condition), .replaceRegexp(_, _, let field, _, let condition):
      if wants(field) {
        add(field)
        add(condition)
      }
    case .math(let entries):
      for (expression, result) in entries.reversed() {
        write(result)
        add(fieldsOf: expression)
      }
    case .length(let field, let result):
      write(result)
      add(field)
    case .streamContext: restart(with: [], isAll: true)
    }
  }

  private mutating func askCopy(_ from: String, _ to: String, removesSource: Bool) {
    let (source, target) = (FieldPattern(from), FieldPattern(to))
    if !source.isPrefix {
      if source.text == target.text { return }
      let isWanted = wants(target.text)
      write(target.text)
      if removesSource { write(source.text) }
      if isWanted { add(source.text) }
      return
    }
    // Which fields there are decides whether a target is written: it and its source are both needed.
    for name in names where name.hasPrefix(target.text) {
      if target.isPrefix { add(source.text + name.dropFirst(target.text.count)) } else { isAll = true }
    }
  }

  private mutating func askOrder(_ keys: [SortKey], _ partition: [String]) {
    add(keys.map(\.field))
    add(partition)
    if keys.isEmpty { isAll = true }
  }

  private mutating func askResults(_ results: [String], mayStay: Bool, _ condition: Filter?, reads: [String]) {
    if !mayStay { for name in results { write(name) } }
    add(reads)
    add(condition)
  }

  private mutating func askStats(_ groups: [StatsGroup], _ functions: [StatsFunction]) {
    restart(with: groups.map(\.field))
    for function in functions {
      add(function.fields.filter { !$0.hasSuffix("*") })
      add(function.condition)
      add(function.order.map(\.field))
      if FieldNeed.readsAll(function) { isAll = true }
      switch function.kind {
      case .rate, .rateSum: add("_time")
      case .rowMin(let field), .rowMax(let field): add(field)
      default: break
      }
    }
  }

  /// `count()` and `count(*)` count rows: nothing of them is read.
  private static func readsAll(_ function: StatsFunction) -> Bool {
    switch function.kind {
    case .count, .rate: !function.fields.contains("*") && function.fields.contains { $0.hasSuffix("*") }
    default: function.fields.isEmpty || function.fields.contains { $0.hasSuffix("*") }
    }
  }
}
