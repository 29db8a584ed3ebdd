package import HTTPTypes
package import Hummingbird

/// A problem document (RFC 9457): what went wrong, for programs (`type`) and for people (`detail`).
package struct Problem: Error, Sendable {
  package var status: HTTPResponse.Status
  /// The last part of `type`: `/problems/<kind>`.
  package var kind: String
  package var title: String
  package var detail: String
  package var headers: HTTPFields = [:]
  /// More members, in order.
  package var members: [(name: String, value: JSONValue)] = []

  package init(
    _ status: HTTPResponse.Status, _ kind: String, _ title: String, _ detail: String,
    members: [(name: String, value: JSONValue)] = []
  ) {
    self.status = status
    self.kind = kind
    self.title = title
    self.detail = detail
    self.members = members
  }

  /// - Parameter instance: The request's id, as it stands in the server's log.
  package func response(instance: String) -> Response {
    var json = JSONWriter()
    json.object { json in
      json.member("type", "/problems/\(kind)")
      json.member("title", title)
      json.member("status", Int(status.code))
      json.member("detail", detail)
      json.member("instance", instance)
      for member in members { json.member(member.name, member.value) }
    }
    var headers = headers
    headers[.contentType] = "application/problem+json"
    headers[.cacheControl] = "no-store"
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }

  static func badRequest(_ detail: String) -> Problem {
    Problem(.badRequest, "bad-request", "The request can't be understood", detail)
  }

  static func invalidParameter(_ name: String, expected: String) -> Problem {
    Problem(
      .badRequest, "invalid-parameter", "A parameter has a wrong value", "'\(name)' must be \(expected).",
      members: [("parameter", .string(name))])
  }

  static func notFound(_ detail: String) -> Problem {
    Problem(.notFound, "not-found", "There is no such thing here", detail)
  }

  static func methodNotAllowed(_ method: String, allowed: [String]) -> Problem {
    let list = allowed.joined(separator: ", ")
    var problem = Problem(
      .methodNotAllowed, "method-not-allowed", "This address takes other methods", "It takes \(list), not \(method).")
    problem.headers[.allow] = list
    return problem
  }

  static let unauthorized = {
    var problem = Problem(
      .unauthorized, "unauthorized", "Sign in to go on",
      "This needs an API key: send it as 'Authorization: Bearer tlk_…'.")
    problem.headers[.wwwAuthenticate] = "Bearer realm=\"timberline\""
    return problem
  }()

  static func unavailable(_ detail: String, retryAfterSeconds: Int) -> Problem {
    var problem = Problem(.serviceUnavailable, "overloaded", "The server is busy", detail)
    problem.headers[.retryAfter] = "\(retryAfterSeconds)"
    return problem
  }
}
