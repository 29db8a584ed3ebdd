import Domain
import LogQuery

/// Rows of one query, through its pipes, in batches.
struct RowScan {
  let plan: ScanPlan
  let pipes: [Pipe]
  let options: PipeOptions
  let limit: Int?
  let offset: Int

  private static let batchRowCount = 512
  /// Fields that no record carries and that the pipes ask for by name.
  private let derived: [String]

  init(plan: ScanPlan, pipes: [Pipe], options: PipeOptions, limit: Int?, offset: Int) {
    self.plan = plan
    self.pipes = pipes
    self.options = options
    self.limit = limit
    self.offset = offset
    derived = PipeChain.namedFields(by: pipes).filter { $0 == "template" || $0 == "pattern" }
  }

  /// - Throws: What scanning throws, what a pipe throws, and what `takeRows` throws, which ends the scan.
  func run(_ takeRows: ([Row]) async throws -> Void) async throws {
    let sink = { (rows: [Row]) in try await plan.waiting { try await takeRows(rows) } }
    var pipes = pipes
    var around: (before: Int, after: Int, window: Int64?)?
    if case .streamContext(let before, let after, let window) = pipes.first {
      around = (before, after, window)
      pipes.removeFirst()
    }
    let output = RowOutput(offset: offset, limit: limit)
    let chain = try PipeChain(pipes, options: options) { output.take($0) }
    let fields = PipeChain.neededFields(by: pipes)
    // Rows come newest first where somebody stops early or would see the order; where pipes look at all of them, order is no matter.
    let isOrdered = PipeChain.keepsOrder(pipes) && (limit != nil || PipeChain.stopsEarly(pipes))
    if let around {
      try await pushWithContext(around, fields: fields, into: chain, output, sink)
    } else if !isOrdered, let counted = CountedScan(pipes, fields) {
      try await pushCounts(counted, into: chain)
    } else if isOrdered {
      try await pushInOrder(fields: fields, isBare: pipes.isEmpty, into: chain, output, sink)
    } else {
      try await pushAll(fields: fields, into: chain, output, sink)
    }
    try chain.finish()
    try await output.drain(sink)
  }

  private func pushInOrder(
    fields: FieldSelection, isBare: Bool, into chain: PipeChain, _ output: RowOutput,
    _ sink: ([Row]) async throws -> Void
  ) async throws {
    let perSource =
      isBare
      ? limit.map { $0.addingReportingOverflow(offset) }.map { $0.overflow ? .max : $0.partialValue } ?? .max : Int.max
    if perSource == 0 { return }
    var scan = OrderedScan(plan, isDescending: true, limit: perSource)
    var count = 0
    while let item = try scan.next() {
      count += 1
      // Pipes can take long for each row.
      if count % 256 == 0 { try await plan.pause() }
      guard let row = try row(item.row, of: item.source, fields) else { continue }
      if try !chain.push(row) { return }
      if output.isFull { return }
      if output.rows.count >= RowScan.batchRowCount { try await output.drain(sink) }
    }
  }

  /// One row for many records where a unit can be counted, the records one by one where it can't.
  private func pushCounts(_ counted: CountedScan, into chain: PipeChain) async throws {
    try await plan.forEachUnit { plan, unit in
      var rows: [Row] = []
      try plan.readCounts(unit) { source in
        if let result = try counted.rows(of: source) {
          rows = result.rows
          return result.matched
        }
        let matching = try source.rows()
        try matching.forEach { row in rows.append(try source.records.row(row, fields: counted.fields)) }
        return matching.count
      }
      return rows
    } take: { rows in
      for row in rows where try !chain.push(row) { return false }
      return true
    }
  }

  private func pushAll(
    fields: FieldSelection, into chain: PipeChain, _ output: RowOutput, _ sink: ([Row]) async throws -> Void
  ) async throws {
    for unit in plan.units.sorted(by: { $0.minTimeMaxTime.last > $1.minTimeMaxTime.last }) {
      try await plan.pause()
      guard let (source, rows) = try plan.open(unit) else { continue }
      var pending: [Int] = []
      pending.reserveCapacity(rows.count)
      rows.forEach { pending.append($0) }
      for (index, row) in pending.enumerated() {
        guard let row = try self.row(row, of: source, fields) else { break }
        if try !chain.push(row) { return }
        if output.rows.count >= RowScan.batchRowCount { try await output.drain(sink) }
        if index % 256 == 255 { try await plan.pause() }
      }
    }
  }

  /// The hits and the lines around them in their streams, each line once: stream by stream, the oldest line first.
  private func pushWithContext(
    _ around: (before: Int, after: Int, window: Int64?), fields: FieldSelection, into chain: PipeChain,
    _ output: RowOutput,
    _ sink: ([Row]) async throws -> Void
  ) async throws {
    var hitStreams: Set<UInt32> = []
    for unit in plan.units {
      try await plan.pause()
      guard let (source, rows) = try plan.open(unit) else { continue }
      let streams = try source.reader.streams()
      rows.forEach { hitStreams.insert(streams[$0]) }
    }
    for stream in hitStreams.sorted() {
      var scan = OrderedScan(plan.widened(to: .streams([stream])), isDescending: false, limit: Int.max)
      // Lines that a hit still to come may show; no more than `before`.
      var held: [OrderedScan.Item] = []
      var lastHit: (line: Int, time: Int64)?
      var line = 0
      func isNear(_ earlier: Int64, _ later: Int64) -> Bool {
        guard let window = around.window else { return true }
        let (distance, overflow) = later.subtractingReportingOverflow(earlier)
        return !overflow && distance <= window
      }
      while let item = try scan.next() {
        if item.source.marked == nil {
          let every = RowSet(rowCount: item.source.reader.count, full: true)
          item.source.marked = try item.source.evaluator.matches(plan.filter, within: every)
        }
        let isHit = item.source.marked?.contains(item.row) ?? false
        var shown: [OrderedScan.Item] = []
        if isHit {
          shown = held.filter { isNear($0.time, item.time) } + [item]
          held.removeAll(keepingCapacity: true)
          lastHit = (line, item.time)
        } else if let lastHit, line - lastHit.line <= around.after, isNear(lastHit.time, item.time) {
          shown = [item]
        } else if around.before > 0 {
          if held.count >= around.before { held.removeFirst() }
          held.append(item)
        }
        for item in shown {
          guard let row = try row(item.row, of: item.source, fields) else { continue }
          if try !chain.push(row) { return }
        }
        if output.rows.count >= RowScan.batchRowCount { try await output.drain(sink) }
        line += 1
        if line % 256 == 0 { try await plan.pause() }
      }
    }
  }

  /// Nil if the row's block is damaged.
  private func row(_ row: Int, of source: OpenedSource, _ fields: FieldSelection) throws -> Row? {
    if source.isDamaged { return nil }
    do {
      switch fields {
      case .all: return try source.records.row(row, adding: derived)
      case .only(let names): return try source.records.row(row, fields: names)
      }
    } catch {
      guard plan.setAside(source, because: error) else { throw error }
      return nil
    }
  }
}

/// The end of a pipe chain: skips the offset, stops at the limit, and holds rows until they are handed on.
final class RowOutput {
  private(set) var rows: [Row] = []
  private var toSkip: Int
  private var left: Int?

  init(offset: Int, limit: Int?) {
    toSkip = offset
    left = limit
  }

  var isFull: Bool { left == 0 }

  /// - Returns: Whether more rows are wanted.
  func take(_ row: Row) -> Bool {
    if toSkip > 0 {
      toSkip -= 1
      return true
    }
    if isFull { return false }
    rows.append(row)
    left = left.map { $0 - 1 }
    return !isFull
  }

  func drain(_ sink: ([Row]) async throws -> Void) async throws {
    if rows.isEmpty { return }
    let batch = rows
    rows = []
    try await sink(batch)
  }
}
