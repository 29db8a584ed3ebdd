/// `extract` and `extract_regexp`
enum ExtractPipe {
  static func stage(
    _ pattern: String, from source: String, _ writer: ResultWriter, _ filter: Filter?, next: PipeStage
  ) throws(QueryError) -> PipeStage {
    let condition = try Condition(filter)
    let extraction = try Extraction(pattern)
    var reader = FieldReader(source)
    return RowStage(next: next) { row in
      guard condition.holds(for: row) else { return }
      let values = reader.value(in: row).withUnsafeBufferPointer(extraction.values)
      for (name, value) in zip(extraction.fields, values) { writer.write(value, to: name, in: &row) }
    }
  }

  static func regexpStage(
    _ pattern: String, from source: String, _ writer: ResultWriter, _ filter: Filter?, next: PipeStage
  ) throws(QueryError) -> PipeStage {
    let condition = try Condition(filter)
    let expression = try RegularExpression(pattern)
    let groups = expression.groupNames.enumerated().compactMap { index, name in name.map { (index: index, name: $0) } }
    if groups.isEmpty {
      throw QueryError(message: "the expression has no named group to extract", column: 0, expected: "`(?P<name>…)`")
    }
    var reader = FieldReader(source)
    return RowStage(next: next) { row in
      guard condition.holds(for: row) else { return }
      let text = reader.value(in: row)
      let found = text.withUnsafeBufferPointer { expression.captures(in: $0) }
      for (index, name) in groups {
        let value = found?[index].map { Array(text[$0]) } ?? []
        writer.write(value, to: name, in: &row)
      }
    }
  }
}

/// A pattern of `extract`, ready to run.
struct Extraction {
  private let pattern: PlaceholderText
  let fields: [String]
  /// For each placeholder its place in `fields`.
  private let places: [Int?]

  init(_ text: String) throws(QueryError) {
    let pattern = try PlaceholderText(text, options: ["plain"])
    fields = pattern.fields
    if fields.isEmpty {
      throw QueryError(message: "the pattern has no placeholder that names a field", column: 0, expected: "`<field>`")
    }
    for index in pattern.placeholders.indices.dropFirst() where pattern.texts[index].isEmpty {
      throw QueryError(
        message: "nothing tells where one placeholder ends and the next begins", column: 0, expected: "text between")
    }
    places = pattern.placeholders.map { [fields] in fields.firstIndex(of: $0.field) }
    self.pattern = pattern
  }

  /// The values of `fields`; empty where the text ends before the pattern does.
  func values(_ text: UnsafeBufferPointer<UInt8>) -> [[UInt8]] {
    var values = [[UInt8]](repeating: [], count: fields.count)
    guard var index = Extraction.end(of: pattern.texts[0], in: text, from: 0)?.end else { return values }
    for (number, placeholder) in pattern.placeholders.enumerated() {
      let after = pattern.texts[number + 1]
      if placeholder.option != "plain", let (value, end) = QuotedText.read(text, at: index) {
        if let place = places[number] { values[place] = value }
        guard text[end...].starts(with: after) else { return values }
        index = end + after.count
        continue
      }
      if after.isEmpty {
        if let place = places[number] { values[place] = Array(text[index...]) }
        return values
      }
      guard let found = Extraction.end(of: after, in: text, from: index) else { return values }
      if let place = places[number] { values[place] = Array(text[index..<found.start]) }
      index = found.end
    }
    return values
  }

  private static func end(
    of literal: [UInt8], in text: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> (start: Int, end: Int)? {
    if literal.isEmpty { return (start, start) }
    return literal.withUnsafeBufferPointer { needle in
      ByteSearch.find(needle, in: text, from: start).map { ($0, $0 + needle.count) }
    }
  }
}
