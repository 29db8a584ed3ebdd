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
    var run = Run()
    run.pass(logs)
    run.lineCount = 0
    run.byteCount = 0
    let clock = ContinuousClock()
    let start = clock.now
    while clock.now - start < .seconds(seconds) { run.pass(logs) }
    let elapsed = (clock.now - start) / .seconds(1)
    print("lines/s        \(Int(Double(run.lineCount) / elapsed))")
    print("MB/s           \((Double(run.byteCount) / elapsed / 100_000).rounded() / 10)")
    print("patterns       \(run.log.miner.patterns.count)")
    print("templates      \(run.log.templateCount)")
    print("peak memory MB \(EvalBench.peakMemoryKilobytes / 1024)")
  }

  /// What an import does with each chunk of a file, but for storing it.
  private struct Run {
    var log = MinedLog()
    /// Records of each pattern.
    var counts: [UInt32: Int] = [:]
    var lineCount = 0
    var byteCount = 0

    private static let chunkByteCount = 1 << 20

    mutating func pass(_ logs: [[UInt8]]) {
      for bytes in logs {
        var parser = TextLinesParser(options: .init(now: MinedLog.now))
        bytes.withUnsafeBufferPointer { bytes in
          var start = 0
          while start < bytes.count {
            let end = min(start + Run.chunkByteCount, bytes.count)
            count(parser.feed(UnsafeBufferPointer(rebasing: bytes[start..<end])))
            start = end
          }
        }
        count(parser.finish())
        byteCount += bytes.count
        lineCount += bytes.reduce(into: 0) { $0 += $1 == 0x0A ? 1 : 0 }
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
