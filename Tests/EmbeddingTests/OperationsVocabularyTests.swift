import Testing

@testable import Embedding

@Suite struct OperationsVocabularyTests {
  @Test func `every group has at least two expressions, none of them twice or empty`() {
    #expect(OperationsVocabulary.groups.count > 50)
    for group in OperationsVocabulary.groups {
      #expect(group.count >= 2)
      #expect(group.allSatisfy { !$0.isEmpty })
    }
  }

  @Test(arguments: [
    ("login refused", "Authentication denied for <*>"),
    ("out of memory", "oom-killer invoked"),
    ("request timed out", "deadline exceeded after <*>"),
    ("disks full", "No space left on device"),
    ("ran out of memory", "OOMKilled"),
  ])
  func `a pattern that says it by another name is found by that name`(query: String, text: String) throws {
    var index = PatternSearchIndex()
    index.insert(id: 1, text: text)
    index.insert(id: 2, text: "screen brightness is <*>")

    let hit = try #require(index.search(query, limit: 1).first)

    #expect(hit.id == 1)
    #expect(hit.parts.names > 0)
  }

  @Test func `other names are for words of the query that count, by place`() {
    let query = PatternQuery("the disk is full", embedder: .shared)

    #expect(query.words.count == 2)
    #expect(query.kin.allSatisfy { query.words.indices.contains($0.word) && $0.closeness > 0 && $0.closeness < 1 })
    #expect(query.kin.contains { $0.stem == SearchWord.stem(of: Array("volume".utf8)[...]) && $0.word == 0 })
    #expect(!query.kin.contains { $0.stem == query.words[0].stem })
  }
}
