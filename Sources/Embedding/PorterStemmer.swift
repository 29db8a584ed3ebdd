/// Porter's algorithm (1980) for suffixes of English words: `connections` and `connected` are both `connect`.
package enum PorterStemmer {
  /// The stem of a word of a–z; other words come back as they are.
  package static func stem(_ word: [UInt8]) -> [UInt8] {
    guard word.count > 2, word.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }) else { return word }
    var stem = StemmedWord(word)
    stem.removePlural()
    stem.removePastAndGerund()
    stem.turnY()
    stem.replaceFirst(of: StemmedWord.doubleSuffixes)
    stem.replaceFirst(of: StemmedWord.adjectiveSuffixes)
    stem.removeLastSuffix()
    stem.tidy()
    return stem.letters
  }
}

private struct StemmedWord {
  var letters: [UInt8]

  init(_ letters: [UInt8]) { self.letters = letters }

  private static func ascii(_ text: StaticString) -> [UInt8] { text.withUTF8Buffer { Array($0) } }

  private static func pairs(_ pairs: [(StaticString, StaticString)]) -> [(suffix: [UInt8], replacement: [UInt8])] {
    pairs.map { (ascii($0.0), ascii($0.1)) }
  }

  // Steps 2, 3 and 4 of the paper; in each, the longest suffix that fits decides.
  static let doubleSuffixes = pairs([
    ("ational", "ate"), ("ization", "ize"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"),
    ("tional", "tion"), ("biliti", "ble"), ("entli", "ent"), ("ousli", "ous"), ("ation", "ate"), ("alism", "al"),
    ("aliti", "al"), ("iviti", "ive"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("abli", "able"),
    ("alli", "al"), ("ator", "ate"), ("eli", "e"),
  ])
  static let adjectiveSuffixes = pairs([
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ness", ""), ("ful", ""),
  ])
  private static let lastSuffixes: [[UInt8]] = [
    "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ion", "ism", "ate", "iti", "ous", "ive", "ize",
    "al", "er", "ic", "ou",
  ].map(ascii)

  private func isConsonant(_ index: Int) -> Bool {
    switch letters[index] {
    case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"): false
    case UInt8(ascii: "y"): index == 0 || !isConsonant(index - 1)
    default: true
    }
  }

  /// The paper's m: how often a vowel is followed by a consonant in the first `count` letters.
  private func measure(_ count: Int) -> Int {
    var measure = 0
    var wasVowel = false
    for index in 0..<count {
      let isConsonant = isConsonant(index)
      if isConsonant, wasVowel { measure += 1 }
      wasVowel = !isConsonant
    }
    return measure
  }

  private func hasVowel(_ count: Int) -> Bool { (0..<count).contains { !isConsonant($0) } }

  private func endsWithDoubleConsonant() -> Bool {
    let count = letters.count
    return count >= 2 && letters[count - 1] == letters[count - 2] && isConsonant(count - 1)
  }

  /// The paper's *o: consonant, vowel, consonant other than w, x and y.
  private func endsLikeHop(_ count: Int) -> Bool {
    guard count >= 3, isConsonant(count - 1), !isConsonant(count - 2), isConsonant(count - 3) else { return false }
    return ![UInt8(ascii: "w"), UInt8(ascii: "x"), UInt8(ascii: "y")].contains(letters[count - 1])
  }

  private func ends(with suffix: [UInt8]) -> Bool {
    letters.count >= suffix.count && letters.suffix(suffix.count).elementsEqual(suffix)
  }

  private func ends(_ suffix: StaticString) -> Bool { suffix.withUTF8Buffer { ends(with: Array($0)) } }

  /// Step 1a.
  mutating func removePlural() {
    if ends("sses") || ends("ies") {
      letters.removeLast(2)
    } else if ends("s"), !ends("ss") {
      letters.removeLast()
    }
  }

  /// Step 1b.
  mutating func removePastAndGerund() {
    if ends("eed") {
      if measure(letters.count - 3) > 0 { letters.removeLast() }
      return
    }
    if ends("ed"), hasVowel(letters.count - 2) {
      letters.removeLast(2)
    } else if ends("ing"), hasVowel(letters.count - 3) {
      letters.removeLast(3)
    } else {
      return
    }
    if ends("at") || ends("bl") || ends("iz") {
      letters.append(UInt8(ascii: "e"))
    } else if endsWithDoubleConsonant(), !ends("l"), !ends("s"), !ends("z") {
      letters.removeLast()
    } else if measure(letters.count) == 1, endsLikeHop(letters.count) {
      letters.append(UInt8(ascii: "e"))
    }
  }

  /// Step 1c.
  mutating func turnY() {
    if ends("y"), hasVowel(letters.count - 1) { letters[letters.count - 1] = UInt8(ascii: "i") }
  }

  /// Steps 2 and 3.
  mutating func replaceFirst(of rules: [(suffix: [UInt8], replacement: [UInt8])]) {
    guard let rule = rules.first(where: { ends(with: $0.suffix) }) else { return }
    if measure(letters.count - rule.suffix.count) > 0 {
      letters.removeLast(rule.suffix.count)
      letters += rule.replacement
    }
  }

  /// Step 4.
  mutating func removeLastSuffix() {
    guard let suffix = StemmedWord.lastSuffixes.first(where: { ends(with: $0) }) else { return }
    let count = letters.count - suffix.count
    guard measure(count) > 1 else { return }
    if suffix.elementsEqual("ion".utf8) {
      guard count > 0, [UInt8(ascii: "s"), UInt8(ascii: "t")].contains(letters[count - 1]) else { return }
    }
    letters.removeLast(suffix.count)
  }

  /// Step 5.
  mutating func tidy() {
    if ends("e") {
      let measure = measure(letters.count - 1)
      if measure > 1 || measure == 1 && !endsLikeHop(letters.count - 1) { letters.removeLast() }
    }
    if ends("ll"), measure(letters.count) > 1 { letters.removeLast() }
  }
}
