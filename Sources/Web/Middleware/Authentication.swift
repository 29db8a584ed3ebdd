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
    } else if let caller = access.callerWithoutCredential {
      guard request.isOfThisMachine else { throw Problem.foreignRequest }
      context.caller = caller
    }
    return try await next(request, context)
  }
}

extension Request {
  /// Whether no page of another site can have sent it: a browser lets any page send requests to loopback.
  ///
  /// A name that somebody's DNS leads to loopback shows in the host, by its dots: nobody can own `localhost` or another name without
  /// them. A page of another site shows in the origin, which browsers send with every request that changes something.
  fileprivate var isOfThisMachine: Bool {
    guard let authority = head.authority?.lowercased() else { return true }
    // Without the port; an IPv6 address stands in brackets.
    let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
    guard
      (numbers.count == 1 && !host.isEmpty && !host.hasPrefix("[")) || host.hasSuffix(".localhost") || host == "[::1]"
        || (numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil })
    else { return false }
    guard let origin = headers[.origin]?.lowercased() else { return true }
    return origin == "http://\(authority)" || origin == "https://\(authority)"
  }
}

extension Problem {
  fileprivate static let foreignRequest = Problem(
    .forbidden, "foreign-request", "Only this machine's own requests are answered",
    "The server runs without a sign-in, and the request came by another name or from a page of another site. "
      + "Use the address the server printed when it started, or run it without --dev.")
}
