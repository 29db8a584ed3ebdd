import ArgumentParser

struct IncidentsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "incidents", abstract: "List what is going wrong, or show one incident with what shows it.")

  @Argument(help: ArgumentHelp("An incident's id, to show it alone.", valueName: "id")) var id: String?
  @OptionGroup var target: TargetOptions
  @OptionGroup var window: WindowOptions
  @Flag(help: "Only those that go on.") var open = false
  @Option(help: "At most so many incidents.") var limit = 20
  @Flag(help: "The server's JSON.") var json = false

  private struct Incident: Decodable {
    struct Candidate: Decodable {
      var text: String
      var workload: String
      var reasons: [String]
    }
    struct Evidence: Decodable {
      var time: String
      var workload: String
      var message: String
    }
    var id: String
    var state: String
    var status: String
    var title: String
    var severity: String
    var severityReasons: [String]
    var onset: String
    var last: String
    var scope: String
    var changes: [String]
    var normalAgain: [String]
    var candidates: [Candidate]
    var evidence: [Evidence]

    enum CodingKeys: String, CodingKey {
      case id, state, status, title, severity
      case severityReasons = "severity_reasons"
      case onset, last, scope, changes
      case normalAgain = "normal_again"
      case candidates, evidence
    }
  }

  func run() async throws {
    try await target.withClient { client in
      if let id {
        let path = "/api/v1/incidents/\(id.filter { $0.isHexDigit })"
        if json { return Terminal.write(try await client.call(.GET, path, parameters: []) + [UInt8(ascii: "\n")]) }
        show(try await client.decode(Incident.self, .GET, path, parameters: []))
      } else {
        let parameters = [("open", open ? "true" : "false"), ("limit", "\(limit)")] + window.parameters
        if json {
          Terminal.write(
            try await client.call(.GET, "/api/v1/incidents", parameters: parameters) + [UInt8(ascii: "\n")])
          return
        }
        list(try await client.decode([Incident].self, .GET, "/api/v1/incidents", parameters: parameters))
      }
    }
  }

  private func list(_ incidents: [Incident]) {
    if incidents.isEmpty { return Terminal.write("Nothing is going wrong, as far as counts can tell.\n") }
    let rows = incidents.map { incident in
      [
        incident.id, incident.severity, incident.state == "open" ? incident.status : incident.state,
        String(incident.onset.prefix(16)), Terminal.printable(incident.title),
      ]
    }
    Terminal.write(Table(columns: ["incident", "severity", "state", "since", "what"], rows: rows).text)
  }

  private func show(_ incident: Incident) {
    func section(_ name: String, _ lines: [String]) -> String {
      lines.isEmpty ? "" : "\n\(name)\n" + lines.map { "  \(Terminal.printable($0))\n" }.joined()
    }
    var text = "\(Terminal.printable(incident.title))\n\n"
    text += "\(incident.severity): \(Terminal.printable(incident.severityReasons.joined(separator: "; ")))\n"
    text += "\(incident.state), \(incident.status), \(incident.onset) to \(incident.last)\n"
    text += "\(Terminal.printable(incident.scope))\n"
    text += section("What changed", incident.changes)
    text += section(
      "Likely origins",
      incident.candidates.prefix(5).map { "\($0.workload): \($0.text) (\($0.reasons.joined(separator: "; ")))" })
    text += section("Evidence", incident.evidence.map { "\($0.time) \($0.workload): \($0.message)" })
    text += section("Normal again", incident.normalAgain)
    Terminal.write(text)
  }
}
