import Testing

@testable import Evaluation

@Suite struct EvalSeverityTests {
  @Test func `patterns are graded by their text, with reasons, and never critical by it alone`() throws {
    let predictions = EvalSeverity.predictions(for: [
      EvalSeverity.PoolRow(id: "1", template: "fatal: write failed, data corruption detected on <*>"),
      EvalSeverity.PoolRow(id: "2", template: "session opened for user <*>"),
    ])

    #expect(predictions.map(\.id) == ["1", "2"])
    #expect(predictions[0].severity == "high")
    #expect(predictions[1].severity == "info")
    #expect(predictions[0].score > predictions[1].score)
    #expect(predictions[0].reasons.first?.contains("fatal") == true)
  }
}
