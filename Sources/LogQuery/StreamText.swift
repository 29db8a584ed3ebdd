/// Reads the text form of a stream, `{a="b",c="d"}`.
enum StreamText {
  /// The value of label `name`, empty if absent.
  static func label(_ name: String, in text: UnsafeBufferPointer<UInt8>) -> [UInt8] { fatalError() }
}
