internal import CKernels

// LETTER RUNS, the content of a frame: every distinct run in bytewise order, each with a newline before it, and one at
// the end.

/// Letters that are looked for in variables: a maximal run of ASCII letters and `_` of a text, as far as the text tells.
package struct LetterRun: Hashable, Sendable {
  package let letters: [UInt8]
  /// Whether the run begins here, and ends here, wherever the text stands.
  package let isWholeStart: Bool
  package let isWholeEnd: Bool

  /// Nil if the letters are too few to tell anything, or could be hex digits.
  package init?(_ letters: some Collection<UInt8>, isWholeStart: Bool, isWholeEnd: Bool) {
    guard letters.count >= LetterRuns.byteCountMin, CharacterClasses(of: letters).contains(anyOf: LetterRuns.telling)
    else { return nil }
    self.letters = Array(letters)
    self.isWholeStart = isWholeStart
    self.isWholeEnd = isWholeEnd
  }
}

/// The distinct runs of ASCII letters and `_` in the variables of a block: few and short where variables are numbers,
/// identifiers and names, and then they tell what no variable holds without a look at one.
///
/// Runs of letters that all could be hex digits, and very short ones, are left out.
package struct LetterRuns: Sendable {
  static let byteCountMin = 3
  /// Where runs take more than this, variables are prose or random letters: too much to read for every query.
  static let totalByteCountMax = 32 << 10
  /// Letters of which at least one stands in a run that is kept.
  static let telling = CharacterClasses([.lowerRest, .upperRest, .underscore])

  /// As stored.
  private var text: [UInt8] = []
  private var known: [UInt64: Range<Int>] = [:]
  private var lastHash: UInt64 = 0
  private var isTooMuch = false

  init() {}

  mutating func removeAll() {
    text.removeAll(keepingCapacity: true)
    known.removeAll(keepingCapacity: true)
    lastHash = 0
    isTooMuch = false
  }

  /// - Parameter word: Letters, digits and `_`; others part runs too.
  mutating func insertRuns(of word: UnsafeBufferPointer<UInt8>) {
    var start = 0
    while start < word.count {
      var end = start
      var mask: UInt8 = 0
      while end < word.count, LetterRuns.isLetter(word[end]) {
        mask |= CharacterClasses.table[Int(word[end])]
        end += 1
      }
      if end - start >= LetterRuns.byteCountMin, mask & LetterRuns.telling.rawValue != 0 {
        insert(UnsafeBufferPointer(rebasing: word[start..<end]))
      }
      start = end + 1
    }
  }

  private mutating func insert(_ run: UnsafeBufferPointer<UInt8>) {
    let hash = tl_hash64(run.baseAddress, run.count, 1)
    // Neighbors often hold the same.
    if hash == lastHash || isTooMuch { return }
    lastHash = hash
    if let range = known[hash], text[range].elementsEqual(run) { return }
    let start = text.count
    text.append(contentsOf: run)
    known[hash] = start..<text.count
    if text.count > LetterRuns.totalByteCountMax { isTooMuch = true }
  }

  static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_") }

  /// Nil if there are too many.
  var encoded: [UInt8]? {
    if isTooMuch { return nil }
    var bytes: [UInt8] = []
    for run in known.values.map({ Array(text[$0]) }).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      bytes.append(UInt8(ascii: "\n"))
      bytes += run
    }
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  // MARK: - Reading

  init(decoding bytes: [UInt8]) { text = bytes }

  /// Whether the runs are letters, and apart.
  var isWellFormed: Bool {
    let newline = UInt8(ascii: "\n")
    return text.first == newline && text.last == newline
      && text.allSatisfy { $0 == newline || LetterRuns.isLetter($0) }
  }

  func mayContain(_ run: LetterRun, ignoringCase: Bool) -> Bool {
    let newline = UInt8(ascii: "\n")
    let needle = (run.isWholeStart ? [newline] : []) + run.letters + (run.isWholeEnd ? [newline] : [])
    return text.withUnsafeBufferPointer { text in
      needle.withUnsafeBufferPointer { needle in
        let find = ignoringCase ? tl_find_ascii_folded : tl_find
        return find(text.baseAddress, text.count, needle.baseAddress, needle.count) < text.count
      }
    }
  }
}

extension CharacterClasses {
  fileprivate func contains(anyOf other: CharacterClasses) -> Bool { !isDisjoint(with: other) }
}
