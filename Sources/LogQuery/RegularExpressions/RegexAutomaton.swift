/// States of the deterministic automaton that runs a program over classes of bytes, made as they are asked for.
///
/// It answers only whether a match exists, so a state that holds `match` needs no successor. Assertions are looked at
/// when the next byte is known; a state therefore remembers what kind of byte came before it.
struct RegexStates {
  static let matched: UInt32 = 0
  static let dead: UInt32 = 1
  static let unknown: UInt32 = .max

  /// What stood before a state.
  private enum Context: UInt8 { case textStart, newline, word, other }

  private struct Key: Hashable {
    var places: [Int32]
    var context: Context
  }

  private let program: RegexProgram
  /// The class of each byte; the class of the text's end is `classCount`.
  let classes: [UInt8]
  let classCount: Int
  /// A byte of each class.
  private let representatives: [UInt8]
  private var keys: [Key] = []
  private var numbers: [Key: UInt32] = [:]
  /// `stride` entries a state, one a class and one for the end. The first two states are `matched` and `dead`.
  private(set) var table: [UInt32] = []
  private(set) var start: UInt32 = 0

  // Scratch.
  private var marks: [UInt32]
  private var generation: UInt32 = 0
  private var stack: [Int32] = []

  var stride: Int { classCount + 1 }
  var count: Int { keys.count }

  init(_ program: RegexProgram) {
    self.program = program
    var classes = [UInt8](repeating: 0, count: 256)
    var classCount = 1
    func refine(_ contains: (UInt8) -> Bool) {
      var renamed: [Int: UInt8] = [:]
      var refined = classes
      var next = 0
      for byte in 0...255 {
        let key = Int(classes[byte]) * 2 + (contains(UInt8(byte)) ? 1 : 0)
        if renamed[key] == nil {
          renamed[key] = UInt8(next)
          next += 1
        }
        refined[byte] = renamed[key] ?? 0
      }
      classes = refined
      classCount = next
    }
    for set in program.sets where classCount < 256 { refine(set.contains) }
    if program.hasAssertions {
      refine { $0 == UInt8(ascii: "\n") }
      refine { RegexProgram.isWord($0) }
    }
    self.classes = classes
    self.classCount = classCount
    var representatives = [UInt8](repeating: 0, count: classCount)
    for byte in (0...255).reversed() { representatives[Int(classes[byte])] = UInt8(byte) }
    self.representatives = representatives
    marks = [UInt32](repeating: 0, count: program.instructions.count)
    reset()
  }

  /// Forgets every state but the start.
  mutating func reset() {
    keys = [Key(places: [-1], context: .other), Key(places: [-2], context: .other)]
    numbers = [:]
    table =
      [UInt32](repeating: RegexStates.matched, count: stride) + [UInt32](repeating: RegexStates.dead, count: stride)
    beginSet()
    var places: [Int32] = []
    start = close(from: program.start, into: &places) ? RegexStates.matched : number(of: places, .textStart)
  }

  /// The state after `state` on a byte of class `byteClass` (`classCount`: the end).
  mutating func successor(of state: UInt32, on byteClass: Int) -> UInt32 {
    let slot = Int(state) * stride + byteClass
    let known = table[slot]
    if known != RegexStates.unknown { return known }
    let next = makeSuccessor(of: keys[Int(state)], on: byteClass)
    table[slot] = next
    return next
  }

  private mutating func makeSuccessor(of key: Key, on byteClass: Int) -> UInt32 {
    let atEnd = byteClass == classCount
    let byte = atEnd ? nil : representatives[byteClass] as UInt8?
    var places = key.places
    if program.hasAssertions {
      // Passing one assertion may lead to the next.
      let previous: UInt8? =
        switch key.context {
        case .textStart: nil
        case .newline: UInt8(ascii: "\n")
        case .word: UInt8(ascii: "a")
        case .other: UInt8(ascii: " ")
        }
      beginSet()
      for place in places { marks[Int(place)] = generation }
      var index = 0
      while index < places.count {
        let instruction = program.instructions[Int(places[index])]
        if instruction.operation == .assertion,
          RegexProgram.holds(instruction.argument, previous: previous, next: byte),
          close(from: instruction.next, into: &places)
        {
          return RegexStates.matched
        }
        index += 1
      }
    }
    guard let byte else { return RegexStates.dead }
    beginSet()
    var next: [Int32] = []
    for place in places {
      let instruction = program.instructions[Int(place)]
      if instruction.operation == .set, program.sets[Int(instruction.argument)].contains(byte),
        close(from: instruction.next, into: &next)
      {
        return RegexStates.matched
      }
    }
    if !program.isAnchored, close(from: program.start, into: &next) { return RegexStates.matched }
    if next.isEmpty { return RegexStates.dead }
    return number(of: next, byte == UInt8(ascii: "\n") ? .newline : RegexProgram.isWord(byte) ? .word : .other)
  }

  private mutating func number(of places: [Int32], _ context: Context) -> UInt32 {
    let key = Key(places: places.sorted(), context: program.hasAssertions ? context : .other)
    if let known = numbers[key] { return known }
    let number = UInt32(keys.count)
    keys.append(key)
    numbers[key] = number
    table.append(contentsOf: repeatElement(RegexStates.unknown, count: stride))
    return number
  }

  private mutating func beginSet() {
    generation &+= 1
    if generation == 0 {
      for index in marks.indices { marks[index] = 0 }
      generation = 1
    }
  }

  /// Appends the `set` and `assertion` instructions that `place` leads to without reading; true if it leads to `match`.
  private mutating func close(from place: Int32, into places: inout [Int32]) -> Bool {
    stack.removeAll(keepingCapacity: true)
    stack.append(place)
    while let place = stack.popLast() {
      guard marks[Int(place)] != generation else { continue }
      marks[Int(place)] = generation
      let instruction = program.instructions[Int(place)]
      switch instruction.operation {
      case .match: return true
      case .set, .assertion: places.append(place)
      case .save: stack.append(instruction.next)
      case .split:
        stack.append(instruction.argument)
        stack.append(instruction.next)
      }
    }
    return false
  }
}

/// A whole automaton, made ahead: small, never changing, shared by all threads.
///
/// Its tables lie in memory of their own, so that no thread counts references to them for each text.
final class RegexTable: @unchecked Sendable {
  // Sendable: written in `init` only.
  private let classes: UnsafeMutablePointer<UInt8>
  /// States by where their entries begin, so that a step is one addition and one load: 0 is `matched`, `stride` is `dead`.
  private let table: UnsafeMutablePointer<UInt32>
  private let stride: Int
  private let start: UInt32

  /// Nil if there are more than `stateCountMax` states.
  init?(_ program: RegexProgram, stateCountMax: Int) {
    var states = RegexStates(program)
    var state = 2
    // A bound on work too: each transition may look at every instruction.
    var work = 0
    while state < states.count {
      for byteClass in 0...states.classCount { _ = states.successor(of: UInt32(state), on: byteClass) }
      state += 1
      work += states.stride * program.instructions.count
      guard states.count <= stateCountMax, work < 4_000_000 else { return nil }
    }
    classes = .allocate(capacity: states.classes.count)
    classes.initialize(from: states.classes, count: states.classes.count)
    stride = states.stride
    let stride = UInt32(states.stride)
    table = .allocate(capacity: states.table.count)
    table.initialize(from: states.table.map { $0 * stride }, count: states.table.count)
    start = states.start * stride
  }

  deinit {
    classes.deallocate()
    table.deallocate()
  }

  func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    var state = start
    let dead = UInt32(stride)
    if state <= dead { return state == RegexStates.matched }
    for byte in text {
      state = table[Int(state) &+ Int(classes[Int(byte)])]
      if state <= dead { return state == RegexStates.matched }
    }
    return table[Int(state) &+ stride &- 1] == RegexStates.matched
  }
}

/// What one thread needs to run a program: the states made so far, and the lists of the capturing machine.
final class RegexScratch {
  private let program: RegexProgram
  private var states: RegexStates?
  private var machine: RegexMachine?

  init(_ program: RegexProgram) { self.program = program }

  func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    if states == nil { states = RegexStates(program) }
    return states?.matches(text) ?? false
  }

  /// As `RegexMachine.run`.
  func run(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> [Int32]? {
    if machine == nil { machine = RegexMachine(program) }
    return machine?.run(text, from: start)
  }
}

extension RegexStates {
  /// States kept before starting over.
  static let stateCountMax = 4096

  mutating func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    var state = start
    if state <= RegexStates.dead { return state == RegexStates.matched }
    for byte in text {
      if count > RegexStates.stateCountMax { state = restart(keeping: state) }
      state = successor(of: state, on: Int(classes[Int(byte)]))
      if state <= RegexStates.dead { return state == RegexStates.matched }
    }
    return successor(of: state, on: classCount) == RegexStates.matched
  }

  /// Forgets all states but the start and `state`; returns `state`'s new number.
  private mutating func restart(keeping state: UInt32) -> UInt32 {
    let key = keys[Int(state)]
    reset()
    return number(of: key.places, key.context)
  }
}
