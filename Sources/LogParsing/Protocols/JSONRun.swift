import CKernels
import Domain

/// One pass over one body of JSON records.
///
/// Most records of a body differ in time and message alone. So the bytes of all other members, the *rest*, are looked
/// up as they stand; only a rest not seen before is taken apart. And as in most records the rest follows the message
/// and ends with the line, it is even looked up before its JSON has been read: equal bytes are equally well formed.
struct JSONRun {
  private let options: JSONLinesParser.Options
  private let timeNames: NameList
  private let messageNames: NameList
  private let base: UnsafePointer<UInt8>
  private let count: Int
  private let bounds: TimeBounds
  private var scanner: JSONScanner

  private(set) var sink: RecordSink
  private(set) var rejections: [Rejection] = []
  private(set) var rejectedCount = 0

  private var position = 0
  private var line: Int
  private var lineStart = 0
  private var isInArray = false
  /// Whether the record before ended in this line: then its rest does not end with the line either.
  private var isLineShared = false

  private var rests = RestTable()
  private var members: [Member] = []
  private var path: [UInt8] = []
  private var scratch: [UInt8] = []

  /// One member of the object being read, by its place in the body.
  private struct Member {
    /// After the opening quote, and the closing quote.
    var keyStart: Int
    var keyEnd: Int
    var isKeyEscaped: Bool
    var valueStart: Int
    var valueEnd: Int
    var kind: JSONKind
    var timeRank: Int8
    var messageRank: Int8

    var isCandidate: Bool { timeRank >= 0 || messageRank >= 0 }
  }

  init(
    options: JSONLinesParser.Options, timeNames: NameList, messageNames: NameList, base: UnsafePointer<UInt8>,
    count: Int,
    firstLine: Int = 1, sink: RecordSink? = nil
  ) {
    self.options = options
    self.timeNames = timeNames
    self.messageNames = messageNames
    self.base = base
    self.count = count
    line = firstLine
    self.sink =
      sink
      ?? RecordSink(
        streamFields: options.streamFields, extraFields: options.extraFields, byteCount: min(count, 1 << 30))
    scanner = JSONScanner(base: base, limit: count, depthMax: min(max(options.limits.nestingDepthMax, 1), 256))
    bounds = TimeBounds(options.limits, now: options.now)
  }

  func result() -> ParseResult {
    var result = ParseResult()
    result.records = sink.records
    result.rejections = rejections
    result.rejectedCount = rejectedCount
    return result
  }

  // MARK: From record to record

  mutating func readBody() {
    if count >= 3, base[0] == 0xEF, base[1] == 0xBB, base[2] == 0xBF { position = 3 }
    lineStart = position
    var lineEnd = position
    var isLineEndKnown = false
    while true {
      // To the next record, counting lines.
      while position < count {
        let byte = base[position]
        if byte == 0x0A {
          line += 1
          lineStart = position + 1
          isLineEndKnown = false
          isLineShared = false
        } else if byte != 0x20, byte != 0x0D, byte != 0x09, !(isInArray && byte == UInt8(ascii: ",")) {
          break
        }
        position += 1
      }
      guard position < count else { break }
      if !isLineEndKnown {
        lineEnd = position + Int(tl_find_byte(base + position, count - position, 0x0A))
        isLineEndKnown = true
      }
      switch base[position] {
      case UInt8(ascii: "{"):
        readRecord(lineEnd: lineEnd)
        isLineEndKnown = position <= lineEnd
        isLineShared = isLineEndKnown
      case UInt8(ascii: "[") where !isInArray:
        let next = skipAnySpace(position + 1)
        if next < count, base[next] == UInt8(ascii: "{") || base[next] == UInt8(ascii: "]") {
          isInArray = true
          position += 1
        } else {
          reject(JSONFault(kind: .expectedObject, offset: min(next, lineEnd)))
          position = lineEnd
        }
      case UInt8(ascii: "]") where isInArray:
        isInArray = false
        position += 1
      default:
        reject(JSONFault(kind: .expectedObject, offset: position))
        // In an array a value that is no object ends where the next one starts.
        scanner.limit = lineEnd
        if isInArray, let end = try? scanner.skipValue(position, depth: 1).end {
          position = end
        } else {
          position = lineEnd
        }
      }
    }
    if isInArray { reject(JSONFault(kind: .arrayNotClosed, offset: -1)) }
  }

  private func skipAnySpace(_ start: Int) -> Int {
    var index = start
    while index < count, base[index] == 0x20 || (base[index] >= 0x09 && base[index] <= 0x0D) { index += 1 }
    return index
  }

  /// Reads the object at `position` and moves beyond it, or beyond what is wrong.
  private mutating func readRecord(lineEnd: Int) {
    let start = position
    let sizeEnd = start + recordByteCountMax
    scanner.limit = min(lineEnd, sizeEnd)
    let first: JSONFault
    do throws(JSONFault) {
      position = try readObject(start, lineEnd: lineEnd)
      return
    } catch {
      first = error
    }
    let hasEnded = first.kind == .unexpectedEnd || first.kind == .unclosedString
    if hasEnded, sizeEnd < lineEnd {
      skipBadRecord(
        JSONFault(kind: .tooLong, offset: -1), start, to: isInArray ? afterBadElement(start, lineEnd) : lineEnd)
    } else if first.kind == .unexpectedEnd, lineEnd < count {
      readRecordOverLines(start, lineEnd: lineEnd, first)
    } else {
      skipBadRecord(first, start, to: isInArray ? afterBadElement(start, lineEnd) : lineEnd)
    }
  }

  /// Reads an object that does not end with its line: printed over several, or cut off.
  private mutating func readRecordOverLines(_ start: Int, lineEnd: Int, _ first: JSONFault) {
    scanner.limit = min(count, start + recordByteCountMax)
    do throws(JSONFault) {
      let end = try readObject(start, lineEnd: scanner.limit, isOneLine: false)
      countLines(start, end)
      position = end
    } catch {
      // What goes on like the inside of an object is one bad record; else the line was cut off and the next is another
      // record.
      guard isContinuation(lineEnd + 1) || isInArray else { return skipBadRecord(first, start, to: lineEnd) }
      let hasEnded = error.kind == .unexpectedEnd || error.kind == .unclosedString
      let fault = hasEnded && scanner.limit < count ? JSONFault(kind: .tooLong, offset: -1) : error
      skipBadRecord(fault, start, to: isInArray ? afterBadElement(start, lineEnd) : afterContinuation(lineEnd))
    }
  }

  private mutating func skipBadRecord(_ fault: JSONFault, _ start: Int, to next: Int) {
    reject(fault)
    countLines(start, next)
    position = next
  }

  private var recordByteCountMax: Int { min(max(options.limits.lineByteCountMax, 1), 64 << 20) }

  /// Whether the line at `start` looks like the inside of an object printed over several lines.
  private func isContinuation(_ start: Int) -> Bool {
    guard start < count else { return false }
    switch base[start] {
    case 0x20, 0x09, 0x22, UInt8(ascii: "}"), UInt8(ascii: "]"): return true
    default: return false
    }
  }

  /// The end of the last line of a bad object printed over several lines.
  private func afterContinuation(_ lineEnd: Int) -> Int {
    var end = lineEnd
    while end < count, isContinuation(end + 1) {
      end += 1
      end += Int(tl_find_byte(base + end, count - end, 0x0A))
    }
    return min(end, count)
  }

  /// Where to go on after a bad element of an array: after its closing brace where braces are in order, else at the
  /// next line that starts an element or ends the array.
  private func afterBadElement(_ start: Int, _ lineEnd: Int) -> Int {
    var scanner = scanner
    scanner.limit = min(count, start + recordByteCountMax)
    if let end = scanner.lenientEnd(start) { return end }
    var end = lineEnd
    while end < count {
      var next = skipAnySpace(end + 1)
      if next < count, base[next] == UInt8(ascii: ",") { next = skipAnySpace(next + 1) }
      guard next < count else { return count }
      if base[next] == UInt8(ascii: "{") || base[next] == UInt8(ascii: "]") { return end }
      end = next + Int(tl_find_byte(base + next, count - next, 0x0A))
    }
    return count
  }

  private mutating func countLines(_ start: Int, _ end: Int) {
    var index = start
    while index < end {
      index += Int(tl_find_byte(base + index, end - index, 0x0A))
      if index < end {
        line += 1
        lineStart = index + 1
        index += 1
      }
    }
  }

  // MARK: One record

  /// Reads the object at `start` and puts its record into the sink. Answers the index after it.
  private mutating func readObject(_ start: Int, lineEnd: Int, isOneLine: Bool = true) throws(JSONFault) -> Int {
    members.removeAll(keepingCapacity: true)
    var timeCount = 0
    var messageCount = 0
    var hasTriedTail = !isOneLine || isInArray || isLineShared || lineEnd - start > RestTable.restByteCountMax
    var index = scanner.skipSpace(start + 1)
    if index < scanner.limit, base[index] == UInt8(ascii: "}") {
      try checkEnd(index + 1)
      throw JSONFault(kind: .empty, offset: -1)
    }
    while true {
      guard index < scanner.limit else { throw JSONFault(kind: .unexpectedEnd, offset: index) }
      guard base[index] == 0x22 else { throw JSONFault(kind: .expectedKey, offset: index) }
      let keyStart = index + 1
      var isEscaped = false
      let keyEnd = try scanner.stringEnd(keyStart, isEscaped: &isEscaped)
      index = scanner.skipSpace(try scanner.skipColon(scanner.skipSpace(keyEnd + 1)))
      let value = try scanner.skipValue(index, depth: 1)
      var member = Member(
        keyStart: keyStart, keyEnd: keyEnd, isKeyEscaped: isEscaped, valueStart: index, valueEnd: value.end,
        kind: value.kind,
        timeRank: -1, messageRank: -1)
      classify(&member)
      if member.timeRank >= 0 { timeCount += 1 }
      if member.messageRank >= 0 { messageCount += 1 }
      members.append(member)
      index = scanner.skipSpace(value.end)
      guard index < scanner.limit else { throw JSONFault(kind: .unexpectedEnd, offset: index) }
      if base[index] == UInt8(ascii: "}") {
        index += 1
        break
      }
      guard base[index] == UInt8(ascii: ",") else { throw JSONFault(kind: .expectedCommaOrBrace, offset: index) }
      index = scanner.skipSpace(index + 1)
      if !hasTriedTail, timeCount == 1, messageCount == 1 {
        hasTriedTail = true
        if try readTail(index, lineEnd: lineEnd) { return lineEnd }
      }
    }
    try checkEnd(index)
    try finishObject(end: index, timeCount: timeCount, messageCount: messageCount)
    return index
  }

  private mutating func classify(_ member: inout Member) {
    if member.isKeyEscaped {
      scratch.removeAll(keepingCapacity: true)
      scanner.appendString(member.keyStart..<member.keyEnd, to: &scratch)
      let ranks = scratch.withUnsafeBufferPointer { (timeNames.rank($0), messageNames.rank($0)) }
      set(&member, time: ranks.0, message: ranks.1)
    } else {
      let key = UnsafeBufferPointer(start: base + member.keyStart, count: member.keyEnd - member.keyStart)
      set(&member, time: timeNames.rank(key), message: messageNames.rank(key))
    }
  }

  @inline(__always)
  private func set(_ member: inout Member, time: Int?, message: Int?) {
    // Null is not there. An object is no text: its members become fields.
    if let time, member.kind != .null { member.timeRank = Int8(clamping: time) }
    if let message, member.kind != .null, member.kind != .object, member.kind != .array {
      member.messageRank = Int8(clamping: message)
    }
  }

  /// What follows a record on its line may only be another one.
  private func checkEnd(_ end: Int) throws(JSONFault) {
    var index = end
    while index < count, base[index] == 0x20 || base[index] == 0x09 || base[index] == 0x0D { index += 1 }
    guard index < count, base[index] != 0x0A else { return }
    switch base[index] {
    case UInt8(ascii: "{"): return
    case UInt8(ascii: ","), UInt8(ascii: "]"):
      if isInArray { return }
    default: break
    }
    throw JSONFault(kind: .afterObject, offset: index)
  }

  /// Looks up the rest of the line as it stands. Answers whether it was known, and then the record is complete.
  @inline(__always)
  private mutating func readTail(_ start: Int, lineEnd: Int) throws(JSONFault) -> Bool {
    var end = lineEnd
    while end > start, base[end - 1] <= 0x20 { end -= 1 }
    guard end > start, base[end - 1] == UInt8(ascii: "}") else {
      return false
    }
    collectRest(timeMember: firstTime, messageMember: firstMessage)
    restParts.append(start..<end - 1)
    guard let rest = rests.find(restParts, base: base), rest.isPure else { return false }
    try append(rest.fields, time: time(firstTime), messageMember: firstMessage)
    return true
  }

  private var firstTime: Int { members.firstIndex { $0.timeRank >= 0 } ?? -1 }
  private var firstMessage: Int { members.firstIndex { $0.messageRank >= 0 } ?? -1 }

  /// The bytes of all members but two, runs of neighbors together.
  private var restParts: [Range<Int>] = []

  private mutating func collectRest(timeMember: Int, messageMember: Int) {
    restParts.removeAll(keepingCapacity: true)
    var isRunning = false
    for (index, member) in members.enumerated() {
      if index == timeMember || index == messageMember {
        isRunning = false
      } else if isRunning {
        restParts[restParts.count - 1] = restParts[restParts.count - 1].lowerBound..<member.valueEnd
      } else {
        restParts.append(member.keyStart - 1..<member.valueEnd)
        isRunning = true
      }
    }
  }

  private mutating func finishObject(end: Int, timeCount: Int, messageCount: Int) throws(JSONFault) {
    var timeMember = -1
    var messageMember = -1
    for (index, member) in members.enumerated() {
      if member.timeRank >= 0, timeMember < 0 || member.timeRank < members[timeMember].timeRank { timeMember = index }
      if member.messageRank >= 0, messageMember < 0 || member.messageRank < members[messageMember].messageRank {
        messageMember = index
      }
    }
    collectRest(timeMember: timeMember, messageMember: messageMember)
    if let rest = rests.find(restParts, base: base) {
      if messageMember < 0, rest.isEmpty { throw JSONFault(kind: .nothingToKeep, offset: -1) }
      return try append(rest.fields, time: time(timeMember), messageMember: messageMember)
    }
    // Before the fields: what is refused must leave no stream and no field set behind.
    let time = try time(timeMember)
    if sink.isFull { throw JSONFault(kind: .bodyTooLarge, offset: -1) }
    sink.beginFields()
    do throws(JSONFault) {
      for (index, member) in members.enumerated() where index != timeMember && index != messageMember {
        path.removeAll(keepingCapacity: true)
        try flatten(
          keyStart: member.keyStart, keyEnd: member.keyEnd, valueStart: member.valueStart, valueEnd: member.valueEnd,
          kind: member.kind)
      }
    } catch {
      sink.abandonFields()
      throw error
    }
    let isEmpty = sink.fieldCount == 0
    if messageMember < 0, isEmpty {
      sink.abandonFields()
      throw JSONFault(kind: .nothingToKeep, offset: -1)
    }
    let fields = sink.endFields()
    // A rest that holds another time or message must not be recognized before its record has been read to the end.
    let isPure = !members.enumerated().contains { index, member in
      member.isCandidate && index != timeMember && index != messageMember
    }
    rests.insert(restParts, base: base, RestTable.Rest(fields: fields, isPure: isPure, isEmpty: isEmpty))
    try append(fields, time: time, messageMember: messageMember)
  }

  /// Appends a record: the message of the member given, or none for -1, and what stands for the rest.
  private mutating func append(
    _ fields: RecordSink.FieldSet, time: Timestamp, messageMember: Int
  ) throws(JSONFault) {
    if sink.isFull { throw JSONFault(kind: .bodyTooLarge, offset: -1) }
    let span: ByteSpan
    if messageMember >= 0 {
      let member = members[messageMember]
      let scanner = scanner
      span = sink.appendMessage { bytes in
        switch member.kind {
        case .string:
          bytes.append(
            contentsOf: UnsafeBufferPointer(
              start: base + member.valueStart + 1, count: member.valueEnd - member.valueStart - 2))
        case .escapedString:
          let start = bytes.count
          scanner.appendString(member.valueStart + 1..<member.valueEnd - 1, to: &bytes)
          if bytes.count > start, bytes[bytes.count - 1] == 0x0A { bytes.removeLast() }
        default:
          bytes.append(
            contentsOf: UnsafeBufferPointer(start: base + member.valueStart, count: member.valueEnd - member.valueStart)
          )
        }
      }
    } else {
      span = ByteSpan(offset: 0, length: 0)
    }
    sink.append(time: time, message: span, fields: fields)
  }

  private func time(_ timeMember: Int) throws(JSONFault) -> Timestamp {
    guard timeMember >= 0 else { return options.now }
    let member = members[timeMember]
    let text = UnsafeBufferPointer(start: base + member.valueStart, count: member.valueEnd - member.valueStart)
    let found: Timestamp?
    switch member.kind {
    case .number: found = TimestampParser.epoch(text)
    case .string: found = TimestampParser.parse(text.part(1..<text.count - 1), now: options.now)
    case .escapedString:
      var decoded: [UInt8] = []
      scanner.appendString(member.valueStart + 1..<member.valueEnd - 1, to: &decoded)
      found = decoded.withUnsafeBufferPointer { TimestampParser.parse($0, now: options.now) }
    default: found = nil
    }
    guard let found else { throw JSONFault(kind: .notATime, offset: member.valueStart) }
    switch bounds.breach(found) {
    case nil: return found
    case .future: throw JSONFault(kind: .future, offset: -1)
    case .past: throw JSONFault(kind: .past, offset: -1)
    case .retention: throw JSONFault(kind: .retention, offset: -1)
    }
  }

  // MARK: Fields

  /// Adds a member, whose JSON is known to be well formed, and all that is nested in it. `path` holds the names around
  /// it.
  private mutating func flatten(
    keyStart: Int, keyEnd: Int, valueStart: Int, valueEnd: Int, kind: JSONKind
  ) throws(JSONFault) {
    let outer = path.count
    if outer > 0 { path.append(UInt8(ascii: ".")) }
    scanner.appendString(keyStart..<keyEnd, to: &path)
    defer { path.removeLast(path.count - outer) }
    if kind == .null { return }
    guard path.count <= options.limits.keyByteCountMax else { throw JSONFault(kind: .keyTooLong, offset: keyStart - 1) }
    if kind == .object {
      var index = scanner.skipSpace(valueStart + 1)
      while index < valueEnd, base[index] == 0x22 {
        var isEscaped = false
        let innerKeyStart = index + 1
        let innerKeyEnd = try scanner.stringEnd(innerKeyStart, isEscaped: &isEscaped)
        index = scanner.skipSpace(try scanner.skipColon(scanner.skipSpace(innerKeyEnd + 1)))
        let value = try scanner.skipValue(index, depth: 1)
        try flatten(
          keyStart: innerKeyStart, keyEnd: innerKeyEnd, valueStart: index, valueEnd: value.end, kind: value.kind)
        index = scanner.skipSpace(value.end)
        guard index < valueEnd, base[index] == UInt8(ascii: ",") else { break }
        index = scanner.skipSpace(index + 1)
      }
      return
    }
    guard sink.fieldCount < options.limits.fieldCountMax else { throw JSONFault(kind: .tooManyFields, offset: -1) }
    let scanner = scanner
    path.withUnsafeBufferPointer { name in
      sink.addField(name) { bytes in
        switch kind {
        case .string, .escapedString: scanner.appendString(valueStart + 1..<valueEnd - 1, to: &bytes)
        case .array: scanner.appendCompact(valueStart..<valueEnd, to: &bytes)
        default:
          bytes.append(contentsOf: UnsafeBufferPointer(start: base + valueStart, count: valueEnd - valueStart))
        }
      }
    }
  }

  // MARK: Rejections

  private mutating func reject(_ fault: JSONFault) {
    rejectedCount += 1
    guard rejections.count < options.rejectionsMax else { return }
    rejections.append(Rejection(line: line, reason: reason(fault)))
  }

  private func reason(_ fault: JSONFault) -> String {
    let limits = options.limits
    switch fault.kind {
    case .unexpectedEnd: return "the line ends before the object does, at byte \(place(fault))"
    case .unclosedString: return "the line ends inside a string, at byte \(place(fault))"
    case .expectedObject: return "expected an object, '{', at byte \(place(fault))"
    case .expectedKey: return "expected a key in double quotes at byte \(place(fault))"
    case .expectedColon: return "expected ':' after the key at byte \(place(fault))"
    case .expectedCommaOrBrace: return "expected ',' or '}' after the value at byte \(place(fault))"
    case .expectedCommaOrBracket: return "expected ',' or ']' after the value at byte \(place(fault))"
    case .expectedValue: return "expected a value at byte \(place(fault))"
    case .afterObject: return "expected the end of the line after the object at byte \(place(fault))"
    case .number: return "malformed number at byte \(place(fault))"
    case .literal: return "expected true, false or null at byte \(place(fault))"
    case .escape: return "unknown escape in a string at byte \(place(fault))"
    case .controlCharacter:
      return "control character in a string at byte \(place(fault)): it must be written as an escape"
    case .tooDeep: return "more than \(scanner.depthMax) objects and arrays inside one another at byte \(place(fault))"
    case .tooLong: return "longer than the limit of \(limits.lineByteCountMax) bytes"
    case .tooManyFields: return "more than the limit of \(limits.fieldCountMax) fields"
    case .keyTooLong:
      return "a field name longer than the limit of \(limits.keyByteCountMax) bytes at byte \(place(fault))"
    case .empty: return "the object is empty"
    case .nothingToKeep: return "neither a message nor a field"
    case .notATime: return "the value at byte \(place(fault)) is not a time"
    case .future: return TimeBounds.reason(.future, limits)
    case .past: return TimeBounds.reason(.past, limits)
    case .retention: return TimeBounds.reason(.retention, limits)
    case .bodyTooLarge: return "the body holds more than can be taken at once: send it in parts"
    case .arrayNotClosed: return "the body ends before the array does"
    }
  }

  /// The place as a person counts it: from 1 in its line, with the line where it is not the record's first.
  private func place(_ fault: JSONFault) -> String {
    guard fault.offset >= lineStart else { return "\(max(fault.offset, 0) + 1)" }
    var start = lineStart
    var ahead = 0
    while true {
      let end = start + Int(tl_find_byte(base + start, min(fault.offset, count) - start, 0x0A))
      guard end < min(fault.offset, count) else { break }
      start = end + 1
      ahead += 1
    }
    let byte = "\(fault.offset - start + 1)"
    return ahead == 0 ? byte : "\(byte) of line \(line + ahead)"
  }
}

/// What rests of records stand for, by their bytes.
struct RestTable {
  struct Rest {
    var fields: RecordSink.FieldSet
    /// It holds no time and no message.
    var isPure: Bool
    /// It has no fields.
    var isEmpty: Bool
  }

  /// A longer rest is not worth the hope that it comes again.
  static let restByteCountMax = 64 << 10
  /// 4 MiB hold ten thousand rests of Kubernetes' size, a body far fewer. A table that is full stays as it is: rests
  /// that never come again must not cost more than a failed look-up.
  private static let byteCountMax = 4 << 20

  private struct Entry {
    var offset: Int
    var length: Int
    var rest: Rest
  }

  private var index = HashIndex()
  private var entries: [Entry] = []
  private var bytes: [UInt8] = []

  @inline(__always)
  mutating func find(_ parts: [Range<Int>], base: UnsafePointer<UInt8>) -> Rest? {
    var hash: UInt64 = 0
    var length = 0
    for part in parts {
      hash = tl_hash64(base + part.lowerBound, part.count, hash)
      length += part.count
    }
    var slot = index.start(hash)
    while let number = index.next(hash, &slot) {
      let entry = entries[number]
      if entry.length == length, equal(entry, parts, base: base) { return entry.rest }
    }
    return nil
  }

  private func equal(_ entry: Entry, _ parts: [Range<Int>], base: UnsafePointer<UInt8>) -> Bool {
    bytes.withUnsafeBufferPointer { stored in
      guard let start = stored.baseAddress else { return true }
      var place = start + entry.offset
      for part in parts {
        if memoryDiffers(place, base + part.lowerBound, part.count) { return false }
        place += part.count
      }
      return true
    }
  }

  mutating func insert(_ parts: [Range<Int>], base: UnsafePointer<UInt8>, _ rest: Rest) {
    var length = 0
    var hash: UInt64 = 0
    for part in parts {
      length += part.count
      hash = tl_hash64(base + part.lowerBound, part.count, hash)
    }
    guard length <= RestTable.restByteCountMax, bytes.count + length <= RestTable.byteCountMax else { return }
    entries.append(Entry(offset: bytes.count, length: length, rest: rest))
    for part in parts {
      bytes.append(contentsOf: UnsafeBufferPointer(start: base + part.lowerBound, count: part.count))
    }
    index.insert(hash, entries.count - 1)
  }
}

/// Whether two runs of `count` bytes differ.
@inline(__always)
private func memoryDiffers(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int) -> Bool {
  var index = 0
  while index + 8 <= count {
    if UnsafeRawPointer(left + index).loadUnaligned(as: UInt64.self)
      != UnsafeRawPointer(right + index).loadUnaligned(as: UInt64.self)
    {
      return true
    }
    index += 8
  }
  while index < count {
    if left[index] != right[index] { return true }
    index += 1
  }
  return false
}
