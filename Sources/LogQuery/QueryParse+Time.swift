import Domain

extension QueryParse {
  /// What stands behind `_time:`.
  mutating func timeFilter() throws(QueryError) -> Filter {
    let instant: Int64 = 1
    if isKeyword("day_range") { return try dayRange() }
    if isKeyword("week_range") { return try weekRange() }
    if isSymbol("*") {
      try lexer.advance()
      return .all
    }
    if isKeyword("offset") {
      let shift = try offset()
      return .time(TimeRange(start: TimeRange.all.start, end: now.advanced(byNanoseconds: instant).moved(back: shift)))
    }
    if isSymbol(">") || isSymbol("<") {
      var isGreater = isSymbol(">")
      try lexer.advance()
      var isInclusive = false
      if isAdjacent("=") {
        isInclusive = true
        try lexer.advance()
      }
      let point = try timePoint()
      // `>5m` is older than five minutes: an age, not a time.
      if point.isAge { isGreater.toggle() }
      let range =
        isGreater
        ? TimeRange(start: isInclusive ? point.range.start : point.range.end, end: TimeRange.all.end)
        : TimeRange(start: TimeRange.all.start, end: isInclusive ? point.range.end : point.range.start)
      return .time(try shifted(range))
    }
    if isSymbol("[") || isSymbol("(") {
      let includesStart = isSymbol("[")
      try lexer.advance()
      let first = try timePoint()
      try expect(",")
      let last = try timePoint()
      let includesEnd = isSymbol("]")
      guard try accept(oneOf: "]", ")") else { throw unexpected(expected: "`]` or `)`") }
      let range = TimeRange(
        start: includesStart ? first.range.start : first.range.end, end: includesEnd ? last.range.end : last.range.start
      )
      return .time(try shifted(range))
    }
    _ = try accept("=")
    let point = try timePoint()
    if point.isAge {
      // `(now-5m, now]`
      let range = TimeRange(start: point.range.end, end: now.advanced(byNanoseconds: instant))
      return .time(try shifted(range))
    }
    return .time(try shifted(point.range))
  }

  private mutating func shifted(_ range: TimeRange) throws(QueryError) -> TimeRange {
    let shift = try offset()
    if shift == 0 { return range }
    return TimeRange(
      start: range.start == TimeRange.all.start ? range.start : range.start.moved(back: shift),
      end: range.end == TimeRange.all.end ? range.end : range.end.moved(back: shift))
  }

  /// `offset 1h`, if it is there.
  private mutating func offset() throws(QueryError) -> Int64 {
    guard isKeyword("offset"), case .word = try lexer.peek().kind else {
      guard isKeyword("offset"), try lexer.peek().kind == .symbol("-") else { return 0 }
      try lexer.advance()
      return try duration("a duration such as `1h`")
    }
    try lexer.advance()
    return try duration("a duration such as `1h`")
  }

  /// A time as people write it, with the period it covers.
  private mutating func timePoint() throws(QueryError) -> (range: TimeRange, isAge: Bool) {
    let column = token.column
    let text = try value("a time such as `2024-01-02`, or a duration such as `5m`")
    guard let point = QueryParse.timePoint(text, now: now) else {
      throw error(
        "`\(String(decoding: text, as: UTF8.self))` is no time", at: column,
        expected: "a duration such as `5m`, or a time such as `2024-01-02T10:20:30Z`")
    }
    return point
  }

  private static func timePoint(_ text: [UInt8], now: Timestamp) -> (range: TimeRange, isAge: Bool)? {
    func moment(_ time: Timestamp) -> TimeRange { TimeRange(start: time, end: time.advanced(byNanoseconds: 1)) }

    return text.withUnsafeBufferPointer { bytes in
      if text.count == 4, let period = TimePeriod(bytes) { return (period.range, false) }
      if let number = FieldNumber.plain(bytes), number >= 0 {
        // Seconds, milliseconds, microseconds or nanoseconds since 1970, by size.
        let unit: Double = number < 1e11 ? 1e9 : number < 1e14 ? 1e6 : number < 1e17 ? 1e3 : 1
        if unit == 1 || !text.contains(UInt8(ascii: ".")), let whole = Int64(String(decoding: text, as: UTF8.self)) {
          let (product, overflow) = whole.multipliedReportingOverflow(by: Int64(unit))
          return overflow ? nil : (moment(Timestamp(nanoseconds: product)), false)
        }
        let nanoseconds = (number * unit).rounded()
        return nanoseconds < 9.2e18 ? (moment(Timestamp(nanoseconds: Int64(nanoseconds))), false) : nil
      }
      if let age = FieldNumber.duration(bytes) {
        // `-5m` is five minutes ago as well.
        let back = age < 0 ? -age : age
        return (moment(now.moved(back: back)), true)
      }
      let word = String(decoding: bytes, as: UTF8.self).lowercased()
      if word == "now" { return (moment(now), false) }
      if word.hasPrefix("now-") || word.hasPrefix("now+") {
        let rest = Array(text.dropFirst(4))
        guard let shift = rest.withUnsafeBufferPointer(FieldNumber.duration) else { return nil }
        return (moment(word.hasPrefix("now-") ? now.moved(back: shift) : now.advanced(byNanoseconds: shift)), false)
      }
      return TimePeriod(bytes).map { ($0.range, false) }
    }
  }

  /// `day_range[08:00, 18:00) offset 2h`
  private mutating func dayRange() throws(QueryError) -> Filter {
    try lexer.advance()
    let includesStart = isSymbol("[")
    guard try accept(oneOf: "[", "(") else { throw unexpected(expected: "`[` or `(`") }
    var first = try timeOfDay()
    try expect(",")
    var last = try timeOfDay()
    let includesEnd = isSymbol("]")
    guard try accept(oneOf: "]", ")") else { throw unexpected(expected: "`]` or `)`") }
    if !includesStart { first += 1 }
    if !includesEnd { last -= 1 }
    let offset = try offset()
    if first <= last { return .timeOfDay(first: first, last: last, offset: offset) }
    // Over midnight.
    return .or([
      .timeOfDay(first: first, last: 86_400_000_000_000, offset: offset),
      .timeOfDay(first: 0, last: last, offset: offset),
    ])
  }

  /// `hh:mm` or `hh:mm:ss`; nanoseconds since midnight.
  private mutating func timeOfDay() throws(QueryError) -> Int64 {
    let column = token.column
    let text = try text("a time of day such as `08:00`")
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map {
      $0.utf8.count <= 2 ? UInt8($0) : nil
    }
    let limits: [UInt8] = [24, 59, 59]
    guard parts.count == 2 || parts.count == 3,
      zip(parts, limits).allSatisfy({ part, limit in part.map { $0 <= limit } ?? false })
    else { throw error("`\(text)` is no time of day", at: column, expected: "a time such as `08:00`") }
    let seconds = zip(parts, [3600, 60, 1] as [Int64]).reduce(Int64(0)) { $0 + Int64($1.0 ?? 0) * $1.1 }
    guard seconds <= 86_400 else {
      throw error("`\(text)` is no time of day", at: column, expected: "a time up to `24:00`")
    }
    return seconds * 1_000_000_000
  }

  /// `week_range[Mon, Fri] offset 2h`
  private mutating func weekRange() throws(QueryError) -> Filter {
    try lexer.advance()
    let includesStart = isSymbol("[")
    guard try accept(oneOf: "[", "(") else { throw unexpected(expected: "`[` or `(`") }
    let first = try weekday()
    try expect(",")
    let last = try weekday()
    let includesEnd = isSymbol("]")
    guard try accept(oneOf: "]", ")") else { throw unexpected(expected: "`]` or `)`") }
    var days = Set<Int>()
    var day = first
    while true {
      days.insert(day)
      if day == last { break }
      day = (day + 1) % 7
    }
    if !includesStart { days.remove(first) }
    if !includesEnd { days.remove(last) }
    return .dayOfWeek(days: days, offset: try offset())
  }

  private mutating func weekday() throws(QueryError) -> Int {
    let column = token.column
    let text = try text("a day of the week such as `Mon`")
    let names = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    let lower = text.lowercased()
    guard let day = names.firstIndex(where: { $0 == lower || $0.prefix(3) == lower }) else {
      throw error("`\(text)` is no day of the week", at: column, expected: "a day such as `Mon` or `Monday`")
    }
    return day
  }
}

extension Timestamp {
  /// Earlier by `nanoseconds`, saturating.
  fileprivate func moved(back nanoseconds: Int64) -> Timestamp {
    let (difference, overflow) = self.nanoseconds.subtractingReportingOverflow(nanoseconds)
    return Timestamp(nanoseconds: overflow ? (nanoseconds > 0 ? .min : .max) : difference)
  }
}
