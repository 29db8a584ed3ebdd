/// Signatures of one shape, divided into patterns.
///
/// A node is divided on the position with the fewest distinct fillers among those that look constant; where none is
/// left, what still varies is a wildcard, and the node is a pattern. The division depends on the signatures and their
/// order only. A new signature walks down from the root; where it changes a node's division, the node is divided anew,
/// and nowhere else.
struct PatternTree: Sendable {
  /// Tokens as numbers of `PatternVocabulary`, in the order in which signatures came.
  private(set) var signatures: [[Int32]] = []
  private(set) var nodes: [Node] = []
  private var free: [Int] = []

  struct Node: Sendable {
    /// Indices into the tree's signatures.
    var members: [Int] = []
    var fillers: [Fillers] = []
    /// The position whose filler tells the children apart; -1 for a pattern.
    var position = -1
    var children: [Int32: Int] = [:]
    /// Of a pattern: its number, 0 while it has none.
    var pattern: UInt32 = 0
  }

  /// The distinct tokens in one position.
  struct Fillers: Sendable {
    private(set) var distinct: Set<Int32> = []
    private(set) var capitalCount = 0
    private(set) var dictionaryCount = 0
    private(set) var markCount = 0
    private(set) var areBooleans = true

    var hasWildcard: Bool { distinct.contains(PatternVocabulary.wildcard) }
    /// Distinct tokens, wildcards not among them.
    var count: Int { distinct.count - (hasWildcard ? 1 : 0) }

    mutating func insert(_ token: Int32, _ vocabulary: PatternVocabulary) {
      guard distinct.insert(token).inserted, token != PatternVocabulary.wildcard else { return }
      let traits = vocabulary.traits(of: token)
      if traits.contains(.capitals) { capitalCount += 1 }
      if traits.contains(.dictionary) { dictionaryCount += 1 }
      if traits.contains(.mark) { markCount += 1 }
      if !traits.contains(.boolean) { areBooleans = false }
    }
  }

  /// Adds a signature of this tree's shape.
  ///
  /// - Returns: The nodes that are patterns and may have changed: one, or all under a node that was divided anew.
  mutating func insert(_ signature: [Int32], _ vocabulary: PatternVocabulary) -> [Int] {
    let index = signatures.count
    signatures.append(signature)
    if nodes.isEmpty { nodes.append(Node()) }
    var node = 0
    while true {
      add(index, to: node, vocabulary)
      let position = division(of: node, vocabulary)
      if position != nodes[node].position {
        var leaves: [Int] = []
        clear(node)
        divide(node, vocabulary, &leaves)
        return leaves
      }
      if position < 0 { return [node] }
      let token = signature[position]
      if let child = nodes[node].children[token] {
        node = child
      } else {
        let child = make()
        nodes[node].children[token] = child
        node = child
      }
    }
  }

  mutating func setPattern(_ pattern: UInt32, of leaf: Int) { nodes[leaf].pattern = pattern }

  private mutating func add(_ index: Int, to node: Int, _ vocabulary: PatternVocabulary) {
    let signature = signatures[index]
    if nodes[node].fillers.isEmpty { nodes[node].fillers = Array(repeating: Fillers(), count: signature.count) }
    nodes[node].members.append(index)
    for (position, token) in signature.enumerated() { nodes[node].fillers[position].insert(token, vocabulary) }
  }

  private mutating func make() -> Int {
    if let node = free.popLast() { return node }
    nodes.append(Node())
    return nodes.count - 1
  }

  /// Gives the nodes below `node` back.
  private mutating func clear(_ node: Int) {
    for child in nodes[node].children.values {
      clear(child)
      nodes[child] = Node()
      free.append(child)
    }
    nodes[node].children = [:]
    nodes[node].pattern = 0
  }

  private mutating func divide(_ node: Int, _ vocabulary: PatternVocabulary, _ leaves: inout [Int]) {
    let position = division(of: node, vocabulary)
    nodes[node].position = position
    guard position >= 0 else {
      leaves.append(node)
      return
    }
    var order: [Int] = []
    for index in nodes[node].members {
      let token = signatures[index][position]
      let child: Int
      if let known = nodes[node].children[token] {
        child = known
      } else {
        child = make()
        nodes[node].children[token] = child
        order.append(child)
      }
      add(index, to: child, vocabulary)
    }
    for child in order { divide(child, vocabulary, &leaves) }
  }

  /// The position that `node` is divided on, -1 for none.
  private func division(of node: Int, _ vocabulary: PatternVocabulary) -> Int {
    let fillers = nodes[node].fillers
    guard nodes[node].members.count > 1 else { return -1 }
    let model = signatures[nodes[node].members[0]]
    let opening = model.firstIndex { vocabulary.traits(of: $0).contains(.word) } ?? 0
    var best = -1
    var bestVarying = -1
    let sharedWordCount = fillers.indices.count { position in
      fillers[position].distinct.count == 1 && vocabulary.traits(of: model[position]).contains(.word)
    }
    for position in fillers.indices {
      let distinct = fillers[position].distinct.count
      if distinct == 1 { continue }
      if bestVarying < 0 || distinct < fillers[bestVarying].distinct.count { bestVarying = position }
      if isVariable(position, opening, model, fillers[position], sharedWordCount, vocabulary) { continue }
      if best < 0 || distinct < fillers[best].distinct.count { best = position }
    }
    if best >= 0 { return best }
    // At least one shared word holds a pattern together.
    return sharedWordCount > 0 ? -1 : bestVarying
  }

  /// Distinct fillers that make a position a variable. Found on labelled logs; words of the language stay apart longer
  /// than other names, states in capitals longest.
  private enum Limit {
    static let capitals = 12
    /// Among many shared words, where a state would not be all that differs.
    static let capitalsInLongLine = 6
    static let longLineWords = 8
    static let words = 6
    static let names = 3
    /// After a word such as `user`.
    static let afterOwner = 3
    /// After `=`.
    static let value = 2
    /// After `=` or in parentheses, where a wildcard was seen too.
    static let besideWildcard = 1
  }

  private func isVariable(
    _ position: Int, _ opening: Int, _ model: [Int32], _ fillers: Fillers, _ sharedWordCount: Int,
    _ vocabulary: PatternVocabulary
  ) -> Bool {
    let count = fillers.count
    if count == 0 { return true }
    // Punctuation and the opening word are structure.
    if fillers.markCount > 0 || position == opening { return false }

    let before = position > 0 ? vocabulary.traits(of: model[position - 1]) : []
    if fillers.hasWildcard, before.contains(.equals) || before.contains(.parenthesis) {
      return count >= Limit.besideWildcard
    }
    if before.contains(.equals), !fillers.areBooleans { return count >= Limit.value }

    let limit: Int
    if fillers.capitalCount * 10 >= count * 7 {
      limit = sharedWordCount >= Limit.longLineWords ? Limit.capitalsInLongLine : Limit.capitals
    } else {
      limit = fillers.dictionaryCount * 10 >= count * 6 ? Limit.words : Limit.names
    }
    let owner = before.contains(.opener) && position > 1 ? vocabulary.traits(of: model[position - 2]) : before
    return count >= (owner.contains(.owner) ? min(limit, Limit.afterOwner) : limit)
  }
}

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

  private var numbers: [[UInt8]: Int32] = [:]
  private var traits: [UInt16] = [0]
  private let isDictionaryWord: @Sendable ([UInt8]) -> Bool

  init(isDictionaryWord: (@Sendable ([UInt8]) -> Bool)?) {
    if let isDictionaryWord {
      self.isDictionaryWord = isDictionaryWord
    } else {
      self.isDictionaryWord = PatternVocabulary.looksLikeWord
    }
  }

  func traits(of token: Int32) -> Traits { Traits(rawValue: traits[Int(token)]) }

  mutating func number(of text: [UInt8]) -> Int32 {
    if text.isEmpty { return PatternVocabulary.wildcard }
    if let number = numbers[text] { return number }
    let number = Int32(truncatingIfNeeded: traits.count)
    numbers[text] = number
    traits.append(describe(text).rawValue)
    return number
  }

  private func describe(_ text: [UInt8]) -> Traits {
    guard PatternSignature.isWordByte(UInt16(text[0])) else {
      switch text[0] {
      case 0x3D: return [.mark, .equals, .opener]
      case 0x28: return [.mark, .opener, .parenthesis]
      case 0x3A, 0x5B, 0x22, 0x27: return [.mark, .opener]
      default: return .mark
      }
    }
    var result: Traits = .word
    let lower = text.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
    let letters = text.filter { PatternSignature.isLetter(UInt16($0)) }
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
    "command",
    "service", "package", "module", "device", "interface", "container", "pod", "node", "namespace", "image", "server",
    "client",
    "peer", "database", "table", "topic", "queue", "thread",
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
