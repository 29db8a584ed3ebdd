import Analysis
import Domain
import HTTPTypes
import Hummingbird
import Search

/// Analyses: start one, watch it, read it, delete it. The documents are Analysis' own JSON, passed on as stored.
struct AnalysisRoutes: Sendable {
  private let analyses: AnalysisService
  private let now: @Sendable () -> Timestamp

  init(_ services: WebServices) {
    analyses = services.analyses
    now = services.now
  }

  @Sendable func list(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    let documents = try await analyses.list(
      limit: try parameters.integer("limit", default: 50, in: 1...1000), scope: context.scope)
    var json = JSONWriter(reservingCapacity: 1 << 14)
    json.array { json in
      for document in documents { json.raw(document) }
    }
    return Response(json: json)
  }

  @Sendable func start(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let body = try await RequestObject(request)
    let now = now()
    let hours = try body.integer("time_range_hours", default: 24, in: 1...168)
    let end = try body.time("end", now: now) ?? now
    let start = try body.time("start", now: now) ?? end.advanced(byNanoseconds: -Int64(hours) * 3_600_000_000_000)
    guard start < end else { throw Problem.invalidParameter("end", expected: "later than 'start'") }
    let document = try await analyses.start(
      AnalysisRequest(
        namespace: try body.string("namespace").flatMap { $0.isEmpty ? nil : $0 },
        range: TimeRange(start: start, end: end),
        minClusterSize: try body.integer("min_cluster_size", default: 5, in: 1...100)),
      scope: context.scope)
    var json = JSONWriter()
    json.raw(document)
    return Response(json: json, status: .created)
  }

  @Sendable func one(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    let id = context.parameters.get("id") ?? ""
    guard let document = try await analyses.document(id, scope: tenant.scope) else {
      throw Problem.notFound("No analysis has the id '\(id)'.")
    }
    var json = JSONWriter()
    json.raw(document)
    return Response(json: json)
  }

  @Sendable func delete(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    let id = context.parameters.get("id") ?? ""
    guard try await analyses.delete(id, scope: tenant.scope) else {
      throw Problem.notFound("No analysis has the id '\(id)'.")
    }
    return Response(status: .noContent)
  }
}
