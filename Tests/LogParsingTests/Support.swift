import Domain
import LogParsing

/// 2026-03-18T13:44:27Z
let testNow = Timestamp(seconds: 1_773_841_467)

/// A record as a test looks at it.
struct Seen: Equatable, CustomStringConvertible {
  var time: String
  var severity: String
  var message: String
  var fields: [String]
  var labels: [String]

  var description: String { "\(time) \(severity) \(fields) \(labels) | \(message)" }
}

extension ParseResult {
  var seen: [Seen] {
    (0..<records.count).map { row in
      func text(_ span: ByteSpan) -> String { String(decoding: records.bytes[span.range], as: UTF8.self) }
      return Seen(
        time: Timestamp(nanoseconds: records.times[row]).rfc3339, severity: records.severities[row].name,
        message: text(records.messages[row]),
        fields: records.fieldSetTable[Int(records.fieldSets[row])].map { text($0.name) + "=" + text($0.value) },
        labels: records.streamTable[Int(records.streams[row])].map { text($0.name) + "=" + text($0.value) })
    }
  }

  var reasons: [String] { rejections.map(\.description) }

  /// Whether all columns have one entry a record and all spans lie inside the bytes.
  var isWellFormed: Bool {
    let count = records.count
    func isInside(_ span: ByteSpan) -> Bool { span.range.upperBound <= records.bytes.count }
    return records.severities.count == count && records.messages.count == count && records.streams.count == count
      && records.fieldSets.count == count && records.messages.allSatisfy(isInside)
      && records.streams.allSatisfy { Int($0) < records.streamTable.count }
      && records.fieldSets.allSatisfy { Int($0) < records.fieldSetTable.count }
      && (records.streamTable + records.fieldSetTable).allSatisfy {
        $0.allSatisfy { isInside($0.name) && isInside($0.value) }
      }
  }
}

func parseJSON(_ bytes: [UInt8], _ change: (inout JSONLinesParser.Options) -> Void = { _ in }) -> ParseResult {
  var options = JSONLinesParser.Options(now: testNow)
  change(&options)
  return bytes.withUnsafeBufferPointer { JSONLinesParser(options: options).parse($0) }
}

func parseJSON(_ text: String, _ change: (inout JSONLinesParser.Options) -> Void = { _ in }) -> ParseResult {
  parseJSON(Array(text.utf8), change)
}

/// The records of a text fed in pieces of `pieceByteCount`.
func parseText(
  _ bytes: [UInt8], pieceByteCount: Int = .max, _ change: (inout TextLinesParser.Options) -> Void = { _ in }
) -> (seen: [Seen], reasons: [String], rejectedCount: Int, frame: String, isWellFormed: Bool) {
  var options = TextLinesParser.Options(now: testNow)
  change(&options)
  var parser = TextLinesParser(options: options)
  var seen: [Seen] = []
  var reasons: [String] = []
  var rejectedCount = 0
  var isWellFormed = true
  func take(_ result: ParseResult) {
    seen += result.seen
    reasons += result.reasons
    rejectedCount += result.rejectedCount
    isWellFormed = isWellFormed && result.isWellFormed
  }
  var start = 0
  while start < bytes.count {
    let end = start + min(pieceByteCount, bytes.count - start)
    bytes.withUnsafeBufferPointer { take(parser.feed(UnsafeBufferPointer(rebasing: $0[start..<end]))) }
    start = end
  }
  take(parser.finish())
  return (seen, reasons, rejectedCount, parser.frameName, isWellFormed)
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same seed gives the same bytes everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
