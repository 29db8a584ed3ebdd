import Domain

/// A phrase made ready: bytes that stand together, with the ends of words where the phrase's own ends are in words.
struct PhraseMatcher: Sendable {
  let phrase: [UInt8]
  /// A word character may not come before; one may not follow.
  let bindsStart: Bool
  let bindsEnd: Bool

  /// - Parameter isPrefix: The last word may go on.
  init(_ phrase: [UInt8], isPrefix: Bool = false) {
    self.phrase = phrase
    (bindsStart, bindsEnd) = phrase.withUnsafeBufferPointer { buffer in
      (WordTokenizer.isWord(buffer, at: 0), !isPrefix && WordTokenizer.isWord(buffer, before: buffer.count))
    }
  }

  @inline(__always)
  func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool { end(in: text, from: 0) != nil }

  /// Where the first occurrence at `start` or later ends.
  func end(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    phrase.withUnsafeBufferPointer { phrase in
      var from = start
      while let found = ByteSearch.find(phrase, in: text, from: from) {
        if isBounded(text, found) { return found + phrase.count }
        from = found + 1
      }
      return nil
    }
  }

  @inline(__always)
  fileprivate func isBounded(_ text: UnsafeBufferPointer<UInt8>, _ found: Int) -> Bool {
    if bindsStart, found > 0 {
      let byte = text[found - 1]
      if byte < 0x80 ? WordTokenizer.isASCIIWord(byte) : WordTokenizer.isWord(text, before: found) { return false }
    }
    let end = found + phrase.count
    if bindsEnd, end < text.count {
      let byte = text[end]
      if byte < 0x80 ? WordTokenizer.isASCIIWord(byte) : WordTokenizer.isWord(text, at: end) { return false }
    }
    return true
  }
}

/// A phrase in any case. ASCII phrases are compared byte by byte; others with the text's simple lower case.
struct FoldedPhraseMatcher: Sendable {
  /// In lower case.
  let phrase: PhraseMatcher
  let isASCII: Bool

  init(_ phrase: [UInt8], isPrefix: Bool = false) {
    self.phrase = PhraseMatcher(phrase.withUnsafeBufferPointer(FoldedPhraseMatcher.lowercased), isPrefix: isPrefix)
    isASCII = self.phrase.phrase.allSatisfy { $0 < 0x80 }
  }

  func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard isASCII else { return FoldedPhraseMatcher.lowercased(text).withUnsafeBufferPointer(phrase.matches) }
    return phrase.phrase.withUnsafeBufferPointer { needle in
      var from = 0
      while let found = ByteSearch.findFolded(needle, in: text, from: from) {
        if phrase.isBounded(text, found) { return true }
        from = found + 1
      }
      return false
    }
  }

  /// The simple lower case of UTF-8; bytes that are not UTF-8 stay.
  static func lowercased(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    changed(text, CaseOrbits.lowercased)
  }

  static func uppercased(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    changed(text, CaseOrbits.uppercased)
  }

  private static func changed(
    _ text: UnsafeBufferPointer<UInt8>, _ change: (Unicode.Scalar) -> Unicode.Scalar
  ) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      guard let (scalar, length) = Scalars.decode(text, at: index) else {
        result.append(text[index])
        index += 1
        continue
      }
      if let encoded = UTF8.encode(change(scalar)) { result += encoded }
      index += length
    }
    return result
  }
}

/// Scalars in bytes.
enum Scalars {
  /// The scalar at `index` and how many bytes it takes; nil if the bytes are not UTF-8 there.
  static func decode(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (scalar: Unicode.Scalar, length: Int)? {
    let first = text[index]
    if first < 0x80 { return (Unicode.Scalar(first), 1) }
    let length =
      first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xC2 && first < 0xE0 ? 2 : 0
    guard length > 0, index + length <= text.count else { return nil }
    var value = UInt32(first) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
    for offset in 1..<length {
      let next = text[index + offset]
      guard next & 0xC0 == 0x80 else { return nil }
      value = value << 6 | UInt32(next & 0x3F)
    }
    guard value >= (length == 3 ? 0x800 : length == 4 ? 0x10000 : 0x80), let scalar = Unicode.Scalar(value) else {
      return nil
    }
    return (scalar, length)
  }
}

/// Values to be equal to, found without making an array of the value asked about.
struct ValueSet: Sendable {
  /// By length, then by bytes.
  private let sorted: [[UInt8]]

  init(_ values: some Sequence<[UInt8]>) {
    sorted = values.sorted { $0.count != $1.count ? $0.count < $1.count : $0.lexicographicallyPrecedes($1) }
  }

  var values: [[UInt8]] { sorted }

  func contains(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      let order = ValueSet.compare(sorted[middle], value)
      if order == 0 { return true }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return false
  }

  private static func compare(_ left: [UInt8], _ right: UnsafeBufferPointer<UInt8>) -> Int {
    if left.count != right.count { return left.count < right.count ? -1 : 1 }
    for index in 0..<left.count where left[index] != right[index] { return left[index] < right[index] ? -1 : 1 }
    return 0
  }
}

/// The spellings that `contains_common_case` and `equals_common_case` accept for a phrase: as given, in capitals, in
/// lower case, and with each capital independently made small.
enum CommonCase {
  /// More capitals than this are made small together only.
  static let capitalsMax = 8

  static func spellings(of phrase: [UInt8]) -> Set<[UInt8]> {
    phrase.withUnsafeBufferPointer { buffer in
      var all: Set<[UInt8]> = [phrase, FoldedPhraseMatcher.lowercased(buffer), FoldedPhraseMatcher.uppercased(buffer)]
      var pieces: [(text: [UInt8], lower: [UInt8]?)] = []
      var index = 0
      while index < buffer.count {
        let length = Scalars.decode(buffer, at: index)?.length ?? 1
        let text = Array(buffer[index..<index + length])
        let lower = text.withUnsafeBufferPointer(FoldedPhraseMatcher.lowercased)
        pieces.append((text, lower == text ? nil : lower))
        index += length
      }
      let capitals = pieces.indices.filter { pieces[$0].lower != nil }
      guard capitals.count <= capitalsMax else { return all }
      for choice in 0..<1 << capitals.count {
        var spelling: [UInt8] = []
        var capital = 0
        for piece in pieces {
          if let lower = piece.lower {
            spelling += choice >> capital & 1 == 1 ? lower : piece.text
            capital += 1
          } else {
            spelling += piece.text
          }
        }
        all.insert(spelling)
      }
      return all
    }
  }
}
