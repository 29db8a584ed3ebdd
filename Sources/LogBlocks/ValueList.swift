internal import CKernels
package import Domain

/// Values as spans of one buffer, which they may share with others.
package struct ValueList: Sendable {
  package var bytes: [UInt8]
  package var spans: [ByteSpan]

  package init(bytes: [UInt8] = [], spans: [ByteSpan] = []) {
    self.bytes = bytes
    self.spans = spans
  }

  /// How far the memory of decoded values goes on after their last byte, so that they can be copied in steps of this
  /// many bytes.
  static let padding = 16

  package var count: Int { spans.count }

  package subscript(index: Int) -> [UInt8] { Array(bytes[spans[index].range]) }

  /// The bytes of one value, without a copy. They live as long as `body` runs.
  @inlinable
  package func withValue<Result>(at index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows
    -> Result
  {
    let span = spans[index]
    return try bytes.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[span.range])) }
  }

  /// Calls `body` with each index and value, in order.
  @inlinable
  package func forEach(_ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Void) rethrows {
    try bytes.withUnsafeBufferPointer { buffer in
      for index in spans.indices { try body(index, UnsafeBufferPointer(rebasing: buffer[spans[index].range])) }
    }
  }

  mutating func append(_ value: some Collection<UInt8>) {
    let start = bytes.count
    bytes.append(contentsOf: value)
    spans.append(ByteSpan(start..<bytes.count))
  }
}

/// The values of one slot over all rows of its template, in row order.
package enum VariableColumn: Sendable {
  /// `codes[i]` is the index in `values` (distinct) of the i-th value.
  case dictionary(values: ValueList, codes: [UInt32])
  /// One value a row.
  case list(ValueList)

  package var count: Int {
    switch self {
    case .dictionary(_, let codes): codes.count
    case .list(let values): values.count
    }
  }

  /// The distinct values, or all.
  package var values: ValueList {
    switch self {
    case .dictionary(let values, _), .list(let values): values
    }
  }

  @inlinable
  package func withValue<Result>(at index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows
    -> Result
  {
    switch self {
    case .dictionary(let values, let codes): try values.withValue(at: Int(codes[index]), body)
    case .list(let values): try values.withValue(at: index, body)
    }
  }
}

/// One field over all rows: for a name that a record holds twice, the first.
package enum FieldColumn: Sendable {
  /// No row has it.
  case absent
  /// Every row has it, with this value.
  case constant([UInt8])
  /// `codes[row]` is an index in `values` (distinct), or `FieldColumn.absentCode`.
  case dictionary(values: ValueList, codes: [UInt32])
  /// One span a row; rows without the field hold an empty one and are false in `present` (nil: every row has it).
  case list(ValueList, present: [Bool]?)

  package static let absentCode = UInt32.max

  /// The row's value, nil if it has none.
  @inlinable
  package func withValue<Result>(
    atRow row: Int, _ body: (UnsafeBufferPointer<UInt8>?) throws -> Result
  ) rethrows -> Result {
    switch self {
    case .absent:
      return try body(nil)
    case .constant(let value):
      return try value.withUnsafeBufferPointer { try body($0) }
    case .dictionary(let values, let codes):
      let code = codes[row]
      return code == FieldColumn.absentCode ? try body(nil) : try values.withValue(at: Int(code)) { try body($0) }
    case .list(let values, let present):
      if let present, !present[row] { return try body(nil) }
      return try values.withValue(at: row) { try body($0) }
    }
  }
}

/// Which bytes occur in a set of values, coarsely: one bit a class. A literal with a byte of a class that does not
/// occur is in none.
package struct CharacterClasses: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// 0-9
  package static let digits = CharacterClasses(rawValue: 1)
  /// a-f
  package static let lowerHex = CharacterClasses(rawValue: 2)
  /// g-z
  package static let lowerRest = CharacterClasses(rawValue: 4)
  /// A-F
  package static let upperHex = CharacterClasses(rawValue: 8)
  /// G-Z
  package static let upperRest = CharacterClasses(rawValue: 16)
  /// `_`
  package static let underscore = CharacterClasses(rawValue: 32)
  /// Any other byte below 0x80.
  package static let otherASCII = CharacterClasses(rawValue: 64)
  /// Any byte from 0x80 on.
  package static let nonASCII = CharacterClasses(rawValue: 128)

  /// The classes that occur in `bytes`.
  package init(of bytes: some Sequence<UInt8>) {
    var mask: UInt8 = 0
    for byte in bytes { mask |= CharacterClasses.table[Int(byte)] }
    rawValue = mask
  }

  /// Whether something made of these classes alone may hold `literal`.
  func mayHold(_ literal: [UInt8], ignoringCase: Bool) -> Bool {
    for byte in literal {
      var wanted = CharacterClasses(rawValue: CharacterClasses.table[Int(byte)])
      if ignoringCase {
        if wanted == .lowerHex { wanted.insert(.upperHex) }
        if wanted == .lowerRest { wanted.insert(.upperRest) }
      }
      if isDisjoint(with: wanted) { return false }
    }
    return true
  }

  /// The class of each byte value.
  static let table: [UInt8] = (0..<256).map { value in
    switch UInt8(value) {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): CharacterClasses.digits.rawValue
    case UInt8(ascii: "a")...UInt8(ascii: "f"): CharacterClasses.lowerHex.rawValue
    case UInt8(ascii: "g")...UInt8(ascii: "z"): CharacterClasses.lowerRest.rawValue
    case UInt8(ascii: "A")...UInt8(ascii: "F"): CharacterClasses.upperHex.rawValue
    case UInt8(ascii: "G")...UInt8(ascii: "Z"): CharacterClasses.upperRest.rawValue
    case UInt8(ascii: "_"): CharacterClasses.underscore.rawValue
    case 0x80...0xFF: CharacterClasses.nonASCII.rawValue
    default: CharacterClasses.otherASCII.rawValue
    }
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Whether `literal` occurs in these bytes; it is in lower case if case is ignored.
  func contains(_ literal: [UInt8], ignoringCase: Bool) -> Bool {
    if literal.isEmpty { return true }
    let place =
      ignoringCase
      ? tl_find_ascii_folded(baseAddress, count, literal, literal.count)
      : tl_find(baseAddress, count, literal, literal.count)
    return place < count
  }
}
