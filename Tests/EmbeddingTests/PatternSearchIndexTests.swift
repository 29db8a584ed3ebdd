internal import Embedding
internal import Testing

@Suite struct PatternSearchIndexTests {
  static let texts: [(id: UInt32, text: String)] = [
    (1, "Connection reset by peer <*>"),
    (2, "No space left on device <*>"),
    (3, "Failed password for <*> from <*> port <*> ssh2"),
    (4, "Accepted publickey for <*> from <*>"),
    (5, "OOMKilled: container <*> exceeded its memory limit"),
    (6, "Started session <*> of user <*>"),
    (7, "temperature <*> above threshold, cpu clock throttled"),
    (8, "BLOCK* NameSystem.addStoredBlock: blockMap updated: <*> is added to blk_<*> size <*>"),
    (9, "fan speed <*> rpm"),
    (10, "GET <*> <*> <*>ms"),
  ]

  func index() -> PatternSearchIndex {
    var index = PatternSearchIndex()
    index.insert(Self.texts)
    return index
  }

  @Test(
    arguments: [
      ("connections reset", 1), ("the disk is full", 2), ("wrong password", 3), ("out of memory", 5),
      ("processor too hot", 7), ("added stored block", 8), ("login with a key", 4),
    ] as [(String, UInt32)])
  func `the pattern that is meant comes first`(query: String, id: UInt32) {
    #expect(index().search(query, limit: 3).first?.id == id)
  }

  @Test func `parts tell words from meaning`() throws {
    let byWord = try #require(index().search("fan", limit: 1).first)
    let byMeaning = try #require(index().search("the disk is full", limit: 1).first)

    #expect(byWord.id == 9)
    #expect(byWord.parts.stems == 1)
    #expect(byMeaning.parts.stems == 0)
    #expect(byMeaning.parts.meaning > 1)
    #expect(abs(byMeaning.score - byMeaning.parts.word - byMeaning.parts.meaning) < 1e-5)
  }

  @Test func `another name for the same counts for meaning, not for words`() throws {
    let hit = try #require(index().search("the disk is full", limit: 1).first)

    #expect(hit.id == 2)
    #expect(hit.parts.stems == 0)
    #expect(hit.parts.names > 0)
  }

  @Test func `a second opinion enters the sum by its weight, and tells what it added`() throws {
    let alone = index().search("fan speed", limit: 10)
    let opinion = PatternSearchIndex.Opinion(weight: 9, cosines: [1: 0.8, 2: 0.4, 3: -0.5])

    let hits = index().search("fan speed", limit: 10, opinion: opinion)

    #expect(alone.first?.id == 9)
    #expect(alone.allSatisfy { $0.parts.opinion == 0 })
    #expect(hits.first?.id == 1)
    #expect(hits.first?.parts.opinion == 9)
    #expect(hits.first { $0.id == 2 }?.parts.opinion == 4.5)
    #expect(hits.first { $0.id == 3 }?.parts.opinion ?? 0 == 0)
    let score = try #require(hits.first)
    #expect(abs(score.score - score.parts.word - score.parts.meaning) < 1e-4)
  }

  @Test func `the embedding of a pattern is that of its text`() throws {
    for (id, text) in Self.texts + [(11, "a+b: 100% of a, a")] {
      var index = index()
      index.insert(id: id, text: text)
      let kept = try #require(index.embedding(of: id))

      #expect(zip(kept, StaticEmbedder.shared.embed(text)).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    #expect(index().embedding(of: 77) == nil)
  }

  @Test func `the cosine that is told is that of the embeddings`() throws {
    let index = index()
    let query = StaticEmbedder.shared.embed("certificate memory limit")
    for hit in index.search("certificate memory limit", limit: 10) {
      let embedding = try #require(index.embedding(of: hit.id))
      let cosine = zip(query, embedding).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      #expect(abs(hit.similarity - max(cosine, 0)) < 1e-4)
    }
  }

  @Test func `queries and patterns of many words are searched whole`() {
    var index = index()
    index.insert(id: 50, text: (0..<300).map { "word\($0)" }.joined(separator: " ") + " zebra")
    let query = "one two three four five six seven eight nine ten eleven zebra"

    #expect(index.search(query, limit: 1).first?.id == 50)
    let isRemoved = index.remove(id: 50)
    #expect(isRemoved)
    #expect(!index.search(query, limit: 20).contains { $0.id == 50 })
  }

  @Test func `a query without known words finds nothing`() {
    #expect(index().search("", limit: 5).isEmpty)
    #expect(index().search("<*> ...", limit: 5).isEmpty)
    #expect(PatternSearchIndex().search("disk", limit: 5).isEmpty)
    #expect(index().search("disk", limit: 0).isEmpty)
  }

  @Test func `only ids that pass are answered`() {
    let hits = index().search("failed password for user", limit: 10) { $0 != 3 }

    #expect(!hits.isEmpty)
    #expect(!hits.contains { $0.id == 3 })
  }

  @Test func `a removed pattern is not found, a changed one by its new text`() {
    var index = index()

    let isRemoved = index.remove(id: 1)
    let isRemovedTwice = index.remove(id: 1)
    index.insert(id: 2, text: "certificate expired")

    #expect(isRemoved && !isRemovedTwice)
    #expect(index.count == 9)
    #expect(!index.search("connection reset by peer", limit: 10).contains { $0.id == 1 })
    #expect(index.search("expired certificates", limit: 1).first?.id == 2)
    #expect(index.search("no space left", limit: 10).first { $0.id == 2 }?.parts.stems ?? 0 == 0)
  }

  @Test func `inserting one by one or at once ranks alike`() {
    var oneByOne = PatternSearchIndex()
    for (id, text) in Self.texts { oneByOne.insert(id: id, text: text) }

    for query in ["session of a user", "disk full", "block size"] {
      #expect(oneByOne.search(query, limit: 10).map(\.id) == index().search(query, limit: 10).map(\.id))
    }
  }

  @Test func `most patterns removed, the rest ranks as if it had been alone`() {
    var index = index()
    index.insert((100..<300).map { (id: UInt32($0), text: "filler number \($0) of many words \($0 % 7)") })
    for id in UInt32(100)..<300 { index.remove(id: id) }
    var alone = PatternSearchIndex()
    alone.insert(Self.texts)

    #expect(index.count == alone.count)
    for query in ["out of memory", "disk full", "password"] {
      #expect(index.search(query, limit: 3).map(\.id) == alone.search(query, limit: 3).map(\.id))
    }
  }

  @Test func `a copy stays as it was`() {
    var index = index()
    let copy = index

    index.remove(id: 9)

    #expect(copy.search("fan speed", limit: 1).first?.id == 9)
    #expect(copy.count == 10)
  }
}
