internal import Embedding
internal import Synchronization
internal import Testing

@Suite struct TransformerModelFileTests {
  private func problem(of file: [UInt8]) -> TransformerModelError? {
    do throws(TransformerModelError) {
      _ = try TransformerEmbedder(TransformerModelBytes(copying: file))
      return nil
    } catch { return error }
  }

  @Test func `a model is described`() throws {
    let file = TinyTransformer().file()

    let description = try TransformerModelDescription(validating: TransformerModelBytes(copying: file))

    #expect(description.name == "tiny")
    #expect(description.license == "CC0-1.0")
    #expect(description.origin == "drawn from random numbers")
    #expect(description.dimension == 32)
    #expect(description.byteCount == file.count)
  }

  @Test func `texts may be missing`() throws {
    var tiny = TinyTransformer()
    tiny.texts = "no colon"

    let description = try TransformerModelDescription(validating: TransformerModelBytes(copying: tiny.file()))

    #expect(description.name == "unnamed")
    #expect(description.license.isEmpty)
  }

  @Test func `what is wrong with a file is told`() {
    let file = TinyTransformer().file()
    func changed(_ offset: Int, _ value: UInt8) -> [UInt8] {
      var file = file
      file[offset] = value
      return file
    }

    #expect(problem(of: file) == nil)
    #expect(problem(of: []) == .magic)
    #expect(problem(of: changed(0, 0)) == .magic)
    #expect(problem(of: changed(8, 2)) == .version(2))
    #expect(problem(of: Array(file[..<47])) == .header("it ends in the middle"))
    #expect(problem(of: changed(16, 33)) == .header("33 components"))
    #expect(problem(of: changed(20, 3)) == .header("3 heads for 32 components"))
    #expect(problem(of: file + [0]) == .byteCount(expected: file.count, actual: file.count + 1))
    #expect(problem(of: Array(file.dropLast(100))) == .byteCount(expected: file.count, actual: file.count - 100))
    guard case .checksum = problem(of: changed(5000, file[5000] ^ 1)) else {
      Issue.record("a changed byte went unnoticed")
      return
    }
  }

  @Test(arguments: ["[CLS]", "[SEP]", "[UNK]"])
  func `a vocabulary must have the special pieces`(piece: String) {
    var tiny = TinyTransformer()
    tiny.pieces = tiny.pieces.map { $0 == piece ? "[ABC]" : $0 }

    #expect(problem(of: tiny.file()) == .vocabulary("it has no \(piece)"))
  }

  @Test func `a table of no numbers is refused`() throws {
    var file = TinyTransformer().file()
    // The last section: the offset of the last normalization.
    let offset = file.count - 4 - 128
    file.replaceSubrange(offset..<offset + 4, with: [0, 0, 0xC0, 0x7F])

    #expect(problem(of: TinyTransformer.sealed(file)) == .notFinite("the second normalization of layer 2"))
  }

  @Test(arguments: UInt64(1)...8)
  func `no bytes crash it, whatever their checksum`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let file = TinyTransformer().file()
    for _ in 0..<40 {
      var mutant = file
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        // Half of the changes hit the header and the vocabulary, which the other bytes are read by.
        let end = Bool.random(using: &random) ? 300 : mutant.count
        mutant[Int.random(in: 0..<min(end, mutant.count), using: &random)] =
          [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random)!
        if Int.random(in: 0..<20, using: &random) == 0 {
          mutant.removeLast(Int.random(in: 0...mutant.count - 8, using: &random))
        }
      }
      mutant = TinyTransformer.sealed(mutant)
      guard let embedder = try? TransformerEmbedder(TransformerModelBytes(copying: mutant)) else { continue }

      let vector = embedder.embed("user logged in: no space left on device, disk is full")

      let squares = vector.reduce(0) { $0 + $1 * $1 }
      #expect(squares == 0 || abs(squares - 1) < 1e-4)
    }
  }

  @Test func `numbers beyond all bounds give zeros, not a crash`() throws {
    var file = TinyTransformer().file()
    // Every bias and scale of the last layer's outer matrix becomes the largest finite number.
    let last = file.count - 4 - 256 - 32 * 160
    for offset in stride(from: last - 256, to: last, by: 4) {
      file.replaceSubrange(offset..<offset + 4, with: [0xFF, 0xFF, 0x7F, 0x7F])
    }

    let embedder = try TransformerEmbedder(TransformerModelBytes(copying: TinyTransformer.sealed(file)))

    #expect(embedder.embed("disk is full").allSatisfy { $0 == 0 })
  }

  @Test(arguments: [0, 1, 4])
  func `a mapped file is read where it lies and let go of once`(offset: Int) throws {
    let released = Mutex(0)
    let file = TinyTransformer().file()
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: file.count + offset, alignment: 64)
    defer { memory.deallocate() }
    let place = UnsafeMutableRawBufferPointer(rebasing: memory[offset...])
    place.copyBytes(from: file)
    let expected = try TransformerEmbedder(TransformerModelBytes(copying: file)).embed("disk is full")

    do {
      let mapped = TransformerModelBytes(mapped: UnsafeRawBufferPointer(place)) { released.withLock { $0 += 1 } }
      let embedder = try TransformerEmbedder(mapped)
      #expect(embedder.embed("disk is full") == expected)
      #expect(released.withLock { $0 } == 0)
    }

    #expect(released.withLock { $0 } == 1)
  }
}
