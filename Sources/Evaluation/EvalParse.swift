import ArgumentParser
import Domain
import LogParsing

/// `eval parse`: the pattern of every line of a log, as a scorer of template miners takes it.
struct EvalParse: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parse",
    abstract: "Mine the patterns of a log and write one row a line: LineId, ClusterId, EventTemplate.")

  @Option(help: "A structured CSV: its Content column holds the messages.")
  var structured: String?

  @Option(help: "A log as its system wrote it: where messages begin is found out.")
  var raw: String?

  @Option(help: "Where to write the CSV.")
  var out: String

  func validate() throws {
    if (structured == nil) == (raw == nil) { throw ValidationError("give one of --structured and --raw") }
  }

  func run() throws {
    let patterns: [(number: UInt32, text: String)]
    if let structured {
      patterns = EvalParse.mine(
        messages: try CSVTable(try DataFile.read(structured), path: structured).column("Content", path: structured))
    } else {
      patterns = EvalParse.mine(log: try DataFile.read(raw!))
    }
    var text: [UInt8] = []
    CSVTable.append(["LineId", "ClusterId", "EventTemplate"], to: &text)
    for (index, pattern) in patterns.enumerated() {
      CSVTable.append(["\(index + 1)", "\(pattern.number)", pattern.text], to: &text)
    }
    try DataFile.write(text, to: out)
  }

  /// The pattern of each message after all are known.
  static func mine(messages: [[UInt8]]) -> [(number: UInt32, text: String)] {
    var records = ParsedRecords()
    for message in messages {
      records.times.append(MinedLog.now.nanoseconds)
      records.severities.append(.unknown)
      records.streams.append(0)
      records.fieldSets.append(0)
      let start = records.bytes.count
      records.bytes += message
      records.messages.append(ByteSpan(start..<records.bytes.count))
    }
    records.streamTable = [[]]
    records.fieldSetTable = [[]]
    var log = MinedLog()
    log.take(records)
    return log.patterns.map { ($0, log.miner.text(of: $0)?.text ?? "") }
  }

  /// The pattern of each line of `log`; a line that was joined to another has that one's. A blank line, of which no
  /// record is made, has pattern 0.
  static func mine(log bytes: [UInt8]) -> [(number: UInt32, text: String)] {
    var parser = TextLinesParser(options: .init(now: MinedLog.now))
    var log = MinedLog()
    var firstLines: [Int] = []
    for result in [bytes.withUnsafeBufferPointer { parser.feed($0) }, parser.finish()] {
      log.take(result.records)
      firstLines += result.recordLines
    }
    let lines = DataFile.lines(of: bytes)
    var patterns: [(number: UInt32, text: String)] = []
    var record = -1
    let patternOfRecord = log.patterns
    for (index, line) in lines.enumerated() {
      while record + 1 < firstLines.count, firstLines[record + 1] <= index + 1 { record += 1 }
      let isBlank = bytes[line].allSatisfy { $0 <= 0x20 }
      let number = record >= 0 && !isBlank ? patternOfRecord[record] : 0
      patterns.append((number, log.miner.text(of: number)?.text ?? ""))
    }
    return patterns
  }
}
