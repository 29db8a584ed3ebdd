import CKernels
import Domain
import LogBlocks
import LogQuery

/// Runs a filter over one source's columns: narrows a set of rows, reading only the columns that the filter asks for and only where
/// rows are left.
final class FilterEvaluator {
  let source: any RecordSource
  let names: TenantNames
  /// What left no row before the rows themselves were looked at.
  var ruledOut: Reason?
  private var scratch: [UInt8] = []

  enum Reason { case templates, tokens }

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
      return intersection(candidates, try source.rows(whereSeverity: { passes[Int($0.rawValue)] }))
    case .streams(let wanted):
      let present = source.streamCounts
      if present.allSatisfy({ wanted.contains($0.number) }) { return candidates }
      if !present.contains(where: { wanted.contains($0.number) }) { return empty }
      return intersection(candidates, try source.rows(whereStream: wanted.contains))
    case .templates(let wanted):
      let present = source.templateCounts
      if present.allSatisfy({ wanted.contains($0.number) }) { return candidates }
      if !present.contains(where: { wanted.contains($0.number) }) {
        ruledOut = .templates
        return empty
      }
      return intersection(candidates, try source.rows(whereTemplate: wanted.contains))
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

  /// How many rows match, where columns' counts tell it or whole templates do; nil where rows have to be looked at.
  func count(_ filter: ScanFilter) throws -> Int? {
    switch filter {
    case .all: return source.count
    case .none: return 0
    case .severity(let passes):
      let counts = try source.severityCounts(within: nil)
      return counts.indices.reduce(0) { passes[$1] ? $0 + counts[$1] : $0 }
    case .streams(let wanted):
      return source.streamCounts.reduce(0) { wanted.contains($1.number) ? $0 + Int($1.count) : $0 }
    case .templates(let wanted):
      return source.templateCounts.reduce(0) { wanted.contains($1.number) ? $0 + Int($1.count) : $0 }
    case .message(let test): return try countMessages(test)
    case .field(let fieldNames, let matcher): return try countField(fieldNames, matcher)
    case .not(let part): return try count(part).map { source.count - $0 }
    case .and(let parts):
      // Parts that every row passes, or none, leave what the others say.
      var left: [ScanFilter] = []
      for part in parts {
        guard !part.readsMessages, let count = try count(part), count == 0 || count == source.count else {
          left.append(part)
          continue
        }
        if count == 0 { return 0 }
      }
      return left.isEmpty ? source.count : left.count == 1 ? try count(left[0]) : nil
    default: return nil
    }
  }

  private func countField(_ fieldNames: [[UInt8]], _ matcher: ValueMatcher) throws -> Int? {
    let known = Set(source.fieldNames)
    let present = fieldNames.filter { known.contains($0) }
    guard let name = present.first else { return matcher.matchesEmpty ? source.count : 0 }
    guard present.count == 1, let counts = try source.fieldValueCounts(name, within: nil) else { return nil }
    var total = matcher.matchesEmpty ? counts.absentCount : 0
    counts.values.forEach { if matcher.matches($1) { total += counts.counts[$0] } }
    return total
  }

  private func message(ofRow row: Int) throws -> [UInt8] {
    scratch.removeAll(keepingCapacity: true)
    let number = try source.templates()[row]
    try source.appendMessage(ofRow: row, template: names.requiredTemplate(number), to: &scratch)
    return scratch
  }

  private func intersection(_ candidates: RowSet, _ bits: RowBits) -> RowSet {
    var rows = candidates
    rows.formIntersection(RowSet(rowCount: candidates.rowCount, bits: bits))
    return rows
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
          ruledOut = .tokens
          return RowSet(rowCount: candidates.rowCount, full: false)
        }
      }
      let rows = try source.rows(whereField: name) { $0.map(matcher.matches) ?? matcher.matchesEmpty }
      return intersection(candidates, rows)
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
