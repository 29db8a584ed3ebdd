import Analysis
import Domain
import HTTPTypes
import Hummingbird
import Search

/// What the watch found out: anomalies and incidents, and what people say of them. The documents are Analysis' own JSON,
/// passed on as stored.
struct InsightRoutes: Sendable {
  private let watch: WatchService
  private let search: SearchService
  private let now: @Sendable () -> Timestamp

  init(_ services: WebServices) {
    watch = services.watch
    search = services.search
    now = services.now
  }

  // MARK: Reading

  @Sendable func anomalies(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    return array(
      try await watch.anomalies(
        try parameters.timeRange(now: now()), onlyOpen: try parameters.flag("open"),
        limit: try parameters.integer("limit", default: 100, in: 1...1000), scope: context.scope))
  }

  @Sendable func incidents(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    return array(
      try await watch.incidents(
        try parameters.timeRange(now: now()), onlyOpen: try parameters.flag("open"),
        limit: try parameters.integer("limit", default: 50, in: 1...1000), scope: context.scope))
  }

  @Sendable func incident(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    let id = context.parameters.get("id") ?? ""
    guard let document = try await watch.incident(id, scope: tenant.scope) else {
      throw Problem.notFound("No incident has the id '\(id)'.")
    }
    return raw(document)
  }

  /// Anomalies and incidents as they begin, change and end, as server-sent events.
  @Sendable func stream(_: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    guard let events = watch.events(context.scope) else {
      throw Problem.unavailable("Too many follow this tenant already.", retryAfterSeconds: 10)
    }
    let (stopped, stop) = AsyncStream.makeStream(of: InsightEvent?.self)
    let following = Task {
      for await event in events { stop.yield(event) }
      stop.finish()
    }
    let beating = Task {
      // A line now and then keeps proxies from closing what is silent.
      while !Task.isCancelled {
        try await Task.sleep(for: .seconds(15))
        stop.yield(nil)
      }
    }
    // Who has gone while nothing happens would not be noticed by sending.
    let leaving = ClientConnection.current?.onClose { stop.finish() }
    let body = ResponseBody { writer in
      defer {
        following.cancel()
        beating.cancel()
        withExtendedLifetime(leaving) {}
      }
      try await writer.write(ByteBuffer(string: ": following\n\n"))
      for await event in stopped.cancelOnGracefulShutdown() {
        var buffer = ByteBuffer()
        if let event {
          buffer.writeString("event: \(event.kind.rawValue)\ndata: ")
          buffer.writeBytes(event.document)
          buffer.writeString("\n\n")
        } else {
          buffer.writeString(": still here\n\n")
        }
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

  /// Two windows side by side.
  @Sendable func compare(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let body = try await RequestObject(request)
    let now = now()
    func window(_ prefix: String) throws -> ComparedWindow {
      guard let start = try body.time("\(prefix)_start", now: now), let end = try body.time("\(prefix)_end", now: now)
      else { throw Problem.invalidParameter("\(prefix)_start", expected: "a time, with '\(prefix)_end'") }
      guard start < end else {
        throw Problem.invalidParameter("\(prefix)_end", expected: "later than '\(prefix)_start'")
      }
      let query = try body.string("\(prefix)_query") ?? body.string("query") ?? ""
      return ComparedWindow(query: query.isEmpty ? "*" : query, range: TimeRange(start: start, end: end))
    }
    return raw(
      try await search.comparison(
        try window("before"), try window("after"),
        limit: try body.integer("limit", default: 100, in: 1...10_000), scope: context.scope))
  }

  // MARK: Saying

  @Sendable func setStatus(_ request: Request, context: AnonymousContext, tenant: TenantContext) async throws
    -> Response
  {
    let id = context.parameters.get("id") ?? ""
    let status = try await RequestObject(request).string("status") ?? ""
    guard WatchService.statuses.contains(status) else {
      throw Problem.invalidParameter("status", expected: "one of \(WatchService.statuses.joined(separator: ", "))")
    }
    guard let document = try await watch.setStatus(status, ofIncident: id, scope: tenant.scope) else {
      throw Problem.notFound("No incident has the id '\(id)'.")
    }
    return raw(document)
  }

  @Sendable func suppressions(_: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    array(try await watch.suppressions(scope: context.scope))
  }

  @Sendable func suppress(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let body = try await RequestObject(request)
    let now = now()
    let reasons = WatchService.SuppressionRequest.reasons
    let reason = try body.string("reason") ?? "snoozed"
    guard reasons.contains(reason) else {
      throw Problem.invalidParameter("reason", expected: "one of \(reasons.joined(separator: ", "))")
    }
    let start = try body.time("start", now: now) ?? now
    guard let end = try body.time("end", now: now), start < end else {
      throw Problem.invalidParameter("end", expected: "a time later than 'start'")
    }
    let pattern = try body.integer("pattern", default: 0, in: 0...Int(UInt32.max))
    let kinds = try body.string("kinds")?.split(separator: ",").map { $0.filter { $0 != " " } } ?? []
    guard Set(kinds).isSubset(of: WatchService.SuppressionRequest.kinds) else {
      throw Problem.invalidParameter(
        "kinds", expected: "some of \(WatchService.SuppressionRequest.kinds.joined(separator: ", "))")
    }
    let period = try body.integer("repeat_minutes", default: 0, in: 0...525_600)
    let document = try await watch.suppress(
      .init(
        reason: reason, workload: try body.string("workload").flatMap { $0.isEmpty ? nil : $0 },
        pattern: pattern == 0 ? nil : UInt32(pattern),
        kinds: kinds, range: TimeRange(start: start, end: end), repeatMinutes: period == 0 ? nil : period,
        note: String(try body.string("note")?.prefix(500) ?? "")), scope: context.scope)
    var json = JSONWriter()
    json.raw(document)
    return Response(json: json, status: .created)
  }

  @Sendable func endSuppression(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    let id = context.parameters.get("id") ?? ""
    guard try await watch.endSuppression(id, scope: tenant.scope) else {
      throw Problem.notFound("No suppression has the id '\(id)'.")
    }
    return Response(status: .noContent)
  }

  @Sendable func feedback(_: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    array(try await watch.feedback(scope: context.scope))
  }

  @Sendable func setFeedback(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let body = try await RequestObject(request)
    guard let workload = try body.string("workload"), !workload.isEmpty else {
      throw Problem.invalidParameter("workload", expected: "a workload's name")
    }
    let verdicts = WatchService.Verdict.allCases.map(\.rawValue)
    guard let verdict = WatchService.Verdict(rawValue: try body.string("verdict") ?? "") else {
      throw Problem.invalidParameter("verdict", expected: "one of \(verdicts.joined(separator: ", "))")
    }
    let pattern = try body.integer("pattern", default: 0, in: 0...Int(UInt32.max))
    return raw(
      try await watch.setFeedback(
        workload: workload, pattern: pattern == 0 ? nil : UInt32(pattern), verdict: verdict, scope: context.scope))
  }

  // MARK: -

  private func raw(_ document: [UInt8]) -> Response {
    var json = JSONWriter()
    json.raw(document)
    return Response(json: json)
  }

  private func array(_ documents: [[UInt8]]) -> Response {
    var json = JSONWriter(reservingCapacity: 1 << 14)
    json.array { json in
      for document in documents { json.raw(document) }
    }
    return Response(json: json)
  }
}
