internal import Domain

extension RecordColumns {
  /// Appends the records of `other`. Field sets that both have are kept once.
  ///
  /// - Precondition: The bytes and variables of both together stay below 4 Gi.
  mutating func append(_ other: RecordColumns) {
    let byteShift = UInt32(bytes.count)
    let variableShift = UInt32(variables.count)
    times += other.times
    severities += other.severities
    streams += other.streams
    templates += other.templates
    variableStarts.reserveCapacity(variableStarts.count + other.count)
    for start in other.variableStarts.dropFirst() { variableStarts.append(start + variableShift) }
    variables.reserveCapacity(variables.count + other.variables.count)
    for span in other.variables { variables.append(ByteSpan(offset: span.offset + byteShift, length: span.length)) }

    var known: [[UInt8]: UInt32] = [:]
    for (index, fields) in fieldSetTable.enumerated() { known[signature(fields)] = UInt32(index) }
    var renumbered: [UInt32] = []
    renumbered.reserveCapacity(other.fieldSetTable.count)
    for fields in other.fieldSetTable {
      let signature = other.signature(fields)
      if let number = known[signature] {
        renumbered.append(number)
      } else {
        let number = UInt32(fieldSetTable.count)
        known[signature] = number
        renumbered.append(number)
        fieldSetTable.append(
          fields.map { field in
            FieldSpan(
              name: ByteSpan(offset: field.name.offset + byteShift, length: field.name.length),
              value: ByteSpan(offset: field.value.offset + byteShift, length: field.value.length))
          })
      }
    }
    fieldSets.reserveCapacity(fieldSets.count + other.count)
    for number in other.fieldSets { fieldSets.append(renumbered[Int(number)]) }
    bytes += other.bytes
  }

  /// The field set's bytes with their lengths: equal for equal sets only.
  private func signature(_ fields: [FieldSpan]) -> [UInt8] {
    var signature: [UInt8] = []
    for field in fields {
      for span in [field.name, field.value] {
        withUnsafeBytes(of: span.length) { signature.append(contentsOf: $0) }
        signature += bytes[span.range]
      }
    }
    return signature
  }
}
