import Analysis
import Domain
import HTTPTypes
import Hummingbird
import Search

/// Analyses: start one, watch it, read it, delete it. The documents are Analysis' own JSON, passed on as stored.
struct AnalysisRoutes: Sendable {
  private let analyses: AnalysisService
  private let reports: ReportService
  private let now: @Sendable () -> Timestamp

  init(_ services: WebServices) {
    analyses = services.analyses
    reports = services.reports
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

  /// The document as it changes, as server-sent events; ends with the run.
  @Sendable func events(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    let id = context.parameters.get("id") ?? ""
    guard let updates = await analyses.updates(of: id, scope: tenant.scope) else {
      throw Problem.notFound("No analysis has the id '\(id)'.")
    }
    let body = ResponseBody { writer in
      for await document in updates.cancelOnGracefulShutdown() {
        var buffer = ByteBuffer(string: "event: analysis\ndata: ")
        buffer.writeBytes(document)
        buffer.writeString("\n\n")
        try await writer.write(buffer)
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok,
      headers: [
        .contentType: "text/event-stream", .cacheControl: "no-store", HTTPField.Name("X-Accel-Buffering")!: "no",
      ],
      body: body)
  }

  @Sendable func cancel(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    let id = context.parameters.get("id") ?? ""
    guard let document = try await analyses.cancel(id, scope: tenant.scope) else {
      throw Problem.notFound("No analysis has the id '\(id)'.")
    }
    var json = JSONWriter()
    json.raw(document)
    return Response(json: json)
  }

  /// The report as Markdown, to keep or to pass on.
  @Sendable func report(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    let id = context.parameters.get("id") ?? ""
    guard let report = try await analyses.report(id, scope: tenant.scope) else {
      throw Problem.notFound("No analysis has the id '\(id)'.")
    }
    return Response(
      status: .ok, headers: [.contentType: "text/markdown; charset=utf-8", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: report)))
  }

  @Sendable func settings(_: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    Response(json: Self.json(try await reports.settings(scope: context.scope)))
  }

  @Sendable func setSettings(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let body = try await RequestObject(request)
    let schedules = ReportSettings.Schedule.allCases.map(\.rawValue)
    guard let schedule = ReportSettings.Schedule(rawValue: try body.string("schedule") ?? "off") else {
      throw Problem.invalidParameter("schedule", expected: "one of \(schedules.joined(separator: ", "))")
    }
    let grades = ["none", "low", "medium", "high", "critical"]
    let grade = try body.string("min_severity") ?? "none"
    guard grades.contains(grade) else {
      throw Problem.invalidParameter("min_severity", expected: "one of \(grades.joined(separator: ", "))")
    }
    let known = try await reports.settings(scope: context.scope)
    let webhook = try body.string("webhook").flatMap { $0.isEmpty ? nil : $0 }
    do {
      try await reports.setSettings(
        ReportSettings(
          schedule: schedule, hour: try body.integer("hour", default: 7, in: 0...23), webhook: webhook,
          webhookSecret: webhook == known.webhook ? known.webhookSecret : nil, minSeverity: grade),
        scope: context.scope)
    } catch let invalid as ReportSettings.Invalid {
      throw Problem.invalidParameter(invalid.field, expected: invalid.expected)
    }
    return Response(json: Self.json(try await reports.settings(scope: context.scope)))
  }

  @Sendable func testHook(_: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let failure = try await reports.test(scope: context.scope)
    var json = JSONWriter()
    json.object { json in
      json.member("delivered", failure == nil)
      json.member("error", failure)
    }
    return Response(json: json)
  }

  private static func json(_ settings: ReportSettings) -> JSONWriter {
    var json = JSONWriter()
    json.object { json in
      json.member("schedule", settings.schedule.rawValue)
      json.member("hour", settings.hour)
      json.member("min_severity", settings.minSeverity)
      json.member("webhook", settings.webhook)
      json.member("webhook_secret", settings.webhookSecret)
    }
    return json
  }

  @Sendable func delete(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    let id = context.parameters.get("id") ?? ""
    guard try await analyses.delete(id, scope: tenant.scope) else {
      throw Problem.notFound("No analysis has the id '\(id)'.")
    }
    return Response(status: .noContent)
  }
}
