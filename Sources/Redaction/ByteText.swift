/// A view of bytes that answers 0 outside its bounds: looking around a place needs no checks and cannot trap.
struct ByteText {
  let base: UnsafePointer<UInt8>
  let count: Int

  subscript(index: Int) -> UInt8 {
    UInt(bitPattern: index) < UInt(bitPattern: count) ? base[index] : 0
  }

  func starts(with word: StaticString, at index: Int) -> Bool {
    let length = word.utf8CodeUnitCount
    guard index >= 0, length <= count - index else { return false }
    for offset in 0..<length where base[index + offset] != word.utf8Start[offset] { return false }
    return true
  }

  /// As `starts`, letters of either case. `word` is in lower case.
  func startsAnyCase(with word: StaticString, at index: Int) -> Bool {
    let length = word.utf8CodeUnitCount
    guard index >= 0, length <= count - index else { return false }
    for offset in 0..<length where base[index + offset].lowered != word.utf8Start[offset] { return false }
    return true
  }

  func ends(with word: StaticString, at end: Int) -> Bool { starts(with: word, at: end - word.utf8CodeUnitCount) }

  /// Whether the bytes are `word`, letters of either case.
  func equalsAnyCase(_ range: Range<Int>, _ word: StaticString) -> Bool {
    range.count == word.utf8CodeUnitCount && startsAnyCase(with: word, at: range.lowerBound)
  }

  func equalsAnyCase(_ range: Range<Int>, anyOf words: [StaticString]) -> Bool {
    words.contains { equalsAnyCase(range, $0) }
  }

  /// The end of the run of bytes of a set that begins at `start`.
  func end(of set: ByteSet, from start: Int, most: Int = .max) -> Int {
    let limit = most < count - start ? start + most : count
    var end = start
    while end < limit, set.contains(base[end]) { end += 1 }
    return end
  }

  /// The start of the run of bytes of a set that ends at `end`.
  func start(of set: ByteSet, to end: Int, most: Int = .max) -> Int {
    let limit = most < end ? end - most : 0
    var start = end
    while start > limit, set.contains(base[start - 1]) { start -= 1 }
    return start
  }

  func first(_ byte: UInt8, in range: Range<Int>) -> Int? { range.first { self[$0] == byte } }
  func last(_ byte: UInt8, in range: Range<Int>) -> Int? { range.last { self[$0] == byte } }
  func contains(_ byte: UInt8, in range: Range<Int>) -> Bool { range.contains { self[$0] == byte } }

  func find(_ word: StaticString, in range: Range<Int>) -> Int? {
    range.first { self[$0] == word.utf8Start[0] && starts(with: word, at: $0) }
  }
}

/// A table that lives as long as the process: looked into for every word, so neither counted nor checked.
struct FixedTable<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  // Never written after `init` and never freed, which makes the promise above true.
  private let base: UnsafePointer<Element>

  init(_ elements: [Element]) {
    let memory = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
    memory.initialize(from: elements, count: elements.count)
    base = UnsafePointer(memory)
  }

  /// - Parameter index: Of the array that the table was made of.
  @inline(__always) subscript(index: Int) -> Element { base[index] }
}

/// A set of ASCII bytes.
struct ByteSet {
  private var low: UInt64 = 0
  private var high: UInt64 = 0
  /// Whether bytes of characters beyond ASCII belong to it.
  private var beyond: UInt64 = 0

  init(_ characters: StaticString, beyondASCII: Bool = false) {
    for offset in 0..<characters.utf8CodeUnitCount { insert(characters.utf8Start[offset]) }
    beyond = beyondASCII ? 1 : 0
  }

  private mutating func insert(_ byte: UInt8) {
    if byte < 64 { low |= 1 << UInt64(byte) } else if byte < 128 { high |= 1 << UInt64(byte & 63) }
  }

  func contains(_ byte: UInt8) -> Bool {
    let bits = byte < 64 ? low : byte < 128 ? high : beyond &* .max
    return (bits >> UInt64(byte & 63)) & 1 != 0
  }

  func union(_ characters: StaticString) -> ByteSet {
    var set = self
    for offset in 0..<characters.utf8CodeUnitCount { set.insert(characters.utf8Start[offset]) }
    return set
  }

  static let digits = ByteSet("0123456789")
  static let hex = ByteSet("0123456789abcdefABCDEF")
  static let lower = ByteSet("abcdefghijklmnopqrstuvwxyz")
  static let upperDigits = ByteSet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
  static let lowerDigits = ByteSet("0123456789abcdefghijklmnopqrstuvwxyz")
  static let letters = ByteSet("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  static let alphanumeric = letters.union("0123456789")
  static let word = alphanumeric.union("_")
  static let name = word.union("-.")
  static let base64 = alphanumeric.union("+/")
  static let base64URL = word.union("-")
  /// What tokens are written in: base64 of either alphabet, and dots between parts.
  static let token = word.union("-.+/~=")
  static let host = alphanumeric.union("-._")
  static let space = ByteSet(" \t")
  static let blank = ByteSet(" \t\r\n")
  static let quotes = ByteSet("\"'`")
}

extension UInt8 {
  @inline(__always) var isDigit: Bool { self &- 0x30 < 10 }
  @inline(__always) var isUpper: Bool { self &- 0x41 < 26 }
  @inline(__always) var isLower: Bool { self &- 0x61 < 26 }
  @inline(__always) var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
  @inline(__always) var isAlphanumeric: Bool { isLetter || isDigit }
  @inline(__always) var isWord: Bool { isLetter || isDigit || self == 0x5F }
  @inline(__always) var isHex: Bool { isDigit || (self | 0x20) &- 0x61 < 6 }
  /// A space, a tabulator, an end of line, or outside the text.
  @inline(__always) var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D || self == 0 }
  @inline(__always) var lowered: UInt8 { isUpper ? self | 0x20 : self }

  static let quote = UInt8(ascii: "\"")
  static let backslash = UInt8(ascii: "\\")
  static let colon = UInt8(ascii: ":")
  static let equals = UInt8(ascii: "=")
  static let dash = UInt8(ascii: "-")
  static let dot = UInt8(ascii: ".")
  static let slash = UInt8(ascii: "/")
  static let at = UInt8(ascii: "@")
}
