/// What is remembered of one series: the last two hours by minute, a week by half hour, eight weeks by hour.
///
/// About 100 bytes and four more for each half hour and each hour with records while it has no records for two hours; 240
/// more by minute after that; never more than 3.8 KB.
struct Baseline: Equatable, Sendable {
  static let minutesMax = 120
  static let halfHoursMax = 336
  static let hoursMax = 1344
  /// The rolling median's window.
  static let medianMinutes = 60
  /// Known minutes below which nothing is judged: a median of fewer is anyone's guess.
  static let minutesMin = 10

  /// The compact count of tick t at `t % minutesMax`; empty while the last two hours had no records.
  var minutes: [UInt16] = []
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
    if minutes.isEmpty {
      return Expectation(rate: 0, spreadAbove: 0, spreadBelow: 0, basis: .recent(minutes: length))
    }
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Baseline.minutesMax) { buffer in
      let all = min(known, Baseline.minutesMax - 1)
      fill(buffer, count: length, before: tick)
      let values = buffer[..<length]
      let median = Baseline.middle(values)
      let deviation = Baseline.medianDistance(values, from: median) * RobustStatistics.deviationsPerMAD
      if all > length { fill(buffer, count: all, before: tick) }
      // What one minute in twenty of the last two hours exceeds is usual too: jobs that write much at once, and rarely,
      // have a median deviation of nothing. 1.645 deviations of a normal distribution cut off as much.
      let upper = Double(buffer[(all - 1) * 95 / 100])
      let lower = Double(buffer[(all - 1) * 5 / 100])
      return Expectation(
        rate: median, spreadAbove: max(deviation, (upper - median) / 1.645),
        spreadBelow: max(deviation, (median - lower) / 1.645), basis: .recent(minutes: length))
    }
  }

  /// Fills `buffer` with the counts of the `count` ticks before `tick`, ascending.
  private func fill(_ buffer: UnsafeMutableBufferPointer<UInt32>, count: Int, before tick: UInt32) {
    var largest: UInt32 = 0
    minutes.withUnsafeBufferPointer { minutes in
      // The ring is walked backward from the last tick before this one.
      var place = (Int(tick) - 1) % Baseline.minutesMax
      for index in 0..<count {
        let value = CompactCount(bits: minutes[place]).value
        buffer[index] = value
        largest = max(largest, value)
        place = place == 0 ? Baseline.minutesMax - 1 : place - 1
      }
    }
    guard largest < 64 else {
      var part = buffer[..<count]
      return part.sort()
    }
    // Small counts, which most are, are sorted by counting them.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { occurrences in
      occurrences.initialize(repeating: 0)
      for index in 0..<count { occurrences[Int(buffer[index])] &+= 1 }
      var index = 0
      for value in 0...Int(largest) {
        for _ in 0..<occurrences[value] {
          buffer[index] = UInt32(truncatingIfNeeded: value)
          index += 1
        }
      }
    }
  }

  /// The median of ascending `values`.
  private static func middle(_ values: Slice<UnsafeMutableBufferPointer<UInt32>>) -> Double {
    let middle = values.count / 2
    return values.count % 2 == 1 ? Double(values[middle]) : (Double(values[middle - 1]) + Double(values[middle])) / 2
  }

  /// The median of the distances of ascending `values` from `center`: the nearest half is walked outward.
  private static func medianDistance(_ values: Slice<UnsafeMutableBufferPointer<UInt32>>, from center: Double)
    -> Double
  {
    var below = values.count / 2 - 1
    var above = values.count / 2
    var distances = (0.0, 0.0)
    for _ in 0...values.count / 2 {
      let left = below >= 0 ? center - Double(values[below]) : .infinity
      let right = above < values.count ? Double(values[above]) - center : .infinity
      distances.0 = distances.1
      if left <= right {
        distances.1 = left
        below -= 1
      } else {
        distances.1 = right
        above += 1
      }
    }
    return values.count % 2 == 1 ? distances.1 : (distances.0 + distances.1) / 2
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
