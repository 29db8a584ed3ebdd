/// Takes away what precedes the message: when, how serious, where, which process, thread and logger.
extension SignatureReader {
  private typealias Reader = SignatureReader

  /// Takes away the head of the line, if it has one that a word follows.
  mutating func removeFrame(_ frames: inout FrameMemory) {
    openingColumns = nil
    var start: Int
    if let bars = barsEnd() {
      start = bars
    } else if let opening = timeEnd() ?? levelAfterNumbers() {
      start = columnsEnd(from: opening)
      start = facilityEnd(from: start)
      start = hostEnd(from: start, &frames)
      start = loggerEnd(from: start)
    } else {
      start = 0
      if let columns = variableColumns() {
        if frames.columns.contains(columns.shape) {
          start = columns.end
        } else {
          openingColumns = columns
        }
      }
    }
    if start > 0, hasWord(from: start) { units.removeSubrange(0..<start) }
  }

  // MARK: The time

  /// Columns before the time that are looked at, and units of them.
  private static let openingColumnsMax = 8
  private static let openingUnitsMax = 96

  /// Past the time that opens the line or stands behind columns of variables: the client of an access log, a node, the
  /// file that the line was read from. A mark may be one of them, and a word or level may be the first.
  private func timeEnd() -> Int? {
    var index = 0
    for column in 0..<Reader.openingColumnsMax {
      while isOpeningMark(at(index)) { index += 1 }
      if Reader.isTime(at(index)) { return index + 1 }
      let start = index
      var sawVariable = false
      while index < units.count, at(index) != 0x20, at(index) != 0x09 {
        switch at(index) {
        case 0x3D, 0x22, 0x28, 0x27, 0x7B: return nil
        // `<34>Oct 11 22:14:15` and `[10.30 16:49:06]`: a time may stand behind the marks.
        case 0x3E, 0x5B, 0x7C:
          if Reader.isTime(at(index + 1)) { return index + 2 }
        default: break
        }
        if Reader.isWildcard(at(index)) { sawVariable = true }
        index += 1
      }
      guard index > start, index < Reader.openingUnitsMax else { return nil }
      if sawVariable { continue }
      // `KERNDTLB 1118 2005.06.03`, `INFO 2005-06-03`, `[INFO] 2005-06-03`, `I, [2005-06-03`
      guard column == 0, Reader.isWildcard(at(nextColumn(index))) || levelEnd(at: start) != nil else { return nil }
    }
    return nil
  }

  private static func isTime(_ unit: Unit) -> Bool { isWildcard(unit) && mask(of: unit) == .time }

  private func isOpeningMark(_ unit: Unit) -> Bool {
    switch unit {
    case 0x20, 0x09, 0x2D, 0x5B, 0x28, 0x22, 0x2E, 0x3A, 0x7C: true
    default: false
    }
  }

  private func nextColumn(_ index: Int) -> Int {
    var index = index
    while isOpeningMark(at(index)) { index += 1 }
    return index
  }

  /// Past a level that two and more numbers stand before: `081109 203615 148 INFO`, `I0318 13:44`.
  private func levelAfterNumbers() -> Int? {
    var index = 0
    var count = 0
    while Reader.isWildcard(at(index)), Reader.mask(of: at(index)) == .number, at(index + 1) == 0x20 {
      count += 1
      index += 2
    }
    return count >= 2 ? levelEnd(at: index) : nil
  }

  /// Past columns that bars divide, of which the first is a variable and none holds a blank, up to a number that follows
  /// a name: `20260318-13:44:27:606|Cart|30002312|`.
  private func barsEnd() -> Int? {
    var index = 0
    guard Reader.isWildcard(at(0)) else { return nil }
    while Reader.isWildcard(at(index)) || at(index) == 0x3A || at(index) == 0x2D || at(index) == 0x2E { index += 1 }
    guard at(index) == 0x7C else { return nil }
    var end: Int?
    for _ in 0..<3 {
      let column = index + 1
      index = columnEnd(at: column)
      guard index > column, at(index) == 0x7C else { break }
      end = index + 1
      if index == column + 1, Reader.isWildcard(at(column)) { break }
    }
    return end
  }

  // MARK: Columns after the time

  private static let bracketsMax = 3
  private static let bracketUnitsMax = 160

  /// Past levels, variables, brackets, places in source code and marks between them.
  private func columnsEnd(from start: Int) -> Int {
    var index = start
    var end = start
    var brackets = 0
    var sawLevel = false
    var sawBar = false
    var sawContext = false
    scan: while index < units.count {
      switch at(index) {
      case 0x2D where at(index - 1) == 0x20 && at(index + 1) == 0x20:
        // ` - ` ends a head, if neither a level nor a bracket comes, nor a name that another ` - ` ends.
        var next = index + 2
        while at(next) == 0x20 { next += 1 }
        if at(next) == 0x5B || levelEnd(at: next) != nil {
          index = next
        } else {
          let column = columnEnd(at: next)
          guard at(column) == 0x20, at(column + 1) == 0x2D, at(column + 2) == 0x20, levelEnd(at: column + 3) != nil
          else {
            return hasWord(from: next) ? next : end
          }
          index = column + 3
        }
      case 0x7C:
        sawBar = true
        index += 1
      case 0x20, 0x09, 0x2D, 0x2C, 0x3A, 0x5D, 0x29, 0x3E:
        index += 1
      case 0x22 where Reader.isWildcard(at(index - 1)):
        index += 1
      case 0x23 where Reader.isWildcard(at(index + 1)):
        // `31#31`: process and thread.
        index += 1
      case let mark
      where (mark == 0x2A || mark == 0x23 || mark == 0x2E) && at(index - 1) == 0x20 && at(index + 1) == 0x20:
        // A mark alone is a level.
        index += 1
      case 0x5B:
        guard brackets < Reader.bracketsMax, let close = closingBracket(of: index), !holdsPair(index..<close) else {
          break scan
        }
        brackets += 1
        index = close + 1
        if sawContext {
          // The context that follows a logger is the last of the head.
          if at(index) == 0x20 { index += 1 }
          return hasWord(from: index) ? index : end
        }
      case let unit where Reader.isWildcard(unit):
        if Reader.mask(of: unit) == .path { break scan }
        index += 1
        // A variable that a word goes on from is of the message.
        if Reader.isWordByte(at(index)) || at(index) == 0x2F || at(index) == 0x3D { break scan }
      default:
        if let next = levelEnd(at: index) {
          sawLevel = true
          index = next
        } else if let next = sourceEnd(at: index) ?? (sawLevel ? componentEnd(at: index) : nil) {
          sawContext = at(next) == 0x20 && at(next + 1) == 0x5B
          index = next
        } else if sawBar, let next = barredEnd(at: index) {
          index = next
        } else {
          break scan
        }
      }
      if hasWord(from: index) { end = index }
    }
    return end
  }

  /// The next blank, bar or end.
  private func columnEnd(at start: Int) -> Int {
    var index = start
    while index < units.count, at(index) != 0x20, at(index) != 0x09, at(index) != 0x7C { index += 1 }
    return index
  }

  /// The `]` that closes the `[` at `open`; brackets inside are passed over.
  private func closingBracket(of open: Int) -> Int? {
    var depth = 0
    var index = open
    while index < units.count, index - open < Reader.bracketUnitsMax {
      if at(index) == 0x5B { depth += 1 } else if at(index) == 0x5D { depth -= 1 }
      if depth == 0 { return index }
      index += 1
    }
    return nil
  }

  /// `[client 10.0.0.7` and `[instance: 7f9c`: of the message, unlike `[main` and `[pid 7`.
  private func holdsPair(_ range: Range<Int>) -> Bool {
    var index = range.lowerBound + 1
    while Reader.isLetter(at(index)) { index += 1 }
    guard index > range.lowerBound + 1, match("pid", at: range.lowerBound + 1) == nil else { return false }
    if at(index) == 0x3A { index += 1 }
    return at(index) == 0x20 && Reader.isWildcard(at(index + 1)) && index + 1 < range.upperBound
  }

  /// A word that blanks fill up to the next column, a dotted name before a bracket, a name before the bracket that ends
  /// the head: nobody writes a sentence so.
  private func componentEnd(at start: Int) -> Int? {
    let column = columnEnd(at: start)
    if at(column - 1) == 0x5D, column > start + 1,
      (start..<column - 1).allSatisfy({ Reader.isNameUnit(at($0)) || at($0) == 0x3A })
    {
      return column
    }
    let end = nameEnd(at: start)
    guard end > start, at(end) == 0x20 else { return nil }
    if at(end + 1) == 0x20 { return end }
    if at(end + 1) == 0x5B, (start..<end).contains(where: { at($0) == 0x2E }) { return end }
    return nil
  }

  /// A column without blanks that a bar or ` - ` ends, where bars separate columns.
  private func barredEnd(at start: Int) -> Int? {
    let end = columnEnd(at: start)
    guard end > start else { return nil }
    var next = end
    while at(next) == 0x20 { next += 1 }
    if at(next) == 0x7C { return next }
    return at(next) == 0x2D && at(next + 1) == 0x20 && next > end ? next + 2 : nil
  }

  private func hasWord(from start: Int) -> Bool {
    var index = start
    while index < units.count, index < start + 256 {
      if Reader.isWordByte(at(index)) { return true }
      index += 1
    }
    return false
  }

  /// The end of a level's name, or of its letter alone.
  private func levelEnd(at index: Int) -> Int? {
    switch at(index) {
    case 0x49, 0x57, 0x45, 0x44, 0x56, 0x46, 0x54:
      switch at(index + 1) {
      case 0x20, 0x2F: return index + 1
      // `I, [2026-03-18`
      case 0x2C where at(index + 2) == 0x20: return index + 2
      default: break
      }
    case 0x4E, 0x43, 0x53, 0x69, 0x77, 0x65, 0x64, 0x6E, 0x66, 0x74, 0x4C: break
    default: return nil
    }
    for name in Reader.levelNames {
      if let end = match(name, at: index) { return end }
    }
    return nil
  }

  private static let levelNames: [StaticString] = [
    "INFO", "WARN", "WARNING", "ERROR", "DEBUG", "TRACE", "FATAL", "CRITICAL", "NOTICE", "SEVERE", "LOG", "Info",
    "Warning", "Error", "Debug", "info", "warn", "warning", "error", "debug", "trace", "notice", "fatal",
  ]

  /// The end of a place in source code, `controller.go:<num>]` or `main.go:<num>: `.
  private func sourceEnd(at start: Int) -> Int? {
    var index = start
    var points = 0
    while Reader.isWordByte(at(index)) || at(index) == 0x2E || at(index) == 0x2D || at(index) == 0x2F {
      if at(index) == 0x2E { points += 1 }
      index += 1
    }
    guard points > 0, at(index) == 0x3A, Reader.isWildcard(at(index + 1)) else { return nil }
    return at(index + 2) == 0x5D || at(index + 2) == 0x3A ? index + 3 : nil
  }

  // MARK: Facility, host, program, logger

  /// Past up to three words in capitals that a level follows: `RAS KERNEL INFO `.
  private func facilityEnd(from start: Int) -> Int {
    var index = start
    for _ in 0..<3 {
      let word = index
      while at(index) &- 0x41 < 26 { index += 1 }
      guard index > word, at(index) == 0x20 else { return start }
      index += 1
      if let end = levelEnd(at: index), at(end) == 0x20, hasWord(from: end) { return end + 1 }
    }
    return start
  }

  /// Past the host in `host program[<num>]: ` and `host kernel: `, which teaches its name; past one known already, and
  /// then also the program in `host program: `.
  private func hostEnd(from start: Int, _ frames: inout FrameMemory) -> Int {
    let end = columnEnd(at: start)
    guard end > start, end - start <= 64, at(end) == 0x20 else { return start }
    guard (start..<end).allSatisfy({ isHostUnit(at($0)) }) else { return start }
    var program = end + 1
    while at(program) == 0x2D || at(program) == 0x20 { program += 1 }
    let host = (start..<end).map { Reader.isWildcard(at($0)) ? UInt8.max : UInt8(truncatingIfNeeded: at($0)) }
    if match("kernel", at: program).map({ at($0) == 0x3A }) == true || programEnd(at: program) != nil {
      // A variable alone is no name.
      if host.count > 1 { frames.learn(host: host) }
      return program
    }
    // Nothing but a host is written `dn228/dn228`.
    let isHost = (start..<end).contains { at($0) == 0x2F } || frames.hosts.contains(host)
    guard isHost, hasWord(from: program) else { return start }
    var tag = program
    while Reader.isNameUnit(at(tag)) { tag += 1 }
    if tag > program, at(tag) == 0x20, Reader.isWildcard(at(tag + 1)), at(tag + 2) == 0x3A { tag += 2 }
    guard tag > program, at(tag) == 0x3A, at(tag + 1) == 0x20, hasWord(from: tag) else { return program }
    return tag + 2
  }

  private func isHostUnit(_ unit: Unit) -> Bool {
    Reader.isNameUnit(unit) || Reader.isWildcard(unit) || unit == 0x40 || unit == 0x23
  }

  /// Past `program[<num>]: `; the program may be of up to three words.
  private func programEnd(at start: Int) -> Int? {
    var index = start
    for _ in 0..<3 {
      let word = index
      while Reader.isNameUnit(at(index)) || Reader.isWildcard(at(index)) { index += 1 }
      guard index > word else { return nil }
      if let end = processEnd(at: index) { return end }
      guard at(index) == 0x20 else { return nil }
      index += 1
    }
    return nil
  }

  /// Past the name of the program or class that writes: `sshd[<num>]: `, `PowerManagerService: `,
  /// `com.example.Main - `. A plain word before a colon is of the message, and so is the name of an exception.
  private func loggerEnd(from start: Int) -> Int {
    if let end = programEnd(at: start), hasWord(from: end) { return end }
    var index = start
    var isName = false
    var hasVariable = false
    while Reader.isNameUnit(at(index)) || (index > start && Reader.isWildcard(at(index))) {
      // Points, and capitals after small letters.
      let unit = at(index)
      if unit == 0x2E || unit == 0x24 || (index > start && unit &- 0x41 < 26 && at(index - 1) &- 0x61 < 26) {
        isName = true
      }
      if Reader.isWildcard(unit) { hasVariable = true }
      index += 1
    }
    guard index > start else { return start }
    if isName, ends(at: index, with: "Exception") || ends(at: index, with: "Error") { return start }
    var end = index
    if match("kernel", at: start) == index, at(index) == 0x3A {
      end = at(index + 1) == 0x20 ? index + 2 : index + 1
    } else if isName, at(index) == 0x3A, at(index + 1) == 0x20 {
      end = index + 2
    } else {
      // `chrome.exe *64 - `
      if at(index) == 0x20, at(index + 1) == 0x2A, Reader.isWildcard(at(index + 2)) { index += 3 }
      while at(index) == 0x20, at(index + 1) == 0x20 { index += 1 }
      guard isName || hasVariable, at(index) == 0x20, at(index + 1) == 0x2D || at(index + 1) == 0x3A,
        at(index + 2) == 0x20
      else {
        return start
      }
      end = index + 3
    }
    return hasWord(from: end) ? end : start
  }

  private func nameEnd(at start: Int) -> Int {
    var index = start
    while Reader.isNameUnit(at(index)) { index += 1 }
    return index
  }

  private static func isNameUnit(_ unit: Unit) -> Bool {
    switch unit {
    case 0x2E, 0x2D, 0x2F, 0x24, 0x28, 0x29: true
    default: isWordByte(unit)
    }
  }

  private func ends(at end: Int, with text: StaticString) -> Bool {
    let start = end - text.utf8CodeUnitCount
    guard start >= 0 else { return false }
    for offset in 0..<text.utf8CodeUnitCount where at(start + offset) != Unit(text.utf8Start[offset]) { return false }
    return true
  }

  /// Past `[<num>]:` and the space after it.
  private func processEnd(at index: Int) -> Int? {
    guard at(index) == 0x5B, Reader.isWildcard(at(index + 1)), at(index + 2) == 0x5D, at(index + 3) == 0x3A
    else { return nil }
    return at(index + 4) == 0x20 ? index + 5 : index + 4
  }

  // MARK: Columns without a time

  /// The first columns of a line: variables, and words among them.
  struct OpeningColumns: Sendable {
    /// A letter a column: `n` number, `x` another variable or a word.
    var shape: [UInt8]
    /// Where the message begins.
    var end: Int
    /// The first word after them.
    var nextWord: [UInt8]
  }

  private static let openingNumbersMin = 3

  /// Of a line that opens with a variable, its columns up to the last number among the first eight. With three and more numbers
  /// they may be a head.
  private func variableColumns() -> OpeningColumns? {
    guard Reader.isWildcard(at(0)) else { return nil }
    var shape: [UInt8] = []
    var end = 0
    var columnsAtEnd = 0
    var index = 0
    while shape.count < Reader.openingColumnsMax {
      let next = columnEnd(at: index)
      guard next > index, at(next) == 0x20 else { break }
      let variables = (index..<next).count { Reader.isWildcard(at($0)) }
      if variables == 1, next - index == 1, Reader.mask(of: at(index)) == .number {
        shape.append(UInt8(ascii: "n"))
        end = next + 1
        columnsAtEnd = shape.count
      } else if (index..<next).allSatisfy({ isHostUnit(at($0)) || at($0) == 0x3A }) {
        shape.append(UInt8(ascii: "x"))
      } else {
        break
      }
      index = next + 1
      while at(index) == 0x20 { index += 1 }
    }
    shape.removeSubrange(columnsAtEnd...)
    guard shape.count(where: { $0 == UInt8(ascii: "n") }) >= Reader.openingNumbersMin, hasWord(from: end) else {
      return nil
    }
    while at(end) == 0x20 { end += 1 }
    let word = (end..<columnEnd(at: end)).map { UInt8(truncatingIfNeeded: at($0)) }
    return OpeningColumns(shape: shape, end: end, nextWord: word)
  }
}
