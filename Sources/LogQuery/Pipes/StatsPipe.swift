import Domain

/// `stats`: groups in the order they were first seen, each with the results of all functions.
final class StatsStage: PipeStage {
  private var groupReaders: [StatsGroupReader]
  private let functions: [StatsAccumulator]
  private let conditions: [Condition]
  private let hasConditions: Bool
  private let resultNames: [String]
  private let context: PipeContext
  private let holder: MemoryHolder
  private let span: StatsSpan
  private let groupByteCount: Int
  private var table = ByteKeyTable()
  private var key = TupleKey()
  private var groupCount = 0

  init(by groups: [StatsGroup], _ functions: [StatsFunction], next: PipeStage, _ context: PipeContext)
    throws(QueryError)
  {
    groupReaders = groups.map { StatsGroupReader($0) }
    self.context = context
    holder = MemoryHolder(
      pipe: "stats", remedy: "name fewer fields or wider buckets in its `by`, or narrow the time range or the filter")
    span = StatsSpan(context.options)
    self.functions = functions.map { [span] in StatsAccumulator.make($0, context, span) }
    var conditions: [Condition] = []
    for function in functions { conditions.append(try Condition(function.condition)) }
    self.conditions = conditions
    hasConditions = functions.contains { $0.condition != nil }
    resultNames = functions.map(\.resultName)
    groupByteCount = 32 + 48 * functions.count
    super.init(next: next)
    // Without groups there is one, and it answers even when nothing came.
    if groups.isEmpty { addGroup() }
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    let group = try group(of: row)
    if span.isNeeded { span.see(row) }
    for index in functions.indices where !hasConditions || conditions[index].holds(for: row) {
      try functions[index].update(group, row)
    }
    return true
  }

  override func finish() throws(PipeLimitError) {
    for group in 0..<groupCount {
      if context.isStopped { return }
      var row = Row()
      row.fields.reserveCapacity(groupReaders.count + functions.count)
      var seconds: Double?
      if !groupReaders.isEmpty {
        let values = groupReaders.count == 1 ? [table.key(group)] : TupleKey.values(of: table.key(group))
        for (reader, value) in zip(groupReaders, values) {
          row[reader.field] = value
          if let length = reader.seconds(ofBucket: value) { seconds = length }
        }
      }
      for (index, function) in functions.enumerated() {
        row[resultNames[index]] = function.result(group, seconds: seconds ?? span.seconds)
      }
      if try !forward(row) { break }
    }
    try super.finish()
  }

  @inline(__always)
  private func group(of row: Row) throws(PipeLimitError) -> Int {
    if groupReaders.isEmpty { return 0 }
    let found: (number: Int, isNew: Bool)
    let byteCount: Int
    if groupReaders.count == 1 {
      let value = groupReaders[0].value(in: row)
      found = table.insert(value)
      byteCount = value.count
    } else {
      key.removeAll()
      for index in groupReaders.indices { key.append(groupReaders[index].value(in: row)) }
      found = table.insert(key.bytes)
      byteCount = key.bytes.count
    }
    if found.isNew {
      try context.take(ByteKeyTable.byteCount(ofKey: byteCount) + groupByteCount, for: holder)
      addGroup()
    }
    return found.number
  }

  private func addGroup() {
    groupCount += 1
    for function in functions { function.addGroup() }
  }
}

/// The time that `rate` divides by: the query's, and where that is open, the rows' own.
final class StatsSpan {
  var isNeeded = false
  private let options: PipeOptions
  private var first: Timestamp?
  private var last: Timestamp?

  init(_ options: PipeOptions) { self.options = options }

  func see(_ row: Row) {
    guard let time = row.recordTime else { return }
    if first.map({ time < $0 }) ?? true { first = time }
    if last.map({ time > $0 }) ?? true { last = time }
  }

  var seconds: Double {
    let start = options.range.start.nanoseconds == .min ? first ?? options.now : options.range.start
    let end = options.range.end.nanoseconds == .max ? max(options.now, last ?? options.now) : options.range.end
    return (Double(end.nanoseconds) - Double(start.nanoseconds)) / 1e9
  }
}
