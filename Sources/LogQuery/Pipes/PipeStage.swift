import Domain

/// One pipe at work. Each hands rows to the one after it; the last is an `OutputStage`.
class PipeStage {
  /// Nil in the last stage only.
  let next: PipeStage?

  init(next: PipeStage?) { self.next = next }

  /// - Returns: False when no further row can change the answer.
  func push(_ row: consuming Row) throws(PipeLimitError) -> Bool { try forward(row) }

  /// Hands on what the stage holds, then ends the next one.
  func finish() throws(PipeLimitError) { try next?.finish() }

  @inline(__always)
  final func forward(_ row: consuming Row) throws(PipeLimitError) -> Bool { try next?.push(row) ?? false }
}

/// The end of a chain.
final class OutputStage: PipeStage {
  private let output: (Row) -> Bool
  private let context: PipeContext
  private var isFull = false

  init(_ output: @escaping (Row) -> Bool, _ context: PipeContext) {
    self.output = output
    self.context = context
    super.init(next: nil)
  }

  override func push(_ row: consuming Row) -> Bool {
    if isFull { return false }
    isFull = !output(row) || context.isStopped
    return !isFull
  }
}

/// A pipe that turns one row into one row.
final class RowStage: PipeStage {
  private let change: (inout Row) -> Void

  init(next: PipeStage, _ change: @escaping (inout Row) -> Void) {
    self.change = change
    super.init(next: next)
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    change(&row)
    return try forward(row)
  }
}

/// What the stages of one chain share.
final class PipeContext {
  let options: PipeOptions
  private var byteCount = 0
  private var askedCount = 0

  init(_ options: PipeOptions) { self.options = options }

  /// Whether to end early; cheap enough to ask for each row.
  var isStopped: Bool {
    askedCount &+= 1
    return askedCount & 255 == 0 && options.isStopped()
  }

  /// Counts memory that a pipe is about to hold.
  @inline(__always)
  func take(_ count: Int, for holder: MemoryHolder) throws(PipeLimitError) {
    byteCount += count
    if byteCount > options.byteCountMax {
      throw PipeLimitError(pipe: holder.pipe, byteCountMax: options.byteCountMax, remedy: holder.remedy)
    }
  }

  @inline(__always)
  func giveBack(_ count: Int) { byteCount -= count }
}

/// Who holds memory, and what the writer of a query can do about it.
struct MemoryHolder {
  var pipe: String
  var remedy: String
}

extension Row {
  /// About what the row takes in memory.
  var byteCount: Int {
    var count = 64
    for field in fields { count += 72 + field.value.count }
    return count
  }

  /// Takes the field out, if it is there.
  mutating func remove(_ name: String) { fields.removeAll { $0.name == name } }
}

/// Finds a field in row after row, where it mostly stands at the same place.
struct FieldReader {
  let name: String
  private var place = 0

  init(_ name: String) { self.name = name }

  /// The value; empty if the row lacks it.
  @inline(__always)
  mutating func value(in row: Row) -> [UInt8] {
    if place < row.fields.count, row.fields[place].name == name { return row.fields[place].value }
    for index in row.fields.indices where row.fields[index].name == name {
      place = index
      return row.fields[index].value
    }
    return []
  }
}

/// `name`, or `prefix*`.
struct FieldPattern {
  let text: String
  let isPrefix: Bool

  init(_ text: String) {
    isPrefix = text.hasSuffix("*")
    self.text = isPrefix ? String(text.dropLast()) : text
  }

  @inline(__always)
  func matches(_ name: String) -> Bool { isPrefix ? name.hasPrefix(text) : name == text }

  static func all(_ names: [String]) -> [FieldPattern] { names.map { FieldPattern($0) } }
}
