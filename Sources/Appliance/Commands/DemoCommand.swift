import ArgumentParser
import Domain
import FoundationEssentials
import Ingest

#if canImport(Glibc)
  import Glibc
#endif

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Start a server with a sample incident, in a temporary folder.",
    discussion: "No sign-in; loopback only. The folder is deleted at the end.")

  @Option(help: ArgumentHelp("Address and port.", valueName: "host:port")) var listen = "127.0.0.1:7300"
  @Option(help: "Records of the sample.") var records = 100_000

  func validate() throws {
    if !(1000...10_000_000).contains(records) { throw ValidationError("--records takes 1000 to 10000000") }
  }

  func run() async throws {
    guard try ListenAddress(listen).isLoopback else {
      throw ConfigurationError("the demo has no sign-in and so listens on loopback addresses only; '\(listen)' is none")
    }
    var template = Array("/tmp/timberline-demo-XXXXXX".utf8CString)
    if let folder = getenv("TMPDIR") {
      template = Array((String(cString: folder) + "/timberline-demo-XXXXXX").utf8CString)
    }
    guard mkdtemp(&template) != nil else {
      throw FailureMessage("can't make a temporary folder: \(String(cString: strerror(errno)))")
    }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { DemoCommand.remove(folder) }
    let configuration = try Configuration(
      flags: ["data": folder, "listen": listen, "dev": "true", "log_level": "warning"], environment: [:], file: nil)
    let records = records
    try await ServerRun(configuration).run { assembly, url in
      do {
        try await DemoCommand.load(records, into: assembly)
        Terminal.write(DemoCommand.guide(url))
      } catch {
        Terminal.complain("the sample could not be loaded: \(error)")
      }
    }
  }

  private static func load(_ recordCount: Int, into assembly: Assembly) async throws {
    guard let caller = assembly.access.callerWithoutCredential else { return }
    var sample = SampleIncident(end: Assembly.now())
    sample.recordCount = recordCount
    try await sample.generate { body in
      _ = try await assembly.ingest.take(body, encoding: .identity, scope: caller.scope)
    }
  }

  private static func guide(_ url: String) -> String {
    """

    A shop's last three hours are loaded. Something went wrong in the last half hour.

      Open      \(url)/search
      Find      type: severity:error
      Patterns  \(url)/patterns
      Why?      \(url)/analyses  (or: timberline analyze --since 3h --url \(url))
      Ask       curl -s \(url)/api/v1/logs/query --data-urlencode 'query=circuit breaker' -d limit=3

    Ctrl-C ends the server and deletes the sample.

    """
  }

  private static func remove(_ folder: String) {
    // A file that can't be removed stays in the temporary folder, which is the system's to clean.
    try? FileManager.default.removeItem(atPath: folder)
  }
}
