internal import CKernels
package import Domain

/// A field's values near to their stored form.
enum FieldValues {
  /// Codes are one a row that has the field; `present` is nil if all have.
  case dictionary(values: ValueList, codes: StoredCodes, present: RowBits?)
  case other(FieldColumn)
}

extension BlockDecoder {
  package var fieldNames: [[UInt8]] { summary.fields.lazy.filter { $0.occurrence == 0 }.map(\.name) }

  package func field(_ name: [UInt8]) throws -> FieldColumn {
    guard let index = summary.fieldIndex(of: name) else { return .absent }
    return try field(at: index)
  }

  package func fields(ofRow row: Int) throws -> [Field] {
    guard !summary.fields.isEmpty else { return [] }
    if let (tail, place) = tailPlace(ofRow: row) { return tail.fields(at: place) }
    let shapes = try shapes()
    var sharedPlace = 0
    return try shapes.lists[shapes.codes[row]].map { index in
      let value: [UInt8]?
      if summary.fields[Int(index)].storage == .shared {
        let shared = try sharedFields()
        value = shared.values[shared.starts[row] + sharedPlace]
        sharedPlace += 1
      } else {
        value = try fieldValue(at: Int(index), ofRow: row)
      }
      guard let value else { throw BlockError.corrupt(place: "column \(ColumnKey.shapes)") }
      return Field(name: summary.fields[Int(index)].name, value: value)
    }
  }

  package func fieldValue(_ name: [UInt8], ofRow row: Int) throws -> [UInt8]? {
    guard let index = summary.fieldIndex(of: name) else { return nil }
    if let (tail, place) = tailPlace(ofRow: row) { return tail.fieldValue(name, at: place) }
    return try fieldValue(at: index, ofRow: row)
  }

  private func fieldValue(at index: Int, ofRow row: Int) throws -> [UInt8]? {
    if case .constant(let value) = summary.fields[index].storage { return value }
    switch try fieldValues(at: index) {
    case .dictionary(let values, let codes, let present):
      guard let present else { return values[codes[row]] }
      return present.containsRow(row) ? values[codes[present.rowCount(in: 0..<row)]] : nil
    case .other(let column):
      return column.withValue(atRow: row) { $0.map(Array.init) }
    }
  }

  /// The column of one name and occurrence.
  func field(at index: Int) throws -> FieldColumn {
    if let known = fieldColumns[index] { return known }
    let column: FieldColumn
    switch try fieldValues(at: index) {
    case .other(let other): column = other
    case .dictionary(let values, let codes, let present):
      column = .dictionary(
        values: values, codes: BlockDecoder.spread(codes.expanded, present, count, absent: FieldColumn.absentCode))
    }
    fieldColumns[index] = column
    return column
  }

  func fieldValues(at index: Int) throws -> FieldValues {
    if let known = knownFieldValues[index] { return known }
    let field = summary.fields[index]
    let result: FieldValues
    switch field.storage {
    case .constant(let value):
      result = .other(.constant(value))
    case .shared:
      result = .other(try sharedField(at: index))
    case .dictionary, .list:
      let key = ColumnKey.field(index)
      let byteCountMax = summary.rawByteCount
      let present = field.presentCount == count ? nil : try shapes().presence(of: index, count: field.presentCount)
      let content = try content(key)
      var times: [Int64]?
      if ColumnCodec.needsTimes(content.first) {
        let all = try self.times()
        times = present.map { present in all.indices.compactMap { present.containsRow($0) ? all[$0] : nil } } ?? all
      }
      let stored = try memory.scope {
        try content.read("column \(key)") { (reader) throws(BlockError) in
          try ColumnCodec.decodeStored(
            count: field.presentCount, byteCountMax: byteCountMax, times: times, in: self.memory, from: &reader)
        }
      }
      switch stored {
      case .dictionary(let values, let codes):
        result = .dictionary(values: values, codes: codes, present: present)
      case .list(let values):
        let spans = BlockDecoder.spread(values.spans, present, count, absent: ByteSpan(offset: 0, length: 0))
        let presence = present.map { present in (0..<count).map { present.containsRow($0) } }
        result = .other(.list(ValueList(bytes: values.bytes, spans: spans), present: presence))
      }
    }
    knownFieldValues[index] = result
    return result
  }

  /// One entry a row out of one entry a row that has the field.
  private static func spread<Element>(
    _ entries: [Element], _ present: RowBits?, _ count: Int, absent: Element
  ) -> [Element] {
    guard let present else { return entries }
    var result = [Element](repeating: absent, count: count)
    var next = 0
    present.forEachRow { row in
      result[row] = entries[next]
      next += 1
      return true
    }
    return result
  }

  // MARK: - Rows and counts by values

  package func rows(
    whereField name: [UInt8], _ passes: (UnsafeBufferPointer<UInt8>?) -> Bool
  ) throws -> RowBits {
    guard let index = summary.fieldIndex(of: name) else { return RowBits(rowCount: count, all: passes(nil)) }
    switch try fieldValues(at: index) {
    case .dictionary(let values, let codes, let present):
      var isPassing = [Bool](repeating: false, count: codes.limit)
      values.forEach { isPassing[$0] = passes($1) }
      let found = codes.rows(where: isPassing)
      guard let present else { return found }
      var rows = found.spread(to: present)
      if passes(nil) {
        let all = RowBits(rowCount: count, all: true)
        for word in rows.indices { rows[word] |= all[word] & ~present[word] }
      }
      return rows
    case .other(.constant(let value)):
      return RowBits(rowCount: count, all: value.withUnsafeBufferPointer { passes($0) })
    case .other(.list(let values, let present)):
      return RowBits(rowCount: count) { row in
        if let present, !present[row] { return passes(nil) }
        return values.withValue(at: row) { passes($0) }
      }
    case .other:
      return RowBits(rowCount: count, all: passes(nil))
    }
  }

  package func fieldValueCounts(_ name: [UInt8], within rows: RowBits?) throws -> FieldValueCounts? {
    guard let index = summary.fieldIndex(of: name) else {
      return FieldValueCounts(values: ValueList(), counts: [], absentCount: rows?.rowCount ?? count)
    }
    if rows == nil, let known = try storedCounts()[index] { return known }
    switch try fieldValues(at: index) {
    case .dictionary(let values, let codes, let present):
      guard let present else {
        return FieldValueCounts(
          values: values, counts: Array(codes.counts(within: rows).prefix(values.count)), absentCount: 0)
      }
      let dense = rows?.gathered(from: present, rowCount: codes.count)
      let counts = Array(codes.counts(within: dense).prefix(values.count))
      return FieldValueCounts(
        values: values, counts: counts, absentCount: (rows?.rowCount ?? count) - counts.reduce(0, +))
    case .other(.constant(let value)):
      var values = ValueList()
      values.append(value)
      return FieldValueCounts(values: values, counts: [rows?.rowCount ?? count], absentCount: 0)
    case .other:
      return nil
    }
  }

  /// By field: the counts that the block itself holds. Blocks written before there were any hold none.
  func storedCounts() throws -> [Int: FieldValueCounts] {
    if let loadedFieldCounts { return loadedFieldCounts }
    var all: [Int: FieldValueCounts] = [:]
    if hasColumn(ColumnKey.fieldCounts) {
      all = try memory.scope {
        try read(ColumnKey.fieldCounts) { (reader) throws(BlockError) in
          var all: [Int: FieldValueCounts] = [:]
          for (index, field) in self.summary.fields.enumerated() {
            guard case .dictionary(let distinctCount) = field.storage, distinctCount <= BlockEncoder.countedValuesMax
            else { continue }
            let values = try ColumnCodec.decodeValues(count: distinctCount, in: self.memory, from: &reader)
            var left = field.presentCount
            var counts: [Int] = []
            for _ in 0..<distinctCount {
              let count = try reader.count(max: left)
              left -= count
              counts.append(count)
            }
            guard left == 0 else { throw reader.corrupt }
            all[index] = FieldValueCounts(values: values, counts: counts, absentCount: self.count - field.presentCount)
          }
          return all
        }
      }
    }
    loadedFieldCounts = all
    return all
  }

  // MARK: - Rare fields

  private func sharedField(at index: Int) throws -> FieldColumn {
    let shared = try sharedFields()
    let shapes = try shapes()
    let places = shared.places.map { $0[UInt32(index)] }
    var spans: [ByteSpan] = []
    var present: [Bool] = []
    spans.reserveCapacity(count)
    present.reserveCapacity(count)
    for (row, code) in shapes.codes.expanded.enumerated() {
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
    for code in shapes.codes.expanded {
      shared.starts.append(total)
      total += shared.places[Int(code)].count
    }
    let byteCountMax = summary.rawByteCount
    let stored = try memory.scope {
      try read(ColumnKey.sharedFields) { (reader) throws(BlockError) -> VariableColumn in
        guard try reader.count(max: Int(UInt32.max)) == total else { throw reader.corrupt }
        return try ColumnCodec.decode(
          count: total, byteCountMax: byteCountMax, times: nil, in: self.memory, from: &reader
        ).column(count: total)
      }
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
}

/// Which fields each row has, in which order.
struct Shapes {
  /// Indexes into the summary's fields.
  var lists: [[UInt32]] = []
  /// Indexes into `lists`, one a row.
  var codes: StoredCodes

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
  func presence(of field: Int, count: Int) throws(BlockError) -> RowBits {
    let present = codes.rows(where: lists.map { $0.contains(UInt32(field)) })
    guard present.rowCount == count else { throw .corrupt(place: "column \(ColumnKey.shapes)") }
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
