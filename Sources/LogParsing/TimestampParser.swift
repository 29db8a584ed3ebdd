package import Domain

/// Times as they are found in logs.
package enum TimestampParser {
  /// The time written by the whole of `text`: digits in s, ms, µs or ns by magnitude, RFC 3339, or any layout of `prefix`.
  package static func parse(_ text: UnsafeBufferPointer<UInt8>, now: Timestamp, zoneOffsetSeconds: Int = 0) -> Timestamp? { nil }

  /// The time that `text` starts with, and how many bytes it takes.
  package static func prefix(
    of text: UnsafeBufferPointer<UInt8>, now: Timestamp, zoneOffsetSeconds: Int = 0
  ) -> (time: Timestamp, byteCount: Int)? { nil }
}
