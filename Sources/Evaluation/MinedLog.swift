import Domain
import LogParsing
import LogTemplates

/// Logs on the product's own way from lines to patterns: parsed, taken apart, numbered, mined.
struct MinedLog {
  private(set) var miner = PatternMiner()
  private var numbers: [[UInt8]: UInt32] = [:]
  /// The template of each record taken, in order.
  private var templates: [UInt32] = []

  /// Times without a year and lines without a time are of this moment, 2026-01-01, so that a run can be repeated.
  static let now = Timestamp(nanoseconds: 1_767_225_600_000_000_000)

  var templateCount: Int { numbers.count }

  /// The pattern that each record taken belongs to now, with all merges followed.
  var patterns: [UInt32] { templates.map { miner.pattern(ofTemplate: $0) ?? 0 } }

  /// Adds records as a commit does.
  mutating func take(_ records: ParsedRecords) {
    let parts = Decomposition(records)
    let known = parts.templates.map { number(ofTemplate: $0) }
    templates += parts.columns.templates.map { known[Int($0)] }
  }

  /// Adds up how many of `records` each pattern has; the records are not kept.
  mutating func count(_ records: ParsedRecords, into counts: inout [UInt32: Int]) {
    let parts = Decomposition(records)
    var recordCounts = [Int](repeating: 0, count: parts.templates.count)
    for template in parts.columns.templates { recordCounts[Int(template)] += 1 }
    for (template, count) in zip(parts.templates, recordCounts) {
      counts[miner.pattern(ofTemplate: number(ofTemplate: template)) ?? 0, default: 0] += count
    }
  }

  private mutating func number(ofTemplate text: [UInt8]) -> UInt32 {
    if let number = numbers[text] { return number }
    let number = UInt32(numbers.count)
    numbers[text] = number
    _ = miner.insert(Template(text: text), number: number)
    return number
  }
}
