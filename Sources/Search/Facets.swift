import Domain
import LogBlocks
import LogQuery

/// The most frequent values of one field.
package struct Facet: Sendable {
  package var name: String
  package var values: [ValueHits]
}

extension ValueHits {
  /// The most frequent first, equal ones by value.
  static func ranked(_ counts: [[UInt8]: Int], limit: Int) -> [ValueHits] {
    let ranked = counts.map { ValueHits(value: $0.key, hits: $0.value) }.sorted {
      $0.hits != $1.hits ? $0.hits > $1.hits : $0.value.lexicographicallyPrecedes($1.value)
    }
    return Array(ranked.prefix(limit))
  }
}

/// Counts the values of all fields at once. A field with more than `distinctMax` values says nothing by its most frequent ones and is
/// left out.
struct FacetBuilder {
  static let distinctMax = 1000
  static let valueByteCountMax = 1000

  private var counts: [[UInt8]: [[UInt8]: Int]] = [:]
  private var tooMany: Set<[UInt8]> = []
  private let byteCountMax: Int
  private var byteCount = 0

  init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

  mutating func add(_ plan: ScanPlan) async throws {
    for unit in plan.units {
      try await plan.pause()
      if byteCount > byteCountMax {
        throw SearchError.tooLarge(
          "the values of all fields hold more than \(byteCountMax) bytes; narrow the time range or the filter")
      }
      if plan.matchesWholly(unit), let summary = try plan.summary(of: unit) {
        // Which fields need no look into the block: constants. The rest is opened below.
        for field in summary.fields where field.occurrence == 0 && !field.isCountable { tooMany.insert(field.name) }
      }
      try plan.readCounts(unit) { source in
        let rows = source.matchesAll ? nil : try source.rows()
        let count = rows?.count ?? source.reader.count
        if count == 0 { return 0 }
        try addSeverities(source, rows)
        for name in source.reader.fieldNames where !tooMany.contains(name) && !RecordReader.isBuiltIn(name) {
          try add(name, source, rows)
        }
        return count
      }
    }
  }

  /// - Parameter rows: Nil: all.
  private mutating func addSeverities(_ source: OpenedSource, _ rows: RowSet?) throws {
    for (index, count) in try source.reader.severityCounts(within: rows?.words).enumerated() where count > 0 {
      let name = Severity.allCases[index].name
      counts[Array("severity".utf8), default: [:]][Array(name.utf8), default: 0] += count
    }
  }

  private mutating func add(_ name: [UInt8], _ source: OpenedSource, _ rows: RowSet?) throws {
    if let known = try source.reader.fieldValueCounts(name, within: rows?.words) {
      for (index, count) in known.counts.enumerated() where count > 0 { add(name, known.values[index], count) }
      return
    }
    guard case .list(let values, let present) = try source.reader.field(name) else { return }
    var byValue: [[UInt8]: Int] = [:]
    (rows ?? RowSet(rowCount: source.reader.count, full: true)).forEach { row in
      if present?[row] == false || byValue.count > FacetBuilder.distinctMax { return }
      byValue[values[row], default: 0] += 1
    }
    for (value, count) in byValue { add(name, value, count) }
  }

  mutating func add(_ rows: [Row]) {
    for row in rows {
      for field in row.fields where !["_time", "_msg", "_id", "_stream", "_stream_id"].contains(field.name) {
        add(Array(field.name.utf8), field.value, 1)
      }
    }
  }

  private mutating func add(_ name: [UInt8], _ value: [UInt8], _ count: Int) {
    if value.isEmpty || tooMany.contains(name) { return }
    if value.count > FacetBuilder.valueByteCountMax {
      drop(name)
      return
    }
    if counts[name]?[value] == nil { byteCount += value.count + 96 }
    counts[name, default: [:]][value, default: 0] += count
    if counts[name]!.count > FacetBuilder.distinctMax { drop(name) }
  }

  private mutating func drop(_ name: [UInt8]) {
    tooMany.insert(name)
    byteCount -= counts[name]?.keys.reduce(0) { $0 + $1.count + 96 } ?? 0
    counts[name] = nil
  }

  /// Severity first, then by name.
  func result(limit: Int) -> [Facet] {
    let severity = Array("severity".utf8)
    return counts.filter { !tooMany.contains($0.key) }.sorted {
      ($0.key == severity) != ($1.key == severity) ? $0.key == severity : $0.key.lexicographicallyPrecedes($1.key)
    }.map { Facet(name: String(decoding: $0.key, as: UTF8.self), values: ValueHits.ranked($0.value, limit: limit)) }
  }
}

extension BlockSummary.FieldSummary {
  /// Whether its values can be few enough for a facet.
  fileprivate var isCountable: Bool {
    switch storage {
    case .constant: true
    case .dictionary(let distinctCount): distinctCount <= FacetBuilder.distinctMax
    // Of a list more than a quarter of the values are distinct; what shares a column is too rare to matter.
    case .list: presentCount <= 4 * FacetBuilder.distinctMax
    case .shared: true
    }
  }
}

/// Counts which fields records have.
struct FieldNameBuilder {
  private var counts: [[UInt8]: Int] = [:]
  mutating func add(_ plan: ScanPlan) async throws {
    for unit in plan.units {
      try await plan.pause()
      if plan.matchesWholly(unit), let summary = try plan.summary(of: unit) {
        try plan.checkDeadline()
        plan.countMatched(summary.recordCount)
        for field in summary.fields where field.occurrence == 0 && !RecordReader.isBuiltIn(field.name) {
          counts[field.name, default: 0] += field.presentCount
        }
        addBuiltIn(summary.recordCount)
        continue
      }
      try plan.read(unit) { source, rows in try add(source, rows) }
    }
  }

  private mutating func add(_ source: OpenedSource, _ rows: RowSet) throws {
    addBuiltIn(rows.count)
    for name in source.reader.fieldNames where !RecordReader.isBuiltIn(name) {
      let column = try source.reader.field(name)
      var count = 0
      switch column {
      case .absent: continue
      case .constant: count = rows.count
      case .dictionary(_, let codes): rows.forEach { count += codes[$0] == FieldColumn.absentCode ? 0 : 1 }
      case .list(_, let present): rows.forEach { count += present?[$0] == false ? 0 : 1 }
      }
      if count > 0 { counts[name, default: 0] += count }
    }
  }

  mutating func add(_ rows: [Row]) {
    for row in rows {
      for (index, field) in row.fields.enumerated() {
        // A record counts once for a field that it has twice.
        if row.fields[..<index].contains(where: { $0.name == field.name }) { continue }
        counts[Array(field.name.utf8), default: 0] += 1
      }
    }
  }

  private mutating func addBuiltIn(_ count: Int) {
    for name in RecordReader.builtIn { counts[Array(name.utf8), default: 0] += count }
  }

  func result() -> [ValueHits] { ValueHits.ranked(counts, limit: Int.max) }
}
