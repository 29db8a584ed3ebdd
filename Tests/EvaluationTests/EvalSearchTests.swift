import Foundation
import Testing

@testable import Evaluation

@Suite struct EvalSearchTests {
  private let pool = [
    EvalSearch.PoolRow(id: "a/1", template: "No space left on device <*>"),
    EvalSearch.PoolRow(id: "a/2", template: "session opened for user <*>"),
    EvalSearch.PoolRow(id: "b/1", template: "fan speed <*> rpm"),
  ]

  @Test func `every query gets its ranking by the ids of the pool, the best first`() {
    let queries = [
      EvalSearch.QueryRow(qid: "q1", query: "the disk is full"), EvalSearch.QueryRow(qid: "q2", query: "user session"),
    ]

    let rankings = EvalSearch.rankings(of: queries, over: pool, limit: 2)

    #expect(rankings.map(\.qid) == ["q1", "q2"])
    #expect(rankings.map(\.ranking.first) == ["a/1", "a/2"])
    #expect(rankings.allSatisfy { $0.ranking.count <= 2 })
  }

  @Test func `a bad line is named by file and line`() throws {
    let path = try TemporaryFile.write(#"{"id":"x","template":"t"}"# + "\n\n{\"id\":\"y\"}\n")

    #expect(throws: DataFileError.self) { try JSONLines.read(EvalSearch.PoolRow.self, from: path) }
    do { _ = try JSONLines.read(EvalSearch.PoolRow.self, from: path) } catch {
      #expect("\(error)" == "\(path):3: no \"template\"")
    }
    #expect(throws: DataFileError.self) { try JSONLines.read(EvalSearch.PoolRow.self, from: path + ".absent") }
  }

  @Test func `rows are read as they were written`() throws {
    let path = try TemporaryFile.write("")
    let rows = [EvalSearch.Ranking(qid: "q/1", ranking: ["é", "\"b\""])]

    try JSONLines.write(rows, to: path)

    #expect(try JSONLines.read(EvalSearch.Ranking.self, from: path) == rows)
  }
}

enum TemporaryFile {
  /// A file of its own in the system's folder for such.
  static func write(_ text: String) throws -> String {
    let url = FileManager.default.temporaryDirectory.appending(path: "evaluation-\(UUID().uuidString).jsonl")
    try Data(text.utf8).write(to: url)
    return url.path()
  }
}
