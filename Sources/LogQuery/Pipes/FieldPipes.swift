/// `fields`, `delete`, `copy`, `rename`, `len`: what a row holds.
enum FieldsPipe {
  static func keep(_ names: [String], next: PipeStage) -> PipeStage {
    let patterns = FieldPattern.all(names)
    if patterns.contains(where: { $0.isPrefix && $0.text.isEmpty }) { return RowStage(next: next) { _ in } }
    let isPlain = !patterns.contains { $0.isPrefix }
    return RowStage(next: next) { row in
      var kept: [(name: String, value: [UInt8])] = []
      kept.reserveCapacity(patterns.count)
      for pattern in patterns {
        for field in row.fields where pattern.matches(field.name) {
          if isPlain || !kept.contains(where: { $0.name == field.name }) { kept.append(field) }
          if !pattern.isPrefix { break }
        }
      }
      row.fields = kept
    }
  }

  static func delete(_ names: [String], next: PipeStage) -> PipeStage {
    let patterns = FieldPattern.all(names)
    return RowStage(next: next) { row in
      row.fields.removeAll { field in patterns.contains { $0.matches(field.name) } }
    }
  }

  /// Pairs work one after another: a later pair sees what an earlier one wrote.
  static func copy(_ pairs: [(String, String)], removesSource: Bool, next: PipeStage) -> PipeStage {
    let pairs = pairs.map { (from: FieldPattern($0.0), to: FieldPattern($0.1)) }
    return RowStage(next: next) { row in
      for (from, to) in pairs {
        if from.isPrefix {
          let found = row.fields.filter { from.matches($0.name) }
          if removesSource { row.fields.removeAll { from.matches($0.name) } }
          for field in found {
            row[to.isPrefix ? to.text + field.name.dropFirst(from.text.count) : to.text] = field.value
          }
        } else if from.text != to.text {
          let value = row[from.text]
          if removesSource { row.remove(from.text) }
          if value.isEmpty {
            row.remove(to.text)
          } else {
            row[to.text] = value
          }
        }
      }
    }
  }

  static func length(of field: String, result: String, next: PipeStage) -> PipeStage {
    var reader = FieldReader(field)
    return RowStage(next: next) { row in
      let count = reader.value(in: row).count
      row[result] = NumberText.integer(count)
    }
  }
}
