import Hummingbird

/// Ends the work on a request whose client has gone.
struct ClientWatch: RouterMiddleware {
  let connections: ClientConnections

  func handle(
    _ request: Request, context: AnonymousContext,
    next: (Request, AnonymousContext) async throws -> Response
  ) async throws -> Response {
    guard let channel = context.channel, let connection = connections.connection(of: channel) else {
      return try await next(request, context)
    }
    return try await ClientConnection.$current.withValue(connection) { try await next(request, context) }
  }
}
