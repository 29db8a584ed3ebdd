package import Analysis
package import Domain
package import HTTPTypes
package import Hummingbird
package import Identity
package import Ingest
package import Search

/// Who may call a route.
package enum Access: Sendable, Equatable {
  /// Nobody needs to prove anything.
  case anyone
  /// A caller that has proven its tenant and holds the permission.
  case tenant(Permission)
}

/// One route: what it answers, who may call it.
package struct Route: Sendable {
  package let method: HTTPRequest.Method
  /// `{name}` stands for one part.
  package let path: String
  package let access: Access
  let respond: @Sendable (Request, AnonymousContext) async throws -> Response

  static func anyone(
    _ method: HTTPRequest.Method, _ path: String,
    _ handler: @escaping @Sendable (Request, AnonymousContext) async throws -> Response
  ) -> Route {
    Route(method: method, path: path, access: .anyone, respond: handler)
  }

  static func tenant(
    _ method: HTTPRequest.Method, _ path: String, _ permission: Permission,
    _ handler: @escaping @Sendable (Request, AnonymousContext, TenantContext) async throws -> Response
  ) -> Route {
    Route(method: method, path: path, access: .tenant(permission)) { request, context in
      let tenant = try TenantContext(context, permission: permission)
      // What only reads ends with its reader; what changes something is finished.
      guard permission == .logsRead else { return try await handler(request, context, tenant) }
      return try await untilClientLeaves { try await handler(request, context, tenant) }
    }
  }
}

/// Every route of the server on one page.
package struct Routes: Sendable {
  package let all: [Route]

  package init(_ services: WebServices) {
    let assets = AssetRoutes()
    let health = HealthRoutes(services)
    let session = SessionRoutes(services)
    let ingest = IngestRoutes(services)
    let search = SearchRoutes(services)
    let records = RecordRoutes(services)
    let tail = TailRoutes(services)
    let patterns = PatternRoutes(services)
    let analyses = AnalysisRoutes(services)
    let insights = InsightRoutes(services)
    let narratives = NarrativeRoutes(services)
    all = [
      .anyone(.get, "/health", health.health),
      .anyone(.get, "/metrics", health.metrics),
      .anyone(.get, "/api/v1/health", health.health),
      .anyone(.get, "/api/v1/healthz", health.alive),
      .anyone(.get, "/api/v1/ready", health.ready),
      .anyone(.get, "/api/v1/openapi.json", health.openAPI),

      .tenant(.get, "/api/v1/session", .logsRead, session.session),

      .tenant(.post, "/api/v1/logs/stream", .logsWrite, ingest.stream),

      .tenant(.get, "/api/v1/logs/query", .logsRead, search.query),
      .tenant(.post, "/api/v1/logs/query", .logsRead, search.query),
      .tenant(.get, "/api/v1/logs/hits", .logsRead, search.hits),
      .tenant(.get, "/api/v1/logs/facets", .logsRead, search.facets),
      .tenant(.get, "/api/v1/logs/field_names", .logsRead, search.fieldNames),
      .tenant(.get, "/api/v1/logs/field_values", .logsRead, search.fieldValues),
      .tenant(.get, "/api/v1/logs/context", .logsRead, search.context),
      .tenant(.get, "/api/v1/logs/tail", .logsRead, tail.tail),

      .tenant(.get, "/api/v1/logs", .logsRead, records.list),
      .tenant(.post, "/api/v1/logs/search", .logsRead, records.search),
      .tenant(.get, "/api/v1/logs/similar", .logsRead, records.similar),

      .tenant(.get, "/api/v1/patterns", .logsRead, patterns.list),
      .tenant(.get, "/api/v1/patterns/{id}", .logsRead, patterns.one),
      .tenant(.post, "/api/v1/patterns/{id}/merge", .analysesWrite, patterns.merge),
      .tenant(.post, "/api/v1/patterns/{id}/split", .analysesWrite, patterns.split),

      .tenant(.get, "/api/v1/analyses", .analysesRead, analyses.list),
      .tenant(.post, "/api/v1/analyses", .analysesWrite, analyses.start),
      .tenant(.get, "/api/v1/analyses/{id}", .analysesRead, analyses.one),
      .tenant(.delete, "/api/v1/analyses/{id}", .analysesWrite, analyses.delete),
      .tenant(.get, "/api/v1/analyses/{id}/events", .analysesRead, analyses.events),
      .tenant(.get, "/api/v1/analyses/{id}/report", .analysesRead, analyses.report),
      .tenant(.post, "/api/v1/analyses/{id}/cancel", .analysesWrite, analyses.cancel),
      .tenant(.get, "/api/v1/settings/reports", .analysesWrite, analyses.settings),
      .tenant(.put, "/api/v1/settings/reports", .analysesWrite, analyses.setSettings),
      .tenant(.post, "/api/v1/settings/reports/test", .analysesWrite, analyses.testHook),

      .tenant(.get, "/api/v1/anomalies", .analysesRead, insights.anomalies),
      .tenant(.get, "/api/v1/incidents", .analysesRead, insights.incidents),
      .tenant(.get, "/api/v1/incidents/{id}", .analysesRead, insights.incident),
      .tenant(.post, "/api/v1/incidents/{id}/status", .analysesWrite, insights.setStatus),
      .tenant(.get, "/api/v1/insights/stream", .analysesRead, insights.stream),
      .tenant(.get, "/api/v1/suppressions", .analysesRead, insights.suppressions),
      .tenant(.post, "/api/v1/suppressions", .analysesWrite, insights.suppress),
      .tenant(.delete, "/api/v1/suppressions/{id}", .analysesWrite, insights.endSuppression),
      .tenant(.get, "/api/v1/feedback", .analysesRead, insights.feedback),
      .tenant(.put, "/api/v1/feedback", .analysesWrite, insights.setFeedback),
      .tenant(.post, "/api/v1/comparisons", .logsRead, insights.compare),

      .tenant(.post, "/api/v1/incidents/{id}/narrative", .analysesWrite, narratives.make),
      .tenant(.get, "/api/v1/incidents/{id}/prompt", .analysesRead, narratives.incidentPrompt),
      .tenant(.get, "/api/v1/analyses/{id}/prompt", .analysesRead, narratives.analysisPrompt),
      .tenant(.get, "/api/v1/settings/language-model", .analysesRead, narratives.settings),
      .tenant(.put, "/api/v1/settings/language-model", .analysesWrite, narratives.setSettings),
      .tenant(.delete, "/api/v1/settings/language-model", .analysesWrite, narratives.resetSettings),

      .anyone(.get, "/{path}", assets.page),
    ]
  }

  /// The server's router: outermost middleware first.
  package func router(
    access: AccessPolicy, metrics: RequestMetrics, connections: ClientConnections = ClientConnections()
  ) -> Hummingbird.Router<AnonymousContext> {
    // HEAD is what monitors ask with.
    let router = Hummingbird.Router(context: AnonymousContext.self, options: .autoGenerateHeadEndpoints)
    router.addMiddleware {
      SecurityHeaders()
      metrics
      ClientWatch(connections: connections)
      ProblemResponses()
      Authentication(access: access)
    }
    for route in all {
      let path = route.path == "/{path}" ? "**" : route.path
      router.on(RouterPath(path), method: route.method, use: route.respond)
      if path == "**" { router.on("/", method: route.method, use: route.respond) }
    }
    // What is asked for in a wrong way is told the right ones, instead of that there is no such address.
    for (path, routes) in Dictionary(grouping: all.filter { $0.path != "/{path}" }, by: \.path) {
      let allowed = routes.map(\.method.rawValue).sorted()
      for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete] where !allowed.contains(method.rawValue) {
        router.on(RouterPath(path), method: method) { _, _ -> Response in
          throw Problem.methodNotAllowed(method.rawValue, allowed: allowed)
        }
      }
    }
    return router
  }
}

/// What the routes stand on.
package struct WebServices: Sendable {
  package var ingest: IngestService
  package var search: SearchService
  package var analyses: AnalysisService
  package var watch: WatchService
  package var reports: ReportService
  package var narratives: Narratives
  package var access: AccessPolicy
  package var metrics: RequestMetrics
  package var limits: WebLimits
  package var version: String
  package var isDevelopment: Bool
  package var now: @Sendable () -> Timestamp
  /// Named checks of the server's parts; each says what is wrong, or nil.
  package var checks: [(name: String, run: @Sendable () async -> String?)]
  /// More lines for `/metrics`, as Prometheus text.
  package var collectMetrics: @Sendable () async -> String

  package init(
    ingest: IngestService, search: SearchService, analyses: AnalysisService, watch: WatchService,
    reports: ReportService, narratives: Narratives, access: AccessPolicy, metrics: RequestMetrics, limits: WebLimits,
    version: String, isDevelopment: Bool,
    now: @escaping @Sendable () -> Timestamp, checks: [(name: String, run: @Sendable () async -> String?)],
    collectMetrics: @escaping @Sendable () async -> String
  ) {
    self.ingest = ingest
    self.search = search
    self.analyses = analyses
    self.watch = watch
    self.reports = reports
    self.narratives = narratives
    self.access = access
    self.metrics = metrics
    self.limits = limits
    self.version = version
    self.isDevelopment = isDevelopment
    self.now = now
    self.checks = checks
    self.collectMetrics = collectMetrics
  }
}

package struct WebLimits: Sendable {
  /// Largest body as sent.
  package var compressedBodyByteCountMax: Int

  package init(compressedBodyByteCountMax: Int) {
    self.compressedBodyByteCountMax = compressedBodyByteCountMax
  }
}
