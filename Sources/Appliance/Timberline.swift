import ArgumentParser
import Evaluation

/// The command line.
@main
struct Timberline: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "timberline",
    abstract: "Takes in logs, keeps them safely, finds anything in them, and says what is going wrong.",
    discussion: """
      Start with `timberline demo`: a server with a sample incident, in a temporary folder.

      Commands that read or send records work on a running server (--url, or TIMBERLINE_URL) or straight on a data folder \
      (--data). Where a server is running on that folder, they find and ask it.

      Shell completions: timberline --generate-completion-script bash|zsh|fish
      Exit codes: 0 done, 1 failed, 64 wrong usage, 69 the server can't be reached, 78 wrong configuration.
      """,
    version: "timberline \(version)",
    subcommands: [
      ServeCommand.self, DemoCommand.self, ImportCommand.self, QueryCommand.self, TailCommand.self,
      PatternsCommand.self,
      AnalyzeCommand.self, IncidentsCommand.self, VerifyCommand.self, TenantCommand.self, ModelCommand.self,
      ConfigCommand.self,
      VersionCommand.self,
      EvalCommand.self,
    ])

  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as ConfigurationError {
      Terminal.complain("\(error)")
      exit(withCode: 78)
    } catch let error as ClientError {
      Terminal.complain("\(error)")
      exit(withCode: error.exitCode)
    } catch let error as FailureMessage {
      Terminal.complain(error.text)
      exit(withCode: 1)
    } catch is CancellationError {
      exit(withCode: 130)
    } catch {
      exit(withError: error)
    }
  }

  private static func exit(withCode code: Int32) -> Never { exit(withError: ExitCode(code)) }
}

/// Why a command failed, in words for the person who gave it.
struct FailureMessage: Error {
  let text: String

  init(_ text: String) { self.text = text }
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

  func run() { print("timberline \(Timberline.version)") }
}
