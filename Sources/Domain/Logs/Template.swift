/// What a slot of a template holds. Raw values are stored: never renumber.
package enum SlotKind: UInt8, CaseIterable, Sendable {
  /// Decimal digits, with an optional sign.
  case integer = 1
  /// Digits with one point.
  case decimal = 2
  /// Hex digits with at least one of 0-9 and one of a-f, or after `0x`.
  case hex = 3
  case uuid = 4
  case ipv4 = 5
  case ipv6 = 6
  case timestamp = 7
  case duration = 8
  case path = 9
  /// The inside of a quoted string.
  case quoted = 10
  /// A word that mixes letters and digits: an identifier, a host, a version.
  case word = 11
  /// Bytes that are not UTF-8, or that the template's own marker byte occurs in.
  case bytes = 12

  package var name: String {
    switch self {
    case .integer: "number"
    case .decimal: "decimal"
    case .hex: "hex"
    case .uuid: "uuid"
    case .ipv4: "ipv4"
    case .ipv6: "ipv6"
    case .timestamp: "time"
    case .duration: "duration"
    case .path: "path"
    case .quoted: "text"
    case .word: "word"
    case .bytes: "bytes"
    }
  }
}

/// The literal text of a message with typed slots where variables stood.
///
/// TEMPLATE TEXT, version 1: literal bytes, and for each slot the two bytes `0xFF, SlotKind.rawValue`. A literal never holds `0xFF`
/// (no UTF-8 text does; a message with that byte puts it in a `.bytes` slot), so text and slots cannot be confused.
package struct Template: Hashable, Sendable {
  package static let slotMarker: UInt8 = 0xFF

  package let text: [UInt8]

  package init(text: [UInt8]) { self.text = text }

  /// The kinds of the slots, in order.
  package var slots: [SlotKind] {
    var kinds: [SlotKind] = []
    var index = 0
    while index < text.count {
      if text[index] == Template.slotMarker, index + 1 < text.count {
        kinds.append(SlotKind(rawValue: text[index + 1]) ?? .bytes)
        index += 2
      } else {
        index += 1
      }
    }
    return kinds
  }

  /// The literal runs around the slots: always one more than there are slots, some may be empty.
  package var literals: [[UInt8]] {
    var runs: [[UInt8]] = [[]]
    var index = 0
    while index < text.count {
      if text[index] == Template.slotMarker, index + 1 < text.count {
        runs.append([])
        index += 2
      } else {
        runs[runs.count - 1].append(text[index])
        index += 1
      }
    }
    return runs
  }

  /// For people: `Connection to <ipv4>:<number> timed out after <duration>`.
  package var description: String {
    var bytes: [UInt8] = []
    let slots = slots
    for (index, literal) in literals.enumerated() {
      bytes += literal
      if index < slots.count { bytes += Array("<\(slots[index].name)>".utf8) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
