package import Domain

/// Any text log to records, a chunk at a time, for `timberline import`.
package struct TextLinesParser: Sendable {
  package struct Options: Sendable {
    /// Of the times only those of a record are looked at if set; an import takes any time.
    package var limits = ParsingLimits.anyTime
    /// The time of lines before the first that has one, and where the year of a date without one is taken from.
    package var now: Timestamp
    package var streamFields = StreamFields()
    /// On every record, and labels of its stream: `source`, `--label k=v`.
    package var extraFields: [Field] = []
    /// Seconds east of UTC that times without a zone are in.
    package var zoneOffsetSeconds = 0
    package var rejectionsMax = 20

    package init(now: Timestamp) { self.now = now }
  }

  package let options: Options
  /// The frame found so far, as a name for people: `json`, `cri`, `syslog`, …
  package var frameName: String { "plain" }

  package init(options: Options) { self.options = options }

  /// Takes the next bytes of the log. Answers the records known to be complete, perhaps none.
  package mutating func feed(_ chunk: UnsafeBufferPointer<UInt8>) -> ParseResult { ParseResult() }

  /// Says that the log ended. Answers what was held back.
  package mutating func finish() -> ParseResult { ParseResult() }
}
