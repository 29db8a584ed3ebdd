/// Joins what a person sees as one variable.
extension SignatureReader {
  mutating func joinVariables() {
    maskLiterals()
    guard units.contains(where: SignatureReader.isWildcard) else { return }
    glue()
    maskReferences()
    join()
    removeUnits()
    maskOpeningName()
  }

  /// Masks literal text that is a variable all the same, and drops echoes of sizes.
  private mutating func maskLiterals() {
    out.removeAll(keepingCapacity: true)
    var index = 0
    scan: while index < units.count {
      let unit = at(index)
      let last = SignatureReader.value(out.last ?? 0)
      switch unit {
      case 0x2E where at(index + 1) == 0x2E:
        // Leaders `.....` separate.
        while at(index) == 0x2E {
          out.append(units[index] & 0xFFFF_0000 | 0x20)
          index += 1
        }
        continue scan
      case 0x28:
        if let end = sizeEcho(at: index) {
          if last == 0x20 { out.removeLast() }
          index = end
          continue scan
        }
      case 0x3C:
        var next = index + 1
        if at(next) == 0x20 { next += 1 }
        if SignatureReader.isWildcard(at(next)) {
          if SignatureReader.mask(of: units[next]) == .duration {
            index = next
            continue scan
          }
          if SignatureReader.mask(of: units[next]) == .number {
            var unitStart = next + 1
            if at(unitStart) == 0x20 { unitStart += 1 }
            for name: StaticString in ["sec", "ms", "s", "min"] {
              if let end = match(name, at: unitStart) {
                out.append(SignatureReader.wildcard(.duration, at: units[index]))
                index = end
                continue scan
              }
            }
          }
        }
      case 0x3D:
        out.append(units[index])
        let value = units[index] + 0x1_0000
        index += 1
        switch at(index) {
        case 0, 0x20, 0x2C, 0x3B, 0x29, 0x5D, 0x7D:
          out.append(SignatureReader.wildcard(.any, at: value))
        default:
          for name: StaticString in ["null", "nil", "none", "NULL", "None", "(null)"] {
            if let end = match(name, at: index) {
              out.append(SignatureReader.wildcard(.any, at: value))
              index = end
              continue scan
            }
          }
          if let end = classPath(at: index) {
            hide(index..<end, as: .path)
            index = end
          } else if let end = dottedValue(at: index) {
            hide(index..<end, as: .identifier)
            index = end
          } else if let end = quotedValue(at: index) {
            out.append(units[index])
            hide(index + 1..<end, as: .text)
            index = end
          }
        }
        continue scan
      default:
        if SignatureReader.isWordByte(unit), !SignatureReader.isWordByte(last), !SignatureReader.isWildcard(last) {
          if let end = hexWord(at: index) {
            hide(index..<end, as: .hex)
            index = end
            continue scan
          }
          if let end = hexPair(at: index) {
            hide(index..<end, as: .hex)
            index = end
            continue scan
          }
          if let end = dottedNameBeforePort(at: index) {
            hide(index..<end, as: .address)
            index = end
            continue scan
          }
        }
      }
      out.append(units[index])
      index += 1
    }
    swap(&units, &out)
  }

  /// ` (1.2 KB)` after a number says the same again.
  private func sizeEcho(at open: Int) -> Int? {
    var index = open + 1
    while at(index) == 0x20 { index += 1 }
    guard SignatureReader.isWildcard(at(index)), SignatureReader.mask(of: units[index]) == .number else { return nil }
    index += 1
    while at(index) == 0x20 { index += 1 }
    switch at(index) {
    case 0x4B, 0x4D, 0x47, 0x54, 0x50: index += 1
    default: return nil
    }
    if at(index) == 0x69 { index += 1 }
    guard at(index) == 0x42 else { return nil }
    index += 1
    while at(index) == 0x20 { index += 1 }
    return at(index) == 0x29 ? index + 1 : nil
  }

  /// `com.example/.Main` after `=`.
  private func classPath(at start: Int) -> Int? {
    guard SignatureReader.isWordByte(at(start)) else { return nil }
    var index = start
    var slashes = 0
    var afterSlash = 0
    while true {
      let unit = at(index)
      if unit == 0x2F {
        slashes += 1
      } else if SignatureReader.isWordByte(unit) || unit == 0x2E || unit == 0x24 || SignatureReader.isWildcard(unit) {
        if slashes > 0 { afterSlash += 1 }
      } else {
        break
      }
      index += 1
    }
    return slashes > 0 && afterSlash > 0 ? index : nil
  }

  /// Two hex letters between variables with colons: of a hardware address.
  private func hexPair(at start: Int) -> Int? {
    guard at(start - 1) == 0x3A, at(start + 2) == 0x3A, (at(start) | 0x20) &- 0x61 < 6,
      (at(start + 1) | 0x20) &- 0x61 < 6, SignatureReader.isWildcard(at(start - 2)),
      SignatureReader.isWildcard(at(start + 3))
    else { return nil }
    return start + 2
  }

  /// Eight and more letters that are all hex digits.
  private func hexWord(at start: Int) -> Int? {
    var index = start
    let isCapital = at(start) & 0x20 == 0
    while (at(index) | 0x20) &- 0x61 < 6, (at(index) & 0x20 == 0) == isCapital { index += 1 }
    let next = at(index)
    return index - start >= 8 && !SignatureReader.isWordByte(next) && !SignatureReader.isWildcard(next) ? index : nil
  }

  private static let hostUnitsMax = 255

  /// `db.prod.example` in `db.prod.example:5432`; at the head of a message, a name in small letters without points too.
  private func dottedNameBeforePort(at start: Int) -> Int? {
    var index = start
    var points = 0
    var sawCapital = false
    while index - start < SignatureReader.hostUnitsMax {
      let unit = at(index)
      if unit &- 0x41 < 26 { sawCapital = true }
      if unit == 0x2E, SignatureReader.isLetter(at(index + 1)) {
        points += 1
      } else if !SignatureReader.isLetter(unit) && unit != 0x2D {
        break
      }
      index += 1
    }
    let next = at(index + 1)
    guard points > 0 || (start == 0 && !sawCapital && at(index + 2) == 0x20), at(index) == 0x3A,
      SignatureReader.isWildcard(next),
      SignatureReader.mask(of: next) == .number
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

  static func isGlue(_ unit: Unit) -> Bool {
    switch unit {
    case 0x24, 0x40, 0x23, 0x2D, 0x2E, 0x2B: true
    default: SignatureReader.isWordByte(unit)
    }
  }

  /// `node-<number>`, `<word>.log` and `#<number>` are one wildcard each; a point that ends them stays.
  private mutating func glue() {
    guard units.contains(where: SignatureReader.isWildcard) else { return }
    out.removeAll(keepingCapacity: true)
    var index = 0
    while index < units.count {
      let unit = at(index)
      guard SignatureReader.isWildcard(unit), SignatureReader.gluesNeighbors(SignatureReader.mask(of: unit)) else {
        out.append(units[index])
        index += 1
        continue
      }
      var result = SignatureReader.mask(of: unit)
      var first = units[index]
      while let last = out.last, SignatureReader.isGlue(SignatureReader.value(last)) {
        if SignatureReader.isWordByte(SignatureReader.value(last)) { result = .identifier }
        first = last
        out.removeLast()
      }
      index += 1
      while index < units.count {
        let next = at(index)
        if SignatureReader.isWildcard(next), SignatureReader.gluesNeighbors(SignatureReader.mask(of: next)) {
          if SignatureReader.mask(of: next) != result { result = result == .address ? .address : .identifier }
        } else if next == 0x25 {
        } else if SignatureReader.isGlue(next) {
          if SignatureReader.isWordByte(next) { result = .identifier }
        } else {
          break
        }
        index += 1
      }
      out.append(SignatureReader.wildcard(result, at: first))
      if at(index - 1) == 0x2E { out.append(units[index - 1]) }
    }
    swap(&units, &out)
  }

  /// `<id>/shop/api:<num>`: a host with names after it is one wildcard.
  private mutating func maskReferences() {
    out.removeAll(keepingCapacity: true)
    var index = 0
    while index < units.count {
      let unit = at(index)
      index += 1
      guard SignatureReader.isWildcard(unit),
        SignatureReader.mask(of: unit) == .identifier || SignatureReader.mask(of: unit) == .address,
        at(index) == 0x2F, SignatureReader.isWordByte(at(index + 1))
      else {
        out.append(units[index - 1])
        continue
      }
      let first = units[index - 1]
      index += 1
      while index < units.count {
        let next = at(index)
        let isInner = next == 0x2F || next == 0x3A || next == 0x40
        guard
          SignatureReader.isWildcard(next) || SignatureReader.isGlue(next)
            || isInner && (SignatureReader.isWordByte(at(index + 1)) || SignatureReader.isWildcard(at(index + 1)))
        else { break }
        index += 1
      }
      out.append(SignatureReader.wildcard(.path, at: first))
      if at(index - 1) == 0x2E { out.append(units[index - 1]) }
    }
    swap(&units, &out)
  }

  /// Wildcards with one mark between them are one.
  private mutating func join() {
    out.removeAll(keepingCapacity: true)
    for unit in units {
      if SignatureReader.isWildcard(unit) {
        if let last = out.last, SignatureReader.isWildcard(last) {
          out[out.count - 1] = SignatureReader.joined(last, unit)
          continue
        }
        if out.count >= 2, SignatureReader.isWildcard(out[out.count - 2]) {
          if SignatureReader.joinsVariables(SignatureReader.value(out[out.count - 1])) {
            out.removeLast()
            out[out.count - 1] = SignatureReader.joined(out[out.count - 1], unit)
            continue
          }
        }
      }
      out.append(unit)
    }
    swap(&units, &out)
  }

  /// Marks between two variables that make them one.
  static func joinsVariables(_ value: Unit) -> Bool {
    switch value {
    case 0x2E, 0x3A, 0x2F, 0x40, 0x23, 0x5F, 0x2D: true
    default: false
    }
  }

  private static func joined(_ left: Unit, _ right: Unit) -> Unit {
    wildcard(joined(mask(of: left), mask(of: right)), at: left)
  }

  static func joined(_ left: Mask, _ right: Mask) -> Mask {
    if left == right { return left }
    for mask in [Mask.address, .time, .path] where left == mask || right == mask { return mask }
    return .any
  }

  /// Drops units of measure after a wildcard.
  private mutating func removeUnits() {
    out.removeAll(keepingCapacity: true)
    var index = 0
    scan: while index < units.count {
      out.append(units[index])
      index += 1
      guard SignatureReader.isWildcard(out[out.count - 1]) else { continue }
      let start = at(index) == 0x20 ? index + 1 : index
      let names: [StaticString] = [
        "ms", "msec", "us", "ns", "KB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "PiB", "B", "kHz", "MHz",
        "GHz", "%",
      ]
      for name in names {
        if let end = match(name, at: start) {
          index = end
          continue scan
        }
      }
    }
    swap(&units, &out)
  }

  /// `com.example.app: ...`: a reversed domain that opens the message names who wrote it.
  private mutating func maskOpeningName() {
    var index = 0
    var points = 0
    while true {
      let unit = at(index)
      if unit == 0x2E, SignatureReader.isLetter(at(index + 1)), index >= 2 {
        points += 1
      } else if unit == 0x2D || unit == 0x5F {
        if points == 0 { return }
      } else if points == 0 ? unit &- 0x61 >= 26 : !SignatureReader.isLetter(unit) {
        break
      }
      index += 1
    }
    guard points >= 2 else { return }
    switch at(index) {
    case 0x3A, 0x20, 0x09, 0x5B, 0x28:
      out.removeAll(keepingCapacity: true)
      hide(0..<index, as: .identifier)
      units.replaceSubrange(0..<index, with: out)
    default: return
    }
  }

  /// Makes the literal units in `range` a variable.
  private mutating func hide(_ range: Range<Int>, as mask: Mask) {
    guard !range.isEmpty else { return }
    out.append(SignatureReader.wildcard(mask, at: units[range.lowerBound]))
    hide(
      places: SignatureReader.place(units[range.lowerBound])...SignatureReader.place(units[range.upperBound - 1]), mask)
  }

  /// A name of three and more parts after `=`, as of a package or class.
  private func dottedValue(at start: Int) -> Int? {
    var index = start
    var points = 0
    while true {
      let unit = at(index)
      if unit == 0x2E, index > start, SignatureReader.isLetter(at(index + 1)) {
        points += 1
      } else if !SignatureReader.isWordByte(unit) && unit != 0x24 {
        break
      }
      index += 1
    }
    return points >= 2 && !SignatureReader.isWildcard(at(index)) ? index : nil
  }

  private static let quotedValueUnitsMax = 128

  /// The closing quote of a value in quotes that opens at `open`, but for one that is the message.
  private func quotedValue(at open: Int) -> Int? {
    guard at(open) == 0x22, !isMessageKey(before: open - 1) else { return nil }
    var index = open + 1
    while index < units.count, index - open < SignatureReader.quotedValueUnitsMax {
      if at(index) == 0x22 { return index > open + 1 ? index : nil }
      index += at(index) == 0x5C ? 2 : 1
    }
    return nil
  }

  private func isMessageKey(before equals: Int) -> Bool {
    let keys: [StaticString] = [
      "msg", "message", "err", "error", "reason", "cause", "text", "event", "detail", "title", "exception", "warning",
    ]
    return keys.contains { key in
      let start = equals - key.utf8CodeUnitCount
      return start >= 0 && !SignatureReader.isWordByte(at(start - 1)) && match(key, at: start) == equals
    }
  }
}
