/// `facets`: the most frequent values of every field.
final class FacetsStage: PipeStage {
  private struct Column {
    var name: String
    var values = ByteKeyTable()
    var hits: [Int] = []
    var byteCount = 0
    /// Too many values, or one too long: it says nothing as a facet.
    var isDropped = false
  }

  private let limit: Int
  private let valuesMax: Int
  private let lengthMax: Int
  private let keepsConstant: Bool
  private let context: PipeContext
  private let holder: MemoryHolder
  private var columns: [Column] = []
  private var places: [String: Int] = [:]
  private var rowCount = 0

  init(limit: Int, valuesMax: Int, lengthMax: Int, keepsConstant: Bool, next: PipeStage, _ context: PipeContext) {
    self.limit = max(0, limit)
    self.valuesMax = valuesMax
    self.lengthMax = lengthMax
    self.keepsConstant = keepsConstant
    self.context = context
    holder = MemoryHolder(
      pipe: "facets",
      remedy: "lower its `max_values_per_field`, keep fewer fields before it, or narrow the time range or the filter")
    super.init(next: next)
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    rowCount += 1
    for (index, field) in row.fields.enumerated() where !field.value.isEmpty {
      let place = try place(of: field.name, near: index)
      if columns[place].isDropped { continue }
      let (number, isNew) = columns[place].values.insert(field.value)
      if isNew {
        if field.value.count > lengthMax || columns[place].values.count > valuesMax {
          context.giveBack(columns[place].byteCount)
          columns[place] = Column(name: field.name, isDropped: true)
          continue
        }
        let byteCount = ByteKeyTable.byteCount(ofKey: field.value.count)
        try context.take(byteCount, for: holder)
        columns[place].byteCount += byteCount
        columns[place].hits.append(0)
      }
      columns[place].hits[number] += 1
    }
    return true
  }

  override func finish() throws(PipeLimitError) {
    walk: for column in columns.sorted(by: { $0.name < $1.name }) where !column.isDropped {
      if !keepsConstant, column.hits.count == 1, column.hits[0] == rowCount { continue }
      let values = column.hits.indices.map { column.values.key($0) }
      let ranked = values.indices.sorted {
        column.hits[$0] != column.hits[$1]
          ? column.hits[$0] > column.hits[$1]
          : SortValue.compareNaturally(values[$0], values[$1]) < 0
      }
      for number in ranked.prefix(limit) {
        let row = Row([
          ("field_name", Array(column.name.utf8)), ("field_value", values[number]),
          ("hits", NumberText.integer(column.hits[number])),
        ])
        if try !forward(row) { break walk }
      }
    }
    try super.finish()
  }

  /// Rows mostly have the same fields at the same places.
  private func place(of name: String, near index: Int) throws(PipeLimitError) -> Int {
    if index < columns.count, columns[index].name == name { return index }
    if let place = places[name] { return place }
    try context.take(256 + name.utf8.count, for: holder)
    columns.append(Column(name: name))
    places[name] = columns.count - 1
    return columns.count - 1
  }
}

/// `field_names`: how many rows have each field, in the order of names.
final class FieldNamesStage: PipeStage {
  private let resultName: String
  private let context: PipeContext
  private let holder: MemoryHolder
  private var columns: [(name: String, hits: Int)] = []
  private var places: [String: Int] = [:]

  init(resultName: String, next: PipeStage, _ context: PipeContext) {
    self.resultName = resultName
    self.context = context
    holder = MemoryHolder(
      pipe: "field_names", remedy: "keep fewer fields before it, or narrow the time range or the filter")
    super.init(next: next)
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    for (index, field) in row.fields.enumerated() where !field.value.isEmpty {
      if index < columns.count, columns[index].name == field.name {
        columns[index].hits += 1
      } else if let place = places[field.name] {
        columns[place].hits += 1
      } else {
        try context.take(128 + field.name.utf8.count, for: holder)
        places[field.name] = columns.count
        columns.append((field.name, 1))
      }
    }
    return true
  }

  override func finish() throws(PipeLimitError) {
    for column in columns.sorted(by: { $0.name < $1.name }) {
      let row = Row([(resultName, Array(column.name.utf8)), ("hits", NumberText.integer(column.hits))])
      if try !forward(row) { break }
    }
    try super.finish()
  }
}
