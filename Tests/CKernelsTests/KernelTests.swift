import CKernels
import Testing

@Suite struct KernelTests {
  /// Deterministic bytes.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 29)
    }
  }

  private func bytes(_ count: Int, of alphabet: ClosedRange<UInt8> = 0...255, _ generator: inout Generator) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: alphabet, using: &generator) }
  }

  @Test func `the checksum is CRC-32C`() {
    let check = Array("123456789".utf8)

    #expect(tl_crc32c(0, check, check.count) == 0xE306_9283)
    #expect(tl_crc32c_portable(0, check, check.count) == 0xE306_9283)
    #expect(tl_crc32c(0, nil, 0) == 0)
  }

  @Test func `the fast checksum equals the portable one, whole and in parts`() {
    var generator = Generator(state: 1)
    for count in 0..<200 {
      let text = bytes(count, &generator)
      let whole = tl_crc32c(0, text, count)
      let cut = count / 3
      let rest = Array(text[cut...])

      #expect(whole == tl_crc32c_portable(0, text, count))
      #expect(whole == tl_crc32c(tl_crc32c(0, text, cut), rest, rest.count))
    }
  }

  @Test func `stored filters rely on these hashes, so they never change`() {
    let text = Array("blk_-1608999687919862906".utf8)

    #expect(tl_hash64(text, text.count, 0) == KernelTests.hashOfBlock)
    #expect(tl_hash64(nil, 0, 0) == KernelTests.hashOfNothing)
  }

  @Test func `hashes of similar texts differ`() {
    var seen: Set<UInt64> = []
    var seenPairs: Set<[UInt64]> = []
    var generator = Generator(state: 2)
    for count in 0..<150 {
      var text = bytes(count, &generator)
      for index in text.indices {
        text[index] ^= 1
        seen.insert(tl_hash64(text, count, 0))
        var pair: [UInt64] = [0, 0]
        tl_hash128(text, count, 0, &pair)
        seenPairs.insert(pair)
        text[index] ^= 1
      }
    }

    #expect(seen.count == (0..<150).reduce(0, +))
    #expect(seenPairs.count == seen.count)
  }

  @Test func `the fast search finds what the portable one finds`() {
    var generator = Generator(state: 3)
    for _ in 0..<4000 {
      let hay = bytes(Int.random(in: 0...130, using: &generator), of: 97...99, &generator)
      let needle = bytes(Int.random(in: 0...5, using: &generator), of: 97...99, &generator)

      let found = tl_find(hay, hay.count, needle, needle.count)

      #expect(found == tl_find_portable(hay, hay.count, needle, needle.count))
      #expect(found == naive(hay, needle) { $0 })
    }
  }

  @Test func `the folded search takes capitals for small letters and nothing else`() {
    var generator = Generator(state: 4)
    let alphabet = Array("aAbB@[`{\u{1}".utf8) + [0xC1, 0xE1]
    for _ in 0..<4000 {
      let hay = (0..<Int.random(in: 0...130, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! }
      let needle = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
        lower(alphabet.randomElement(using: &generator)!)
      }

      #expect(tl_find_ascii_folded(hay, hay.count, needle, needle.count) == naive(hay, needle, lower))
    }
  }

  @Test func `bytes are found and counted`() {
    let text = Array("a,b,,c".utf8)

    #expect(tl_find_byte(text, text.count, UInt8(ascii: ",")) == 1)
    #expect(tl_find_byte(text, text.count, UInt8(ascii: "x")) == 6)
    #expect(tl_count_byte(text, text.count, UInt8(ascii: ",")) == 3)
    #expect(tl_find_byte(nil, 0, 0) == 0)
  }

  private func lower(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte + 32 : byte }

  private func naive(_ hay: [UInt8], _ needle: [UInt8], _ fold: (UInt8) -> UInt8) -> Int {
    if needle.isEmpty { return 0 }
    var start = 0
    while start + needle.count <= hay.count {
      if needle.indices.allSatisfy({ fold(hay[start + $0]) == needle[$0] }) { return start }
      start += 1
    }
    return hay.count
  }
}

extension KernelTests {
  private static let hashOfBlock: UInt64 = 9_133_097_927_204_272_313
  private static let hashOfNothing: UInt64 = 4_832_137_921_963_721_431
}
