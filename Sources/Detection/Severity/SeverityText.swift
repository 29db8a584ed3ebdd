/// How serious a message is by its wording alone: what a lexicon says of its words, and whether it means what failures
/// or what routine lines mean.
package struct SeverityText: Sendable {
  /// What a text was found to say.
  package struct Reading: Equatable, Sendable {
    /// 0...`SeverityText.pointsMax`.
    package var points: Double
    /// The words and phrases that count for trouble, the weightiest first.
    package var terms: [String]
    /// The words that count for success.
    package var reassuring: [String]
    /// How much nearer the text is to failures and warnings than to routine lines, a difference of cosines; nil
    /// without vectors.
    package var lean: Double?
  }

  /// The most that wording gives.
  package static let pointsMax = 6.0

  private let embed: (@Sendable (String) -> [Float])?
  private let failures: [[Float]]
  private let warnings: [[Float]]
  private let routine: [[Float]]

  /// - Parameter embed: The unit vector of a text, zeros for one without a known word; nil leaves words alone.
  package init(embed: (@Sendable (String) -> [Float])?) {
    self.embed = embed
    failures = embed.map { SeverityPrototypes.failures.map($0) } ?? []
    warnings = embed.map { SeverityPrototypes.warnings.map($0) } ?? []
    routine = embed.map { SeverityPrototypes.routine.map($0) } ?? []
  }

  package func reading(of text: String) -> Reading {
    reading(of: text, words: IdentifierWords.words(of: text.utf8))
  }

  func reading(of text: String, words: [String]) -> Reading {
    var reading = SeverityText.lexicalReading(words)
    if let lean = lean(of: text) {
      reading.lean = lean
      reading.points += SeverityText.leanWeight * lean
    }
    reading.points = min(SeverityText.pointsMax, max(0, reading.points))
    return reading
  }

  /// Points a whole unit of cosine is worth.
  private static let leanWeight = 4.0

  // MARK: Meaning

  private func lean(of text: String) -> Double? {
    guard let embed else { return nil }
    let vector = embed(text)
    guard vector.contains(where: { $0 != 0 }) else { return 0 }
    let failure = SeverityText.closeness(of: vector, to: failures)
    let warning = SeverityText.closeness(of: vector, to: warnings)
    return max(failure, 0.8 * warning) - SeverityText.closeness(of: vector, to: routine)
  }

  /// The mean of the three highest cosines.
  private static func closeness(of vector: [Float], to prototypes: [[Float]]) -> Double {
    var best: [Double] = []
    for prototype in prototypes {
      var cosine: Float = 0
      for index in 0..<min(vector.count, prototype.count) { cosine += vector[index] * prototype[index] }
      best.append(Double(cosine))
    }
    let top = best.sorted(by: >).prefix(3)
    return top.isEmpty ? 0 : top.reduce(0, +) / Double(top.count)
  }

  // MARK: Words

  /// The weightiest term counts in full, the next by half, and so on: three words for one trouble are one trouble.
  private static func lexicalReading(_ words: [String]) -> Reading {
    var troubles: [(term: String, weight: Double)] = []
    var good = 0.0
    var reassuring: [String] = []
    var index = 0
    while index < words.count {
      if let (phrase, weight) = phrase(in: words, at: index) {
        note(phrase.joined(separator: " "), weight)
        index += phrase.count
        continue
      }
      let word = words[index]
      let next = index + 1 < words.count ? words[index + 1] : ""
      if let weight = SeverityLexicon.weight(of: word) {
        // `no errors`, `no disk errors`; but `no response, failed`.
        let reach = SeverityLexicon.nouns.contains(word) ? 2 : 1
        let isAbsent = words[max(0, index - reach)..<index].contains(where: SeverityLexicon.absences.contains)
        if weight < 0 {
          let isDenied = isAbsent || words[max(0, index - 3)..<index].contains(where: SeverityLexicon.failings.contains)
          if !isDenied {
            good -= weight
            reassuring.append(word)
          }
        } else if isAbsent {
          good += 0.6
          reassuring.append("no \(word)")
        } else if !SeverityLexicon.nothings.contains(next) {
          note(word, SeverityLexicon.dealings.contains(next) ? weight * 0.4 : weight)
        }
      }
      // `not responding as it should`: what did not happen may matter, whatever it was.
      if SeverityLexicon.absences.contains(word), !next.isEmpty, SeverityLexicon.weight(of: next) ?? 0 <= 0 {
        note("\(word) \(next)", SeverityLexicon.weight(ofAbsence: word, of: next))
      }
      index += 1
    }
    func note(_ term: String, _ weight: Double) {
      if weight > 0, !troubles.contains(where: { $0.term == term }) { troubles.append((term, weight)) }
    }
    troubles.sort { $0.weight != $1.weight ? $0.weight > $1.weight : $0.term < $1.term }
    var points = 0.0
    var share = 1.0
    for trouble in troubles {
      points += trouble.weight * share
      share /= 2
    }
    return Reading(
      points: points - min(good, 2), terms: troubles.map(\.term), reassuring: reassuring, lean: nil)
  }

  private static func phrase(in words: [String], at index: Int) -> (words: [String], weight: Double)? {
    SeverityLexicon.phrases[words[index]]?.first { words[index...].starts(with: $0.words) }
  }
}
