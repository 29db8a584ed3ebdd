internal import ArgumentParser
internal import Detection
internal import Embedding

/// `timberline eval severity`: scores the patterns of a pool by their text alone, as the product does.
struct EvalSeverity: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "severity", abstract: "Score how serious patterns are by their text alone.")

  @Option(help: "Patterns: {\"id\", \"template\"} a line.")
  var pool: String

  @Option(help: "Where scores are written: {\"id\", \"score\", \"severity\", \"reasons\"} a line.")
  var out: String

  struct PoolRow: Decodable {
    let id: String
    let template: String
  }

  struct Prediction: Codable, Equatable {
    let id: String
    let score: Double
    let severity: String
    let reasons: [String]
  }

  func run() throws {
    let patterns = try JSONLines.read(PoolRow.self, from: pool)
    try JSONLines.write(EvalSeverity.predictions(for: patterns), to: out)
  }

  static func predictions(for pool: [PoolRow]) -> [Prediction] {
    let embedder = StaticEmbedder.shared
    let scorer = SeverityScorer { embedder.embed($0) }
    return pool.map { row in
      let score = scorer.score(SeverityFacts(text: row.template))
      return Prediction(
        id: row.id, score: score.points, severity: score.grade == .none ? "info" : score.grade.rawValue,
        reasons: score.reasons.map { "\(($0.points * 100).rounded() / 100) \($0.words)" })
    }
  }
}
