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

  /// Whether a message of these rows may hold `word` outside the literal text of its template, that is in or across
  /// variables. Words shorter than `TokenFilter.messageWordByteCountMin` or without a digit: always true.
  func variablesMayContain(word: [UInt8]) throws -> Bool
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
  func forEachMessage(
    ofTemplate number: UInt32, template: Template, _ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Bool
  ) throws

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
