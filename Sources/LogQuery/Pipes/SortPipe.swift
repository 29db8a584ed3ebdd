/// `sort`, `first` and `last`. With a limit, only so many rows as can still come out are held.
///
/// Rows that compare equal keep the order they came in. Without `by`, all fields compare, in the order of their names.
final class SortStage: PipeStage {
  private struct Entry {
    let keys: [SortValue]
    let sequence: Int
    let row: Row
    let byteCount: Int
  }

  /// The rows of one set of `partition by` values.
  private struct Partition {
    var entries: [Entry] = []
    /// What a row must come before to count, once there are enough.
    var worst: Entry?
  }

  private var readers: [FieldReader]
  private let descends: [Bool]
  private let isReversed: Bool
  private let keepMax: Int?
  private let offset: Int
  private var partitionReaders: [FieldReader]
  private let rankField: String?
  private let context: PipeContext
  private let holder: MemoryHolder
  private var partitions: [Partition] = []
  private var partitionKeys = ByteKeyTable()
  private var key = TupleKey()
  private var sequence = 0

  /// - Parameter isReversed: All keys the other way round, as `last` sorts.
  init(
    pipe: String, by keys: [SortKey], isReversed: Bool = false, limit: Int?, offset: Int, partitionBy: [String],
    rankField: String?,
    next: PipeStage, _ context: PipeContext
  ) {
    readers = keys.map { FieldReader($0.field) }
    descends = keys.map { $0.descending != isReversed }
    self.isReversed = isReversed
    keepMax = limit.map { $0.addingReportingOverflow(offset).overflow ? Int.max : $0 + offset }
    self.offset = offset
    partitionReaders = partitionBy.map { FieldReader($0) }
    self.rankField = rankField
    self.context = context
    let remedy =
      limit == nil
      ? "add `limit` to it, keep fewer fields before it, or narrow the time range or the filter"
      : "lower its limit, keep fewer fields before it, or narrow the time range or the filter"
    holder = MemoryHolder(pipe: pipe, remedy: remedy)
    super.init(next: next)
    if partitionBy.isEmpty { partitions = [Partition()] }
  }

  override func push(_ row: Row) throws(PipeLimitError) -> Bool {
    if keepMax == 0 { return false }
    let place = try partition(of: row)
    let keys = sortKeys(of: row)
    sequence += 1
    let byteCount = row.byteCount + 40 * keys.count + 80
    let entry = Entry(keys: keys, sequence: sequence, row: row, byteCount: byteCount)
    if let worst = partitions[place].worst, !precedes(entry, worst) { return true }
    try context.take(byteCount, for: holder)
    partitions[place].entries.append(entry)
    // Twice as many as needed, and a few, before the worse half goes: sorting is paid once for many rows.
    if let keepMax, partitions[place].entries.count >= keepMax.addingReportingOverflow(max(keepMax, 64)).partialValue,
      keepMax < Int.max / 2
    {
      shrink(place, to: keepMax)
    }
    return true
  }

  override func finish() throws(PipeLimitError) {
    // Sets of partition values come in their own order, whatever order the rows came in.
    var places = Array(partitions.indices)
    if !partitionReaders.isEmpty {
      let values = places.map { TupleKey.values(of: partitionKeys.key($0)).map { SortValue($0) } }
      places.sort { left, right in
        for (a, b) in zip(values[left], values[right]) {
          let order = a.compare(b)
          if order != 0 { return order < 0 }
        }
        return left < right
      }
    }
    walk: for place in places {
      partitions[place].entries.sort(by: precedes)
      let entries = partitions[place].entries
      partitions[place].entries = []
      for (index, entry) in entries.prefix(keepMax ?? Int.max).enumerated() {
        context.giveBack(entry.byteCount)
        if index < offset { continue }
        var row = entry.row
        if let rankField { row[rankField] = NumberText.integer(index + 1) }
        if try !forward(row) { break walk }
      }
    }
    partitions = []
    try super.finish()
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

  private func sortKeys(of row: Row) -> [SortValue] {
    if readers.isEmpty {
      return row.fields.filter { !$0.value.isEmpty }.sorted { $0.name < $1.name }
        .flatMap { [SortValue(Array($0.name.utf8)), SortValue($0.value)] }
    }
    var keys: [SortValue] = []
    keys.reserveCapacity(readers.count)
    for index in readers.indices { keys.append(SortValue(readers[index].value(in: row))) }
    return keys
  }

  private func precedes(_ left: Entry, _ right: Entry) -> Bool {
    for index in 0..<min(left.keys.count, right.keys.count) {
      let order = left.keys[index].compare(right.keys[index])
      if order != 0 { return (order < 0) != (descends.isEmpty ? isReversed : descends[index]) }
    }
    if left.keys.count != right.keys.count { return (left.keys.count < right.keys.count) != isReversed }
    return left.sequence < right.sequence
  }

  private func shrink(_ place: Int, to count: Int) {
    partitions[place].entries.sort(by: precedes)
    for entry in partitions[place].entries[count...] { context.giveBack(entry.byteCount) }
    partitions[place].entries.removeSubrange(count...)
    partitions[place].worst = partitions[place].entries.last
  }
}
