/// A run of bytes in some buffer that its holder knows. At most 4 GiB in.
package struct ByteSpan: Hashable, Sendable {
  package var offset: UInt32
  package var length: UInt32

  @inlinable
  package init(offset: UInt32, length: UInt32) {
    self.offset = offset
    self.length = length
  }

  @inlinable
  package init(_ range: Range<Int>) {
    offset = UInt32(range.lowerBound)
    length = UInt32(range.count)
  }

  @inlinable
  package var range: Range<Int> { Int(offset)..<Int(offset) + Int(length) }
}

/// One field of a record, its name and value as spans of the buffer that the holding columns own.
package struct FieldSpan: Hashable, Sendable {
  package var name: ByteSpan
  package var value: ByteSpan

  package init(name: ByteSpan, value: ByteSpan) {
    self.name = name
    self.value = value
  }
}

/// A field with its own bytes, for places where a person or a small table holds it. Names and values are any bytes; well-behaved
/// senders send UTF-8.
package struct Field: Hashable, Sendable {
  package var name: [UInt8]
  package var value: [UInt8]

  package init(name: [UInt8], value: [UInt8]) {
    self.name = name
    self.value = value
  }

  package init(_ name: String, _ value: String) {
    self.init(name: Array(name.utf8), value: Array(value.utf8))
  }
}
