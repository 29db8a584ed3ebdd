/// The tokens of all signatures, numbered as they come, with what the division asks about them.
struct PatternVocabulary: Sendable {
  static let wildcard: Int32 = 0

  struct Traits: OptionSet {
    let rawValue: UInt16
    static let word = Traits(rawValue: 1)
    static let mark = Traits(rawValue: 2)
    static let capitals = Traits(rawValue: 4)
    static let dictionary = Traits(rawValue: 8)
    static let boolean = Traits(rawValue: 16)
    static let equals = Traits(rawValue: 32)
    /// `=`, `:`, `(`, `[` or a quote: what stands before it says what stands after.
    static let opener = Traits(rawValue: 64)
    /// A word that a name follows, such as `user`.
    static let owner = Traits(rawValue: 128)
    /// `(`: what stands in it is an argument.
    static let parenthesis = Traits(rawValue: 256)
  }

  /// The empty text, which stands for a wildcard, is the first.
  private(set) var texts = ByteTable()
  private var traits: [UInt16] = []
  private let isDictionaryWord: @Sendable ([UInt8]) -> Bool

  init(isDictionaryWord: (@Sendable ([UInt8]) -> Bool)?) {
    if let isDictionaryWord {
      self.isDictionaryWord = isDictionaryWord
    } else {
      self.isDictionaryWord = PatternVocabulary.looksLikeWord
    }
    _ = number(of: UnsafeBufferPointer(start: nil, count: 0))
  }

  func traits(of token: Int32) -> Traits { Traits(rawValue: traits[Int(token)]) }

  func text(of token: Int32) -> ArraySlice<UInt8> { texts[Int(token)] }

  mutating func number(of text: UnsafeBufferPointer<UInt8>) -> Int32 {
    let (number, isNew) = texts.insert(text)
    if isNew { traits.append(text.isEmpty ? 0 : describe(Array(text)).rawValue) }
    return Int32(truncatingIfNeeded: number)
  }

  private func describe(_ text: [UInt8]) -> Traits {
    guard SignatureReader.isWordByte(SignatureReader.Unit(text[0])) else {
      switch text[0] {
      case 0x3D: return [.mark, .equals, .opener]
      case 0x28: return [.mark, .opener, .parenthesis]
      case 0x3A, 0x5B, 0x22, 0x27: return [.mark, .opener]
      default: return .mark
      }
    }
    var result: Traits = .word
    let lower = text.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
    let letters = text.filter { SignatureReader.isLetter(SignatureReader.Unit($0)) }
    if text.count > 1, !letters.isEmpty, letters.allSatisfy({ $0 & 0x20 == 0 }), !text.contains(where: { $0 >= 0x80 }) {
      result.insert(.capitals)
    }
    if letters.count == text.count, isDictionaryWord(lower) { result.insert(.dictionary) }
    let name = String(decoding: lower, as: UTF8.self)
    if name == "true" || name == "false" { result.insert(.boolean) }
    if PatternVocabulary.owners.contains(name) { result.insert(.owner) }
    return result
  }

  private static let owners: Set<String> = [
    "user", "username", "host", "hostname", "uid", "name", "account", "login", "owner", "by", "process", "program",
    "command", "service", "package", "module", "device", "interface", "container", "pod", "node", "namespace", "image",
    "server", "client", "peer", "database", "table", "topic", "queue", "thread",
  ]

  /// Two to fourteen letters that can be spoken: a vowel, and no four consonants in a row but in long words.
  private static let looksLikeWord: @Sendable ([UInt8]) -> Bool = { word in
    guard word.count >= 2, word.count <= 14 else { return false }
    var vowels = 0
    var run = 0
    var longestRun = 0
    for byte in word {
      switch byte {
      case 0x61, 0x65, 0x69, 0x6F, 0x75, 0x79:
        vowels += 1
        run = 0
      default:
        run += 1
        longestRun = max(longestRun, run)
      }
    }
    return vowels > 0 && longestRun <= 4
  }
}
