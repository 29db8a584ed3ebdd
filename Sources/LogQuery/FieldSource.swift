package import Domain

/// A record as a filter sees it: bytes by field name. A missing field is empty.
///
/// Every name is asked through `withField`, the built-in ones (`_msg`, `_time`, `_stream`, `_stream_id`, `severity`,
/// `template`, `pattern`) too. A source that knows more than text answers `recordTime` and `withLabel` itself.
package protocol FieldSource {
  /// Calls `body` once with the value of field `name`; the bytes live as long as the call.
  func withField<Result>(_ name: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result
  /// The record's time; nil if it has none.
  var recordTime: Timestamp? { get }
  /// Calls `body` once with the value of the stream's label `name`.
  func withLabel<Result>(_ name: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result
}

extension FieldSource {
  /// Reads the text of `_time`.
  package var recordTime: Timestamp? { withField("_time") { FieldNumber.timestamp($0) } }

  /// Reads the text of `_stream`.
  package func withLabel<Result>(_ name: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    let value = withField("_stream") { StreamText.label(name, in: $0) }
    return value.withUnsafeBufferPointer(body)
  }
}

extension Row: FieldSource {
  package func withField<Result>(_ name: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    for field in fields where field.name == name { return field.value.withUnsafeBufferPointer(body) }
    return body(UnsafeBufferPointer(start: nil, count: 0))
  }
}
