internal import Embedding
internal import Testing

@Suite struct StaticEmbedderTests {
  let embedder = StaticEmbedder.shared

  @Test(arguments: GoldenEmbedding.all)
  func `a text gets the pieces and the vector that the reference gives it`(golden: GoldenEmbedding) {
    let vector = embedder.embed(golden.text)

    #expect(String(decoding: PreparedText.prepare(golden.text), as: UTF8.self) == golden.prepared)
    #expect(embedder.tokens(of: golden.text) == golden.pieces)
    #expect(golden.components.count == embedder.dimension)
    #expect(zip(vector, golden.components).allSatisfy { abs($0 - $1) < 1e-3 })
  }

  @Test func `a vector has unit length`() {
    let vector = embedder.embed("disk sda1 is full")

    #expect(vector.count == 256)
    #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
  }

  @Test(arguments: ["", "<*> <*>", "   ", "\u{1F600}"])
  func `a text without known words is all zeros`(text: String) {
    #expect(embedder.embed(text).allSatisfy { $0 == 0 })
    #expect(embedder.tokens(of: text).isEmpty)
  }

  @Test func `texts that mean alike are nearer than texts that do not`() {
    func cosine(_ a: String, _ b: String) -> Float {
      zip(embedder.embed(a), embedder.embed(b)).reduce(0) { $0 + $1.0 * $1.1 }
    }

    let alike = cosine("no space left on device", "disk is full")
    let unlike = cosine("no space left on device", "user logged in")

    #expect(alike > unlike)
  }

  @Test(arguments: [
    ("OOMKilled", "oom killed"),
    ("fooBarBaz", "foo bar baz"),
    ("snake_case-and.dots", "snake case and dots"),
    ("HTTPServer2Start", "http server2 start"),
    ("took <duration> from <ipv4>:<*>", "took from"),
    ("a<b>c", "a b c"),
    ("  spaces\tand\nlines  ", "spaces and lines"),
    ("ÜBER", "über"),
  ])
  func `identifiers are split and wildcards dropped`(text: String, prepared: String) {
    #expect(String(decoding: PreparedText.prepare(text), as: UTF8.self) == prepared)
  }

  @Test(arguments: [
    ("café", "cafe"), ("Ünïcode", "unicode"), ("Việt", "viet"), ("naïve", "naive"), ("cafe\u{301}", "cafe"),
  ])
  func `accents make no difference`(accented: String, plain: String) {
    #expect(!embedder.tokens(of: plain).isEmpty)
    #expect(embedder.tokens(of: accented) == embedder.tokens(of: plain))
  }

  @Test func `pieces are the longest that fit, spelled with marks where they continue a word`() {
    let pieces = embedder.tokens(of: "ssh2 datanode")

    #expect(pieces.compactMap { embedder.spelling(of: $0) } == ["ss", "##h", "##2", "data", "##no", "##de"])
  }

  @Test func `bytes that are not UTF-8 separate words`() {
    let bytes: [UInt8] = Array("disk".utf8) + [0xFF, 0xC0, 0x80, 0xED, 0xA0, 0x80] + Array("full".utf8) + [0xE2, 0x82]

    #expect(bytes.withUnsafeBufferPointer { PreparedText.prepare($0) } == Array("disk full".utf8))
  }

  @Test(arguments: [UInt64(1), 2, 3, 4])
  func `no bytes crash it`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      let bytes = (0..<Int.random(in: 0...120, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let prepared = bytes.withUnsafeBufferPointer { PreparedText.prepare($0) }

      #expect(embedder.tokens(ofPrepared: prepared).allSatisfy { Int($0) < StaticEmbedder.pieceCount })
      #expect(embedder.tokens(ofPrepared: bytes).count <= bytes.count)
    }
  }

  @Test func `a word of thousands of letters has no pieces`() {
    #expect(embedder.tokens(of: String(repeating: "a", count: 100)).isEmpty == false)
    #expect(embedder.tokens(of: String(repeating: "a", count: 5000)).isEmpty)
  }
}
