/// Why bytes are no state of a detector. The caller starts with an empty one.
package enum DetectorStateError: Error, Equatable, Sendable {
  /// Written by a build with another layout.
  case version
  case corrupt
}

/// Little-endian integers, one after another.
struct StateWriter: Sendable {
  private(set) var bytes: [UInt8] = []

  mutating func append<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ value: Float) { append(value.bitPattern) }

  mutating func append(_ value: Double) { append(value.bitPattern) }

  /// At most 64 KiB of it.
  mutating func append(_ text: String) {
    let utf8 = Array(text.utf8.prefix(0xFFFF))
    append(UInt16(utf8.count))
    bytes += utf8
  }
}

/// Reads what `StateWriter` wrote; every read is checked.
struct StateReader: Sendable {
  let bytes: [UInt8]
  private(set) var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws(DetectorStateError) -> Value {
    let width = MemoryLayout<Value>.size
    guard remaining >= width else { throw .corrupt }
    var value: Value = 0
    for offset in 0..<width { value |= Value(truncatingIfNeeded: bytes[position + offset]) << Value(8 * offset) }
    position += width
    return value
  }

  mutating func byte() throws(DetectorStateError) -> UInt8 { try integer(UInt8.self) }
  mutating func half() throws(DetectorStateError) -> UInt16 { try integer(UInt16.self) }
  mutating func word() throws(DetectorStateError) -> UInt32 { try integer(UInt32.self) }

  mutating func long() throws(DetectorStateError) -> Int64 { try integer(Int64.self) }

  /// A finite number.
  mutating func float() throws(DetectorStateError) -> Float {
    let value = Float(bitPattern: try word())
    guard value.isFinite else { throw .corrupt }
    return value
  }

  /// A finite number.
  mutating func double() throws(DetectorStateError) -> Double {
    let value = Double(bitPattern: try integer(UInt64.self))
    guard value.isFinite else { throw .corrupt }
    return value
  }

  mutating func text() throws(DetectorStateError) -> String {
    let count = Int(try half())
    guard remaining >= count else { throw .corrupt }
    defer { position += count }
    return String(decoding: bytes[position..<position + count], as: UTF8.self)
  }

  /// The count of what follows: at most `max`, and no more than the bytes that are left can hold.
  mutating func count(max: Int, byteCountEach: Int) throws(DetectorStateError) -> Int {
    let count = Int(try word())
    guard count <= max, count * byteCountEach <= remaining else { throw .corrupt }
    return count
  }
}
