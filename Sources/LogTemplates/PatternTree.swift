/// Signatures of one shape, divided into patterns.
///
/// A node is divided on the position with the fewest distinct fillers among those that look constant; where none is
/// left, what still varies is a wildcard, and the node is a pattern. The division depends on the signatures and their
/// order only. A new signature walks down from the root; where it changes a node's division, the node is divided anew,
/// and nowhere else.
struct PatternTree: Sendable {
  /// Tokens of each signature.
  let width: Int
  /// Tokens as numbers of `PatternVocabulary`, signature after signature in the order in which they came.
  private(set) var tokens: [Int32] = []
  /// How each token is shown.
  private(set) var pieces: [Piece] = []
  private(set) var nodes: [Node] = []
  private var free: [Int32] = []

  /// How a token is shown: numbers of texts, variables in them without and with what they hold; -1 where there is no
  /// one text for all.
  struct Piece: Sendable {
    var plain: Int32
    var named: Int32
    /// Whether a space stands before it.
    var hasLead: Bool
    /// What a wildcard holds.
    var mask: SignatureReader.Mask

    func isSame(as other: Piece) -> Bool { plain == other.plain && named == other.named && mask == other.mask }

    func joined(with other: Piece) -> Piece {
      Piece(
        plain: plain == other.plain ? plain : -1, named: named == other.named ? named : -1, hasLead: hasLead,
        mask: mask == other.mask ? mask : .any)
    }
  }

  struct Node: Sendable {
    /// Indices of signatures.
    var members: [Int32] = []
    /// Empty while there is but one member: most patterns never have another.
    var fillers: [Fillers] = []
    /// The position whose filler tells the children apart; -1 for a pattern.
    var position: Int32 = -1
    var children: [Int32: Int32] = [:]
    /// Of a pattern: its number, 0 while it has none.
    var pattern: UInt32 = 0
  }

  /// The distinct tokens in one position.
  struct Fillers: Sendable {
    private(set) var first: Int32
    /// All, if there are several.
    private var others: Set<Int32> = []
    private(set) var capitalCount: Int32 = 0
    private(set) var dictionaryCount: Int32 = 0
    private(set) var markCount: Int32 = 0
    private(set) var areBooleans = true
    private(set) var hasWildcard = false
    var piece: Piece

    init(_ token: Int32, _ piece: Piece, _ vocabulary: PatternVocabulary) {
      first = token
      self.piece = piece
      describe(token, vocabulary)
    }

    var isShared: Bool { others.isEmpty }
    var distinctCount: Int { others.isEmpty ? 1 : others.count }
    /// Distinct tokens, wildcards not among them.
    var count: Int { distinctCount - (hasWildcard ? 1 : 0) }

    mutating func insert(_ token: Int32, _ piece: Piece, _ vocabulary: PatternVocabulary) {
      if !piece.isSame(as: self.piece) { self.piece = self.piece.joined(with: piece) }
      if others.isEmpty {
        if token == first { return }
        others = [first, token]
      } else if !others.insert(token).inserted {
        return
      }
      describe(token, vocabulary)
    }

    private mutating func describe(_ token: Int32, _ vocabulary: PatternVocabulary) {
      guard token != PatternVocabulary.wildcard else {
        hasWildcard = true
        return
      }
      let traits = vocabulary.traits(of: token)
      if traits.contains(.capitals) { capitalCount += 1 }
      if traits.contains(.dictionary) { dictionaryCount += 1 }
      if traits.contains(.mark) { markCount += 1 }
      if !traits.contains(.boolean) { areBooleans = false }
    }
  }

  init(width: Int) { self.width = width }

  /// Signatures; of no tokens there is but one.
  var count: Int { width == 0 ? 1 : tokens.count / width }

  func signature(_ index: Int) -> ArraySlice<Int32> { tokens[index * width..<(index + 1) * width] }
  func pieces(_ index: Int) -> ArraySlice<Piece> { pieces[index * width..<(index + 1) * width] }

  /// Adds a signature of this tree's shape.
  ///
  /// - Returns: The nodes that are patterns and may have changed: one, or all under a node that was divided anew.
  mutating func insert(_ signature: [Int32], _ pieces: [Piece], _ vocabulary: PatternVocabulary) -> [Int] {
    let index = Int32(truncatingIfNeeded: width == 0 ? 0 : tokens.count / width)
    append(signature, pieces)
    if nodes.isEmpty { nodes.append(Node()) }
    var node = 0
    while true {
      add(index, to: node, vocabulary)
      let position = division(of: node, vocabulary)
      if position != Int(nodes[node].position) {
        var leaves: [Int] = []
        clear(node)
        divide(node, vocabulary, &leaves)
        return leaves
      }
      if position < 0 { return [node] }
      node = child(of: node, for: signature[position]).node
    }
  }

  /// Adds a signature without dividing; `divideAll` follows.
  mutating func append(_ signature: some Collection<Int32>, _ pieces: some Collection<Piece>) {
    tokens += signature
    self.pieces += pieces
  }

  /// Divides all signatures at once, as if they had been inserted one by one.
  ///
  /// - Returns: The patterns.
  mutating func divideAll(_ vocabulary: PatternVocabulary) -> [Int] {
    nodes = [Node()]
    free = []
    for index in 0..<count { add(Int32(truncatingIfNeeded: index), to: 0, vocabulary) }
    var leaves: [Int] = []
    divide(0, vocabulary, &leaves)
    return leaves
  }

  /// The pattern that the signature `index` belongs to.
  func leaf(of index: Int) -> Int {
    var node = 0
    while nodes[node].position >= 0 {
      node = Int(nodes[node].children[tokens[index * width + Int(nodes[node].position)]] ?? 0)
    }
    return node
  }

  /// The pattern that a signature not yet seen would join without a word of it being new there; nil if there is none.
  func leaf(fitting signature: [Int32]) -> Int? {
    guard !nodes.isEmpty else { return nil }
    var node = 0
    while nodes[node].position >= 0 {
      guard let child = nodes[node].children[signature[Int(nodes[node].position)]] else { return nil }
      node = Int(child)
    }
    for (position, token) in signature.enumerated() {
      let isShared = nodes[node].fillers.isEmpty || nodes[node].fillers[position].isShared
      if isShared, tokens[Int(nodes[node].members[0]) * width + position] != token { return nil }
    }
    return node
  }

  /// Takes in the pieces of another template of the signature `index`.
  ///
  /// - Returns: Whether any differ from those before.
  mutating func join(_ other: [Piece], into index: Int) -> Bool {
    var changed = false
    for position in 0..<width {
      let joined = pieces[index * width + position].joined(with: other[position])
      if !joined.isSame(as: pieces[index * width + position]) {
        pieces[index * width + position] = joined
        changed = true
      }
    }
    guard changed else { return false }
    let leaf = leaf(of: index)
    guard !nodes[leaf].fillers.isEmpty else { return true }
    changed = false
    for position in 0..<width {
      let piece = nodes[leaf].fillers[position].piece
      let joined = piece.joined(with: pieces[index * width + position])
      if !joined.isSame(as: piece) {
        nodes[leaf].fillers[position].piece = joined
        changed = true
      }
    }
    return changed
  }

  mutating func setPattern(_ pattern: UInt32, of leaf: Int) { nodes[leaf].pattern = pattern }

  private mutating func add(_ index: Int32, to node: Int, _ vocabulary: PatternVocabulary) {
    nodes[node].members.append(index)
    guard nodes[node].members.count > 1 else { return }
    if nodes[node].fillers.isEmpty {
      let first = Int(nodes[node].members[0]) * width
      nodes[node].fillers = (0..<width).map { Fillers(tokens[first + $0], pieces[first + $0], vocabulary) }
    }
    let start = Int(index) * width
    for position in 0..<width {
      nodes[node].fillers[position].insert(tokens[start + position], pieces[start + position], vocabulary)
    }
  }

  private mutating func child(of node: Int, for token: Int32) -> (node: Int, isNew: Bool) {
    if let known = nodes[node].children[token] { return (Int(known), false) }
    let child: Int
    if let again = free.popLast() {
      child = Int(again)
    } else {
      child = nodes.count
      nodes.append(Node())
    }
    nodes[node].children[token] = Int32(truncatingIfNeeded: child)
    return (child, true)
  }

  /// Gives the nodes below `node` back.
  private mutating func clear(_ node: Int) {
    for child in nodes[node].children.values {
      clear(Int(child))
      nodes[Int(child)] = Node()
      free.append(child)
    }
    nodes[node].children = [:]
    nodes[node].pattern = 0
  }

  private mutating func divide(_ node: Int, _ vocabulary: PatternVocabulary, _ leaves: inout [Int]) {
    let position = division(of: node, vocabulary)
    nodes[node].position = Int32(truncatingIfNeeded: position)
    guard position >= 0 else {
      leaves.append(node)
      return
    }
    var order: [Int] = []
    for index in nodes[node].members {
      let (child, isNew) = child(of: node, for: tokens[Int(index) * width + position])
      if isNew { order.append(child) }
      add(index, to: child, vocabulary)
    }
    for child in order { divide(child, vocabulary, &leaves) }
  }

  /// The position that `node` is divided on, -1 for none.
  private func division(of node: Int, _ vocabulary: PatternVocabulary) -> Int {
    guard nodes[node].members.count > 1 else { return -1 }
    let model = signature(Int(nodes[node].members[0]))
    let base = model.startIndex
    let fillers = nodes[node].fillers
    var opening = 0
    while opening < width, !vocabulary.traits(of: model[base + opening]).contains(.word) { opening += 1 }
    if opening == width { opening = 0 }
    var best = -1
    var bestVarying = -1
    var sharedWordCount = 0
    for position in 0..<width
    where fillers[position].isShared && vocabulary.traits(of: model[base + position]).contains(.word) {
      sharedWordCount += 1
    }
    for position in 0..<width where !fillers[position].isShared {
      let distinct = fillers[position].distinctCount
      if bestVarying < 0 || distinct < fillers[bestVarying].distinctCount { bestVarying = position }
      if best >= 0, distinct >= fillers[best].distinctCount { continue }
      if isVariable(position, opening, model, fillers[position], sharedWordCount, vocabulary) { continue }
      best = position
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
    _ position: Int, _ opening: Int, _ model: ArraySlice<Int32>, _ fillers: Fillers, _ sharedWordCount: Int,
    _ vocabulary: PatternVocabulary
  ) -> Bool {
    let count = fillers.count
    if count == 0 { return true }
    // Punctuation and the opening word are structure.
    if fillers.markCount > 0 || position == opening { return false }

    let place = model.startIndex + position
    let before = position > 0 ? vocabulary.traits(of: model[place - 1]) : []
    if fillers.hasWildcard, before.contains(.equals) || before.contains(.parenthesis) {
      return count >= Limit.besideWildcard
    }
    if before.contains(.equals), !fillers.areBooleans { return count >= Limit.value }

    let limit: Int
    if Int(fillers.capitalCount) * 10 >= count * 7 {
      limit = sharedWordCount >= Limit.longLineWords ? Limit.capitalsInLongLine : Limit.capitals
    } else {
      limit = Int(fillers.dictionaryCount) * 10 >= count * 6 ? Limit.words : Limit.names
    }
    let owner = before.contains(.opener) && position > 1 ? vocabulary.traits(of: model[place - 2]) : before
    return count >= (owner.contains(.owner) ? min(limit, Limit.afterOwner) : limit)
  }
}
