extension Detector {
  /// Counts `entries` into `pending`, with the totals of workloads; new keys become series.
  ///
  /// - Returns: The series of keys never seen before, ascending by key, and of rare ones.
  mutating func receive(_ entries: [MinuteCounts.Entry]) -> (new: [Int32], rare: [Int32]) {
    var new: [Int32] = []
    var rare: [Int32] = []
    for entry in entries where entry.count > 0 && entry.key.pattern != SeriesKey.allPatterns {
      let index: Int32
      if let known = indexOfKey[entry.key] {
        index = known
        if series[Int(index)].pending == 0, isRare(Int(index)) { rare.append(index) }
      } else {
        index = makeSeries(entry.key)
        new.append(index)
      }
      add(entry.count, to: Int(index))
      add(entry.count, to: Int(workloads[Int(series[Int(index)].workload)].total))
    }
    new.sort { series[Int($0)].key < series[Int($1)].key }
    rare.sort { series[Int($0)].key < series[Int($1)].key }
    return (new, rare)
  }

  private mutating func add(_ count: UInt32, to index: Int) {
    let (sum, overflow) = series[index].pending.addingReportingOverflow(count)
    series[index].pending = overflow ? .max : sum
    if !series[index].isActive { activate(index) }
  }

  mutating func activate(_ index: Int) {
    series[index].isActive = true
    series[index].idleTicks = 0
    series[index].baseline.wake()
    active.append(Int32(index))
  }

  private mutating func makeSeries(_ key: SeriesKey) -> Int32 {
    let workload = indexOfWorkload[key.workload] ?? makeWorkload(key.workload)
    let index = appendSeries(key, workload: workload)
    workloads[Int(workload)].patterns.append(index)
    return index
  }

  private mutating func makeWorkload(_ number: UInt32) -> Int32 {
    let workload = Int32(workloads.count)
    indexOfWorkload[number] = workload
    workloads.append(Workload(number: number, total: -1))
    workloads[Int(workload)].total = appendSeries(
      SeriesKey(pattern: SeriesKey.allPatterns, workload: number), workload: workload)
    return workload
  }

  /// A series' past goes back to its workload's beginning: the pattern could have come, and did not.
  private mutating func appendSeries(_ key: SeriesKey, workload: Int32) -> Int32 {
    let index = Int32(series.count)
    var one = Series(key: key, workload: workload, firstMinute: minute, lastMinute: minute)
    let total = workloads[Int(workload)].total
    one.baseline.sinceMinute = total >= 0 ? series[Int(total)].firstMinute : minute
    series.append(one)
    indexOfKey[key] = index
    return index
  }

  /// Writes the tick into what is remembered; idle series are put to rest.
  mutating func learn() {
    let day = Int32(truncatingIfNeeded: minute / 1440)
    var kept = 0
    for position in active.indices {
      let index = Int(active[position])
      let workload = Int(series[index].workload)
      let isSilent = workloads[workload].isSilent
      let tick = Int(workloads[workload].tick)
      let now = minute
      let rests = series[index].learn(tick: tick, minute: now, day: day, isSilent: isSilent)
      if rests {
        series[index].rest()
      } else {
        active[kept] = active[position]
        kept += 1
      }
    }
    active.removeSubrange(kept...)
    for index in workloads.indices where !workloads[index].isSilent { workloads[index].tick += 1 }
  }

  /// Closes the half hour, the hour and the day that `next` is no longer in.
  mutating func turnSlots(to next: Int64) {
    guard minute >= 0 else { return }
    let halfHour = Int32(minute / 30)
    let hour = Int32(minute / 60)
    if Int32(next / 30) > halfHour {
      for index in series.indices where series[index].baseline.halfHourSum > 0 {
        let count = CompactCount(series[index].baseline.halfHourSum)
        series[index].baseline.halfHours.append(count, slot: halfHour, capacity: Baseline.halfHoursMax)
        series[index].baseline.halfHourSum = 0
      }
    }
    guard Int32(next / 60) > hour else { return }
    for index in series.indices where series[index].baseline.hourSum > 0 {
      series[index].learnSteadiness(tick: workloads[Int(series[index].workload)].tick)
      let count = CompactCount(series[index].baseline.hourSum)
      series[index].baseline.hours.append(count, slot: hour, capacity: Baseline.hoursMax)
      series[index].baseline.hourSum = 0
    }
    if next / 1440 > minute / 1440 { forget(before: next - Limits.forgottenAfterMinutes) }
    wake(forHour: Int32(next / 60))
  }

  /// Watches sleeping series that should have records in the hour to come, so that they are missed if they have none.
  private mutating func wake(forHour hour: Int32) {
    for index in series.indices where !series[index].isActive && !series[index].baseline.hours.isEmpty {
      if let expected = series[index].baseline.seasonalExpectation(hour: hour, coverage: coverage),
        expected.rate >= Limits.excessMin
      {
        activate(index)
      }
    }
  }

  private func isRare(_ index: Int) -> Bool {
    guard minute - firstMinute >= Int64(Limits.rareWindowDays) * 1440, !series[index].isOpen,
      minute - series[index].lastMinute >= 1440
    else { return false }
    let age = Int64(minute / 1440) - Int64(series[index].newestDay)
    // The days before today, today itself being none of them.
    let seen = age >= 16 ? 0 : (UInt32(series[index].days) << UInt32(age)) & 0x7FFE
    return seen.nonzeroBitCount < Limits.rareDays
  }
}

extension Series {
  /// At the end of an hour: how evenly its records came.
  mutating func learnSteadiness(tick: UInt32) {
    // Of less than one record a minute most minutes are empty by chance.
    guard isActive, baseline.hourSum >= 60 else { return }
    let half = Double(baseline.hourSum) / 120
    let share = Float((1...60).count { Double(baseline.count($0, before: tick)) >= half }) / 60
    steadiness += Detector.Limits.steadinessWeight * (share - steadiness)
  }

  /// Frees what is only needed while there are records; it begins anew with the next.
  mutating func rest() {
    isActive = false
    baseline.rest()
    expectation = .none
    season = nil
    seasonHour = -1
    renewedAt = 0
    spikeFrom = .max
    dropTo = -1
    (spikes, drops) = (0, 0)
    (rise, fall) = (0, 0)
    idleTicks = 0
  }

  /// - Returns: Whether it has been without records for so long that it need not be watched.
  mutating func learn(tick: Int, minute: Int64, day: Int32, isSilent: Bool) -> Bool {
    let count = pending
    pending = 0
    if count > 0 {
      idleTicks = 0
      lastMinute = minute
      if days == 0 || day != newestDay {
        let step = day - newestDay
        days = days == 0 || step >= 16 ? 1 : days << UInt16(step) | 1
        newestDay = day
      }
      let (halfHour, _) = baseline.halfHourSum.addingReportingOverflow(count)
      baseline.halfHourSum = max(halfHour, baseline.halfHourSum)
      let (hour, _) = baseline.hourSum.addingReportingOverflow(count)
      baseline.hourSum = max(hour, baseline.hourSum)
    } else if idleTicks < .max {
      idleTicks += 1
    }
    if isSilent { return false }
    baseline.push(count, tick: tick)
    return idleTicks >= Baseline.minutesMax && !isOpen && expectation.rate < Detector.Limits.excessMin
  }
}
