package import Domain

/// Records as columns to scan: a stored block (`BlockDecoder`) or the head's (`HeadSource`), so that a query is written
/// once.
///
/// Columns are read when first asked for and kept. An instance is used by one thread at a time. Rows count from 0.
/// Methods throw what the block's `load` closure throws, and `BlockError` where bytes are damaged.
package protocol RecordSource: AnyObject {
  var count: Int { get }

  /// Nanoseconds since 1970 UTC, one a row. Ascending only where the source says so (a block: within a stream).
  func times() throws -> [Int64]
  func severities() throws -> [Severity]
  func streams() throws -> [UInt32]
  func templates() throws -> [UInt32]

  /// The distinct template numbers, ascending, and how many rows each has. For a block: from its summary, nothing is
  /// read.
  var templateCounts: [NumberCount] { get }
  /// The distinct stream numbers, ascending, and how many rows each has.
  var streamCounts: [NumberCount] { get }

  /// The rows of one template, ascending; empty if it has none.
  func rows(ofTemplate number: UInt32) throws -> [UInt32]
  /// How many variables each record of the template has; 0 if it has no rows.
  func slotCount(ofTemplate number: UInt32) throws -> Int
  /// The values of a slot, in the order of `rows(ofTemplate:)`.
  func variables(ofTemplate number: UInt32, slot: Int) throws -> VariableColumn
  /// What bytes the slot's values hold, without reading them where the source is a block.
  func characterClasses(ofTemplate number: UInt32, slot: Int) throws -> CharacterClasses

  /// Whether a value of the slot may hold `literal` whole; false only if none does. For a block no value is decoded:
  /// its bytes are searched as they are stored, where they are stored as text.
  ///
  /// - Parameter ignoringCase: A-Z and a-z are equal; `literal` is then given in lower case.
  func slotMayContain(
    _ literal: [UInt8], ignoringCase: Bool, ofTemplate number: UInt32, slot: Int
  ) throws -> Bool
  /// Calls `body` with each row of the template whose value of the slot passes, ascending. A value that many rows
  /// share is asked once where the source knows that they share it.
  func forEachRow(
    ofTemplate number: UInt32, slot: Int, where passes: (UnsafeBufferPointer<UInt8>) -> Bool, _ body: (Int) -> Void
  ) throws

  /// Whether a message of these rows may hold `word` outside the literal text of its template, that is in or across
  /// variables. Words shorter than `TokenFilter.messageWordByteCountMin` or without a digit: always true.
  func variablesMayContain(word: [UInt8]) throws -> Bool
  /// Whether a variable of these rows may hold the run of letters; false only if none does.
  func variablesMayContain(_ run: LetterRun, ignoringCase: Bool) throws -> Bool
  /// Whether a value of the field (the first of that name) may hold `word`; false only if none does. Always true where
  /// the values are a dictionary, which `field(_:)` shows at little cost.
  func field(_ name: [UInt8], mayContain word: [UInt8]) throws -> Bool

  /// Distinct names of fields, in no particular order.
  var fieldNames: [[UInt8]] { get }
  /// The first field of that name in each row.
  func field(_ name: [UInt8]) throws -> FieldColumn
  /// All fields of one row in the order sent, duplicates kept.
  func fields(ofRow row: Int) throws -> [Field]

  /// Appends the row's message: the template's literals with the row's variables in its slots.
  func appendMessage(ofRow row: Int, template: Template, to bytes: inout [UInt8]) throws
  /// Calls `body` with each row of one template and its message, in row order, until it answers false. The message's
  /// bytes live as long as `body` runs. The way to look at many messages: about a tenth of the cost of `appendMessage`
  /// row by row.
  ///
  /// - Parameter rows: Only these; nil: all.
  func forEachMessage(
    ofTemplate number: UInt32, template: Template, within rows: RowBits?,
    _ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Bool
  ) throws
  /// The same with each message in its pieces: at even places the template's literals, at odd ones the row's variables,
  /// so that there is one more literal than variables. Pieces may be empty; they are not copied together. The literals'
  /// addresses are the same for every row of one call.
  func forEachPieces(
    ofTemplate number: UInt32, template: Template, within rows: RowBits?,
    _ body: (Int, UnsafeBufferPointer<UnsafeBufferPointer<UInt8>>) throws -> Bool
  ) throws

  // One row: dear for many rows, cheap for few, for which no whole column is decoded.
  func time(ofRow row: Int) throws -> Int64
  func severity(ofRow row: Int) throws -> Severity
  func stream(ofRow row: Int) throws -> UInt32
  func template(ofRow row: Int) throws -> UInt32
  /// The first field of that name; nil if the row has none.
  func fieldValue(_ name: [UInt8], ofRow row: Int) throws -> [UInt8]?

  // Rows as bits, of columns as they are stored.
  /// The rows whose field passes. Nil stands for a row without the field; values that many rows share are asked once.
  func rows(whereField name: [UInt8], _ passes: (UnsafeBufferPointer<UInt8>?) -> Bool) throws -> RowBits
  func rows(whereSeverity passes: (Severity) -> Bool) throws -> RowBits
  func rows(whereStream passes: (UInt32) -> Bool) throws -> RowBits
  func rows(whereTemplate passes: (UInt32) -> Bool) throws -> RowBits
  /// How often each value of the field occurs in the given rows (nil: all, which a block mostly answers without
  /// decoding a row); nil where the source does not hold its values as few distinct ones.
  func fieldValueCounts(_ name: [UInt8], within rows: RowBits?) throws -> FieldValueCounts?
  /// How many of the given rows (nil: all) have each severity, by `Severity.rawValue`.
  func severityCounts(within rows: RowBits?) throws -> [Int]
  /// The `limit` rows of the given ones (nil: all) whose turn comes first in the order of time, in that order. Of equal
  /// times the later row counts as later.
  func latestRows(limit: Int, newestFirst: Bool, within rows: RowBits?) throws -> [RowTime]

  /// The given rows (nil: all), in that order, as columns: for merging, and for answers.
  func columns(rows: [UInt32]?) throws -> RecordColumns
}

/// A template's or stream's number and how many records have it.
package struct NumberCount: Hashable, Sendable {
  package var number: UInt32
  package var count: UInt32

  package init(number: UInt32, count: UInt32) {
    self.number = number
    self.count = count
  }
}

/// A set of rows: row r is bit r % 64 of word r / 64. `(count + 63) / 64` words, bits from `count` on are 0.
package typealias RowBits = [UInt64]

package struct RowTime: Hashable, Sendable {
  package var row: Int
  package var time: Int64

  package init(row: Int, time: Int64) {
    self.row = row
    self.time = time
  }
}

/// The distinct values of a field, each with how many rows have it.
package struct FieldValueCounts: Sendable {
  package var values: ValueList
  /// One a value; 0 for values that none of the rows in question has.
  package var counts: [Int]
  /// Rows without the field.
  package var absentCount: Int

  package init(values: ValueList, counts: [Int], absentCount: Int) {
    self.values = values
    self.counts = counts
    self.absentCount = absentCount
  }
}
