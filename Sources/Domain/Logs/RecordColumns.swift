/// Records as they come out of a parser: columns over one buffer, messages not yet taken apart.
///
/// All arrays of the first group have one entry a record. Records that share everything but time and message share one entry of
/// `streamTable` and `fieldSetTable`, so that labels and fields are looked at once, not once a record.
package struct ParsedRecords: Sendable {
  /// Nanoseconds since 1970 UTC.
  package var times: [Int64] = []
  package var severities: [Severity] = []
  /// Message bytes as spans of `bytes`.
  package var messages: [ByteSpan] = []
  /// Index into `streamTable`.
  package var streams: [UInt32] = []
  /// Index into `fieldSetTable`.
  package var fieldSets: [UInt32] = []

  /// Label sets as spans of `bytes`, in the order sent.
  package var streamTable: [[FieldSpan]] = []
  /// Field sets as spans of `bytes`, in the order sent, duplicates kept. Time and message are not among them; labels are.
  package var fieldSetTable: [[FieldSpan]] = []
  package var bytes: [UInt8] = []

  package init() {}

  package var count: Int { times.count }
}

/// Records as the store holds them: columns over one buffer, each message a template number and its variables.
///
/// Numbers of templates and streams are those of one tenant's tables.
package struct RecordColumns: Sendable {
  /// Nanoseconds since 1970 UTC.
  package var times: [Int64] = []
  package var severities: [Severity] = []
  package var streams: [UInt32] = []
  package var templates: [UInt32] = []
  /// `count + 1` entries: the variables of record `i` are `variables[variableStarts[i]..<variableStarts[i + 1]]`, one a slot, in order.
  package var variableStarts: [UInt32] = [0]
  /// Spans of `bytes`.
  package var variables: [ByteSpan] = []
  /// Index into `fieldSetTable`.
  package var fieldSets: [UInt32] = []
  /// Field sets as spans of `bytes`, in the order sent, duplicates kept. Distinct.
  package var fieldSetTable: [[FieldSpan]] = []
  package var bytes: [UInt8] = []

  package init() {}

  package var count: Int { times.count }

  /// Bytes held in memory, about.
  package var byteCount: Int {
    bytes.count + times.count * 25 + variables.count * 8 + fieldSetTable.reduce(0) { $0 + $1.count * 16 + 32 }
  }
}
