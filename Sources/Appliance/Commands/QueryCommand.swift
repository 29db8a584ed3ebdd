import ArgumentParser
import Search

struct QueryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query", abstract: "Find records with LogsQL.",
    discussion: """
      Examples:
        timberline query 'error _time:1h'
        timberline query 'severity:error | stats by (kubernetes.pod_name) count() as errors | sort by (errors desc)'
        timberline query '"connection refused"' --since 30m --limit 20 --json

      docs/reference/query-language.md describes the language.
      """)

  @Argument(help: ArgumentHelp("A LogsQL query; '*' is everything.", valueName: "logsql")) var query: String
  @OptionGroup var target: TargetOptions
  @OptionGroup var window: WindowOptions
  @Option(help: "At most so many rows, the newest (0: all).") var limit = 100
  @Flag(help: "JSON lines, also on a terminal.") var json = false
  @Flag(help: "How the query is carried out and what that takes, instead of what it finds.") var explain = false

  func run() async throws {
    var parameters = [("query", query)] + window.parameters
    if limit > 0 { parameters.append(("limit", "\(limit)")) }
    if explain {
      parameters.append(("explain", "1"))
      return try await target.withClient { client in
        Terminal.write(try await client.call(.GET, "/api/v1/logs/query", parameters: parameters))
      }
    }
    let prints = json || !Terminal.outputIsTerminal
    try await target.withClient { client in
      try await client.lines("/api/v1/logs/query", parameters: parameters) { line in
        if line.isEmpty { return }
        if prints {
          Terminal.write(line + [UInt8(ascii: "\n")])
        } else if let record = LogLine(json: line) {
          Terminal.write(record.text + "\n")
        }
      }
    }
  }
}

/// The span of time that a command looks at.
struct WindowOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How far back to look, such as 1h or 7d.", valueName: "age")) var since: String?
  @Option(help: ArgumentHelp("First moment: RFC 3339, seconds since 1970, or now-1h.", valueName: "time")) var start:
    String?
  @Option(help: ArgumentHelp("Moment to stop before.", valueName: "time")) var end: String?

  /// - Throws: `ValidationError` if `text` is no length of time.
  static func checkAge(_ text: String, _ flag: String) throws {
    guard TimeExpression.parseDuration(text) != nil else {
      throw ValidationError("\(flag): '\(text)' is not a length of time such as 30m, 24h or 7d")
    }
  }

  var parameters: [(String, String)] {
    var parameters: [(String, String)] = []
    if let start {
      parameters.append(("start", start))
    } else if let since {
      parameters.append(("start", "now-" + since))
    }
    if let end { parameters.append(("end", end)) }
    return parameters
  }

  func validate() throws {
    if let since { try WindowOptions.checkAge(since, "--since") }
    if start != nil, since != nil { throw ValidationError("--start and --since both say where to begin; give one") }
  }
}
