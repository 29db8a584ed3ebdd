import Domain
import Testing

@testable import LogBlocks

@Suite struct LetterRunTests {
  private static func runs(of words: [String]) -> LetterRuns? {
    var runs = LetterRuns()
    for word in words { Array(word.utf8).withUnsafeBufferPointer { runs.insertRuns(of: $0) } }
    return runs.encoded.map { LetterRuns(decoding: $0) }
  }

  private static func holds(
    _ text: String, in runs: LetterRuns?, start: Bool = false, end: Bool = false, ignoringCase: Bool = false
  ) throws -> Bool {
    let run = try #require(LetterRun(text.utf8, isWholeStart: start, isWholeEnd: end))
    return try #require(runs).mayContain(run, ignoringCase: ignoringCase)
  }

  @Test func `letters are found as a part, as a whole, and in any case`() throws {
    let runs = Self.runs(of: ["upstream7Timeout", "x_y", "IOException", "upstream"])

    #expect(try Self.holds("xcept", in: runs))
    #expect(try !Self.holds("xcept", in: runs, start: true))
    #expect(try Self.holds("IOEx", in: runs, start: true))
    #expect(try !Self.holds("IOEx", in: runs, start: true, end: true))
    #expect(try Self.holds("Timeout", in: runs, start: true, end: true))
    #expect(try !Self.holds("timeout", in: runs))
    #expect(try Self.holds("timeout", in: runs, ignoringCase: true))
    #expect(try Self.holds("x_y", in: runs, start: true, end: true))
    #expect(try !Self.holds("refused", in: runs))
  }

  @Test func `what could be hex digits tells nothing, nor do two letters`() {
    #expect(LetterRun("decade".utf8, isWholeStart: true, isWholeEnd: true) == nil)
    #expect(LetterRun("xy".utf8, isWholeStart: true, isWholeEnd: true) == nil)
    #expect(
      Self.runs(of: ["deadbeef42", "7"])?.mayContain(
        LetterRun("xyz".utf8, isWholeStart: false, isWholeEnd: false)!, ignoringCase: false) == false)
  }

  @Test func `too many letters are none at all`() {
    var generator = SeededGenerator(3)
    let words = (0..<4000).map { _ in
      String((0..<12).map { _ in Character(Unicode.Scalar(UInt8.random(in: 97...122, using: &generator))) })
    }
    #expect(Self.runs(of: words) == nil)
  }

  @Test(arguments: 0..<40)
  func `no letters that a variable holds are ruled out`(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let builder = ArbitraryRecords.make(seed: seed, count: 120)
    let block = try BlockEncoder.encode([builder.columns], template: builder.lookUp)[0].decoder()
    let all = try block.columns(rows: nil)
    for span in all.variables {
      let value = Array(all.bytes[span.range])
      guard let start = value.indices.randomElement(using: &generator) else { continue }
      let letters = value[start...].prefix { LetterRuns.isLetter($0) }
      let part = letters.prefix(Int.random(in: 3...9, using: &generator))
      let isEnd = part.count == letters.count && letters.endIndex < value.endIndex
      let isStart = start > 0 && !LetterRuns.isLetter(value[start - 1])
      guard let run = LetterRun(part, isWholeStart: isStart, isWholeEnd: isEnd) else { continue }
      #expect(try block.variablesMayContain(run, ignoringCase: false), "seed \(seed)")
      let lower = part.map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 0x20 : $0 }
      let folded = try #require(LetterRun(lower, isWholeStart: isStart, isWholeEnd: isEnd))
      #expect(try block.variablesMayContain(folded, ignoringCase: true), "seed \(seed)")
    }
  }
}
