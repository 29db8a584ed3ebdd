/// Runs a program with captures: all threads side by side, in order of preference (Pike's machine, as in Cox 2009).
///
/// Time is `instructions · bytes`, whatever the pattern.
struct RegexMachine {
  private let program: RegexProgram
  private let slotCount: Int
  /// The threads at this byte and at the next; which is which alternates.
  private var lists: [ThreadList]
  private var stack: [Step] = []
  private var scratch: [Int32]
  /// Bytes that a match can start with; nil if it may start with none.
  private let firstBytes: ByteSet?

  private struct ThreadList {
    var places: [Int32] = []
    /// `slotCount` a place.
    var slots: [Int32]
    var positions: [Int32]

    init(instructionCount: Int, slotCount: Int) {
      slots = [Int32](repeating: -1, count: instructionCount * slotCount)
      positions = [Int32](repeating: 0, count: instructionCount)
    }

    func contains(_ place: Int32) -> Bool {
      let position = Int(positions[Int(place)])
      return position < places.count && places[position] == place
    }

    mutating func append(_ place: Int32) -> Int {
      positions[Int(place)] = Int32(places.count)
      places.append(place)
      return places.count - 1
    }
  }

  private enum Step {
    case visit(Int32)
    case restore(slot: Int, value: Int32)
  }

  init(_ program: RegexProgram) {
    self.program = program
    slotCount = program.groupCount * 2
    let list = ThreadList(instructionCount: program.instructions.count, slotCount: slotCount)
    lists = [list, list]
    scratch = [Int32](repeating: -1, count: slotCount)
    var seen = Set<Int32>()
    var pending = [program.start]
    var first: ByteSet? = ByteSet()
    while let place = pending.popLast() {
      guard seen.insert(place).inserted else { continue }
      let instruction = program.instructions[Int(place)]
      switch instruction.operation {
      case .set: first?.formUnion(program.sets[Int(instruction.argument)])
      case .split: pending += [instruction.next, instruction.argument]
      case .save: pending.append(instruction.next)
      case .assertion, .match: first = nil
      }
    }
    firstBytes = first
  }

  /// The leftmost match at `start` or later, as `slotCount` offsets; -1 for a group that took no part.
  mutating func run(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> [Int32]? {
    var best: [Int32]?
    var current = 0
    lists[current].places.removeAll(keepingCapacity: true)
    var position = start
    while true {
      if best == nil, !program.isAnchored || position == 0 {
        if lists[current].places.isEmpty, let firstBytes {
          while position < text.count, !firstBytes.contains(text[position]) {
            position += 1
            if program.isAnchored { return nil }
          }
        }
        for slot in 0..<slotCount { scratch[slot] = -1 }
        add(program.start, at: position, text, to: current)
      }
      if lists[current].places.isEmpty { break }
      lists[1 - current].places.removeAll(keepingCapacity: true)
      let byte: UInt8? = position < text.count ? text[position] : nil
      var index = 0
      threads: while index < lists[current].places.count {
        let instruction = program.instructions[Int(lists[current].places[index])]
        switch instruction.operation {
        case .set:
          if let byte, program.sets[Int(instruction.argument)].contains(byte) {
            for slot in 0..<slotCount { scratch[slot] = lists[current].slots[index * slotCount + slot] }
            add(instruction.next, at: position + 1, text, to: 1 - current)
          }
        case .match:
          best = Array(lists[current].slots[index * slotCount..<(index + 1) * slotCount])
          // The threads that follow are less preferred.
          break threads
        case .split, .save, .assertion: break
        }
        index += 1
      }
      current = 1 - current
      if byte == nil || (lists[current].places.isEmpty && (best != nil || program.isAnchored)) { break }
      position += 1
    }
    return best
  }

  /// Adds the threads that `place` leads to without reading. `scratch` holds the slots, and holds them again on return.
  private mutating func add(
    _ place: Int32, at position: Int, _ text: UnsafeBufferPointer<UInt8>, to list: Int
  ) {
    stack.removeAll(keepingCapacity: true)
    stack.append(.visit(place))
    while let step = stack.popLast() {
      switch step {
      case .restore(let slot, let value): scratch[slot] = value
      case .visit(let place):
        if lists[list].contains(place) { continue }
        let index = lists[list].append(place)
        let instruction = program.instructions[Int(place)]
        switch instruction.operation {
        case .split:
          stack.append(.visit(instruction.argument))
          stack.append(.visit(instruction.next))
        case .save:
          let slot = Int(instruction.argument)
          stack.append(.restore(slot: slot, value: scratch[slot]))
          scratch[slot] = Int32(truncatingIfNeeded: position)
          stack.append(.visit(instruction.next))
        case .assertion:
          if RegexProgram.holds(
            instruction.argument, previous: position > 0 ? text[position - 1] : nil,
            next: position < text.count ? text[position] : nil)
          {
            stack.append(.visit(instruction.next))
          }
        case .set, .match:
          for slot in 0..<slotCount { lists[list].slots[index * slotCount + slot] = scratch[slot] }
        }
      }
    }
  }
}
