/// What a word is made of: how likely it was drawn at random and not written by somebody.
struct Makeup {
  private(set) var count = 0
  private(set) var upper = 0
  private(set) var lower = 0
  private(set) var digits = 0
  private(set) var others = 0
  private(set) var blanks = 0
  private(set) var nonHex = 0
  /// Neighbors of different classes: small letter, capital letter, digit.
  private(set) var changes = 0
  private var pairs = 0

  init(_ text: ByteText, _ range: Range<Int>) {
    var previous = 0
    for index in range {
      let byte = text[index]
      let kind: Int
      if byte.isLower {
        lower += 1
        kind = 1
      } else if byte.isUpper {
        upper += 1
        kind = 2
      } else if byte.isDigit {
        digits += 1
        kind = 3
      } else {
        others += 1
        kind = 0
        if byte.isBlank { blanks += 1 }
      }
      if !byte.isHex { nonHex += 1 }
      if kind != 0, previous != 0 {
        pairs += 1
        if kind != previous { changes += 1 }
      }
      previous = kind
      count += 1
    }
  }

  var letters: Int { upper + lower }

  /// Letters and digits, or small and capital ones beyond the first letter of a name.
  var isMixed: Bool { (letters > 0 && digits > 0) || (upper > 0 && lower > 0 && changes > 1) }

  /// Drawn from letters of both cases and digits. Of random neighbors 0.62 differ in class, and of twenty hardly ever
  /// fewer than 0.35; of those in names of code, whose words have about seven letters, 0.28 do.
  var isRandom: Bool { upper >= 2 && lower >= 2 && digits >= 1 && isShuffled }

  /// As random letters and digits follow one another, whether or not there is one of each kind.
  var isShuffled: Bool { changes * 20 >= pairs * 7 }

  /// Digits and the letters a to f of one case.
  var isHex: Bool { nonHex == 0 && digits > 0 && (upper == 0 || lower == 0) }
}
