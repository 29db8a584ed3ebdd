internal import Embedding
internal import Testing

@Suite struct TransformerEmbedderTests {
  let embedder: TransformerEmbedder

  init() throws { embedder = try TransformerEmbedder(TransformerModelBytes(copying: TinyTransformer().file())) }

  @Test(arguments: TransformerGolden.all.indices)
  func `a text gets the pieces and the vector that the formulas give it`(index: Int) {
    let golden = TransformerGolden.all[index]

    let vector = embedder.embed(golden.text)

    #expect(embedder.tokens(of: golden.text) == golden.pieces)
    #expect(vector.count == golden.vector.count)
    #expect(zip(vector, golden.vector).allSatisfy { abs($0 - Float($1) / 10_000) < 2e-3 })
    #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
  }

  @Test func `the order of words makes a difference`() {
    #expect(embedder.embed("disk is full") != embedder.embed("full is disk"))
  }

  @Test(arguments: ["", "<*> <*>", "zzz", "\u{1F600}"])
  func `a text without known words is all zeros`(text: String) {
    #expect(embedder.embed(text) == Array(repeating: 0, count: 32))
  }

  @Test func `a text has the same vector alone and among others`() {
    let words = ["disk", "is", "full", "user", "users", "logged", "in", "zzz", "no", "space"]
    var random = SeededGenerator(seed: 7)
    // Together more than run through the layers at once.
    let texts = (0..<80).map { index in
      (0..<index % 20).map { _ in words.randomElement(using: &random)! }.joined(separator: " ")
    }

    #expect(embedder.embed(texts) == texts.map { embedder.embed($0) })
    #expect(embedder.embed([String]()).isEmpty)
  }

  @Test func `texts are embedded at the same time`() async {
    let shared = embedder
    let golden = TransformerGolden.all.map { ($0.text, shared.embed($0.text)) }

    let areEqual = await withTaskGroup(of: Bool.self) { group in
      for (text, vector) in golden + golden + golden + golden {
        group.addTask { (0..<4).allSatisfy { _ in shared.embed(text) == vector } }
      }
      return await group.allSatisfy { $0 }
    }

    #expect(areEqual)
  }

  @Test func `a word of thousands of letters is unknown`() {
    #expect(embedder.tokens(of: String(repeating: "disk", count: 1000)) == [2, 1, 3])
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func `no text crashes it`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let text = String(decoding: bytes, as: UTF8.self)

      #expect(embedder.tokens(of: text).count <= 16)
      #expect(embedder.embed(text).allSatisfy { $0.isFinite })
    }
  }

  @Test func `its identity changes with the model`() throws {
    var other = TinyTransformer()
    other.texts = "name: tiny\n"

    let another = try TransformerEmbedder(TransformerModelBytes(copying: other.file()))

    #expect(embedder.identity.hasPrefix("tiny-"))
    #expect(embedder.identity != another.identity)
    #expect(embedder.dimension == 32)
  }
}
