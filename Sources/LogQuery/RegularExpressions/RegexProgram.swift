import Domain

/// A set of byte values.
struct ByteSet: Hashable, Sendable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  init() {}

  init(_ range: ClosedRange<UInt8>) { insert(range) }

  static let all = ByteSet(0...255)

  @inline(__always)
  func contains(_ byte: UInt8) -> Bool {
    let word =
      switch byte >> 6 {
      case 0: words.0
      case 1: words.1
      case 2: words.2
      default: words.3
      }
    return word >> UInt64(byte & 63) & 1 != 0
  }

  mutating func insert(_ byte: UInt8) {
    let bit = UInt64(1) << UInt64(byte & 63)
    switch byte >> 6 {
    case 0: words.0 |= bit
    case 1: words.1 |= bit
    case 2: words.2 |= bit
    default: words.3 |= bit
    }
  }

  mutating func insert(_ range: ClosedRange<UInt8>) {
    for byte in range { insert(byte) }
  }

  mutating func formUnion(_ other: ByteSet) {
    words.0 |= other.words.0
    words.1 |= other.words.1
    words.2 |= other.words.2
    words.3 |= other.words.3
  }

  var isEmpty: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

  static func == (left: ByteSet, right: ByteSet) -> Bool { left.words == right.words }

  func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }
}

/// A regular expression as a nondeterministic automaton over bytes (Thompson 1968; Cox, "Regular Expression Matching:
/// the Virtual Machine Approach", 2009).
///
/// A byte that is not part of valid UTF-8 is matched by nothing but a run such as `.*` or `[^"]*` that takes every
/// scalar outside ASCII: there, and only there, the bytes are not looked at one scalar at a time.
struct RegexProgram: Sendable {
  enum Operation: UInt8, Sendable { case set, split, save, assertion, match }

  struct Instruction: Sendable {
    var operation: Operation
    /// Where to go on; for `split` the preferred way.
    var next: Int32 = 0
    /// `split`: the other way. `set`: index into `sets`. `save`: the slot. `assertion`: its raw value.
    var argument: Int32 = 0
  }

  static let instructionCountMax = 20_000

  var instructions: [Instruction] = []
  var sets: [ByteSet] = []
  var start: Int32 = 0
  /// Every match starts at the start of the text.
  var isAnchored = false
  var hasAssertions = false
  var groupCount = 1

  private var setNumbers: [ByteSet: Int32] = [:]

  init(_ node: RegexNode, groupCount: Int) throws(QueryError) {
    self.groupCount = groupCount
    let match = try emit(Instruction(operation: .match))
    let end = try emit(Instruction(operation: .save, next: match, argument: 1))
    let body = try compile(node, end)
    start = try emit(Instruction(operation: .save, next: body, argument: 0))
    isAnchored = RegexProgram.isAnchored(node)
    setNumbers = [:]
  }

  private static func isAnchored(_ node: RegexNode) -> Bool {
    switch node {
    case .assertion(.textStart): true
    case .concatenation(let parts): parts.first.map(isAnchored) ?? false
    case .alternation(let branches): branches.allSatisfy(isAnchored)
    case .group(let inner, _): isAnchored(inner)
    case .repetition(let inner, let lowest, _, _): lowest > 0 && isAnchored(inner)
    case .empty, .scalars, .assertion: false
    }
  }

  private mutating func emit(_ instruction: Instruction) throws(QueryError) -> Int32 {
    guard instructions.count < RegexProgram.instructionCountMax else {
      throw QueryError(
        message: "bad regular expression: it is too large when its repetitions are written out", column: 1)
    }
    instructions.append(instruction)
    return Int32(instructions.count - 1)
  }

  private mutating func emit(_ set: ByteSet, next: Int32) throws(QueryError) -> Int32 {
    var number = setNumbers[set]
    if number == nil {
      number = Int32(sets.count)
      sets.append(set)
      setNumbers[set] = number
    }
    return try emit(Instruction(operation: .set, next: next, argument: number ?? 0))
  }

  /// Instructions that match `node` and go on at `next`; returns where they start. Works from the end to the start.
  private mutating func compile(_ node: RegexNode, _ next: Int32) throws(QueryError) -> Int32 {
    switch node {
    case .empty: return next
    case .scalars(let set): return try compile(set, next)
    case .concatenation(let parts):
      var next = next
      for part in parts.reversed() { next = try compile(part, next) }
      return next
    case .alternation(let branches):
      var starts: [Int32] = []
      for branch in branches { starts.append(try compile(branch, next)) }
      var start = starts[starts.count - 1]
      for branch in starts.dropLast().reversed() {
        start = try emit(Instruction(operation: .split, next: branch, argument: start))
      }
      return start
    case .group(let inner, let index):
      let end = try emit(Instruction(operation: .save, next: next, argument: Int32(2 * index + 1)))
      let body = try compile(inner, end)
      return try emit(Instruction(operation: .save, next: body, argument: Int32(2 * index)))
    case .assertion(let assertion):
      hasAssertions = true
      return try emit(Instruction(operation: .assertion, next: next, argument: assertion.rawValue))
    case .repetition(let inner, let lowest, let highest, let greedy):
      var start = next
      if let highest {
        for _ in 0..<max(0, highest - lowest) {
          let body = try compile(inner, start)
          start = try emit(
            Instruction(operation: .split, next: greedy ? body : next, argument: greedy ? next : body))
        }
      } else if case .scalars(let set) = inner, set.holdsAllNonASCII {
        // One scalar may be cut between two such runs, but no text matches more or less for it.
        let loop = try emit(Instruction(operation: .split))
        var bytes = ByteSet(0x80...0xFF)
        for byte in 0..<0x80 as Range<UInt8> where set.contains(UInt32(byte)) { bytes.insert(byte) }
        let body = try emit(bytes, next: loop)
        instructions[Int(loop)].next = greedy ? body : next
        instructions[Int(loop)].argument = greedy ? next : body
        start = loop
      } else {
        let loop = try emit(Instruction(operation: .split))
        let body = try compile(inner, loop)
        instructions[Int(loop)].next = greedy ? body : next
        instructions[Int(loop)].argument = greedy ? next : body
        start = loop
      }
      for _ in 0..<lowest { start = try compile(inner, start) }
      return start
    }
  }

  // MARK: Scalars as UTF-8

  private mutating func compile(_ set: ScalarSet, _ next: Int32) throws(QueryError) -> Int32 {
    if set.ranges.isEmpty {
      return try emit(ByteSet(), next: next)
    }
    var sequences: [[ClosedRange<UInt8>]] = []
    for range in set.ranges { RegexProgram.appendSequences(of: range, to: &sequences) }
    var known: [[UInt8]: Int32] = [:]
    return try compile(sequences[...], depth: 0, next, &known)
  }

  /// `sequences` share their ranges before `depth`. Equal tails are made once.
  private mutating func compile(
    _ sequences: ArraySlice<[ClosedRange<UInt8>]>, depth: Int, _ next: Int32, _ known: inout [[UInt8]: Int32]
  ) throws(QueryError) -> Int32 {
    var key: [UInt8] = []
    for sequence in sequences {
      key.append(UInt8(sequence.count - depth))
      for range in sequence[depth...] { key += [range.lowerBound, range.upperBound] }
    }
    if let start = known[key] { return start }
    // Ways on by where they lead, in order.
    var arms: [(set: ByteSet, next: Int32)] = []
    func add(_ range: ClosedRange<UInt8>, _ target: Int32) {
      for index in arms.indices where arms[index].next == target {
        arms[index].set.insert(range)
        return
      }
      arms.append((ByteSet(range), target))
    }
    var index = sequences.startIndex
    while index < sequences.endIndex {
      let range = sequences[index][depth]
      var end = index + 1
      if sequences[index].count == depth + 1 {
        add(range, next)
      } else {
        while end < sequences.endIndex, sequences[end][depth] == range { end += 1 }
        add(range, try compile(sequences[index..<end], depth: depth + 1, next, &known))
      }
      index = end
    }
    var start = try emit(arms[arms.count - 1].set, next: arms[arms.count - 1].next)
    for arm in arms.dropLast().reversed() {
      let way = try emit(arm.set, next: arm.next)
      start = try emit(Instruction(operation: .split, next: way, argument: start))
    }
    known[key] = start
    return start
  }

  /// The UTF-8 of the scalars of `range` as sequences of byte ranges, in order.
  private static func appendSequences(of range: ClosedRange<UInt32>, to sequences: inout [[ClosedRange<UInt8>]]) {
    let lengths: [ClosedRange<UInt32>] = [0...0x7F, 0x80...0x7FF, 0x800...0xD7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF]
    for (index, bounds) in lengths.enumerated() where range.overlaps(bounds) {
      let part = range.clamped(to: bounds)
      split(part.lowerBound, part.upperBound, byteCount: index < 2 ? index + 1 : index < 4 ? 3 : 4, &sequences)
    }
  }

  /// `low` and `high` take `byteCount` bytes each.
  private static func split(_ low: UInt32, _ high: UInt32, byteCount: Int, _ sequences: inout [[ClosedRange<UInt8>]]) {
    // Cut so that below a cut every continuation byte runs over its whole range.
    for tail in stride(from: 1, to: byteCount, by: 1) {
      let mask = (UInt32(1) << UInt32(6 * tail)) - 1
      if low & ~mask != high & ~mask {
        if low & mask != 0 {
          split(low, low | mask, byteCount: byteCount, &sequences)
          split((low | mask) + 1, high, byteCount: byteCount, &sequences)
          return
        }
        if high & mask != mask {
          split(low, (high & ~mask) - 1, byteCount: byteCount, &sequences)
          split(high & ~mask, high, byteCount: byteCount, &sequences)
          return
        }
      }
    }
    let first = encoded(low, byteCount)
    let last = encoded(high, byteCount)
    sequences.append(zip(first, last).map { $0...$1 })
  }

  private static func encoded(_ scalar: UInt32, _ byteCount: Int) -> [UInt8] {
    if byteCount == 1 { return [UInt8(scalar)] }
    var bytes: [UInt8] = []
    for index in 0..<byteCount {
      let bits = UInt8(scalar >> UInt32(6 * (byteCount - 1 - index)) & 0x3F)
      bytes.append(index > 0 ? 0x80 | bits : bits | (byteCount == 2 ? 0xC0 : byteCount == 3 ? 0xE0 : 0xF0))
    }
    return bytes
  }

  /// Whether `assertion` holds between `previous` and `next`; nil is an end of the text.
  @inline(__always)
  static func holds(_ assertion: Int32, previous: UInt8?, next: UInt8?) -> Bool {
    switch RegexAssertion(rawValue: assertion) {
    case .textStart: return previous == nil
    case .textEnd: return next == nil
    case .lineStart: return previous == nil || previous == UInt8(ascii: "\n")
    case .lineEnd: return next == nil || next == UInt8(ascii: "\n")
    case .wordBoundary: return isWord(previous) != isWord(next)
    case .notWordBoundary: return isWord(previous) == isWord(next)
    case nil: return false
    }
  }

  static func isWord(_ byte: UInt8?) -> Bool { byte.map(WordTokenizer.isASCIIWord) ?? false }
}
