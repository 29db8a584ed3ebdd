internal import CKernels
package import Domain

/// Records taken apart: what `ParsedRecords` becomes on its way to the store.
package struct Decomposition: Sendable {
  /// `templates` and `streams` are indices into the two tables below until `renumber` replaces them by the tenant's
  /// numbers. Variables and fields are spans of `columns.bytes`, which holds nothing else.
  package private(set) var columns = RecordColumns()
  /// Distinct template texts, in the order in which they first occur.
  package private(set) var templates: [[UInt8]] = []
  /// Distinct streams, in the order of the parser's table.
  package private(set) var streams: [Stream] = []

  /// Takes every message of `records` apart, in one pass.
  ///
  /// - Complexity: Linear in the bytes of the records; allocates for the batch and for each new template, never for a
  ///   record.
  package init(_ records: ParsedRecords) {
    streams = records.streamTable.map { labels in
      Stream(
        labels: labels.map {
          Field(name: Array(records.bytes[$0.name.range]), value: Array(records.bytes[$0.value.range]))
        })
    }
    columns.times = records.times
    columns.severities = records.severities
    columns.streams = records.streams
    columns.fieldSets = records.fieldSets
    records.bytes.withUnsafeBufferPointer { bytes in
      copyFieldSets(of: records, bytes)
      takeMessagesApart(of: records, bytes)
    }
  }

  private mutating func copyFieldSets(of records: ParsedRecords, _ bytes: UnsafeBufferPointer<UInt8>) {
    var byteCount = 0
    for fields in records.fieldSetTable {
      for field in fields { byteCount += Int(field.name.length) + Int(field.value.length) }
    }
    columns.bytes.reserveCapacity(byteCount + records.messages.reduce(0) { $0 + Int($1.length) } / 3)
    columns.fieldSetTable.reserveCapacity(records.fieldSetTable.count)
    for fields in records.fieldSetTable {
      columns.fieldSetTable.append(
        fields.map { field in FieldSpan(name: copy(field.name, of: bytes), value: copy(field.value, of: bytes)) })
    }
  }

  private mutating func copy(_ span: ByteSpan, of bytes: UnsafeBufferPointer<UInt8>) -> ByteSpan {
    let start = columns.bytes.count
    columns.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[span.range]))
    return ByteSpan(start..<columns.bytes.count)
  }

  private mutating func takeMessagesApart(of records: ParsedRecords, _ bytes: UnsafeBufferPointer<UInt8>) {
    typealias Shape = Decomposer.Shape
    let decomposer = Decomposer()
    var table = TemplateTable()
    columns.templates.reserveCapacity(records.count)
    columns.variableStarts.reserveCapacity(records.count + 1)
    columns.variables.reserveCapacity(records.count * 4)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Shape.textCapacity) { text in
      withUnsafeTemporaryAllocation(of: ByteSpan.self, capacity: Shape.spanCapacity) { spans in
        var shape = Shape(text: text.baseAddress!, spans: spans.baseAddress!)
        for span in records.messages {
          let message = UnsafeBufferPointer(rebasing: bytes[span.range])
          shape.reset()
          decomposer.decompose(message, into: &shape)
          columns.templates.append(table.number(of: shape.templateText))
          for variable in shape.variables {
            let start = columns.bytes.count
            columns.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: message[variable.range]))
            columns.variables.append(ByteSpan(offset: UInt32(truncatingIfNeeded: start), length: variable.length))
          }
          columns.variableStarts.append(UInt32(truncatingIfNeeded: columns.variables.count))
        }
      }
    }
    templates = table.texts
  }

  /// Puts the tenant's numbers in place of the batch's.
  ///
  /// - Parameters:
  ///   - templateNumbers: One for each of `templates`.
  ///   - streamNumbers: One for each of `streams`.
  package mutating func renumber(templateNumbers: [UInt32], streamNumbers: [UInt32]) {
    precondition(templateNumbers.count == templates.count, "one number a template")
    precondition(streamNumbers.count == streams.count, "one number a stream")
    for index in columns.templates.indices { columns.templates[index] = templateNumbers[Int(columns.templates[index])] }
    for index in columns.streams.indices { columns.streams[index] = streamNumbers[Int(columns.streams[index])] }
  }
}

/// The distinct template texts of a batch, numbered as they come: open addressing, no text made for one seen before.
private struct TemplateTable {
  private(set) var texts: [[UInt8]] = []
  private var hashes: [UInt64] = []
  /// Number + 1 of the text in this place, 0 for none. The count is a power of two, at most half of it in use.
  private var places = [UInt32](repeating: 0, count: 1024)

  mutating func number(of text: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let hash = tl_hash64(text.baseAddress, text.count, 0)
    var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
    while places[place] != 0 {
      let number = Int(places[place]) - 1
      if hashes[number] == hash, isEqual(texts[number], text) { return UInt32(truncatingIfNeeded: number) }
      place = (place + 1) & (places.count - 1)
    }
    places[place] = UInt32(truncatingIfNeeded: texts.count + 1)
    texts.append(Array(text))
    hashes.append(hash)
    if texts.count * 2 > places.count { grow() }
    return UInt32(truncatingIfNeeded: texts.count - 1)
  }

  private func isEqual(_ stored: [UInt8], _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard stored.count == text.count else { return false }
    return stored.withUnsafeBytes { left in
      let right = UnsafeRawBufferPointer(text)
      var index = 0
      while index + 8 <= left.count {
        if left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
          != right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        {
          return false
        }
        index += 8
      }
      while index < left.count {
        if left[index] != right[index] { return false }
        index += 1
      }
      return true
    }
  }

  private mutating func grow() {
    places = [UInt32](repeating: 0, count: places.count * 2)
    for (number, hash) in hashes.enumerated() {
      var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
      while places[place] != 0 { place = (place + 1) & (places.count - 1) }
      places[place] = UInt32(truncatingIfNeeded: number + 1)
    }
  }
}
