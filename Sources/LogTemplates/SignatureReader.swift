internal import Domain

/// Reads what a template looks like to the miner: a signature of words, punctuation and wildcards.
///
/// Finer variables than a person cares for become one wildcard: `node-<number>` is one, `<ipv4>:<number>` is one, a
/// list is one, and units belong to their number. The signature tells kinds of lines apart; a person is shown the text
/// that it was read from, of which every token has its piece.
///
/// One reader serves all templates: its buffers are used again.
struct SignatureReader: Sendable {
  /// What stands in a wildcard, for display.
  enum Mask: UInt8 {
    case any, number, hex, uuid, address, time, duration, path, text, identifier

    var name: StaticString {
      switch self {
      case .any: "<*>"
      case .number: "<num>"
      case .hex: "<hex>"
      case .uuid: "<uuid>"
      case .address: "<ip>"
      case .time: "<time>"
      case .duration: "<duration>"
      case .path: "<path>"
      case .text: "<text>"
      case .identifier: "<id>"
      }
    }

    init(_ kind: SlotKind?) {
      self =
        switch kind {
        case .integer, .decimal: .number
        case .hex: .hex
        case .uuid: .uuid
        case .ipv4, .ipv6: .address
        case .timestamp: .time
        case .duration: .duration
        case .path: .path
        case .quoted, .bytes, nil: .text
        case .word: .identifier
        }
    }
  }

  /// One token, and where it stands in `message`.
  struct Token: Sendable {
    /// Nil for text that is as it is.
    var mask: Mask?
    /// Of text: its bytes. Of a wildcard: nothing.
    var text: Range<Int>
    /// Where its piece of the message ends; it begins where that of the token before it ends.
    var end: Int
  }

  /// The message without the head of the line; a slot is the marker byte alone.
  private(set) var message: [UInt8] = []
  /// For each byte of `message` what stands there if it is a slot.
  private var slotMasks: [Mask] = []
  private(set) var tokens: [Token] = []
  /// For each byte of `message` the index of the template's slot that stands there, if one does.
  private var slotIndices: [UInt16] = []

  /// Places of markers that stand for text.
  private var hiddenPlaces: Set<Int> = []

  /// A byte, or 0x100 plus the mask of a wildcard; in the upper half its place in `message`.
  typealias Unit = UInt32
  var units: [Unit] = []
  var out: [Unit] = []

  /// What may be the head of a line without a time, if enough lines have it.
  var openingColumns: OpeningColumns?

  /// Tokens beyond this do not tell lines apart: printed lists and structures would make endless patterns.
  static let tokensMax = 30
  /// Brackets with more inside are one wildcard.
  static let bracketTokensMax = 16
  /// Template text beyond this is not looked at: places must fit the upper half of a unit.
  private static let textBytesMax = 16 << 10

  /// Reads the signature of `template` into `tokens`.
  mutating func read(_ template: Template, frames: inout FrameMemory) {
    takeUnits(of: template)
    readObject()
    readPairs()
    cutTrace()
    while let last = units.last, SignatureReader.isSpace(last) { units.removeLast() }
    removeFrame(&frames)
    placeUnits()
    joinVariables()
    tokenize()
    collapseRepeats()
    collapseBrackets()
    if tokens.count > SignatureReader.tokensMax {
      tokens.removeSubrange(SignatureReader.tokensMax...)
      if tokens[tokens.count - 1].mask != nil {
        tokens[tokens.count - 1].end = message.count
      } else {
        tokens.append(Token(mask: .any, text: 0..<0, end: message.count))
      }
    } else if !tokens.isEmpty {
      tokens[tokens.count - 1].end = message.count
    }
  }

  // MARK: Units

  static func wildcard(_ mask: Mask) -> Unit { 0x100 | Unit(mask.rawValue) }
  static func value(_ unit: Unit) -> Unit { unit & 0xFFFF }
  static func isWildcard(_ unit: Unit) -> Bool { unit & 0x100 != 0 }
  static func mask(of unit: Unit) -> Mask { Mask(rawValue: UInt8(truncatingIfNeeded: unit)) ?? .any }
  static func place(_ unit: Unit) -> Int { Int(unit >> 16) }
  /// `mask` in the place of `unit`.
  static func wildcard(_ mask: Mask, at unit: Unit) -> Unit { unit & 0xFFFF_0000 | wildcard(mask) }

  static func isLetter(_ value: Unit) -> Bool { (value | 0x20) &- 0x61 < 26 }
  static func isWordByte(_ value: Unit) -> Bool { isLetter(value) || value == 0x5F || (value >= 0x80 && value < 0x100) }
  static func isSpace(_ value: Unit) -> Bool { value == 0x20 || (value >= 9 && value <= 13) }

  /// The unit at `index` without its place, 0 outside.
  @inline(__always)
  func at(_ index: Int) -> Unit { index >= 0 && index < units.count ? units[index] & 0xFFFF : 0 }

  /// The end of `text` if it stands at `index` and no word goes on.
  func match(_ text: StaticString, at index: Int) -> Int? {
    let length = text.utf8CodeUnitCount
    guard index + length <= units.count else { return nil }
    for offset in 0..<length where at(index + offset) != Unit(text.utf8Start[offset]) { return nil }
    let end = index + length
    return SignatureReader.isWordByte(at(end)) || SignatureReader.isWildcard(at(end)) ? nil : end
  }

  private mutating func takeUnits(of template: Template) {
    units.removeAll(keepingCapacity: true)
    var index = 0
    var slot: Unit = 0
    let count = min(template.text.count, SignatureReader.textBytesMax)
    while index < count {
      let byte = template.text[index]
      if byte == Template.slotMarker {
        let kind = index + 1 < template.text.count ? SlotKind(rawValue: template.text[index + 1]) : nil
        // Until units have a place, the upper half tells the slot.
        units.append(SignatureReader.wildcard(Mask(kind)) | slot << 16)
        slot += 1
        index += 2
      } else {
        units.append(Unit(byte))
        index += 1
      }
    }
  }

  /// What is left is the message: from here on units know their place in it.
  private mutating func placeUnits() {
    message.removeAll(keepingCapacity: true)
    if !hiddenPlaces.isEmpty { hiddenPlaces.removeAll() }
    slotMasks.removeAll(keepingCapacity: true)
    slotIndices.removeAll(keepingCapacity: true)
    for index in units.indices {
      let unit = units[index]
      let isWildcard = SignatureReader.isWildcard(unit)
      message.append(isWildcard ? Template.slotMarker : UInt8(truncatingIfNeeded: unit))
      slotMasks.append(isWildcard ? SignatureReader.mask(of: unit) : .any)
      slotIndices.append(UInt16(truncatingIfNeeded: unit >> 16))
      units[index] = unit & 0xFFFF | Unit(truncatingIfNeeded: index) << 16
    }
  }

  /// Of bytes that belong to the variable before them.
  private static let hiddenByte: UInt8 = 0xFE

  mutating func hide(places: ClosedRange<Int>, _ mask: Mask) {
    if message[places.lowerBound] != Template.slotMarker { hiddenPlaces.insert(places.lowerBound) }
    for place in places { message[place] = SignatureReader.hiddenByte }
    message[places.lowerBound] = Template.slotMarker
    slotMasks[places.lowerBound] = mask
  }

  // MARK: Tokens

  private mutating func tokenize() {
    tokens.removeAll(keepingCapacity: true)
    typealias Reader = SignatureReader
    var index = 0
    while index < units.count {
      let unit = at(index)
      let place = Reader.place(units[index])
      if Reader.isSpace(unit) {
        index += 1
        continue
      }
      if Reader.isWildcard(unit) {
        let end = pieceEnd(of: index)
        index += 1
        if let last = tokens.last, last.mask != nil {
          tokens[tokens.count - 1].end = end
          continue
        }
        // Lists of variables are one.
        if tokens.count >= 2, tokens[tokens.count - 2].mask != nil, let mark = tokens.last, mark.text.count == 1 {
          switch message[mark.text.lowerBound] {
          case 0x2C, 0x3B, 0x3A:
            tokens.removeLast()
            tokens[tokens.count - 1].end = end
            continue
          default: break
          }
        }
        tokens.append(Token(mask: Reader.mask(of: unit), text: 0..<0, end: end))
        continue
      }
      if Reader.isWordByte(unit) {
        var end = index + 1
        while end < units.count, Reader.isWordByte(at(end)) || Reader.isInnerMark(at(end)) { end += 1 }
        while !Reader.isWordByte(at(end - 1)) && at(end - 1) != 0x24 { end -= 1 }
        let textEnd = Reader.place(units[end - 1]) + 1
        tokens.append(Token(mask: nil, text: place..<textEnd, end: textEnd))
        index = end
        continue
      }
      index += 1
      if unit == 0x2D || unit == 0x2B, Reader.isWildcard(at(index)) { continue }
      if unit == 0x2E {
        if !tokens.isEmpty { tokens[tokens.count - 1].end = place + 1 }
        continue
      }
      if unit == 0x29 || unit == 0x5D || unit == 0x7D, let last = tokens.last, last.text.count == 1 {
        switch message[last.text.lowerBound] {
        // `()` holds a variable that is empty.
        case 0x28, 0x5B, 0x7B: tokens.append(Token(mask: .any, text: 0..<0, end: last.end))
        default: break
        }
      }
      tokens.append(Token(mask: nil, text: place..<place + 1, end: place + 1))
    }
  }

  /// Where the piece of the wildcard at `index` ends: what was joined with it goes on up to the next unit.
  private func pieceEnd(of index: Int) -> Int {
    index + 1 < units.count ? SignatureReader.place(units[index + 1]) : message.count
  }

  /// Marks that words have inside: `non-negative`, `java.lang`, `can't`, `Outer$Inner`.
  private static func isInnerMark(_ unit: Unit) -> Bool { unit == 0x2D || unit == 0x2E || unit == 0x27 || unit == 0x24 }

  /// Repeats of up to this many tokens are looked for.
  private static let repeatTokensMax = 6
  /// As many of a kind in a row are a list.
  private static let listRepeatsMin = 3

  private func isSame(_ left: Token, _ right: Token) -> Bool {
    guard left.text.count == right.text.count, (left.mask == nil) == (right.mask == nil) else { return false }
    return message[left.text].elementsEqual(message[right.text])
  }

  /// Leaves of a printed list, `node-1 <ok> node-2 <ok> node-3 <ok>`, its first entry: equal tokens in a row with a
  /// variable and a word among them.
  private mutating func collapseRepeats() {
    guard tokens.count >= 2 * SignatureReader.listRepeatsMin else { return }
    var index = 0
    scan: while index < tokens.count {
      for period in 2...SignatureReader.repeatTokensMax {
        var end = index + period
        while end + period <= tokens.count,
          (0..<period).allSatisfy({ isSame(tokens[end + $0], tokens[index + $0]) })
        {
          end += period
        }
        let first = tokens[index..<min(index + period, tokens.count)]
        guard end - index >= SignatureReader.listRepeatsMin * period, first.contains(where: { $0.mask != nil }),
          first.contains(where: { $0.mask == nil && SignatureReader.isWordByte(Unit(message[$0.text.lowerBound])) })
        else { continue }
        tokens[index + period - 1].end = tokens[end - 1].end
        tokens.removeSubrange(index + period..<end)
        index += period
        continue scan
      }
      index += 1
    }
  }

  /// Makes what stands in long brackets one wildcard.
  private mutating func collapseBrackets() {
    guard tokens.count > SignatureReader.bracketTokensMax + 2 else { return }
    var opens: [(index: Int, mark: UInt8)] = []
    var index = 0
    while index < tokens.count {
      if tokens[index].text.count == 1 {
        let byte = message[tokens[index].text.lowerBound]
        switch byte {
        case 0x28, 0x5B, 0x7B:
          opens.append((index, byte))
        case 0x29, 0x5D, 0x7D:
          let mark: UInt8 = byte == 0x29 ? 0x28 : byte - 2
          guard let place = opens.lastIndex(where: { $0.mark == mark }) else { break }
          let open = opens[place].index
          opens.removeSubrange(place...)
          if index - open - 1 > SignatureReader.bracketTokensMax {
            let inside = Token(mask: .any, text: 0..<0, end: tokens[index - 1].end)
            tokens.replaceSubrange(open + 1..<index, with: [inside])
            index = open + 2
          }
        default: break
        }
      }
      index += 1
    }
  }

  // MARK: Pieces

  /// A piece longer than this ends in a wildcard.
  private static let pieceBytesMax = 1024

  /// Writes the piece of the message that the token at `index` stands for: each variable as the marker byte and its
  /// mask, letters and marks that touch one being part of it; blanks as one space.
  func writePiece(of index: Int, into piece: inout [UInt8]) {
    typealias Reader = SignatureReader
    let start = index > 0 ? tokens[index - 1].end : 0
    let end = max(start, tokens[index].end)
    piece.removeAll(keepingCapacity: true)
    var place = start
    var wildcards = 0
    /// Before here nothing belongs to a variable that comes.
    var edge = 0
    while place < end {
      let byte = message[place]
      if piece.count > Reader.pieceBytesMax {
        while let last = piece.last, last >= 0x80, piece.count > edge { piece.removeLast() }
        piece += [0x20, Template.slotMarker, Mask.any.rawValue]
        return
      }
      if Reader.isSpace(Unit(byte)) {
        if piece.last != 0x20 || piece.count == edge { piece.append(0x20) }
        edge = piece.count
      } else if byte == Template.slotMarker {
        var mask = slotMasks[place]
        while piece.count > edge, Reader.isGlue(Unit(piece[piece.count - 1])) {
          // Leaders `.....` stay.
          if piece.suffix(2) == [0x2E, 0x2E] { break }
          if Reader.isWordByte(Unit(piece[piece.count - 1])) { mask = .identifier }
          piece.removeLast()
        }
        if edge >= 2, piece.count == edge, piece[edge - 2] == Template.slotMarker {
          mask = Reader.joined(Mask(rawValue: piece[edge - 1]) ?? .any, mask)
          piece[edge - 1] = mask.rawValue
        } else if piece.count == edge + 1, edge >= 2, piece[edge - 2] == Template.slotMarker,
          Reader.joinsVariables(Unit(piece[edge]))
        {
          piece.removeLast()
          piece[edge - 1] = Reader.joined(Mask(rawValue: piece[edge - 1]) ?? .any, mask).rawValue
        } else {
          wildcards += 1
          piece += [Template.slotMarker, mask.rawValue]
        }
        edge = piece.count
        // What touches its end, but for a point that ends the sentence.
        var next = place + 1
        while next < end, message[next] == Reader.hiddenByte { next += 1 }
        let inner = next
        while next < end, Reader.isGlue(Unit(message[next])) || message[next] == 0x25 { next += 1 }
        while next > inner, message[next - 1] == 0x2E || message[next - 1] == 0x2D { next -= 1 }
        place = next
        continue
      } else {
        piece.append(byte)
      }
      place += 1
    }
    if wildcards == 1, let mask = tokens[index].mask, let marker = piece.firstIndex(of: Template.slotMarker) {
      piece[marker + 1] = mask.rawValue
    }
  }

  // MARK: Parameters

  /// What makes up the value of the wildcard at `index`: the words around its slots and all between them. Empty if no
  /// slot is in it.
  func parameterParts(of index: Int) -> [PatternMiner.Parameter.Part] {
    let start = index > 0 ? tokens[index - 1].end : 0
    let end = max(start, tokens[index].end)
    guard let first = (start..<end).first(where: { isSlot($0) }), let last = (start..<end).last(where: { isSlot($0) })
    else { return [] }
    func isBlank(_ place: Int) -> Bool { SignatureReader.isSpace(Unit(message[place])) }
    var low = first
    while low > start, !isBlank(low - 1) { low -= 1 }
    var high = last + 1
    while high < end, !isBlank(high) { high += 1 }
    while high > last + 1, [0x2E, 0x2C, 0x3B, 0x3A].contains(message[high - 1]) { high -= 1 }
    var parts: [PatternMiner.Parameter.Part] = []
    var text: [UInt8] = []
    for place in low..<high {
      if isSlot(place) {
        if !text.isEmpty { parts.append(.text(text)) }
        text = []
        parts.append(.slot(Int(slotIndices[place])))
      } else if message[place] < SignatureReader.hiddenByte {
        text.append(message[place])
      }
    }
    if !text.isEmpty { parts.append(.text(text)) }
    return parts
  }

  /// Hidden text has a marker, too, but is the template's own.
  private func isSlot(_ place: Int) -> Bool {
    message[place] == Template.slotMarker && !hiddenPlaces.contains(place)
  }
}
