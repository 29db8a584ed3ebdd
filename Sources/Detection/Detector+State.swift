// DETECTOR STATE, version 1. Integers are little-endian, floats IEEE 754, texts a u16 byte count and UTF-8.
//   bytes  field
//       4  magic "TLDT"
//       2  version
//       8  FNV-1a of everything after it
//       8  first minute, -1 before the first tick
//       8  minute of the last tick
//          coverage: i32 newest half hour, 2688 u8 minutes
//       4  workloads w, then each: u32 number, u32 series of its total, u32 tick, u8 silent, u32 count and i64 minutes of
//          its latest new patterns
//       4  series n, then each as `Series.write` says
//       4  open anomalies, then each as `OpenAnomaly.write` says
extension Detector {
  private static let magic = Array("TLDT".utf8)
  private static let version: UInt16 = 1
  private static let headerByteCount = 14

  /// Everything that the next tick depends on: a detector made from it goes on as this one would.
  package func serialized() -> [UInt8] {
    var body = StateWriter()
    body.append(firstMinute)
    body.append(minute)
    coverage.write(to: &body)
    body.append(UInt32(workloads.count))
    for workload in workloads {
      body.append(workload.number)
      body.append(UInt32(workload.total))
      body.append(workload.tick)
      body.append(UInt8(workload.isSilent ? 1 : 0))
      body.append(UInt32(workload.news.count))
      for minute in workload.news { body.append(minute) }
    }
    body.append(UInt32(series.count))
    for one in series { one.write(to: &body) }
    body.append(UInt32(open.count))
    for one in open { one.write(to: &body) }

    var header = StateWriter()
    for byte in Detector.magic { header.append(byte) }
    header.append(Detector.version)
    header.append(StableHash.of(body.bytes))
    return header.bytes + body.bytes
  }

  /// - Throws: `.version` if another build wrote `bytes`, `.corrupt` if they are none of ours.
  package init(serialized bytes: [UInt8], seriesMax: Int = 100_000) throws(DetectorStateError) {
    self.init(seriesMax: seriesMax)
    var reader = StateReader(bytes: bytes)
    for byte in Detector.magic where try reader.byte() != byte { throw .corrupt }
    guard try reader.half() == Detector.version else { throw .version }
    guard try reader.integer(UInt64.self) == StableHash.of(bytes[Detector.headerByteCount...]) else { throw .corrupt }
    firstMinute = try reader.long()
    minute = try reader.long()
    guard firstMinute >= -1, minute >= firstMinute, minute < Int64(Int32.max) else { throw .corrupt }
    coverage = try Coverage(from: &reader)
    for _ in 0..<(try reader.count(max: .max, byteCountEach: 17)) {
      var workload = Workload(number: try reader.word(), total: Int32(truncatingIfNeeded: try reader.word()))
      workload.tick = try reader.word()
      workload.isSilent = try reader.byte() == 1
      for _ in 0..<(try reader.count(max: .max, byteCountEach: 8)) { workload.news.append(try reader.long()) }
      guard workload.tick < UInt32(Int32.max) else { throw .corrupt }
      workloads.append(workload)
    }
    for index in 0..<(try reader.count(max: Int(Int32.max), byteCountEach: 64)) {
      let one = try Series(from: &reader)
      guard workloads.indices.contains(Int(one.workload)) else { throw .corrupt }
      if one.key.pattern != SeriesKey.allPatterns { workloads[Int(one.workload)].patterns.append(Int32(index)) }
      if one.isActive { active.append(Int32(index)) }
      series.append(one)
    }
    for workload in workloads {
      guard series.indices.contains(Int(workload.total)),
        series[Int(workload.total)].key == SeriesKey(pattern: SeriesKey.allPatterns, workload: workload.number)
      else { throw .corrupt }
    }
    for _ in 0..<(try reader.count(max: .max, byteCountEach: 64)) {
      let one = try OpenAnomaly(from: &reader)
      guard series.indices.contains(Int(one.series)) else { throw .corrupt }
      open.append(one)
    }
    guard reader.remaining == 0 else { throw .corrupt }
    rebuildIndices()
    guard indexOfKey.count == series.count, indexOfWorkload.count == workloads.count else { throw .corrupt }
  }
}

extension Series {
  func write(to writer: inout StateWriter) {
    writer.append(key.pattern)
    writer.append(key.workload)
    writer.append(UInt32(bitPattern: workload))
    writer.append(firstMinute)
    writer.append(lastMinute)
    writer.append(baseline.sinceTick)
    writer.append(baseline.sinceMinute)
    writer.append(baseline.halfHourSum)
    writer.append(baseline.hourSum)
    baseline.halfHours.write(to: &writer)
    baseline.hours.write(to: &writer)
    writer.append(days)
    writer.append(UInt32(bitPattern: newestDay))
    writer.append(steadiness)
    writer.append(UInt8(bursts.count))
    for burst in bursts {
      writer.append(burst.minute)
      writer.append(burst.height)
    }
    writer.append(shiftedAt)
    writer.append(shiftedFrom)
    writer.append(shiftedSince)
    writer.append(UInt8((isActive ? 1 : 0) | (isOpen ? 2 : 0)))
    guard isActive else { return }
    for bits in baseline.minutes { writer.append(bits) }
    writer.append(idleTicks)
    writer.append(renewedAt)
    writer.append(UInt32(bitPattern: seasonHour))
    writer.append(UInt8(season == nil ? 0 : 1))
    season?.write(to: &writer)
    expectation.write(to: &writer)
    writer.append(spikeFrom)
    writer.append(dropTo)
    writer.append(spikes)
    writer.append(drops)
    writer.append(rise)
    writer.append(fall)
  }

  init(from reader: inout StateReader) throws(DetectorStateError) {
    let key = SeriesKey(pattern: try reader.word(), workload: try reader.word())
    let workload = Int32(bitPattern: try reader.word())
    let firstMinute = try reader.long()
    self.init(key: key, workload: workload, firstMinute: firstMinute, lastMinute: try reader.long())
    baseline.sinceTick = try reader.word()
    baseline.sinceMinute = try reader.long()
    baseline.halfHourSum = try reader.word()
    baseline.hourSum = try reader.word()
    baseline.halfHours = try SlotHistory(from: &reader, capacity: Baseline.halfHoursMax)
    baseline.hours = try SlotHistory(from: &reader, capacity: Baseline.hoursMax)
    days = try reader.half()
    newestDay = Int32(bitPattern: try reader.word())
    steadiness = try reader.float()
    for _ in 0..<min(try reader.byte(), 8) {
      let minute = try reader.long()
      guard (0..<Int64(Int32.max)).contains(minute) else { throw .corrupt }
      bursts.append(Burst(minute: minute, height: try reader.word()))
    }
    shiftedAt = try reader.long()
    shiftedFrom = try reader.double()
    shiftedSince = try reader.long()
    let flags = try reader.byte()
    isActive = flags & 1 != 0
    isOpen = flags & 2 != 0
    let bound = Int64(Int32.max)
    guard (0..<bound).contains(firstMinute), (0..<bound).contains(lastMinute),
      (0..<bound).contains(baseline.sinceMinute),
      (-1..<bound).contains(shiftedAt), (0..<bound).contains(shiftedSince), newestDay >= 0,
      newestDay <= Int32(bound / 1440)
    else { throw .corrupt }
    guard isActive else { return }
    var minutes: [UInt16] = []
    minutes.reserveCapacity(Baseline.minutesMax)
    for _ in 0..<Baseline.minutesMax { minutes.append(try reader.half()) }
    baseline.setMinutes(minutes)
    idleTicks = try reader.half()
    renewedAt = try reader.word()
    seasonHour = Int32(bitPattern: try reader.word())
    if try reader.byte() == 1 { season = try Expectation(from: &reader) }
    expectation = try Expectation(from: &reader)
    spikeFrom = try reader.word()
    dropTo = try reader.long()
    spikes = try reader.byte()
    drops = try reader.byte()
    rise = try reader.float()
    fall = try reader.float()
  }
}

extension OpenAnomaly {
  func write(to writer: inout StateWriter) {
    writer.append(UInt32(bitPattern: series))
    writer.append(quietTicks)
    expectation.write(to: &writer)
    anomaly.write(to: &writer)
  }

  init(from reader: inout StateReader) throws(DetectorStateError) {
    series = Int32(bitPattern: try reader.word())
    quietTicks = try reader.half()
    expectation = try Expectation(from: &reader)
    anomaly = try Anomaly(from: &reader)
    guard quietTicks < .max - 8 else { throw .corrupt }
  }
}

extension Anomaly {
  func write(to writer: inout StateWriter) {
    writer.append(id)
    writer.append(kind.number)
    if case .variant(let pattern) = kind { writer.append(pattern) } else { writer.append(UInt32(0)) }
    writer.append(key.pattern)
    writer.append(key.workload)
    writer.append(phase.rawValue)
    writer.append(onset)
    writer.append(last)
    writer.append(evidence.observed)
    writer.append(evidence.expected)
    writer.append(evidence.z)
    writer.append(evidence.baseline.code.kind)
    writer.append(evidence.baseline.code.count)
    writer.append(evidence.total)
    writer.append(evidence.expectedTotal)
    writer.append(UInt8((value == nil ? 0 : 1) | (suppressedBy == nil ? 0 : 2)))
    if let value {
      writer.append(value.variable)
      writer.append(value.value)
    }
    if let suppressedBy { writer.append(suppressedBy) }
  }

  init(from reader: inout StateReader) throws(DetectorStateError) {
    let id = try reader.integer(UInt64.self)
    let number = try reader.byte()
    guard let kind = Kind(number: number, of: try reader.word()) else { throw .corrupt }
    let key = SeriesKey(pattern: try reader.word(), workload: try reader.word())
    guard let phase = Phase(rawValue: try reader.byte()) else { throw .corrupt }
    let onset = try reader.long()
    let last = try reader.long()
    let bound = Int64(Int32.max)
    guard (-bound..<bound).contains(onset), (-bound..<bound).contains(last) else { throw .corrupt }
    let observed = try reader.double()
    let expected = try reader.double()
    let z = try reader.double()
    let basis = try reader.byte()
    let baseline = try Expectation.Basis(kind: basis, count: try reader.half())
    let total = try reader.double()
    let evidence = Evidence(
      observed: observed, expected: expected, z: z, baseline: baseline, total: total,
      expectedTotal: try reader.double())
    self.init(id: id, kind: kind, key: key, phase: phase, onset: onset, last: last, evidence: evidence)
    let flags = try reader.byte()
    if flags & 1 != 0 {
      let variable = try reader.half()
      value = MinuteCounts.NewValue(key: key, variable: variable, value: try reader.text())
    }
    if flags & 2 != 0 { suppressedBy = try reader.integer(UInt64.self) }
  }
}
