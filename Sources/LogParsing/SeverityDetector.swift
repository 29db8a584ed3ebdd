package import Domain

/// How serious a record is, from what its sender said.
///
/// A level field is believed first. Without one the message is read: first for a level that is written as such
/// (`[error]`, `WARN`, `level=info`, klog's letter, a status code of an access log), then for words that tell of
/// trouble. What says nothing is `.unknown`, never a guess.
package enum SeverityDetector {
  /// How the numbers of a level field are meant.
  enum Numbers {
    /// 0 to 7, emergency first; with 10 and more, the tens of bunyan and pino.
    case syslogOrTens
    /// 0 to 7, emergency first, perhaps under a facility (up to 191).
    case syslog
    /// Python's: 10 debug to 50 critical.
    case python
    /// OpenTelemetry's: 1 to 24, four a level.
    case openTelemetry
  }

  /// From a field that by its name holds a level; nil if the name does not or the value is no level.
  ///
  /// Of several such fields the one that comes first in the record counts.
  package static func severity(
    fieldName: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
  ) -> Severity? {
    guard let numbers = numbers(fieldName: fieldName) else { return nil }
    return severity(level: value, numbers: numbers)
  }

  /// From a level's own text: a word in any case, a letter, or a number from 0 to 7 or in tens.
  package static func severity(level: UnsafeBufferPointer<UInt8>) -> Severity? {
    severity(level: level, numbers: .syslogOrTens)
  }

  /// Names are compared without case.
  static func numbers(fieldName name: UnsafeBufferPointer<UInt8>) -> Numbers? {
    switch name.count {
    case 3: name.equals(folded: "lvl") ? .syslogOrTens : nil
    case 5: name.equals(folded: "level") ? .syslogOrTens : nil
    case 6: name.equals(folded: "@level") ? .syslogOrTens : nil
    case 7: name.equals(folded: "levelno") ? .python : nil
    case 8:
      name.equals(folded: "severity") || name.equals(folded: "loglevel")
        ? .syslogOrTens : name.equals(folded: "priority") ? .syslog : nil
    case 9:
      name.equals(folded: "log.level") || name.equals(folded: "log_level") || name.equals(folded: "levelname")
        ? .syslogOrTens : nil
    case 10: name.equals(folded: "level_name") ? .syslogOrTens : nil
    case 12: name.equals(folded: "severitytext") ? .syslogOrTens : nil
    case 13: name.equals(folded: "severity_text") ? .syslogOrTens : nil
    case 14:
      name.equals(folded: "metadata.level")
        ? .syslogOrTens : name.equals(folded: "severitynumber") ? .openTelemetry : nil
    case 15:
      name.equals(folded: "severity_number")
        ? .openTelemetry
        : name.equals(folded: "syslog_severity") || name.equals(folded: "syslog.severity") ? .syslog : nil
    case 17: name.equals(folded: "metadata.severity") ? .syslogOrTens : nil
    default: nil
    }
  }

  static func severity(level value: UnsafeBufferPointer<UInt8>, numbers: Numbers) -> Severity? {
    var start = 0
    var end = value.count
    while start < end, !isWordByte(value[start]) { start += 1 }
    while end > start, !isWordByte(value[end - 1]) { end -= 1 }
    guard start < end, end - start <= 24 else { return nil }
    let word = value.part(start..<end)
    if isDigit(word[0]) {
      guard word.count <= 3 else { return nil }
      var number = 0
      for byte in word {
        guard isDigit(byte) else { return nil }
        number = number * 10 + Int(byte & 0x0F)
      }
      return severity(number: number, numbers: numbers)
    }
    if word.count == 1 { return severity(letter: word[0]) }
    if let severity = severity(word: word) { return severity }
    // Words that are a level only where one is expected.
    switch word.count {
    case 2: return word.equals(folded: "ok") ? .info : nil
    case 3: return word.equals(folded: "log") ? .info : nil
    case 4: return word.equals(folded: "fine") ? .debug : word.equals(folded: "fail") ? .error : nil
    case 5: return word.equals(folded: "finer") || word.equals(folded: "silly") ? .trace : nil
    case 6:
      return word.equals(folded: "finest")
        ? .trace
        : word.equals(folded: "config")
          ? .debug : word.equals(folded: "normal") ? .info : word.equals(folded: "failed") ? .error : nil
    case 7: return word.equals(folded: "success") ? .info : nil
    default: return nil
    }
  }

  static func severity(number: Int, numbers: Numbers) -> Severity? {
    switch numbers {
    case .syslogOrTens where number >= 10:
      // pino and bunyan: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal.
      switch number {
      case ..<20: return .trace
      case ..<30: return .debug
      case ..<40: return .info
      case ..<50: return .warning
      case ..<60: return .error
      case ...100: return .critical
      default: return nil
      }
    case .syslogOrTens, .syslog:
      guard number <= 191, numbers == .syslog || number < 8 else { return nil }
      switch number & 7 {
      case 0...2: return .critical
      case 3: return .error
      case 4: return .warning
      case 5, 6: return .info
      default: return .debug
      }
    case .python:
      switch number {
      case 1..<10: return .trace
      case 10..<20: return .debug
      case 20..<30: return .info
      case 30..<40: return .warning
      case 40..<50: return .error
      case 50...100: return .critical
      default: return nil
      }
    case .openTelemetry:
      switch number {
      case 1...4: return .trace
      case 5...8: return .debug
      case 9...12: return .info
      case 13...16: return .warning
      case 17...20: return .error
      case 21...24: return .critical
      default: return nil
      }
    }
  }

  static func severity(letter: UInt8) -> Severity? {
    switch asciiLowercased(letter) {
    case UInt8(ascii: "t"), UInt8(ascii: "v"): .trace
    case UInt8(ascii: "d"): .debug
    case UInt8(ascii: "i"), UInt8(ascii: "n"): .info
    case UInt8(ascii: "w"): .warning
    case UInt8(ascii: "e"): .error
    case UInt8(ascii: "f"), UInt8(ascii: "c"), UInt8(ascii: "a"): .critical
    default: nil
    }
  }

  /// Words that are a level wherever they are marked as one, in any case.
  static func severity(word: UnsafeBufferPointer<UInt8>) -> Severity? {
    switch word.count {
    case 3:
      word.equals(folded: "err")
        ? .error
        : word.equals(folded: "inf")
          ? .info
          : word.equals(folded: "wrn")
            ? .warning
            : word.equals(folded: "dbg")
              ? .debug : word.equals(folded: "trc") ? .trace : word.equals(folded: "ftl") ? .critical : nil
    case 4:
      word.equals(folded: "info")
        ? .info : word.equals(folded: "warn") ? .warning : word.equals(folded: "crit") ? .critical : nil
    case 5:
      word.equals(folded: "error")
        ? .error
        : word.equals(folded: "debug")
          ? .debug
          : word.equals(folded: "trace")
            ? .trace
            : word.equals(folded: "fatal") || word.equals(folded: "panic") || word.equals(folded: "alert")
              || word.equals(folded: "emerg") ? .critical : nil
    case 6:
      word.equals(folded: "notice")
        ? .info : word.equals(folded: "severe") ? .error : word.equals(folded: "dpanic") ? .critical : nil
    case 7:
      word.equals(folded: "warning")
        ? .warning : word.equals(folded: "verbose") ? .trace : word.equals(folded: "failure") ? .error : nil
    case 8: word.equals(folded: "critical") ? .critical : nil
    case 9: word.equals(folded: "emergency") ? .critical : nil
    case 11: word.equals(folded: "information") ? .info : nil
    case 13: word.equals(folded: "informational") ? .info : nil
    default: nil
    }
  }

  // MARK: Messages

  /// Bytes in which a level that is written as such is looked for: time, host, process and thread come before it.
  private static let headByteCount = 256
  /// Bytes of a message that are read at all.
  private static let scanByteCountMax = 4096

  /// From a message: a level written as such, else the worst of the words that tell of trouble.
  ///
  /// - Complexity: One pass over at most 4 KiB; no allocation.
  package static func severity(message: UnsafeBufferPointer<UInt8>) -> Severity {
    let text = message.part(0..<min(message.count, scanByteCountMax))
    if let severity = leadingLetter(text) { return severity }
    var worst = Severity.unknown
    var index = 0
    var previousWord = 0..<0
    while index < text.count {
      guard isWordByte(text[index]) else {
        index += 1
        continue
      }
      let start = index
      while index < text.count, isWordByte(text[index]) { index += 1 }
      let range = start..<index
      let word = text.part(range)
      if let severity = marked(word, at: range, in: text, previousWord: previousWord) { return severity }
      if let severity = trouble(word, at: range, in: text, previousWord: previousWord), severity > worst {
        worst = severity
      }
      previousWord = range
    }
    return worst
  }

  /// klog's `E0102 15:04:05…` and Android's brief `E/Tag( 123): …`.
  private static func leadingLetter(_ text: UnsafeBufferPointer<UInt8>) -> Severity? {
    guard text.count >= 6 else { return nil }
    let letter = text[0]
    switch letter {
    case UInt8(ascii: "I"), UInt8(ascii: "W"), UInt8(ascii: "E"), UInt8(ascii: "F"):
      if isDigit(text[1]), isDigit(text[2]), isDigit(text[3]), isDigit(text[4]), text[5] == 0x20 {
        return severity(letter: letter)
      }
      fallthrough
    case UInt8(ascii: "V"), UInt8(ascii: "D"):
      guard text[1] == UInt8(ascii: "/"), isLetter(text[2]) else { return nil }
      // A path such as `D/a/b` has no `(pid):` or `: ` close by.
      for index in 3..<min(text.count - 1, 64)
      where text[index] == UInt8(ascii: ":") || text[index] == UInt8(ascii: "(") {
        return text[index] == UInt8(ascii: "(") || text[index + 1] == 0x20 ? severity(letter: letter) : nil
      }
      return nil
    default: return nil
    }
  }

  /// The level that `word` states, by where and how it is written.
  @inline(__always)
  private static func marked(
    _ word: UnsafeBufferPointer<UInt8>, at range: Range<Int>, in text: UnsafeBufferPointer<UInt8>,
    previousWord: Range<Int>
  ) -> Severity? {
    let before = range.lowerBound > 0 ? text[range.lowerBound - 1] : 0x20
    let after = range.upperBound < text.count ? text[range.upperBound] : 0x20
    // level=error, "level":"error", "level":50
    if after == UInt8(ascii: "=") || (after == UInt8(ascii: "\"") && before == UInt8(ascii: "\"")) {
      if let severity = keyed(word, from: range.upperBound, in: text) { return severity }
    }
    guard range.lowerBound < headByteCount else {
      return word.count == 4 ? accessStatus(word, at: range, in: text) : nil
    }
    if word.count == 1 {
      // Android's columns: date, time, pid, tid, letter, tag.
      guard before == 0x20, after == 0x20, isDigit(text[0]), !previousWord.isEmpty,
        isDigit(text[previousWord.lowerBound]),
        text[previousWord.upperBound] == 0x20, range.lowerBound - previousWord.upperBound <= 2, range.lowerBound >= 20,
        [
          UInt8(ascii: "V"), UInt8(ascii: "D"), UInt8(ascii: "I"), UInt8(ascii: "W"), UInt8(ascii: "E"),
          UInt8(ascii: "F"),
        ]
        .contains(word[0])
      else { return nil }
      return severity(letter: word[0])
    }
    guard isLetter(word[0]) else { return nil }
    if word.count == 4, let severity = accessStatus(word, at: range, in: text) { return severity }
    guard word.count <= 13, let level = severity(word: word) else {
      return postgresLog(word, before: before, after: after)
    }
    if word.count >= 3, isUppercase(word) {
      // ERROR as a word of its own; not in NOT_AN_ERROR, X-ERROR or ERROR=0.
      let isOpen = before != UInt8(ascii: "-") && before != UInt8(ascii: "/") && before != UInt8(ascii: ".")
      let isClosed = after != UInt8(ascii: "-") && after != UInt8(ascii: "/") && after != UInt8(ascii: "=")
      return isOpen && isClosed ? level : nil
    }
    switch (before, after) {
    case (UInt8(ascii: "["), UInt8(ascii: "]")), (UInt8(ascii: "<"), UInt8(ascii: ">")),
      (UInt8(ascii: "|"), UInt8(ascii: "|")),
      (UInt8(ascii: "("), UInt8(ascii: ")")), (UInt8(ascii: ":"), UInt8(ascii: "]")):
      return level
    case (0x20, UInt8(ascii: ":")), (0x09, UInt8(ascii: ":")):
      // `error:` at the start or after what may be a frame (`sshd[7]: error: …`), not in the middle of a sentence.
      guard range.lowerBound >= 2 else { return level }
      var place = range.lowerBound - 1
      while place > 0, text[place] == 0x20 || text[place] == 0x09 { place -= 1 }
      let mark = text[place]
      return mark == UInt8(ascii: ":") || mark == UInt8(ascii: "]") || mark == UInt8(ascii: "-") || isDigit(mark)
        ? level : nil
    case (0x20, 0x20), (0x20, UInt8(ascii: "\t")):
      // `2016-09-28 04:30:30, Info    CBS`
      return range.lowerBound >= 2 && text[range.lowerBound - 2] == UInt8(ascii: ",") && isDigit(text[0]) ? level : nil
    default:
      return nil
    }
  }

  /// PostgreSQL and java.util.logging: `LOG:`, `FINE:`, `STATEMENT:` are levels only in capitals before a colon.
  private static func postgresLog(_ word: UnsafeBufferPointer<UInt8>, before: UInt8, after: UInt8) -> Severity? {
    guard after == UInt8(ascii: ":"), before == 0x20, isUppercase(word) else { return nil }
    if word.equals(folded: "log") || word.equals(folded: "hint") || word.equals(folded: "statement") { return .info }
    if word.equals(folded: "fine") || word.equals(folded: "config") { return .debug }
    return word.equals(folded: "finer") || word.equals(folded: "finest") ? .trace : nil
  }

  /// The value of `word` as a key: `level=error`, `"level":"error"`.
  private static func keyed(
    _ word: UnsafeBufferPointer<UInt8>, from end: Int, in text: UnsafeBufferPointer<UInt8>
  ) -> Severity? {
    guard let numbers = numbers(fieldName: word) else { return nil }
    var reader = ByteReader(text, at: end)
    let isJSON = reader.take("\"")
    if isJSON {
      reader.skipBlanks()
      guard reader.take(":") else { return nil }
      reader.skipBlanks()
    } else {
      guard reader.take("=") else { return nil }
    }
    _ = reader.take("\"")
    let start = reader.index
    while isWordByte(reader.peek()) { reader.index += 1 }
    return severity(level: text.part(start..<reader.index), numbers: numbers)
  }

  /// `"GET / HTTP/1.1" 502 …`: 5xx is an error, 4xx a warning, what is below is information.
  private static func accessStatus(
    _ word: UnsafeBufferPointer<UInt8>, at range: Range<Int>, in text: UnsafeBufferPointer<UInt8>
  ) -> Severity? {
    var reader = ByteReader(text, at: range.lowerBound)
    guard reader.hasPrefix("HTTP/") else { return nil }
    reader.index += 5
    guard reader.number(1) != nil else { return nil }
    if reader.take(".") { guard reader.number(1) != nil else { return nil } }
    guard reader.take("\""), reader.take(0x20), reader.digitCount() == 3, let status = reader.number(3) else {
      return nil
    }
    switch status {
    case 100..<400: return .info
    case 400..<500: return .warning
    case 500..<600: return .error
    default: return nil
    }
  }

  /// What a word of prose tells, unless it is taken back: `no error`, `0 errors`, `failed=0`, `non-fatal`.
  @inline(__always)
  private static func trouble(
    _ word: UnsafeBufferPointer<UInt8>, at range: Range<Int>, in text: UnsafeBufferPointer<UInt8>,
    previousWord: Range<Int>
  ) -> Severity? {
    guard word.count >= 5, let severity = troubleWord(word, at: range, in: text) else { return nil }
    if !previousWord.isEmpty, range.lowerBound - previousWord.upperBound <= 2 {
      let previous = text.part(previousWord)
      if previous.equals(folded: "no") || previous.equals(folded: "0") || previous.equals(folded: "non")
        || previous.equals(folded: "without") || previous.equals(folded: "not") || previous.equals(folded: "zero")
      {
        return nil
      }
    }
    // `NullPointerException: null` is no less of one.
    if camelTrouble(word) != nil { return severity }
    var reader = ByteReader(text, at: range.upperBound)
    _ = reader.take("\"")
    if reader.take("=") || reader.take(":") {
      reader.skipBlanks()
      if reader.peek() == UInt8(ascii: "0"), !isWordByte(reader.peek(1)), reader.peek(1) != UInt8(ascii: ".") {
        return nil
      }
      if reader.hasPrefix(folded: "false") || reader.hasPrefix(folded: "none") || reader.hasPrefix(folded: "null")
        || reader.hasPrefix(folded: "nil") || reader.hasPrefix("\"\"")
      {
        return nil
      }
    }
    return severity
  }

  private static func troubleWord(
    _ word: UnsafeBufferPointer<UInt8>, at range: Range<Int>, in text: UnsafeBufferPointer<UInt8>
  ) -> Severity? {
    switch word.count {
    case 5:
      if word.equals(folded: "error") { return .error }
      if word.equals(folded: "fatal") || word.equals(folded: "panic") { return .critical }
      // `timed out` is one word too many for a word.
      if word.equals(folded: "timed"), ByteReader(text, at: range.upperBound).hasPrefix(folded: " out") {
        return .warning
      }
      return nil
    case 6:
      return word.equals(folded: "failed") || word.equals(folded: "errors") ? .error : nil
    case 7:
      if word.equals(folded: "failure") || word.equals(folded: "crashed") || word.equals(folded: "aborted") {
        return .error
      }
      return word.equals(folded: "timeout") || word.equals(folded: "warning") || word.equals(folded: "refused")
        ? .warning : nil
    case 8:
      if word.equals(folded: "panicked") || word.equals(folded: "segfault") { return .critical }
      return word.equals(folded: "failures") ? .error : nil
    case 9:
      if word.equals(folded: "exception") || word.equals(folded: "traceback") { return .error }
      if word.equals(folded: "oomkilled") { return .critical }
      return word.equals(folded: "throttled") ? .warning : camelTrouble(word)
    case 10: return word.equals(folded: "deprecated") ? .warning : camelTrouble(word)
    case 11:
      return word.equals(folded: "unreachable") || word.equals(folded: "unavailable") ? .warning : camelTrouble(word)
    default: return camelTrouble(word)
    }
  }

  /// `NullPointerException`, `TypeError`: the name of a class of errors.
  private static func camelTrouble(_ word: UnsafeBufferPointer<UInt8>) -> Severity? {
    guard word[0] &- 0x41 < 26 else { return nil }
    func ends(_ suffix: StaticString) -> Bool {
      word.count > suffix.utf8CodeUnitCount
        && ByteReader(word, at: word.count - suffix.utf8CodeUnitCount).hasPrefix(suffix)
    }
    return ends("Exception") || ends("Error") ? .error : nil
  }

  private static func isUppercase(_ word: UnsafeBufferPointer<UInt8>) -> Bool {
    for byte in word where byte &- 0x41 >= 26 { return false }
    return true
  }
}
