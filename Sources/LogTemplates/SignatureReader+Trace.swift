/// Stack traces: their pattern is the line that opens them and where they come from, not the way there.
extension SignatureReader {
  /// Puts `at <class>` in place of the lines of a trace after the first. Leaves alone what is no trace.
  mutating func cutTrace() {
    guard let head = units.firstIndex(of: 0x0A) else { return }
    var line = head + 1
    var origin: Range<Int>?
    while line < units.count {
      var end = line
      while end < units.count, units[end] != 0x0A { end += 1 }
      if let found = javaClass(line..<end) ?? goFunction(line..<end, after: head) {
        origin = found
        break
      }
      // Python prints the innermost call last.
      if let found = pythonFunction(line..<end) { origin = found }
      line = end + 1
    }
    guard let origin else { return }
    units.replaceSubrange(head..., with: [0x20, 0x61, 0x74, 0x20] + units[origin])
  }

  private func skipBlanks(_ line: Range<Int>) -> Int {
    var index = line.lowerBound
    while index < line.upperBound, SignatureReader.isSpace(at(index)) { index += 1 }
    return index
  }

  /// `com.example.Shop` of `at com.example.Shop.charge(Shop.java:12)`; of `at charge (shop.js:1:2)` its `charge`.
  private func javaClass(_ line: Range<Int>) -> Range<Int>? {
    let start = skipBlanks(line)
    guard at(start) == 0x61, at(start + 1) == 0x74, at(start + 2) == 0x20 else { return nil }
    var end = start + 3
    var lastPoint = -1
    while end < line.upperBound, at(end) != 0x28, at(end) != 0x20 {
      if at(end) == 0x2E { lastPoint = end }
      end += 1
    }
    guard at(end) == 0x28 || at(end + 1) == 0x28 else { return nil }
    return start + 3..<(at(end) == 0x28 && lastPoint > start + 3 ? lastPoint : end)
  }

  /// `charge` of `File "shop.py", line 12, in charge`.
  private func pythonFunction(_ line: Range<Int>) -> Range<Int>? {
    let start = skipBlanks(line)
    guard match("File", at: start) != nil, let comma = units[line].lastIndex(of: 0x2C), at(comma + 1) == 0x20,
      let name = match("in", at: comma + 2), name + 1 < line.upperBound
    else { return nil }
    return name + 1..<line.upperBound
  }

  /// `main.charge` of `main.charge(0x1, 0x2)`, the line after `goroutine 1 [running]:`.
  private func goFunction(_ line: Range<Int>, after head: Int) -> Range<Int>? {
    var before = line.lowerBound - 1
    while before > 0, at(before - 1) != 0x0A { before -= 1 }
    guard match("goroutine", at: before) != nil, let open = units[line].lastIndex(of: 0x28), open > line.lowerBound
    else { return nil }
    return line.lowerBound..<open
  }
}
