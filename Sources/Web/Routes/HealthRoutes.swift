import CWebAssets
import HTTPTypes
import Hummingbird

/// Whether the server is alive, ready and well; its metrics; its own description.
struct HealthRoutes: Sendable {
  private let services: WebServices

  init(_ services: WebServices) { self.services = services }

  /// `200` when every check passes, else `503`.
  @Sendable func health(_: Request, _: AnonymousContext) async throws -> Response {
    var results: [(name: String, trouble: String?)] = []
    for check in services.checks { results.append((check.name, await check.run())) }
    let isHealthy = results.allSatisfy { $0.trouble == nil }
    var json = JSONWriter()
    json.object { json in
      json.member("status", isHealthy ? "healthy" : "unhealthy")
      json.member("version", services.version)
      json.key("checks")
      json.object { json in
        for result in results { json.member(result.name, result.trouble ?? "ok") }
      }
    }
    return Response(json: json, status: isHealthy ? .ok : .serviceUnavailable)
  }

  @Sendable func alive(_: Request, _: AnonymousContext) async throws -> Response { Response(text: "OK\n") }

  @Sendable func ready(_: Request, _: AnonymousContext) async throws -> Response {
    for check in services.checks {
      if let trouble = await check.run() {
        throw Problem.unavailable("\(check.name): \(trouble)", retryAfterSeconds: 5)
      }
    }
    return Response(text: "OK\n")
  }

  @Sendable func metrics(_: Request, _: AnonymousContext) async throws -> Response {
    let text = services.metrics.render() + (await services.collectMetrics())
    return Response(text: text, contentType: "text/plain; version=0.0.4; charset=utf-8")
  }

  @Sendable func openAPI(_: Request, _: AnonymousContext) async throws -> Response {
    let bytes = UnsafeRawBufferPointer(start: tl_openapi, count: tl_openapi_length)
    return Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
