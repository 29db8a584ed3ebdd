import Testing

@testable import Evaluation

@Suite struct EvalRedactTests {
  @Test func `each case is redacted on its own`() {
    let lines = ["mail to kim@example.org", "mail to lea@example.org", "no secret here"]
    let predictions = lines.map { EvalRedact.prediction(for: .init(id: "1", text: $0)).redacted }

    #expect(predictions == ["mail to <EMAIL_1>", "mail to <EMAIL_1>", "no secret here"])
  }
}
