import CKernels
import Domain
import LogBlocks
import LogQuery

/// Runs a filter over one source's columns: narrows a set of rows, reading only the columns that the filter asks for and only where
/// rows are left.
final class FilterEvaluator {
  private let source: any RecordSource
  private let names: TenantNames
  private var scratch: [UInt8] = []
  /// What the token filters said of a word.
  private var variablesMayHold: [[UInt8]: Bool] = [:]

  init(_ source: any RecordSource, names: TenantNames) {
    self.source = source
    self.names = names
  }

  /// The rows of `candidates` that match.
  func matches(_ filter: ScanFilter, within candidates: RowSet) throws -> RowSet {
    let empty = RowSet(rowCount: candidates.rowCount, full: false)
    switch filter {
    case .all: return candidates
    case .none: return empty
    case .and(let parts):
      var rows = candidates
      for part in parts {
        if rows.isEmpty { return rows }
        rows = try matches(part, within: rows)
      }
      return rows
    case .or(let parts):
      var left = candidates
      var found = empty
      for part in parts {
        if left.isEmpty { break }
        let rows = try matches(part, within: left)
        found.formUnion(rows)
        left.subtract(rows)
      }
      return found
    case .not(let part):
      var rows = candidates
      rows.subtract(try matches(part, within: candidates))
      return rows
    case .time(let range):
      let times = try source.times()
      return candidates.filter {
        times[$0] >= range.start.nanoseconds && (times[$0] < range.end.nanoseconds || range.end == TimeRange.all.end)
      }
    case .timeOfDay(let first, let last, let offset):
      let times = try source.times()
      return candidates.filter {
        TimeOfDay.isWithin(Timestamp(nanoseconds: times[$0]), first: first, last: last, offset: offset)
      }
    case .dayOfWeek(let days, let offset):
      let times = try source.times()
      return candidates.filter {
        days.contains(TimeOfDay.weekday(Timestamp(nanoseconds: times[$0]), offset: offset))
      }
    case .message(let test): return try matchMessages(test, within: candidates)
    case .severity(let passes):
      if passes.allSatisfy({ $0 }) { return candidates }
      let severities = try source.severities()
      return candidates.filter { passes[Int(severities[$0].rawValue)] }
    case .streams(let wanted):
      let present = source.streamCounts
      if present.allSatisfy({ wanted.contains($0.number) }) { return candidates }
      if !present.contains(where: { wanted.contains($0.number) }) { return empty }
      let streams = try source.streams()
      return candidates.filter { wanted.contains(streams[$0]) }
    case .templates(let wanted):
      let present = source.templateCounts
      if present.allSatisfy({ wanted.contains($0.number) }) { return candidates }
      var found = empty
      for entry in present where wanted.contains(entry.number) {
        for row in try source.rows(ofTemplate: entry.number) where candidates.contains(Int(row)) {
          found.insert(Int(row))
        }
      }
      return found
    case .field(let fieldNames, let matcher): return try matchField(fieldNames, matcher, within: candidates)
    case .timeText(let matcher):
      let times = try source.times()
      return candidates.filter {
        scratch.removeAll(keepingCapacity: true)
        Timestamp(nanoseconds: times[$0]).appendRFC3339(to: &scratch)
        return scratch.withUnsafeBufferPointer { matcher.matches($0) }
      }
    case .record(let id):
      let times = try source.times()
      let streams = try source.streams()
      return try candidates.filter { row in
        guard times[row] == id.time.nanoseconds, streams[row] == id.stream else { return false }
        return RecordReader.messageChecksum(try message(ofRow: row)) == id.messageChecksum
      }
    case .recordText(let matcher):
      let times = try source.times()
      let streams = try source.streams()
      return try candidates.filter { row in
        let checksum = RecordReader.messageChecksum(try message(ofRow: row))
        let id = RecordID(
          time: Timestamp(nanoseconds: times[row]), stream: streams[row], messageChecksum: checksum)
        return Array(id.description.utf8).withUnsafeBufferPointer { matcher.matches($0) }
      }
    case .compare(let left, let comparison, let right):
      return try compareFields(left, comparison, right, within: candidates)
    }
  }

  private func message(ofRow row: Int) throws -> [UInt8] {
    scratch.removeAll(keepingCapacity: true)
    let number = try source.templates()[row]
    try source.appendMessage(ofRow: row, template: names.requiredTemplate(number), to: &scratch)
    return scratch
  }

  /// Decides whole templates from their text; only where a template leaves it open are messages put together.
  private func matchMessages(_ test: MessageTest, within candidates: RowSet) throws -> RowSet {
    var found = RowSet(rowCount: candidates.rowCount, full: false)
    let present = source.templateCounts
    var open: [UInt32] = []
    var decided: [UInt32] = []
    for entry in present {
      switch test.verdict(on: entry.number) {
      case .all: decided.append(entry.number)
      case .none: continue
      case .maybe: open.append(entry.number)
      }
    }
    if decided.count == present.count { return candidates }
    for number in decided {
      for row in try source.rows(ofTemplate: number) where candidates.contains(Int(row)) { found.insert(Int(row)) }
    }
    for number in open {
      let template = try names.requiredTemplate(number)
      guard try mayHold(test.matcher.requiredWords, in: template),
        try test.matcher.requiredLiterals.allSatisfy({
          try source.messagesMayContain($0, ofTemplate: number, template: template)
        })
      else { continue }
      try source.forEachMessage(ofTemplate: number, template: template) { row, message in
        if candidates.contains(Int(row)), test.matcher.matches(message) { found.insert(Int(row)) }
        return true
      }
    }
    return found
  }

  /// Whether messages of `template` can hold all of `words`: each stands in the literal text, or the token filter of this source's
  /// variables does not rule it out.
  private func mayHold(_ words: [[UInt8]], in template: Template) throws -> Bool {
    for word in words {
      let mayBeVariable: Bool
      if let known = variablesMayHold[word] {
        mayBeVariable = known
      } else {
        mayBeVariable = try source.variablesMayContain(word: word)
        variablesMayHold[word] = mayBeVariable
      }
      if mayBeVariable { continue }
      let isLiteral = template.text.withUnsafeBufferPointer { text in
        word.withUnsafeBufferPointer { tl_find(text.baseAddress, text.count, $0.baseAddress, $0.count) < text.count }
      }
      if !isLiteral { return false }
    }
    return true
  }

  private func matchField(_ fieldNames: [[UInt8]], _ matcher: ValueMatcher, within candidates: RowSet) throws -> RowSet
  {
    let known = Set(source.fieldNames)
    let present = fieldNames.filter { known.contains($0) }
    guard let name = present.first else {
      return matcher.matchesEmpty ? candidates : RowSet(rowCount: candidates.rowCount, full: false)
    }
    if present.count == 1 {
      if !matcher.matchesEmpty {
        for word in matcher.requiredWords where try !source.field(name, mayContain: word) {
          return RowSet(rowCount: candidates.rowCount, full: false)
        }
      }
      return try matchColumn(try source.field(name), matcher, within: candidates)
    }
    let columns = try present.map { try source.field($0) }
    return candidates.filter { row in
      for column in columns {
        let verdict = column.withValue(atRow: row) { value -> Bool? in
          guard let value, !value.isEmpty else { return nil }
          return matcher.matches(value)
        }
        if let verdict { return verdict }
      }
      return matcher.matchesEmpty
    }
  }

  private func matchColumn(_ column: FieldColumn, _ matcher: ValueMatcher, within candidates: RowSet) throws -> RowSet {
    let empty = RowSet(rowCount: candidates.rowCount, full: false)
    switch column {
    case .absent:
      return matcher.matchesEmpty ? candidates : empty
    case .constant(let value):
      return value.withUnsafeBufferPointer { matcher.matches($0) } ? candidates : empty
    case .dictionary(let values, let codes):
      var passes = [Bool](repeating: false, count: values.count)
      values.forEach { index, value in passes[index] = matcher.matches(value) }
      if !passes.contains(true), !matcher.matchesEmpty { return empty }
      let absentPasses = matcher.matchesEmpty
      return candidates.filter { codes[$0] == FieldColumn.absentCode ? absentPasses : passes[Int(codes[$0])] }
    case .list(let values, let present):
      let absentPasses = matcher.matchesEmpty
      return candidates.filter { row in
        if let present, !present[row] { return absentPasses }
        return values.withValue(at: row) { matcher.matches($0) }
      }
    }
  }

  private func compareFields(
    _ left: String, _ comparison: Filter.FieldComparison, _ right: String, within candidates: RowSet
  ) throws -> RowSet {
    let reader = RecordReader(source, names: names)
    let matcher = try RecordMatcher(.compareFields(left, comparison, right))
    return try candidates.filter { row in
      matcher.matches(try reader.row(row, fields: [left, right]))
    }
  }
}
