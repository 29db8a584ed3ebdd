/// Rows by the values of some fields, or of all, counted.
struct RowGroups {
  private var readers: [FieldReader]
  private let names: [String]
  private var table = ByteKeyTable()
  private var key = TupleKey()
  private(set) var hits: [Int] = []
  /// The fields of each group where all count.
  private var wholeRows: [[(name: String, value: [UInt8])]] = []

  init(by fields: [String]) {
    names = fields
    readers = fields.map { FieldReader($0) }
  }

  var count: Int { hits.count }

  /// - Parameter countMax: No group beyond is made.
  /// - Returns: The row's group, nil if it has none; whether it is new.
  mutating func add(
    _ row: Row, countMax: Int, _ context: PipeContext, _ holder: MemoryHolder
  ) throws(PipeLimitError) -> (group: Int, isNew: Bool)? {
    var fields: [(name: String, value: [UInt8])] = []
    var isSingle = false
    var value: [UInt8] = []
    if names.isEmpty {
      fields = row.fields.filter { !$0.value.isEmpty }.sorted { $0.name < $1.name }
      key.removeAll()
      for field in fields {
        key.append(Array(field.name.utf8))
        key.append(field.value)
      }
    } else if names.count == 1 {
      isSingle = true
      value = readers[0].value(in: row)
    } else {
      key.removeAll()
      for index in readers.indices { key.append(readers[index].value(in: row)) }
    }
    let bytes = isSingle ? value : key.bytes
    if hits.count >= countMax {
      guard let group = bytes.withUnsafeBufferPointer({ table.number(of: $0) }) else { return nil }
      hits[group] += row.count
      return (group, false)
    }
    let (group, isNew) = table.insert(bytes)
    if isNew {
      try context.take(
        ByteKeyTable.byteCount(ofKey: bytes.count) + 16 + (names.isEmpty ? Row(fields).byteCount : 0), for: holder)
      hits.append(0)
      if names.isEmpty { wholeRows.append(fields) }
    }
    hits[group] += row.count
    return (group, isNew)
  }

  func fields(_ group: Int) -> [(name: String, value: [UInt8])] {
    if names.isEmpty { return wholeRows[group] }
    if names.count == 1 { return [(names[0], table.key(group))] }
    return zip(names, TupleKey.values(of: table.key(group))).map { ($0, $1) }
  }

  /// At most `limit` groups from the most hits to the fewest; equal ones in the order of their values.
  func ranked(limit: Int = Int.max) -> [Int] {
    let byHits = hits.indices.sorted { hits[$0] != hits[$1] ? hits[$0] > hits[$1] : $0 < $1 }
    guard limit > 0, let last = byHits.prefix(limit).last else { return [] }
    // Only groups with as many hits as the last one that counts can still be it.
    let candidates = byHits.prefix { hits[$0] >= hits[last] }
    var keys = SortKeys()
    for group in candidates { keys.append(fields(group).map { SortValue($0.value) }) }
    // Equal hits leave the order of values: Swift's sort is stable.
    let byValue = keys.sorted(SortOrder(descends: [], rest: false)).map { candidates[$0] }
    return Array(byValue.sorted { hits[$0] > hits[$1] }.prefix(limit))
  }
}

/// `uniq`: groups in the order they were first seen. With a limit, further groups are left out and the others counted
/// on.
final class UniqStage: PipeStage {
  private var groups: RowGroups
  private let hitsField: String?
  private let limit: Int
  private let context: PipeContext
  private let holder: MemoryHolder

  init(by fields: [String], hitsField: String?, limit: Int?, next: PipeStage, _ context: PipeContext) {
    groups = RowGroups(by: fields)
    self.hitsField = hitsField
    self.limit = limit.map { $0 <= 0 ? Int.max : $0 } ?? Int.max
    self.context = context
    holder = MemoryHolder(
      pipe: "uniq", remedy: "add `limit` to it, name fewer fields in its `by`, or narrow the time range or the filter")
    super.init(next: next)
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    _ = try groups.add(row, countMax: limit, context, holder)
    return hitsField != nil || groups.count < limit
  }

  override func finish() throws(PipeLimitError) {
    for group in 0..<groups.count {
      var row = Row(groups.fields(group))
      if let hitsField { row[free(hitsField, in: row)] = NumberText.integer(groups.hits[group]) }
      if try !forward(row) { break }
    }
    try super.finish()
  }
}

/// A name like `name` that the row does not have.
private func free(_ name: String, in row: Row) -> String {
  var name = name
  while row.fields.contains(where: { $0.name == name }) { name += "s" }
  return name
}

/// `field_values`: the values of one field with their hits, most frequent first.
final class FieldValuesStage: PipeStage {
  private let name: String
  private var reader: FieldReader
  private var groups: RowGroups
  private let limit: Int
  private let context: PipeContext
  private let holder: MemoryHolder

  init(_ name: String, limit: Int?, next: PipeStage, _ context: PipeContext) {
    self.name = name
    reader = FieldReader(name)
    groups = RowGroups(by: [name])
    self.limit = limit.map { $0 <= 0 ? Int.max : $0 } ?? Int.max
    self.context = context
    holder = MemoryHolder(pipe: "field_values", remedy: "add `limit` to it, or narrow the time range or the filter")
    super.init(next: next)
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    if !reader.value(in: row).isEmpty { _ = try groups.add(row, countMax: limit, context, holder) }
    return true
  }

  override func finish() throws(PipeLimitError) {
    for group in groups.ranked() {
      var row = Row(groups.fields(group))
      row[free("hits", in: row)] = NumberText.integer(groups.hits[group])
      if try !forward(row) { break }
    }
    try super.finish()
  }
}

/// `top`
final class TopStage: PipeStage {
  private let limit: Int
  private var groups: RowGroups
  private let hitsField: String
  private let rankField: String?
  private let context: PipeContext
  private let holder: MemoryHolder

  init(
    _ limit: Int, by fields: [String], hitsField: String, rankField: String?, next: PipeStage, _ context: PipeContext
  ) {
    self.limit = limit
    groups = RowGroups(by: fields)
    self.hitsField = hitsField
    self.rankField = rankField
    self.context = context
    holder = MemoryHolder(pipe: "top", remedy: "name fewer fields in its `by`, or narrow the time range or the filter")
    super.init(next: next)
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    if limit <= 0 { return false }
    _ = try groups.add(row, countMax: Int.max, context, holder)
    return true
  }

  override func finish() throws(PipeLimitError) {
    for (rank, group) in groups.ranked(limit: limit).enumerated() {
      var row = Row(groups.fields(group))
      row[free(hitsField, in: row)] = NumberText.integer(groups.hits[group])
      if let rankField { row[free(rankField, in: row)] = NumberText.integer(rank + 1) }
      if try !forward(row) { break }
    }
    try super.finish()
  }
}
