internal import CKernels
package import Domain

extension BlockDecoder {
  package func columns(rows chosen: [UInt32]?) throws -> RecordColumns {
    let rows = chosen ?? Array(0..<UInt32(count))
    for row in rows where Int(row) >= count { preconditionFailure("row \(row) of a block of \(count)") }
    var columns = RecordColumns()
    let times = try times()
    let severities = try severities()
    let streams = try streams()
    let templates = try templates()
    columns.times = rows.map { times[Int($0)] }
    columns.severities = rows.map { severities[Int($0)] }
    columns.streams = rows.map { streams[Int($0)] }
    columns.templates = rows.map { templates[Int($0)] }
    try copyVariables(of: rows, into: &columns)
    try copyFields(of: rows, into: &columns)
    guard columns.bytes.count <= Int(UInt32.max) else { throw BlockError.tooLarge }
    return columns
  }

  private func copyVariables(of rows: [UInt32], into columns: inout RecordColumns) throws {
    let codes = try templateCodes().expanded
    let directory = try directory()
    columns.variableStarts.reserveCapacity(rows.count + 1)
    var total = 0
    for row in rows {
      total += directory.slotRange(ofTemplate: Int(codes[Int(row)])).count
      guard total <= Int(UInt32.max) else { throw BlockError.tooLarge }
      columns.variableStarts.append(UInt32(total))
    }
    let ordinals = try groups().ordinals
    columns.variables = [ByteSpan](repeating: ByteSpan(offset: 0, length: 0), count: total)
    // Places in `rows` by template, so that one column at a time is in hand.
    let placesByTemplate = RowGroups(codes: rows.map { codes[Int($0)] }, groupCount: templateCounts.count)
    for code in templateCounts.indices {
      let range = placesByTemplate.range(of: code)
      if range.isEmpty { continue }
      for slot in 0..<directory.slotRange(ofTemplate: code).count {
        let column = try variables(templateCode: code, slot: slot)
        // Values that repeat are copied once.
        var copied: [ByteSpan?] = []
        if case .dictionary(let values, _) = column { copied = Array(repeating: nil, count: values.count) }
        for index in range {
          let place = Int(placesByTemplate.rows[index])
          let ordinal = Int(ordinals[Int(rows[place])])
          let target = Int(columns.variableStarts[place]) + slot
          switch column {
          case .dictionary(let values, let valueCodes):
            let value = Int(valueCodes[ordinal])
            if let known = copied[value] {
              columns.variables[target] = known
            } else {
              let span = try columns.copy(values.spans[value], of: values.bytes)
              copied[value] = span
              columns.variables[target] = span
            }
          case .list(let values):
            columns.variables[target] = try columns.copy(values.spans[ordinal], of: values.bytes)
          }
        }
      }
    }
  }

  private func copyFields(of rows: [UInt32], into columns: inout RecordColumns) throws {
    guard !summary.fields.isEmpty else {
      columns.fieldSets = Array(repeating: 0, count: rows.count)
      if !rows.isEmpty { columns.fieldSetTable = [[]] }
      return
    }
    let shapes = try shapes()
    let shapeCodes = shapes.codes.expanded
    // Rows are equal in their fields if they are equal in shape and, field by field, in the number of the value.
    var isNeeded = [Bool](repeating: false, count: summary.fields.count)
    var isKnown = [Bool](repeating: false, count: shapes.lists.count)
    for row in rows where !isKnown[Int(shapeCodes[Int(row)])] {
      isKnown[Int(shapeCodes[Int(row)])] = true
      for field in shapes.lists[Int(shapeCodes[Int(row)])] { isNeeded[Int(field)] = true }
    }
    var names = [ByteSpan](repeating: ByteSpan(offset: 0, length: 0), count: summary.fields.count)
    var copiers: [FieldCopier] = []
    // -1 for shared fields, whose values are in one column.
    var copierOfField = [Int](repeating: -1, count: summary.fields.count)
    for (index, field) in summary.fields.enumerated() where isNeeded[index] {
      names[index] = try columns.copy(ByteSpan(0..<field.name.count), of: field.name)
      if field.storage == .shared { continue }
      copierOfField[index] = copiers.count
      copiers.append(FieldCopier(name: names[index], column: try self.field(at: index)))
    }
    let shared = summary.fields.contains { $0.storage == .shared } ? try sharedFields() : SharedFields()
    var sharedValues = ByteInterner()
    var copiedShared: [ByteSpan] = []

    var sets = KeyInterner()
    var key: [UInt32] = []
    columns.fieldSets.reserveCapacity(rows.count)
    for row in rows {
      let shape = shapeCodes[Int(row)]
      key.removeAll(keepingCapacity: true)
      key.append(shape)
      var sharedPlace = 0
      for field in shapes.lists[Int(shape)] {
        if copierOfField[Int(field)] < 0 {
          let span = shared.values.spans[shared.starts[Int(row)] + sharedPlace]
          sharedPlace += 1
          key.append(shared.values.bytes.withUnsafeBufferPointer { sharedValues.intern(span, in: $0) })
          if copiedShared.count < sharedValues.count {
            copiedShared.append(try columns.copy(span, of: shared.values.bytes))
          }
          continue
        }
        guard let number = copiers[copierOfField[Int(field)]].number(atRow: Int(row)) else {
          throw BlockError.corrupt(place: "column \(ColumnKey.shapes)")
        }
        key.append(number)
      }
      let (set, isNew) = sets.intern(key)
      columns.fieldSets.append(set)
      guard isNew else { continue }
      var spans: [FieldSpan] = []
      spans.reserveCapacity(key.count - 1)
      for (place, field) in shapes.lists[Int(shape)].enumerated() {
        let number = key[place + 1]
        if copierOfField[Int(field)] < 0 {
          spans.append(FieldSpan(name: names[Int(field)], value: copiedShared[Int(number)]))
        } else {
          spans.append(try copiers[copierOfField[Int(field)]].span(ofNumber: number, into: &columns))
        }
      }
      columns.fieldSetTable.append(spans)
    }
  }
}

/// Numbers the values of one field column and copies each value once.
private struct FieldCopier {
  let name: ByteSpan
  let column: FieldColumn
  private var interner = ByteInterner()
  private var copied: [ByteSpan?] = []

  init(name: ByteSpan, column: FieldColumn) {
    self.name = name
    self.column = column
  }

  /// Equal for equal values; nil if the row has none.
  mutating func number(atRow row: Int) -> UInt32? {
    switch column {
    case .absent: return nil
    case .constant: return 0
    case .dictionary(_, let codes): return codes[row] == FieldColumn.absentCode ? nil : codes[row]
    case .list(let values, let present):
      if let present, !present[row] { return nil }
      return values.bytes.withUnsafeBufferPointer { interner.intern(values.spans[row], in: $0) }
    }
  }

  mutating func span(ofNumber number: UInt32, into columns: inout RecordColumns) throws(BlockError) -> FieldSpan {
    let index = Int(number)
    while copied.count <= index { copied.append(nil) }
    if let known = copied[index] { return FieldSpan(name: name, value: known) }
    let value: ByteSpan
    switch column {
    case .absent: value = ByteSpan(offset: 0, length: 0)
    case .constant(let bytes): value = try columns.copy(ByteSpan(0..<bytes.count), of: bytes)
    case .dictionary(let values, _): value = try columns.copy(values.spans[index], of: values.bytes)
    case .list(let values, _): value = try columns.copy(interner.spans[index], of: values.bytes)
    }
    copied[index] = value
    return FieldSpan(name: name, value: value)
  }
}

/// Distinct lists of numbers, numbered in the order of their first appearance.
private struct KeyInterner {
  private var numbersByHash: [UInt64: UInt32] = [:]
  private var keys: [UInt32] = []
  private var ends: [Int] = []
  private var last: [UInt32] = []
  private var lastNumber: UInt32 = 0

  mutating func intern(_ key: [UInt32]) -> (number: UInt32, isNew: Bool) {
    // Neighbors are often equal.
    if !ends.isEmpty, key == last { return (lastNumber, false) }
    last = key
    var seed: UInt64 = 0
    while true {
      let hash = key.withUnsafeBytes { tl_hash64($0.baseAddress, $0.count, seed) }
      guard let known = numbersByHash[hash] else {
        lastNumber = UInt32(ends.count)
        numbersByHash[hash] = lastNumber
        keys.append(contentsOf: key)
        ends.append(keys.count)
        return (lastNumber, true)
      }
      let start = known == 0 ? 0 : ends[Int(known) - 1]
      if keys[start..<ends[Int(known)]].elementsEqual(key) {
        lastNumber = known
        return (known, false)
      }
      // Two keys of one hash: the second is looked for under another seed, always in the same order.
      seed += 1
    }
  }
}

extension RecordColumns {
  /// Copies a value to the end of `bytes`.
  mutating func copy(_ span: ByteSpan, of source: [UInt8]) throws(BlockError) -> ByteSpan {
    let start = bytes.count
    guard start + Int(span.length) <= Int(UInt32.max) else { throw .tooLarge }
    source.withUnsafeBufferPointer { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: $0[span.range])) }
    return ByteSpan(start..<bytes.count)
  }
}
