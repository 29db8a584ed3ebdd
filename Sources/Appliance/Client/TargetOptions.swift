import ArgumentParser

/// Which server or data folder a command works on.
struct TargetOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A running server, such as http://127.0.0.1:7300 (or TIMBERLINE_URL).", valueName: "url"))
  var url: String?

  @Option(help: ArgumentHelp("The server's API key (or TIMBERLINE_API_KEY).", valueName: "key"))
  var apiKey: String?

  @Option(help: ArgumentHelp("Work straight on this data folder (default ./timberline-data).", valueName: "dir"))
  var data: String?

  /// Runs `body` with a client: of the server named, of the server that runs on the data folder, or of one that runs in this
  /// process for as long as `body` does.
  ///
  /// - Parameters:
  ///   - createsFolder: Whether a data folder that is not there is made; else it is an error that names it.
  ///   - needsServer: Whether a server must be running already.
  func withClient(
    createsFolder: Bool = false, needsServer: Bool = false, _ body: (APIClient) async throws -> Void
  ) async throws {
    let environment = ProcessEnvironment.variables
    let key = apiKey ?? environment["TIMBERLINE_API_KEY"]
    if data == nil, let url = url ?? environment["TIMBERLINE_URL"] {
      guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
        throw ConfigurationError("the server's address must be like http://127.0.0.1:7300, not '\(url)'")
      }
      return try await body(APIClient(url: TargetOptions.trimmed(url), apiKey: key))
    }
    if url != nil { throw ConfigurationError("--url and --data name two places; give one of them") }
    var flags: [String: String] = ["listen": "127.0.0.1:0", "log_level": "error"]
    flags["data"] = data
    let configuration = try Configuration(flags: flags, environment: environment, file: nil)
    if let running = RunningServer.find(in: configuration.dataFolder) {
      return try await body(APIClient(url: running, apiKey: key))
    }
    if needsServer {
      throw ClientError(
        description: "no server is running on \(configuration.dataFolder); start one, or name one with --url",
        exitCode: 69)
    }
    guard createsFolder || Assembly.isDataFolder(configuration.dataFolder) else {
      throw FailureMessage(
        "no data in \(configuration.dataFolder); name the folder with --data, or a server with --url")
    }
    try await LocalServer.run(configuration, body)
  }

  private static func trimmed(_ url: String) -> String {
    url.hasSuffix("/") ? String(url.dropLast()) : url
  }
}
