extension Detector {
  /// A minute that deviates, and how probable that would be by chance.
  struct Candidate: Sendable {
    var series: Int32
    var isSpike: Bool
    var probability: Double
  }

  struct Candidates: Sendable {
    var list: [Candidate] = []
    /// Series looked at.
    var testCount = 0
    /// Series whose CUSUM alarms.
    var shifted: [Int32] = []
  }

  /// Compares this tick's counts with expectations.
  mutating func judgeActive() -> Candidates {
    var result = Candidates()
    let hour = Int32(truncatingIfNeeded: minute / 60)
    for position in active.indices {
      let index = Int(active[position])
      let workload = Int(series[index].workload)
      let tick = workloads[workload].tick
      if series[index].mustRenew(tick: tick, hour: hour) {
        series[index].renew(tick: tick, hour: hour, coverage: coverage)
      }
      if series[index].key.pattern == SeriesKey.allPatterns || workloads[workload].isSilent { continue }
      guard let judged = series[index].judge(tick: tick) else { continue }
      result.testCount += 1
      if let probability = judged.probability {
        result.list.append(Candidate(series: Int32(index), isSpike: judged.isSpike, probability: probability))
      }
      if judged.isShift { result.shifted.append(Int32(index)) }
    }
    return result
  }

  /// Keeps what is no chance finding, and opens what has been found twice.
  mutating func confirm(_ candidates: Candidates) {
    let threshold = FalseDiscoveries.threshold(
      candidates.list.map(\.probability), testCount: candidates.testCount, rate: Limits.falseDiscoveryRate)
    for candidate in candidates.list where candidate.probability <= threshold {
      let index = Int(candidate.series)
      if candidate.isSpike {
        series[index].spikes |= 1
        if series[index].spikes.nonzeroBitCount >= Limits.confirmations { openChange(.spike, index) }
      } else {
        series[index].drops |= 1
        if series[index].drops.nonzeroBitCount >= Limits.confirmations { openChange(.drop, index) }
      }
    }
    for index in candidates.shifted where !series[Int(index)].isOpen { openShift(Int(index)) }
  }

  /// Opens a spike or a drop that the last three ticks show.
  private mutating func openChange(_ kind: Anomaly.Kind, _ index: Int) {
    guard !series[index].isOpen else { return }
    let one = series[index]
    let tick = workloads[Int(one.workload)].tick
    if one.isReturn(to: Double(one.pending), minute: minute) { return series[index].goBack(tick: tick) }
    // The oldest of the last three ticks that was a discovery.
    let flags = kind == .spike ? one.spikes : one.drops
    var back = 7 - flags.leadingZeroBitCount
    // A drop that only five minutes together show began with the first of them that was too low.
    if kind == .drop {
      while back < Limits.dropMinutes, Double(one.baseline.count(back + 1, before: tick)) <= one.expectation.rate / 2 {
        back += 1
      }
    }
    var counts = (0..<back).reversed().map { Double(one.baseline.count($0 + 1, before: tick)) }
    counts.append(Double(one.pending))
    let worst = kind == .spike ? counts.max() ?? 0 : counts.min() ?? 0
    if kind == .spike {
      series[index].note(burst: worst, minute: minute)
      if one.recurs(worst, minute: minute) { return }
    }
    let total = counts.reduce(0, +)
    let sumZ = one.expectation.z(sum: total, minutes: counts.count)
    let z = kind == .spike ? max(sumZ, one.expectation.z(worst)) : min(sumZ, one.expectation.z(worst))
    open(
      kind, index, onset: minute - Int64(back),
      Anomaly.Evidence(
        observed: worst, expected: one.expectation.rate, z: z, baseline: one.expectation.basis, total: total,
        expectedTotal: one.expectation.rate * Double(counts.count)))
  }

  /// Accepts a changed rate, if it has held for half an hour and differs by twice.
  private mutating func openShift(_ index: Int) {
    let tick = workloads[Int(series[index].workload)].tick
    guard let shift = series[index].shift(tick: tick) else { return }
    if series[index].isReturn(to: shift.after, minute: minute) { return series[index].goBack(tick: tick) }
    let expected = shift.before * Double(Limits.shiftMinutes)
    let expectation = Expectation(
      rate: shift.before, spreadAbove: series[index].expectation.spreadAbove,
      spreadBelow: series[index].expectation.spreadBelow, basis: series[index].expectation.basis)
    open(
      .shift, index, onset: minute - Int64(Limits.shiftMinutes),
      Anomaly.Evidence(
        observed: shift.after, expected: shift.before,
        z: expectation.z(sum: shift.after * Double(Limits.shiftMinutes), minutes: Limits.shiftMinutes),
        baseline: expectation.basis, total: shift.after * Double(Limits.shiftMinutes), expectedTotal: expected))
    series[index].restart(tick: tick, minute: minute, from: shift.before)
  }

  mutating func open(
    _ kind: Anomaly.Kind, _ index: Int, onset: Int64, _ evidence: Anomaly.Evidence,
    value: MinuteCounts.NewValue? = nil
  ) {
    let key = series[index].key
    let salt = value.map { StableHash.of($0.value.utf8) ^ UInt64($0.variable) } ?? 0
    open.append(
      OpenAnomaly(
        anomaly: Anomaly(
          id: Anomaly.identity(kind, key, onset: onset, salt: salt), kind: kind, key: key, phase: .opened,
          onset: onset, last: minute, evidence: evidence, value: value),
        series: Int32(index), expectation: series[index].expectation))
    if kind != .newValue, kind != .deployment { series[index].isOpen = true }
  }
}

extension Series {
  func mustRenew(tick: UInt32, hour: Int32) -> Bool {
    if hour != seasonHour || renewedAt == 0 { return true }
    let known = tick &- baseline.sinceTick
    // While little is known, a few minutes are much of it.
    if known < Detector.Limits.renewal * 6 { return tick &- renewedAt >= max(1, known / 6) }
    // Not all series at the same tick.
    return (tick &+ key.pattern) % Detector.Limits.renewal == 0
  }

  /// Renews the expectation and the counts that deviate from it.
  mutating func renew(tick: UInt32, hour: Int32, coverage: Coverage) {
    if hour != seasonHour {
      season = baseline.seasonalExpectation(hour: hour, coverage: coverage)
      seasonHour = hour
    }
    renewedAt = tick
    let recent = baseline.recentExpectation(before: tick)
    if var season, steadiness >= Detector.Limits.steadinessMin {
      // The medians of whole hours hide how minutes scatter.
      season.spreadAbove = max(season.spreadAbove, recent.spreadAbove)
      season.spreadBelow = max(season.spreadBelow, recent.spreadBelow)
      expectation = season
    } else {
      expectation = recent
    }
    spikeFrom = .max
    dropTo = -1
    guard expectation.basis != .none else { return }
    let rate = expectation.rate
    let above = Deviation.variance(expected: rate, spread: expectation.spreadAbove).squareRoot()
    let spike = max(rate + Detector.Limits.z * above, rate * Detector.Limits.factor, rate + Detector.Limits.excessMin)
    spikeFrom = UInt32(min(Double(UInt32.max), spike.rounded(.up)))
    if rate >= Detector.Limits.excessMin {
      let below = Deviation.variance(expected: rate, spread: expectation.spreadBelow).squareRoot()
      dropTo = Int64(min(rate - Detector.Limits.z * below, rate / Detector.Limits.factor).rounded(.down))
    }
  }

  /// - Returns: Nil if too little is known to judge; else whether the tick is a candidate, and for what.
  mutating func judge(tick: UInt32) -> (isSpike: Bool, probability: Double?, isShift: Bool)? {
    spikes = (spikes << 1) & Detector.Limits.confirmationWindow
    drops = (drops << 1) & Detector.Limits.confirmationWindow
    guard expectation.basis != .none else { return nil }
    let observed = Double(pending)
    let rate = expectation.rate
    let spread = observed >= rate ? expectation.spreadAbove : expectation.spreadBelow
    let variance = Deviation.variance(expected: rate, spread: spread)
    let z = Float((observed - rate) / variance.squareRoot())
    let step = min(max(z, -Detector.Limits.cusumStepMax), Detector.Limits.cusumStepMax)
    rise = min(max(0, rise + step - Detector.Limits.cusumDrift), Detector.Limits.cusumMax)
    fall = min(max(0, fall - step - Detector.Limits.cusumDrift), Detector.Limits.cusumMax)
    if isOpen { return (false, nil, false) }
    let isShift = rise > Detector.Limits.cusumAlarm || fall > Detector.Limits.cusumAlarm
    if pending >= spikeFrom { return (true, Deviation.tail(excess: observed - rate, variance: variance), isShift) }
    if Int64(pending) <= dropTo { return (false, Deviation.tail(excess: observed - rate, variance: variance), isShift) }
    // Together five minutes prove what one cannot.
    if rate >= Detector.Limits.excessMin, observed <= rate / Detector.Limits.factor,
      tick &- baseline.sinceTick >= UInt32(Baseline.minutesMin + Detector.Limits.dropMinutes)
    {
      let minutes = Detector.Limits.dropMinutes
      let sum = observed + baseline.sum(from: 1, count: minutes - 1, before: tick)
      let z = expectation.z(sum: sum, minutes: minutes)
      if z <= -Detector.Limits.z, sum <= rate * Double(minutes) / Detector.Limits.factor {
        return (false, Exponential.power(-z * z / 2), isShift)
      }
    }
    return (false, nil, isShift)
  }

  /// The mean rates of the half hour up to this tick and of the time before it, if they differ by twice and not by chance.
  func shift(tick: UInt32) -> (before: Double, after: Double)? {
    let minutes = Detector.Limits.shiftMinutes
    let known = min(Int(tick &- baseline.sinceTick), Baseline.minutesMax - 1)
    guard known >= 2 * minutes else { return nil }
    let after = (Double(pending) + baseline.sum(from: 1, count: minutes - 1, before: tick)) / Double(minutes)
    let before: Double
    switch expectation.basis {
    case .hourOfDay, .hourOfWeek: before = expectation.rate
    case .recent, .windows, .none:
      let length = known - minutes + 1
      before = baseline.sum(from: minutes, count: length, before: tick) / Double(length)
    }
    let isRise = after > before
    guard max(before, after) >= Detector.Limits.factor * min(before, after), isRise ? rise > fall : fall > rise
    else { return nil }
    // Held throughout: each third of the half hour is off in the same direction, or it was a burst within it.
    for third in 0..<3 {
      let sum =
        third == 0
        ? Double(pending) + baseline.sum(from: 1, count: minutes / 3 - 1, before: tick)
        : baseline.sum(from: third * minutes / 3, count: minutes / 3, before: tick)
      let rate = sum / Double(minutes / 3)
      if isRise ? rate <= before * 1.4 : rate >= before / 1.4 { return nil }
    }
    // Of few records twice as many is chance: the difference of the two sums in standard deviations.
    let (a, b) = (after * Double(minutes), before * Double(minutes))
    return abs(a - b) >= Detector.Limits.z * max(a + b, 1).squareRoot() ? (before, after) : nil
  }

  /// Lets the past begin at a shift.
  mutating func restart(tick: UInt32, minute: Int64, from before: Double) {
    let minutes = Detector.Limits.shiftMinutes
    shiftedAt = minute
    shiftedFrom = before
    shiftedSince = baseline.sinceMinute
    baseline.sinceTick = tick >= UInt32(minutes - 1) ? tick - UInt32(minutes - 1) : 0
    baseline.sinceMinute = minute - Int64(minutes - 1)
    resetJudgement()
  }

  /// Remembers a burst that goes on, or another.
  mutating func note(burst height: Double, minute: Int64) {
    let height = UInt32(min(height, Double(UInt32.max)))
    if let last = bursts.last, minute - last.minute < Detector.Limits.burstGapMinutes {
      bursts[bursts.count - 1] = Burst(minute: minute, height: max(last.height, height))
    } else {
      if bursts.count > Detector.Limits.recurrences { bursts.removeFirst() }
      bursts.append(Burst(minute: minute, height: height))
    }
  }

  /// Whether bursts as high came often enough before.
  func recurs(_ height: Double, minute: Int64) -> Bool {
    bursts.count {
      (Detector.Limits.burstGapMinutes...Detector.Limits.recurrenceMinutes).contains(minute - $0.minute)
        && Double($0.height) * Detector.Limits.factor >= height
    } >= Detector.Limits.recurrences
  }

  /// Whether `rate` is what it was before a recent shift.
  func isReturn(to rate: Double, minute: Int64) -> Bool {
    guard shiftedAt >= 0, minute - shiftedAt < Detector.Limits.returnMinutes else { return false }
    let limit = Detector.Limits.factor
    return rate <= shiftedFrom * limit && rate * limit >= shiftedFrom
      || abs(Deviation.z(observed: rate, expected: shiftedFrom, spread: 0)) < Detector.Limits.z
  }

  /// Undoes a shift: the past counts again but for the last hours.
  mutating func goBack(tick: UInt32) {
    baseline.sinceTick = tick
    baseline.sinceMinute = shiftedSince
    shiftedAt = -1
    resetJudgement()
  }

  mutating func resetJudgement() {
    (rise, fall) = (0, 0)
    (spikes, drops) = (0, 0)
    seasonHour = -1
  }
}
