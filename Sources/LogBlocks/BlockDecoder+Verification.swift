internal import Domain

extension BlockDecoder {
  /// Compares what the block holds a second time, for questions that are asked often, with the columns that it comes
  /// from.
  ///
  /// - Throws: `.corrupt` if they differ.
  package func verifyCopies() throws {
    if let tail = try tail() {
      let rows = tail.turns.map { UInt32($0.row) }
      var latest = LatestRows(limit: BlockTail.recordCount, newestFirst: true)
      for (row, time) in try times().enumerated() { _ = latest.insert(RowTime(row: row, time: time)) }
      let own = try columns(rows: rows)
      guard latest.sorted == tail.turns, own.isEqual(to: tail.records) else {
        throw BlockError.corrupt(place: "column \(ColumnKey.tail)")
      }
    }
    for (index, stored) in try storedCounts() {
      guard case .dictionary(let values, let codes, _) = try fieldValues(at: index),
        codes.counts(within: nil).prefix(values.count).elementsEqual(stored.counts),
        values.count == stored.values.count,
        (0..<values.count).allSatisfy({ values[$0] == stored.values[$0] })
      else { throw BlockError.corrupt(place: "column \(ColumnKey.fieldCounts)") }
    }
    try verifyWordFilters()
    if let runs = try letterRuns(), !runs.isWellFormed {
      throw BlockError.corrupt(place: "column \(ColumnKey.letters)")
    }
  }
}

extension RecordColumns {
  /// Whether the records are the same, wherever their bytes lie.
  fileprivate func isEqual(to other: RecordColumns) -> Bool {
    func values(_ row: Int, _ columns: RecordColumns) -> [[UInt8]] {
      let variables = Int(columns.variableStarts[row])..<Int(columns.variableStarts[row + 1])
      let fields = columns.fieldSetTable[Int(columns.fieldSets[row])]
      return columns.variables[variables].map { Array(columns.bytes[$0.range]) }
        + fields.flatMap { [Array(columns.bytes[$0.name.range]), Array(columns.bytes[$0.value.range])] }
    }
    return times == other.times && severities == other.severities && streams == other.streams
      && templates == other.templates && count == other.count
      && (0..<count).allSatisfy { values($0, self) == values($0, other) }
  }
}
