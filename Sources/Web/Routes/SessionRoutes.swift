import Domain
import Hummingbird

/// `GET /api/v1/session`: whom the server takes the caller for.
struct SessionRoutes: Sendable {
  private let version: String
  private let isDevelopment: Bool
  private let now: @Sendable () -> Timestamp

  init(_ services: WebServices) {
    version = services.version
    isDevelopment = services.isDevelopment
    now = services.now
  }

  @Sendable func session(_: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    var json = JSONWriter()
    json.object { json in
      json.member("mode", isDevelopment ? "dev" : "key")
      json.key("tenant")
      json.object { json in
        json.member("id", context.scope.tenant.text)
        json.member("name", context.scope.tenant.text)
      }
      json.member("version", version)
      json.member("now", now().rfc3339)
    }
    return Response(json: json)
  }
}
