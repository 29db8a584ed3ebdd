package import Domain

/// JSON lines to records: NDJSON, JSON objects one after another (also over several lines), or arrays of objects.
///
/// Strict RFC 8259, except that bytes inside strings need not be UTF-8: they are kept as sent. A bad record is counted
/// and explained; its neighbors are taken.
///
/// What becomes of a record (docs/reference/ingest.md has the whole of it):
/// - Nested objects are flattened with dots, arrays kept as JSON text without the space between tokens, numbers and
///   booleans as their JSON text, strings with escapes decoded; null and `{}` are left out; of a key sent twice both
///   stay.
/// - The first of `timeFields` and of `messageFields` that the record has become its time and message and are no fields
///   then. One line feed at the end of the message is dropped: Fluent Bit's `log` keeps the one that the program wrote.
/// - A record without a time has that of `now`; one without a message has an empty one, if it has fields.
package struct JSONLinesParser: Sendable {
  package typealias Limits = ParsingLimits

  package struct Options: Sendable {
    package var limits = ParsingLimits()
    /// The time of a record that brings none, and what the bounds on times are measured from.
    package var now: Timestamp
    package var streamFields = StreamFields()
    /// The first of these that a record has as a string, number or boolean is its message.
    package var messageFields = ["log", "message", "msg", "_msg"]
    /// The first of these that a record has is its time.
    package var timeFields = ["date", "timestamp", "time", "@timestamp", "_time", "ts"]
    /// Added to every record that has no field of that name, and labels of its stream.
    package var extraFields: [Field] = []
    /// How many reasons are written out; all rejections are counted.
    package var rejectionsMax = 20

    package init(now: Timestamp) { self.now = now }
  }

  package let options: Options
  private let timeNames: NameList
  private let messageNames: NameList

  package init(options: Options) {
    self.options = options
    timeNames = NameList(options.timeFields)
    messageNames = NameList(options.messageFields)
  }

  /// Takes a whole body apart.
  ///
  /// - Complexity: One pass over the bytes of a well-formed body. Records that differ only in time and message share
  ///   one look at the rest.
  package func parse(_ body: UnsafeBufferPointer<UInt8>) -> ParseResult {
    guard let base = body.baseAddress, body.count > 0 else { return ParseResult() }
    var run = JSONRun(
      options: options, timeNames: timeNames, messageNames: messageNames, base: base, count: body.count)
    run.readBody()
    return run.result()
  }

  /// Reads `lines`, which hold whole records, into a sink that goes on being filled. Answers the rejections.
  func parse(_ lines: UnsafeBufferPointer<UInt8>, firstLine: Int, into sink: inout RecordSink) -> (
    rejections: [Rejection], rejectedCount: Int
  ) {
    guard let base = lines.baseAddress, lines.count > 0 else { return ([], 0) }
    // Moved, not copied: a second holder would make the columns copy themselves.
    var moved = RecordSink(streamFields: options.streamFields, extraFields: [], byteCount: 0)
    swap(&moved, &sink)
    var run = JSONRun(
      options: options, timeNames: timeNames, messageNames: messageNames, base: base, count: lines.count,
      firstLine: firstLine, sink: consume moved)
    run.readBody()
    sink = run.sink
    return (run.rejections, run.rejectedCount)
  }
}

/// A few names in order of preference.
struct NameList: Sendable {
  private var names: [[UInt8]]
  /// Bit n: some name has n bytes (63 and more share the last).
  private var lengths: UInt64 = 0

  init(_ names: [String]) {
    self.names = names.map { Array($0.utf8) }
    for name in self.names { lengths |= 1 << UInt64(min(name.count, 63)) }
  }

  @inline(__always)
  func rank(_ name: UnsafeBufferPointer<UInt8>) -> Int? {
    guard lengths >> UInt64(min(name.count, 63)) & 1 == 1 else { return nil }
    return slowRank(name)
  }

  @inline(never)
  private func slowRank(_ name: UnsafeBufferPointer<UInt8>) -> Int? {
    for (rank, candidate) in names.enumerated() where candidate.count == name.count {
      if candidate.elementsEqual(name) { return rank }
    }
    return nil
  }
}
