internal import CKernels
internal import Domain

// MINER STATE, version 1. Numbers are LEB128 varints; a text is its byte count and its bytes; a list is its count and
// its entries.
//   "TBPM", version 1
//   limits: signatures, patterns, patterns of a source
//   last pattern, overflow pattern
//   list of texts: the vocabulary without its first; list of texts: pieces
//   list of groups: width, list of signatures: for each token its number, plain + 1, named + 1, lead | mask << 1
//   list of entries: group, pattern, pin, list of templates
//   lists: templates that overflowed; (old, new) of merges; (template, pattern) of pins
//   list of living patterns: number, 1 if it has no leaf, eight bytes of the hash of its text
//   list of (pattern, source)
//   frames: lists of hosts and of columns; list of candidates: shape, list of words, list of (number, template)
//   CRC-32C of all before, four bytes, little-endian
// What is in sets and dictionaries is written in ascending order: equal miners have equal states.
extension PatternMiner {
  private static let magic: [UInt8] = [0x54, 0x42, 0x50, 0x4D, 1]

  /// All that the miner knows, as bytes for `init(state:)`: about 100 bytes a template.
  package func exportedState() -> [UInt8] {
    var out = StateWriter(bytes: PatternMiner.magic)
    for limit in [limits.signaturesMax, limits.patternsMax, limits.patternsPerSourceMax] { out.put(limit) }
    out.put(lastPattern)
    out.put(overflowPattern)
    out.put(vocabulary.texts.count - 1)
    for number in 1..<max(vocabulary.texts.count, 1) { out.put(vocabulary.texts[number]) }
    out.put(pieceTexts.count)
    for number in 0..<pieceTexts.count { out.put(pieceTexts[number]) }
    out.put(groups.count)
    for group in groups {
      out.put(group.tree.width)
      out.put(group.entries.count)
      for (token, piece) in zip(group.tree.tokens, group.tree.pieces) {
        out.put(token)
        out.put(piece.plain + 1)
        out.put(piece.named + 1)
        out.put(piece.mask.rawValue << 1 | (piece.hasLead ? 1 : 0))
      }
    }
    out.put(entries.count)
    for entry in entries {
      out.put(entry.group)
      out.put(entry.pattern)
      out.put(entry.pin)
      out.put(entry.templates.count)
      for template in entry.templates { out.put(template) }
    }
    let overflowed = entryOfTemplate.filter { $0.value < 0 }.keys.sorted()
    out.put(overflowed.count)
    for template in overflowed { out.put(template) }
    for pairs in [mergedInto, pinned] { out.put(pairs) }
    out.put(living.count)
    for (pattern, place) in living.sorted(by: { $0.key < $1.key }) {
      out.put(pattern)
      out.put(place.group < 0 ? 1 : 0)
      out.putFixed(place.told, byteCount: 8)
    }
    out.put(sourceOfPattern)
    frames.write(to: &out)
    out.putFixed(UInt64(tl_crc32c(0, out.bytes, out.bytes.count)), byteCount: 4)
    return out.bytes
  }

  /// A miner that goes on where the one that exported `state` was, at a fraction of the cost of inserting its templates
  /// again.
  ///
  /// - Returns: Nil if the bytes are no such state, of another version, or of a miner with other limits.
  package init?(
    state: [UInt8], isDictionaryWord: (@Sendable ([UInt8]) -> Bool)? = nil, limits: Limits = Limits()
  ) {
    self.init(isDictionaryWord: isDictionaryWord, limits: limits)
    guard state.count >= PatternMiner.magic.count + 4, state.starts(with: PatternMiner.magic) else { return nil }
    var input = StateReader(bytes: state, end: state.count - 4, index: PatternMiner.magic.count)
    let checksum = UInt64(tl_crc32c(0, state, state.count - 4))
    var tail = StateReader(bytes: state, end: state.count, index: state.count - 4)
    guard tail.fixed(4) == checksum else { return nil }
    read(&input)
    guard !input.hasFailed, input.index == input.end else { return nil }
  }

  private mutating func read(_ input: inout StateReader) {
    for limit in [limits.signaturesMax, limits.patternsMax, limits.patternsPerSourceMax] {
      input.check(input.int() == limit)
    }
    lastPattern = input.number()
    overflowPattern = input.number()
    input.list { input in
      let text = input.text()
      input.check(text.withUnsafeBufferPointer { vocabulary.number(of: $0) } != 0)
    }
    input.list { input in input.check(pieceTexts.insert(input.text()).isNew) }
    input.list { input in readGroup(&input) }
    input.list { input in readEntry(&input) }
    input.list { input in entryOfTemplate[input.number()] = -1 }
    mergedInto = input.pairs()
    pinned = input.pairs()
    guard !input.hasFailed, groups.allSatisfy({ $0.entries.count == $0.tree.count }), hasNoCircle else {
      return input.check(false)
    }
    input.list { input in
      let pattern = input.number()
      let hasLeaf = input.int() == 0
      living[pattern] = Living(group: hasLeaf ? -2 : -1, leaf: -1, told: input.fixed(8))
    }
    sourceOfPattern = input.pairs()
    for source in sourceOfPattern.values { patternCountOfSource[source, default: 0] += 1 }
    frames.read(&input)
    for group in groups.indices where !input.hasFailed { divide(group) }
    input.check(living.values.allSatisfy { $0.group != -2 })
  }

  /// Every merge must lead to an end.
  private var hasNoCircle: Bool {
    for start in mergedInto.keys {
      var pattern = start
      var steps = 0
      while let next = mergedInto[pattern] {
        pattern = next
        steps += 1
        if steps > mergedInto.count { return false }
      }
    }
    return true
  }

  private mutating func readGroup(_ input: inout StateReader) {
    let width = input.int()
    guard width <= SignatureReader.tokensMax + 1 else { return input.check(false) }
    var tree = PatternTree(width: width)
    let count = input.count(bytesEach: width * 4)
    input.check(width > 0 || count <= 1)
    for _ in 0..<count where !input.hasFailed {
      var signature: [Int32] = []
      var pieces: [PatternTree.Piece] = []
      for _ in 0..<width {
        let token = input.int()
        let plain = input.int() - 1
        let named = input.int() - 1
        let flags = input.int()
        input.check(token < vocabulary.texts.count && max(plain, named) < pieceTexts.count && flags < 256)
        guard !input.hasFailed, let mask = SignatureReader.Mask(rawValue: UInt8(flags >> 1)) else {
          return input.check(false)
        }
        signature.append(Int32(token))
        pieces.append(PatternTree.Piece(plain: Int32(plain), named: Int32(named), hasLead: flags & 1 == 1, mask: mask))
      }
      tree.append(signature, pieces)
    }
    // The group exists for the first of its signatures; a group of empty messages has no tokens.
    guard count > 0, groupOfShape[shape(of: Array(tree.tokens.prefix(width)))] == nil else { return input.check(false) }
    groupOfShape[shape(of: Array(tree.tokens.prefix(width)))] = groups.count
    groups.append(Group(tree: tree))
  }

  private mutating func readEntry(_ input: inout StateReader) {
    let group = input.int()
    guard group < groups.count else { return input.check(false) }
    let member = groups[group].entries.count
    guard member < groups[group].tree.count else { return input.check(false) }
    var entry = Entry(
      group: Int32(group), member: Int32(member), templates: [], pattern: input.number(), pin: input.number())
    let index = Int32(truncatingIfNeeded: entries.count)
    input.list { input in
      let template: UInt32 = input.number()
      entry.templates.append(template)
      entryOfTemplate[template] = index
    }
    groups[group].entries.append(index)
    let isNew = groups[group].tree.signature(member).withUnsafeBytes {
      keys.insert($0.bindMemory(to: UInt8.self)).isNew
    }
    input.check(isNew)
    entries.append(entry)
  }

  private mutating func divide(_ group: Int) {
    for leaf in groups[group].tree.divideAll(vocabulary) {
      let member = Int(groups[group].tree.nodes[leaf].members[0])
      let pattern = entries[Int(groups[group].entries[member])].pattern
      groups[group].tree.setPattern(pattern, of: leaf)
      guard living[pattern]?.group == -2 else { continue }
      living[pattern]!.group = Int32(truncatingIfNeeded: group)
      living[pattern]!.leaf = Int32(truncatingIfNeeded: leaf)
    }
  }
}

extension FrameMemory {
  func write(to out: inout StateWriter) {
    for texts in [hosts, columns] {
      out.put(texts.count)
      for text in texts.sorted(by: { $0.lexicographicallyPrecedes($1) }) { out.put(text[...]) }
    }
    out.put(candidates.count)
    for (shape, candidate) in candidates.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      out.put(shape[...])
      out.put(candidate.nextWords.count)
      for word in candidate.nextWords.sorted(by: { $0.lexicographicallyPrecedes($1) }) { out.put(word[...]) }
      out.put(candidate.templates.count)
      for (number, template) in candidate.templates {
        out.put(number)
        out.put(template.text[...])
      }
    }
  }

  mutating func read(_ input: inout StateReader) {
    input.list { input in hosts.insert(input.text()) }
    input.list { input in columns.insert(input.text()) }
    input.list { input in
      let shape = input.text()
      var candidate = Candidate()
      input.list { input in candidate.nextWords.insert(input.text()) }
      input.list { input in
        let number: UInt32 = input.number()
        candidate.templates.append((number, Template(text: input.text())))
      }
      candidates[shape] = candidate
    }
  }
}

/// Writes the numbers and texts of a state.
struct StateWriter {
  private(set) var bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func put(_ number: some BinaryInteger) {
    var rest = UInt64(truncatingIfNeeded: number)
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func put(_ text: ArraySlice<UInt8>) {
    put(text.count)
    bytes += text
  }

  mutating func put(_ pairs: [UInt32: UInt32]) {
    put(pairs.count)
    for (key, value) in pairs.sorted(by: { $0.key < $1.key }) {
      put(key)
      put(value)
    }
  }

  mutating func putFixed(_ number: UInt64, byteCount: Int) {
    for place in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * place))) }
  }
}

/// Reads them again. After a failure all is zero and empty.
struct StateReader {
  private let bytes: [UInt8]
  let end: Int
  private(set) var index: Int
  private(set) var hasFailed = false

  init(bytes: [UInt8], end: Int, index: Int) {
    self.bytes = bytes
    self.end = end
    self.index = index
  }

  mutating func check(_ condition: Bool) { if !condition { hasFailed = true } }

  /// At most 2^48: sums and products of a few stay in range.
  mutating func int() -> Int {
    var value = 0
    var shift = 0
    while !hasFailed {
      guard index < end, shift < 49 else {
        hasFailed = true
        break
      }
      let byte = bytes[index]
      index += 1
      value |= Int(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return 0
  }

  mutating func number() -> UInt32 {
    let value = int()
    check(value <= Int(UInt32.max))
    return hasFailed ? 0 : UInt32(value)
  }

  /// A count of things of so many bytes at least, so that no more can be asked for than are there.
  mutating func count(bytesEach: Int) -> Int {
    let count = int()
    check(bytesEach == 0 || count <= (end - index) / bytesEach)
    return hasFailed ? 0 : count
  }

  mutating func list(_ read: (inout StateReader) -> Void) {
    for _ in 0..<count(bytesEach: 1) where !hasFailed { read(&self) }
  }

  mutating func text() -> [UInt8] {
    let count = count(bytesEach: 1)
    defer { index += count }
    return Array(bytes[index..<index + count])
  }

  mutating func pairs() -> [UInt32: UInt32] {
    var pairs: [UInt32: UInt32] = [:]
    list { input in
      let key: UInt32 = input.number()
      pairs[key] = input.number()
    }
    return pairs
  }

  mutating func fixed(_ byteCount: Int) -> UInt64 {
    check(end - index >= byteCount)
    guard !hasFailed else { return 0 }
    var value: UInt64 = 0
    for place in 0..<byteCount { value |= UInt64(bytes[index + place]) << UInt64(8 * place) }
    index += byteCount
    return value
  }
}
