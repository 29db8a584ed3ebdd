internal import Domain

/// Recognizes variables at a place in a message. Each function looks ahead only, and answers with the end of what it
/// found or nil.
///
/// Whatever is found ends where no word goes on: callers rely on it for the promise at the head of `Decomposer.swift`.
struct SlotScanner {
  let bytes: UnsafeBufferPointer<UInt8>
  let count: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    count = bytes.count
  }

  /// The byte at `index`, 0 outside the message: no format below contains a 0.
  @inline(__always)
  subscript(_ index: Int) -> UInt8 {
    index >= 0 && index < count ? bytes[index] : 0
  }

  // MARK: Bytes

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  @inline(__always)
  static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

  @inline(__always)
  static func isASCIIWord(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_") }

  @inline(__always)
  static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }

  @inline(__always)
  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

  @inline(__always)
  func isDigit(at index: Int) -> Bool { SlotScanner.isDigit(self[index]) }

  /// Whether a word character starts at `index`.
  @inline(__always)
  func isWord(at index: Int) -> Bool {
    let byte = self[index]
    return byte < 0x80 ? SlotScanner.isASCIIWord(byte) : WordTokenizer.isWord(bytes, at: index)
  }

  /// Whether a word character ends just before `index`.
  @inline(__always)
  func isWord(before index: Int) -> Bool {
    let byte = self[index - 1]
    return byte < 0x80 ? SlotScanner.isASCIIWord(byte) : WordTokenizer.isWord(bytes, before: index)
  }

  /// Bytes of the UTF-8 sequence at `index`, whose first byte is not ASCII; 0 if it is not valid.
  func scalarLength(at index: Int) -> Int {
    let first = bytes[index]
    let second = self[index + 1]
    func continues(_ offset: Int) -> Bool { self[index + offset] & 0xC0 == 0x80 }
    switch first {
    case 0xC2...0xDF: return continues(1) ? 2 : 0
    case 0xE0: return second >= 0xA0 && continues(1) && continues(2) ? 3 : 0
    case 0xED: return second < 0xA0 && continues(1) && continues(2) ? 3 : 0
    case 0xE1...0xEF: return continues(1) && continues(2) ? 3 : 0
    case 0xF0: return second >= 0x90 && continues(1) && continues(2) && continues(3) ? 4 : 0
    case 0xF1...0xF3: return continues(1) && continues(2) && continues(3) ? 4 : 0
    case 0xF4: return second < 0x90 && continues(1) && continues(2) && continues(3) ? 4 : 0
    default: return 0
    }
  }

  /// The end of the digits at `start`.
  @inline(__always)
  func digits(at start: Int) -> Int {
    var end = start
    while isDigit(at: end) { end += 1 }
    return end
  }

  /// The end of one or two digits at `start`, or nil.
  @inline(__always)
  private func shortNumber(at start: Int) -> Int? {
    guard isDigit(at: start) else { return nil }
    let end = isDigit(at: start + 1) ? start + 2 : start + 1
    return isDigit(at: end) ? nil : end
  }

  // MARK: Timestamps

  /// The end of a timestamp that starts with the digit at `start`.
  ///
  /// Dates as `2026-03-18`, `2026/03/18`, `18/Mar/2026`, `18-Mar-2026`, `3/18/2026`, and `03-18` or `26/03/18` when a
  /// time follows; times as `13:44:27` with fraction and zone; both joined by a space, `T`, `:` or `-`; a date alone
  /// when it has a year of four digits.
  func timestamp(at start: Int) -> Int? {
    let first = digits(at: start)
    let separator = self[first]
    switch first - start {
    case 4:
      guard separator == 0x2D || separator == 0x2F || separator == 0x2E,
        let month = shortNumber(at: first + 1), self[month] == separator, let day = shortNumber(at: month + 1)
      else { return nil }
      if let end = timeAfterDate(at: day) { return end }
      return separator != 0x2E && ends(at: day) ? day : nil
    case 1, 2:
      if separator == 0x3A { return time(at: start) }
      guard separator == 0x2F || separator == 0x2D || separator == 0x2E || separator == 0x20 else { return nil }
      if let month = monthName(at: first + 1) {
        guard self[month] == separator else { return nil }
        let year = digits(at: month + 1)
        guard year - month == 5 else { return nil }
        if let end = timeAfterDate(at: year) { return end }
        return ends(at: year) ? year : nil
      }
      guard separator != 0x20, let second = shortNumber(at: first + 1) else { return nil }
      if self[second] == separator {
        let third = digits(at: second + 1)
        if third - second == 5 || third - second == 3 {
          if let end = timeAfterDate(at: third) { return end }
          return third - second == 5 && separator == 0x2F && ends(at: third) ? third : nil
        }
        return nil
      }
      return self[second] == 0x20 ? timeAfterDate(at: second) : nil
    default:
      return nil
    }
  }

  /// The end of a timestamp that starts with a month or weekday name at `start`: `Mar 18 13:44:27`, `Wed Mar 18
  /// 13:44:27 2026`, `Wed, 18 Mar 2026 13:44:27 GMT`.
  func namedTimestamp(at start: Int) -> Int? {
    var index = start
    if isWeekday(at: start) {
      index = start + 3
      if self[index] == 0x2C { index += 1 }
      guard self[index] == 0x20 else { return nil }
      index += 1
      if isDigit(at: index) {
        guard let end = timestamp(at: index), end - index > 12 else { return nil }
        return end
      }
    }
    guard let month = monthName(at: index), self[month] == 0x20 else { return nil }
    index = self[month + 1] == 0x20 ? month + 2 : month + 1
    guard let day = shortNumber(at: index), self[day] == 0x20, var end = time(at: day + 1) else { return nil }
    // A zone and a year may follow, in this order.
    if self[end] == 0x20, isUppercase(at: end + 1), isUppercase(at: end + 2), isUppercase(at: end + 3),
      self[end + 4] == 0x20, digits(at: end + 5) == end + 9, ends(at: end + 9)
    {
      end += 9
    } else if self[end] == 0x20, digits(at: end + 1) == end + 5, ends(at: end + 5), yearIsPlausible(at: end + 1) {
      end += 5
    }
    return end
  }

  private func yearIsPlausible(at index: Int) -> Bool {
    (self[index] == 0x31 && self[index + 1] == 0x39) || (self[index] == 0x32 && self[index + 1] == 0x30)
  }

  private func isUppercase(at index: Int) -> Bool { self[index] &- 0x41 < 26 }

  /// Whether nothing of a word is at `index`.
  @inline(__always)
  private func ends(at index: Int) -> Bool { !isWord(at: index) }

  private func timeAfterDate(at index: Int) -> Int? {
    switch self[index] {
    case 0x20, 0x54, 0x3A, 0x2D, 0x5F: return time(at: index + 1)
    case 0x2C: return self[index + 1] == 0x20 ? time(at: index + 2) : nil
    default: return nil
    }
  }

  /// The end of `13:44:27` with an optional fraction, AM or PM, and zone. `13.44.27.123` counts after a date only,
  /// which is where callers come from when the separator is a point.
  private func time(at start: Int) -> Int? {
    guard let hour = shortNumber(at: start) else { return nil }
    let separator = self[hour]
    guard separator == 0x3A || separator == 0x2E, let minute = shortNumber(at: hour + 1), minute - hour == 3,
      self[minute] == separator, isDigit(at: minute + 1), isDigit(at: minute + 2), !isDigit(at: minute + 3)
    else { return nil }
    var end = minute + 3
    if self[end] == 0x2E || self[end] == 0x2C || self[end] == 0x3A {
      let fraction = digits(at: end + 1)
      if fraction > end + 1, fraction - end <= 10 { end = fraction }
    }
    let plain = end
    // Zones.
    if self[end] == 0x5A {
      end += 1
    } else {
      var sign = end
      if self[sign] == 0x20 { sign += 1 }
      if self[sign] == 0x2B || self[sign] == 0x2D, isDigit(at: sign + 1), isDigit(at: sign + 2) {
        if self[sign + 3] == 0x3A, isDigit(at: sign + 4), isDigit(at: sign + 5), ends(at: sign + 6) {
          end = sign + 6
        } else if isDigit(at: sign + 3), isDigit(at: sign + 4), ends(at: sign + 5) {
          end = sign + 5
        }
      } else if sign > end {
        if isName("UTC", at: sign) || isName("GMT", at: sign) {
          end = sign + 3
        } else if isName("AM", at: sign) || isName("PM", at: sign) {
          end = sign + 2
        }
      }
    }
    if ends(at: end) { return end }
    return ends(at: plain) ? plain : nil
  }

  private func isName(_ name: StaticString, at index: Int) -> Bool {
    let length = name.utf8CodeUnitCount
    for offset in 0..<length where self[index + offset] != name.utf8Start[offset] { return false }
    return ends(at: index + length)
  }

  /// The end of an English month name of three letters.
  private func monthName(at index: Int) -> Int? {
    let key = UInt32(self[index]) << 16 | UInt32(self[index + 1]) << 8 | UInt32(self[index + 2])
    switch key {
    case 0x4A616E, 0x466562, 0x4D6172, 0x417072, 0x4D6179, 0x4A756E, 0x4A756C, 0x417567, 0x536570, 0x4F6374, 0x4E6F76,
      0x446563:
      return index + 3
    default:
      return nil
    }
  }

  private func isWeekday(at index: Int) -> Bool {
    let key = UInt32(self[index]) << 16 | UInt32(self[index + 1]) << 8 | UInt32(self[index + 2])
    switch key {
    case 0x4D6F6E, 0x547565, 0x576564, 0x546875, 0x467269, 0x536174, 0x53756E: return true
    default: return false
    }
  }

  // MARK: Addresses

  /// The end of an IPv6 address at `start`: eight groups, or fewer around one `::`, with at least one digit. An IPv4
  /// tail counts.
  func ipv6(at start: Int) -> Int? {
    var index = start
    var groups = 0
    var sawGap = false
    var sawDigit = false
    while true {
      let groupStart = index
      while index - groupStart < 5, SlotScanner.isHex(self[index]) {
        if isDigit(at: index) { sawDigit = true }
        index += 1
      }
      if index == groupStart {
        // Only `::` leaves a group empty.
        guard self[index] == 0x3A, self[index + 1] == 0x3A, !sawGap, groups == 0 else { return nil }
        sawGap = true
        index += 2
        if !SlotScanner.isHex(self[index]) { return nil }
        continue
      }
      if self[index] == 0x2E, let end = ipv4(at: groupStart), groups <= 6, sawGap || groups == 6 { return end }
      guard index - groupStart <= 4 else { return nil }
      groups += 1
      guard groups <= 8 else { return nil }
      guard self[index] == 0x3A else { break }
      if self[index + 1] == 0x3A {
        if sawGap { return nil }
        sawGap = true
        index += 2
        if !SlotScanner.isHex(self[index]) { break }
      } else if SlotScanner.isHex(self[index + 1]) {
        index += 1
      } else {
        break
      }
    }
    guard sawDigit, ends(at: index), groups == 8 ? !sawGap : sawGap else { return nil }
    return index
  }

  /// The end of six pairs of hex digits with colons between.
  func hardwareAddress(at start: Int) -> Int? {
    for pair in 0..<6 {
      let index = start + 3 * pair
      guard SlotScanner.isHex(self[index]), SlotScanner.isHex(self[index + 1]), pair == 5 || self[index + 2] == 0x3A
      else {
        return nil
      }
    }
    return ends(at: start + 17) && self[start + 17] != 0x3A ? start + 17 : nil
  }

  /// The end of four numbers of 0 to 255 with points between.
  func ipv4(at start: Int) -> Int? {
    var index = start
    for octet in 0..<4 {
      var value = 0
      let octetStart = index
      while isDigit(at: index), index - octetStart < 4 {
        value = value * 10 + Int(self[index] &- 0x30)
        index += 1
      }
      guard index > octetStart, index - octetStart <= 3, value <= 255 else { return nil }
      if octet < 3 {
        guard self[index] == 0x2E else { return nil }
        index += 1
      }
    }
    guard ends(at: index) else { return nil }
    return index
  }

  /// Whether the 36 bytes at `start` have the form of a UUID.
  func isUUID(at start: Int) -> Bool {
    guard start >= 0, start + 36 <= count else { return false }
    for offset in 0..<36 {
      let byte = bytes[start + offset]
      switch offset {
      case 8, 13, 18, 23: if byte != 0x2D { return false }
      default: if !SlotScanner.isHex(byte) { return false }
      }
    }
    return true
  }

  // MARK: Paths

  private static let pathMarksMax = 64

  /// The end of a path whose `/` is at `start`.
  func path(at start: Int) -> Int? {
    var end = start + 1
    var sawWord = false
    scan: while end < count {
      let byte = bytes[end]
      if byte >= 0x80 {
        let length = scalarLength(at: end)
        if length == 0 { break }
        sawWord = true
        end += length
        continue
      }
      if SlotScanner.isASCIIWord(byte) {
        sawWord = true
      } else {
        // Marks alone are no path, and looking ahead over them must not cost more than they do.
        if !sawWord, end - start > SlotScanner.pathMarksMax { return nil }
        switch byte {
        case 0x2F, 0x2E, 0x2D, 0x25, 0x2B, 0x7E, 0x3A, 0x24, 0x23, 0x3D, 0x2A, 0x3F, 0x26, 0x40: break
        default: break scan
        }
      }
      end += 1
    }
    guard sawWord else { return nil }
    end = withoutTrailingPunctuation(start: start, end: end)
    return end > start + 1 ? end : nil
  }

  /// The end of a URL whose `://` is at `colon`.
  func url(colon: Int) -> Int? {
    var end = colon + 3
    scan: while end < count {
      let byte = bytes[end]
      if byte >= 0x80 {
        let length = scalarLength(at: end)
        if length == 0 { break }
        end += length
        continue
      }
      switch byte {
      case 0...0x20, 0x22, 0x27, 0x28, 0x29, 0x2C, 0x3B, 0x3C, 0x3E, 0x5B, 0x5C, 0x5D, 0x60, 0x7B, 0x7D, 0x7F:
        // A bracket opens an IPv6 host right after the slashes.
        if byte == 0x5B, end == colon + 3 {
          break
        } else if byte == 0x5D, bytes[colon + 3 < count ? colon + 3 : colon] == 0x5B {
          break
        }
        break scan
      default: break
      }
      end += 1
    }
    end = withoutTrailingPunctuation(start: colon + 2, end: end)
    return end > colon + 3 ? end : nil
  }

  /// The end of a Windows path whose first backslash is at `backslash`.
  func windowsPath(backslash: Int) -> Int? {
    var end = backslash
    var segments = 0
    scan: while end < count {
      let byte = bytes[end]
      if byte >= 0x80 {
        let length = scalarLength(at: end)
        if length == 0 { break }
        end += length
        continue
      }
      if byte == 0x5C {
        segments += 1
      } else if !SlotScanner.isASCIIWord(byte) {
        switch byte {
        case 0x2E, 0x24, 0x25, 0x7E, 0x40, 0x2B, 0x2D: break
        default: break scan
        }
      }
      end += 1
    }
    end = withoutTrailingPunctuation(start: backslash, end: end)
    return end > backslash + 1 && segments > 0 ? end : nil
  }

  private func withoutTrailingPunctuation(start: Int, end: Int) -> Int {
    var end = end
    while end > start + 1 {
      switch bytes[end - 1] {
      case 0x2E, 0x3A, 0x2C, 0x3F, 0x2D, 0x3D, 0x2A: end -= 1
      default: return end
      }
    }
    return end
  }

  // MARK: Words with digits

  /// What the digits and letters of `range`, which holds a digit and is one word or several joined by `-`, `.` or `@`,
  /// stand for.
  func kind(of range: Range<Int>) -> SlotKind {
    let start = range.lowerBound
    let end = range.upperBound
    let first = digits(at: start)
    if first >= end { return .integer }
    if first > start {
      if bytes[first] == 0x2E {
        let second = digits(at: first + 1)
        if second == end { return .decimal }
        if second > first + 1, second < end, bytes[second] == 0x2E, ipv4(at: start) == end { return .ipv4 }
      }
      if isDuration(range) { return .duration }
    }
    if bytes[start] == 0x30, end - start > 2, bytes[start + 1] | 0x20 == 0x78 {
      var index = start + 2
      while index < end, SlotScanner.isHex(bytes[index]) { index += 1 }
      return index == end ? .hex : .word
    }
    if end - start >= 6 {
      // One case only, so that a number and a case are all there is to store; and a digit, which a random name may
      // lack.
      var seen: UInt8 = 0
      var index = start
      while index < end, SlotScanner.isHex(bytes[index]) {
        seen |= bytes[index] < 0x41 ? 4 : bytes[index] & 0x20 == 0 ? 1 : 2
        index += 1
      }
      if index == end, seen == 5 || seen == 6 { return .hex }
      if end - start == 36, isUUID(at: start) { return .uuid }
    }
    return .word
  }

  /// `35ms`, `1.5s`, `1h2m3.5s`.
  private func isDuration(_ range: Range<Int>) -> Bool {
    var index = range.lowerBound
    while index < range.upperBound {
      let whole = digits(at: index)
      guard whole > index else { return false }
      index = whole
      if self[index] == 0x2E {
        index = digits(at: index + 1)
        guard index > whole + 1 else { return false }
      }
      let unit = index
      while index < range.upperBound, !isDigit(at: index) { index += 1 }
      let length = index - unit
      let a = self[unit]
      let b = self[unit + 1]
      let c = self[unit + 2]
      switch length {
      case 1:
        guard a == 0x73 || a == 0x6D || a == 0x68 || a == 0x64 else { return false }
      case 2:
        guard (b == 0x73 && (a == 0x6D || a == 0x6E || a == 0x75)) || (a == 0x68 && b == 0x72) else { return false }
      case 3:
        // `sec`, `min`, and the two micro signs before `s`.
        guard
          (a == 0x73 && b == 0x65 && c == 0x63) || (a == 0x6D && b == 0x69 && c == 0x6E)
            || (c == 0x73 && ((a == 0xC2 && b == 0xB5) || (a == 0xCE && b == 0xBC)))
        else { return false }
      case 4:
        guard c == (b == 0x65 ? 0x63 : 0x6E), (a == 0x73 && b == 0x65) || (a == 0x6D && b == 0x69),
          self[unit + 3] == 0x73
        else {
          return false
        }
      default:
        return false
      }
    }
    return true
  }

  /// Whether `range`, letters after a `-`, looks like the random end of a Kubernetes name: five or eight to ten of its
  /// alphabet without vowels.
  func isRandomName(_ range: Range<Int>) -> Bool {
    guard range.count == 5 || (range.count >= 8 && range.count <= 10) else { return false }
    for index in range {
      switch bytes[index] {
      case 0x62...0x64, 0x66...0x68, 0x6A...0x6E, 0x70...0x74, 0x76...0x78, 0x7A, 0x32, 0x34...0x39: continue
      default: return false
      }
    }
    return true
  }

  /// Whether the last label of a dotted name is one that only host names end in.
  func isHostEnding(_ range: Range<Int>) -> Bool {
    let length = range.count
    guard length >= 2, length <= 11 else { return false }
    var key: UInt64 = 0
    for index in range.prefix(8) { key = key << 8 | UInt64(bytes[index]) }
    switch length {
    case 2:
      switch key {
      // cn hk uk de jp tw kr fr ru br
      case 0x636E, 0x686B, 0x756B, 0x6465, 0x6A70, 0x7477, 0x6B72, 0x6672, 0x7275, 0x6272: return true
      default: return false
      }
    case 3:
      switch key {
      // com net org edu gov svc lan
      case 0x636F6D, 0x6E6574, 0x6F7267, 0x656475, 0x676F76, 0x737663, 0x6C616E: return true
      default: return false
      }
    // local
    case 5: return key == 0x6C_6F63_616C
    // cluster
    case 7: return key == 0x63_6C75_7374_6572
    // internal
    case 8: return key == 0x696E_7465_726E_616C
    // localdom(ain)
    case 11: return key == 0x6C6F_6361_6C64_6F6D
    default: return false
    }
  }

  /// The end of a list that goes on after `end`: words with a digit, or bytes in hex, one or two ASCII punctuation
  /// marks or spaces between. `end` if it does not.
  func listEnd(after end: Int) -> Int {
    var end = end
    while true {
      var index = end
      while index - end < 3, index < count, bytes[index] < 0x80, !SlotScanner.isASCIIWord(bytes[index]),
        bytes[index] != 0x0A,
        bytes[index] != 0x22
      { index += 1 }
      guard index > end, index - end <= 2 else { return end }
      let start = index
      var sawDigit = false
      var onlyHex = true
      while index < count, SlotScanner.isASCIIWord(bytes[index]) {
        if SlotScanner.isDigit(bytes[index]) { sawDigit = true }
        if !SlotScanner.isHex(bytes[index]) { onlyHex = false }
        index += 1
      }
      // `blk_-12` is one.
      if index > start, bytes[index - 1] == 0x5F, self[index] == 0x2D, isDigit(at: index + 1) {
        index = digits(at: index + 1)
        sawDigit = true
      }
      guard index > start, sawDigit || (onlyHex && index - start == 2), ends(at: index) else { return end }
      end = index
    }
  }

  /// The end of Base64 text that goes on after the word `range`, which must itself look random: 16 or more characters,
  /// with a digit, a capital and a small letter. Nil if it does not go on.
  func base64End(of range: Range<Int>) -> Int? {
    guard range.count >= 16 else { return nil }
    let next = self[range.upperBound]
    guard next == 0x2B || next == 0x2F || next == 0x3D else { return nil }
    var sawSmall = false
    var sawCapital = false
    for index in range {
      let byte = bytes[index]
      if byte &- 0x61 < 26 { sawSmall = true } else if byte &- 0x41 < 26 { sawCapital = true }
    }
    guard sawSmall, sawCapital else { return nil }
    var end = range.upperBound
    while end < count {
      let byte = bytes[end]
      guard SlotScanner.isASCIIWord(byte) || byte == 0x2B || byte == 0x2F || byte == 0x3D || byte == 0x2D else { break }
      end += 1
    }
    // Where a word goes on beyond the alphabet, its beginning is left to it.
    while !ends(at: end), end > range.upperBound, isWord(before: end) { end -= 1 }
    return end > range.upperBound ? end : nil
  }

  // MARK: Quoted strings

  /// The closing quote of the string that opens with the `"` at `open`; nil if it never closes. `\"` does not close.
  func closingQuote(open: Int) -> Int? {
    var index = open + 1
    while index < count {
      let byte = bytes[index]
      if byte == 0x22 { return index }
      index += byte == 0x5C ? 2 : 1
    }
    return nil
  }

  /// Whether the string that opens at `open` is the message itself: it opens the line, follows a `]`, or belongs to a
  /// key such as `msg` or `error`.
  func quoteHoldsMessage(open: Int) -> Bool {
    var index = open - 1
    while index >= 0, bytes[index] == 0x20 { index -= 1 }
    if index < 0 || bytes[index] == 0x5D { return true }
    guard bytes[index] == 0x3D || bytes[index] == 0x3A else { return false }
    index -= 1
    if self[index] == 0x22 { index -= 1 }
    let end = index + 1
    while index >= 0, SlotScanner.isLetter(bytes[index]), end - index < 12 { index -= 1 }
    let start = index + 1
    let keys: [StaticString] = [
      "msg", "message", "log", "err", "error", "reason", "cause", "text", "event", "detail", "details", "description",
      "title",
      "exception", "warning", "status",
    ]
    for key in keys where key.utf8CodeUnitCount == end - start {
      var equal = true
      for offset in 0..<(end - start) where bytes[start + offset] | 0x20 != key.utf8Start[offset] { equal = false }
      if equal { return true }
    }
    return false
  }
}
