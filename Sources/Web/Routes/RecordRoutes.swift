import Domain
import HTTPTypes
import Hummingbird
import Search

/// The calls of Timberline's predecessor, kept for its scripts: records by namespace and pod, and search by meaning.
struct RecordRoutes: Sendable {
  private let search: SearchService
  private let now: @Sendable () -> Timestamp

  init(_ services: WebServices) {
    search = services.search
    now = services.now
  }

  /// `GET /api/v1/logs`: the newest records of a namespace or pod.
  @Sendable func list(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    var filters: [String] = []
    for (parameter, field) in [
      ("namespace", "namespace"), ("pod_name", "pod"), ("container_name", "container"), ("severity", "severity"),
    ] {
      if let value = parameters[parameter] { filters.append("\(field):=\(SearchText.quoted(value))") }
    }
    let prepared = try await search.prepare(
      SearchRequest(
        text: filters.isEmpty ? "*" : filters.joined(separator: " "), range: try parameters.timeRange(now: now()),
        limit: try parameters.integer("limit", default: 100, in: 1...10_000)),
      scope: context.scope)
    return try await Response(
      rows: prepared, contentType: "application/json", opening: "[", separator: ",", closing: "]",
      logger: context.logger
    ) { row, json in json.record(row, hit: nil) }
  }

  /// `POST /api/v1/logs/search`: records that mean what the text says, the nearest first.
  @Sendable func search(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let body = try await RequestObject(request)
    let text = try body.string("query")
    guard let text, !text.utf8.allSatisfy({ $0 <= 0x20 }) else {
      throw Problem.invalidParameter("query", expected: "the words to search for")
    }
    let start = try body.time("start", now: now()) ?? body.time("start_time", now: now())
    let end = try body.time("end", now: now()) ?? body.time("end_time", now: now())
    let hits = try await search.meaning(
      MeaningRequest(
        text: text, range: try TimeRange(requestedStart: start, end: end),
        filter: try body.string("namespace").map { "namespace:=\(SearchText.quoted($0))" } ?? body.string("filter")
          ?? "*",
        limit: try body.integer("limit", default: 20, in: 1...1000)),
      scope: context.scope)
    return answer(hits)
  }

  /// `GET /api/v1/logs/similar`: records of the patterns nearest in meaning to a record's.
  @Sendable func similar(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    guard let id = RecordID(try parameters.required("id")) else {
      throw Problem.invalidParameter("id", expected: "a record's id, as a query answers it")
    }
    let hits = try await search.similar(
      to: id, range: try parameters.timeRange(now: now()), filter: parameters["query"] ?? "*",
      limit: try parameters.integer("limit", default: 20, in: 1...1000), scope: context.scope)
    guard let hits else { throw Problem.notFound("No record has the id '\(id.description)'.") }
    return answer(hits)
  }

  private func answer(_ hits: [MeaningHit]) -> Response {
    var json = JSONWriter(reservingCapacity: 1 << 16)
    json.array { json in
      for hit in hits { json.record(hit.row, hit: hit) }
    }
    return Response(json: json)
  }
}

extension JSONWriter {
  /// A record in the predecessor's shape; with a hit's score when it was searched for.
  fileprivate mutating func record(_ row: SearchRow, hit: MeaningHit?) {
    func text(_ names: String...) -> [UInt8] {
      for name in names where !row[name].isEmpty { return row[name] }
      return []
    }
    object { json in
      json.member("id", row["_id"])
      json.member("timestamp", row["_time"])
      json.member("namespace", text("kubernetes.namespace_name", "namespace"))
      json.member("pod_name", text("kubernetes.pod_name", "pod_name", "pod"))
      json.member("container_name", text("kubernetes.container_name", "container_name", "container"))
      json.member("log", row["_msg"])
      json.member("severity", row["severity"])
      json.member("node_name", text("kubernetes.host", "node_name", "host"))
      json.key("labels")
      json.object { json in
        let prefix = "kubernetes.labels."
        for field in row.fields where field.name.hasPrefix(prefix) {
          json.member(String(field.name.dropFirst(prefix.count)), field.value)
        }
      }
      json.member("source", row["source"])
      if let hit {
        json.member("score", hit.score)
        json.member("duplicate_count", hit.duplicateCount)
        json.key("pattern")
        if let pattern = hit.pattern { json.value(Int(pattern)) } else { json.null() }
        json.member("match", hit.match.rawValue)
        json.key("word_rank")
        if let rank = hit.wordRank { json.value(rank) } else { json.null() }
        json.key("meaning_rank")
        if let rank = hit.meaningRank { json.value(rank) } else { json.null() }
      }
    }
  }
}
