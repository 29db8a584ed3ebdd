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

  /// - Throws: What scanning throws, what a pipe throws, and what `sink` throws, which ends the scan.
  func run(_ sink: ([Row]) async throws -> Void) async throws {
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
    } else if isOrdered {
      try await pushInOrder(fields: fields, isBare: pipes.isEmpty, into: chain, output, sink)
    } else {
      try await pushAll(fields: fields, into: chain, output, sink)
    }
    try chain.finish()
    try await output.drain(sink)
  }

  private func pushInOrder(
    fields: FieldSelection, isBare: Bool, into chain: PipeChain, _ output: RowOutput, _ sink: ([Row]) async throws -> Void
  ) async throws {
    let perSource = isBare ? limit.map { $0 + offset } ?? Int.max : Int.max
    if perSource == 0 { return }
    var scan = OrderedScan(plan, isDescending: true, limit: perSource)
    while let item = try scan.next() {
      if try !chain.push(try row(item.row, of: item.source, fields)) { return }
      if output.isFull { return }
      if output.rows.count >= RowScan.batchRowCount {
        try await output.drain(sink)
        try plan.checkDeadline()
      }
    }
  }

  private func pushAll(
    fields: FieldSelection, into chain: PipeChain, _ output: RowOutput, _ sink: ([Row]) async throws -> Void
  ) async throws {
    for unit in plan.units.sorted(by: { $0.minTimeMaxTime.last > $1.minTimeMaxTime.last }) {
      guard let (source, rows) = try plan.open(unit) else { continue }
      var pending: [Int] = []
      pending.reserveCapacity(rows.count)
      rows.forEach { pending.append($0) }
      for (index, row) in pending.enumerated() {
        if try !chain.push(try self.row(row, of: source, fields)) { return }
        if output.rows.count >= RowScan.batchRowCount { try await output.drain(sink) }
        if index % 4096 == 4095 { try plan.checkDeadline() }
      }
    }
  }

  /// Each hit with the lines around it in its stream, each line once, newest hit first.
  private func pushWithContext(
    _ around: (before: Int, after: Int, window: Int64?), fields: FieldSelection, into chain: PipeChain, _ output: RowOutput,
    _ sink: ([Row]) async throws -> Void
  ) async throws {
    var hits: [UInt32: [Int64]] = [:]
    for unit in plan.units {
      guard let (source, rows) = try plan.open(unit) else { continue }
      let times = try source.reader.times()
      let streams = try source.reader.streams()
      rows.forEach { hits[streams[$0], default: []].append(times[$0]) }
      if hits.values.reduce(0, { $0 + $1.count }) > 100_000 {
        throw SearchError.tooLarge("stream_context has more than 100000 lines to show the surroundings of; narrow the filter")
      }
    }
    for stream in hits.keys.sorted() {
      // All lines of the stream in order; a line is shown if it is near enough to a hit.
      let whole = plan.widened(to: .streams([stream]))
      var lines: [(time: Int64, source: OpenedSource, row: Int)] = []
      var scan = OrderedScan(whole, isDescending: false, limit: Int.max)
      while let item = try scan.next() { lines.append((item.time, item.source, item.row)) }
      var shown: Set<Int> = []
      let times = Set(hits[stream] ?? [])
      for (index, line) in lines.enumerated() where times.contains(line.time) {
        for near in max(0, index - around.before)...min(lines.count - 1, index + around.after) {
          if let window = around.window, abs(lines[near].time - line.time) > window { continue }
          shown.insert(near)
        }
      }
      for index in shown.sorted() {
        if try !chain.push(try row(lines[index].row, of: lines[index].source, fields)) { return }
        if output.rows.count >= RowScan.batchRowCount { try await output.drain(sink) }
      }
    }
  }

  private func row(_ row: Int, of source: OpenedSource, _ fields: FieldSelection) throws -> Row {
    switch fields {
    case .all: try source.records.row(row, adding: derived)
    case .only(let names): try source.records.row(row, fields: names)
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
