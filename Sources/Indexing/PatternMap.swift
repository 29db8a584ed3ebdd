package import Domain

/// Which templates belong to which pattern, as of one moment.
package struct PatternMap: Sendable {
  /// By template number.
  @usableFromInline let patternOfTemplate: [UInt32?]
  /// By pattern number.
  let byNumber: [UInt32: Pattern]

  /// Patterns that ended, each with the one that took its templates over.
  package let mergedInto: [UInt32: UInt32]

  init(patternOfTemplate: [UInt32?], byNumber: [UInt32: Pattern], mergedInto: [UInt32: UInt32] = [:]) {
    self.patternOfTemplate = patternOfTemplate
    self.byNumber = byNumber
    self.mergedInto = mergedInto
  }

  /// No pattern at all.
  package init() { self.init(patternOfTemplate: [], byNumber: [:]) }

  @inlinable
  package func pattern(ofTemplate number: UInt32) -> UInt32? {
    Int(number) < patternOfTemplate.count ? patternOfTemplate[Int(number)] : nil
  }

  /// The pattern that `number` leads to: itself, or what it was merged into.
  package func current(_ number: UInt32) -> UInt32 {
    var number = number
    // No chain is longer than there are links.
    for _ in 0..<mergedInto.count {
      guard let next = mergedInto[number] else { break }
      number = next
    }
    return number
  }

  package func pattern(_ number: UInt32) -> Pattern? { byNumber[number] }

  /// In no order.
  package var patterns: some Collection<Pattern> { byNumber.values }

  package func templates(ofPatterns patterns: NumberSet) -> NumberSet {
    var templates = NumberSet()
    for (template, pattern) in patternOfTemplate.enumerated() {
      if let pattern, patterns.contains(pattern) { templates.insert(UInt32(template)) }
    }
    return templates
  }
}

/// A pattern found by a text.
package struct NearPattern: Sendable {
  package var pattern: UInt32
  /// 0...1, of the best one.
  package var score: Float
  /// Whether words of the text, or words spelled alike, stand in the pattern.
  package var sharesWords: Bool
}
