internal import CKernels
internal import Domain

extension RecordColumns {
  /// That every array fits the others and every span lies in `bytes`, so that what follows may index without asking.
  func validate() throws(BlockError) {
    let count = times.count
    guard severities.count == count, streams.count == count, templates.count == count, fieldSets.count == count,
      variableStarts.count == count + 1
    else { throw .invalidRecords("columns differ in length") }
    guard bytes.count <= Int(UInt32.max) else { throw .tooLarge }
    guard variableStarts[0] == 0, Int(variableStarts[count]) == variables.count else {
      throw .invalidRecords("variable starts do not fit the variables")
    }
    for index in 0..<count where variableStarts[index] > variableStarts[index + 1] {
      throw .invalidRecords("variable starts do not ascend")
    }
    for set in fieldSets where Int(set) >= fieldSetTable.count { throw .invalidRecords("unknown field set") }
    for span in variables where span.end > bytes.count { throw .invalidRecords("a variable lies outside the bytes") }
    for set in fieldSetTable {
      for field in set where field.name.end > bytes.count || field.value.end > bytes.count {
        throw .invalidRecords("a field lies outside the bytes")
      }
    }
  }

  /// The same records in one, in order. Equal field sets of different sources become one.
  static func joined(_ sources: [RecordColumns]) throws(BlockError) -> RecordColumns {
    for source in sources { try source.validate() }
    if sources.count == 1 { return sources[0] }
    var result = RecordColumns()
    let byteCount = sources.reduce(0) { $0 + $1.bytes.count }
    let variableCount = sources.reduce(0) { $0 + $1.variables.count }
    guard byteCount <= Int(UInt32.max), variableCount <= Int(UInt32.max) else { throw .tooLarge }
    let count = sources.reduce(0) { $0 + $1.count }
    result.bytes.reserveCapacity(byteCount)
    result.variables.reserveCapacity(variableCount)
    result.variableStarts.reserveCapacity(count + 1)
    result.fieldSets.reserveCapacity(count)
    var setsByHash: [UInt64: UInt32] = [:]
    for source in sources {
      let byteOffset = UInt32(result.bytes.count)
      let variableOffset = UInt32(result.variables.count)
      result.bytes.append(contentsOf: source.bytes)
      result.times.append(contentsOf: source.times)
      result.severities.append(contentsOf: source.severities)
      result.streams.append(contentsOf: source.streams)
      result.templates.append(contentsOf: source.templates)
      for span in source.variables { result.variables.append(span.shifted(by: byteOffset)) }
      for start in source.variableStarts.dropFirst() { result.variableStarts.append(start + variableOffset) }
      var numbers: [UInt32] = []
      numbers.reserveCapacity(source.fieldSetTable.count)
      for set in source.fieldSetTable {
        let hash = source.bytes.withUnsafeBufferPointer { fieldSetHash(set, $0) }
        let shifted = set.map {
          FieldSpan(name: $0.name.shifted(by: byteOffset), value: $0.value.shifted(by: byteOffset))
        }
        if let known = setsByHash[hash],
          result.bytes.withUnsafeBufferPointer({ fieldSetsEqual(result.fieldSetTable[Int(known)], shifted, $0) })
        {
          numbers.append(known)
        } else {
          let number = UInt32(result.fieldSetTable.count)
          setsByHash[hash] = number
          result.fieldSetTable.append(shifted)
          numbers.append(number)
        }
      }
      for set in source.fieldSets { result.fieldSets.append(numbers[Int(set)]) }
    }
    return result
  }
}

func fieldSetHash(_ set: [FieldSpan], _ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
  var hash = UInt64(set.count)
  for field in set {
    for span in [field.name, field.value] {
      let text = UnsafeBufferPointer(rebasing: bytes[span.range])
      hash = tl_hash64(text.baseAddress, text.count, hash)
    }
  }
  return hash
}

func fieldSetsEqual(_ left: [FieldSpan], _ right: [FieldSpan], _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
  guard left.count == right.count else { return false }
  for index in left.indices {
    guard equal(bytes, left[index].name, right[index].name), equal(bytes, left[index].value, right[index].value) else {
      return false
    }
  }
  return true
}

extension ByteSpan {
  @inline(__always)
  var end: Int { Int(offset) + Int(length) }

  @inline(__always)
  func shifted(by distance: UInt32) -> ByteSpan { ByteSpan(offset: offset + distance, length: length) }
}

extension RecordColumns {
  /// The given records, in that order, with the field sets that they use.
  func selecting(_ rows: [UInt32]) throws(BlockError) -> RecordColumns {
    var columns = RecordColumns()
    columns.fieldSetTable = []
    var setNumbers = [UInt32](repeating: .max, count: fieldSetTable.count)
    for row in rows {
      let row = Int(row)
      columns.times.append(times[row])
      columns.severities.append(severities[row])
      columns.streams.append(streams[row])
      columns.templates.append(templates[row])
      for index in Int(variableStarts[row])..<Int(variableStarts[row + 1]) {
        columns.variables.append(try columns.copy(variables[index], of: bytes))
      }
      columns.variableStarts.append(UInt32(columns.variables.count))
      let set = Int(fieldSets[row])
      if setNumbers[set] == .max {
        setNumbers[set] = UInt32(columns.fieldSetTable.count)
        var fields: [FieldSpan] = []
        for field in fieldSetTable[set] {
          let name = try columns.copy(field.name, of: bytes)
          fields.append(FieldSpan(name: name, value: try columns.copy(field.value, of: bytes)))
        }
        columns.fieldSetTable.append(fields)
      }
      columns.fieldSets.append(setNumbers[set])
    }
    return columns
  }
}
