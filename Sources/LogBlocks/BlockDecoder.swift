package import Domain

/// A stored block as a `RecordSource`: reads a column when it is first needed, and keeps it.
///
/// An instance is used by one thread at a time: it fills its caches without a lock.
package final class BlockDecoder: RecordSource {
  package let summary: BlockSummary
  /// Stored bytes read so far: what a query cost.
  package private(set) var loadedByteCount = 0

  private let load: (String) throws -> [UInt8]
  private let decompressor: Decompressor
  private let keys: Set<String>

  private var loadedTimes: [Int64]?
  private var loadedSeverities: [Severity]?
  private var loadedStreams: [UInt32]?
  private var loadedTemplates: [UInt32]?
  private var loadedTemplateCodes: [UInt32]?
  private var loadedGroups: RowGroups?
  private var loadedDirectory: VariableDirectory?
  private var variableGroups: [Int: [UInt8]] = [:]
  /// By template code, then slot.
  private var variableColumns: [[VariableColumn?]] = []
  /// By template code.
  private var messageParts: [MessageParts?] = []
  private var messageWords: TokenFilter?
  private var fieldWords: [Int: TokenFilter] = [:]
  private var loadedShapes: Shapes?
  private var fieldColumns: [Int: FieldColumn] = [:]
  private var loadedSharedFields: SharedFields?

  /// - Parameters:
  ///   - decompressor: Best one for all blocks that a thread reads.
  ///   - load: The stored bytes of a column by its key; called at most once a key.
  package init(
    summary: BlockSummary, decompressor: Decompressor = Decompressor(),
    load: @escaping (_ key: String) throws -> [UInt8]
  ) {
    self.summary = summary
    self.decompressor = decompressor
    self.load = load
    keys = Set(summary.columns.lazy.map(\.key))
  }

  package var count: Int { summary.recordCount }
  package var templateCounts: [NumberCount] { summary.templateCounts }
  package var streamCounts: [NumberCount] { summary.streamCounts }

  // MARK: - Columns of every row

  package func times() throws -> [Int64] {
    if let loadedTimes { return loadedTimes }
    let times = try read(ColumnKey.times) { (reader) throws(BlockError) -> [Int64] in
      let exponent = try reader.byte()
      guard let scale = ([0: 1, 3: 1000, 6: 1_000_000, 9: 1_000_000_000] as [UInt8: Int64])[exponent] else {
        throw reader.corrupt
      }
      let base = try reader.signed()
      var times = try IntegerCodec.decode(count: self.count, from: &reader)
      for index in times.indices { times[index] = base &+ times[index] &* scale }
      return times
    }
    loadedTimes = times
    return times
  }

  package func severities() throws -> [Severity] {
    if let loadedSeverities { return loadedSeverities }
    let codes = try codes(ColumnKey.severities, limit: Severity.allCases.count)
    let severities = codes.map { Severity(rawValue: UInt8($0)) ?? .unknown }
    loadedSeverities = severities
    return severities
  }

  package func streams() throws -> [UInt32] {
    if let loadedStreams { return loadedStreams }
    let streams = try numbers(summary.streamCounts, codes: codes(ColumnKey.streams, limit: summary.streamCounts.count))
    loadedStreams = streams
    return streams
  }

  package func templates() throws -> [UInt32] {
    if let loadedTemplates { return loadedTemplates }
    let templates = try numbers(summary.templateCounts, codes: templateCodes())
    loadedTemplates = templates
    return templates
  }

  /// Indexes into `summary.templateCounts`, one a row.
  package func templateCodes() throws -> [UInt32] {
    if let loadedTemplateCodes { return loadedTemplateCodes }
    let codes = try codes(ColumnKey.templates, limit: summary.templateCounts.count)
    loadedTemplateCodes = codes
    return codes
  }

  private func codes(_ key: String, limit: Int) throws -> [UInt32] {
    if limit == 1 { return [UInt32](repeating: 0, count: count) }
    return try read(key) { (reader) throws(BlockError) in
      try CodeCodec.decode(count: self.count, limit: limit, from: &reader)
    }
  }

  private func numbers(_ counts: [NumberCount], codes: [UInt32]) -> [UInt32] { codes.map { counts[Int($0)].number } }

  // MARK: - Variables

  package func rows(ofTemplate number: UInt32) throws -> [UInt32] {
    guard let code = summary.templateCode(of: number) else { return [] }
    let groups = try groups()
    return Array(groups.rows[groups.range(of: code)])
  }

  package func slotCount(ofTemplate number: UInt32) throws -> Int {
    guard let code = summary.templateCode(of: number) else { return 0 }
    let directory = try directory()
    return directory.slotRange(ofTemplate: code).count
  }

  package func characterClasses(ofTemplate number: UInt32, slot: Int) throws -> CharacterClasses {
    guard let code = summary.templateCode(of: number) else { return [] }
    return try directory().entry(template: code, slot: slot)?.classes ?? []
  }

  package func variables(ofTemplate number: UInt32, slot: Int) throws -> VariableColumn {
    guard let code = summary.templateCode(of: number) else { return .list(ValueList()) }
    return try variables(templateCode: code, slot: slot)
  }

  func variables(templateCode code: Int, slot: Int) throws -> VariableColumn {
    let directory = try directory()
    guard let entry = directory.entry(template: code, slot: slot) else { return .list(ValueList()) }
    if variableColumns.isEmpty { variableColumns = Array(repeating: [], count: summary.templateCounts.count) }
    if variableColumns[code].isEmpty {
      variableColumns[code] = Array(repeating: nil, count: directory.slotRange(ofTemplate: code).count)
    }
    if let known = variableColumns[code][slot] { return known }
    let groupKey = ColumnKey.variableGroup(entry.group)
    if variableGroups[entry.group] == nil { variableGroups[entry.group] = try content(groupKey) }
    let group = variableGroups[entry.group] ?? []
    let count = Int(summary.templateCounts[code].count)
    let byteCountMax = summary.rawByteCount
    var times: [Int64]?
    if ColumnCodec.needsTimes(group, at: entry.offset) {
      let all = try self.times()
      let groups = try groups()
      times = groups.rows[groups.range(of: code)].map { all[Int($0)] }
    }
    let column = try group.read("column \(groupKey)") { (reader) throws(BlockError) -> VariableColumn in
      _ = try reader.take(entry.offset)
      var part = ByteReader(try reader.take(entry.byteCount), place: "column \(groupKey)")
      return try ColumnCodec.decode(count: count, byteCountMax: byteCountMax, times: times, from: &part)
    }
    variableColumns[code][slot] = column
    return column
  }

  func groups() throws -> RowGroups {
    if let loadedGroups { return loadedGroups }
    let groups = RowGroups(codes: try templateCodes(), groupCount: summary.templateCounts.count)
    for (code, entry) in summary.templateCounts.enumerated() where groups.range(of: code).count != Int(entry.count) {
      throw BlockError.corrupt(place: ColumnKey.templates)
    }
    loadedGroups = groups
    return groups
  }

  func directory() throws -> VariableDirectory {
    if let loadedDirectory { return loadedDirectory }
    let directory = try read(ColumnKey.variableDirectory) { (reader) throws(BlockError) in
      try VariableDirectory(templateCount: self.summary.templateCounts.count, from: &reader)
    }
    loadedDirectory = directory
    return directory
  }

  package func appendMessage(ofRow row: Int, template: Template, to bytes: inout [UInt8]) throws {
    if loadedGroups == nil { _ = try groups() }
    let code = Int(try templateCodes()[row])
    let ordinal = Int(loadedGroups?.ordinals[row] ?? 0)
    try parts(templateCode: code, template).append(ordinal, to: &bytes)
  }

  package func forEachMessage(
    ofTemplate number: UInt32, template: Template, within rows: RowBits?,
    _ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Bool
  ) throws {
    guard let code = summary.templateCode(of: number) else { return }
    let groups = try groups()
    let range = groups.range(of: code)
    try parts(templateCode: code, template).forEach { record, message in
      let row = Int(groups.rows[range.lowerBound + record])
      if let rows, !rows.containsRow(row) { return true }
      return try body(row, message)
    }
  }

  package func forEachPieces(
    ofTemplate number: UInt32, template: Template, within chosen: RowBits?,
    _ body: (Int, UnsafeBufferPointer<UnsafeBufferPointer<UInt8>>) throws -> Bool
  ) throws {
    guard let code = summary.templateCode(of: number) else { return }
    let slotCount = try directory().slotRange(ofTemplate: code).count
    let columns = try (0..<slotCount).map { try variables(templateCode: code, slot: $0) }
    let rows = try rows(ofTemplate: number)
    try template.withPieces { pieces in
      guard pieces.count == 2 * slotCount + 1 else {
        throw BlockError.corrupt(place: "column \(ColumnKey.variableDirectory)")
      }
      func visit(_ ordinal: Int, slot: Int) throws -> Bool {
        guard slot < slotCount else { return try body(Int(rows[ordinal]), UnsafeBufferPointer(pieces)) }
        return try columns[slot].withValue(at: ordinal) { value in
          pieces[2 * slot + 1] = value
          return try visit(ordinal, slot: slot + 1)
        }
      }
      for (ordinal, row) in rows.enumerated() where chosen?.containsRow(Int(row)) ?? true {
        guard try visit(ordinal, slot: 0) else { return }
      }
    }
  }

  private func parts(templateCode code: Int, _ template: Template) throws -> MessageParts {
    if messageParts.isEmpty { messageParts = Array(repeating: nil, count: summary.templateCounts.count) }
    if let parts = messageParts[code], parts.text == template.text { return parts }
    let slotCount = try directory().slotRange(ofTemplate: code).count
    let columns = try (0..<slotCount).map { try variables(templateCode: code, slot: $0) }
    let parts = try MessageParts(template, columns, count: Int(summary.templateCounts[code].count))
    messageParts[code] = parts
    return parts
  }

  // MARK: - Token filters

  package func variablesMayContain(word: [UInt8]) throws -> Bool {
    guard TokenFilter.answersInMessages(word) else { return true }
    if let messageWords { return messageWords.mayContain(word) }
    let filter = try TokenFilter(decoding: content(ColumnKey.words), place: ColumnKey.words)
    messageWords = filter
    return filter.mayContain(word)
  }

  package func field(_ name: [UInt8], mayContain word: [UInt8]) throws -> Bool {
    guard let index = summary.fieldIndex(of: name) else { return false }
    switch summary.fields[index].storage {
    case .constant(let value): return WordTokenizer.words(of: value).contains(word)
    case .dictionary, .shared: return true
    case .list:
      if let filter = fieldWords[index] { return filter.mayContain(word) }
      let key = ColumnKey.fieldWords(index)
      let filter = try TokenFilter(decoding: content(key), place: key)
      fieldWords[index] = filter
      return filter.mayContain(word)
    }
  }

  // MARK: - Fields

  package var fieldNames: [[UInt8]] { summary.fields.lazy.filter { $0.occurrence == 0 }.map(\.name) }

  package func field(_ name: [UInt8]) throws -> FieldColumn {
    guard let index = summary.fieldIndex(of: name) else { return .absent }
    return try field(at: index)
  }

  package func fields(ofRow row: Int) throws -> [Field] {
    guard !summary.fields.isEmpty else { return [] }
    let shapes = try shapes()
    var sharedPlace = 0
    return try shapes.lists[Int(shapes.codes[row])].map { index in
      let value: [UInt8]?
      if summary.fields[Int(index)].storage == .shared {
        let shared = try sharedFields()
        value = shared.values[shared.starts[row] + sharedPlace]
        sharedPlace += 1
      } else {
        value = try field(at: Int(index)).withValue(atRow: row) { $0.map { Array($0) } }
      }
      guard let value else { throw BlockError.corrupt(place: "column \(ColumnKey.shapes)") }
      return Field(name: summary.fields[Int(index)].name, value: value)
    }
  }

  /// The column of one name and occurrence.
  func field(at index: Int) throws -> FieldColumn {
    if let known = fieldColumns[index] { return known }
    let field = summary.fields[index]
    let column: FieldColumn
    switch field.storage {
    case .constant(let value):
      column = .constant(value)
    case .shared:
      column = try sharedField(at: index)
    case .dictionary, .list:
      let key = ColumnKey.field(index)
      let byteCountMax = summary.rawByteCount
      let present = field.presentCount == count ? nil : try shapes().presence(of: index, count: field.presentCount)
      let content = try content(key)
      var times: [Int64]?
      if ColumnCodec.needsTimes(content, at: 0) {
        let all = try self.times()
        times = present.map { present in all.indices.compactMap { present[$0] ? all[$0] : nil } } ?? all
      }
      let stored = try content.read("column \(key)") { (reader) throws(BlockError) in
        try ColumnCodec.decode(count: field.presentCount, byteCountMax: byteCountMax, times: times, from: &reader)
      }
      switch stored {
      case .dictionary(let values, let codes):
        column = .dictionary(values: values, codes: BlockDecoder.spread(codes, present, absent: FieldColumn.absentCode))
      case .list(let values):
        let spans = BlockDecoder.spread(values.spans, present, absent: ByteSpan(offset: 0, length: 0))
        column = .list(ValueList(bytes: values.bytes, spans: spans), present: present)
      }
    }
    fieldColumns[index] = column
    return column
  }

  /// One entry a row out of one entry a row that has the field.
  private static func spread<Element>(_ entries: [Element], _ present: [Bool]?, absent: Element) -> [Element] {
    guard let present else { return entries }
    var next = 0
    return present.map { isPresent in
      guard isPresent else { return absent }
      defer { next += 1 }
      return entries[next]
    }
  }

  private func sharedField(at index: Int) throws -> FieldColumn {
    let shared = try sharedFields()
    let shapes = try shapes()
    let places = shared.places.map { $0[UInt32(index)] }
    var spans: [ByteSpan] = []
    var present: [Bool] = []
    spans.reserveCapacity(count)
    present.reserveCapacity(count)
    for (row, code) in shapes.codes.enumerated() {
      let place = places[Int(code)]
      present.append(place != nil)
      spans.append(place.map { shared.values.spans[shared.starts[row] + $0] } ?? ByteSpan(offset: 0, length: 0))
    }
    return .list(ValueList(bytes: shared.values.bytes, spans: spans), present: present)
  }

  func sharedFields() throws -> SharedFields {
    if let loadedSharedFields { return loadedSharedFields }
    let shapes = try shapes()
    let isShared = summary.fields.map { $0.storage == .shared }
    var shared = SharedFields()
    for list in shapes.lists {
      var places: [UInt32: Int] = [:]
      for field in list where isShared[Int(field)] {
        guard places.updateValue(places.count, forKey: field) == nil else {
          throw BlockError.corrupt(place: "column \(ColumnKey.shapes)")
        }
      }
      shared.places.append(places)
    }
    var total = 0
    shared.starts.reserveCapacity(count)
    for code in shapes.codes {
      shared.starts.append(total)
      total += shared.places[Int(code)].count
    }
    let byteCountMax = summary.rawByteCount
    let stored = try read(ColumnKey.sharedFields) { (reader) throws(BlockError) -> VariableColumn in
      guard try reader.count(max: Int(UInt32.max)) == total else { throw reader.corrupt }
      return try ColumnCodec.decode(count: total, byteCountMax: byteCountMax, times: nil, from: &reader)
    }
    switch stored {
    case .list(let list):
      shared.values = list
    case .dictionary(let list, let codes):
      shared.values = ValueList(bytes: list.bytes, spans: codes.map { list.spans[Int($0)] })
    }
    loadedSharedFields = shared
    return shared
  }

  func shapes() throws -> Shapes {
    if let loadedShapes { return loadedShapes }
    let shapes = try read(ColumnKey.shapes) { (reader) throws(BlockError) in
      try Shapes(fieldCount: self.summary.fields.count, rowCount: self.count, from: &reader)
    }
    loadedShapes = shapes
    return shapes
  }

  // MARK: - Reading

  private func content(_ key: String) throws -> [UInt8] {
    guard keys.contains(key) else { throw BlockError.missingColumn(key) }
    let frame = try load(key)
    loadedByteCount += frame.count
    return try decompressor.open(frame, place: "column \(key)")
  }

  private func read<Result>(
    _ key: String, _ body: (inout ByteReader) throws(BlockError) -> Result
  ) throws -> Result {
    try content(key).read("column \(key)") { (reader) throws(BlockError) -> Result in
      let result = try body(&reader)
      try reader.expectEnd()
      return result
    }
  }
}

extension BlockSummary {
  /// The index in `templateCounts`.
  package func templateCode(of number: UInt32) -> Int? { templateCounts.index(of: number) }

  package func hasStream(_ number: UInt32) -> Bool { streamCounts.index(of: number) != nil }

  /// The index in `fields` of the first field of that name.
  package func fieldIndex(of name: [UInt8]) -> Int? {
    fields.firstIndex { $0.occurrence == 0 && $0.name == name }
  }
}

extension [NumberCount] {
  /// The place of a number among ascending ones.
  func index(of number: UInt32) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low].number == number ? low : nil
  }
}

/// Where each slot's values are.
struct VariableDirectory {
  struct Entry {
    var classes: CharacterClasses
    var group: Int
    var offset: Int
    var byteCount: Int
  }

  private var entries: [Entry] = []
  private var starts: [Int] = [0]

  init(templateCount: Int, from reader: inout ByteReader) throws(BlockError) {
    var ends: [Int: Int] = [:]
    for _ in 0..<templateCount {
      for _ in 0..<(try reader.count(max: reader.remaining)) {
        let classes = CharacterClasses(rawValue: try reader.byte())
        let group = try reader.count(max: Int(UInt32.max))
        let byteCount = try reader.count(max: Int(UInt32.max))
        let offset = ends[group, default: 0]
        ends[group] = offset + byteCount
        entries.append(Entry(classes: classes, group: group, offset: offset, byteCount: byteCount))
      }
      starts.append(entries.count)
    }
  }

  func slotRange(ofTemplate code: Int) -> Range<Int> { starts[code]..<starts[code + 1] }

  func entry(template code: Int, slot: Int) -> Entry? {
    let range = slotRange(ofTemplate: code)
    return slot >= 0 && slot < range.count ? entries[range.lowerBound + slot] : nil
  }
}

/// Which fields each row has, in which order.
struct Shapes {
  /// Indexes into the summary's fields.
  var lists: [[UInt32]] = []
  /// Indexes into `lists`, one a row.
  var codes: [UInt32]

  init(fieldCount: Int, rowCount: Int, from reader: inout ByteReader) throws(BlockError) {
    for _ in 0..<(try reader.count(max: min(rowCount, reader.remaining))) {
      var list: [UInt32] = []
      let count = try reader.count(max: reader.remaining)
      list.reserveCapacity(count)
      for _ in 0..<count {
        let field = try reader.number()
        guard Int(field) < fieldCount else { throw reader.corrupt }
        list.append(field)
      }
      lists.append(list)
    }
    codes = try CodeCodec.decode(count: rowCount, limit: lists.count, from: &reader)
  }

  /// Whether each row has the field.
  ///
  /// - Throws: `.corrupt` if not `count` rows have it.
  func presence(of field: Int, count: Int) throws(BlockError) -> [Bool] {
    let inShape = lists.map { $0.contains(UInt32(field)) }
    var found = 0
    let present = codes.map { code in
      let isPresent = inShape[Int(code)]
      if isPresent { found += 1 }
      return isPresent
    }
    guard found == count else { throw .corrupt(place: "column \(ColumnKey.shapes)") }
    return present
  }
}

/// The values of rare names, which share one column.
struct SharedFields {
  var values = ValueList()
  /// By row: where its values start.
  var starts: [Int] = []
  /// By shape: which of a row's shared values is the field's.
  var places: [[UInt32: Int]] = []
}

extension Template {
  /// Calls `body` with the literals at even places; the odd ones between them are for the variables.
  func withPieces<Result>(
    _ body: (UnsafeMutableBufferPointer<UnsafeBufferPointer<UInt8>>) throws -> Result
  ) rethrows -> Result {
    try text.withUnsafeBufferPointer { text in
      var pieces: [UnsafeBufferPointer<UInt8>] = []
      var start = 0
      var index = 0
      while index < text.count {
        if text[index] == Template.slotMarker, index + 1 < text.count {
          pieces.append(UnsafeBufferPointer(rebasing: text[start..<index]))
          pieces.append(UnsafeBufferPointer(start: nil, count: 0))
          index += 2
          start = index
        } else {
          index += 1
        }
      }
      pieces.append(UnsafeBufferPointer(rebasing: text[start...]))
      return try pieces.withUnsafeMutableBufferPointer { try body($0) }
    }
  }

  /// Appends the literals to `bytes` and lets `appendVariable` append what belongs in each slot.
  func appendMessage(to bytes: inout [UInt8], _ appendVariable: (Int, inout [UInt8]) throws -> Void) rethrows {
    try text.withUnsafeBufferPointer { text in
      var start = 0
      var index = 0
      var slot = 0
      while index < text.count {
        if text[index] == Template.slotMarker, index + 1 < text.count {
          bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
          try appendVariable(slot, &bytes)
          slot += 1
          index += 2
          start = index
        } else {
          index += 1
        }
      }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
    }
  }
}
