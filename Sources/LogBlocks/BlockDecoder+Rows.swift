package import Domain

extension BlockDecoder {
  // MARK: - One row

  package func time(ofRow row: Int) throws -> Int64 {
    if let (tail, place) = tailPlace(ofRow: row) { return tail.records.times[place] }
    return try times()[row]
  }

  package func severity(ofRow row: Int) throws -> Severity {
    if let (tail, place) = tailPlace(ofRow: row) { return tail.records.severities[place] }
    return Severity(rawValue: UInt8(try severityCodes()[row])) ?? .unknown
  }

  package func stream(ofRow row: Int) throws -> UInt32 {
    let ends = streamEnds
    var low = 0
    var high = ends.count - 1
    while low < high {
      let middle = (low + high) / 2
      if ends[middle] <= row { low = middle + 1 } else { high = middle }
    }
    return summary.streamCounts[low].number
  }

  package func template(ofRow row: Int) throws -> UInt32 {
    if let (tail, place) = tailPlace(ofRow: row) { return tail.records.templates[place] }
    return summary.templateCounts[try templateCodes()[row]].number
  }

  // MARK: - Rows as bits

  package func rows(whereSeverity passes: (Severity) -> Bool) throws -> RowBits {
    try severityCodes().rows(where: Severity.allCases.map(passes))
  }

  package func severityCounts(within rows: RowBits?) throws -> [Int] {
    guard let rows else { return summary.severityCounts.map(Int.init) }
    let counts = try severityCodes().counts(within: rows)
    return counts + [Int](repeating: 0, count: Severity.allCases.count - counts.count)
  }

  package func rows(whereStream passes: (UInt32) -> Bool) throws -> RowBits {
    var rows = RowBits(rowCount: count, all: false)
    var start = 0
    for (entry, end) in zip(summary.streamCounts, streamEnds) {
      if passes(entry.number) { rows.insertRows(start..<end) }
      start = end
    }
    return rows
  }

  package func rows(whereTemplate passes: (UInt32) -> Bool) throws -> RowBits {
    let isPassing = summary.templateCounts.map { passes($0.number) }
    if !isPassing.contains(false) { return RowBits(rowCount: count, all: true) }
    if !isPassing.contains(true) { return RowBits(rowCount: count, all: false) }
    return try templateCodes().rows(where: isPassing)
  }

  // MARK: - Turns

  package func latestRows(limit: Int, newestFirst: Bool, within rows: RowBits?) throws -> [RowTime] {
    if newestFirst, limit <= BlockTail.recordCount, loadedTimes == nil, rows == nil || rows?.rowCount == count,
      let tail = try tail()
    {
      return Array(tail.turns.prefix(max(limit, 0)))
    }
    var latest = LatestRows(limit: limit, newestFirst: newestFirst)
    let ends = streamEnds
    try times().withUnsafeBufferPointer { times in
      var start = 0
      for end in ends {
        // A stream's rows are in the order of time: behind the first that comes too late all do.
        let visit = { (row: Int) in latest.insert(RowTime(row: row, time: times[row])) }
        if let rows {
          if newestFirst {
            rows.forEachRowDescending(in: start..<end, visit)
          } else {
            rows.forEachRow(in: start..<end, visit)
          }
        } else if newestFirst {
          var row = end - 1
          while row >= start, visit(row) { row -= 1 }
        } else {
          var row = start
          while row < end, visit(row) { row += 1 }
        }
        start = end
      }
    }
    return latest.sorted
  }
}
