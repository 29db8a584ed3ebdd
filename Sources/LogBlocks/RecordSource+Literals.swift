package import Domain

extension RecordSource {
  /// Whether a message of the template may hold `literal` anywhere, by the template's text and what bytes its slots'
  /// values are made of. False only if none does. No variable is read.
  ///
  /// The template is walked as a pattern: literal bytes as they are, a slot as any number of bytes of its classes; the
  /// question is whether `literal` is a part of something that the pattern makes.
  ///
  /// - Complexity: At most `literal.count` times the length of the template's text.
  package func messagesMayContain(
    _ literal: [UInt8], ofTemplate number: UInt32, template: Template
  ) throws -> Bool {
    let text = template.text
    // One step a literal byte or slot.
    var steps: [Step] = []
    steps.reserveCapacity(text.count)
    var slot = 0
    var index = 0
    while index < text.count {
      if text[index] == Template.slotMarker, index + 1 < text.count {
        steps.append(.slot(try characterClasses(ofTemplate: number, slot: slot).rawValue))
        slot += 1
        index += 2
      } else {
        steps.append(.byte(text[index]))
        index += 1
      }
    }
    // `isAt[i]`: what has been read of the literal may end just before step i, or inside it where it is a slot.
    var isAt = [Bool](repeating: true, count: steps.count + 1)
    var next = isAt
    for byte in literal {
      let byteClass = CharacterClasses.table[Int(byte)]
      for index in next.indices { next[index] = false }
      var isAlive = false
      for (index, step) in steps.enumerated() {
        guard isAt[index] else { continue }
        switch step {
        case .byte(let own):
          if own == byte {
            next[index + 1] = true
            isAlive = true
          }
        case .slot(let classes):
          // A slot may hold nothing: whoever is before it is also behind it.
          isAt[index + 1] = true
          if classes & byteClass != 0 {
            next[index] = true
            isAlive = true
          }
        }
      }
      guard isAlive else { return false }
      swap(&isAt, &next)
    }
    return true
  }
}

private enum Step {
  case byte(UInt8)
  /// Its values' character classes.
  case slot(UInt8)
}
