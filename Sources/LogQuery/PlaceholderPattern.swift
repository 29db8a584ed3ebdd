import Domain

/// The pattern of `pattern_match("user_id=<N>, ip=<IP4>")`: text and placeholders for what varies.
struct PlaceholderPattern: Sendable {
  enum Part: Sendable {
    case text([UInt8])
    case number, uuid, ipv4, time, date, dateTime, word
  }

  private var parts: [Part] = []
  private let isFull: Bool

  /// - Parameter full: The whole value, not a place in it.
  init(_ pattern: String, full: Bool) {
    isFull = full
    let names: [(String, Part)] = [
      ("<N>", .number), ("<UUID>", .uuid), ("<IP4>", .ipv4), ("<TIME>", .time), ("<DATE>", .date),
      ("<DATETIME>", .dateTime),
      ("<W>", .word),
    ]
    let bytes = Array(pattern.utf8)
    var text: [UInt8] = []
    var index = 0
    scan: while index < bytes.count {
      if bytes[index] == UInt8(ascii: "<") {
        for (name, part) in names where bytes[index...].starts(with: name.utf8) {
          if !text.isEmpty { parts.append(.text(text)) }
          text = []
          parts.append(part)
          index += name.utf8.count
          continue scan
        }
      }
      text.append(bytes[index])
      index += 1
    }
    if !text.isEmpty { parts.append(.text(text)) }
  }

  /// The text between placeholders.
  var literals: [[UInt8]] {
    parts.compactMap { if case .text(let text) = $0 { text } else { nil } }
  }

  func matches(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    if isFull { return end(in: value, from: 0) == value.count }
    guard let first = parts.first else { return true }
    if case .text(let text) = first {
      var from = 0
      while let found = text.withUnsafeBufferPointer({ ByteSearch.find($0, in: value, from: from) }) {
        if end(in: value, from: found) != nil { return true }
        from = found + 1
      }
      return false
    }
    for start in 0..<value.count where end(in: value, from: start) != nil { return true }
    return false
  }

  /// Where the parts end that begin at `start`. Each placeholder takes what it can, so there is one way only.
  private func end(in value: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    var index = start
    for part in parts {
      let next: Int?
      switch part {
      case .text(let text):
        next =
          index + text.count <= value.count && value[index..<index + text.count].elementsEqual(text)
          ? index + text.count : nil
      case .number: next = PlaceholderPattern.number(value, index)
      case .uuid: next = PlaceholderPattern.uuid(value, index)
      case .ipv4: next = PlaceholderPattern.ipv4(value, index)
      case .time: next = PlaceholderPattern.time(value, index)
      case .date: next = PlaceholderPattern.date(value, index)
      case .dateTime: next = PlaceholderPattern.dateTime(value, index)
      case .word: next = PlaceholderPattern.word(value, index)
      }
      guard let next else { return nil }
      index = next
    }
    return index
  }

  private static func run(
    _ value: UnsafeBufferPointer<UInt8>, _ start: Int, max: Int = .max, _ belongs: (UInt8) -> Bool
  ) -> Int {
    var index = start
    while index < value.count, index - start < max, belongs(value[index]) { index += 1 }
    return index
  }

  private static func isHex(_ byte: UInt8) -> Bool { FieldNumber.hexDigit(byte) != nil }

  private static func digits(_ value: UnsafeBufferPointer<UInt8>, _ start: Int, count: Int) -> Int? {
    let end = run(value, start, max: count, FieldNumber.isDigit)
    return end == start + count ? end : nil
  }

  private static func byte(_ value: UnsafeBufferPointer<UInt8>, _ index: Int, _ accepted: String) -> Int? {
    index < value.count && accepted.utf8.contains(value[index]) ? index + 1 : nil
  }

  /// Decimal digits, or at least four hex digits.
  private static func number(_ value: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
    let hexEnd = run(value, start, isHex)
    if hexEnd - start >= 4 { return hexEnd }
    let end = run(value, start, FieldNumber.isDigit)
    return end > start ? end : nil
  }

  private static func uuid(_ value: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
    var index = start
    for (part, count) in [8, 4, 4, 4, 12].enumerated() {
      if part > 0 {
        guard let next = byte(value, index, "-") else { return nil }
        index = next
      }
      let end = run(value, index, max: count, isHex)
      guard end == index + count else { return nil }
      index = end
    }
    return index
  }

  private static func ipv4(_ value: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
    let end = run(value, start, max: 15) { FieldNumber.isDigit($0) || $0 == UInt8(ascii: ".") }
    // A point may follow that ends a sentence.
    for end in [end, end - 1]
    where end > start && FieldNumber.ipv4(UnsafeBufferPointer(rebasing: value[start..<end])) != nil {
      return end
    }
    return nil
  }

  private static func time(_ value: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
    guard let hour = digits(value, start, count: 2), let afterHour = byte(value, hour, ":"),
      let minute = digits(value, afterHour, count: 2), let afterMinute = byte(value, minute, ":"),
      let second = digits(value, afterMinute, count: 2)
    else { return nil }
    if let point = byte(value, second, ".,") {
      let end = run(value, point, FieldNumber.isDigit)
      if end > point { return end }
    }
    return second
  }

  private static func date(_ value: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
    guard let year = digits(value, start, count: 4), let afterYear = byte(value, year, "-/"),
      let month = digits(value, afterYear, count: 2), month < value.count, value[month] == value[year]
    else { return nil }
    return digits(value, month + 1, count: 2)
  }

  private static func dateTime(_ value: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
    guard let day = date(value, start), let afterDay = byte(value, day, "T "), let end = time(value, afterDay) else {
      return nil
    }
    if let zone = byte(value, end, "Z") { return zone }
    if let sign = byte(value, end, "+-"), let hour = digits(value, sign, count: 2) {
      if let colon = byte(value, hour, ":"), let minute = digits(value, colon, count: 2) { return minute }
      if let minute = digits(value, hour, count: 2) { return minute }
    }
    return end
  }

  /// A word, or anything in quotes.
  private static func word(_ value: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
    guard start < value.count else { return nil }
    let quote = value[start]
    if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") || quote == UInt8(ascii: "`") {
      var index = start + 1
      while index < value.count, value[index] != quote {
        if value[index] == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") { index += 1 }
        index += 1
      }
      return index < value.count ? index + 1 : nil
    }
    var index = start
    while index < value.count, WordTokenizer.isWord(value, at: index) {
      index += Scalars.decode(value, at: index)?.length ?? 1
    }
    return index > start ? index : nil
  }
}
