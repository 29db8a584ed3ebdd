package import ArgumentParser

/// `timberline eval`: runs the crafts of log intelligence over labelled data and writes what a scorer takes.
package struct EvalCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Run pattern mining, search, severity, detection and redaction over labelled data, for scoring.",
    shouldDisplay: false,
    subcommands: [
      EvalParse.self, EvalSearch.self, EvalSeverity.self, EvalLocalize.self, EvalFindings.self, EvalQuiet.self,
      EvalRedact.self, EvalBench.self,
    ])

  package init() {}
}
