import Domain

/// What surrounds the message of a line of text.
enum LineFrame: Int, CaseIterable {
  case plain, json, cri, klog, syslog, logfmt, access, timed

  var name: String {
    switch self {
    case .plain: "plain"
    case .json: "json"
    case .cri: "cri"
    case .klog: "klog"
    case .syslog: "syslog"
    case .logfmt: "logfmt"
    case .access: "access"
    case .timed: "timed"
    }
  }
}

/// What the head of a line may say besides time and severity.
enum HeaderField: UInt8 {
  case stream, host, app, pid, thread, level, logger, method, status

  static let count = 9

  var name: StaticString {
    switch self {
    case .stream: "stream"
    case .host: "host"
    case .app: "app"
    case .pid: "pid"
    case .thread: "thread"
    case .level: "level"
    case .logger: "logger"
    case .method: "method"
    case .status: "status"
    }
  }
}

/// What could be read from the head of one line. Without memory of its own: there is one for every line.
struct LineHeader {
  var frame = LineFrame.plain
  var time: Timestamp?
  var severity: Severity?
  /// The message's bytes in the line: all of it, but for CRI.
  var message: Range<Int> = 0..<0
  /// CRI: the message goes on in the next line of the stream.
  var isPartial = false

  private(set) var fieldCount = 0
  private var present: UInt16 = 0
  private var fields = InlineArray<9, HeaderField>(repeating: .stream)
  private var places = InlineArray<9, Range<Int>>(repeating: 0..<0)

  /// A field and the place of its value in the line, in the order found.
  func field(_ index: Int) -> (name: StaticString, value: Range<Int>) { (fields[index].name, places[index]) }

  mutating func add(_ field: HeaderField, _ value: Range<Int>) {
    guard !value.isEmpty, value.count <= 256, !has(field) else { return }
    fields[fieldCount] = field
    places[fieldCount] = value
    fieldCount += 1
    present |= 1 << UInt16(field.rawValue)
  }

  func has(_ field: HeaderField) -> Bool { present >> UInt16(field.rawValue) & 1 == 1 }
}

/// Finds the frame of lines, learning from those that came before.
struct LineFrameReader {
  let now: Timestamp
  let zoneOffsetSeconds: Int

  /// How many lines had their time in the nth token.
  private var timePlaceCounts = [Int](repeating: 0, count: LineFrameReader.timePlacesMax)
  private var timedCount = 0

  /// Columns before the time: BGL and HPC have it in the second and the fifth.
  private static let timePlacesMax = 8
  /// Lines from which the place of the time counts as learned.
  private static let learnedCount = 8

  init(now: Timestamp, zoneOffsetSeconds: Int) {
    self.now = now
    self.zoneOffsetSeconds = zoneOffsetSeconds
  }

  mutating func read(_ line: UnsafeBufferPointer<UInt8>) -> LineHeader {
    var header = LineHeader()
    header.message = 0..<line.count
    guard line.count > 0 else { return header }
    switch line[0] {
    case UInt8(ascii: "{"):
      if LineFrameReader.isJSON(line) {
        header.frame = .json
        return header
      }
    case UInt8(ascii: "<"):
      if readSyslogPriority(line, &header) { return header }
    case UInt8(ascii: "I"), UInt8(ascii: "W"), UInt8(ascii: "E"), UInt8(ascii: "F"):
      if readKlog(line, &header) { return header }
    default: break
    }
    guard let (time, place) = findTime(line) else { return header }
    header.time = time
    header.frame = .timed
    if place.ordinal == 0, place.range.lowerBound == 0 {
      if readCRI(line, place.range.upperBound, &header) { return header }
      if readSyslogTag(line, place.range.upperBound, &header) { return header }
    }
    if place.isKeyed {
      header.frame = .logfmt
      readLogfmt(line, &header)
    } else if place.ordinal > 0, line[place.range.lowerBound - 1] == UInt8(ascii: "["),
      readAccess(line, place.range.upperBound, &header)
    {
      header.frame = .access
    } else if place.ordinal <= 1 {
      // Further right, what follows the time is the program's own.
      readAfterTime(line, place.range.upperBound, &header)
    }
    return header
  }

  /// `{"…` or `{}`, and an end that fits.
  static func isJSON(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    var reader = ByteReader(line)
    guard reader.take("{") else { return false }
    reader.skipBlanks()
    return reader.peek() == UInt8(ascii: "\"") || reader.peek() == UInt8(ascii: "}")
  }

  // MARK: Time

  private struct TimePlace {
    var range: Range<Int>
    var ordinal: Int
    /// After `ts=` and the like.
    var isKeyed: Bool
  }

  /// The first time in the first columns.
  private mutating func findTime(_ line: UnsafeBufferPointer<UInt8>) -> (Timestamp, TimePlace)? {
    var reader = ByteReader(line)
    for ordinal in 0..<LineFrameReader.timePlacesMax {
      reader.skipBlanks()
      guard !reader.isAtEnd, reader.index < 160 else { return nil }
      let token = reader.token()
      if let found = time(line, token, ordinal) {
        guard isExpected(ordinal) else { return nil }
        timePlaceCounts[ordinal] += 1
        timedCount += 1
        return found
      }
    }
    return nil
  }

  /// A time inside the text of a line without a head is not its own: once the place is learned, no other but the first
  /// counts.
  private func isExpected(_ ordinal: Int) -> Bool {
    if ordinal == 0 || timedCount < LineFrameReader.learnedCount { return true }
    return timePlaceCounts[ordinal] * 4 >= timedCount
  }

  private func time(
    _ line: UnsafeBufferPointer<UInt8>, _ token: Range<Int>, _ ordinal: Int
  ) -> (Timestamp, TimePlace)? {
    var start = token.lowerBound
    while start < token.upperBound, !isDigit(line[start]), !isLetter(line[start]) {
      guard [UInt8(ascii: "["), UInt8(ascii: "("), UInt8(ascii: "\""), UInt8(ascii: "<")].contains(line[start]) else {
        return nil
      }
      start += 1
    }
    guard start < token.upperBound else { return nil }
    var isKeyed = false
    if isLetter(line[start]), let valueStart = timeValueStart(line, start..<token.upperBound) {
      start = valueStart
      isKeyed = true
    }
    guard start < line.count,
      let found = TimestampParser.prefix(
        of: line.part(start..<line.count), now: now, zoneOffsetSeconds: zoneOffsetSeconds)
    else { return nil }
    let end = start + found.byteCount
    guard end >= line.count || !isWordByte(line[end]), isPlausible(found.time, line.part(start..<end)) else {
      return nil
    }
    return (found.time, TimePlace(range: start..<end, ordinal: ordinal, isKeyed: isKeyed))
  }

  /// A date may be of any year that a log may have; ten and more digits are a time only from 1990 to the day after
  /// tomorrow.
  private func isPlausible(_ time: Timestamp, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let year1990: Int64 = 631_152_000_000_000_000
    let year2100: Int64 = 4_102_444_800_000_000_000
    guard time.nanoseconds >= year1990, time.nanoseconds < year2100 else { return false }
    return ByteReader(text).digitCount() < 10 || time <= now.advanced(byNanoseconds: 2 * 86_400_000_000_000)
  }

  /// Where the value starts in `ts=…`, `time="…`
  private func timeValueStart(_ line: UnsafeBufferPointer<UInt8>, _ token: Range<Int>) -> Int? {
    let keys: [StaticString] = ["ts=", "time=", "timestamp=", "t=", "date=", "@timestamp="]
    let reader = ByteReader(line, at: token.lowerBound)
    for key in keys where reader.hasPrefix(folded: key) {
      var start = token.lowerBound + key.utf8CodeUnitCount
      if start < line.count, line[start] == UInt8(ascii: "\"") { start += 1 }
      return start
    }
    return nil
  }

  // MARK: Frames of containers and systems

  /// `2026-03-18T13:44:27.123456789Z stdout F the message`
  private func readCRI(_ line: UnsafeBufferPointer<UInt8>, _ start: Int, _ header: inout LineHeader) -> Bool {
    var reader = ByteReader(line, at: start)
    guard reader.take(0x20), reader.hasPrefix("stdout ") || reader.hasPrefix("stderr ") else { return false }
    let stream = reader.index..<reader.index + 6
    reader.index += 7
    let tag = reader.peek()
    guard tag == UInt8(ascii: "F") || tag == UInt8(ascii: "P") else { return false }
    _ = reader.token()
    guard reader.take(0x20) || reader.isAtEnd else { return false }
    header.frame = .cri
    header.isPartial = tag == UInt8(ascii: "P")
    header.add(.stream, stream)
    header.message = reader.index..<line.count
    return true
  }

  /// `E0102 15:04:05.123456   12345 file.go:123] message`
  private func readKlog(_ line: UnsafeBufferPointer<UInt8>, _ header: inout LineHeader) -> Bool {
    guard line.count > 16, isDigit(line[1]), isDigit(line[2]), isDigit(line[3]), isDigit(line[4]), line[5] == 0x20
    else {
      return false
    }
    // `W0318` written `03-18`, a layout the time parser knows, of the same length.
    var copy: [UInt8] = [line[1], line[2], UInt8(ascii: "-"), line[3], line[4]]
    copy.append(contentsOf: line.part(5..<min(line.count, 24)))
    let found = copy.withUnsafeBufferPointer {
      TimestampParser.prefix(of: $0, now: now, zoneOffsetSeconds: zoneOffsetSeconds)
    }
    guard let found, found.byteCount > 6 else { return false }
    var reader = ByteReader(line, at: found.byteCount)
    reader.skipBlanks()
    let pid = reader.token()
    reader.skipBlanks()
    let place = reader.token()
    guard !place.isEmpty, line[place.upperBound - 1] == UInt8(ascii: "]") else { return false }
    header.frame = .klog
    header.time = found.time
    header.severity = SeverityDetector.severity(letter: line[0])
    header.add(.pid, pid)
    header.add(.logger, place.lowerBound..<place.upperBound - 1)
    return true
  }

  /// `<34>1 2003-10-11T22:14:15.003Z host app pid id …` (RFC 5424) and `<34>Oct 11 22:14:15 host app[pid]: …` (RFC
  /// 3164).
  private func readSyslogPriority(_ line: UnsafeBufferPointer<UInt8>, _ header: inout LineHeader) -> Bool {
    var reader = ByteReader(line, at: 1)
    guard let priority = reader.number(1...3), priority <= 191, reader.take(">") else { return false }
    header.frame = .syslog
    header.severity = SeverityDetector.severity(number: priority, numbers: .syslog)
    if reader.hasPrefix("1 ") {
      reader.index += 2
      if reader.peek() == UInt8(ascii: "-") {
        reader.index += 1
      } else if let found = prefix(line, reader.index) {
        header.time = found.time
        reader.index += found.byteCount
      } else {
        return true
      }
      for field in [HeaderField.host, .app, .pid] {
        guard reader.take(0x20) else { return true }
        let token = reader.token()
        if token.count > 1 || line[token.lowerBound] != UInt8(ascii: "-") { header.add(field, token) }
      }
      return true
    }
    guard let found = prefix(line, reader.index) else { return true }
    header.time = found.time
    _ = readSyslogTag(line, reader.index + found.byteCount, &header)
    return true
  }

  private func prefix(_ line: UnsafeBufferPointer<UInt8>, _ start: Int) -> (time: Timestamp, byteCount: Int)? {
    guard start <= line.count else { return nil }
    return TimestampParser.prefix(of: line.part(start..<line.count), now: now, zoneOffsetSeconds: zoneOffsetSeconds)
  }

  /// `host app[pid]: ` and `host app: ` after the time of RFC 3164. After a time with a year only the first: `logger
  /// Word:` is no host there.
  private func readSyslogTag(_ line: UnsafeBufferPointer<UInt8>, _ start: Int, _ header: inout LineHeader) -> Bool {
    var reader = ByteReader(line, at: start)
    guard reader.take(0x20) else { return false }
    let host = reader.token()
    guard !host.isEmpty, host.count <= 64, isHost(line.part(host)), reader.take(0x20) else { return false }
    let tagStart = reader.index
    while !reader.isAtEnd, reader.peek() != 0x20, reader.peek() != UInt8(ascii: "["), reader.peek() != UInt8(ascii: ":")
    {
      reader.index += 1
    }
    let app = tagStart..<reader.index
    guard !app.isEmpty, app.count <= 64 else { return false }
    var pid = 0..<0
    if reader.take("[") {
      let pidStart = reader.index
      while isWordByte(reader.peek()) { reader.index += 1 }
      pid = pidStart..<reader.index
      guard reader.take("]") else { return false }
    } else if isLetter(line[0]) == false, header.frame != .syslog {
      return false
    }
    guard reader.take(":") else { return false }
    header.frame = .syslog
    header.add(.host, host)
    header.add(.app, app)
    header.add(.pid, pid)
    return true
  }

  private func isHost(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
    for byte in token
    where !isWordByte(byte) && byte != UInt8(ascii: ".") && byte != UInt8(ascii: "-") && byte != UInt8(ascii: ":") {
      return false
    }
    return SeverityDetector.severity(word: token) == nil
  }

  // MARK: Frames of programs

  /// `key=value key="a value"`: those that say who wrote the line and how serious it is.
  private func readLogfmt(_ line: UnsafeBufferPointer<UInt8>, _ header: inout LineHeader) {
    var reader = ByteReader(line)
    while !reader.isAtEnd, reader.index < 1024 {
      reader.skipBlanks()
      let keyStart = reader.index
      while !reader.isAtEnd, reader.peek() != UInt8(ascii: "="), reader.peek() != 0x20 { reader.index += 1 }
      let key = line.part(keyStart..<reader.index)
      guard reader.take("=") else { continue }
      var value = reader.index..<reader.index
      if reader.take("\"") {
        let start = reader.index
        while !reader.isAtEnd, reader.peek() != UInt8(ascii: "\"") { reader.index += reader.peek() == 0x5C ? 2 : 1 }
        reader.index = min(reader.index, line.count)
        value = start..<reader.index
        _ = reader.take("\"")
      } else {
        value = reader.token()
      }
      if key.equals(folded: "level") || key.equals(folded: "lvl") || key.equals(folded: "severity") {
        header.add(.level, value)
      } else if key.equals(folded: "logger") || key.equals(folded: "component") {
        header.add(.logger, value)
      } else if key.equals(folded: "host") || key.equals(folded: "hostname") {
        header.add(.host, value)
      } else if key.equals(folded: "app") || key.equals(folded: "service") {
        header.add(.app, value)
      } else if key.equals(folded: "pid") {
        header.add(.pid, value)
      }
    }
  }

  /// `10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.1" 200 2326`
  private func readAccess(_ line: UnsafeBufferPointer<UInt8>, _ start: Int, _ header: inout LineHeader) -> Bool {
    var reader = ByteReader(line, at: start)
    guard reader.take("]"), reader.take(0x20), reader.take("\"") else { return false }
    let method = reader.index
    while isLetter(reader.peek()) { reader.index += 1 }
    let methodEnd = reader.index
    while !reader.isAtEnd, reader.peek() != UInt8(ascii: "\"") { reader.index += reader.peek() == 0x5C ? 2 : 1 }
    guard reader.take("\""), reader.take(0x20), reader.digitCount() == 3 else { return false }
    let status = reader.index..<reader.index + 3
    header.add(.method, method..<methodEnd)
    header.add(.status, status)
    switch line[status.lowerBound] {
    case UInt8(ascii: "5"): header.severity = .error
    case UInt8(ascii: "4"): header.severity = .warning
    default: header.severity = .info
    }
    return true
  }

  /// Level, thread, process and logger as they follow the time in the logs of most programs, in any order.
  private func readAfterTime(_ line: UnsafeBufferPointer<UInt8>, _ start: Int, _ header: inout LineHeader) {
    var reader = ByteReader(line, at: start)
    for _ in 0..<8 {
      var isAfterComma = false
      while isSeparator(reader.peek()), !reader.isAtEnd {
        isAfterComma = isAfterComma || reader.peek() == UInt8(ascii: ",")
        reader.index += 1
      }
      guard !reader.isAtEnd, reader.index < start + 256 else { return }
      if reader.peek() == UInt8(ascii: "[") || reader.peek() == UInt8(ascii: "<") {
        guard readBracket(line, &reader, &header) else { return }
        continue
      }
      let begin = reader.index
      while !reader.isAtEnd, reader.peek() != 0x20, reader.peek() != 0x09, reader.peek() != UInt8(ascii: "|"),
        reader.peek() != UInt8(ascii: "[")
      {
        reader.index += 1
      }
      var end = reader.index
      while end > begin, [UInt8(ascii: ":"), UInt8(ascii: ",")].contains(line[end - 1]) { end -= 1 }
      guard end > begin else { return }
      let token = line.part(begin..<end)
      let hasColon = end < reader.index && line[end] == UInt8(ascii: ":")
      if let kind = number(token), header.fieldCount < 4 {
        // `31#31`: nginx writes process and thread so.
        if !header.has(.pid) { header.add(.pid, begin..<begin + kind) } else { header.add(.thread, begin..<end) }
        continue
      }
      if !header.has(.level), isLevel(token, isMarked: hasColon || isAfterComma, hasProcess: header.has(.pid)) {
        header.add(.level, begin..<end)
        continue
      }
      if !header.has(.logger), isName(token), isLogger(reader, hasColon: hasColon, hasLevel: header.has(.level)) {
        header.add(.logger, begin..<end)
        if header.has(.level) { return }
        continue
      }
      return
    }
  }

  private func isSeparator(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20, 0x09, UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "|"), UInt8(ascii: "]"), UInt8(ascii: ":"),
      UInt8(ascii: ")"), UInt8(ascii: "\""):
      true
    default: false
    }
  }

  /// `[error]`, `[core:error]`, `[main]`, `[pid 7:tid 8]`, `[31]`
  private func readBracket(
    _ line: UnsafeBufferPointer<UInt8>, _ reader: inout ByteReader, _ header: inout LineHeader
  ) -> Bool {
    let close = reader.peek() == UInt8(ascii: "[") ? UInt8(ascii: "]") : UInt8(ascii: ">")
    let start = reader.index + 1
    var end = start
    while end < line.count, end - start < 80, line[end] != close { end += 1 }
    guard end < line.count, line[end] == close, end > start else { return false }
    reader.index = end + 1
    var inner = start..<end
    while inner.count > 1, line[inner.lowerBound] == 0x20 { inner = inner.lowerBound + 1..<inner.upperBound }
    while inner.count > 1, line[inner.upperBound - 1] == 0x20 { inner = inner.lowerBound..<inner.upperBound - 1 }
    let text = line.part(inner)
    if !header.has(.level) {
      var wordStart = inner.upperBound
      while wordStart > inner.lowerBound, isLetter(line[wordStart - 1]) { wordStart -= 1 }
      let isWhole = wordStart == inner.lowerBound || line[wordStart - 1] == UInt8(ascii: ":")
      if isWhole, wordStart < inner.upperBound, inner.upperBound - wordStart > 1,
        SeverityDetector.severity(level: line.part(wordStart..<inner.upperBound)) != nil
      {
        header.add(.level, wordStart..<inner.upperBound)
        return true
      }
    }
    if number(text) != nil {
      header.add(.pid, inner)
      return true
    }
    var process = ByteReader(text)
    if process.hasPrefix("pid ") {
      process.index = 4
      let digits = process.digitCount(countMax: 10)
      header.add(.pid, inner.lowerBound + 4..<inner.lowerBound + 4 + digits)
      return true
    }
    guard isLetter(text[0]), !process.hasPrefix("client "), !text.contains(UInt8(ascii: "=")),
      !text.contains(UInt8(ascii: "{"))
    else { return false }
    header.add(.thread, inner)
    return true
  }

  /// How many digits a process number has: `148`, `31#31`.
  private func number(_ token: UnsafeBufferPointer<UInt8>) -> Int? {
    let count = ByteReader(token).digitCount(countMax: 11)
    guard count > 0, count <= 10 else { return nil }
    if count == token.count { return count }
    guard token[count] == UInt8(ascii: "#") else { return nil }
    return ByteReader(token, at: count + 1).digitCount() == token.count - count - 1 ? count : nil
  }

  private func isLevel(_ token: UnsafeBufferPointer<UInt8>, isMarked: Bool, hasProcess: Bool) -> Bool {
    if token.count == 1 {
      return hasProcess && isLetter(token[0]) && token[0] < 0x61 && SeverityDetector.severity(letter: token[0]) != nil
    }
    guard token.count >= 3, SeverityDetector.severity(word: token) != nil else { return false }
    return isMarked || token[1] < 0x61 || token[0] >= 0x61
  }

  private func isName(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
    guard token.count >= 2, token.count <= 128, isLetter(token[0]) else { return false }
    for byte in token where !isWordByte(byte) && !".$-/()@:".utf8.contains(byte) { return false }
    return true
  }

  /// `name: text` after a level; `name - text` and `name : text` anywhere.
  private func isLogger(_ reader: ByteReader, hasColon: Bool, hasLevel: Bool) -> Bool {
    if hasColon { return hasLevel }
    var reader = reader
    guard reader.peek() == 0x20 else { return false }
    reader.skipBlanks()
    if reader.hasPrefix(": ") { return hasLevel }
    guard reader.hasPrefix("- ") else { return false }
    if hasLevel { return true }
    reader.index += 2
    let word = reader.token()
    return SeverityDetector.severity(word: reader.bytes.part(word)) != nil
  }
}
