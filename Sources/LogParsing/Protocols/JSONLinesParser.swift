package import Domain

/// JSON lines to records: NDJSON, JSON objects one after another, or arrays of objects.
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

  package init(options: Options) { self.options = options }

  /// Takes a whole body apart.
  package mutating func parse(_ body: UnsafeBufferPointer<UInt8>) -> ParseResult { ParseResult() }
}
