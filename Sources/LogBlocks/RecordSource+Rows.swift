package import Domain

// What every source answers by its whole columns. Sources that know better have their own.

extension RecordSource {
  package func forEachMessage(
    ofTemplate number: UInt32, template: Template, _ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Bool
  ) throws {
    try forEachMessage(ofTemplate: number, template: template, within: nil, body)
  }

  package func slotMayContain(
    _ literal: [UInt8], ignoringCase: Bool, ofTemplate number: UInt32, slot: Int
  ) throws -> Bool {
    guard !literal.isEmpty else { return true }
    var isFound = false
    try variables(ofTemplate: number, slot: slot).values.forEach { _, value in
      if !isFound { isFound = value.contains(literal, ignoringCase: ignoringCase) }
    }
    return isFound
  }

  package func forEachRow(
    ofTemplate number: UInt32, slot: Int, where passes: (UnsafeBufferPointer<UInt8>) -> Bool, _ body: (Int) -> Void
  ) throws {
    let rows = try rows(ofTemplate: number)
    switch try variables(ofTemplate: number, slot: slot) {
    case .dictionary(let values, let codes):
      var isPassing = [Bool](repeating: false, count: values.count)
      values.forEach { isPassing[$0] = passes($1) }
      for (ordinal, code) in codes.enumerated() where isPassing[Int(code)] { body(Int(rows[ordinal])) }
    case .list(let values):
      values.forEach { ordinal, value in
        if passes(value) { body(Int(rows[ordinal])) }
      }
    }
  }

  package func forEachPieces(
    ofTemplate number: UInt32, template: Template, within rows: RowBits?,
    _ body: (Int, UnsafeBufferPointer<UnsafeBufferPointer<UInt8>>) throws -> Bool
  ) throws {
    try forEachMessage(ofTemplate: number, template: template, within: rows) { row, message in
      try withUnsafePointer(to: message) { try body(row, UnsafeBufferPointer(start: $0, count: 1)) }
    }
  }

  // MARK: - One row

  package func time(ofRow row: Int) throws -> Int64 { try times()[row] }
  package func severity(ofRow row: Int) throws -> Severity { try severities()[row] }
  package func stream(ofRow row: Int) throws -> UInt32 { try streams()[row] }
  package func template(ofRow row: Int) throws -> UInt32 { try templates()[row] }

  package func fieldValue(_ name: [UInt8], ofRow row: Int) throws -> [UInt8]? {
    try field(name).withValue(atRow: row) { $0.map(Array.init) }
  }

  // MARK: - Rows as bits

  package func rows(
    whereField name: [UInt8], _ passes: (UnsafeBufferPointer<UInt8>?) -> Bool
  ) throws -> RowBits {
    switch try field(name) {
    case .absent: return RowBits(rowCount: count, all: passes(nil))
    case .constant(let value):
      return RowBits(rowCount: count, all: value.withUnsafeBufferPointer { passes($0) })
    case .dictionary(let values, let codes):
      var isPassing = [Bool](repeating: false, count: values.count)
      values.forEach { isPassing[$0] = passes($1) }
      let absentPasses = passes(nil)
      return RowBits(rowCount: count) {
        codes[$0] == FieldColumn.absentCode ? absentPasses : isPassing[Int(codes[$0])]
      }
    case .list(let values, let present):
      return RowBits(rowCount: count) { row in
        if let present, !present[row] { return passes(nil) }
        return values.withValue(at: row) { passes($0) }
      }
    }
  }

  package func rows(whereSeverity passes: (Severity) -> Bool) throws -> RowBits {
    let severities = try severities()
    let isPassing = Severity.allCases.map(passes)
    return RowBits(rowCount: count) { isPassing[Int(severities[$0].rawValue)] }
  }

  package func rows(whereStream passes: (UInt32) -> Bool) throws -> RowBits {
    let passing = Set(streamCounts.lazy.map(\.number).filter(passes))
    if passing.isEmpty || passing.count == streamCounts.count {
      return RowBits(rowCount: count, all: !passing.isEmpty)
    }
    let streams = try streams()
    return RowBits(rowCount: count) { passing.contains(streams[$0]) }
  }

  package func rows(whereTemplate passes: (UInt32) -> Bool) throws -> RowBits {
    var bits = RowBits(rowCount: count, all: false)
    for entry in templateCounts where passes(entry.number) {
      for row in try rows(ofTemplate: entry.number) { bits.insertRow(Int(row)) }
    }
    return bits
  }

  package func fieldValueCounts(_ name: [UInt8], within rows: RowBits?) throws -> FieldValueCounts? {
    let rows = rows ?? RowBits(rowCount: count, all: true)
    let rowCount = rows.rowCount
    switch try field(name) {
    case .absent: return FieldValueCounts(values: ValueList(), counts: [], absentCount: rowCount)
    case .constant(let value):
      var values = ValueList()
      values.append(value)
      return FieldValueCounts(values: values, counts: [rowCount], absentCount: 0)
    case .dictionary(let values, let codes):
      var counts = [Int](repeating: 0, count: values.count)
      var absentCount = 0
      rows.forEachRow { row in
        if codes[row] == FieldColumn.absentCode { absentCount += 1 } else { counts[Int(codes[row])] += 1 }
        return true
      }
      return FieldValueCounts(values: values, counts: counts, absentCount: absentCount)
    case .list: return nil
    }
  }

  package func severityCounts(within rows: RowBits?) throws -> [Int] {
    let severities = try severities()
    var counts = [Int](repeating: 0, count: Severity.allCases.count)
    let rows = rows ?? RowBits(rowCount: count, all: true)
    rows.forEachRow { row in
      counts[Int(severities[row].rawValue)] += 1
      return true
    }
    return counts
  }

  package func latestRows(limit: Int, newestFirst: Bool, within rows: RowBits?) throws -> [RowTime] {
    var latest = LatestRows(limit: limit, newestFirst: newestFirst)
    try times().withUnsafeBufferPointer { times in
      if let rows {
        rows.forEachRow { row in
          _ = latest.insert(RowTime(row: row, time: times[row]))
          return true
        }
      } else {
        for row in times.indices { _ = latest.insert(RowTime(row: row, time: times[row])) }
      }
    }
    return latest.sorted
  }
}

/// The rows whose turn comes first, out of those shown to it.
struct LatestRows {
  private let limit: Int
  private let newestFirst: Bool
  /// A heap while it is full: whose turn comes last stands first.
  private var rows: [RowTime] = []

  init(limit: Int, newestFirst: Bool) {
    self.limit = max(limit, 0)
    self.newestFirst = newestFirst
  }

  @inline(__always)
  private func isEarlier(_ left: RowTime, _ right: RowTime) -> Bool {
    if left.time != right.time { return newestFirst ? left.time > right.time : left.time < right.time }
    return newestFirst ? left.row > right.row : left.row < right.row
  }

  /// - Returns: Whether the row is kept, for now.
  @inline(__always)
  mutating func insert(_ row: RowTime) -> Bool {
    if rows.count < limit {
      rows.append(row)
      if rows.count == limit {
        for index in stride(from: limit / 2, through: 0, by: -1) { siftDown(index) }
      }
      return true
    }
    guard let last = rows.first, isEarlier(row, last) else { return false }
    rows[0] = row
    siftDown(0)
    return true
  }

  private mutating func siftDown(_ start: Int) {
    var index = start
    while true {
      var last = index
      for child in [2 * index + 1, 2 * index + 2] where child < rows.count && isEarlier(rows[last], rows[child]) {
        last = child
      }
      if last == index { return }
      rows.swapAt(index, last)
      index = last
    }
  }

  var sorted: [RowTime] { rows.sorted(by: isEarlier) }
}
