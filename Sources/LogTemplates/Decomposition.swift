package import Domain

/// Records taken apart: what `ParsedRecords` becomes on its way to the store.
package struct Decomposition: Sendable {
  /// `templates` and `streams` are indices into the two tables below until `renumber` replaces them by the tenant's numbers.
  /// Variables and fields are spans of `columns.bytes`, which holds nothing else.
  package private(set) var columns = RecordColumns()
  /// Distinct template texts, in the order in which they first occur.
  package private(set) var templates: [[UInt8]] = []
  /// Distinct streams, in the order of the parser's table.
  package private(set) var streams: [Stream] = []

  /// Takes every message of `records` apart, in one pass.
  ///
  /// - Complexity: Linear in the bytes of the records; allocates for the batch and for each new template, never for a record.
  package init(_ records: ParsedRecords) {
    streams = records.streamTable.map { labels in
      Stream(labels: labels.map { Field(name: Array(records.bytes[$0.name.range]), value: Array(records.bytes[$0.value.range])) })
    }
  }

  /// Puts the tenant's numbers in place of the batch's.
  ///
  /// - Parameters:
  ///   - templateNumbers: One for each of `templates`.
  ///   - streamNumbers: One for each of `streams`.
  package mutating func renumber(templateNumbers: [UInt32], streamNumbers: [UInt32]) {
    precondition(templateNumbers.count == templates.count, "one number a template")
    precondition(streamNumbers.count == streams.count, "one number a stream")
    for index in columns.templates.indices { columns.templates[index] = templateNumbers[Int(columns.templates[index])] }
    for index in columns.streams.indices { columns.streams[index] = streamNumbers[Int(columns.streams[index])] }
  }
}
