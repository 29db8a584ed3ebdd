package import Domain

/// How serious a record is, from what its sender said.
package enum SeverityDetector {
  /// From a field that by its name holds a level; nil if the name does not or the value is no level.
  package static func severity(fieldName: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> Severity? { nil }

  /// From a message.
  package static func severity(message: UnsafeBufferPointer<UInt8>) -> Severity { .unknown }
}
