/// What is remembered of one series: the last two hours by minute, a week by half hour, eight weeks by hour.
///
/// Four bytes for each half hour and each hour with records, and 240 by minute while there were records within two hours;
/// never more than 3.8 KB.
struct Baseline: Equatable, Sendable {
  static let minutesMax = 120
  static let halfHoursMax = 336
  static let hoursMax = 1344
  /// The rolling median's window.
  static let medianMinutes = 60
  /// Known minutes below which nothing is judged: a median of fewer is anyone's guess.
  static let minutesMin = 10

  /// The compact count of tick t at `t % minutesMax`; empty while the last two hours had no records.
  private(set) var minutes: [UInt16] = []
  /// How many of `minutes` have records.
  private(set) var busyMinutes: UInt8 = 0
  var halfHours = SlotHistory()
  var hours = SlotHistory()
  /// Records of the half hour and of the hour that have not ended.
  var halfHourSum: UInt32 = 0
  var hourSum: UInt32 = 0
  /// The tick and the minute from which on the past counts: the workload's first, or where a shift was accepted.
  var sinceTick: UInt32 = 0
  var sinceMinute: Int64 = 0

  /// The records of the tick `back` ticks before `tick`.
  @inline(__always)
  func count(_ back: Int, before tick: UInt32) -> UInt32 {
    guard !minutes.isEmpty, back < Baseline.minutesMax, Int(tick) >= back else { return 0 }
    return CompactCount(bits: minutes[(Int(tick) - back) % Baseline.minutesMax]).value
  }

  /// Records of the `count` ticks that end `back` ticks before `tick`, that of `back` included.
  func sum(from back: Int, count: Int, before tick: UInt32) -> Double {
    var sum: UInt64 = 0
    for offset in back..<back + count { sum += UInt64(self.count(offset, before: tick)) }
    return Double(sum)
  }

  /// The expectation from the minutes before `tick`.
  func recentExpectation(before tick: UInt32) -> Expectation {
    let known = Int(tick &- sinceTick)
    guard known >= Baseline.minutesMin else { return .none }
    let length = min(known, Baseline.medianMinutes)
    let all = min(known, Baseline.minutesMax - 1)
    // Most series have records so rarely that neither the median nor the quantile below is anything but 0.
    if minutes.isEmpty || Int(busyMinutes) < all - Baseline.rank(0.95, of: all) {
      return Expectation(rate: 0, spreadAbove: 0, spreadBelow: 0, basis: .recent(minutes: length))
    }
    let summary = summary(of: length, of: all, before: tick)
    // What one minute in twenty of the last two hours exceeds is usual too: jobs that write much at once, and rarely,
    // have a median deviation of nothing. 1.645 deviations of a normal distribution cut off as much.
    let deviation = summary.deviation * RobustStatistics.deviationsPerMAD
    return Expectation(
      rate: summary.median, spreadAbove: max(deviation, (summary.upper - summary.median) / 1.645),
      spreadBelow: max(deviation, (summary.median - summary.lower) / 1.645), basis: .recent(minutes: length))
  }

  private typealias Summary = (median: Double, deviation: Double, lower: Double, upper: Double)

  /// The place among `count` ascending values of that which the share `share` does not exceed.
  private static func rank(_ share: Double, of count: Int) -> Int { Int(Double(count - 1) * share) }

  /// Counts from which a table of how often each occurs is no longer short.
  private static let tableMax = 64

  /// The median and the median absolute deviation of the last `length` counts, and the 5 % quantiles of the last `all`.
  private func summary(of length: Int, of all: Int, before tick: UInt32) -> Summary {
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 2 * Baseline.tableMax) { table in
      table.initialize(repeating: 0)
      let isSmall = minutes.withUnsafeBufferPointer { minutes in
        // The ring is walked backward from the last tick before this one.
        var place = Int(tick) % Baseline.minutesMax
        for index in 0..<all {
          place = place == 0 ? Baseline.minutesMax - 1 : place - 1
          let count = Int(minutes[place])
          guard count < Baseline.tableMax else { return false }
          table[count + (index < length ? 0 : Baseline.tableMax)] &+= 1
        }
        return true
      }
      return isSmall
        ? Baseline.summary(table, length, all)
        : Baseline.summary((1...all).map { count($0, before: tick) }, length)
    }
  }

  /// From how often each small count occurs: below `tableMax` in the recent part, above it in the older one.
  private static func summary(_ table: UnsafeMutableBufferPointer<UInt16>, _ length: Int, _ all: Int) -> Summary {
    /// The values that stand at the places `low` and `high` of those that `occurrences` lists.
    func values(at low: Int, _ high: Int, _ occurrences: (Int) -> Int) -> (Int, Int) {
      var seen = 0
      var value = 0
      var first = -1
      while true {
        seen += occurrences(value)
        if first < 0, seen > low { first = value }
        if seen > high { return (first, value) }
        value += 1
      }
    }
    let (low, high) = ((length - 1) / 2, length / 2)
    let middle = values(at: low, high) { Int(table[$0]) }
    // Twice the median and twice the distances from it are whole numbers.
    let center = middle.0 + middle.1
    let distances = values(at: low, high) { distance in
      guard (center + distance) % 2 == 0 else { return 0 }
      let (below, above) = ((center - distance) / 2, (center + distance) / 2)
      return (center >= distance ? Int(table[below]) : 0)
        + (distance > 0 && above < tableMax ? Int(table[above]) : 0)
    }
    let (lower, upper) = values(at: rank(0.05, of: all), rank(0.95, of: all)) { Int(table[$0] + table[$0 + tableMax]) }
    return (Double(center) / 2, Double(distances.0 + distances.1) / 4, Double(lower), Double(upper))
  }

  /// From the counts themselves, the latest first.
  private static func summary(_ counts: [UInt32], _ length: Int) -> Summary {
    let recent = counts.prefix(length).map(Double.init)
    let median = RobustStatistics.median(recent)
    let sorted = counts.sorted()
    return (
      median, RobustStatistics.medianAbsoluteDeviation(recent, around: median),
      Double(sorted[rank(0.05, of: counts.count)]), Double(sorted[rank(0.95, of: counts.count)])
    )
  }

  /// Begins to remember minutes, all empty so far.
  mutating func wake() { setMinutes([UInt16](repeating: 0, count: Baseline.minutesMax)) }

  /// Stops to remember minutes.
  mutating func rest() { setMinutes([]) }

  /// - Parameter counts: Compact counts as `minutes` holds them.
  mutating func setMinutes(_ counts: [UInt16]) {
    minutes = counts
    busyMinutes = UInt8(counts.count { $0 != 0 })
  }

  /// Writes the count of `tick`.
  mutating func push(_ count: UInt32, tick: Int) {
    let place = tick % Baseline.minutesMax
    let bits = CompactCount(count).bits
    if minutes[place] != 0 { busyMinutes -= 1 }
    if bits != 0 { busyMinutes += 1 }
    minutes[place] = bits
  }

  /// The expectation from the same hour of other days, if enough of them are known.
  ///
  /// - Parameter hour: Hours since 1970.
  func seasonalExpectation(hour: Int32, coverage: Coverage) -> Expectation? {
    seasonal(hour: hour, period: 168, count: 8, least: 2, coverage: coverage) {
      hours.count(of: $0, capacity: Self.hoursMax)
    }.map {
      Expectation(
        rate: $0.rate, spreadAbove: $0.spread, spreadBelow: $0.spread, basis: .hourOfWeek(weeks: $0.count))
    }
      ?? seasonal(hour: hour, period: 24, count: 7, least: 3, coverage: coverage) {
        halfHours.count(of: 2 * $0, capacity: Self.halfHoursMax)
          + halfHours.count(of: 2 * $0 + 1, capacity: Self.halfHoursMax)
      }.map {
        Expectation(rate: $0.rate, spreadAbove: $0.spread, spreadBelow: $0.spread, basis: .hourOfDay(days: $0.count))
      }
  }

  private func seasonal(
    hour: Int32, period: Int32, count: Int32, least: Int, coverage: Coverage, records: (Int32) -> UInt32
  ) -> (rate: Double, spread: Double, count: Int)? {
    var rates: [Double] = []
    for step in 1...count {
      let slot = hour - step * period
      guard Int64(slot) * 60 >= sinceMinute else { break }
      let known = coverage.minutes(ofHour: slot)
      // Half of an hour stands for the whole of it.
      if known >= 30 { rates.append(Double(records(slot)) / Double(known)) }
    }
    guard rates.count >= least else { return nil }
    let median = RobustStatistics.median(rates)
    let deviation = RobustStatistics.medianAbsoluteDeviation(rates, around: median)
    return (median, deviation * RobustStatistics.deviationsPerMAD, rates.count)
  }
}

/// How many minutes of each half hour of the last eight weeks were counted: all of them, unless nobody was there to count.
struct Coverage: Equatable, Sendable {
  static let slotsMax = 2 * Baseline.hoursMax

  /// Minutes of half hour s at `s % slotsMax`.
  private(set) var known = [UInt8](repeating: 0, count: Coverage.slotsMax)
  private(set) var newest: Int32 = -1

  mutating func add(minute: Int64) {
    let slot = Int32(truncatingIfNeeded: minute / 30)
    if newest < 0 || Int(slot) - Int(newest) >= Coverage.slotsMax {
      known = [UInt8](repeating: 0, count: Coverage.slotsMax)
    } else {
      var gap = newest + 1
      while gap <= slot {
        known[Int(gap) % Coverage.slotsMax] = 0
        gap += 1
      }
    }
    newest = slot
    known[Int(slot) % Coverage.slotsMax] &+= 1
  }

  func minutes(ofHour hour: Int32) -> Int {
    var minutes = 0
    for slot in [2 * hour, 2 * hour + 1]
    where slot >= 0 && slot <= newest && Int(newest) - Int(slot) < Coverage.slotsMax {
      minutes += Int(known[Int(slot) % Coverage.slotsMax])
    }
    return minutes
  }

  func write(to writer: inout StateWriter) {
    writer.append(UInt32(bitPattern: newest))
    for minutes in known { writer.append(minutes) }
  }

  init() {}

  init(from reader: inout StateReader) throws(DetectorStateError) {
    newest = Int32(bitPattern: try reader.word())
    guard newest >= -1 else { throw .corrupt }
    for index in known.indices { known[index] = try reader.byte() }
  }
}
