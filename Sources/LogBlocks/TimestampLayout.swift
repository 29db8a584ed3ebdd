internal import CKernels
internal import Domain

// TIMESTAMP LAYOUT, as stored: one byte a piece; bytes from 0x20 to 0x7E stand for themselves, the others are
//    1 year, 4 digits           6 minute, 2 digits
//    2 month, 2 digits          7 second, 2 digits
//    3 day, 2 digits            8 month, 3 English letters (Jan)
//    4 day, space for the zero  9 weekday, 3 English letters (Sun)
//    5 hour, 2 digits          10 seconds since 1970, 10 digits
//   0x10 + n fraction of the second, n digits, n in 1...9

/// How a column's timestamps are written, so that they can be stored as their distance from their records' times:
/// mostly 0 or the offset of a time zone.
struct TimestampLayout {
  private enum Piece {
    static let year: UInt8 = 1
    static let month: UInt8 = 2
    static let day: UInt8 = 3
    static let paddedDay: UInt8 = 4
    static let hour: UInt8 = 5
    static let minute: UInt8 = 6
    static let second: UInt8 = 7
    static let monthName: UInt8 = 8
    static let weekdayName: UInt8 = 9
    static let epochSeconds: UInt8 = 10
    static let fraction: UInt8 = 0x10
  }

  private static let monthNames = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)
  /// 1970-01-01 was a Thursday.
  private static let weekdayNames = Array("ThuFriSatSunMonTueWed".utf8)
  /// Years that fit 64 bits of nanoseconds with room to spare.
  private static let years = 1700...2200

  let pieces: [UInt8]
  /// Every text of this layout is this long.
  let byteCount: Int
  /// Digits of the fraction of a second.
  private let places: Int
  /// Units a second: 10^places.
  private let unitsPerSecond: Int64
  private let nanosecondsPerUnit: Int64
  private let hasYear: Bool
  private let hasDate: Bool

  /// Nil if `pieces` is no layout.
  init?(pieces: [UInt8]) {
    var byteCount = 0
    var places = 0
    for piece in pieces {
      switch piece {
      case 1: byteCount += 4
      case 2...7: byteCount += 2
      case 8, 9: byteCount += 3
      case 10: byteCount += 10
      case 0x11...0x19:
        guard places == 0 else { return nil }
        places = Int(piece & 0x0F)
        byteCount += places
      case 0x20...0x7E: byteCount += 1
      default: return nil
      }
    }
    self.pieces = pieces
    self.byteCount = byteCount
    self.places = places
    unitsPerSecond = TimestampLayout.power(places)
    nanosecondsPerUnit = TimestampLayout.power(9 - places)
    hasYear = pieces.contains(Piece.year)
    hasDate = pieces.contains(Piece.month) || pieces.contains(Piece.monthName)
  }

  private static func power(_ exponent: Int) -> Int64 { (0..<exponent).reduce(1) { power, _ in power * 10 } }

  // MARK: - Finding one

  /// The layouts that `text` may be written in, the likelier first.
  ///
  /// - Parameter time: Of the record it stands in; a bare number is a timestamp only if it lies within a day of it.
  static func candidates(for text: UnsafeBufferPointer<UInt8>, time: Int64) -> [TimestampLayout] {
    guard (8...40).contains(text.count), text.allSatisfy({ (0x20...0x7E).contains($0) }) else { return [] }
    let runs = TimestampLayout.runs(of: text)
    if let first = runs.first, first.isDigits, first.range.lowerBound == 0,
      [10, 13, 16, 19].contains(first.range.count)
    {
      return epochLayout(text, runs, time: time).map { [$0] } ?? []
    }
    // The time of day: three numbers of two digits with colons or points between them.
    guard
      let clock = runs.indices.first(where: { index in
        guard index + 4 < runs.count,
          text[runs[index + 1].range.lowerBound] == UInt8(ascii: ":")
            || text[runs[index + 1].range.lowerBound] == UInt8(ascii: ".")
        else { return false }
        return [0, 2, 4].allSatisfy { runs[index + $0].isDigits && runs[index + $0].range.count == 2 }
          && runs[index + 1].range.count == 1 && runs[index + 3].range.count == 1
          && text[runs[index + 1].range.lowerBound] == text[runs[index + 3].range.lowerBound]
          && (index == 0 || !runs[index - 1].isDigits)
      })
    else { return [] }

    var pieces: [UInt8] = []
    let dateNumbers = runs[..<clock].filter(\.isDigits).map(\.range.count)
    let monthIndex = runs[..<clock].firstIndex { isName($0, text, in: monthNames) }
    var numberIndex = 0
    var hasYear = false
    var dayPlace: Int?
    for (index, run) in runs[..<clock].enumerated() {
      if run.isDigits {
        defer { numberIndex += 1 }
        switch (monthIndex, dateNumbers, numberIndex) {
        case (nil, [4, 2, 2], 0), (.some, [2, 4], 1), (.some, [4, 2], 0):
          pieces.append(Piece.year)
          hasYear = true
        case (nil, [4, 2, 2], 1), (nil, [2, 2], 0): pieces.append(Piece.month)
        case (nil, [4, 2, 2], 2), (nil, [2, 2], 1), (.some, [2, 4], 0), (.some, [4, 2], 1): pieces.append(Piece.day)
        case (nil, [4], 0): pieces += [Piece.month, Piece.day]
        case (nil, [8], 0):
          pieces += [Piece.year, Piece.month, Piece.day]
          hasYear = true
        case (.some, [2], 0), (.some, [1], 0):
          // "Nov 23" may stand in a column with "Nov  3" or with "Nov 03"; a single digit needs its space.
          if run.range.count == 1 {
            guard pieces.last == UInt8(ascii: " ") else { return [] }
            pieces.removeLast()
          }
          dayPlace = pieces.count
          pieces.append(run.range.count == 1 ? Piece.paddedDay : Piece.day)
        default: return []
        }
      } else if index == monthIndex {
        pieces.append(Piece.monthName)
      } else if isName(run, text, in: weekdayNames) {
        pieces.append(Piece.weekdayName)
      } else {
        pieces += text[run.range]
      }
    }
    let separator = text[runs[clock + 1].range.lowerBound]
    pieces += [Piece.hour, separator, Piece.minute, separator, Piece.second]

    var rest = clock + 5
    if rest + 1 < runs.count, runs[rest].range.count == 1, runs[rest + 1].isDigits, runs[rest + 1].range.count <= 9,
      [UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: ":")].contains(text[runs[rest].range.lowerBound])
    {
      pieces += [text[runs[rest].range.lowerBound], Piece.fraction + UInt8(runs[rest + 1].range.count)]
      rest += 2
    }
    for index in rest..<max(rest, runs.count) {
      if !hasYear, index == runs.count - 1, runs[index].isDigits, runs[index].range.count == 4,
        text[runs[index].range.lowerBound - 1] == UInt8(ascii: " ")
      {
        pieces.append(Piece.year)
        hasYear = true
      } else {
        pieces += text[runs[index].range]
      }
    }
    var found = [TimestampLayout(pieces: pieces)]
    if let dayPlace, pieces[dayPlace] == Piece.day {
      pieces[dayPlace] = Piece.paddedDay
      found.append(TimestampLayout(pieces: pieces))
    }
    return found.compactMap { $0 }
  }

  /// 10 digits of seconds, with the fraction after a point or joined on.
  private static func epochLayout(_ text: UnsafeBufferPointer<UInt8>, _ runs: [Run], time: Int64) -> TimestampLayout? {
    var pieces = [Piece.epochSeconds]
    if runs[0].range.count > 10 {
      guard runs.count == 1 else { return nil }
      pieces.append(Piece.fraction + UInt8(runs[0].range.count - 10))
    } else if runs.count == 3, runs[1].range.count == 1, text[runs[1].range.lowerBound] == UInt8(ascii: "."),
      runs[2].isDigits, runs[2].range.count <= 9
    {
      pieces += [UInt8(ascii: "."), Piece.fraction + UInt8(runs[2].range.count)]
    } else if runs.count > 1 {
      return nil
    }
    var seconds: Int64 = 0
    for byte in text[..<10] { seconds = seconds * 10 + Int64(byte - UInt8(ascii: "0")) }
    guard abs(seconds - time.floorDivided(by: 1_000_000_000)) <= 86_400 else { return nil }
    return TimestampLayout(pieces: pieces)
  }

  private struct Run {
    var range: Range<Int>
    var isDigits: Bool
  }

  /// Digits, letters, and single other bytes.
  private static func runs(of text: UnsafeBufferPointer<UInt8>) -> [Run] {
    func kind(_ byte: UInt8) -> Int { isDigit(byte) ? 0 : (byte | 0x20) &- UInt8(ascii: "a") < 26 ? 1 : 2 }
    var runs: [Run] = []
    var start = 0
    while start < text.count {
      let first = kind(text[start])
      var end = start + 1
      while first < 2, end < text.count, kind(text[end]) == first { end += 1 }
      runs.append(Run(range: start..<end, isDigits: first == 0))
      start = end
    }
    return runs
  }

  private static func isName(_ run: Run, _ text: UnsafeBufferPointer<UInt8>, in names: [UInt8]) -> Bool {
    run.range.count == 3 && nameIndex(text, at: run.range.lowerBound, in: names) != nil
  }

  private static func nameIndex(_ text: UnsafeBufferPointer<UInt8>, at start: Int, in names: [UInt8]) -> Int? {
    var index = 0
    while index < names.count {
      if text[start] == names[index], text[start + 1] == names[index + 1], text[start + 2] == names[index + 2] {
        return index / 3
      }
      index += 3
    }
    return nil
  }

  @inline(__always)
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  // MARK: - Text to number

  /// Remembers the day last turned into a number or back, since neighbors share it.
  struct Day {
    fileprivate var date = CivilDate(year: 1970, month: 1, day: 1)
    fileprivate var days: Int64 = 0
  }

  /// The distance of the text's moment from `time`, both in units of the text's last digit; nil if the text is not
  /// exactly what this layout makes of that distance.
  func distance(of text: UnsafeBufferPointer<UInt8>, from time: Int64, _ day: inout Day) -> Int64? {
    guard text.count == byteCount else { return nil }
    var year: Int?
    var date = day.date
    var hour = 0
    var minute = 0
    var second = 0
    var fraction: Int64 = 0
    var epochSeconds: Int64?
    var weekday: Int?
    var index = 0
    func number(_ count: Int) -> Int? {
      var value = 0
      for offset in index..<index + count {
        let digit = text[offset] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        value = value * 10 + Int(digit)
      }
      index += count
      return value
    }
    for piece in pieces {
      switch piece {
      case Piece.year:
        guard let value = number(4), TimestampLayout.years.contains(value) else { return nil }
        year = value
      case Piece.month:
        guard let value = number(2), (1...12).contains(value) else { return nil }
        date.month = value
      case Piece.day:
        guard let value = number(2) else { return nil }
        date.day = value
      case Piece.paddedDay:
        let isPadded = text[index] == UInt8(ascii: " ")
        if isPadded { index += 1 }
        guard let value = number(isPadded ? 1 : 2), isPadded || value >= 10 else { return nil }
        date.day = value
      case Piece.hour:
        guard let value = number(2), value < 24 else { return nil }
        hour = value
      case Piece.minute:
        guard let value = number(2), value < 60 else { return nil }
        minute = value
      case Piece.second:
        guard let value = number(2), value < 60 else { return nil }
        second = value
      case Piece.monthName:
        guard let value = TimestampLayout.nameIndex(text, at: index, in: TimestampLayout.monthNames) else { return nil }
        date.month = value + 1
        index += 3
      case Piece.weekdayName:
        guard let value = TimestampLayout.nameIndex(text, at: index, in: TimestampLayout.weekdayNames) else {
          return nil
        }
        weekday = value
        index += 3
      case Piece.epochSeconds:
        guard text[index] != UInt8(ascii: "0"), let value = number(10) else { return nil }
        epochSeconds = Int64(value)
      case 0x20...:
        guard text[index] == piece else { return nil }
        index += 1
      default:
        guard let value = number(places) else { return nil }
        fraction = Int64(value)
      }
    }
    let base = time.floorDivided(by: nanosecondsPerUnit)
    // Ten digits of seconds times 10^9 may pass 64 bits.
    if let epochSeconds {
      let (units, overflow) = epochSeconds.multipliedReportingOverflow(by: unitsPerSecond)
      let (sum, overflowToo) = units.addingReportingOverflow(fraction)
      return overflow || overflowToo ? nil : sum &- base
    }
    let timeOfDay = Int64((hour * 60 + minute) * 60 + second)
    var days: Int64
    if !hasDate {
      days = time.floorDivided(by: 86_400_000_000_000)
    } else if let year {
      date.year = year
      days = self.days(of: date, &day)
      guard days != .min else { return nil }
    } else {
      // No year: the one that comes nearest to the record's time.
      let recordDays = time.floorDivided(by: 86_400_000_000_000)
      if day.days != recordDays || day.date.month != date.month || day.date.day != date.day {
        date.year = CivilDate(daysSinceEpoch: recordDays).year
        guard date.day >= 1, date.day <= CivilDate.dayCount(year: date.year, month: date.month) else { return nil }
        days = date.daysSinceEpoch
        if abs(days - recordDays) > 183 {
          date.year += days > recordDays ? -1 : 1
          guard date.day <= CivilDate.dayCount(year: date.year, month: date.month) else { return nil }
          days = date.daysSinceEpoch
        }
        day.date = date
        day.days = days
      } else {
        days = day.days
      }
    }
    if let weekday, Int((days % 7 + 7) % 7) != weekday { return nil }
    guard abs(days) < 100_000 else { return nil }
    return (days * 86_400 + timeOfDay) * unitsPerSecond + fraction &- base
  }

  private func days(of date: CivilDate, _ day: inout Day) -> Int64 {
    if date == day.date { return day.days }
    guard date.day >= 1, date.day <= CivilDate.dayCount(year: date.year, month: date.month) else { return .min }
    day.date = date
    day.days = date.daysSinceEpoch
    return day.days
  }

  // MARK: - Number to text

  /// Writes `count` texts at `distances` units from `times`, one after another; false if one is no text of this layout.
  func write(
    distances: UnsafePointer<Int64>, from times: UnsafePointer<Int64>, count: Int,
    to output: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    var day = Day()
    var index = 0
    let places = count > 1 ? clockPlaces : nil
    while index < count {
      let target = output + index * byteCount
      guard write(distance: distances[index], from: times[index], to: target, &day) else { return false }
      index += 1
      guard let places, index < count else { continue }
      // The first text of a day is written in full; those that follow differ in their time of day.
      var clock = tl_clock(
        text: target, byte_count: byteCount, hour: places.hour, minute: places.minute, second: places.second,
        fraction: places.fraction, places: UInt32(self.places), day_start: day.days &* 86_400)
      index += tl_format_clock_times(
        distances + index, times + index, count - index, &clock, output + index * byteCount)
    }
    return true
  }

  /// Where the digits of the time of day stand in a text; nil if they do not stand there once each.
  private var clockPlaces: (hour: Int, minute: Int, second: Int, fraction: Int)? {
    var (hour, minute, second, fraction): (Int?, Int?, Int?, Int?)
    var place = 0
    for piece in pieces {
      switch piece {
      case Piece.hour where hour == nil:
        hour = place
        place += 2
      case Piece.minute where minute == nil:
        minute = place
        place += 2
      case Piece.second where second == nil:
        second = place
        place += 2
      case Piece.hour, Piece.minute, Piece.second, Piece.epochSeconds: return nil
      case Piece.year: place += 4
      case Piece.month, Piece.day, Piece.paddedDay: place += 2
      case Piece.monthName, Piece.weekdayName: place += 3
      case 0x20...: place += 1
      default:
        fraction = place
        place += places
      }
    }
    guard let hour, let minute, let second else { return nil }
    return (hour, minute, second, fraction ?? 0)
  }

  /// Writes the text at `distance` units from `time`, `byteCount` bytes; false if no text of this layout is there.
  func write(distance: Int64, from time: Int64, to output: UnsafeMutablePointer<UInt8>, _ day: inout Day) -> Bool {
    let units = time.floorDivided(by: nanosecondsPerUnit) &+ distance
    let seconds = units.floorDivided(by: unitsPerSecond)
    // The products may pass 64 bits at the edges of time; the differences never do.
    let fraction = units &- seconds &* unitsPerSecond
    let days = seconds.floorDivided(by: 86_400)
    let second = Int(seconds &- days &* 86_400)
    if days != day.days {
      day.days = days
      day.date = CivilDate(daysSinceEpoch: days)
    }
    let date = day.date
    if hasYear, !(0...9999).contains(date.year) { return false }
    var index = 0
    func number(_ value: Int, _ width: Int) {
      TimestampLayout.writeDigits(UInt64(value), width: width, to: output + index)
      index += width
    }
    func name(_ number: Int, in names: [UInt8]) {
      for offset in 0..<3 { output[index + offset] = names[number * 3 + offset] }
      index += 3
    }
    for piece in pieces {
      switch piece {
      case Piece.year: number(date.year, 4)
      case Piece.month: number(date.month, 2)
      case Piece.day: number(date.day, 2)
      case Piece.paddedDay:
        number(date.day, 2)
        if date.day < 10 { output[index - 2] = UInt8(ascii: " ") }
      case Piece.hour: number(second / 3600, 2)
      case Piece.minute: number(second / 60 % 60, 2)
      case Piece.second: number(second % 60, 2)
      case Piece.monthName: name(date.month - 1, in: TimestampLayout.monthNames)
      case Piece.weekdayName: name(Int((days % 7 + 7) % 7), in: TimestampLayout.weekdayNames)
      case Piece.epochSeconds:
        guard (1_000_000_000..<10_000_000_000).contains(seconds) else { return false }
        number(Int(seconds), 10)
      case 0x20...:
        output[index] = piece
        index += 1
      default: number(Int(fraction), places)
      }
    }
    return true
  }

  private static func writeDigits(_ value: UInt64, width: Int, to output: UnsafeMutablePointer<UInt8>) {
    var rest = value
    for index in stride(from: width - 1, through: 0, by: -1) {
      output[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}
