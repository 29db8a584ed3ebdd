internal import Embedding
internal import Testing

@Suite struct TransformerRankingTests {
  private func hits(_ query: String, _ texts: [String]) -> [PatternSearchIndex.Hit] {
    var index = PatternSearchIndex()
    index.insert(texts.enumerated().map { (id: UInt32($0.offset), text: $0.element) })
    return index.search(query, limit: texts.count)
  }

  private let texts = ["disk is full", "volume has no room", "user logged in"]

  @Test func `a pattern that only the transformer knows is found`() {
    let ranked = TransformerRanking.rank([], cosines: [(0, 0), (1, 0.7), (2, -0.1)], limit: 3)

    #expect(ranked.map(\.id) == [1])
  }

  @Test func `equal cosines leave the order that the words give`() {
    let hits = hits("disk full", texts)

    let ranked = TransformerRanking.rank(hits, cosines: [(0, 0.5), (1, 0.5), (2, 0.5)], limit: 3)

    #expect(ranked.first?.id == 0)
  }

  @Test func `what is near by words and by meaning comes before what is near by one`() {
    let hits = hits("disk full", texts)

    let ranked = TransformerRanking.rank(hits, cosines: [(0, 0.8), (1, 0.82), (2, 0.1)], limit: 2)

    #expect(ranked.map(\.id) == [0, 1])
    #expect(ranked.allSatisfy { $0.score > 0 && $0.score <= 8.5 })
  }

  @Test func `only patterns with a cosine are answered, equal ones by id`() {
    let hits = hits("disk full", texts)

    #expect(
      TransformerRanking.rank(hits, cosines: [(2, 0.3), (1, 0.3), (7, 0)], limit: 9).map(\.id).contains(0) == false)
    #expect(TransformerRanking.rank([], cosines: [(2, 0.3), (1, 0.3), (7, 0)], limit: 9).map(\.id) == [1, 2])
    #expect(TransformerRanking.rank(hits, cosines: [(0, 1)], limit: 0).isEmpty)
    #expect(TransformerRanking.rank(hits, cosines: [], limit: 5).isEmpty)
  }
}
