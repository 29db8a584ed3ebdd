package import Domain

/// Records in memory as a `RecordSource`: what is acknowledged but not yet in a block.
///
/// An instance is used by one thread at a time: it fills its caches without a lock.
package final class HeadSource: RecordSource {
  private let records: RecordColumns
  private let templateColumn: NumberColumn
  private let streamColumn: NumberColumn
  private var loadedGroups: RowGroups?
  private var fieldColumns: [[UInt8]: FieldColumn] = [:]
  private var names: [[UInt8]]?

  /// - Throws: `.invalidRecords` if the columns do not fit each other, or records of one template differ in their
  ///   variable count.
  package init(_ records: RecordColumns) throws(BlockError) {
    try records.validate()
    self.records = records
    templateColumn = NumberColumn(records.count) { records.templates[$0] }
    streamColumn = NumberColumn(records.count) { records.streams[$0] }
    var slotCounts = [UInt32](repeating: .max, count: templateColumn.counts.count)
    for row in 0..<records.count {
      let count = records.variableStarts[row + 1] - records.variableStarts[row]
      let code = Int(templateColumn.codes[row])
      if slotCounts[code] == .max { slotCounts[code] = count }
      guard slotCounts[code] == count else {
        throw .invalidRecords("records of one template differ in their variables")
      }
    }
  }

  package var count: Int { records.count }
  package func times() -> [Int64] { records.times }
  package func severities() -> [Severity] { records.severities }
  package func streams() -> [UInt32] { records.streams }
  package func templates() -> [UInt32] { records.templates }
  package var templateCounts: [NumberCount] { templateColumn.counts }
  package var streamCounts: [NumberCount] { streamColumn.counts }

  // MARK: - Variables

  private var groups: RowGroups {
    if let loadedGroups { return loadedGroups }
    let groups = RowGroups(codes: templateColumn.codes, groupCount: templateColumn.counts.count)
    loadedGroups = groups
    return groups
  }

  package func rows(ofTemplate number: UInt32) -> [UInt32] {
    guard let code = templateColumn.counts.index(of: number) else { return [] }
    let groups = groups
    return Array(groups.rows[groups.range(of: code)])
  }

  package func slotCount(ofTemplate number: UInt32) -> Int {
    guard let row = rows(ofTemplate: number).first else { return 0 }
    return Int(records.variableStarts[Int(row) + 1] - records.variableStarts[Int(row)])
  }

  package func variables(ofTemplate number: UInt32, slot: Int) -> VariableColumn {
    let rows = rows(ofTemplate: number)
    guard slot >= 0, slot < slotCount(ofTemplate: number) else { return .list(ValueList()) }
    let spans = rows.map { records.variables[Int(records.variableStarts[Int($0)]) + slot] }
    return .list(ValueList(bytes: records.bytes, spans: spans))
  }

  package func characterClasses(ofTemplate number: UInt32, slot: Int) -> CharacterClasses {
    var classes = CharacterClasses()
    guard case .list(let values) = variables(ofTemplate: number, slot: slot) else { return classes }
    values.forEach { classes.formUnion(CharacterClasses(of: $1)) }
    return classes
  }

  package func variablesMayContain(word: [UInt8]) -> Bool { true }
  package func variablesMayContain(_ run: LetterRun, ignoringCase: Bool) -> Bool { true }
  package func field(_ name: [UInt8], mayContain word: [UInt8]) -> Bool { true }

  package func appendMessage(ofRow row: Int, template: Template, to bytes: inout [UInt8]) throws {
    let variables = Int(records.variableStarts[row])..<Int(records.variableStarts[row + 1])
    try template.appendMessage(to: &bytes) { slot, bytes in
      guard slot < variables.count else { throw BlockError.invalidRecords("a template has more slots than variables") }
      bytes.append(contentsOf: records.bytes[records.variables[variables.lowerBound + slot].range])
    }
  }

  package func forEachMessage(
    ofTemplate number: UInt32, template: Template, within chosen: RowBits?,
    _ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Bool
  ) throws {
    var message: [UInt8] = []
    for row in rows(ofTemplate: number) {
      if let chosen, !chosen.containsRow(Int(row)) { continue }
      message.removeAll(keepingCapacity: true)
      try appendMessage(ofRow: Int(row), template: template, to: &message)
      guard try message.withUnsafeBufferPointer({ try body(Int(row), $0) }) else { return }
    }
  }

  package func forEachPieces(
    ofTemplate number: UInt32, template: Template, within chosen: RowBits?,
    _ body: (Int, UnsafeBufferPointer<UnsafeBufferPointer<UInt8>>) throws -> Bool
  ) throws {
    let slotCount = slotCount(ofTemplate: number)
    try template.withPieces { pieces in
      guard pieces.count == 2 * slotCount + 1 else {
        throw BlockError.invalidRecords("a template has more slots than variables")
      }
      try records.bytes.withUnsafeBufferPointer { bytes in
        for row in rows(ofTemplate: number) {
          if let chosen, !chosen.containsRow(Int(row)) { continue }
          let first = Int(records.variableStarts[Int(row)])
          for slot in 0..<slotCount {
            pieces[2 * slot + 1] = UnsafeBufferPointer(rebasing: bytes[records.variables[first + slot].range])
          }
          guard try body(Int(row), UnsafeBufferPointer(pieces)) else { return }
        }
      }
    }
  }

  // MARK: - Fields

  package var fieldNames: [[UInt8]] {
    if let names { return names }
    var interner = ByteInterner()
    records.bytes.withUnsafeBufferPointer { bytes in
      for set in records.fieldSetTable {
        for field in set { _ = interner.intern(field.name, in: bytes) }
      }
    }
    let found = interner.spans.map { Array(records.bytes[$0.range]) }
    names = found
    return found
  }

  package func field(_ name: [UInt8]) -> FieldColumn {
    if let known = fieldColumns[name] { return known }
    let column = makeField(name)
    fieldColumns[name] = column
    return column
  }

  private func makeField(_ name: [UInt8]) -> FieldColumn {
    let absent = ByteSpan(offset: .max, length: 0)
    let spanOfSet = records.bytes.withUnsafeBufferPointer { bytes in
      name.withUnsafeBufferPointer { name in
        records.fieldSetTable.map { set in
          set.first { $0.name.length == name.count && bytes[$0.name.range].elementsEqual(name) }?.value ?? absent
        }
      }
    }
    guard spanOfSet.contains(where: { $0 != absent }) else { return .absent }
    if records.fieldSetTable.count * 2 <= records.count {
      var interner = ByteInterner()
      let codeOfSet = records.bytes.withUnsafeBufferPointer { bytes in
        spanOfSet.map { $0 == absent ? FieldColumn.absentCode : interner.intern($0, in: bytes) }
      }
      let codes = records.fieldSets.map { codeOfSet[Int($0)] }
      return .dictionary(values: ValueList(bytes: records.bytes, spans: interner.spans), codes: codes)
    }
    let spans = records.fieldSets.map { spanOfSet[Int($0)] }
    guard spans.contains(absent) else { return .list(ValueList(bytes: records.bytes, spans: spans), present: nil) }
    let present = spans.map { $0 != absent }
    let list = spans.map { $0 == absent ? ByteSpan(offset: 0, length: 0) : $0 }
    return .list(ValueList(bytes: records.bytes, spans: list), present: present)
  }

  package func fields(ofRow row: Int) -> [Field] {
    records.fieldSetTable[Int(records.fieldSets[row])].map {
      Field(name: Array(records.bytes[$0.name.range]), value: Array(records.bytes[$0.value.range]))
    }
  }

  // MARK: - Records

  package func columns(rows: [UInt32]?) throws -> RecordColumns {
    guard let rows else { return records }
    return try records.selecting(rows)
  }
}
