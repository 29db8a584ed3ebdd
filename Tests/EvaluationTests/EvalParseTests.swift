import Testing

@testable import Evaluation

@Suite struct EvalParseTests {
  @Test func `messages of one kind have one pattern, by its final text`() {
    let messages = ["took 5 ms", "cache is warm", "took 17 ms"].map { Array($0.utf8) }

    let patterns = EvalParse.mine(messages: messages)

    #expect(patterns.map(\.text) == ["took <*> ms", "cache is warm", "took <*> ms"])
    #expect(patterns[0].number == patterns[2].number)
    #expect(patterns[0].number != patterns[1].number)
  }

  @Test func `every line of a log has a row, joined lines that of their record`() {
    let log = """
      2026-03-18 13:44:27 ERROR [main] com.example.Shop - Charge failed for order 7
      java.io.IOException: closed
      \tat com.example.Shop.charge(Shop.java:12)

      2026-03-18 13:44:28 INFO [main] com.example.Shop - Ready
      {"msg": "plain"}
      {"msg": "plain"}
      """

    let patterns = EvalParse.mine(log: Array(log.utf8))

    #expect(patterns.count == 7)
    #expect(Set(patterns[0...2].map(\.number)).count == 1)
    #expect(patterns[3].number == 0)
    #expect(patterns[4].text == "Ready")
    #expect(patterns[5].number == patterns[6].number)
    #expect(Set([patterns[0], patterns[3], patterns[4], patterns[5]].map(\.number)).count == 4)
  }
}
