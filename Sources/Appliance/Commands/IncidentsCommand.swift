import ArgumentParser
import FoundationEssentials

struct IncidentsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "incidents", abstract: "Say what went wrong, and what is going wrong.",
    subcommands: [List.self, Show.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List incidents, the latest first.")

    @OptionGroup var target: TargetOptions
    @Flag(help: "Only what is going on.") var open = false
    @Option(help: ArgumentHelp("How far back to look, such as 30m, 24h or 7d.", valueName: "age")) var since = "24h"
    @Option(help: "At most so many incidents.") var limit = 50
    @Flag(help: "The server's JSON.") var json = false

    func validate() throws { try WindowOptions.checkAge(since, "--since") }

    func run() async throws {
      let parameters = [("start", "now-" + since), ("open", "\(open)"), ("limit", "\(limit)")]
      try await target.withClient { client in
        if json {
          let body = try await client.call(.GET, "/api/v1/incidents", parameters: parameters)
          Terminal.write(body + [UInt8(ascii: "\n")])
          return
        }
        let incidents = try await client.decode([Document].self, .GET, "/api/v1/incidents", parameters: parameters)
        if incidents.isEmpty {
          Terminal.write(open ? "No incident is open.\n" : "No incidents in \(since).\n")
          return
        }
        let room = max(40, Terminal.columnCount - 66)
        let rows = incidents.map { incident in
          let title = Terminal.printable(incident.title)
          let shown = Terminal.outputIsTerminal && title.count > room ? title.prefix(room - 1) + "…" : title[...]
          return [incident.id, incident.severity, incident.words, incident.onset, String(shown)]
        }
        Terminal.write(Table(columns: ["incident", "severity", "state", "since", "what"], rows: rows).text)
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Show one incident with its likely origins and the records that show it.")

    @Argument(help: ArgumentHelp("As the list has it.", valueName: "id")) var incident: String
    @OptionGroup var target: TargetOptions
    @Flag(help: "The server's JSON.") var json = false

    func validate() throws {
      guard !incident.isEmpty, incident.utf8.allSatisfy({ $0 != UInt8(ascii: "/") && $0 > 0x20 && $0 < 0x7F }) else {
        throw ValidationError(
          "'\(Terminal.printable(incident))' is no incident's id; `timberline incidents` lists them.")
      }
    }

    func run() async throws {
      try await target.withClient { client in
        let path = "/api/v1/incidents/\(incident)"
        if json {
          Terminal.write(try await client.call(.GET, path) + [UInt8(ascii: "\n")])
        } else {
          show(try await client.decode(Document.self, .GET, path))
        }
      }
    }

    private func show(_ incident: Document) {
      func line(_ text: String) { Terminal.write(Terminal.printable(text) + "\n") }
      func section(_ title: String, _ lines: [String]) {
        if lines.isEmpty { return }
        Terminal.write("\n" + Terminal.colored(title, .bold) + "\n")
        for text in lines { line("  " + text) }
      }
      Terminal.write(Terminal.colored(Terminal.printable(incident.title), .bold) + "\n")
      line("Severity \(incident.severity), \(incident.severity_score) of 10; \(incident.words)")
      line("Where: \(incident.scope)")
      line("From \(incident.onset) to \(incident.last)")
      section("What changed", incident.changes)
      section(
        "Likely origins",
        incident.candidates.filter(\.is_root).prefix(3).map { origin in
          "\(origin.workload): \(origin.text) (\(origin.reasons.joined(separator: "; ")))"
        })
      section("Evidence", incident.evidence.map { "\($0.time) \($0.workload): \($0.message)" })
      section("Normal again", incident.normal_again)
    }
  }

  struct Document: Decodable {
    struct Candidate: Decodable {
      var text: String
      var workload: String
      var reasons: [String]
      var is_root: Bool
    }
    struct Evidence: Decodable {
      var time: String
      var message: String
      var workload: String
    }
    var id: String
    var state: String
    var status: String
    var title: String
    var severity: String
    var severity_score: Double
    var onset: String
    var last: String
    var scope: String
    var changes: [String]
    var normal_again: [String]
    var candidates: [Candidate]
    var evidence: [Evidence]

    /// What the records say, and what people say where that is more.
    var words: String { status == "open" ? state : "\(state), \(status)" }
  }
}
