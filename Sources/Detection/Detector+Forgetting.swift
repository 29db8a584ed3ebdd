extension Detector {
  /// Lets the records of pattern `old` be those of `new` from the beginning: the miner found them to be one.
  package mutating func merge(pattern old: UInt32, into new: UInt32) {
    guard old != new, old != SeriesKey.allPatterns, new != SeriesKey.allPatterns else { return }
    var gone: Set<Int32> = []
    for index in series.indices where series[index].key.pattern == old {
      let target = SeriesKey(pattern: new, workload: series[index].key.workload)
      if let other = indexOfKey[target] {
        series[Int(other)].take(series[index])
        if series[index].isActive, !series[Int(other)].isActive {
          let minutes = series[index].baseline.minutes
          activate(Int(other))
          series[Int(other)].baseline.setMinutes(minutes)
        }
        gone.insert(Int32(index))
      } else {
        indexOfKey[series[index].key] = nil
        indexOfKey[target] = Int32(index)
        series[index] = Series(renaming: series[index], to: target)
        for position in open.indices where open[position].series == Int32(index) { open[position].anomaly.key = target }
      }
    }
    remove(gone)
  }

  /// Forgets series without records since `minute`, and the longest idle ones above `seriesMax`.
  mutating func forget(before minute: Int64) {
    var gone: Set<Int32> = []
    var idle: [Int32] = []
    for index in series.indices where series[index].key.pattern != SeriesKey.allPatterns && !series[index].isOpen {
      if series[index].lastMinute < minute {
        gone.insert(Int32(index))
      } else {
        idle.append(Int32(index))
      }
    }
    let excess = series.count - workloads.count - gone.count - seriesMax
    if excess > 0 {
      idle.sort {
        let (left, right) = (series[Int($0)], series[Int($1)])
        return left.lastMinute != right.lastMinute ? left.lastMinute < right.lastMinute : left.key < right.key
      }
      gone.formUnion(idle.prefix(excess))
    }
    remove(gone)
  }

  private mutating func remove(_ gone: Set<Int32>) {
    guard !gone.isEmpty else { return }
    open.removeAll { gone.contains($0.series) }
    var moved = [Int32](repeating: -1, count: series.count)
    var kept: [Series] = []
    kept.reserveCapacity(series.count - gone.count)
    // Workloads of which nothing is left go with their totals.
    var living = Set<Int32>()
    for index in series.indices where series[index].key.pattern != SeriesKey.allPatterns {
      if !gone.contains(Int32(index)) { living.insert(series[index].workload) }
    }
    let silent = Set(open.map(\.series))
    for index in series.indices {
      let one = series[index]
      let isTotal = one.key.pattern == SeriesKey.allPatterns
      if isTotal ? !living.contains(one.workload) && !silent.contains(Int32(index)) : gone.contains(Int32(index)) {
        continue
      }
      moved[index] = Int32(kept.count)
      kept.append(one)
    }
    var workloadMoved = [Int32](repeating: -1, count: workloads.count)
    var keptWorkloads: [Workload] = []
    for (index, workload) in workloads.enumerated() where moved[Int(workload.total)] >= 0 {
      workloadMoved[index] = Int32(keptWorkloads.count)
      var workload = workload
      workload.total = moved[Int(workload.total)]
      workload.patterns = workload.patterns.compactMap { moved[Int($0)] >= 0 ? moved[Int($0)] : nil }
      keptWorkloads.append(workload)
    }
    for index in kept.indices { kept[index].workload = workloadMoved[Int(kept[index].workload)] }
    series = kept
    workloads = keptWorkloads
    active = active.compactMap { moved[Int($0)] >= 0 ? moved[Int($0)] : nil }
    for index in open.indices { open[index].series = moved[Int(open[index].series)] }
    rebuildIndices()
  }

  mutating func rebuildIndices() {
    indexOfKey.removeAll(keepingCapacity: true)
    for (index, one) in series.enumerated() { indexOfKey[one.key] = Int32(index) }
    indexOfWorkload.removeAll(keepingCapacity: true)
    for (index, workload) in workloads.enumerated() { indexOfWorkload[workload.number] = Int32(index) }
  }
}

extension Series {
  init(renaming other: Series, to key: SeriesKey) {
    self.init(key: key, workload: other.workload, firstMinute: other.firstMinute, lastMinute: other.lastMinute)
    baseline = other.baseline
    isActive = other.isActive
    isOpen = other.isOpen
    idleTicks = other.idleTicks
    pending = other.pending
    days = other.days
    newestDay = other.newestDay
  }

  /// Adds what is remembered of `other`, a series of the same workload.
  mutating func take(_ other: Series) {
    if isActive, other.isActive {
      baseline.setMinutes(
        zip(baseline.minutes, other.baseline.minutes).map {
          CompactCount(CompactCount(bits: $0).value + CompactCount(bits: $1).value).bits
        })
    }
    baseline.halfHours = baseline.halfHours.merged(with: other.baseline.halfHours, capacity: Baseline.halfHoursMax)
    baseline.hours = baseline.hours.merged(with: other.baseline.hours, capacity: Baseline.hoursMax)
    baseline.halfHourSum &+= other.baseline.halfHourSum
    baseline.hourSum &+= other.baseline.hourSum
    firstMinute = min(firstMinute, other.firstMinute)
    lastMinute = max(lastMinute, other.lastMinute)
    idleTicks = min(idleTicks, other.idleTicks)
    if other.days != 0, days == 0 || other.newestDay > newestDay {
      let step = other.newestDay - newestDay
      days = other.days | (days != 0 && step < 16 ? days << UInt16(step) : 0)
      newestDay = other.newestDay
    } else if other.days != 0 {
      let step = newestDay - other.newestDay
      if step < 16 { days |= other.days << UInt16(step) }
    }
    // What was expected of either is not what is to be expected of both.
    seasonHour = -1
    rise = 0
    fall = 0
  }
}
