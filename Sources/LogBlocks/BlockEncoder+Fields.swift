internal import Domain

extension BlockEncoder {
  mutating func encodeFields(_ rows: [UInt32], _ summary: inout BlockSummary) {
    let records = records
    let sets = UsedFieldSets(rows, records)
    guard !sets.names.isEmpty else { return }

    // Who gets a column: of more names than there are columns for, the most frequent.
    let order = sets.presentCounts.indices.sorted { sets.presentCounts[$0] > sets.presentCounts[$1] }
    let isShared = { (rank: Int) in rank >= BlockEncoder.fieldColumnCountMax }
    var shared = [Bool](repeating: false, count: order.count)
    for (rank, field) in order.enumerated() { shared[field] = isShared(rank) }

    encodeShapes(rows, sets)
    var interner = ByteInterner()
    // The value's number in each used set, `.max` where the field is not in it.
    var codeOfSet = [UInt32](repeating: .max, count: sets.sets.count)
    var spanOfSet = [ByteSpan](repeating: ByteSpan(offset: 0, length: 0), count: sets.sets.count)
    var codes: [UInt32] = []
    var spans: [ByteSpan] = []
    var times: [Int64] = []
    var counts: [UInt8] = []
    var countOfCode: [Int] = []
    for field in sets.names.indices {
      let (name, occurrence) = sets.names[field]
      let presentCount = sets.presentCounts[field]
      var storage = BlockSummary.FieldSummary.Storage.shared
      if !shared[field] {
        storage = records.bytes.withUnsafeBufferPointer { bytes in
          interner.removeAll()
          let entries = sets.entries(of: field)
          for entry in entries {
            codeOfSet[Int(entry.set)] = interner.intern(entry.value, in: bytes)
            spanOfSet[Int(entry.set)] = entry.value
          }
          defer {
            for entry in entries { codeOfSet[Int(entry.set)] = .max }
          }
          let distinct = interner.spans
          if distinct.count == 1, presentCount == rows.count, distinct[0].length <= BlockEncoder.constantByteCountMax {
            return .constant(Array(bytes[distinct[0].range]))
          }
          var content: [UInt8] = []
          if distinct.count * 4 <= presentCount || distinct.count <= 8 {
            codes.removeAll(keepingCapacity: true)
            for set in sets.setOfRow where codeOfSet[Int(set)] != .max { codes.append(codeOfSet[Int(set)]) }
            distinct.withUnsafeBufferPointer { distinct in
              codes.withUnsafeBufferPointer { codes in
                values.encodeDictionary(distinct, codes: codes, in: bytes, into: &content)
              }
            }
            append(ColumnKey.field(field), content)
            if distinct.count <= BlockEncoder.countedValuesMax {
              countOfCode.removeAll(keepingCapacity: true)
              countOfCode.append(contentsOf: repeatElement(0, count: distinct.count))
              for code in codes { countOfCode[Int(code)] += 1 }
              distinct.withUnsafeBufferPointer { values.appendText($0, in: bytes, into: &counts) }
              for count in countOfCode { counts.appendVarint(count) }
            }
            return .dictionary(distinctCount: distinct.count)
          }
          spans.removeAll(keepingCapacity: true)
          times.removeAll(keepingCapacity: true)
          for (row, set) in sets.setOfRow.enumerated() where codeOfSet[Int(set)] != .max {
            spans.append(spanOfSet[Int(set)])
            times.append(records.times[Int(rows[row])])
          }
          spans.withUnsafeBufferPointer { spans in
            times.withUnsafeBufferPointer { values.encodeList(spans, in: bytes, times: $0, into: &content) }
          }
          append(ColumnKey.field(field), content)
          if occurrence == 0 {
            words.removeAll()
            for value in distinct {
              words.insertWords(of: UnsafeBufferPointer(rebasing: bytes[value.range]), onlyOfMessages: false)
            }
            append(ColumnKey.fieldWords(field), TokenFilter(keys: words.keys).encoded)
          }
          return .list
        }
      }
      let nameBytes = Array(records.bytes[name.range])
      summary.fields.append(
        .init(name: nameBytes, occurrence: occurrence, storage: storage, presentCount: presentCount))
    }

    if !counts.isEmpty { append(ColumnKey.fieldCounts, counts) }

    guard shared.contains(true) else { return }
    spans.removeAll(keepingCapacity: true)
    for set in sets.setOfRow {
      let shape = sets.shapes[Int(sets.shapeOfSet[Int(set)])]
      for (place, field) in shape.enumerated() where shared[Int(field)] {
        spans.append(records.fieldSetTable[Int(sets.sets[Int(set)])][place].value)
      }
    }
    var content: [UInt8] = []
    content.appendVarint(spans.count)
    records.bytes.withUnsafeBufferPointer { bytes in
      let noTimes = UnsafeBufferPointer<Int64>(start: nil, count: 0)
      spans.withUnsafeBufferPointer { values.encodeList($0, in: bytes, times: noTimes, into: &content) }
    }
    append(ColumnKey.sharedFields, content)
  }

  private mutating func encodeShapes(_ rows: [UInt32], _ sets: UsedFieldSets) {
    var content: [UInt8] = []
    content.appendVarint(sets.shapes.count)
    for shape in sets.shapes {
      content.appendVarint(shape.count)
      for field in shape { content.appendVarint(field) }
    }
    let codes = sets.setOfRow.map { sets.shapeOfSet[Int($0)] }
    codes.withUnsafeBufferPointer { CodeCodec.encode($0, limit: sets.shapes.count, into: &content) }
    append(ColumnKey.shapes, content)
  }
}

/// The field sets that a block's rows use, with names turned into field numbers.
///
/// A field is a name and which of its occurrences in a record it is. A shape is a list of fields: what a set has, in
/// which order.
struct UsedFieldSets {
  struct Entry {
    var set: UInt32
    var value: ByteSpan
  }

  /// Numbers in `RecordColumns.fieldSetTable` of the used sets.
  private(set) var sets: [UInt32] = []
  /// Index in `sets`, by row of the block.
  private(set) var setOfRow: [UInt32] = []
  private(set) var names: [(name: ByteSpan, occurrence: Int)] = []
  /// Rows that have the field.
  private(set) var presentCounts: [Int] = []
  private(set) var shapes: [[UInt32]] = []
  private(set) var shapeOfSet: [UInt32] = []

  /// Entries by field: those of field f are `allEntries[entryStarts[f]..<entryStarts[f + 1]]`.
  private var allEntries: [Entry] = []
  private var entryStarts: [Int] = []

  init(_ rows: [UInt32], _ records: RecordColumns) {
    var known = [UInt32](repeating: .max, count: records.fieldSetTable.count)
    var rowCounts: [Int] = []
    setOfRow.reserveCapacity(rows.count)
    for row in rows {
      let set = Int(records.fieldSets[Int(row)])
      if known[set] == .max {
        known[set] = UInt32(sets.count)
        sets.append(UInt32(set))
        rowCounts.append(0)
      }
      rowCounts[Int(known[set])] += 1
      setOfRow.append(known[set])
    }
    records.bytes.withUnsafeBufferPointer { findShapes(records.fieldSetTable, $0) }
    presentCounts = [Int](repeating: 0, count: names.count)
    entryStarts = [Int](repeating: 0, count: names.count + 1)
    for (set, shape) in shapeOfSet.enumerated() {
      for field in shapes[Int(shape)] {
        presentCounts[Int(field)] += rowCounts[set]
        entryStarts[Int(field) + 1] += 1
      }
    }
    for field in names.indices { entryStarts[field + 1] += entryStarts[field] }
    var next = entryStarts
    allEntries = [Entry](
      repeating: Entry(set: 0, value: ByteSpan(offset: 0, length: 0)), count: entryStarts[names.count])
    for (set, shape) in shapeOfSet.enumerated() {
      let fields = records.fieldSetTable[Int(sets[set])]
      for (place, field) in shapes[Int(shape)].enumerated() {
        allEntries[next[Int(field)]] = Entry(set: UInt32(set), value: fields[place].value)
        next[Int(field)] += 1
      }
    }
  }

  func entries(of field: Int) -> ArraySlice<Entry> { allEntries[entryStarts[field]..<entryStarts[field + 1]] }

  private mutating func findShapes(_ table: [[FieldSpan]], _ bytes: UnsafeBufferPointer<UInt8>) {
    var interner = ByteInterner()
    // By name: the set that had it last, and how often so far.
    var lastSet: [UInt32] = []
    var occurrences: [Int] = []
    var fieldNumbers: [UInt64: UInt32] = [:]
    var shapeNumbers: [[UInt32]: UInt32] = [:]
    for index in sets.indices {
      let set = table[Int(sets[index])]
      if index > 0 {
        // Neighbors mostly have the same names in the same order.
        let before = table[Int(sets[index - 1])]
        if before.count == set.count, set.indices.allSatisfy({ equal(bytes, before[$0].name, set[$0].name) }) {
          shapeOfSet.append(shapeOfSet[index - 1])
          continue
        }
      }
      var shape: [UInt32] = []
      shape.reserveCapacity(set.count)
      for field in set {
        let name = interner.intern(field.name, in: bytes)
        if Int(name) == lastSet.count {
          lastSet.append(.max)
          occurrences.append(0)
        }
        if lastSet[Int(name)] != UInt32(index) {
          lastSet[Int(name)] = UInt32(index)
          occurrences[Int(name)] = 0
        }
        let occurrence = occurrences[Int(name)]
        occurrences[Int(name)] += 1
        let key = UInt64(name) << 32 | UInt64(occurrence)
        if let number = fieldNumbers[key] {
          shape.append(number)
        } else {
          let number = UInt32(names.count)
          fieldNumbers[key] = number
          names.append((field.name, occurrence))
          shape.append(number)
        }
      }
      if let number = shapeNumbers[shape] {
        shapeOfSet.append(number)
      } else {
        let number = UInt32(shapes.count)
        shapeNumbers[shape] = number
        shapes.append(shape)
        shapeOfSet.append(number)
      }
    }
  }
}
