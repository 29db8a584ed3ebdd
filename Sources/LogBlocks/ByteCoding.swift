/// Reads stored bytes front to back; every step is checked, so damaged input throws `.corrupt` and never traps.
struct ByteReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  private(set) var index = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  var remaining: Int { bytes.count - index }
  /// Whoever opened the reader says where: see `read`.
  var corrupt: BlockError { .corrupt(place: "") }

  mutating func byte() throws(BlockError) -> UInt8 {
    guard index < bytes.count else { throw corrupt }
    defer { index += 1 }
    return bytes[index]
  }

  /// The next `count` bytes, in place.
  mutating func take(_ count: Int) throws(BlockError) -> UnsafeBufferPointer<UInt8> {
    guard count >= 0, count <= remaining else { throw corrupt }
    defer { index += count }
    return UnsafeBufferPointer(rebasing: bytes[index..<index + count])
  }

  mutating func array(_ count: Int) throws(BlockError) -> [UInt8] { Array(try take(count)) }

  /// LEB128, at most 64 bits.
  mutating func varint() throws(BlockError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if shift == 63, byte > 1 { throw corrupt }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
      if shift > 63 { throw corrupt }
    }
    throw corrupt
  }

  mutating func signed() throws(BlockError) -> Int64 { Int64(zigzag: try varint()) }

  /// A varint at most `max`.
  mutating func count(max: Int) throws(BlockError) -> Int {
    let value = try varint()
    guard value <= UInt64(max) else { throw corrupt }
    return Int(value)
  }

  mutating func number() throws(BlockError) -> UInt32 { UInt32(try count(max: Int(UInt32.max))) }

  mutating func littleEndian32() throws(BlockError) -> UInt32 {
    let taken = try take(4)
    return UInt32(taken[0]) | UInt32(taken[1]) << 8 | UInt32(taken[2]) << 16 | UInt32(taken[3]) << 24
  }

  func expectEnd() throws(BlockError) {
    guard index == bytes.count else { throw corrupt }
  }
}

extension [UInt8] {
  mutating func appendVarint(_ value: some FixedWidthInteger) {
    var rest = UInt64(truncatingIfNeeded: value)
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func appendSigned(_ value: Int64) { appendVarint(value.zigzag) }

  mutating func appendLittleEndian32(_ value: UInt32) {
    append(UInt8(truncatingIfNeeded: value))
    append(UInt8(truncatingIfNeeded: value >> 8))
    append(UInt8(truncatingIfNeeded: value >> 16))
    append(UInt8(truncatingIfNeeded: value >> 24))
  }

  /// Opens a reader over these bytes for as long as `body` runs.
  func read<Result>(
    _ place: @autoclosure () -> String, _ body: (inout ByteReader) throws(BlockError) -> Result
  ) throws(BlockError) -> Result {
    try withUnsafeBufferPointer { (buffer) throws(BlockError) -> Result in try buffer.read(place(), body) }
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Opens a reader over these bytes; damage that it finds is damage of `place`.
  func read<Result>(
    _ place: @autoclosure () -> String, _ body: (inout ByteReader) throws(BlockError) -> Result
  ) throws(BlockError) -> Result {
    var reader = ByteReader(self)
    do throws(BlockError) {
      return try body(&reader)
    } catch .corrupt(place: "") {
      throw .corrupt(place: place())
    }
  }
}

extension Int64 {
  /// Small magnitudes of either sign to small numbers: 0, -1, 1, -2… to 0, 1, 2, 3…
  @inline(__always)
  var zigzag: UInt64 { UInt64(bitPattern: (self << 1) ^ (self >> 63)) }

  @inline(__always)
  init(zigzag value: UInt64) { self = Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1))) }
}
