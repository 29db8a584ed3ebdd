import Analysis
import HTTPTypes
import Hummingbird

/// Incidents in a model's words, what it is sent, and which model that is. The documents are Analysis' own JSON.
struct NarrativeRoutes: Sendable {
  private let narratives: Narratives

  init(_ services: WebServices) { narratives = services.narratives }

  @Sendable func make(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    try Self.found(
      try await narratives.narrative(ofIncident: Self.id(context), scope: tenant.scope), "incident", context)
  }

  @Sendable func incidentPrompt(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    try Self.found(
      try await narratives.prompt(ofIncident: Self.id(context), scope: tenant.scope), "incident", context)
  }

  @Sendable func analysisPrompt(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    try Self.found(
      try await narratives.prompt(ofAnalysis: Self.id(context), scope: tenant.scope), "analysis", context)
  }

  @Sendable func settings(_: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    Self.raw(try await narratives.settingsDocument(scope: context.scope))
  }

  @Sendable func setSettings(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let body = try await RequestObject(request)
    func text(_ name: String) throws -> String? { try body.string(name).flatMap { $0.isEmpty ? nil : $0 } }
    var change = LanguageModelChange()
    change.isDisabled = try body.flag("disabled")
    change.baseURL = try text("base_url")
    change.model = try text("model")
    change.apiKey = try body.string("api_key")
    let tokens = try body.integer("daily_tokens_max", default: -1, in: 0...1_000_000_000)
    change.dailyTokensMax = tokens < 0 ? nil : tokens
    change.redaction = try text("redaction")
    do {
      try await narratives.change(change, scope: context.scope)
    } catch let failure as LanguageModelFailure {
      let field = failure.field ?? "base_url"
      throw Problem(
        .badRequest, "invalid-parameter", "A parameter has a wrong value", "'\(field)': \(failure.problem).",
        members: [("parameter", .string(field))])
    }
    return Self.raw(try await narratives.settingsDocument(scope: context.scope))
  }

  @Sendable func resetSettings(_: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    try await narratives.resetSettings(scope: context.scope)
    return Response(status: .noContent)
  }

  // MARK: -

  private static func id(_ context: AnonymousContext) -> String { context.parameters.get("id") ?? "" }

  private static func found(_ document: [UInt8]?, _ what: String, _ context: AnonymousContext) throws -> Response {
    guard let document else { throw Problem.notFound("No \(what) has the id '\(id(context))'.") }
    return raw(document)
  }

  private static func raw(_ document: [UInt8]) -> Response {
    var json = JSONWriter()
    json.raw(document)
    return Response(json: json)
  }
}
