internal import ArgumentParser
internal import Redaction

/// `timberline eval redact`: hides secrets and personal data in labelled lines.
struct EvalRedact: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redact", abstract: "Hide secrets and personal data in labelled lines.")

  @Option(help: "Lines: {\"id\", \"text\"} a line.")
  var cases: String

  @Option(help: "Where the lines are written: {\"id\", \"redacted\"} a line.")
  var out: String

  struct Case: Decodable {
    let id: String
    let text: String
  }

  struct Prediction: Codable, Equatable {
    let id: String
    let redacted: String
  }

  func run() throws {
    try JSONLines.write(try JSONLines.read(Case.self, from: cases).map(Self.prediction), to: out)
  }

  /// One redactor a case: nothing of one line shows in another.
  static func prediction(for item: Case) -> Prediction {
    var redactor = Redactor()
    return Prediction(id: item.id, redacted: redactor.redact(item.text))
  }
}
