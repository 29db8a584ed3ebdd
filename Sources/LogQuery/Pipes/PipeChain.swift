package import Domain

/// What pipes know beyond the rows.
package struct PipeOptions: Sendable {
  /// What `now()` in `math` answers, and the end of an open range.
  package var now: Timestamp
  /// The time the query covers: what `rate` divides by. Where an end is open, the rows' own times take its place.
  package var range: TimeRange
  /// How much all pipes of one chain may hold at a time, rows, groups and values together.
  package var byteCountMax: Int
  /// Where `rand()` and `sample` start: the same seed picks the same.
  package var seed: UInt64
  /// Asked now and then: whether nobody waits for the answer any more. Pipes then end with less than all, which is to be thrown away.
  package var isStopped: @Sendable () -> Bool

  package init(
    now: Timestamp, range: TimeRange = .all, byteCountMax: Int = 256 << 20, seed: UInt64 = 0,
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) {
    self.now = now
    self.range = range
    self.byteCountMax = byteCountMax
    self.seed = seed
    self.isStopped = isStopped
  }
}

/// A pipe would have had to hold more than it may.
package struct PipeLimitError: Error, Equatable, Sendable, CustomStringConvertible {
  /// As written in a query: `sort`, `stats`.
  package var pipe: String
  package var byteCountMax: Int
  /// What to change in the query.
  package var remedy: String

  package var description: String {
    let limit = byteCountMax >= 1 << 20 ? "\(byteCountMax >> 20) MiB" : "\(byteCountMax) bytes"
    return "the `\(pipe)` pipe needs more than \(limit) of memory; \(remedy)"
  }
}

/// Rows in, through the pipes of a query, rows out.
///
/// One chain serves one query and one thread at a time. Rows that only pass are handed on at once; pipes that need all
/// rows (`sort`, `stats`, …) answer at `finish`.
package final class PipeChain {
  private let first: PipeStage
  private let shortNames: [String]
  private var isFinished = false

  /// - Parameter output: Takes each row; answers whether it wants more.
  /// - Throws: On a bad regular expression or pattern, and on `stream_context`, which Search carries out and leaves out
  ///   here.
  package init(_ pipes: [Pipe], options: PipeOptions, output: @escaping (Row) -> Bool) throws(QueryError) {
    let context = PipeContext(options)
    var stage: PipeStage = OutputStage(output, context)
    for pipe in pipes.fusingSorts().reversed() { stage = try PipeChain.stage(for: pipe, next: stage, context) }
    first = stage
    shortNames = PipeChain.namedFields(by: pipes).filter(FieldAlias.names.contains)
  }

  /// - Returns: False when no further row can change the answer: the caller may stop reading and go on to `finish`.
  /// - Throws: When a pipe's memory is used up; the chain is of no more use then.
  package func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    if shortNames.isEmpty { return try first.push(row) }
    for name in shortNames where row[name].isEmpty {
      for candidate in FieldAlias.candidates(for: name) {
        let value = row[candidate]
        if !value.isEmpty {
          row[name] = value
          break
        }
      }
    }
    return try first.push(row)
  }

  /// All rows are in: pipes that waited hand on what they hold. To be called once, also after `push` answered false.
  package func finish() throws(PipeLimitError) {
    precondition(!isFinished, "a pipe chain ends once")
    isFinished = true
    try first.finish()
  }

  /// Whether each row is handled alone and handed on at once: fit for a live tail.
  package static func isStreaming(_ pipes: [Pipe]) -> Bool { pipes.allSatisfy { $0.order != .gathers } }

  /// Whether the chain may say "enough" before all rows were seen, so that reading newest first matters and pays.
  package static func stopsEarly(_ pipes: [Pipe]) -> Bool {
    for pipe in pipes {
      switch pipe.order {
      case .passes: continue
      case .limits: return true
      case .gathers:
        if case .uniq(_, false, .some) = pipe { return true }
        return false
      }
    }
    return false
  }

  /// Whether the first pipe looks at nothing of a row but the fields it names and how many rows have them, so that one
  /// row may stand for all that are equal in those fields.
  package static func takesCounts(_ pipes: [Pipe]) -> Bool {
    switch pipes.first {
    case .stats(_, let functions):
      functions.allSatisfy { function in
        switch function.kind {
        case .count, .countEmpty, .countUniq, .countUniqHash, .sumLength, .minimum, .maximum, .uniqValues: true
        case .sum, .average, .median, .quantile, .values, .jsonValues, .rowAny, .rowMin, .rowMax, .rate, .rateSum,
          .histogram:
          false
        }
      }
    case .top, .uniq: true
    default: false
    }
  }

  /// The steps of time that the first pipe cuts records into, where that is all it reads of their time.
  package static func timeStep(of pipes: [Pipe]) -> (step: Int64, offset: Int64)? {
    guard case .stats(let groups, let functions) = pipes.first else { return nil }
    var found: (Int64, Int64)?
    for group in groups where group.field == "_time" {
      guard case .time(let step, let offset) = group.bucket, step > 0, found == nil else { return nil }
      found = (step, offset)
    }
    let isReadOtherwise = functions.contains { $0.fields.contains("_time") || $0.condition != nil }
    return isReadOtherwise ? nil : found
  }

  /// Whether the order in which rows are pushed shows in what comes out: it does not where a pipe sorts or counts them.
  package static func keepsOrder(_ pipes: [Pipe]) -> Bool { stopsEarly(pipes) || isStreaming(pipes) }
}
