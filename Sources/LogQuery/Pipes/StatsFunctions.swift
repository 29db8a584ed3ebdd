import CKernels
import Domain

/// One function of `stats`, for all groups.
class StatsAccumulator {
  fileprivate var fields: StatsFields
  fileprivate let context: PipeContext

  fileprivate init(_ fields: [String], _ context: PipeContext) {
    self.fields = StatsFields(fields)
    self.context = context
  }

  func addGroup() {}
  func update(_ group: Int, _ row: Row) throws(PipeLimitError) {}
  /// - Parameter seconds: The time that the group's rows are spread over.
  func result(_ group: Int, seconds: Double) -> [UInt8] { [] }

  static func make(_ function: StatsFunction, _ context: PipeContext, _ span: StatsSpan) -> StatsAccumulator {
    let fields = function.fields
    switch function.kind {
    case .count: return CountFunction(fields, context)
    case .countEmpty: return CountEmptyFunction(fields, context)
    case .countUniq: return UniqFunction("count_uniq", fields, limit: function.limit, context)
    case .countUniqHash: return UniqHashFunction(fields, limit: function.limit, context)
    case .sum: return SumFunction(fields, .sum, context)
    case .average: return SumFunction(fields, .average, context)
    case .rate:
      span.isNeeded = true
      return CountFunction(fields, context, isRate: true)
    case .rateSum:
      span.isNeeded = true
      return SumFunction(fields, .rate, context)
    case .sumLength: return SumLengthFunction(fields, context)
    case .minimum: return ExtremeFunction(fields, isMaximum: false, context)
    case .maximum: return ExtremeFunction(fields, isMaximum: true, context)
    case .median: return QuantileFunction("median", fields, 0.5, context)
    case .quantile(let part): return QuantileFunction("quantile", fields, part, context)
    case .values: return ValuesFunction(fields, limit: function.limit, context)
    case .uniqValues: return UniqValuesFunction(fields, limit: function.limit, context)
    case .jsonValues:
      return function.order.isEmpty
        ? JSONValuesFunction(fields, limit: function.limit, context)
        : SortedJSONFunction(fields, by: function.order, limit: function.limit, context)
    case .rowAny: return RowFunction(fields, by: nil, isMaximum: false, context)
    case .rowMin(let field): return RowFunction(fields, by: field, isMaximum: false, context)
    case .rowMax(let field): return RowFunction(fields, by: field, isMaximum: true, context)
    case .histogram: return HistogramFunction(fields, context)
    }
  }
}

/// The fields a function looks at.
private struct StatsFields {
  private enum Selector {
    case one(FieldReader)
    case prefix(String)
  }

  private var selectors: [Selector]
  let isAll: Bool

  init(_ names: [String]) {
    isAll = names.isEmpty || names.contains("*")
    selectors =
      isAll
      ? [.prefix("")]
      : FieldPattern.all(names).map {
        $0.isPrefix ? .prefix($0.text) : .one(FieldReader($0.text))
      }
  }

  /// Calls `body` with the values: a named field's also if it is empty, a prefix's for each field that is there.
  @inline(__always)
  mutating func forEach(in row: Row, _ body: ([UInt8]) throws(PipeLimitError) -> Void) throws(PipeLimitError) {
    for index in selectors.indices {
      switch selectors[index] {
      case .one(var reader):
        let value = reader.value(in: row)
        selectors[index] = .one(reader)
        try body(value)
      case .prefix(let prefix):
        for field in row.fields where field.name.hasPrefix(prefix) { try body(field.value) }
      }
    }
  }

  /// Whether any of the fields has a value.
  mutating func hasValue(in row: Row) -> Bool {
    for index in selectors.indices {
      switch selectors[index] {
      case .one(var reader):
        let value = reader.value(in: row)
        selectors[index] = .one(reader)
        if !value.isEmpty { return true }
      case .prefix(let prefix):
        for field in row.fields where !field.value.isEmpty && field.name.hasPrefix(prefix) { return true }
      }
    }
    return false
  }

  /// Appends the values as a tuple; a prefix's with their names, so that rows with other fields differ.
  mutating func append(_ row: Row, to key: inout TupleKey) {
    for index in selectors.indices {
      switch selectors[index] {
      case .one(var reader):
        key.append(reader.value(in: row))
        selectors[index] = .one(reader)
      case .prefix(let prefix):
        let found = row.fields.filter { !$0.value.isEmpty && $0.name.hasPrefix(prefix) }.sorted { $0.name < $1.name }
        key.append(number: found.count)
        for field in found {
          key.append(Array(field.name.utf8))
          key.append(field.value)
        }
      }
    }
  }

  /// The named fields of the row with their values, each once.
  func object(of row: Row) -> [(name: String, value: [UInt8])] {
    if isAll { return row.fields }
    var object: [(name: String, value: [UInt8])] = []
    for selector in selectors {
      for field in row.fields {
        let isWanted =
          switch selector {
          case .one(let reader): field.name == reader.name
          case .prefix(let prefix): field.name.hasPrefix(prefix)
          }
        if isWanted, !object.contains(where: { $0.name == field.name }) { object.append(field) }
      }
    }
    return object
  }
}

private func holder(_ function: String) -> MemoryHolder {
  MemoryHolder(
    pipe: "stats \(function)",
    remedy: "name fewer fields in `by`, add a `limit` where it takes one, or narrow the time range "
      + "or the filter")
}

// MARK: Counting and adding

/// `count`, `rate`: without fields every row counts, else those in which one of them has a value.
private final class CountFunction: StatsAccumulator {
  private var counts: [Int] = []
  private let isRate: Bool

  init(_ fields: [String], _ context: PipeContext, isRate: Bool = false) {
    self.isRate = isRate
    super.init(fields, context)
  }

  override func addGroup() { counts.append(0) }

  override func update(_ group: Int, _ row: Row) {
    if fields.isAll || fields.hasValue(in: row) { counts[group] += row.count }
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] {
    isRate ? NumberText.number(perSecond(Double(counts[group]), seconds)) : NumberText.integer(counts[group])
  }
}

/// A span of no length counts as one second.
private func perSecond(_ amount: Double, _ seconds: Double) -> Double { seconds > 0 ? amount / seconds : amount }

/// `count_empty`: rows in which none of the fields has a value.
private final class CountEmptyFunction: StatsAccumulator {
  private var counts: [Int] = []

  override func addGroup() { counts.append(0) }
  override func update(_ group: Int, _ row: Row) { if !fields.hasValue(in: row) { counts[group] += row.count } }
  override func result(_ group: Int, seconds: Double) -> [UInt8] { NumberText.integer(counts[group]) }
}

/// `sum`, `avg`, `rate_sum`, over what is a number.
private final class SumFunction: StatsAccumulator {
  enum Result { case sum, average, rate }

  private let kind: Result
  private var sums: [(sum: Double, count: Int)] = []

  init(_ fields: [String], _ kind: Result, _ context: PipeContext) {
    self.kind = kind
    super.init(fields, context)
  }

  override func addGroup() { sums.append((0, 0)) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    try fields.forEach(in: row) { value throws(PipeLimitError) in
      if let number = amount(value) {
        sums[group].sum += number
        sums[group].count += 1
      }
    }
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] {
    let (sum, count) = sums[group]
    if count == 0 { return NumberText.number(.nan) }
    switch kind {
    case .sum: return NumberText.number(sum)
    case .average: return NumberText.number(sum / Double(count))
    case .rate: return NumberText.number(perSecond(sum, seconds))
    }
  }
}

/// What can be added up: numbers, durations, sizes; neither times nor addresses.
private func amount(_ value: [UInt8]) -> Double? {
  value.withUnsafeBufferPointer { bytes in
    guard let first = bytes.first, first < 0x3A, first >= 0x2B else { return nil }
    return FieldNumber.plain(bytes) ?? FieldNumber.duration(bytes).map(Double.init) ?? FieldNumber.byteCount(bytes)
  }
}

/// `sum_len`, in bytes.
private final class SumLengthFunction: StatsAccumulator {
  private var sums: [Int] = []

  override func addGroup() { sums.append(0) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    try fields.forEach(in: row) { value throws(PipeLimitError) in sums[group] += value.count * row.count }
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] { NumberText.integer(sums[group]) }
}

// MARK: Distinct values

/// `count_uniq`: tuples in which one field has a value.
private final class UniqFunction: StatsAccumulator {
  private var table = ByteKeyTable()
  private var key = TupleKey()
  private var counts: [Int] = []
  private let limit: Int
  private let memory: MemoryHolder

  init(_ name: String, _ fields: [String], limit: Int?, _ context: PipeContext) {
    self.limit = limit.map { $0 <= 0 ? Int.max : $0 } ?? Int.max
    memory = holder(name)
    super.init(fields, context)
  }

  override func addGroup() { counts.append(0) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    guard counts[group] < limit, fields.hasValue(in: row) else { return }
    key.removeAll()
    key.append(number: group)
    fields.append(row, to: &key)
    if table.insert(key.bytes).isNew {
      try context.take(ByteKeyTable.byteCount(ofKey: key.bytes.count), for: memory)
      counts[group] += 1
    }
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] { NumberText.integer(counts[group]) }
}

/// `count_uniq_hash`: as `count_uniq`, remembering 64 bits of each tuple.
private final class UniqHashFunction: StatsAccumulator {
  private var hashes: Set<UInt64> = []
  private var key = TupleKey()
  private var counts: [Int] = []
  private let limit: Int
  private let memory = holder("count_uniq_hash")

  init(_ fields: [String], limit: Int?, _ context: PipeContext) {
    self.limit = limit.map { $0 <= 0 ? Int.max : $0 } ?? Int.max
    super.init(fields, context)
  }

  override func addGroup() { counts.append(0) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    guard counts[group] < limit, fields.hasValue(in: row) else { return }
    key.removeAll()
    fields.append(row, to: &key)
    let hash = key.bytes.withUnsafeBufferPointer { tl_hash64($0.baseAddress, $0.count, UInt64(group)) }
    if hashes.insert(hash).inserted {
      try context.take(24, for: memory)
      counts[group] += 1
    }
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] { NumberText.integer(counts[group]) }
}

/// `uniq_values`: the distinct values of all the fields together, sorted.
private final class UniqValuesFunction: StatsAccumulator {
  private var table = ByteKeyTable()
  private var key = TupleKey()
  private var values: [[[UInt8]]] = []
  private let limit: Int
  private let memory = holder("uniq_values")

  init(_ fields: [String], limit: Int?, _ context: PipeContext) {
    self.limit = limit.map { $0 <= 0 ? Int.max : $0 } ?? Int.max
    super.init(fields, context)
  }

  override func addGroup() { values.append([]) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    if values[group].count >= limit { return }
    try fields.forEach(in: row) { value throws(PipeLimitError) in
      if value.isEmpty || values[group].count >= limit { return }
      key.removeAll()
      key.append(number: group)
      key.append(value)
      if table.insert(key.bytes).isNew {
        try context.take(ByteKeyTable.byteCount(ofKey: key.bytes.count) + value.count + 48, for: memory)
        values[group].append(value)
      }
    }
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] {
    let sorted = values[group].map { SortValue($0) }.sorted { left, right in
      let order = left.compare(right)
      return order == 0 ? left.text.lexicographicallyPrecedes(right.text) : order < 0
    }
    return JSONText.stringArray(sorted.lazy.map(\.text))
  }
}

// MARK: Values by size

/// `min`, `max`: as `sort` compares, the value as it was written.
private final class ExtremeFunction: StatsAccumulator {
  private let isMaximum: Bool
  private var best: [SortValue?] = []

  init(_ fields: [String], isMaximum: Bool, _ context: PipeContext) {
    self.isMaximum = isMaximum
    super.init(fields, context)
  }

  override func addGroup() { best.append(nil) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    try fields.forEach(in: row) { value throws(PipeLimitError) in
      if let best = best[group] {
        if best.text == value { return }
        let candidate = SortValue(value)
        let order = candidate.compare(best)
        if isMaximum ? order <= 0 : order >= 0 { return }
        self.best[group] = candidate
      } else {
        best[group] = SortValue(value)
      }
    }
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] { best[group]?.text ?? [] }
}

/// `median`, `quantile`: exact, over each distinct value with its count.
private final class QuantileFunction: StatsAccumulator {
  private let part: Double
  private var table = ByteKeyTable()
  private var key = TupleKey()
  private var counts: [Int] = []
  /// The numbers of each group's distinct values.
  private var members: [[Int32]] = []
  private let memory: MemoryHolder

  init(_ name: String, _ fields: [String], _ part: Double, _ context: PipeContext) {
    // Also what is no number is somewhere between the least and the greatest.
    self.part = part.isNaN ? 0 : Double.minimum(Double.maximum(part, 0), 1)
    memory = holder(name)
    super.init(fields, context)
  }

  override func addGroup() { members.append([]) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    try fields.forEach(in: row) { value throws(PipeLimitError) in
      key.removeAll()
      key.append(number: group)
      key.append(value)
      let (number, isNew) = table.insert(key.bytes)
      if isNew {
        try context.take(ByteKeyTable.byteCount(ofKey: key.bytes.count) + 24, for: memory)
        counts.append(0)
        members[group].append(Int32(truncatingIfNeeded: number))
      }
      counts[number] += 1
    }
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] {
    var prefix = TupleKey()
    prefix.append(number: group)
    var values = SortKeys()
    var total = 0
    for number in members[group] {
      let key = table.key(Int(number)).dropFirst(prefix.bytes.count)
      values.append(CollectionOfOne(SortValue(TupleKey.values(of: Array(key))[0])))
      total += counts[Int(number)]
    }
    if total == 0 { return [] }
    let rank = min(max(Int(part * Double(total)), 0), total - 1)
    var passed = 0
    for index in values.sorted(SortOrder(descends: [], rest: false)) {
      passed += counts[Int(members[group][index])]
      if rank < passed { return values[index].first?.text ?? [] }
    }
    return []
  }
}

// MARK: Whole values and rows

/// `values`: all of them, empty ones too, in the order they came.
private final class ValuesFunction: StatsAccumulator {
  private var values: [[[UInt8]]] = []
  private let limit: Int
  private let memory = holder("values")

  init(_ fields: [String], limit: Int?, _ context: PipeContext) {
    self.limit = limit.map { $0 <= 0 ? Int.max : $0 } ?? Int.max
    super.init(fields, context)
  }

  override func addGroup() { values.append([]) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    if values[group].count >= limit { return }
    try fields.forEach(in: row) { value throws(PipeLimitError) in
      if values[group].count >= limit { return }
      try context.take(value.count + 48, for: memory)
      values[group].append(value)
    }
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] { JSONText.stringArray(values[group]) }
}

/// `json_values`: an array with an object a row.
private final class JSONValuesFunction: StatsAccumulator {
  private var arrays: [(text: [UInt8], count: Int)] = []
  private let limit: Int
  private let memory = holder("json_values")

  init(_ fields: [String], limit: Int?, _ context: PipeContext) {
    self.limit = limit.map { $0 <= 0 ? Int.max : $0 } ?? Int.max
    super.init(fields, context)
  }

  override func addGroup() { arrays.append(([], 0)) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    if arrays[group].count >= limit { return }
    let before = arrays[group].text.count
    if before > 0 { arrays[group].text.append(UInt8(ascii: ",")) }
    JSONText.appendObject(fields.object(of: row), to: &arrays[group].text)
    arrays[group].count += 1
    try context.take(2 * (arrays[group].text.count - before), for: memory)
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] {
    [UInt8(ascii: "[")] + arrays[group].text + [UInt8(ascii: "]")]
  }
}

/// `json_values … sort by (…)`: the same in that order; with a limit, only the first of it are held.
private final class SortedJSONFunction: StatsAccumulator {
  private struct Group {
    var objects: [[UInt8]] = []
    var keys = SortKeys()
  }

  private var groups: [Group] = []
  private var readers: [FieldReader]
  private let order: SortOrder
  private let limit: Int
  private let memory = holder("json_values")

  init(_ fields: [String], by keys: [SortKey], limit: Int?, _ context: PipeContext) {
    readers = keys.map { FieldReader($0.field) }
    order = SortOrder(descends: keys.map(\.descending), rest: false)
    self.limit = limit.map { $0 <= 0 ? Int.max : $0 } ?? Int.max
    super.init(fields, context)
  }

  override func addGroup() { groups.append(Group()) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    var object: [UInt8] = []
    JSONText.appendObject(fields.object(of: row), to: &object)
    var keys: [SortValue] = []
    for index in readers.indices { keys.append(SortValue(readers[index].value(in: row))) }
    try context.take(SortedJSONFunction.byteCount(object, keys[...]), for: memory)
    groups[group].objects.append(object)
    groups[group].keys.append(keys)
    if limit < Int.max / 4, groups[group].objects.count >= limit + max(limit, 64) { shrink(group) }
  }

  private static func byteCount(_ object: [UInt8], _ keys: ArraySlice<SortValue>) -> Int {
    object.count + keys.reduce(80) { $0 + 40 + $1.text.count }
  }

  private func shrink(_ group: Int) {
    let all = groups[group]
    var kept = Group()
    for (index, number) in all.keys.sorted(order).enumerated() {
      if index < limit {
        kept.objects.append(all.objects[number])
        kept.keys.append(all.keys[number])
      } else {
        context.giveBack(SortedJSONFunction.byteCount(all.objects[number], all.keys[number]))
      }
    }
    groups[group] = kept
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] {
    let objects = groups[group].keys.sorted(order).prefix(limit).map { groups[group].objects[$0] }
    return [UInt8(ascii: "[")] + objects.joined(separator: CollectionOfOne(UInt8(ascii: ","))) + [UInt8(ascii: "]")]
  }
}

/// `row_any`, `row_min`, `row_max`: one row as an object; the first of equal ones. A row without the field that decides is passed over.
private final class RowFunction: StatsAccumulator {
  private var reader: FieldReader?
  private let isMaximum: Bool
  private var best: [(value: SortValue, row: Row)?] = []
  private let memory: MemoryHolder

  init(_ fields: [String], by field: String?, isMaximum: Bool, _ context: PipeContext) {
    reader = field.map { FieldReader($0) }
    self.isMaximum = isMaximum
    memory = holder(field == nil ? "row_any" : isMaximum ? "row_max" : "row_min")
    super.init(fields, context)
  }

  override func addGroup() { best.append(nil) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    if let value = reader?.value(in: row), value.isEmpty { return }
    guard let best = best[group] else {
      let kept = Row(fields.object(of: row))
      try context.take(kept.byteCount, for: memory)
      self.best[group] = (SortValue(reader?.value(in: row) ?? []), kept)
      return
    }
    guard let value = reader?.value(in: row), value != best.value.text else { return }
    let candidate = SortValue(value)
    let order = candidate.compare(best.value)
    if isMaximum ? order <= 0 : order >= 0 { return }
    let kept = Row(fields.object(of: row))
    context.giveBack(best.row.byteCount)
    try context.take(kept.byteCount, for: memory)
    self.best[group] = (candidate, kept)
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] {
    var text: [UInt8] = []
    JSONText.appendObject(best[group]?.row.fields ?? [], to: &text)
    return text
  }
}

/// `histogram`: eighteen buckets to each power of ten, as VictoriaMetrics cuts them.
private final class HistogramFunction: StatsAccumulator {
  /// Bucket to count.
  private var buckets: [[Int: Int]] = []
  private let memory = holder("histogram")

  override func addGroup() { buckets.append([:]) }

  override func update(_ group: Int, _ row: Row) throws(PipeLimitError) {
    try fields.forEach(in: row) { value throws(PipeLimitError) in
      guard let number = amount(value), number >= 0 else { return }
      let bucket = HistogramBuckets.bucket(of: number)
      if buckets[group][bucket] == nil { try context.take(48, for: memory) }
      buckets[group][bucket, default: 0] += 1
    }
  }

  override func result(_ group: Int, seconds: Double) -> [UInt8] {
    var text: [UInt8] = [UInt8(ascii: "[")]
    for (bucket, count) in buckets[group].sorted(by: { $0.key < $1.key }) {
      if text.count > 1 { text.append(UInt8(ascii: ",")) }
      text += "{\"vmrange\":\"".utf8
      text += HistogramBuckets.range(of: bucket)
      text += "\",\"hits\":".utf8
      text.appendDecimal(count)
      text.append(UInt8(ascii: "}"))
    }
    text.append(UInt8(ascii: "]"))
    return text
  }
}

/// Buckets from 1e-9 to 1e18, each from its lower bound (outside) to its upper (inside), and one for what is less or
/// more.
enum HistogramBuckets {
  private static let perDecade = 18
  private static let lowestExponent = -9
  private static let highestExponent = 18
  private static let count = (highestExponent - lowestExponent) * perDecade

  /// The bounds between buckets, `count + 1` of them. Whole powers of ten are exact.
  private static let bounds: [Double] = (0...count).map { index in
    let (decade, step) = (lowestExponent + index / perDecade, index % perDecade)
    let power = decade < 0 ? 1 / powerOfTen(-decade) : powerOfTen(decade)
    return power * factors[step]
  }

  private static func powerOfTen(_ exponent: Int) -> Double {
    (0..<exponent).reduce(1.0) { product, _ in product * 10 }
  }

  /// 10 to the power of 0/18, 1/18, …: the eighteenth root of ten is found by Newton's iteration.
  private static let factors: [Double] = {
    var root = 1.136
    for _ in 0..<20 {
      let power = (0..<17).reduce(1.0) { product, _ in product * root }
      root -= (power * root - 10) / (18 * power)
    }
    var factor = 1.0
    return (0..<18).map { _ in
      defer { factor *= root }
      return factor
    }
  }()

  /// -1 below all, `count` above all.
  static func bucket(of value: Double) -> Int {
    if value <= bounds[0] { return -1 }
    var (low, high) = (0, count)
    // The last bound that is less than the value.
    while low < high {
      let middle = (low + high + 1) / 2
      if bounds[middle] < value { low = middle } else { high = middle - 1 }
    }
    return low
  }

  static func range(of bucket: Int) -> [UInt8] {
    if bucket < 0 { return Array("0...".utf8) + NumberText.scientific(bounds[0]) }
    if bucket >= count { return NumberText.scientific(bounds[count]) + Array("...+Inf".utf8) }
    return NumberText.scientific(bounds[bucket]) + Array("...".utf8) + NumberText.scientific(bounds[bucket + 1])
  }
}
