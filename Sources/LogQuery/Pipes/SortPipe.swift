/// `sort`, `first` and `last`. With a limit, only so many rows as can still come out are held.
///
/// Rows that compare equal keep the order they came in. Without `by`, all fields compare, in the order of their names.
final class SortStage: PipeStage {
  /// The rows of one set of `partition by` values, in no order yet but for what `best` leaves.
  private struct Partition {
    var rows: [Row] = []
    var keys = SortKeys()
    /// The keys that a row must precede to count, once there are enough rows.
    var worst: [SortValue]?
  }

  private var readers: [FieldReader]
  private let order: SortOrder
  private let keepMax: Int?
  private let offset: Int
  private var partitionReaders: [FieldReader]
  private let rankField: String?
  private let context: PipeContext
  private let holder: MemoryHolder
  private var partitions: [Partition] = []
  private var partitionKeys = ByteKeyTable()
  private var key = TupleKey()
  private var rowKeys: [SortValue] = []

  /// - Parameter isReversed: All keys the other way round, as `last` sorts.
  init(
    pipe: String, by keys: [SortKey], isReversed: Bool = false, limit: Int?, offset: Int, partitionBy: [String],
    rankField: String?, next: PipeStage, _ context: PipeContext
  ) {
    readers = keys.map { FieldReader($0.field) }
    order = SortOrder(descends: keys.map { $0.descending != isReversed }, rest: isReversed)
    let offset = max(0, offset)
    keepMax = limit.map { max(0, $0).addingReportingOverflow(offset) }.map { $0.overflow ? Int.max : $0.partialValue }
    self.offset = offset
    partitionReaders = partitionBy.map { FieldReader($0) }
    self.rankField = rankField
    self.context = context
    let change = limit == nil ? "add `limit` to it" : "lower its limit"
    holder = MemoryHolder(
      pipe: pipe, remedy: change + ", keep fewer fields before it, or narrow the time range or the filter")
    super.init(next: next)
    if partitionBy.isEmpty { partitions = [Partition()] }
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    if keepMax == 0 { return false }
    let place = try partition(of: row)
    readKeys(of: row)
    // Later rows lose against equal ones.
    if let worst = partitions[place].worst, order.compare(rowKeys, worst) >= 0 { return true }
    try context.take(byteCount(of: row, keyCount: rowKeys.count), for: holder)
    partitions[place].rows.append(row)
    partitions[place].keys.append(rowKeys)
    // Twice as many as needed, and a few, before the worse half goes: sorting is paid once for many rows.
    if let keepMax, keepMax < Int.max / 4, partitions[place].rows.count >= keepMax + max(keepMax, 64) {
      shrink(place, to: keepMax)
    }
    return true
  }

  override func finish() throws(PipeLimitError) {
    walk: for place in partitionsInOrder() {
      let partition = partitions[place]
      partitions[place] = Partition()
      for (index, number) in partition.keys.sorted(order).prefix(keepMax ?? Int.max).enumerated() {
        var row = partition.rows[number]
        context.giveBack(byteCount(of: row, keyCount: partition.keys.range(number).count))
        if index < offset { continue }
        if let rankField { row[rankField] = NumberText.integer(index + 1) }
        if try !forward(row) { break walk }
      }
    }
    partitions = []
    try super.finish()
  }

  /// Sets of partition values come in their own order, whatever order the rows came in.
  private func partitionsInOrder() -> [Int] {
    if partitionReaders.isEmpty { return [0] }
    var values = SortKeys()
    for place in partitions.indices {
      values.append(TupleKey.values(of: partitionKeys.key(place)).map { SortValue($0) })
    }
    return values.sorted(SortOrder(descends: [], rest: false))
  }

  private func partition(of row: Row) throws(PipeLimitError) -> Int {
    if partitionReaders.isEmpty { return 0 }
    key.removeAll()
    for index in partitionReaders.indices { key.append(partitionReaders[index].value(in: row)) }
    let (number, isNew) = partitionKeys.insert(key.bytes)
    if isNew {
      try context.take(ByteKeyTable.byteCount(ofKey: key.bytes.count) + 96, for: holder)
      partitions.append(Partition())
    }
    return number
  }

  private func readKeys(of row: Row) {
    rowKeys.removeAll(keepingCapacity: true)
    if readers.isEmpty {
      for field in row.fields.filter({ !$0.value.isEmpty }).sorted(by: { $0.name < $1.name }) {
        rowKeys.append(SortValue(Array(field.name.utf8)))
        rowKeys.append(SortValue(field.value))
      }
    } else {
      for index in readers.indices { rowKeys.append(SortValue(readers[index].value(in: row))) }
    }
  }

  private func byteCount(of row: Row, keyCount: Int) -> Int { row.byteCount + 40 * keyCount + 32 }

  private func shrink(_ place: Int, to count: Int) {
    let partition = partitions[place]
    var kept = Partition()
    for (index, number) in partition.keys.sorted(order).enumerated() {
      let keys = partition.keys[number]
      if index < count {
        kept.rows.append(partition.rows[number])
        kept.keys.append(keys)
        if index == count - 1 { kept.worst = Array(keys) }
      } else {
        context.giveBack(byteCount(of: partition.rows[number], keyCount: keys.count))
      }
    }
    partitions[place] = kept
  }
}

/// How lists of sort values compare.
struct SortOrder {
  /// For each key whether it goes down; keys beyond go as `rest` says.
  var descends: [Bool]
  var rest: Bool

  func compare(_ left: [SortValue], _ right: [SortValue]) -> Int {
    left.withUnsafeBufferPointer { left in right.withUnsafeBufferPointer { compare(left, $0) } }
  }

  @inline(__always)
  fileprivate func compare(_ left: UnsafeBufferPointer<SortValue>, _ right: UnsafeBufferPointer<SortValue>) -> Int {
    for index in 0..<min(left.count, right.count) {
      let order = SortValue.compare(left.baseAddress! + index, right.baseAddress! + index)
      if order != 0 { return (index < descends.count ? descends[index] : rest) ? -order : order }
    }
    if left.count == right.count { return 0 }
    return (left.count < right.count) != rest ? -1 : 1
  }
}

/// Lists of sort values, one after another.
struct SortKeys {
  private var values: [SortValue] = []
  private var ends: [Int] = []

  mutating func append(_ keys: some Collection<SortValue>) {
    values.append(contentsOf: keys)
    ends.append(values.count)
  }

  func range(_ number: Int) -> Range<Int> { (number == 0 ? 0 : ends[number - 1])..<ends[number] }

  subscript(number: Int) -> ArraySlice<SortValue> { values[range(number)] }

  /// The numbers of the lists in `order`; equal ones as they were appended.
  func sorted(_ order: SortOrder) -> [Int] {
    values.withUnsafeBufferPointer { values in
      ends.withUnsafeBufferPointer { ends in
        func keys(_ number: Int) -> UnsafeBufferPointer<SortValue> {
          let start = number == 0 ? 0 : ends[number - 1]
          return UnsafeBufferPointer(start: values.baseAddress.map { $0 + start }, count: ends[number] - start)
        }
        return ends.indices.sorted { left, right in
          let comparison = order.compare(keys(left), keys(right))
          return comparison == 0 ? left < right : comparison < 0
        }
      }
    }
  }
}
