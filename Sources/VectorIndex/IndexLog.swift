internal import CKernels

// LOG LAYOUT, version 1: entries one after another. Integers and floats are little-endian.
//   offset  bytes  field
//        0      4  byte count of what follows the checksum: 9, or 9 + 4d
//        4      4  CRC-32C of those bytes
//        8      1  1 insertion, 2 removal
//        9      8  id
//       17     4d  the vector as it was given, float32; insertions only
// An entry that is cut short or does not match its checksum ends the log: what follows was never acknowledged.

/// One change of an index, to be written before it is acknowledged and made again after a crash.
package enum IndexChange: Equatable, Sendable {
  case insertion(id: UInt64, vector: [Float])
  case removal(id: UInt64)

  private static let headerByteCount = 8
  private static let bodyByteCountMin = 9
  private static let bodyByteCountMax = 9 + 4 * 65_536

  /// The change as an entry of a log.
  package var encoded: [UInt8] {
    var body: [UInt8] = []
    func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    switch self {
    case .insertion(let id, let vector):
      body.reserveCapacity(9 + 4 * vector.count)
      body.append(1)
      append(id, to: &body)
      for component in vector { append(component.bitPattern, to: &body) }
    case .removal(let id):
      body.append(2)
      append(id, to: &body)
    }
    var entry: [UInt8] = []
    entry.reserveCapacity(IndexChange.headerByteCount + body.count)
    append(UInt32(body.count), to: &entry)
    append(body.withUnsafeBytes { tl_crc32c(0, $0.baseAddress, $0.count) }, to: &entry)
    entry += body
    return entry
  }

  /// The changes of a log, in order, and how many bytes they take: less than there are if the last entry was torn; the
  /// log is to be cut there before more is written.
  package static func decode(_ log: [UInt8]) -> (changes: [IndexChange], byteCount: Int) {
    var changes: [IndexChange] = []
    let byteCount = log.withUnsafeBytes { bytes in
      var offset = 0
      while let (change, end) = entry(of: bytes, at: offset) {
        changes.append(change)
        offset = end
      }
      return offset
    }
    return (changes, byteCount)
  }

  private static func entry(of bytes: UnsafeRawBufferPointer, at offset: Int) -> (IndexChange, end: Int)? {
    guard bytes.count - offset >= headerByteCount + bodyByteCountMin else { return nil }
    func word(_ offset: Int) -> UInt32 {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    let byteCount = Int(word(offset))
    let body = offset + headerByteCount
    guard (bodyByteCountMin...bodyByteCountMax).contains(byteCount), bytes.count - body >= byteCount else { return nil }
    guard tl_crc32c(0, bytes.baseAddress.map { $0 + body }, byteCount) == word(offset + 4) else { return nil }
    let id = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: body + 1, as: UInt64.self))
    let end = body + byteCount
    switch bytes[body] {
    case 1 where byteCount % 4 == 1:
      let vector = stride(from: body + 9, to: end, by: 4).map { Float(bitPattern: word($0)) }
      return (.insertion(id: id, vector: vector), end)
    case 2 where byteCount == bodyByteCountMin:
      return (.removal(id: id), end)
    default:
      return nil
    }
  }
}

extension HNSWIndex {
  /// Makes a change. A snapshot and the changes made after it, in order, give the index that was.
  package mutating func apply(_ change: IndexChange) throws(VectorIndexError) {
    switch change {
    case .insertion(let id, let vector): try insert(id: id, vector: vector)
    case .removal(let id): remove(id: id)
    }
  }
}
