import ArgumentParser

struct TailCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tail", abstract: "Follow records as they come in.",
    discussion: "Follows a running server. End with Ctrl-C.")

  @Argument(help: ArgumentHelp("A LogsQL filter.", valueName: "logsql")) var query = "*"
  @OptionGroup var target: TargetOptions
  @Flag(help: "JSON lines, also on a terminal.") var json = false

  func run() async throws {
    let prints = json || !Terminal.outputIsTerminal
    try await target.withClient(needsServer: true) { client in
      var isNotice = false
      try await client.lines("/api/v1/logs/tail", parameters: [("query", query)]) { line in
        if line.starts(with: "event: dropped".utf8) {
          isNotice = true
        } else if line.starts(with: "data: ".utf8) {
          let data = Array(line.dropFirst(6))
          if isNotice {
            isNotice = false
            Terminal.complain(
              "records came in faster than they could be shown: \(String(decoding: data, as: UTF8.self))")
          } else if prints {
            Terminal.write(data + [UInt8(ascii: "\n")])
          } else if let record = LogLine(json: data) {
            Terminal.write(record.text + "\n")
          }
        }
      }
    }
  }
}
