import CKernels

/// Why some bytes are not a record.
struct JSONFault: Error {
  enum Kind {
    case unexpectedEnd, unclosedString
    case expectedObject, expectedKey, expectedColon, expectedCommaOrBrace, expectedCommaOrBracket, expectedValue
    case afterObject
    case number, literal, escape, controlCharacter
    case tooDeep, tooLong, tooManyFields, keyTooLong
    case empty, nothingToKeep, notATime, future, past, retention, bodyTooLarge, arrayNotClosed
  }

  var kind: Kind
  /// Where in the body; -1 where no place would help.
  var offset: Int
}

/// What a JSON value is.
enum JSONKind: UInt8 {
  case string, escapedString, number, boolean, null, object, array
}

/// RFC 8259 over bytes, without building anything. Bytes inside strings are not asked to be UTF-8.
struct JSONScanner {
  let base: UnsafePointer<UInt8>
  /// Nothing at or beyond is read.
  var limit: Int
  var depthMax: Int

  @inline(__always)
  func skipSpace(_ start: Int) -> Int {
    var index = start
    while index < limit {
      let byte = base[index]
      if byte > 0x20 || (byte != 0x20 && byte != 0x0A && byte != 0x0D && byte != 0x09) { break }
      index += 1
    }
    return index
  }

  /// The index of the quote that closes the string whose first inner byte is at `start`.
  @inline(__always)
  func stringEnd(_ start: Int, isEscaped: inout Bool) throws(JSONFault) -> Int {
    var index = start
    while true {
      // Eight bytes at a time: a byte is flagged if it is a quote, a backslash or below 0x20. The lowest flag is always
      // right; those above it may be a borrow's.
      while index + 8 <= limit {
        let word = UInt64(littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
        let quotes = word ^ 0x2222_2222_2222_2222
        let slashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
        let ones: UInt64 = 0x0101_0101_0101_0101
        let found =
          (((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- 0x2020_2020_2020_2020) & ~word))
          & 0x8080_8080_8080_8080
        if found != 0 {
          index += found.trailingZeroBitCount >> 3
          break
        }
        index += 8
      }
      guard index < limit else { throw JSONFault(kind: .unclosedString, offset: index) }
      let byte = base[index]
      if byte == 0x22 { return index }
      if byte == 0x5C {
        isEscaped = true
        index = try skipEscape(index)
      } else if byte < 0x20 {
        throw JSONFault(kind: .controlCharacter, offset: index)
      } else {
        index += 1
      }
    }
  }

  /// The index after the escape at `start`.
  private func skipEscape(_ start: Int) throws(JSONFault) -> Int {
    guard start + 1 < limit else { throw JSONFault(kind: .unclosedString, offset: start) }
    switch base[start + 1] {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return start + 2
    case 0x75:
      for offset in 2..<6 {
        guard start + offset < limit else { throw JSONFault(kind: .unclosedString, offset: start) }
        guard hexValue(base[start + offset]) != nil else { throw JSONFault(kind: .escape, offset: start) }
      }
      return start + 6
    default: throw JSONFault(kind: .escape, offset: start)
    }
  }

  /// The index after the value at `start`, and its kind.
  func skipValue(_ start: Int, depth: Int) throws(JSONFault) -> (end: Int, kind: JSONKind) {
    guard start < limit else { throw JSONFault(kind: .unexpectedEnd, offset: start) }
    switch base[start] {
    case 0x22:
      var isEscaped = false
      let end = try stringEnd(start + 1, isEscaped: &isEscaped)
      return (end + 1, isEscaped ? .escapedString : .string)
    case UInt8(ascii: "{"): return (try skipObject(start, depth: depth + 1), .object)
    case UInt8(ascii: "["): return (try skipArray(start, depth: depth + 1), .array)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return (try skipNumber(start), .number)
    case UInt8(ascii: "t"): return (try skipLiteral(start, "true"), .boolean)
    case UInt8(ascii: "f"): return (try skipLiteral(start, "false"), .boolean)
    case UInt8(ascii: "n"): return (try skipLiteral(start, "null"), .null)
    default: throw JSONFault(kind: .expectedValue, offset: start)
    }
  }

  private func skipObject(_ start: Int, depth: Int) throws(JSONFault) -> Int {
    guard depth <= depthMax else { throw JSONFault(kind: .tooDeep, offset: start) }
    var index = skipSpace(start + 1)
    if index < limit, base[index] == UInt8(ascii: "}") { return index + 1 }
    while true {
      guard index < limit else { throw JSONFault(kind: .unexpectedEnd, offset: index) }
      guard base[index] == 0x22 else { throw JSONFault(kind: .expectedKey, offset: index) }
      var isEscaped = false
      index = skipSpace(try stringEnd(index + 1, isEscaped: &isEscaped) + 1)
      index = skipSpace(try skipColon(index))
      index = skipSpace(try skipValue(index, depth: depth).end)
      guard index < limit else { throw JSONFault(kind: .unexpectedEnd, offset: index) }
      if base[index] == UInt8(ascii: "}") { return index + 1 }
      guard base[index] == UInt8(ascii: ",") else { throw JSONFault(kind: .expectedCommaOrBrace, offset: index) }
      index = skipSpace(index + 1)
    }
  }

  @inline(__always)
  func skipColon(_ index: Int) throws(JSONFault) -> Int {
    guard index < limit else { throw JSONFault(kind: .unexpectedEnd, offset: index) }
    guard base[index] == UInt8(ascii: ":") else { throw JSONFault(kind: .expectedColon, offset: index) }
    return index + 1
  }

  private func skipArray(_ start: Int, depth: Int) throws(JSONFault) -> Int {
    guard depth <= depthMax else { throw JSONFault(kind: .tooDeep, offset: start) }
    var index = skipSpace(start + 1)
    if index < limit, base[index] == UInt8(ascii: "]") { return index + 1 }
    while true {
      index = skipSpace(try skipValue(index, depth: depth).end)
      guard index < limit else { throw JSONFault(kind: .unexpectedEnd, offset: index) }
      if base[index] == UInt8(ascii: "]") { return index + 1 }
      guard base[index] == UInt8(ascii: ",") else { throw JSONFault(kind: .expectedCommaOrBracket, offset: index) }
      index = skipSpace(index + 1)
    }
  }

  private func skipNumber(_ start: Int) throws(JSONFault) -> Int {
    var index = start
    if base[index] == UInt8(ascii: "-") { index += 1 }
    let whole = digitsEnd(index)
    guard whole > index, whole - index == 1 || base[index] != UInt8(ascii: "0") else {
      throw JSONFault(kind: .number, offset: start)
    }
    index = whole
    if index < limit, base[index] == UInt8(ascii: ".") {
      let end = digitsEnd(index + 1)
      guard end > index + 1 else { throw JSONFault(kind: .number, offset: start) }
      index = end
    }
    if index < limit, base[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      if index < limit, base[index] == UInt8(ascii: "+") || base[index] == UInt8(ascii: "-") { index += 1 }
      let end = digitsEnd(index)
      guard end > index else { throw JSONFault(kind: .number, offset: start) }
      index = end
    }
    return index
  }

  @inline(__always)
  private func digitsEnd(_ start: Int) -> Int {
    var index = start
    while index < limit, isDigit(base[index]) { index += 1 }
    return index
  }

  private func skipLiteral(_ start: Int, _ word: StaticString) throws(JSONFault) -> Int {
    for offset in 0..<word.utf8CodeUnitCount {
      guard start + offset < limit else { throw JSONFault(kind: .unexpectedEnd, offset: start + offset) }
      guard base[start + offset] == word.utf8Start[offset] else { throw JSONFault(kind: .literal, offset: start) }
    }
    return start + word.utf8CodeUnitCount
  }

  /// The index after the bracket that closes the one at `start`, whatever lies between, if brackets and quotes are in
  /// order.
  func lenientEnd(_ start: Int) -> Int? {
    var kinds: UInt64 = 0
    var depth = 0
    let depthMax = min(depthMax, 64)
    var index = start
    while index < limit {
      switch base[index] {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard depth < depthMax else { return nil }
        kinds = kinds << 1 | (base[index] == UInt8(ascii: "{") ? 1 : 0)
        depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard depth > 0, kinds & 1 == (base[index] == UInt8(ascii: "}") ? 1 : 0) else { return nil }
        kinds >>= 1
        depth -= 1
        if depth == 0 { return index + 1 }
      case 0x22:
        index += 1
        while index < limit, base[index] != 0x22 {
          if base[index] == 0x0A { return nil }
          index += base[index] == 0x5C ? 2 : 1
        }
      default: break
      }
      index += 1
    }
    return nil
  }

  // MARK: Values as a record keeps them

  /// Appends the text of the string whose inner bytes are `range`: escapes decoded, all other bytes as they are. A
  /// surrogate without its other half becomes U+FFFD.
  func appendString(_ range: Range<Int>, to bytes: inout [UInt8]) {
    var index = range.lowerBound
    let end = range.upperBound
    while index < end {
      let run = Int(tl_find_byte(base + index, end - index, 0x5C))
      bytes.append(contentsOf: UnsafeBufferPointer(start: base + index, count: run))
      index += run
      guard index + 1 < end else { break }
      let mark = base[index + 1]
      index += 2
      switch mark {
      case UInt8(ascii: "n"): bytes.append(0x0A)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "r"): bytes.append(0x0D)
      case UInt8(ascii: "b"): bytes.append(0x08)
      case UInt8(ascii: "f"): bytes.append(0x0C)
      case UInt8(ascii: "u"):
        var scalar = codeUnit(index, end)
        index += 4
        if scalar & 0xFC00 == 0xD800, index + 6 <= end, base[index] == 0x5C, base[index + 1] == UInt8(ascii: "u") {
          let low = codeUnit(index + 2, end)
          if low & 0xFC00 == 0xDC00 {
            scalar = 0x10000 + ((scalar & 0x3FF) << 10 | (low & 0x3FF))
            index += 6
          }
        }
        appendUTF8(scalar & 0xFFFF_F800 == 0xD800 ? 0xFFFD : scalar, to: &bytes)
      default: bytes.append(mark)
      }
    }
  }

  private func codeUnit(_ start: Int, _ end: Int) -> UInt32 {
    guard start + 4 <= end else { return 0xFFFD }
    var value: UInt32 = 0
    for offset in 0..<4 { value = value << 4 | UInt32(hexValue(base[start + offset]) ?? 0) }
    return value
  }

  private func appendUTF8(_ scalar: UInt32, to bytes: inout [UInt8]) {
    switch scalar {
    case ..<0x80: bytes.append(UInt8(scalar))
    case ..<0x800:
      bytes.append(UInt8(0xC0 | scalar >> 6))
      bytes.append(UInt8(0x80 | scalar & 0x3F))
    case ..<0x10000:
      bytes.append(UInt8(0xE0 | scalar >> 12))
      bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
      bytes.append(UInt8(0x80 | scalar & 0x3F))
    default:
      bytes.append(UInt8(0xF0 | scalar >> 18))
      bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
      bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
      bytes.append(UInt8(0x80 | scalar & 0x3F))
    }
  }

  /// Appends the JSON text in `range` without the space between its tokens.
  func appendCompact(_ range: Range<Int>, to bytes: inout [UInt8]) {
    var index = range.lowerBound
    var isInString = false
    while index < range.upperBound {
      let byte = base[index]
      if isInString {
        bytes.append(byte)
        if byte == 0x5C, index + 1 < range.upperBound {
          index += 1
          bytes.append(base[index])
        } else if byte == 0x22 {
          isInString = false
        }
      } else if byte > 0x20 {
        bytes.append(byte)
        isInString = byte == 0x22
      }
      index += 1
    }
  }
}

@inline(__always)
func hexValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 0x30
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 0x57
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 0x37
  default: nil
  }
}
