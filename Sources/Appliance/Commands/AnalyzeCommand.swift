import ArgumentParser
import FoundationEssentials

struct AnalyzeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "analyze", abstract: "Say what is going wrong, and why, in a window of time.")

  @OptionGroup var target: TargetOptions
  @Option(help: ArgumentHelp("How far back to look, such as 30m, 24h or 7d.", valueName: "age")) var since = "24h"
  @Option(help: ArgumentHelp("First moment, instead of --since.", valueName: "time")) var start: String?
  @Option(help: ArgumentHelp("Moment to stop before (default now).", valueName: "time")) var end: String?
  @Option(help: "Only this namespace.") var namespace: String?
  @Option(help: "Leave out clusters of fewer records.") var minClusterSize = 5
  @Flag(help: "The server's JSON.") var json = false

  func validate() throws { try WindowOptions.checkAge(since, "--since") }

  private struct Document: Decodable {
    struct Cluster: Decodable {
      var label: String
      var size: Int
      var severity: String
      var change: String
    }
    var id: String
    var status: String
    var headline: String?
    var summary: String?
    var severity: String?
    var severity_score: Double?
    var clusters: [Cluster]?
    var error: String?
  }

  private struct Request: Encodable {
    var namespace: String?
    var start: String
    var end: String
    var min_cluster_size: Int
  }

  func run() async throws {
    let request = Request(
      namespace: namespace, start: start ?? "now-" + since, end: end ?? "now", min_cluster_size: minClusterSize)
    try await target.withClient { client in
      let body = Array(try JSONEncoder().encode(request))
      var document = try await client.decode(Document.self, .POST, "/api/v1/analyses", body: body)
      let path = "/api/v1/analyses/\(document.id)"
      while document.status == "pending" || document.status == "running" {
        try await Task.sleep(for: .milliseconds(150))
        document = try await client.decode(Document.self, .GET, path)
      }
      if json {
        Terminal.write(try await client.call(.GET, path) + [UInt8(ascii: "\n")])
      }
      if document.status == "failed" {
        throw FailureMessage("the analysis failed: \(document.error ?? "no reason given")")
      }
      if !json { show(document) }
    }
  }

  private func show(_ document: Document) {
    Terminal.write(Terminal.colored(Terminal.printable(document.headline ?? "Nothing unusual"), .bold) + "\n")
    if let score = document.severity_score {
      Terminal.write("Severity \(document.severity ?? "none"), \((score * 10).rounded() / 10) of 10\n")
    }
    // The server's own line breaks are kept.
    for line in (document.summary ?? "").split(separator: "\n", omittingEmptySubsequences: false) {
      Terminal.write(Terminal.printable(String(line)) + "\n")
    }
    guard let clusters = document.clusters, !clusters.isEmpty else { return }
    Terminal.write("\n")
    Terminal.write(
      Table(
        columns: ["records", "severity", "change", "cluster"],
        rows: clusters.prefix(20).map { ["\($0.size)", $0.severity, $0.change, Terminal.printable($0.label)] },
        rightAligned: [0]
      ).text)
  }
}
