/// Which lines belong to the record that the line before them opened.
enum MultilineJoiner {
  /// Lines and bytes of one record: a trace of a deep recursion is cut here and the rest starts a record of its own.
  static let lineCountMax = 512
  static let byteCountMax = 256 << 10

  /// Whether `line`, which has no time of its own, goes on with `message`: indented, or a line of a stack trace of
  /// Java, Python, Go, JavaScript or Ruby.
  static func continues(_ line: UnsafeBufferPointer<UInt8>, message: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = line.first else { return false }
    if first == 0x20 || first == 0x09 { return true }
    let reader = ByteReader(line)
    let openers: [StaticString] = [
      "at ", "Caused by:", "Suppressed:", "... ", "Traceback (most recent call last)", "File \"",
      "During handling of the above",
      "The above exception was", "created by ", "goroutine ", "[signal ", "from /",
    ]
    if openers.contains(where: { reader.hasPrefix($0) }) { return true }
    // `ValueError: …` closes Python's trace, `java.io.IOException: …` opens Java's.
    var reading = reader
    while isWordByte(reading.peek()) || reading.peek() == UInt8(ascii: ".") || reading.peek() == UInt8(ascii: "$") {
      reading.index += 1
    }
    let name = line.part(0..<reading.index)
    guard name.count > 5, reading.isAtEnd || reading.peek() == UInt8(ascii: ":") else {
      return opensGoTrace(line, message)
    }
    func ends(_ suffix: StaticString) -> Bool {
      name.count >= suffix.utf8CodeUnitCount
        && ByteReader(name, at: name.count - suffix.utf8CodeUnitCount).hasPrefix(suffix)
    }
    return ends("Exception") || ends("Error") || ends("Throwable") || opensGoTrace(line, message)
  }

  /// A frame of Go's trace: `main.main()` and `main.(*T).run(0x1, …)` after `goroutine 1 [running]:`.
  private static func opensGoTrace(_ line: UnsafeBufferPointer<UInt8>, _ message: UnsafeBufferPointer<UInt8>) -> Bool {
    guard line[line.count - 1] == UInt8(ascii: ")"), isLetter(line[0]), !line.contains(0x20) || line.contains(0x28)
    else {
      return false
    }
    var start = 0
    while start < message.count {
      let reader = ByteReader(message, at: start)
      if reader.hasPrefix("goroutine ") { return true }
      while start < message.count, message[start] != 0x0A { start += 1 }
      start += 1
    }
    return false
  }
}
