package import Domain

// WHICH WORDS STAND WHERE. A word is what Domain's WordTokenizer says it is. For every message, whatever its bytes:
//
//   1. A word lies wholly in one literal or wholly in one slot: no edge between a literal and a slot, or between two
//      slots, has a word character on both sides. There are no exceptions.
//   2. A word that holds an ASCII digit never lies in a literal.
//   3. A word in a slot is one of these:
//        integer, decimal   ASCII digits only
//        ipv4               one to three ASCII digits
//        hex                `0x` and hex digits, or six and more hex digits with at least one of 0-9
//        uuid               4, 8 or 12 hex digits, perhaps without any of 0-9
//        ipv6               one to four hex digits, perhaps without any of 0-9
//        duration           starts with an ASCII digit
//        timestamp          holds an ASCII digit, or is one to three ASCII letters: a month, a weekday, a zone, AM, PM
//        path, quoted, word, bytes   any
//      `SlotKind.mayHold(word:)` answers by this table.
//
// So a plain word ("timeout") that is in no literal of a template can be in its messages only through slots of the
// kinds path, quoted, word and bytes; and a number that is not, only through slots that the table admits. A phrase or a
// substring may cross edges.

/// Takes messages apart into literal text and typed variables, and puts them together again.
///
/// Stateless and exact: equal shape gives equal template text, and `compose` gives back the message byte for byte.
package struct Decomposer: Sendable {
  /// Slots of one template, at most. What follows the 254th is one `.bytes` slot.
  package static let slotsMax = 255
  /// Literal bytes of one template, at most. What follows is one `.bytes` slot.
  package static let literalBytesMax = 4096

  package init() {}

  /// Splits `message`: appends template text to `template`, and to `variables` one span of `message` for each slot, in
  /// order.
  ///
  /// - Complexity: Linear in `message.count`.
  package func decompose(
    _ message: UnsafeBufferPointer<UInt8>, template: inout [UInt8], variables: inout [ByteSpan]
  ) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Shape.textCapacity) { text in
      withUnsafeTemporaryAllocation(of: ByteSpan.self, capacity: Shape.spanCapacity) { spans in
        var shape = Shape(text: text.baseAddress!, spans: spans.baseAddress!)
        decompose(message, into: &shape)
        template.append(contentsOf: shape.templateText)
        variables.append(contentsOf: shape.variables)
      }
    }
  }

  /// A template and its variables while they are found, in memory of fixed size: the bounds above make it enough for
  /// any message.
  struct Shape {
    static let textCapacity = literalBytesMax + 2 * slotsMax
    static let spanCapacity = slotsMax

    private let text: UnsafeMutablePointer<UInt8>
    private let spans: UnsafeMutablePointer<ByteSpan>
    private var textCount = 0
    private(set) var slotCount = 0

    init(text: UnsafeMutablePointer<UInt8>, spans: UnsafeMutablePointer<ByteSpan>) {
      self.text = text
      self.spans = spans
    }

    var templateText: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: text, count: textCount) }
    var variables: UnsafeBufferPointer<ByteSpan> { UnsafeBufferPointer(start: spans, count: slotCount) }
    var literalByteCount: Int { textCount - 2 * slotCount }

    @inline(__always)
    mutating func reset() {
      textCount = 0
      slotCount = 0
    }

    @inline(__always)
    mutating func appendLiteral(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int) {
      guard end > start else { return }
      assert(textCount + end - start <= Shape.textCapacity)
      (text + textCount).update(from: bytes.baseAddress! + start, count: end - start)
      textCount += end - start
    }

    @inline(__always)
    mutating func appendSlot(_ kind: SlotKind, from start: Int, to end: Int) {
      assert(slotCount < Shape.spanCapacity)
      text[textCount] = Template.slotMarker
      text[textCount + 1] = kind.rawValue
      textCount += 2
      spans[slotCount] = ByteSpan(
        offset: UInt32(truncatingIfNeeded: start), length: UInt32(truncatingIfNeeded: end - start))
      slotCount += 1
    }
  }

  /// Splits `message` into `shape`, which is empty.
  func decompose(_ message: UnsafeBufferPointer<UInt8>, into shape: inout Shape) {
    var walk = Walk(message)
    walk.run(into: &shape)
  }

  /// The template and variables of `message`, for places where speed does not matter.
  package func decompose(_ message: [UInt8]) -> (template: Template, variables: [[UInt8]]) {
    var text: [UInt8] = []
    var spans: [ByteSpan] = []
    message.withUnsafeBufferPointer { decompose($0, template: &text, variables: &spans) }
    return (Template(text: text), spans.map { Array(message[$0.range]) })
  }

  /// The template and variables of `message`, for places where speed does not matter.
  package func decompose(_ message: String) -> (template: Template, variables: [[UInt8]]) {
    decompose(Array(message.utf8))
  }

  /// Appends to `message` the message that `template` and its `variables`, spans of `bytes`, were made from.
  ///
  /// A slot without a variable is left empty; variables without a slot are left out.
  package static func compose(
    template: [UInt8], variables: ArraySlice<ByteSpan>, bytes: UnsafeBufferPointer<UInt8>, into message: inout [UInt8]
  ) {
    var next = variables.startIndex
    var index = 0
    while index < template.count {
      if template[index] == Template.slotMarker, index + 1 < template.count {
        if next < variables.endIndex {
          message.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[variables[next].range]))
          next += 1
        }
        index += 2
      } else {
        message.append(template[index])
        index += 1
      }
    }
  }
}
