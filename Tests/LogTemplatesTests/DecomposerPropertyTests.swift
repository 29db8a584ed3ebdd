import Domain
import LogTemplates
import Testing

/// What holds for any bytes. A failure prints the seed that makes the message.
@Suite struct DecomposerPropertyTests {
  private static let seeds = Array(UInt64(1)...8)
  private static let messagesPerSeed = 1500

  @Test(arguments: seeds) func `template and variables give the message back`(seed: UInt64) {
    forEachMessage(seed) { message, template, variables in
      composed(template, variables) == message && template.slots.count == variables.count
    }
  }

  @Test(arguments: seeds) func `no word straddles the edge of a slot`(seed: UInt64) {
    forEachMessage(seed) { message, template, variables in
      let edges = pieces(template, variables).map(\.range).flatMap { [$0.lowerBound, $0.upperBound] }
      return message.withUnsafeBufferPointer { bytes in
        edges.allSatisfy { !WordTokenizer.isWord(bytes, before: $0) || !WordTokenizer.isWord(bytes, at: $0) }
      }
    }
  }

  @Test(arguments: seeds) func `a word with a digit is never literal`(seed: UInt64) {
    forEachMessage(seed) { _, template, _ in
      template.literals.allSatisfy { WordTokenizer.words(of: $0).allSatisfy { !$0.contains(where: isDigit) } }
    }
  }

  @Test(arguments: seeds) func `a slot holds only words that its kind may hold`(seed: UInt64) {
    forEachMessage(seed) { _, template, variables in
      zip(template.slots, variables).allSatisfy { kind, value in
        WordTokenizer.words(of: value).allSatisfy { kind.mayHold(word: $0) }
      }
    }
  }

  @Test(arguments: seeds) func `literals are UTF-8 and no variable is empty`(seed: UInt64) {
    forEachMessage(seed) { _, template, variables in
      template.literals.allSatisfy { String(validating: $0, as: UTF8.self) != nil }
        && variables.allSatisfy { !$0.isEmpty }
    }
  }

  @Test(arguments: seeds) func `equal messages have equal templates wherever they lie`(seed: UInt64) {
    forEachMessage(seed) { message, template, _ in
      var text: [UInt8] = [7]
      var spans: [ByteSpan] = []
      let padded = Array("1/\"x".utf8) + message + Array("2/\"y".utf8)
      padded.withUnsafeBufferPointer {
        Decomposer().decompose(
          UnsafeBufferPointer(rebasing: $0[4..<4 + message.count]), template: &text, variables: &spans)
      }
      return Array(text.dropFirst()) == template.text
    }
  }

  /// The places of the variables in their message.
  private func pieces(_ template: Template, _ variables: [[UInt8]]) -> [(kind: SlotKind, range: Range<Int>)] {
    var result: [(SlotKind, Range<Int>)] = []
    var offset = 0
    for (index, kind) in template.slots.enumerated() {
      offset += template.literals[index].count
      result.append((kind, offset..<offset + variables[index].count))
      offset += variables[index].count
    }
    return result
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  /// Checks `holds` for each message of a seed, and reports the first it does not hold for.
  private func forEachMessage(_ seed: UInt64, holds: ([UInt8], Template, [[UInt8]]) -> Bool) {
    var messages = MessageGenerator(seed: seed)
    for index in 0..<DecomposerPropertyTests.messagesPerSeed {
      let message = messages.next()
      let (template, variables) = Decomposer().decompose(message)
      guard !holds(message, template, variables) else { continue }
      Issue.record("seed \(seed), message \(index): \(message) gave \(template.description)")
      return
    }
  }
}
