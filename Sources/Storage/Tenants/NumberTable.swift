internal import CKernels
internal import Domain
internal import GRDB

/// The values that a tenant's columns name by number: templates, streams. Numbers count from 0 and stay.
///
/// A new value gets its number in memory at once and becomes durable with the next commit, before any segment that
/// uses it. Numbers are dense, so what is not durable yet is simply `durableCount..<count`, and a commit that fails
/// has nothing to put back.
struct NumberTable<Value: Hashable & Sendable>: Sendable {
  private var numbers: [Value: UInt32] = [:]
  /// By number; nil where the stored row is damaged or missing.
  private(set) var values: [Value?] = []
  private(set) var durableCount = 0

  var count: Int { values.count }

  subscript(number: UInt32) -> Value? {
    number < values.count ? values[Int(number)] : nil
  }

  func number(of value: Value) -> UInt32? { numbers[value] }

  mutating func allocate(_ value: Value) -> UInt32 {
    if let known = numbers[value] { return known }
    let number = UInt32(values.count)
    numbers[value] = number
    values.append(value)
    return number
  }

  /// The values that are not durable yet, with their numbers.
  func unsaved() -> [(number: UInt32, value: Value)] {
    (durableCount..<count).compactMap { index in values[index].map { (UInt32(index), $0) } }
  }

  mutating func markDurable(upTo count: Int) { durableCount = max(durableCount, count) }

  /// Takes a stored row in. Rows come in the order of their numbers.
  mutating func load(number: Int, value: Value?) {
    guard number >= values.count, number < Int(UInt32.max) else { return }
    while values.count < number { values.append(nil) }
    values.append(value)
    if let value, numbers[value] == nil { numbers[value] = UInt32(number) }
    durableCount = values.count
  }
}

/// Bytes to keep a stream's labels as: for each label, in order, the length of the name, the name, the length of the
/// value, the value; lengths are 32 bits, little-endian.
enum StreamCodec {
  static func encode(_ stream: Stream) -> [UInt8] {
    var bytes: [UInt8] = []
    for label in stream.labels {
      for part in [label.name, label.value] {
        withUnsafeBytes(of: UInt32(part.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: part)
      }
    }
    return bytes
  }

  /// Nil if the bytes are not of that form.
  static func decode(_ bytes: [UInt8]) -> Stream? {
    var parts: [[UInt8]] = []
    var index = 0
    while index < bytes.count {
      guard bytes.count - index >= 4 else { return nil }
      let length = (0..<4).reduce(0) { $0 | Int(bytes[index + $1]) << (8 * $1) }
      index += 4
      guard bytes.count - index >= length else { return nil }
      parts.append(Array(bytes[index..<index + length]))
      index += length
    }
    guard parts.count % 2 == 0 else { return nil }
    return Stream(labels: stride(from: 0, to: parts.count, by: 2).map { Field(name: parts[$0], value: parts[$0 + 1]) })
  }
}

/// The CRC-32C that stands beside a BLOB.
func checksum(_ bytes: [UInt8]) -> Int64 {
  Int64(bytes.withUnsafeBytes { tl_crc32c(0, $0.baseAddress, $0.count) })
}
