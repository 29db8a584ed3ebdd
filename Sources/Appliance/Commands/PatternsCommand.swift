import ArgumentParser
import Domain

struct PatternsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "patterns", abstract: "List the kinds of lines there are, with their counts.")

  @Argument(help: ArgumentHelp("A LogsQL filter.", valueName: "logsql")) var query = "*"
  @OptionGroup var target: TargetOptions
  @OptionGroup var window: WindowOptions
  @Option(help: "At most so many patterns.") var limit = 40
  @Option(help: "Order: count, new, rising or rare.") var sort = "count"
  @Flag(help: "The server's JSON.") var json = false

  private struct Page: Decodable {
    struct Entry: Decodable {
      var id: Int
      var text: String
      var level: String
      var count: Int
      var share: Double
      var counts: [Int]
    }
    var patterns: [Entry]
    var total: Int
    var records: Int
  }

  func run() async throws {
    let parameters = [("query", query), ("limit", "\(limit)"), ("sort", sort)] + window.parameters
    try await target.withClient { client in
      if json {
        Terminal.write(try await client.call(.GET, "/api/v1/patterns", parameters: parameters) + [UInt8(ascii: "\n")])
        return
      }
      let page = try await client.decode(Page.self, .GET, "/api/v1/patterns", parameters: parameters)
      if page.patterns.isEmpty {
        Terminal.write("No records match.\n")
        return
      }
      let room = max(40, Terminal.columnCount - 52)
      let rows = page.patterns.map { entry in
        let text = Terminal.printable(entry.text)
        let shown = Terminal.outputIsTerminal && text.count > room ? text.prefix(room - 1) + "…" : text[...]
        let share = Int((entry.share * 1000).rounded())
        return [
          "\(entry.count)", "\(share / 10).\(share % 10) %", sparkline(entry.counts), entry.level, "\(entry.id)",
          String(shown),
        ]
      }
      Terminal.write(
        Table(columns: ["count", "share", "trend", "level", "pattern", "text"], rows: rows, rightAligned: [0, 1, 4])
          .text)
      if page.total > page.patterns.count {
        Terminal.write("… and \(page.total - page.patterns.count) more patterns; --limit shows them\n")
      }
    }
  }

  /// Twelve bars for a series.
  private func sparkline(_ counts: [Int]) -> String {
    guard !counts.isEmpty else { return "" }
    let width = 12
    let bars = Array("▁▂▃▄▅▆▇█")
    let sums = (0..<width).map { index in
      let range = index * counts.count / width..<max(index * counts.count / width, (index + 1) * counts.count / width)
      return counts[range].reduce(0, +)
    }
    let most = max(1, sums.max() ?? 1)
    return String(sums.map { $0 == 0 ? " " : bars[min(7, $0 * 8 / (most + 1))] })
  }
}
