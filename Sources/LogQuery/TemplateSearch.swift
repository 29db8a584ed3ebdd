package import Domain

/// Where in the messages of a template a required text can stand, by the template's text and what bytes its slots hold.
///
/// The template is read as a pattern: literal bytes as they are, a slot as any number of bytes out of a set. All
/// alternatives run at once, one bit a byte of theirs, as in Shift-And (Baeza-Yates and Gonnet 1992): about a nanosecond
/// a byte of the template.
///
/// Sound under what the decomposer promises: a word lies wholly in one literal or in one slot, and a word with a digit
/// lies in no literal.
package struct TemplateSearch: Sendable {
  /// Where a text may stand; never less than where it does.
  package struct Places: Hashable, Sendable {
    /// Wholly in a literal: in every message of the template.
    package var inLiteral = false
    /// Partly in a literal or in one slot, partly in the next.
    package var acrossEdge = false
    /// Bit i: wholly in slot i.
    package var slots: UInt64 = 0

    package var isNowhere: Bool { !inLiteral && !acrossEdge && slots == 0 }
  }

  /// A maximal run of ASCII letters and `_` in an alternative.
  package struct Run: Sendable {
    package let letters: ArraySlice<UInt8>
    /// Whether the run begins here, and ends here, wherever the alternative stands.
    package let isWholeStart: Bool
    package let isWholeEnd: Bool
    /// The alternatives' bytes that it is.
    package let mask: UInt64
  }

  package let text: RequiredText
  /// The alternatives' runs of letters.
  package let runs: [Run]
  /// Bits of the alternatives' first and last bytes.
  private let starts: UInt64
  private let ends: UInt64
  /// The ends of alternatives whose last bytes are left out: what follows may stand anywhere.
  private let cutEnds: UInt64
  /// Bytes after which an edge of a slot may come: not those that the next byte continues as a word.
  private let edges: UInt64
  /// By byte of a literal: what it can be.
  private let literalMasks: [UInt64]
  /// Whether no byte of a literal can be part of it.
  private let isForSlotsOnly: Bool
  /// By byte of a slot.
  private let byteMasks: [UInt64]
  /// By `SlotKind.rawValue`: the bytes of the alternatives that a slot of that kind can hold.
  private let kindMasks: [UInt64]

  /// - Parameters:
  ///   - wholeStart: No word goes on into the text at its start.
  ///   - wholeEnd: Nor at its end.
  package init(_ text: RequiredText, wholeStart: Bool = false, wholeEnd: Bool = false) {
    self.text = text
    func isWhole(_ word: Range<Int>, of text: [UInt8]) -> Bool {
      // What is no ASCII may be a letter of the same word.
      let startsWord = word.lowerBound > 0 ? text[word.lowerBound - 1] < 0x80 : wholeStart
      return startsWord && (word.upperBound < text.count ? text[word.upperBound] < 0x80 : wholeEnd)
    }
    // What does not fit in a word is left out at the ends: containing less is still required.
    let share = 64 / text.alternatives.count
    var starts: UInt64 = 0
    var ends: UInt64 = 0
    var cutEnds: UInt64 = 0
    var edges: UInt64 = 0
    var inLiterals: UInt64 = 0
    var inHex: UInt64 = 0
    var byteMasks = [UInt64](repeating: 0, count: 256)
    var runs: [Run] = []
    var bit = 0
    for alternative in text.alternatives {
      let words = TemplateSearch.words(of: alternative)
      let count = min(alternative.count, share)
      for range in TemplateSearch.letterRuns(of: alternative) where range.lowerBound < count {
        let mask = (range.lowerBound..<min(range.upperBound, count)).reduce(UInt64(0)) { $0 | 1 << UInt64(bit + $1) }
        runs.append(
          Run(
            letters: alternative[range], isWholeStart: range.lowerBound > 0 || wholeStart,
            isWholeEnd: range.upperBound < alternative.count || wholeEnd, mask: mask))
      }
      starts |= 1 << UInt64(bit)
      for index in 0..<count {
        let byte = alternative[index]
        let own: UInt64 = 1 << UInt64(bit)
        byteMasks[Int(byte)] |= own
        if text.ignoresCase, byte &- UInt8(ascii: "a") < 26 { byteMasks[Int(byte & ~0x20)] |= own }
        let word = words[index]
        if word?.hasDigit != true { inLiterals |= own }
        let isWhole = word.map { isWhole($0.range, of: alternative) } ?? false
        // A word in a hex slot has a digit.
        if !isWhole || word?.hasDigit == true { inHex |= own }
        let goesOn =
          index + 1 < count && WordTokenizer.isASCIIWord(byte) && WordTokenizer.isASCIIWord(alternative[index + 1])
        if !goesOn { edges |= own }
        bit += 1
      }
      ends |= 1 << UInt64(bit - 1)
      if count < alternative.count { cutEnds |= 1 << UInt64(bit - 1) }
    }
    self.runs = runs
    self.starts = starts
    self.ends = ends
    self.cutEnds = cutEnds
    self.edges = edges
    self.byteMasks = byteMasks
    literalMasks = byteMasks.map { $0 & inLiterals }
    isForSlotsOnly = inLiterals == 0
    kindMasks = (0...SlotKind.allCases.count).map { raw in
      guard let possible = SlotKind(rawValue: UInt8(raw))?.possibleBytes else { return .max }
      let mask = (0...255).reduce(0) { possible.contains(UInt8($1)) ? $0 | byteMasks[$1] : $0 }
      return raw == Int(SlotKind.hex.rawValue) ? mask & inHex : mask
    }
  }

  /// For each bit of a set of byte classes, the bytes of the alternatives that belong to the class.
  ///
  /// - Parameter classes: By byte: the one bit of its class.
  package func masks(ofClasses classes: [UInt8]) -> [UInt64] {
    var masks = [UInt64](repeating: 0, count: 8)
    for byte in 0...255 where byteMasks[byte] != 0 { masks[classes[byte].trailingZeroBitCount & 7] |= byteMasks[byte] }
    return masks
  }

  /// By what kinds of slots the template has alone.
  ///
  /// - Parameter allowed: Bytes of the alternatives that stand in any slot at all.
  package func places(in template: Template, allowed: UInt64 = .max) -> Places {
    places(in: template, allowed: allowed) { _ in .max }
  }

  /// - Parameters:
  ///   - allowed: Bytes of the alternatives that stand in any slot at all.
  ///   - slotMask: The union of `masks(ofClasses:)` of the classes that a slot's values are made of; asked only of slots
  ///     where it matters.
  package func places(
    in template: Template, allowed: UInt64, slotMask: (Int) throws -> UInt64
  ) rethrows -> Places {
    try template.text.withUnsafeBufferPointer { text in
      try literalMasks.withUnsafeBufferPointer { literalMasks in
        var places = Places()
        // Bit i: the bytes of an alternative up to its i-th may end here. `own`: those that began in this literal.
        var read: UInt64 = 0
        var own: UInt64 = 0
        var slot = 0
        var index = 0
        while index < text.count {
          if isForSlotsOnly, text[index] != Template.slotMarker {
            read = 0
            while index < text.count, text[index] != Template.slotMarker { index += 1 }
            if index == text.count { break }
          }
          let byte = text[index]
          if byte != Template.slotMarker || index + 1 == text.count {
            let mask = literalMasks[Int(byte)]
            read = ((read << 1) | starts) & mask
            own = ((own << 1) | starts) & mask
            if read & ends != 0 {
              if own & ends & ~cutEnds != 0 { places.inLiteral = true }
              if read & ends & (~own | cutEnds) != 0 { places.acrossEdge = true }
              read &= ~ends
              own &= ~ends
            }
            index += 1
            continue
          }
          let kind = Int(text[index + 1])
          var mask = (kind < kindMasks.count ? kindMasks[kind] : .max) & allowed
          read &= edges
          // Nothing goes on here, and nothing begins.
          if read | (starts & mask) != 0 {
            mask &= try slotMask(slot)
            // What began before the slot goes on in it …
            let carried = run(from: read, through: mask)
            if carried & ends != 0 { places.acrossEdge = true }
            // … or begins there.
            let fresh = run(from: starts & mask, through: mask)
            if fresh & cutEnds != 0 { places.acrossEdge = true }
            if fresh & ends & ~cutEnds != 0 {
              if slot < 64 { places.slots |= 1 << UInt64(slot) } else { places.acrossEdge = true }
            }
            read = (carried | fresh) & ~ends & edges
          }
          own = 0
          slot += 1
          index += 2
        }
        return places
      }
    }
  }

  /// All that can be read from `state` by any number of bytes of `mask`.
  @inline(__always)
  private func run(from state: UInt64, through mask: UInt64) -> UInt64 {
    var state = state
    while true {
      let next = state | ((state << 1) & ~starts & mask)
      if next == state { return state }
      state = next
    }
  }

  private static func letterRuns(of text: [UInt8]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start = 0
    while start < text.count {
      var end = start
      while end < text.count, WordTokenizer.isASCIIWord(text[end]), !FieldNumber.isDigit(text[end]) { end += 1 }
      if end > start { runs.append(start..<end) }
      start = end + 1
    }
    return runs
  }

  private struct Word {
    var range: Range<Int>
    var hasDigit: Bool
  }

  /// The run of ASCII word characters that each byte belongs to.
  private static func words(of text: [UInt8]) -> [Word?] {
    var result = [Word?](repeating: nil, count: text.count)
    var start = 0
    while start < text.count {
      var end = start
      while end < text.count, WordTokenizer.isASCIIWord(text[end]) { end += 1 }
      let word = Word(range: start..<end, hasDigit: text[start..<end].contains(where: FieldNumber.isDigit))
      for index in start..<end { result[index] = word }
      start = max(end, start + 1)
    }
    return result
  }
}

extension SlotKind {
  /// The bytes that a slot of this kind may hold; nil if they may be any.
  var possibleBytes: ByteSet? {
    switch self {
    case .integer: SlotBytes.integer
    case .decimal: SlotBytes.decimal
    case .hex: SlotBytes.hex
    case .uuid: SlotBytes.uuid
    case .ipv4: SlotBytes.ipv4
    case .ipv6, .duration, .timestamp, .path, .quoted, .word, .bytes: nil
    }
  }
}

private enum SlotBytes {
  static let integer = set("0123456789+-")
  static let decimal = set("0123456789+-.")
  static let hex = set("0123456789abcdefABCDEFxX")
  static let uuid = set("0123456789abcdefABCDEF-")
  static let ipv4 = set("0123456789.")

  private static func set(_ text: StaticString) -> ByteSet {
    text.withUTF8Buffer { bytes in
      var set = ByteSet()
      for byte in bytes { set.insert(byte) }
      return set
    }
  }
}
