import ArgumentParser
import Domain
import Foundation
import LogParsing
import LogTemplates

/// `eval bench`: how fast one core reads lines, takes them apart and finds their patterns.
struct EvalBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure pattern mining on one core: lines a second, MB/s, patterns, peak memory.")

  @Option(help: "A log, or a folder: all files under it that end in .log.")
  var raw: String

  @Option(help: "How long to measure, after one pass to warm up.")
  var seconds: Double = 20

  func run() throws {
    var logs: [[UInt8]] = []
    for path in try DataFile.paths(under: raw, suffix: ".log") { logs.append(try DataFile.read(path)) }
    guard logs.contains(where: { !$0.isEmpty }) else {
      throw DataFileError(path: raw, reason: "holds no .log file with anything in it")
    }
    let lineCount = logs.reduce(0) { $0 + DataFile.lines(of: $1).count }
    let byteCount = logs.reduce(0) { $0 + $1.count }
    var run = Run(logs)
    run.pass()
    let clock = ContinuousClock()
    let start = clock.now
    var passes = 0.0
    while clock.now - start < .seconds(seconds) {
      run.pass()
      passes += 1
    }
    let elapsed = (clock.now - start) / .seconds(1)
    print("lines/s        \(Int(passes * Double(lineCount) / elapsed))")
    print("MB/s           \((passes * Double(byteCount) / elapsed / 100_000).rounded() / 10)")
    print("patterns       \(run.log.miner.patterns.count)")
    print("templates      \(run.log.templateCount)")
    print("peak memory MB \(EvalBench.peakMemoryKilobytes / 1024)")
  }

  /// What an import does with each chunk of a file, but for storing it.
  private struct Run {
    var log = MinedLog()
    /// Records of each pattern.
    var counts: [UInt32: Int] = [:]
    private let logs: [[UInt8]]
    /// One a log: it knows the heads of its lines.
    private var parsers: [TextLinesParser]

    private static let chunkByteCount = 1 << 20

    init(_ logs: [[UInt8]]) {
      self.logs = logs
      parsers = logs.map { _ in TextLinesParser(options: .init(now: MinedLog.now)) }
    }

    mutating func pass() {
      for (index, bytes) in logs.enumerated() {
        bytes.withUnsafeBufferPointer { bytes in
          var start = 0
          while start < bytes.count {
            let end = min(start + Run.chunkByteCount, bytes.count)
            count(parsers[index].feed(UnsafeBufferPointer(rebasing: bytes[start..<end])))
            start = end
          }
        }
        count(parsers[index].finish())
      }
    }

    private mutating func count(_ result: ParseResult) {
      log.count(result.records, into: &counts)
    }
  }

  /// The most memory this process has had, in KiB.
  private static var peakMemoryKilobytes: Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
    for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      return Int(line.filter(\.isNumber)) ?? 0
    }
    return 0
  }
}
