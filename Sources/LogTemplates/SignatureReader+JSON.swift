/// Messages that are a JSON object: their pattern is that of the message inside, or of the names of their members.
extension SignatureReader {
  /// Members whose text is the message, first choice first.
  private static let messageKeys: [StaticString] = ["message", "msg", "log", "error", "event"]
  /// Members looked at.
  private static let membersMax = 64

  /// Puts in place of a JSON object what tells it from others for a person. Leaves alone what is no object.
  mutating func readObject() {
    guard units.first == 0x7B else { return }
    let members = SignatureReader.members(of: units)
    guard members.count >= 2 else { return }
    for key in SignatureReader.messageKeys {
      for member in members
      where SignatureReader.isEqual(units[member.key], key) && member.isText && member.value.count > 1 {
        units = SignatureReader.unescaped(units[member.value])
        return
      }
    }
    // `{"user":<*>,"size":<*>}`
    var skeleton: [Unit] = []
    for (index, member) in members.enumerated() {
      if index > 0 { skeleton.append(0x20) }
      skeleton += units[member.key]
      skeleton += [0x3D, 0x100]
    }
    units = skeleton
  }

  /// Leaves of a line of `key=value` pairs that hold a message that message: `ts=… level=info msg="Ready" port=80`.
  mutating func readPairs() {
    guard SignatureReader.isLetter(at(0)) || at(0) == 0x40 else { return }
    var index = 0
    var message: Range<Int>?
    var pairs = 0
    while index < units.count, pairs < SignatureReader.membersMax {
      let key = index
      while SignatureReader.isWordByte(at(index)) || SignatureReader.isNameMark(at(index))
        || SignatureReader.isWildcard(at(index))
      { index += 1 }
      // Where a pair is missing, the line is no list of pairs; after the message anything may follow.
      guard index > key, at(index) == 0x3D else { break }
      let name = key..<index
      index += 1
      var value = index..<index
      if let text = SignatureReader.text(units, &index) {
        value = text
      } else {
        while index < units.count, !SignatureReader.isSpace(at(index)) { index += 1 }
        value = value.lowerBound..<index
      }
      pairs += 1
      if message == nil, value.count > 1,
        SignatureReader.isEqual(units[name], "msg") || SignatureReader.isEqual(units[name], "message")
      {
        message = value
      }
      guard index == units.count || SignatureReader.isSpace(at(index)) else { break }
      while SignatureReader.isSpace(at(index)) { index += 1 }
    }
    if let message, pairs >= 2 { units = SignatureReader.unescaped(units[message]) }
  }

  private static func isNameMark(_ unit: Unit) -> Bool { unit == 0x2E || unit == 0x2D || unit == 0x40 }

  private struct Member {
    var key: Range<Int>
    /// Within the quotes of a text.
    var value: Range<Int>
    var isText: Bool
  }

  /// The members at the top of the object that opens `units`, as far as it can be read.
  private static func members(of units: [Unit]) -> [Member] {
    var members: [Member] = []
    var index = 1
    while members.count < SignatureReader.membersMax {
      skipSpace(units, &index)
      guard let key = text(units, &index) else { return members }
      skipSpace(units, &index)
      guard index < units.count, units[index] == 0x3A else { return members }
      index += 1
      skipSpace(units, &index)
      if let value = text(units, &index) {
        members.append(Member(key: key, value: value, isText: true))
      } else {
        let start = index
        var depth = 0
        scan: while index < units.count {
          switch units[index] {
          case 0x7B, 0x5B: depth += 1
          case 0x7D, 0x5D:
            if depth == 0 { break scan }
            depth -= 1
          case 0x2C where depth == 0: break scan
          case 0x22:
            // A text among them; one that does not end takes the rest.
            if text(units, &index) == nil { index = units.count }
            continue scan
          default: break
          }
          index += 1
        }
        members.append(Member(key: key, value: start..<index, isText: false))
      }
      skipSpace(units, &index)
      guard index < units.count, units[index] == 0x2C else { return members }
      index += 1
    }
    return members
  }

  private static func skipSpace(_ units: [Unit], _ index: inout Int) {
    while index < units.count, isSpace(units[index]) { index += 1 }
  }

  /// The inside of the quoted text at `index`, which moves past it; nil if there is none.
  private static func text(_ units: [Unit], _ index: inout Int) -> Range<Int>? {
    guard index < units.count, units[index] == 0x22 else { return nil }
    var end = index + 1
    while end < units.count, units[end] != 0x22 { end += units[end] == 0x5C ? 2 : 1 }
    guard end < units.count else { return nil }
    defer { index = end + 1 }
    return index + 1..<end
  }

  private static func isEqual(_ units: ArraySlice<Unit>, _ text: StaticString) -> Bool {
    guard units.count == text.utf8CodeUnitCount else { return false }
    return units.enumerated().allSatisfy { $0.element == Unit(text.utf8Start[$0.offset]) }
  }

  /// A JSON text without its backslashes; tabs become spaces.
  private static func unescaped(_ units: ArraySlice<Unit>) -> [Unit] {
    var out: [Unit] = []
    out.reserveCapacity(units.count)
    var index = units.startIndex
    while index < units.endIndex {
      if units[index] == 0x5C, index + 1 < units.endIndex {
        index += 1
        switch units[index] {
        case 0x6E: out.append(0x0A)
        case 0x72, 0x74: out.append(0x20)
        default: out.append(units[index])
        }
      } else {
        out.append(units[index])
      }
      index += 1
    }
    return out
  }
}
