import CKernels
package import Domain

/// Any text log to records, a chunk at a time, for `timberline import`.
///
/// Every line is looked at by itself, with what its forerunners taught: JSON lines go to `JSONLinesParser`; CRI, klog,
/// syslog, logfmt, access logs and the usual heads of programs are read for time, level, process, thread, logger, host
/// and program. The message is the whole line as sent, but for CRI and JSON, whose message is inside. Lines of a stack
/// trace are joined to the line that opened it; a line without a time has that of the record before it; blank lines are
/// left out.
package struct TextLinesParser: Sendable {
  package struct Options: Sendable {
    /// By default an import takes any time.
    package var limits = ParsingLimits.anyTime
    /// The time of lines before the first that has one, and where the year of a date without one is taken from.
    package var now: Timestamp
    package var streamFields = StreamFields()
    /// On every record that has no field of that name, and labels of its stream: `source`, `--label k=v`.
    package var extraFields: [Field] = []
    /// Seconds east of UTC that times without a zone are in.
    package var zoneOffsetSeconds = 0
    package var rejectionsMax = 20

    package init(now: Timestamp) { self.now = now }
  }

  package let options: Options

  private let json: JSONLinesParser
  private let bounds: TimeBounds
  private var frames: LineFrameReader
  private var frameCounts = [Int](repeating: 0, count: LineFrame.allCases.count)

  private var sink: RecordSink
  private var recordLines: [Int] = []
  private var rejections: [Rejection] = []
  private var rejectedCount = 0

  /// The line whose end has not come yet.
  private var carry: [UInt8] = []
  private var isSkippingLine = false
  private var lineNumber = 0
  private var isFirst = true
  /// A JSON array, or an object printed over lines: read at the end.
  private var document: [UInt8]?
  private var lastTime: Timestamp
  private var pending: PendingRecord?
  /// The line that `pending` was read from, and the lines that were joined to it. Kept for its memory when there is none.
  private var pendingText: [UInt8] = []
  /// CRI: what the streams have said of a message not yet complete.
  private var partials: [(isError: Bool, bytes: [UInt8])] = [(false, []), (true, [])]

  /// The largest JSON document that is no JSON lines.
  private static let documentByteCountMax = 256 << 20

  /// A record that the next line may go on with. Its places are those in `pendingText`.
  private struct PendingRecord {
    var line: Int
    var time: Timestamp
    var header: LineHeader
    var lineCount = 1
  }

  package init(options: Options) {
    self.options = options
    var jsonOptions = JSONLinesParser.Options(now: options.now)
    jsonOptions.limits = options.limits
    jsonOptions.streamFields = options.streamFields
    jsonOptions.extraFields = options.extraFields
    jsonOptions.rejectionsMax = options.rejectionsMax
    json = JSONLinesParser(options: jsonOptions)
    bounds = TimeBounds(options.limits, now: options.now)
    frames = LineFrameReader(now: options.now, zoneOffsetSeconds: options.zoneOffsetSeconds)
    sink = RecordSink(streamFields: options.streamFields, extraFields: options.extraFields, byteCount: 0)
    lastTime = options.now
  }

  /// The frame most lines had so far, for people: `json`, `cri`, `klog`, `syslog`, `logfmt`, `access`, `timed` or
  /// `plain`.
  package var frameName: String {
    let best = frameCounts.indices.max { frameCounts[$0] < frameCounts[$1] } ?? 0
    return (frameCounts[best] > 0 ? LineFrame(rawValue: best) ?? .plain : .plain).name
  }

  /// Takes the next bytes of the log. Answers the records known to be complete, perhaps none.
  package mutating func feed(_ chunk: UnsafeBufferPointer<UInt8>) -> ParseResult {
    if document == nil { readChunk(chunk) } else { addToDocument(chunk) }
    return takeResult(byteCount: chunk.count)
  }

  /// Says that the log ended. Answers what was held back. The parser can then start on another log.
  package mutating func finish() -> ParseResult {
    let rest = carry
    carry = []
    if isFirst, rest.withUnsafeBufferPointer({ TextLinesParser.opensDocument($0) }) { document = rest }
    if let document {
      self.document = nil
      frameCounts[LineFrame.json.rawValue] += 1
      document.withUnsafeBufferPointer { readJSON($0, firstLine: lineNumber + 1) }
    } else if !rest.isEmpty {
      rest.withUnsafeBufferPointer { readLines($0) }
    }
    flush()
    for index in partials.indices where !partials[index].bytes.isEmpty {
      pendingText.removeAll(keepingCapacity: true)
      pendingText.append(contentsOf: (partials[index].isError ? "stderr" : "stdout").utf8)
      pendingText += partials[index].bytes
      partials[index].bytes = []
      var header = LineHeader()
      header.add(.stream, 0..<6)
      header.message = 6..<pendingText.count
      pending = PendingRecord(line: lineNumber, time: lastTime, header: header)
      flush()
    }
    isFirst = true
    isSkippingLine = false
    lineNumber = 0
    return takeResult(byteCount: 0)
  }

  private mutating func takeResult(byteCount: Int) -> ParseResult {
    var result = ParseResult()
    result.records = sink.records
    result.recordLines = recordLines
    recordLines = []
    result.rejections = rejections
    result.rejectedCount = rejectedCount
    sink = RecordSink(streamFields: options.streamFields, extraFields: options.extraFields, byteCount: byteCount)
    rejections = []
    rejectedCount = 0
    return result
  }

  // MARK: Bytes to lines

  private mutating func readChunk(_ chunk: UnsafeBufferPointer<UInt8>) {
    guard let base = chunk.baseAddress, chunk.count > 0 else { return }
    var start = 0
    if isSkippingLine || !carry.isEmpty || isFirst {
      // The rest of the line that the last chunk broke off, or the first line, which says whether this is a JSON
      // document.
      let end = Int(tl_find_byte(base, chunk.count, 0x0A))
      let piece = min(end + 1, chunk.count)
      if !isSkippingLine { carry.append(contentsOf: chunk.part(0..<piece)) }
      start = piece
      if end == chunk.count {
        boundCarry()
        return
      }
      if isSkippingLine {
        isSkippingLine = false
        lineNumber += 1
      } else {
        let line = carry
        carry = []
        if isFirst, line.withUnsafeBufferPointer({ isBlank($0) }) {
          lineNumber += 1
          return readChunk(chunk.part(start..<chunk.count))
        }
        if isFirst, line.withUnsafeBufferPointer({ TextLinesParser.opensDocument($0) }) {
          document = line
          return addToDocument(chunk.part(start..<chunk.count))
        }
        isFirst = false
        line.withUnsafeBufferPointer { readLines($0) }
      }
    }
    // Whole lines where they stand.
    var end = chunk.count
    while end > start, chunk[end - 1] != 0x0A { end -= 1 }
    if end > start { readLines(chunk.part(start..<end)) }
    carry.append(contentsOf: chunk.part(end..<chunk.count))
    boundCarry()
  }

  /// Gives up a line that grows beyond the limit before its end has come.
  private mutating func boundCarry() {
    guard carry.count > max(options.limits.lineByteCountMax, 1) + 1, !isSkippingLine else { return }
    reject(lineNumber + 1, tooLong)
    carry = []
    isSkippingLine = true
    isFirst = false
  }

  private var tooLong: String { "longer than the limit of \(options.limits.lineByteCountMax) bytes" }

  private func isBlank(_ line: UnsafeBufferPointer<UInt8>) -> Bool { line.trimmed.isEmpty }

  /// `[` or `[{…`, or a `{` alone: JSON that is not lines.
  private static func opensDocument(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    var text = line
    if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF { text = text.part(3..<text.count) }
    text = text.trimmed
    guard let first = text.first else { return false }
    if first == UInt8(ascii: "{") { return text.count == 1 }
    guard first == UInt8(ascii: "[") else { return false }
    let inner = text.part(1..<text.count).trimmed
    return inner.isEmpty || inner[0] == UInt8(ascii: "{")
  }

  private mutating func addToDocument(_ chunk: UnsafeBufferPointer<UInt8>) {
    guard (document?.count ?? 0) + chunk.count <= TextLinesParser.documentByteCountMax else {
      if document?.isEmpty == false {
        reject(
          1, "a JSON document of more than \(TextLinesParser.documentByteCountMax >> 20) MiB: import it as JSON lines")
      }
      // Stays a document, without bytes, so that the rest is passed over.
      document = []
      return
    }
    document?.append(contentsOf: chunk)
  }

  /// Reads whole lines; the last may lack its line feed.
  private mutating func readLines(_ lines: UnsafeBufferPointer<UInt8>) {
    guard let base = lines.baseAddress else { return }
    var start = 0
    if lineNumber == 0, lines.count >= 3, lines[0] == 0xEF, lines[1] == 0xBB, lines[2] == 0xBF { start = 3 }
    var jsonStart = -1
    var jsonFirstLine = 0
    while start < lines.count {
      let feed = start + Int(tl_find_byte(base + start, lines.count - start, 0x0A))
      var end = feed
      if end > start, base[end - 1] == 0x0D { end -= 1 }
      lineNumber += 1
      let line = lines.part(start..<end)
      if line.first == UInt8(ascii: "{"), LineFrameReader.isJSON(line) {
        // Neighbors are read together: they share what is found out about them.
        if jsonStart < 0 {
          jsonStart = start
          jsonFirstLine = lineNumber
        }
        frameCounts[LineFrame.json.rawValue] += 1
      } else {
        if jsonStart >= 0 {
          flush()
          readJSON(lines.part(jsonStart..<start), firstLine: jsonFirstLine)
          jsonStart = -1
        }
        readLine(line)
      }
      start = feed + 1
    }
    if jsonStart >= 0 {
      flush()
      readJSON(lines.part(jsonStart..<lines.count), firstLine: jsonFirstLine)
    }
  }

  private mutating func readJSON(_ lines: UnsafeBufferPointer<UInt8>, firstLine: Int) {
    let found = json.parse(lines, firstLine: firstLine, into: &sink)
    // Neighbors are one a line, as a rule.
    let countBefore = recordLines.count
    recordLines += (countBefore..<max(countBefore, sink.records.count)).map { firstLine + $0 - countBefore }
    rejectedCount += found.rejectedCount
    rejections += found.rejections.prefix(max(options.rejectionsMax - rejections.count, 0))
    if let time = sink.records.times.last { lastTime = Timestamp(nanoseconds: time) }
  }

  // MARK: Lines to records

  private mutating func readLine(_ line: UnsafeBufferPointer<UInt8>) {
    if isBlank(line) { return }
    if line.count > options.limits.lineByteCountMax {
      flush()
      return reject(lineNumber, tooLong)
    }
    // What is indented has no head of its own.
    if line[0] == 0x20 || line[0] == 0x09, join(line) { return }
    let header = frames.read(line)
    frameCounts[header.frame.rawValue] += 1
    if header.frame == .cri {
      readCRI(line, header)
    } else if header.time == nil, header.severity == nil, join(line) {
      return
    } else {
      flush()
      begin(line, header)
    }
  }

  private mutating func begin(_ line: UnsafeBufferPointer<UInt8>, _ header: LineHeader) {
    let time = header.time ?? lastTime
    lastTime = time
    pendingText.removeAll(keepingCapacity: true)
    pendingText.append(contentsOf: line)
    pending = PendingRecord(line: lineNumber, time: time, header: header)
  }

  /// The runtime cuts long lines into pieces marked P and a last one marked F; the streams may alternate.
  private mutating func readCRI(_ line: UnsafeBufferPointer<UInt8>, _ header: LineHeader) {
    let message = line.part(header.message)
    let isError = line[header.field(0).value.lowerBound + 3] == UInt8(ascii: "e")
    let stream = isError ? 1 : 0
    if header.isPartial || !partials[stream].bytes.isEmpty {
      partials[stream].bytes.append(contentsOf: message)
      if partials[stream].bytes.count > options.limits.lineByteCountMax {
        partials[stream].bytes = []
        return reject(lineNumber, tooLong)
      }
      if header.isPartial { return }
      flush()
      begin(line, header)
      pendingText.removeSubrange(header.message)
      pendingText += partials[stream].bytes
      partials[stream].bytes = []
      return
    }
    // A trace inside: every line of it has the frame, none but the first a head of its own.
    if let pending, pending.header.fieldCount > 0, pending.time <= header.time ?? pending.time, message.count > 0,
      pendingText[pending.header.field(0).value].elementsEqual(line.part(header.field(0).value)), join(message)
    {
      return
    }
    flush()
    if message.count > 0 { begin(line, header) }
  }

  /// Adds `line` to the record before it if it goes on with that.
  private mutating func join(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let record = pending, record.lineCount < MultilineJoiner.lineCountMax else { return false }
    let start = record.header.message.lowerBound
    guard pendingText.count - start + line.count < MultilineJoiner.byteCountMax,
      pendingText.withUnsafeBufferPointer({ MultilineJoiner.continues(line, message: $0.part(start..<$0.count)) })
    else { return false }
    pendingText.append(0x0A)
    pendingText.append(contentsOf: line)
    pending!.lineCount += 1
    return true
  }

  private mutating func flush() {
    guard let record = pending else { return }
    pending = nil
    if let breach = bounds.breach(record.time) {
      return reject(record.line, TimeBounds.reason(breach, options.limits))
    }
    if sink.isFull { return reject(record.line, "the chunk holds more than can be taken at once") }
    pendingText.withUnsafeBufferPointer { text in
      sink.beginFields()
      for index in 0..<record.header.fieldCount {
        let (name, value) = record.header.field(index)
        sink.addField(name, text.part(value))
      }
      let fields = sink.endFields()
      let span = sink.appendMessage {
        $0.append(contentsOf: text.part(record.header.message.lowerBound..<text.count))
      }
      sink.append(time: record.time, message: span, fields: fields, severity: record.header.severity)
    }
    recordLines.append(record.line)
  }

  private mutating func reject(_ line: Int, _ reason: String) {
    rejectedCount += 1
    if rejections.count < options.rejectionsMax { rejections.append(Rejection(line: line, reason: reason)) }
  }
}
