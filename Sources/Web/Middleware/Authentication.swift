import Domain
import HTTPTypes
import Hummingbird
import Identity

/// Turns a request's credential into a caller. A request without one goes on as nobody; a wrong one is answered 401.
struct Authentication: RouterMiddleware {
  let access: AccessPolicy

  func handle(
    _ request: Request, context: AnonymousContext, next: (Request, AnonymousContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    if let header = request.headers[.authorization] {
      let parts = header.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw Problem.unauthorized }
      guard let caller = try await access.caller(bearing: String(parts[1])) else {
        var problem = Problem.unauthorized
        problem.detail = "The API key is not known, has expired, or was revoked."
        throw problem
      }
      context.caller = caller
    } else {
      context.caller = access.callerWithoutCredential
    }
    return try await next(request, context)
  }
}
