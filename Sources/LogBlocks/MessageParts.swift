internal import Domain

/// One template's messages in a form that puts them together fast: literals and variables in one buffer, spans record
/// by record.
final class MessageParts {
  /// The template's, to tell whether these are its parts.
  let text: [UInt8]
  private let slotCount: Int
  /// Literals, then the values of all slots.
  private var bytes: [UInt8] = []
  /// One more than slots.
  private var literals: [Part] = []
  /// `slotCount` a record.
  private var variables: [Part]
  private let count: Int

  private struct Part {
    var offset: UInt32
    var length: UInt32

    @inline(__always)
    init(_ span: ByteSpan, base: UInt32 = 0) {
      offset = span.offset + base
      length = span.length
    }
  }

  /// - Parameter columns: At least one a slot, each with `count` values.
  /// - Throws: `.corrupt` if there are fewer.
  init(_ template: Template, _ columns: [VariableColumn], count: Int) throws(BlockError) {
    text = template.text
    for literal in template.literals {
      let start = bytes.count
      bytes += literal
      literals.append(Part(ByteSpan(start..<bytes.count)))
    }
    slotCount = literals.count - 1
    self.count = count
    guard columns.count == slotCount, columns.allSatisfy({ $0.count == count }) else {
      throw .corrupt(place: "column \(ColumnKey.variableDirectory)")
    }
    variables = [Part](repeating: Part(ByteSpan(offset: 0, length: 0)), count: count * slotCount)
    var byteCount = bytes.count
    for column in columns { byteCount += column.values.bytes.count }
    guard byteCount <= Int(UInt32.max) else { throw .tooLarge }
    bytes.reserveCapacity(byteCount)
    let slotCount = slotCount
    for (slot, column) in columns.enumerated() {
      let base = UInt32(bytes.count)
      bytes.append(contentsOf: column.values.bytes)
      variables.withUnsafeMutableBufferPointer { variables in
        var place = slot
        column.values.spans.withUnsafeBufferPointer { spans in
          switch column {
          case .dictionary(_, let codes):
            for code in codes {
              variables[place] = Part(spans[Int(code)], base: base)
              place += slotCount
            }
          case .list:
            for span in spans {
              variables[place] = Part(span, base: base)
              place += slotCount
            }
          }
        }
      }
    }
  }

  /// Appends the message of the template's record of that number.
  func append(_ record: Int, to message: inout [UInt8]) {
    bytes.withUnsafeBufferPointer { bytes in
      func append(_ span: Part) {
        let start = Int(span.offset)
        message.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<start + Int(span.length)]))
      }
      append(literals[0])
      for slot in 0..<slotCount {
        append(variables[record * slotCount + slot])
        append(literals[slot + 1])
      }
    }
  }

  /// Calls `body` with each record's message until it answers false.
  func forEach(_ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Bool) rethrows {
    let literalByteCount = literals.reduce(0) { $0 + Int($1.length) }
    var scratch = [UInt8](repeating: 0, count: literalByteCount + 256)
    try bytes.withUnsafeBufferPointer { bytes in
      try variables.withUnsafeBufferPointer { variables in
        try literals.withUnsafeBufferPointer { literals in
          for record in 0..<count {
            let own = variables[record * slotCount..<(record + 1) * slotCount]
            var byteCount = literalByteCount
            for span in own { byteCount += Int(span.length) }
            if byteCount > scratch.count { scratch = [UInt8](repeating: 0, count: byteCount * 2) }
            let goesOn = try scratch.withUnsafeMutableBufferPointer { scratch in
              // `scratch` and, if anything is copied, `bytes` are not empty: both have addresses.
              let output = UnsafeMutableRawPointer(scratch.baseAddress!)
              var end = 0
              func copy(_ span: Part) {
                guard span.length > 0, let source = bytes.baseAddress else { return }
                output.advanced(by: end).copyMemory(from: source + Int(span.offset), byteCount: Int(span.length))
                end += Int(span.length)
              }
              copy(literals[0])
              for slot in 0..<slotCount {
                copy(own[own.startIndex + slot])
                copy(literals[slot + 1])
              }
              return try body(record, UnsafeBufferPointer(rebasing: scratch[..<byteCount]))
            }
            if !goesOn { return }
          }
        }
      }
    }
  }
}
