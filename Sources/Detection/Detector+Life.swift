extension Detector {
  /// Brings open anomalies up to this tick.
  ///
  /// - Returns: Those that ended.
  mutating func updateOpen() -> [Anomaly] {
    var ended: [Anomaly] = []
    var kept: [OpenAnomaly] = []
    kept.reserveCapacity(open.count)
    for var one in open {
      one.anomaly.phase = .ongoing
      let goesOn =
        switch one.anomaly.kind {
        case .spike, .drop: updateChange(&one)
        case .silence: updateSilence(&one)
        case .new, .variant, .rare, .newValue: updateNews(&one)
        case .shift: minute - one.anomaly.last < Int64(Limits.shiftMinutes)
        case .deployment: minute - one.anomaly.last < Limits.deploymentMinutes
        }
      if goesOn {
        kept.append(one)
      } else {
        end(one, &ended)
      }
    }
    open = kept
    return ended
  }

  private mutating func end(_ one: OpenAnomaly, _ ended: inout [Anomaly]) {
    var anomaly = one.anomaly
    anomaly.phase = .ended
    ended.append(anomaly)
    if anomaly.kind != .newValue, anomaly.kind != .deployment { series[Int(one.series)].isOpen = false }
    if anomaly.kind == .silence { workloads[Int(series[Int(one.series)].workload)].isSilent = false }
  }

  /// Ends the open anomalies that `isExplained` by one that says it better.
  private mutating func absorb(_ ended: inout [Anomaly], where isExplained: (OpenAnomaly) -> Bool) {
    for one in open where isExplained(one) { end(one, &ended) }
    open.removeAll(where: isExplained)
  }

  /// Half the deviation that opens it keeps a spike or a drop open; one that has lasted for half an hour is a shift.
  private mutating func updateChange(_ one: inout OpenAnomaly) -> Bool {
    let index = Int(one.series)
    let workload = workloads[Int(series[index].workload)]
    if workload.isSilent { return true }
    let observed = Double(series[index].pending)
    let expectation = one.expectation
    let z = expectation.z(observed)
    one.anomaly.evidence.total += observed
    one.anomaly.evidence.expectedTotal += expectation.rate
    let isOut: Bool
    if one.anomaly.kind == .spike {
      isOut = z >= Limits.z / 2 && observed >= 1.5 * expectation.rate
      if isOut { series[index].note(burst: observed, minute: minute) }
      if z > one.anomaly.evidence.z { (one.anomaly.evidence.z, one.anomaly.evidence.observed) = (z, observed) }
    } else {
      isOut = observed <= expectation.rate * 0.65
      let minutes = Int(minute - one.anomaly.onset) + 1
      let sumZ = expectation.z(sum: one.anomaly.evidence.total, minutes: minutes)
      if observed < one.anomaly.evidence.observed { one.anomaly.evidence.observed = observed }
      one.anomaly.evidence.z = min(one.anomaly.evidence.z, z, sumZ)
    }
    if isOut {
      one.anomaly.last = minute
      one.quietTicks = 0
    } else {
      one.quietTicks += 1
    }
    if minute - one.anomaly.onset >= Int64(Limits.shiftMinutes), isOut,
      let shift = series[index].shift(tick: workload.tick)
    {
      one.anomaly.kind = .shift
      one.anomaly.evidence.observed = shift.after
      series[index].restart(tick: workload.tick, minute: minute, from: shift.before)
      return false
    }
    if one.quietTicks < Limits.quietTicks { return true }
    // What it left in the sums was told of.
    series[index].resetJudgement()
    return false
  }

  private mutating func updateSilence(_ one: inout OpenAnomaly) -> Bool {
    one.anomaly.evidence.expectedTotal += one.expectation.rate
    one.anomaly.evidence.z = min(
      one.anomaly.evidence.z, one.expectation.z(sum: 0, minutes: Int(minute - one.anomaly.onset) + 1))
    if series[Int(one.series)].pending > 0 { return false }
    one.anomaly.last = minute
    return minute - one.anomaly.onset < Limits.silenceMinutesMax
  }

  private mutating func updateNews(_ one: inout OpenAnomaly) -> Bool {
    let count = series[Int(one.series)].pending
    if count > 0, one.anomaly.kind != .newValue {
      one.anomaly.last = minute
      one.anomaly.evidence.total += Double(count)
      one.anomaly.evidence.observed = max(one.anomaly.evidence.observed, Double(count))
      one.anomaly.evidence.z = max(one.anomaly.evidence.z, one.expectation.z(Double(count)))
    }
    return minute - one.anomaly.last < Limits.newQuietMinutes && minute - one.anomaly.onset < Limits.newMinutes
  }

  /// Opens what was never seen, or rarely.
  mutating func openNews(_ fresh: (new: [Int32], rare: [Int32]), similarity: Similarity?, ended: inout [Anomaly]) {
    var touched: [Int32] = []
    for index in fresh.new {
      let workload = Int(series[Int(index)].workload)
      guard workloads[workload].tick >= Limits.newAfterTicks else { continue }
      workloads[workload].news.append(minute)
      touched.append(Int32(workload))
      openNew(nearest(to: index, similarity).map { .variant(of: $0) } ?? .new, Int(index))
    }
    for index in fresh.rare { openNew(.rare, Int(index)) }
    for workload in Set(touched).sorted() { openDeployment(Int(workload), &ended) }
  }

  private mutating func openNew(_ kind: Anomaly.Kind, _ index: Int) {
    guard !series[index].isOpen else { return }
    let count = Double(series[index].pending)
    let nothing = Expectation(rate: 0, spreadAbove: 0, spreadBelow: 0, basis: series[index].expectation.basis)
    open(
      kind, index, onset: minute,
      Anomaly.Evidence(
        observed: count, expected: 0, z: nothing.z(count), baseline: nothing.basis, total: count, expectedTotal: 0))
  }

  /// The most similar pattern of the same workload, if it is similar enough to be the same thing in other words.
  private func nearest(to index: Int32, _ similarity: Similarity?) -> UInt32? {
    guard let similarity else { return nil }
    let one = series[Int(index)]
    var best: (pattern: UInt32, cosine: Float)?
    for other in workloads[Int(one.workload)].patterns where other != index {
      let pattern = series[Int(other)].key.pattern
      let cosine = similarity(one.key.pattern, pattern)
      if cosine >= Limits.variantSimilarity, cosine > best?.cosine ?? 0 { best = (pattern, cosine) }
    }
    return best?.pattern
  }

  /// Replaces the news of a workload with one deployment, if they are too many.
  private mutating func openDeployment(_ workload: Int, _ ended: inout [Anomaly]) {
    let now = minute
    workloads[workload].news.removeAll { now - $0 >= Limits.deploymentMinutes }
    let count = workloads[workload].news.count
    let total = Int(workloads[workload].total)
    let patterns = workloads[workload].patterns.count
    let isDeployment =
      count >= Limits.deploymentPatternsMin
      && Double(count) > Limits.deploymentShare * Double(max(1, patterns - count))
    let number = workloads[workload].number
    let known = open.firstIndex { $0.anomaly.kind == .deployment && $0.anomaly.key.workload == number }
    guard isDeployment || known != nil else { return }
    absorb(&ended) { one in
      guard one.anomaly.key.workload == number, now - one.anomaly.onset < Limits.deploymentMinutes else { return false }
      if case .variant = one.anomaly.kind { return true }
      return one.anomaly.kind == .new
    }
    // Absorbing may have moved it.
    if let known = open.firstIndex(where: { $0.anomaly.kind == .deployment && $0.anomaly.key.workload == number }) {
      open[known].anomaly.last = now
      open[known].anomaly.evidence.observed = max(open[known].anomaly.evidence.observed, Double(count))
      open[known].anomaly.evidence.total = max(open[known].anomaly.evidence.total, Double(count))
    } else {
      let onset = workloads[workload].news.min() ?? now
      open(
        .deployment, total, onset: onset,
        Anomaly.Evidence(
          observed: Double(count), expected: 0, z: 0, baseline: series[total].expectation.basis, total: Double(count),
          expectedTotal: 0))
    }
  }

  /// A workload is silent when its records have stopped for longer than chance and its own habits explain.
  mutating func openSilences(_ ended: inout [Anomaly]) {
    for workload in workloads.indices where !workloads[workload].isSilent {
      let total = Int(workloads[workload].total)
      let one = series[total]
      guard one.isActive, one.pending == 0, one.expectation.basis != .none, one.expectation.rate > 0 else { continue }
      let minutes = Int(one.idleTicks) + 1
      guard minutes >= Limits.confirmations else { continue }
      let z = one.expectation.z(sum: 0, minutes: minutes)
      guard z <= -Limits.z, minutes >= 2 * one.longestPause(tick: workloads[workload].tick) else { continue }
      let number = workloads[workload].number
      absorb(&ended) { $0.anomaly.kind == .drop && $0.anomaly.key.workload == number }
      open(
        .silence, total, onset: minute - Int64(minutes - 1),
        Anomaly.Evidence(
          observed: 0, expected: one.expectation.rate, z: z, baseline: one.expectation.basis, total: 0,
          expectedTotal: one.expectation.rate * Double(minutes)))
      workloads[workload].isSilent = true
    }
  }

  mutating func openNewValue(_ value: MinuteCounts.NewValue) {
    guard let index = indexOfKey[value.key] else { return }
    // Of a variable that keeps taking new values the first is told.
    guard !open.contains(where: { $0.series == index && $0.anomaly.value?.variable == value.variable }) else { return }
    let one = series[Int(index)]
    // In its first minutes every value is new, and in a new pattern that is said already.
    guard minute - one.firstMinute >= Int64(Limits.newMinutes) else { return }
    open(
      .newValue, Int(index), onset: minute,
      Anomaly.Evidence(
        observed: Double(one.pending), expected: one.expectation.rate, z: 0, baseline: one.expectation.basis,
        total: Double(one.pending), expectedTotal: one.expectation.rate), value: value)
  }
}

extension Series {
  /// The longest run of minutes without records in the last two hours, the present one left out.
  func longestPause(tick: UInt32) -> Int {
    let known = min(Int(tick &- baseline.sinceTick), Baseline.minutesMax - 1)
    var longest = 0
    var run = 0
    var back = Int(idleTicks) + 1
    while back <= known {
      run = baseline.count(back, before: tick) == 0 ? run + 1 : 0
      longest = max(longest, run)
      back += 1
    }
    return longest
  }
}
