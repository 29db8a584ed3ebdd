package import Domain
import LogQuery

/// How a query was understood and what carrying it out took, for people who want it faster.
package struct QueryExplanation: Sendable {
  /// A part of the filter, as it is tried on records: the parts of an `and` in the order they run.
  package struct Part: Sendable {
    /// LogsQL.
    package var text: String
    /// What the tenant's templates, streams and patterns say before any record is looked at.
    package var known: String?
    package var parts: [Part] = []
  }

  package struct Step: Sendable {
    package var name: String
    package var milliseconds: Double
  }

  /// LogsQL, with times and short names written out.
  package var query: String
  /// What was looked at: the request's time and the filter's own.
  package var range: TimeRange
  package var filter: Part
  package var pipes: [String]
  /// Whether records are read newest first, to stop once there are enough.
  package var stopsEarly: Bool
  package var statistics: SearchStatistics
  /// Rows in the answer.
  package var rowCount: Int
  package var steps: [Step]

  /// Blocks that were not looked at, since newer ones held enough.
  package var blocksNotNeeded: Int {
    max(0, statistics.blocks - statistics.pruned.total - statistics.blocksSummarized - statistics.blocksOpened)
  }
}

extension SearchService {
  /// Carries out a query and tells how, instead of what it found.
  package func explain(_ request: SearchRequest, scope: TenantScope) async throws -> QueryExplanation {
    try await explain(request, scope: scope) { prepared in
      var rowCount = 0
      let statistics = try await prepared.run { rowCount += $0.count }
      return (statistics, rowCount)
    }
  }

  /// The same for a histogram.
  package func explainHits(
    _ request: SearchRequest, step: Int64, field: String?, scope: TenantScope
  ) async throws -> QueryExplanation {
    try await explain(request, scope: scope) { _ in
      let histogram = try await hits(request, step: step, field: field, scope: scope)
      return (histogram.statistics, histogram.series.reduce(0) { $0 + $1.buckets.count })
    }
  }

  private func explain(
    _ request: SearchRequest, scope: TenantScope,
    _ run: (PreparedQuery) async throws -> (SearchStatistics, Int)
  ) async throws -> QueryExplanation {
    try await withTurn(scope) {
      var steps: [QueryExplanation.Step] = []
      var begin = ContinuousClock.now
      func end(_ name: String) {
        let now = ContinuousClock.now
        steps.append(.init(name: name, milliseconds: (now - begin) / .milliseconds(1)))
        begin = now
      }
      let query = try parse(request.text)
      let prepared = try await prepare(request, scope: scope)
      end("parse")
      let range = query.options.ignoresRequestTimeRange ? .all : request.range
      let (database, names) = try await tenant(scope, usesPatterns: query.filter.usesPatterns)
      end("open")
      let filter = try await planner(database, names, range: range, scope: scope).explain(query.filter)
      end("plan")
      let (statistics, rowCount) = try await run(prepared)
      end("run")
      return QueryExplanation(
        query: query.description, range: range.intersection(query.filter.timeRange), filter: filter,
        pipes: query.pipes.map(\.description),
        stopsEarly: PipeChain.keepsOrder(query.pipes) && (request.limit != nil || PipeChain.stopsEarly(query.pipes)),
        statistics: statistics, rowCount: rowCount, steps: steps)
    }
  }
}

extension QueryPlanner {
  /// The filter's parts as `plan` orders them, with what looking them up said.
  func explain(_ filter: Filter) async throws -> QueryExplanation.Part {
    var part = QueryExplanation.Part(text: filter.description)
    switch filter {
    case .and(let parts):
      var planned: [(cost: Int, part: Filter)] = []
      for part in parts { planned.append((QueryPlanner.cost(try await plan(part)), part)) }
      for entry in planned.sorted(by: { $0.cost < $1.cost }) { part.parts.append(try await explain(entry.part)) }
    case .or(let parts):
      for inner in parts { part.parts.append(try await explain(inner)) }
    case .not(let inner): part.parts = [try await explain(inner)]
    default: part.known = known(try await plan(filter))
    }
    return part
  }

  private func known(_ planned: ScanFilter) -> String? {
    switch planned {
    case .streams(let streams): return "\(streams.count) of \(names.streamCount) streams"
    case .templates(let templates): return "\(templates.count) of \(names.templateCount) templates"
    case .message(let test):
      var (all, some) = (0, 0)
      for number in 0..<UInt32(names.templateCount) {
        switch test.verdict(on: number) {
        case .all: all += 1
        case .maybe: some += 1
        case .none: continue
        }
      }
      return "of \(names.templateCount) templates \(all) always match, \(some) by their variables"
    case .severity(let passes):
      return Severity.allCases.filter { passes[Int($0.rawValue)] }.map(\.name).joined(separator: ", ")
    case .none: return "nothing can match"
    default: return nil
    }
  }
}
