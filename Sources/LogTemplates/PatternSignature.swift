internal import Domain

/// What a template looks like to the miner: words, punctuation and wildcards.
///
/// Finer variables than a person cares for become one wildcard: `node-<number>` is one, `<ipv4>:<number>` is one, a
/// list is one, and units belong to their number.
struct PatternSignature {
  /// What stands in a wildcard, for display.
  enum Mask: UInt8 {
    case any, number, hex, uuid, address, time, duration, path, text, identifier

    var name: String {
      switch self {
      case .any: "<*>"
      case .number: "<num>"
      case .hex: "<hex>"
      case .uuid: "<uuid>"
      case .address: "<ip>"
      case .time: "<time>"
      case .duration: "<duration>"
      case .path: "<path>"
      case .text: "<text>"
      case .identifier: "<id>"
      }
    }
  }

  /// One token, and how it is shown.
  struct Token {
    /// Empty for a wildcard.
    var text: [UInt8]
    var mask: Mask = .any
    /// Shown with what stood around it: a space or points before or after are no part of the token.
    var lead: [UInt8] = []
    var trail: [UInt8] = []

    var isWildcard: Bool { text.isEmpty }
    var isWord: Bool { !text.isEmpty && PatternSignature.isWordByte(UInt16(text[0])) }
  }

  private(set) var tokens: [Token] = []

  /// Tokens beyond this do not tell lines apart: printed lists and structures would make endless patterns.
  static let tokensMax = 30
  /// Brackets with more inside are one wildcard.
  static let bracketTokensMax = 16

  init(_ template: Template) {
    var units = PatternSignature.units(of: template)
    PatternSignature.readObject(&units)
    PatternSignature.removeFrame(&units)
    PatternSignature.mask(&units)
    tokenize(units)
    collapseRepeats()
    collapseBrackets()
    if tokens.count > PatternSignature.tokensMax {
      tokens.removeSubrange(PatternSignature.tokensMax...)
      if let last = tokens.last, !last.isWildcard { tokens.append(Token(text: [], lead: [0x20])) }
    }
  }

  // MARK: Units: literal bytes, and wildcards as 0x100 plus their mask

  typealias Unit = UInt16

  private static func wildcard(_ mask: Mask) -> Unit { 0x100 | Unit(mask.rawValue) }
  private static func isWildcard(_ unit: Unit) -> Bool { unit >= 0x100 }
  private static func mask(of unit: Unit) -> Mask { Mask(rawValue: UInt8(truncatingIfNeeded: unit)) ?? .any }
  static func isLetter(_ unit: Unit) -> Bool { (unit | 0x20) &- 0x61 < 26 }
  static func isWordByte(_ unit: Unit) -> Bool { isLetter(unit) || unit == 0x5F || (unit >= 0x80 && unit < 0x100) }
  static func isSpace(_ unit: Unit) -> Bool { unit == 0x20 || (unit >= 9 && unit <= 13) }

  private static func units(of template: Template) -> [Unit] {
    var units: [Unit] = []
    units.reserveCapacity(template.text.count)
    var index = 0
    while index < template.text.count {
      let byte = template.text[index]
      guard byte == Template.slotMarker, index + 1 < template.text.count else {
        units.append(Unit(byte))
        index += 1
        continue
      }
      let mask: Mask =
        switch SlotKind(rawValue: template.text[index + 1]) {
        case .integer, .decimal: .number
        case .hex: .hex
        case .uuid: .uuid
        case .ipv4, .ipv6: .address
        case .timestamp: .time
        case .duration: .duration
        case .path: .path
        case .quoted, .bytes, nil: .text
        case .word: .identifier
        }
      units.append(wildcard(mask))
      index += 2
    }
    return units
  }

  /// Takes away the head of a line that says when, how serious and which process: `<time> <num> INFO [main] `. Nothing
  /// but variables before a time, or two numbers and a level must open it, and a word must be left.
  private static func removeFrame(_ units: inout [Unit]) {
    guard let opening = frameOpening(units) else { return }
    var index = opening
    var end = 0
    var brackets = 0
    scan: while index < units.count {
      let unit = units[index]
      switch unit {
      case 0x2D where at(units, index - 1) == 0x20 && at(units, index + 1) == 0x20:
        // ` - ` ends a head.
        if hasWord(units, from: index + 2) { end = index + 2 }
        break scan
      case 0x20, 0x09, 0x2D, 0x7C, 0x2C, 0x3A, 0x5D, 0x29, 0x3E:
        index += 1
      case 0x5B:
        guard brackets < 3, let close = units[index...].prefix(64).firstIndex(of: 0x5D),
          !units[(index + 1)..<close].contains(0x5B)
        else { break scan }
        brackets += 1
        index = close + 1
      default:
        if isWildcard(unit) {
          if mask(of: unit) == .path { break scan }
          index += 1
          // A variable that a word goes on from is of the message.
          if isWordByte(at(units, index)) || at(units, index) == 0x2F || at(units, index) == 0x3D { break scan }
        } else if let next = levelEnd(units, at: index) ?? sourceEnd(units, at: index) {
          index = next
        } else {
          break scan
        }
      }
      if hasWord(units, from: index) { end = index }
    }
    units.removeSubrange(0..<end)
    removeFacility(&units)
    removeHost(&units)
    removeLogger(&units)
  }

  /// Variables and marks before the time are looked at so far.
  private static let frameUnitsMax = 16

  /// Past the time that opens a line, or past two numbers before a level; nil if the line has no such head.
  private static func frameOpening(_ units: [Unit]) -> Int? {
    var index = 0
    while at(units, index) == 0x20 || at(units, index) == 0x5B || at(units, index) == 0x2D { index += 1 }
    let first = at(units, index)
    // Syslog writes a priority first.
    if first == 0x3C, isWildcard(at(units, index + 1)), at(units, index + 2) == 0x3E { return index + 3 }
    guard isWildcard(first) else { return nil }
    if mask(of: first) == .time { return index + 1 }
    // `I0318 13:44:27.32` of klog, the client of an access log, node names: only variables before the time.
    var time = index
    while time < units.count, time < index + Self.frameUnitsMax {
      if isWildcard(units[time]) {
        if mask(of: units[time]) == .time { return time + 1 }
      } else if ![0x20, 0x2D, 0x3A, 0x2E, 0x5B].contains(units[time]) {
        break
      }
      time += 1
    }
    guard at(units, index + 1) == 0x20, isWildcard(at(units, index + 2)) else { return nil }
    guard mask(of: first) == .number, mask(of: at(units, index + 2)) == .number else { return nil }
    var level = index + 3
    while at(units, level) == 0x20 || isWildcard(at(units, level)) { level += 1 }
    return levelEnd(units, at: level)
  }

  private static func hasWord(_ units: [Unit], from start: Int) -> Bool {
    var index = start
    while index < units.count, index < start + 256 {
      if isWordByte(units[index]) { return true }
      index += 1
    }
    return false
  }

  /// The end of a level's name, or of its letter alone.
  private static func levelEnd(_ units: [Unit], at index: Int) -> Int? {
    switch at(units, index) {
    case 0x49, 0x57, 0x45, 0x44, 0x56, 0x46, 0x54:
      if at(units, index + 1) == 0x20 || at(units, index + 1) == 0x2F { return index + 1 }
    default: break
    }
    let names: [StaticString] = [
      "INFO", "WARN", "WARNING", "ERROR", "DEBUG", "TRACE", "FATAL", "CRITICAL", "NOTICE", "SEVERE", "Info", "Warning",
      "Error",
      "Debug", "info", "warn", "warning", "error", "debug", "trace", "notice", "fatal",
    ]
    for name in names {
      if let end = match(name, units, at: index) { return end }
    }
    return nil
  }

  /// The end of a place in source code, `controller.go:<num>]`.
  private static func sourceEnd(_ units: [Unit], at start: Int) -> Int? {
    var index = start
    var points = 0
    while isWordByte(at(units, index)) || at(units, index) == 0x2E || at(units, index) == 0x2D
      || at(units, index) == 0x2F
    {
      if at(units, index) == 0x2E { points += 1 }
      index += 1
    }
    guard points > 0, at(units, index) == 0x3A, isWildcard(at(units, index + 1)) else { return nil }
    return at(units, index + 2) == 0x5D ? index + 3 : nil
  }

  /// Takes away up to three words in capitals that a level follows: `RAS KERNEL INFO `.
  private static func removeFacility(_ units: inout [Unit]) {
    var index = 0
    for _ in 0..<3 {
      let start = index
      while at(units, index) &- 0x41 < 26 { index += 1 }
      guard index > start, at(units, index) == 0x20 else { return }
      index += 1
      if let end = levelEnd(units, at: index), at(units, end) == 0x20, hasWord(units, from: end) {
        units.removeSubrange(0...end)
        return
      }
    }
  }

  /// Takes away the host in `host program[<num>]: ` and in `host kernel: `.
  private static func removeHost(_ units: inout [Unit]) {
    var index = 0
    while isNameUnit(at(units, index)) { index += 1 }
    guard index > 0, at(units, index) == 0x20 else { return }
    let program = index + 1
    if let end = match("kernel", units, at: program), at(units, end) == 0x3A {
      units.removeSubrange(0..<program)
      return
    }
    index = program
    while isNameUnit(at(units, index)) { index += 1 }
    if index > program, processEnd(units, at: index) != nil { units.removeSubrange(0..<program) }
  }

  /// Takes away the name of the program or class that writes: `sshd[<num>]: `, `PowerManagerService: `,
  /// `com.example.Main - `. A plain word before a colon is of the message, and so is the name of an exception.
  private static func removeLogger(_ units: inout [Unit]) {
    var index = 0
    var isName = false
    while isNameUnit(at(units, index)) {
      let unit = at(units, index)
      // Points, and capitals after small letters.
      if unit == 0x2E || unit == 0x24 || (index > 0 && unit &- 0x41 < 26 && at(units, index - 1) &- 0x61 < 26) {
        isName = true
      }
      index += 1
    }
    guard index > 0 else { return }
    if isName, ends(units, at: index, with: "Exception") || ends(units, at: index, with: "Error") { return }
    var end = index
    if let process = processEnd(units, at: index) ?? kernelEnd(units, at: index) {
      end = process
    } else if isName, at(units, index) == 0x3A, at(units, index + 1) == 0x20 {
      end = index + 2
    } else {
      if at(units, index) == 0x20, at(units, index + 1) == 0x2A, isWildcard(at(units, index + 2)) { index += 3 }
      guard isName, at(units, index) == 0x20, at(units, index + 1) == 0x2D, at(units, index + 2) == 0x20 else { return }
      end = index + 3
    }
    if hasWord(units, from: end) { units.removeSubrange(0..<end) }
  }

  private static func isNameUnit(_ unit: Unit) -> Bool {
    switch unit {
    case 0x2E, 0x2D, 0x2F, 0x24, 0x28, 0x29: true
    default: isWordByte(unit)
    }
  }

  private static func ends(_ units: [Unit], at end: Int, with text: StaticString) -> Bool {
    let start = end - text.utf8CodeUnitCount
    guard start >= 0 else { return false }
    for offset in 0..<text.utf8CodeUnitCount where units[start + offset] != Unit(text.utf8Start[offset]) {
      return false
    }
    return true
  }

  /// Past `[<num>]:` and the space after it.
  private static func processEnd(_ units: [Unit], at index: Int) -> Int? {
    guard at(units, index) == 0x5B, isWildcard(at(units, index + 1)), at(units, index + 2) == 0x5D,
      at(units, index + 3) == 0x3A
    else { return nil }
    return at(units, index + 4) == 0x20 ? index + 5 : index + 4
  }

  private static func kernelEnd(_ units: [Unit], at index: Int) -> Int? {
    index == 6 && match("kernel", units, at: 0) == 6 && at(units, 6) == 0x3A ? (at(units, 7) == 0x20 ? 8 : 7) : nil
  }

  /// Joins what a person sees as one variable.
  private static func mask(_ units: inout [Unit]) {
    maskLiterals(&units)
    glue(&units)
    maskReferences(&units)
    join(&units)
    removeUnits(&units)
    maskOpeningName(&units)
  }

  private static func at(_ units: [Unit], _ index: Int) -> Unit { index >= 0 && index < units.count ? units[index] : 0 }

  /// The end of `text` if it stands at `index` and no word goes on.
  private static func match(_ text: StaticString, _ units: [Unit], at index: Int) -> Int? {
    let length = text.utf8CodeUnitCount
    guard index + length <= units.count else { return nil }
    for offset in 0..<length where units[index + offset] != Unit(text.utf8Start[offset]) { return nil }
    let end = index + length
    return isWordByte(at(units, end)) || isWildcard(at(units, end)) ? nil : end
  }

  /// Masks literal text that is a variable all the same, and drops echoes of sizes.
  private static func maskLiterals(_ units: inout [Unit]) {
    var out: [Unit] = []
    out.reserveCapacity(units.count)
    var index = 0
    scan: while index < units.count {
      let unit = units[index]
      let last = out.last ?? 0
      switch unit {
      case 0x2E where at(units, index + 1) == 0x2E:
        // Leaders `.....` separate.
        while at(units, index) == 0x2E {
          out.append(0x20)
          index += 1
        }
        continue scan
      case 0x28:
        if let end = sizeEcho(units, at: index) {
          if last == 0x20 { out.removeLast() }
          index = end
          continue scan
        }
      case 0x3C:
        var next = index + 1
        if at(units, next) == 0x20 { next += 1 }
        if isWildcard(at(units, next)) {
          if mask(of: units[next]) == .duration {
            index = next
            continue scan
          }
          if mask(of: units[next]) == .number {
            var unitStart = next + 1
            if at(units, unitStart) == 0x20 { unitStart += 1 }
            for name: StaticString in ["sec", "ms", "s", "min"] {
              if let end = match(name, units, at: unitStart) {
                out.append(wildcard(.duration))
                index = end
                continue scan
              }
            }
          }
        }
      case 0x3D:
        out.append(unit)
        index += 1
        switch at(units, index) {
        case 0, 0x20, 0x2C, 0x3B, 0x29, 0x5D, 0x7D:
          out.append(wildcard(.any))
        default:
          for name: StaticString in ["null", "nil", "none", "NULL", "None", "(null)"] {
            if let end = match(name, units, at: index) {
              out.append(wildcard(.any))
              index = end
              continue scan
            }
          }
          if let end = classPath(units, at: index) {
            out.append(wildcard(.path))
            index = end
          }
        }
        continue scan
      default:
        if isWordByte(unit), !isWordByte(last), !isWildcard(last) {
          if let end = hexWord(units, at: index) {
            out.append(wildcard(.hex))
            index = end
            continue scan
          }
          if let end = dottedNameBeforePort(units, at: index) {
            out.append(wildcard(.address))
            index = end
            continue scan
          }
        }
      }
      out.append(unit)
      index += 1
    }
    units = out
  }

  /// ` (1.2 KB)` after a number says the same again.
  private static func sizeEcho(_ units: [Unit], at open: Int) -> Int? {
    var index = open + 1
    while at(units, index) == 0x20 { index += 1 }
    guard isWildcard(at(units, index)), mask(of: units[index]) == .number else { return nil }
    index += 1
    while at(units, index) == 0x20 { index += 1 }
    switch at(units, index) {
    case 0x4B, 0x4D, 0x47, 0x54, 0x50: index += 1
    default: return nil
    }
    if at(units, index) == 0x69 { index += 1 }
    guard at(units, index) == 0x42 else { return nil }
    index += 1
    while at(units, index) == 0x20 { index += 1 }
    return at(units, index) == 0x29 ? index + 1 : nil
  }

  /// `com.example/.Main` after `=`.
  private static func classPath(_ units: [Unit], at start: Int) -> Int? {
    guard isWordByte(at(units, start)) else { return nil }
    var index = start
    var slashes = 0
    var afterSlash = 0
    while true {
      let unit = at(units, index)
      if unit == 0x2F {
        slashes += 1
      } else if isWordByte(unit) || unit == 0x2E || unit == 0x24 || isWildcard(unit) {
        if slashes > 0 { afterSlash += 1 }
      } else {
        break
      }
      index += 1
    }
    return slashes > 0 && afterSlash > 0 ? index : nil
  }

  /// Eight and more letters that are all hex digits.
  private static func hexWord(_ units: [Unit], at start: Int) -> Int? {
    var index = start
    let isCapital = at(units, start) & 0x20 == 0
    while (at(units, index) | 0x20) &- 0x61 < 6, (at(units, index) & 0x20 == 0) == isCapital { index += 1 }
    let next = at(units, index)
    return index - start >= 8 && !isWordByte(next) && !isWildcard(next) ? index : nil
  }

  private static let hostUnitsMax = 255

  /// `db.prod.example` in `db.prod.example:5432`; at the head of a message, a name without points too.
  private static func dottedNameBeforePort(_ units: [Unit], at start: Int) -> Int? {
    var index = start
    var points = 0
    while index - start < hostUnitsMax {
      let unit = at(units, index)
      if unit == 0x2E, isLetter(at(units, index + 1)) {
        points += 1
      } else if !isLetter(unit) && unit != 0x2D {
        break
      }
      index += 1
    }
    let next = at(units, index + 1)
    guard points > 0 || (start == 0 && at(units, index + 2) == 0x20), at(units, index) == 0x3A, isWildcard(next),
      mask(of: next) == .number
    else { return nil }
    return index
  }

  /// Whether letters and marks around a wildcard belong to it.
  private static func gluesNeighbors(_ mask: Mask) -> Bool {
    switch mask {
    case .number, .hex, .identifier, .address, .duration: true
    case .any, .uuid, .time, .path, .text: false
    }
  }

  private static func isGlue(_ unit: Unit) -> Bool {
    switch unit {
    case 0x24, 0x40, 0x23, 0x2D, 0x2E, 0x2B: true
    default: isWordByte(unit)
    }
  }

  /// `node-<number>`, `<word>.log` and `#<number>` are one wildcard each; a point that ends them stays.
  private static func glue(_ units: inout [Unit]) {
    guard units.contains(where: isWildcard) else { return }
    var out: [Unit] = []
    out.reserveCapacity(units.count)
    var index = 0
    while index < units.count {
      let unit = units[index]
      guard isWildcard(unit), gluesNeighbors(mask(of: unit)) else {
        out.append(unit)
        index += 1
        continue
      }
      var result = mask(of: unit)
      while let last = out.last, isGlue(last) {
        if isWordByte(last) { result = .identifier }
        out.removeLast()
      }
      index += 1
      while index < units.count {
        let next = units[index]
        if isWildcard(next), gluesNeighbors(mask(of: next)) {
          if mask(of: next) != result { result = result == .address ? .address : .identifier }
        } else if next == 0x25 {
        } else if isGlue(next) {
          if isWordByte(next) { result = .identifier }
        } else {
          break
        }
        index += 1
      }
      out.append(wildcard(result))
      if units[index - 1] == 0x2E { out.append(0x2E) }
    }
    units = out
  }

  /// `<id>/shop/api:<num>`: a host with names after it is one wildcard.
  private static func maskReferences(_ units: inout [Unit]) {
    var out: [Unit] = []
    out.reserveCapacity(units.count)
    var index = 0
    while index < units.count {
      let unit = units[index]
      index += 1
      guard isWildcard(unit), mask(of: unit) == .identifier || mask(of: unit) == .address,
        at(units, index) == 0x2F, isWordByte(at(units, index + 1))
      else {
        out.append(unit)
        continue
      }
      index += 1
      while index < units.count {
        let next = units[index]
        let isInner = next == 0x2F || next == 0x3A || next == 0x40
        guard
          isWildcard(next) || isGlue(next)
            || isInner && (isWordByte(at(units, index + 1)) || isWildcard(at(units, index + 1)))
        else { break }
        index += 1
      }
      out.append(wildcard(.path))
      if units[index - 1] == 0x2E { out.append(0x2E) }
    }
    units = out
  }

  /// Wildcards with one mark between them are one.
  private static func join(_ units: inout [Unit]) {
    var out: [Unit] = []
    out.reserveCapacity(units.count)
    for unit in units {
      if isWildcard(unit) {
        if let last = out.last, isWildcard(last) {
          out[out.count - 1] = joined(last, unit)
          continue
        }
        if out.count >= 2, isWildcard(out[out.count - 2]) {
          switch out[out.count - 1] {
          case 0x2E, 0x3A, 0x2F, 0x40, 0x23, 0x5F, 0x2D:
            out.removeLast()
            out[out.count - 1] = joined(out[out.count - 1], unit)
            continue
          default: break
          }
        }
      }
      out.append(unit)
    }
    units = out
  }

  private static func joined(_ left: Unit, _ right: Unit) -> Unit {
    if left == right { return left }
    let masks = (mask(of: left), mask(of: right))
    if masks.0 == .address || masks.1 == .address { return wildcard(.address) }
    if masks.0 == .time || masks.1 == .time { return wildcard(.time) }
    if masks.0 == .path || masks.1 == .path { return wildcard(.path) }
    return wildcard(.any)
  }

  /// Drops units of measure after a wildcard.
  private static func removeUnits(_ units: inout [Unit]) {
    var out: [Unit] = []
    out.reserveCapacity(units.count)
    var index = 0
    scan: while index < units.count {
      out.append(units[index])
      index += 1
      guard isWildcard(out[out.count - 1]) else { continue }
      let start = at(units, index) == 0x20 ? index + 1 : index
      let names: [StaticString] = [
        "ms", "msec", "us", "ns", "KB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "PiB", "B", "kHz", "MHz",
        "GHz", "%",
      ]
      for name in names {
        if let end = match(name, units, at: start) {
          index = end
          continue scan
        }
      }
    }
    units = out
  }

  /// `com.example.app: ...`: a reversed domain that opens the message names who wrote it.
  private static func maskOpeningName(_ units: inout [Unit]) {
    var index = 0
    var points = 0
    while true {
      let unit = at(units, index)
      if unit == 0x2E, isLetter(at(units, index + 1)), index >= 2 {
        points += 1
      } else if unit == 0x2D || unit == 0x5F {
        if points == 0 { return }
      } else if points == 0 ? unit &- 0x61 >= 26 : !isLetter(unit) {
        break
      }
      index += 1
    }
    guard points >= 2 else { return }
    switch at(units, index) {
    case 0x3A, 0x20, 0x09, 0x5B, 0x28: units.replaceSubrange(0..<index, with: [wildcard(.identifier)])
    default: return
    }
  }

  // MARK: Tokens

  private mutating func tokenize(_ units: [Unit]) {
    typealias Signature = PatternSignature
    var index = 0
    var lead: [UInt8] = []
    while index < units.count {
      let unit = units[index]
      if Signature.isSpace(unit) {
        if lead.last != 0x20 { lead.append(0x20) }
        index += 1
        continue
      }
      if Signature.isWildcard(unit) {
        index += 1
        if let last = tokens.last, last.isWildcard { continue }
        if tokens.count >= 2, tokens[tokens.count - 2].isWildcard, let mark = tokens.last?.text, mark.count == 1,
          mark[0] == 0x2C || mark[0] == 0x3B || mark[0] == 0x3A
        {
          tokens.removeLast()
          continue
        }
        tokens.append(Token(text: [], mask: Signature.mask(of: unit), lead: lead))
        lead.removeAll(keepingCapacity: true)
        continue
      }
      if Signature.isWordByte(unit) {
        var end = index + 1
        while end < units.count, Signature.isWordByte(units[end]) || Signature.isInnerMark(units[end]) { end += 1 }
        while !Signature.isWordByte(units[end - 1]) && units[end - 1] != 0x24 { end -= 1 }
        tokens.append(Token(text: units[index..<end].map { UInt8(truncatingIfNeeded: $0) }, lead: lead))
        lead.removeAll(keepingCapacity: true)
        index = end
        continue
      }
      index += 1
      if unit == 0x2D || unit == 0x2B, index < units.count, Signature.isWildcard(units[index]) { continue }
      if unit == 0x2E {
        if !tokens.isEmpty { tokens[tokens.count - 1].trail.append(0x2E) }
        continue
      }
      if unit == 0x29 || unit == 0x5D || unit == 0x7D, let last = tokens.last?.text, last.count == 1,
        last[0] == 0x28 || last[0] == 0x5B || last[0] == 0x7B
      {
        tokens.append(Token(text: []))
      }
      tokens.append(Token(text: [UInt8(truncatingIfNeeded: unit)], lead: lead))
      lead.removeAll(keepingCapacity: true)
    }
  }

  /// Marks that words have inside: `non-negative`, `java.lang`, `can't`, `Outer$Inner`.
  private static func isInnerMark(_ unit: Unit) -> Bool { unit == 0x2D || unit == 0x2E || unit == 0x27 || unit == 0x24 }

  /// Repeats of up to this many tokens are looked for.
  private static let repeatTokensMax = 6
  /// As many of a kind in a row are a list.
  private static let listRepeatsMin = 3

  /// Leaves of a printed list, `node-1 <ok> node-2 <ok> node-3 <ok>`, its first entry: equal
  /// tokens in a row with a variable and a word among them.
  private mutating func collapseRepeats() {
    guard tokens.count >= 2 * PatternSignature.listRepeatsMin else { return }
    var out: [Token] = []
    out.reserveCapacity(tokens.count)
    var index = 0
    scan: while index < tokens.count {
      for period in 2...PatternSignature.repeatTokensMax {
        var end = index + period
        while end + period <= tokens.count,
          (0..<period).allSatisfy({ tokens[end + $0].text == tokens[index + $0].text })
        {
          end += period
        }
        guard end - index >= PatternSignature.listRepeatsMin * period,
          tokens[index..<index + period].contains(where: \.isWildcard),
          tokens[index..<index + period].contains(where: \.isWord)
        else { continue }
        out += tokens[index..<index + period]
        index = end
        continue scan
      }
      out.append(tokens[index])
      index += 1
    }
    tokens = out
  }

  /// Makes what stands in long brackets one wildcard.
  private mutating func collapseBrackets() {
    guard tokens.count > PatternSignature.bracketTokensMax + 2 else { return }
    var opens: [(index: Int, mark: UInt8)] = []
    var index = 0
    while index < tokens.count {
      let text = tokens[index].text
      if text.count == 1 {
        switch text[0] {
        case 0x28, 0x5B, 0x7B:
          opens.append((index, text[0]))
        case 0x29, 0x5D, 0x7D:
          let mark: UInt8 = text[0] == 0x29 ? 0x28 : text[0] - 2
          guard let place = opens.lastIndex(where: { $0.mark == mark }) else { break }
          let open = opens[place].index
          opens.removeSubrange(place...)
          if index - open - 1 > PatternSignature.bracketTokensMax {
            tokens.replaceSubrange(open + 1..<index, with: [Token(text: [])])
            index = open + 2
          }
        default: break
        }
      }
      index += 1
    }
  }
}
