import Domain
import HTTPTypes
import Hummingbird
import Search

/// Queries and what is counted from them: records as JSON lines, histograms, facets, names, values, the lines around a record.
struct SearchRoutes: Sendable {
  private let search: SearchService
  private let now: @Sendable () -> Timestamp

  init(_ services: WebServices) {
    search = services.search
    now = services.now
  }

  @Sendable func query(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    let wanted = SearchRequest(
      text: parameters["query"] ?? "*", range: try parameters.timeRange(now: now()),
      limit: parameters["limit"] == nil ? nil : try parameters.integer("limit", default: 0, in: 0...10_000_000),
      offset: try parameters.integer("offset", default: 0, in: 0...10_000_000))
    if try parameters.flag("explain") {
      return explained(try await search.explain(wanted, scope: context.scope))
    }
    let prepared = try await search.prepare(wanted, scope: context.scope)
    return try await Response(
      rows: prepared, contentType: "application/x-ndjson", logger: context.logger
    ) { row, json in
      json.object { json in
        for field in row.fields { json.member(field.name, field.value) }
      }
      json.newline()
    }
  }

  @Sendable func hits(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    let step = try parameters.step("step", default: 60_000_000_000)
    if try parameters.flag("explain") {
      return explained(
        try await search.explainHits(
          try self.request(parameters), step: step, field: parameters["field"], scope: context.scope))
    }
    let result = try await search.hits(
      try self.request(parameters), step: step, field: parameters["field"], scope: context.scope)
    var json = JSONWriter(reservingCapacity: 1 << 14)
    json.object { json in
      json.key("hits")
      json.array { json in
        for series in result.series {
          json.object { json in
            json.key("fields")
            json.object { json in
              if let field = parameters["field"] { json.member(field, series.value) }
            }
            json.key("timestamps")
            json.array(series.buckets.map { $0.start.rfc3339 })
            json.key("values")
            json.array { json in
              for bucket in series.buckets { json.value(bucket.count) }
            }
            json.member("total", series.buckets.reduce(0) { $0 + $1.count })
          }
        }
      }
      json.key("statistics")
      json.object { json in
        json.member("matched", result.statistics.matched)
        json.member("total", result.statistics.total)
        json.member("blocks_opened", result.statistics.blocksOpened)
        json.member("blocks", result.statistics.blocks)
        json.member("bytes_read", result.statistics.bytesRead)
        json.member("duration_ms", result.statistics.milliseconds)
      }
    }
    return Response(json: json)
  }

  @Sendable func facets(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    let facets = try await search.facets(
      try self.request(parameters), limit: try parameters.integer("limit", default: 10, in: 1...1000),
      scope: context.scope)
    var json = JSONWriter(reservingCapacity: 1 << 14)
    json.object { json in
      json.key("facets")
      json.array { json in
        for facet in facets {
          json.object { json in
            json.member("field_name", facet.name)
            json.key("values")
            json.array { json in
              for value in facet.values {
                json.object { json in
                  json.member("field_value", value.value)
                  json.member("hits", value.hits)
                }
              }
            }
          }
        }
      }
    }
    return Response(json: json)
  }

  @Sendable func fieldNames(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    return valueHits(try await search.fieldNames(try self.request(parameters), scope: context.scope))
  }

  @Sendable func fieldValues(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    return valueHits(
      try await search.fieldValues(
        try self.request(parameters), field: try parameters.required("field"),
        limit: try parameters.integer("limit", default: 100, in: 1...10_000), scope: context.scope))
  }

  @Sendable func context(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    guard let id = RecordID(try parameters.required("id")) else {
      throw Problem.invalidParameter("id", expected: "a record's id, as a query answers it")
    }
    let around = try await search.context(
      of: id, before: try parameters.integer("before", default: 20, in: 0...1000),
      after: try parameters.integer("after", default: 20, in: 0...1000), scope: context.scope)
    guard let around else { throw Problem.notFound("No record has the id '\(id.description)'.") }
    var json = JSONWriter(reservingCapacity: 1 << 14)
    json.object { json in
      json.key("records")
      json.array { json in
        for row in around.rows {
          json.object { json in
            for field in row.fields { json.member(field.name, field.value) }
          }
        }
      }
      json.member("anchor", around.anchor)
    }
    return Response(json: json)
  }

  private func request(_ parameters: RequestParameters) throws -> SearchRequest {
    SearchRequest(text: parameters["query"] ?? "*", range: try parameters.timeRange(now: now()))
  }

  private func explained(_ explanation: QueryExplanation) -> Response {
    var json = JSONWriter(reservingCapacity: 1 << 12)
    json.explanation(explanation)
    return Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.indented)))
  }

  private func valueHits(_ values: [ValueHits]) -> Response {
    var json = JSONWriter(reservingCapacity: 1 << 12)
    json.object { json in
      json.key("values")
      json.array { json in
        for value in values {
          json.object { json in
            json.member("value", value.value)
            json.member("hits", value.hits)
          }
        }
      }
    }
    return Response(json: json)
  }
}
