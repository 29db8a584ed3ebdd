import Domain
import LogBlocks
import LogQuery

/// Rows for a pipe that only counts: one for all records of a source that are equal in the fields it names.
struct CountedScan: Sendable {
  /// The fields the pipe names.
  let fields: [String]
  /// What the pipe cuts `_time` into, if it reads it.
  let timeStep: (step: Int64, offset: Int64)?

  /// Nil if the pipes need more of each record than counts.
  init?(_ pipes: [Pipe], _ fields: FieldSelection) {
    guard PipeChain.takesCounts(pipes), case .only(let names) = fields else { return nil }
    self.fields = names
    timeStep = PipeChain.timeStep(of: pipes)
    if names.contains(where: { ["_msg", "_id"].contains($0) || ($0 == "_time" && timeStep == nil) }) { return nil }
  }

  /// Tuples of values that are more than this are no summary of anything: their records are better read one by one.
  private static let tupleCountMax = 1 << 16

  /// The matching records of `source` as counted rows; nil if a field has too many values in it.
  ///
  /// - Returns: How many records matched, and the rows.
  func rows(of source: OpenedSource) throws -> (matched: Int, rows: [Row])? {
    var constants: [(name: String, value: [UInt8])] = []
    var varying: [String] = []
    for name in fields {
      switch try constant(name, of: source) {
      case .some(let value): if !value.isEmpty { constants.append((name, value)) }
      case .none: varying.append(name)
      }
    }
    if varying.isEmpty {
      let count = try source.count()
      return (count, count > 0 ? [row(constants, count)] : [])
    }
    if varying.count == 1, let counts = try counts(of: varying[0], in: source) {
      var matched = 0
      var rows: [Row] = []
      for (value, count) in counts where count > 0 {
        matched += count
        rows.append(row(value.isEmpty ? constants : constants + [(varying[0], value)], count))
      }
      return (matched, rows)
    }
    return try tuples(varying, of: source, constants)
  }

  private func row(_ fields: [(name: String, value: [UInt8])], _ count: Int) -> Row {
    var row = Row(fields)
    row.count = count
    return row
  }

  /// The value that all records of the source have; nil if it differs from one to the next.
  private func constant(_ name: String, of source: OpenedSource) throws -> [UInt8]? {
    switch name {
    case "_time", "severity", "template", "pattern": return nil
    case "_stream", "_stream_id":
      return source.reader.streamCounts.count == 1 ? try source.records.value(of: name, atRow: 0) : nil
    default:
      let present = try columns(name, of: source)
      if present.isEmpty { return [] }
      guard case .constant(let value) = try source.reader.field(present[0]), !value.isEmpty else { return nil }
      return value
    }
  }

  /// The columns that a name may stand for and that the source has.
  private func columns(_ name: String, of source: OpenedSource) throws -> [[UInt8]] {
    let known = source.reader.fieldNames
    return FieldAlias.candidates(for: name).map { Array($0.utf8) }.filter { known.contains($0) }
  }

  /// One field's values and how many matching records have each; nil if the source can't count them by itself.
  private func counts(of name: String, in source: OpenedSource) throws -> [(value: [UInt8], count: Int)]? {
    let reader = source.reader
    let bits = source.matchesAll ? nil : try source.rows().words
    switch name {
    case "_time": return nil
    case "severity":
      let counts = try reader.severityCounts(within: bits)
      return Severity.allCases.map { (Array($0.name.utf8), counts[Int($0.rawValue)]) }
    case "template", "pattern":
      guard bits == nil else { return nil }
      var byValue: [[UInt8]: Int] = [:]
      for entry in reader.templateCounts {
        byValue[try source.records.value(of: name, ofTemplate: entry.number), default: 0] += Int(entry.count)
      }
      return byValue.map { ($0.key, $0.value) }
    case "_stream", "_stream_id":
      guard bits == nil else { return nil }
      return source.reader.streamCounts.map { entry in
        (source.records.value(of: name, ofStream: entry.number), Int(entry.count))
      }
    default:
      let present = try columns(name, of: source)
      guard present.count == 1, let counts = try reader.fieldValueCounts(present[0], within: bits) else { return nil }
      return counts.counts.indices.map { (counts.values[$0], counts.counts[$0]) } + [([], counts.absentCount)]
    }
  }

  /// Several fields at once: their codes make one number a row.
  private func tuples(
    _ names: [String], of source: OpenedSource, _ constants: [(name: String, value: [UInt8])]
  ) throws -> (matched: Int, rows: [Row])? {
    var columns: [Codes] = []
    var tupleCount = 1
    for name in names {
      guard let codes = try codes(name, of: source) else { return nil }
      columns.append(codes)
      tupleCount *= max(1, codes.count)
      if tupleCount > CountedScan.tupleCountMax { return nil }
    }
    let rows = try source.rows()
    var counts = [Int](repeating: 0, count: tupleCount)
    rows.forEach { row in
      var tuple = 0
      for column in columns { tuple = tuple * column.count + Int(column.codes[row]) }
      counts[tuple] += 1
    }
    var matched = 0
    var result: [Row] = []
    for (tuple, count) in counts.enumerated() where count > 0 {
      matched += count
      var fields = constants
      var rest = tuple
      var values: [(name: String, value: [UInt8])] = []
      for (column, name) in zip(columns, names).reversed() {
        let value = column.values[rest % column.count]
        if !value.isEmpty { values.append((name, value)) }
        rest /= column.count
      }
      fields += values.reversed()
      result.append(row(fields, count))
    }
    return (matched, result)
  }

  private struct Codes {
    /// One a row.
    var codes: [UInt32]
    /// By code.
    var values: [[UInt8]]
    var count: Int { values.count }
  }

  private func codes(_ name: String, of source: OpenedSource) throws -> Codes? {
    if name == "_time" {
      guard let (step, offset) = timeStep else { return nil }
      return timeCodes(try source.reader.times(), step: step, offset: offset)
    }
    guard let codes = try ValueCodes(stored: name, of: source)?.dense(rowCount: source.reader.count) else { return nil }
    return Codes(codes: codes.codes, values: codes.values)
  }

  /// Each step of time stands for itself by the first time met in it: the pipe cuts that to the step again.
  private func timeCodes(_ times: [Int64], step: Int64, offset: Int64) -> Codes {
    var codes: [UInt32] = []
    codes.reserveCapacity(times.count)
    var values: [[UInt8]] = []
    var known: [Int64: UInt32] = [:]
    var last = (bucket: Int64.min, code: UInt32(0))
    for time in times {
      let bucket = Timestamp(nanoseconds: time).advanced(byNanoseconds: offset).nanoseconds.floorDivided(by: step)
      if bucket != last.bucket || values.isEmpty {
        let code = known[bucket] ?? UInt32(values.count)
        if code == values.count {
          var text: [UInt8] = []
          Timestamp(nanoseconds: time).appendRFC3339(to: &text)
          values.append(text)
          known[bucket] = code
        }
        last = (bucket, code)
      }
      codes.append(last.code)
    }
    return Codes(codes: codes, values: values)
  }
}
