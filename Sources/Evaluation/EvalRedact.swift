import ArgumentParser
import FoundationEssentials
import Redaction

/// `timberline eval redact`: hides secrets and personal data in labelled lines.
struct EvalRedact: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redact", abstract: "Redact labelled lines and write what score_redaction.py takes.")

  @Option(help: "JSON lines with the members id and text.")
  var cases: String

  @Option(help: "Where to write JSON lines with the members id and redacted.")
  var out: String

  private struct Case: Decodable {
    var id: String
    var text: String
  }

  private struct Prediction: Encodable {
    var id: String
    var redacted: String
  }

  func run() throws {
    let lines = try Data(contentsOf: URL(filePath: cases)).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var output = Data()
    for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) {
      let item: Case
      do {
        item = try JSONDecoder().decode(Case.self, from: Data(line))
      } catch {
        throw ValidationError("\(cases):\(index + 1): not an object with the members id and text")
      }
      // One redactor a case: nothing of one line shows in another.
      var redactor = Redactor()
      output.append(try encoder.encode(Prediction(id: item.id, redacted: redactor.redact(item.text))))
      output.append(UInt8(ascii: "\n"))
    }
    try output.write(to: URL(filePath: out))
  }
}
