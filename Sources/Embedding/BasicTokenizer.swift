/// The first half of BERT's uncased tokenizer: lower case, accents stripped, split at white space; a punctuation mark
/// or a CJK character is a word of its own.
///
/// Accents are stripped from Latin, Greek and Cyrillic letters up to U+1EFF, two of them from one letter at most;
/// other scripts, of which the vocabulary holds little, keep what is composed into their letters. Hangul syllables
/// are not taken apart, so Korean has no pieces.
enum BasicTokenizer {
  /// Calls `body` with each word of `text`, in order.
  static func forEachWord(in text: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
    var words: [UInt8] = []
    words.reserveCapacity(text.count)
    var start = 0
    func endWord() {
      if start < words.count { body(words[start...]) }
      start = words.count
    }
    text.withUnsafeBufferPointer { text in
      var index = 0
      while index < text.count {
        let (scalar, length) = UTF8Scalar.decode(text, at: index)
        index += length
        guard let scalar else {
          endWord()
          continue
        }
        switch Role(of: scalar) {
        case .space: endWord()
        case .nothing: break
        case .alone:
          endWord()
          words += Array(String(scalar).utf8)
          endWord()
        case .letter:
          if scalar.isASCII {
            let byte = UInt8(scalar.value)
            words.append(("A"..."Z").contains(scalar) ? byte | 0x20 : byte)
          } else {
            for lower in scalar.properties.lowercaseMapping.unicodeScalars {
              AccentTable.forEachBase(of: lower) { words += Array(String($0).utf8) }
            }
          }
        }
      }
      endWord()
    }
  }

  private enum Role {
    case space
    /// Control characters and combining marks.
    case nothing
    case alone
    case letter

    init(of scalar: Unicode.Scalar) {
      switch scalar.value {
      case 0x09, 0x0A, 0x0D, 0x20: self = .space
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: self = .letter
      case 0x21...0x7E: self = .alone
      case 0x00...0x7F: self = .nothing
      case 0xFFFD: self = .nothing
      case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2CEAF, 0x2F800...0x2FA1F:
        self = .alone
      default:
        switch scalar.properties.generalCategory {
        case .spaceSeparator: self = .space
        case .control, .format, .privateUse, .surrogate, .unassigned, .nonspacingMark: self = .nothing
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
          .finalPunctuation, .otherPunctuation:
          self = .alone
        default: self = .letter
        }
      }
    }
  }
}

/// Letters without their accents.
enum AccentTable {
  private static let composedLetters: Range<UInt32> = 0xC0..<0x1F00
  private static let combiningMarks: ClosedRange<UInt32> = 0x300...0x345
  /// a–z, α–ω, а–я and the letters after it.
  private static let roots: [ClosedRange<UInt32>] = [0x61...0x7A, 0x3B1...0x3C9, 0x430...0x45F]

  /// Calls `body` with what is left of `scalar` when combining marks are taken off its canonical decomposition.
  static func forEachBase(of scalar: Unicode.Scalar, _ body: (Unicode.Scalar) -> Void) {
    body(composedLetters.contains(scalar.value) ? bases[scalar] ?? scalar : scalar)
  }

  /// Composed letter to base letter. The standard library compares strings by canonical equivalence, so a composed
  /// letter is found by what it equals: a base and one mark, then that and another (ệ is ẹ and a circumflex).
  private static let bases: [Unicode.Scalar: Unicode.Scalar] = {
    var composed: [String: Unicode.Scalar] = [:]
    for value in composedLetters {
      guard let scalar = Unicode.Scalar(value), scalar.properties.isLowercase else { continue }
      composed[String(scalar)] = scalar
    }
    var bases: [Unicode.Scalar: Unicode.Scalar] = [:]
    var layer = roots.joined().compactMap { Unicode.Scalar($0) }.map { (letter: $0, root: $0) }
    for _ in 0..<2 {
      var next: [(letter: Unicode.Scalar, root: Unicode.Scalar)] = []
      for (letter, root) in layer {
        for mark in combiningMarks {
          guard let mark = Unicode.Scalar(mark) else { continue }
          var pair = String.UnicodeScalarView()
          pair.append(letter)
          pair.append(mark)
          if let scalar = composed[String(pair)], bases[scalar] == nil {
            bases[scalar] = root
            next.append((scalar, root))
          }
        }
      }
      layer = next
    }
    return bases
  }()
}
