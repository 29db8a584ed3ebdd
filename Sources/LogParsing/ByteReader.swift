/// A place in some bytes, moved by the parsers that read them. Every read is checked against the end; a read that fails
/// moves nothing.
struct ByteReader {
  let bytes: UnsafeBufferPointer<UInt8>
  var index: Int

  @inline(__always)
  init(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int = 0) {
    self.bytes = bytes
    self.index = index
  }

  @inline(__always)
  var isAtEnd: Bool { index >= bytes.count }

  /// The byte `offset` ahead, 0 beyond the end.
  @inline(__always)
  func peek(_ offset: Int = 0) -> UInt8 {
    let place = index + offset
    return place >= 0 && place < bytes.count ? bytes[place] : 0
  }

  @inline(__always)
  mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  @inline(__always)
  mutating func take(_ character: Character) -> Bool { take(character.asciiValue ?? 0) }

  /// Spaces and tabs.
  mutating func skipBlanks() {
    while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
  }

  /// How many digits follow, counting at most `countMax`.
  func digitCount(countMax: Int = 24) -> Int {
    var count = 0
    while count < countMax, isDigit(peek(count)) { count += 1 }
    return count
  }

  /// A number of `counts` digits, however many more follow.
  mutating func number(_ counts: ClosedRange<Int>) -> Int? {
    var value = 0
    var count = 0
    while count < counts.upperBound, isDigit(peek(count)) {
      value = value * 10 + Int(peek(count) & 0x0F)
      count += 1
    }
    guard count >= counts.lowerBound else { return nil }
    index += count
    return value
  }

  mutating func number(_ count: Int) -> Int? { number(count...count) }

  /// Whether the bytes ahead are `word` in any case; `word` is in lower case ASCII.
  func hasPrefix(folded word: StaticString) -> Bool {
    guard index + word.utf8CodeUnitCount <= bytes.count else { return false }
    for offset in 0..<word.utf8CodeUnitCount
    where asciiLowercased(bytes[index + offset]) != word.utf8Start[offset] {
      return false
    }
    return true
  }

  /// Whether the bytes ahead are `word`.
  func hasPrefix(_ word: StaticString) -> Bool {
    guard index + word.utf8CodeUnitCount <= bytes.count else { return false }
    for offset in 0..<word.utf8CodeUnitCount where bytes[index + offset] != word.utf8Start[offset] { return false }
    return true
  }

  /// The bytes up to the next blank or the end.
  mutating func token() -> Range<Int> {
    let start = index
    while index < bytes.count, bytes[index] != 0x20, bytes[index] != 0x09 { index += 1 }
    return start..<index
  }
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

@inline(__always)
func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

@inline(__always)
func isWordByte(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) || byte == 0x5F || byte >= 0x80 }

@inline(__always)
func asciiLowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

extension UnsafeBufferPointer<UInt8> {
  /// The part of these bytes in `range`, which must lie inside.
  @inline(__always)
  func part(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: self[range]) }

  /// Whether these bytes are `word` in any case; `word` is in lower case ASCII.
  @inline(__always)
  func equals(folded word: StaticString) -> Bool {
    guard count == word.utf8CodeUnitCount else { return false }
    for offset in 0..<count where asciiLowercased(self[offset]) != word.utf8Start[offset] { return false }
    return true
  }

  /// Without blanks and line ends at either end.
  var trimmed: UnsafeBufferPointer<UInt8> {
    var start = 0
    var end = count
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
    while start < end, isBlank(self[start]) { start += 1 }
    while end > start, isBlank(self[end - 1]) { end -= 1 }
    return part(start..<end)
  }
}

extension StaticString {
  /// Its bytes, for comparison with a record's.
  var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
