internal import Domain
internal import GRDB
internal import LogBlocks

/// What a check of a tenant's file found.
package struct VerificationReport: Hashable, Sendable {
  /// One thing that is wrong.
  package struct Finding: Hashable, Sendable {
    /// `block 118`, `segment 7`, `template 3`, `file`.
    package var place: String
    package var problem: String
    package var remedy: String
  }

  package var file: String
  package var blockCount = 0
  package var segmentCount = 0
  package var recordCount = 0
  package var templateCount = 0
  package var streamCount = 0
  package var embeddingCount = 0
  package var analysisCount = 0
  /// Empty if all is well.
  package var findings: [Finding] = []
}

extension TenantDatabase {
  /// Reads everything: SQLite's own check, templates and streams, every segment and block decoded in full,
  /// embeddings, the vector index and analyses by their checksums. Damaged blocks are set aside; nothing else is
  /// changed.
  ///
  /// - Complexity: Reads the whole file. Runs on a compute queue, one block at a time.
  package func verify() async throws(StorageError) -> VerificationReport {
    let use = uses.begin()
    defer { withExtendedLifetime(use) {} }
    var report = VerificationReport(file: file.path)
    report.findings += try await check("file") { try self.checkFile($0) }
    report.findings += try await check("log") { try self.logFindings($0) }
    try await verifyNumbers(&report)
    try await verifySegments(&report)
    try await verifyBlocks(&report)
    try await verifyIndexAndAnalyses(&report)
    return report
  }

  private typealias Finding = VerificationReport.Finding

  /// Runs a part of the check on a reader; damage that SQLite itself meets on the way is a finding of `place`.
  private func check(
    _ place: String, _ body: @escaping @Sendable (Database) throws -> [VerificationReport.Finding]
  ) async throws(StorageError) -> [VerificationReport.Finding] {
    try await compute.run { [self] () throws(StorageError) in
      do throws(StorageError) {
        return try file.read("checking the file", body)
      } catch {
        guard error.kind == .corrupt else { throw error }
        return [Finding(place: place, problem: error.cause, remedy: Self.restoreRemedy)]
      }
    }
  }

  private static let restoreRemedy = "Restore this tenant from a backup."
  private static let quarantineRemedy =
    "It was set aside, and the rest answers. Restore this tenant from a backup to get its records back."

  private func checkFile(_ database: Database) throws -> [VerificationReport.Finding] {
    let lines = try String.fetchAll(database, sql: "PRAGMA integrity_check(20)")
    let broken = try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").count
    var findings = lines.filter { $0 != "ok" }.map {
      Finding(place: "file", problem: $0, remedy: Self.restoreRemedy)
    }
    if broken > 0 {
      findings.append(
        Finding(place: "file", problem: "\(broken) columns belong to no block", remedy: Self.restoreRemedy))
    }
    return findings
  }

  /// Damage of the log that was met at this or an earlier opening.
  private func logFindings(_ database: Database) throws -> [VerificationReport.Finding] {
    let row = try Row.fetchOne(
      database, sql: "SELECT value FROM setting WHERE name = ?", arguments: [TenantDatabase.logDamageSetting])
    guard let bytes = try row?.bytes(0) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
      Finding(
        place: "log", problem: "at an opening: \(line)",
        remedy: "The damaged log was kept beside the file. " + Self.restoreRemedy)
    }
  }

  private func verifyNumbers(_ report: inout VerificationReport) async throws(StorageError) {
    for (table, column) in [("template", "text"), ("stream", "labels")] {
      let counter = Counter()
      report.findings += try await check("table \(table)") { database in
        var findings: [Finding] = []
        var expected: Int64 = 0
        let rows = try Row.fetchCursor(
          database, sql: "SELECT number, \(column), checksum FROM \(table) ORDER BY number")
        while let row = try rows.next() {
          let number: Int64 = row[0]
          if number > expected {
            findings.append(
              Finding(
                place: "\(table) \(expected)",
                problem: number == expected + 1 ? "is missing" : "up to \(number - 1) are missing",
                remedy: Self.restoreRemedy))
          }
          expected = number + 1
          let bytes = try row.bytes(1)
          if checksum(bytes) != row[2] || (table == "stream" && StreamCodec.decode(bytes) == nil) {
            findings.append(
              Finding(place: "\(table) \(number)", problem: "its checksum is wrong", remedy: Self.restoreRemedy))
          }
          counter.add(1)
        }
        return findings
      }
      if table == "template" { report.templateCount = counter.value } else { report.streamCount = counter.value }
    }
  }

  private func verifySegments(_ report: inout VerificationReport) async throws(StorageError) {
    let segments = Counter()
    let records = Counter()
    report.findings += try await check("table segment") { [self] database in
      var findings: [Finding] = []
      let rows = try Row.fetchCursor(
        database, sql: "SELECT number, record_count, quarantined, data FROM segment ORDER BY number")
      while let row = try rows.next() {
        let place = "segment \(row[0] as Int64)"
        segments.add(1)
        do {
          let columns = try SegmentCodec.decode(row.bytes(3))
          if columns.count != row[1] { throw BlockError.corrupt(place: "record count") }
          try requireNames(columns)
          records.add(columns.count)
        } catch let error as BlockError {
          let isKnown = row[2] != 0
          findings.append(
            Finding(
              place: place, problem: "\(error)" + (isKnown ? " (set aside before)" : ""), remedy: Self.restoreRemedy))
        }
      }
      return findings
    }
    report.segmentCount = segments.value
    report.recordCount += records.value
  }

  private func verifyBlocks(_ report: inout VerificationReport) async throws(StorageError) {
    let (live, quarantined) = state.withLock { ($0.catalog.live, $0.catalog.quarantined.keys.sorted()) }
    report.blockCount = live.count + quarantined.count
    for number in quarantined {
      report.findings.append(
        Finding(place: "block \(number)", problem: "was found damaged before and set aside", remedy: Self.restoreRemedy)
      )
    }
    let view = TenantView(
      self, range: .all, head: [], blocks: live, quarantinedCount: quarantined.count, usesCache: false)
    for block in live {
      let problem = try await compute.run { [self] () throws(StorageError) -> String? in
        do {
          try verify(block, view)
          return nil
        } catch {
          let failure = StorageError(error, "checking block \(block.number)", at: file.path)
          guard view.quarantine(block, because: error) else { throw failure }
          return failure.cause
        }
      }
      if let problem {
        report.findings.append(
          Finding(place: "block \(block.number)", problem: problem, remedy: Self.quarantineRemedy))
      } else {
        report.recordCount += block.recordCount
      }
    }
  }

  private func verify(_ block: BlockReference, _ view: TenantView) throws {
    summaries.remove([block.number])
    let decoder = try view.decoder(of: block)
    // Every column is decoded, those too that only a query would touch.
    let summary = decoder.summary
    for column in summary.columns {
      let stored = try view.column(block: block, key: column.key)
      guard stored.count == column.byteCount else { throw BlockError.corrupt(place: "length of column \(column.key)") }
    }
    let columns = try decoder.columns(rows: nil)
    let times = columns.timeSpan
    guard columns.count == block.recordCount, times?.first == block.minTime, times?.last == block.maxTime else {
      throw BlockError.corrupt(place: "row and columns disagree")
    }
    for name in decoder.fieldNames { _ = try decoder.field(name, mayContain: Array("0word0".utf8)) }
    try decoder.verifyCopies()
    try requireNames(columns)
  }

  /// - Throws: `.corrupt` if records name a template or stream that nobody knows.
  private func requireNames(_ columns: RecordColumns) throws(BlockError) {
    let templates = Set(columns.templates)
    let streams = Set(columns.streams)
    let (unknownTemplate, unknownStream) = numbers.withLock { numbers in
      (templates.first { numbers.templates[$0] == nil }, streams.first { numbers.streams[$0] == nil })
    }
    if let unknownTemplate { throw .corrupt(place: "template \(unknownTemplate) is not known") }
    if let unknownStream { throw .corrupt(place: "stream \(unknownStream) is not known") }
  }

  private func verifyIndexAndAnalyses(_ report: inout VerificationReport) async throws(StorageError) {
    let parts = [
      ("embedding", "identity || ' pattern ' || pattern", "vector", "It is made again from the pattern's text."),
      ("index_snapshot", "identity", "data", "The index is made again from the embeddings."),
      ("index_log", "sequence", "data", "The index is made again from the embeddings."),
      ("analysis", "id", "document", "Delete the analysis and run it again."),
      ("detector", "id", "data", "It learns anew from the records."),
      ("insight", "kind || ' ' || id", "document", "It is left out of lists; delete it."),
    ]
    for (table, name, column, remedy) in parts {
      let counter = Counter()
      report.findings += try await check("table \(table)") { database in
        var findings: [Finding] = []
        let rows = try Row.fetchCursor(
          database, sql: "SELECT CAST(\(name) AS TEXT), \(column), checksum FROM \(table)")
        while let row = try rows.next() {
          counter.add(1)
          if try checksum(row.bytes(1)) != row[2] {
            findings.append(
              Finding(place: "\(table) \(row[0] as String)", problem: "its checksum is wrong", remedy: remedy))
          }
        }
        return findings
      }
      if table == "embedding" { report.embeddingCount = counter.value }
      if table == "analysis" { report.analysisCount = counter.value }
    }
  }
}
