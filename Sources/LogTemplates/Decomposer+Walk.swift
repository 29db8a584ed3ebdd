internal import Domain

/// One walk over one message.
///
/// The walk stands always at the edge of a word, never within one. Text is literal until a variable is found; then what
/// is pending becomes a literal and the variable a slot.
struct Walk {
  private let scanner: SlotScanner
  private let bytes: UnsafeBufferPointer<UInt8>
  private let count: Int

  /// The next byte to look at.
  private var index = 0
  /// Where the literal text begins that is not yet in the shape.
  private var literalStart = 0
  /// The literal text may reach up to here before it is too much for one template.
  private var literalEnd = Decomposer.literalBytesMax
  /// Neighboring slots so far with only a mark or two between them.
  private var slotsInRow = 0
  /// The closing quote of a string that is read as text.
  private var quoteEnd = -1
  private var invalidRuns = 0

  /// Strings longer than this are one slot, unless they hold the message: user agents, SQL, nested documents.
  private static let quotedTextMax = 64
  /// A list of variables is one slot from here on, so that lists of each length do not each make a template.
  private static let listSlotsMax = 8
  /// Runs of bytes that are no UTF-8 after which the rest of a message is taken for binary data.
  private static let invalidRunsMax = 4

  init(_ message: UnsafeBufferPointer<UInt8>) {
    bytes = message
    scanner = SlotScanner(message)
    count = message.count
  }

  mutating func run(into shape: inout Decomposer.Shape) {
    while index < count {
      let start = index
      let byte = bytes[start]
      if SlotScanner.isLetter(byte) || SlotScanner.isDigit(byte) || byte == 0x5F {
        takeWords(into: &shape)
      } else if byte >= 0x80 {
        takeScalar(into: &shape)
      } else {
        switch byte {
        case 0x2F: takeSlash(into: &shape)
        case 0x22: takeQuote(into: &shape)
        case 0x5C: takeBackslash(into: &shape)
        case 0x3A: takeColon(into: &shape)
        default: index += 1
        }
      }
      if index > literalEnd {
        // Too much text: all from the last edge on, which is within the bound, is one slot.
        takeRest(from: max(start, literalStart), into: &shape)
        return
      }
    }
    shape.appendLiteral(bytes, from: literalStart, to: count)
  }

  /// Makes `start..<end` a slot.
  private mutating func take(_ kind: SlotKind, _ start: Int, _ end: Int, into shape: inout Decomposer.Shape) {
    if start > literalEnd {
      takeRest(from: literalStart, into: &shape)
      return
    }
    if shape.slotCount >= Decomposer.slotsMax - 1 {
      takeRest(from: start, into: &shape)
      return
    }
    var kind = kind
    var end = end
    slotsInRow = shape.slotCount > 0 && start - literalStart <= 2 ? slotsInRow + 1 : 1
    if slotsInRow >= Walk.listSlotsMax {
      let listEnd = scanner.listEnd(after: end)
      if listEnd > end {
        end = listEnd
        kind = .bytes
      }
    }
    shape.appendLiteral(bytes, from: literalStart, to: start)
    shape.appendSlot(kind, from: start, to: end)
    literalStart = end
    literalEnd = end + Decomposer.literalBytesMax - shape.literalByteCount
    index = end
  }

  /// Makes all from `start` on the last slot.
  private mutating func takeRest(from start: Int, into shape: inout Decomposer.Shape) {
    shape.appendLiteral(bytes, from: literalStart, to: start)
    shape.appendSlot(.bytes, from: start, to: count)
    literalStart = count
    literalEnd = count
    index = count
  }

  // MARK: Words

  /// Takes the word at `index` and all that `-`, `.` and `@` join to it. Plain words at its head stay literal; from the
  /// first one that varies on, it is one slot.
  private mutating func takeWords(into shape: inout Decomposer.Shape) {
    let start = index
    var end = start
    var partStart = start
    var variableStart = -1
    var points = 0
    var atSigns = 0
    while true {
      partStart = end
      if variableStart < 0, SlotScanner.isDigit(bytes[end]), let timestampEnd = scanner.timestamp(at: end) {
        take(.timestamp, end, timestampEnd, into: &shape)
        return
      }
      var sawDigit = false
      while end < count {
        let byte = bytes[end]
        if SlotScanner.isLetter(byte) || byte == 0x5F {
          end += 1
        } else if SlotScanner.isDigit(byte) {
          sawDigit = true
          end += 1
        } else if byte >= 0x80, WordTokenizer.isWord(bytes, at: end) {
          end += byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
        } else {
          break
        }
      }
      if variableStart < 0 {
        if sawDigit || (partStart > start && bytes[partStart - 1] == 0x2D && scanner.isRandomName(partStart..<end)) {
          variableStart = partStart
        } else if end + 1 < count, bytes[end] == 0x2D, bytes[end - 1] == 0x5F, SlotScanner.isDigit(bytes[end + 1]) {
          // `blk_-12` has the shape of `blk_12`.
          variableStart = partStart
        }
      }
      guard end + 1 < count else { break }
      let joint = bytes[end]
      if joint == 0x3A || joint == 0x20 {
        if partStart == start, takeAddressOrDate(start, end, joint, into: &shape) { return }
        break
      }
      guard joint == 0x2D || joint == 0x2E || joint == 0x40, scanner.isWord(at: end + 1) else { break }
      if joint == 0x2E { points += 1 } else if joint == 0x40 { atSigns += 1 }
      end += 1
    }

    if end - start >= 36, variableStart < 0 || variableStart >= end - 36, !scanner.isWord(before: end - 36),
      scanner.isUUID(at: end - 36)
    {
      return take(.uuid, end - 36, end, into: &shape)
    }
    if scanner[end] == 0x3A {
      if scanner[end + 1] == 0x2F, scanner[end + 2] == 0x2F, let urlEnd = scanner.url(colon: end) {
        return take(.path, start, urlEnd, into: &shape)
      }
      if end - start == 1, scanner[end + 1] == 0x5C, let pathEnd = scanner.windowsPath(backslash: end + 1) {
        return take(.path, start, pathEnd, into: &shape)
      }
    }
    if atSigns > 0 { return take(.word, start, end, into: &shape) }
    guard variableStart >= 0 else {
      if points > 0, scanner.isHostEnding(partStart..<end) { return take(.word, start, end, into: &shape) }
      if scanner[end] == 0x2C, end - start == 3, let dateEnd = scanner.namedTimestamp(at: start) {
        return take(.timestamp, start, dateEnd, into: &shape)
      }
      index = end
      return
    }

    let kind = scanner.kind(of: variableStart..<end)
    switch kind {
    case .word:
      if let longer = scanner.base64End(of: variableStart..<end) { end = longer }
    case .integer, .decimal, .duration:
      if variableStart == start, isSign(at: start - 1) { variableStart -= 1 }
    default:
      break
    }
    take(kind, variableStart, end, into: &shape)
  }

  /// Takes an IPv6 or hardware address, or a date that opens with a name, whose first word is `start..<end`.
  private mutating func takeAddressOrDate(
    _ start: Int, _ end: Int, _ joint: UInt8, into shape: inout Decomposer.Shape
  ) -> Bool {
    if joint == 0x20 {
      guard end - start == 3, bytes[start] &- 0x41 < 26, let dateEnd = scanner.namedTimestamp(at: start) else {
        return false
      }
      take(.timestamp, start, dateEnd, into: &shape)
      return true
    }
    guard end - start <= 4, SlotScanner.isHex(bytes[start]), SlotScanner.isHex(bytes[end + 1]) || bytes[end + 1] == 0x3A
    else {
      return false
    }
    if let addressEnd = scanner.ipv6(at: start) {
      take(.ipv6, start, addressEnd, into: &shape)
      return true
    }
    if end - start == 2, let addressEnd = scanner.hardwareAddress(at: start) {
      take(.word, start, addressEnd, into: &shape)
      return true
    }
    return false
  }

  /// Whether the byte at `place` is the sign of the number after it, not a hyphen.
  private func isSign(at place: Int) -> Bool {
    guard place >= literalStart, bytes[place] == 0x2D || bytes[place] == 0x2B else { return false }
    if place == 0 { return true }
    switch bytes[place - 1] {
    case 0x20, 0x09, 0x3D, 0x28, 0x5B, 0x7B, 0x3A, 0x2C, 0x3C, 0x3E, 0x22, 0x27: return true
    default: return false
    }
  }

  // MARK: Everything else

  private mutating func takeScalar(into shape: inout Decomposer.Shape) {
    let length = scanner.scalarLength(at: index)
    if length == 0 {
      invalidRuns += 1
      if invalidRuns >= Walk.invalidRunsMax { return takeRest(from: index, into: &shape) }
      var end = index + 1
      while end < count, !SlotScanner.isSpace(bytes[end]) { end += 1 }
      take(.bytes, index, end, into: &shape)
    } else if WordTokenizer.isWord(bytes, at: index) {
      takeWords(into: &shape)
    } else {
      index += length
    }
  }

  private mutating func takeSlash(into shape: inout Decomposer.Shape) {
    let start = index
    let before = scanner[start - 1]
    let isHead: Bool =
      switch before {
      case 0x2F, 0x3C: false
      case 0x2E: start < 2 || !scanner.isWord(before: start - 1)
      default: start == 0 || !scanner.isWord(before: start)
      }
    guard isHead, !(scanner.isDigit(at: start + 1) && scanner.ipv4(at: start + 1) != nil),
      let end = scanner.path(at: start)
    else {
      index += 1
      return
    }
    take(.path, start, end, into: &shape)
  }

  private mutating func takeBackslash(into shape: inout Decomposer.Shape) {
    let start = index
    let next = scanner[start + 1]
    // `\n` and its like are escapes in text, so a single backslash opens a path only before a capital.
    let isHead = next &- 0x41 < 26 || (next == 0x5C && scanner.isWord(at: start + 2) && scanner[start - 1] != 0x5C)
    guard isHead, start == 0 || !scanner.isWord(before: start), let end = scanner.windowsPath(backslash: start) else {
      index += 1
      return
    }
    take(.path, start, end, into: &shape)
  }

  private mutating func takeColon(into shape: inout Decomposer.Shape) {
    let start = index
    guard scanner[start + 1] == 0x3A, scanner[start - 1] != 0x3A, start == 0 || !scanner.isWord(before: start),
      let end = scanner.ipv6(at: start)
    else {
      index += 1
      return
    }
    take(.ipv6, start, end, into: &shape)
  }

  private mutating func takeQuote(into shape: inout Decomposer.Shape) {
    let open = index
    index += 1
    guard open >= quoteEnd, open == 0 || (bytes[open - 1] != 0x5C && !scanner.isWord(before: open)) else { return }
    if open == quoteEnd { return }
    guard let close = scanner.closingQuote(open: open) else {
      quoteEnd = count
      return
    }
    quoteEnd = close
    if close - open - 1 > Walk.quotedTextMax, !scanner.quoteHoldsMessage(open: open) {
      take(.quoted, open + 1, close, into: &shape)
    }
  }
}
