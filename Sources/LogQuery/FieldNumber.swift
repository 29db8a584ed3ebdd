package import Domain

/// Reads the numbers people write in logs and queries.
package enum FieldNumber {
  /// Plain numbers, durations (`1.5s`, in nanoseconds), sizes (`10KiB`, in bytes), RFC 3339 times (nanoseconds since 1970) and
  /// IPv4 addresses (as 32-bit numbers): the value that ranges, `sort` and `math` work on. Nil if it is none of them.
  package static func value(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? { fatalError() }
  /// A plain decimal number, with sign, fraction and exponent.
  package static func plain(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? { fatalError() }
  /// `1h5m`, `-1.5ms`: nanoseconds.
  package static func duration(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? { fatalError() }
  /// `10KB`, `1.5MiB`: bytes.
  package static func byteCount(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? { fatalError() }
  package static func ipv4(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32? { fatalError() }
  /// RFC 3339.
  package static func timestamp(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? { fatalError() }
}
