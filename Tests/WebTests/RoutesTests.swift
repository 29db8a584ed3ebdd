import Domain
import HTTPTypes
import Hummingbird
import Storage
import Testing

@testable import Identity
@testable import Web

/// Every route, walked.
@Suite struct RoutesTests {
  private func path(_ route: Route) -> String {
    route.path.replacing("{id}", with: "0123").replacing("{path}", with: "search")
  }

  @Test func `a route of a tenant is 401 to who has no key or a wrong one`() async throws {
    try await TestServer.run { server in
      let forged = String(server.keys[0].dropLast()) + (server.keys[0].hasSuffix("A") ? "B" : "A")
      let headers: [HTTPFields] = [
        [:], [.authorization: "Bearer \(forged)"], [.authorization: "Bearer"], [.authorization: "Basic dTpw"],
        [.authorization: "Bearer "], [.authorization: server.keys[0]],
      ]
      for route in server.routes.all where route.access != .anyone {
        for headers in headers {
          let answer = try await server.answer(route.method, path(route), headers: headers)

          #expect(answer.status == 401, "\(route.method) \(route.path)")
          #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
          #expect(try answer.decoded(ProblemDocument.self).type == "/problems/unauthorized")
        }
      }
    }
  }

  @Test func `a route of a tenant is 403 to a key without its scope, which is named`() async throws {
    try await TestServer.run { server in
      for route in server.routes.all {
        guard case .tenant(let permission) = route.access else { continue }
        var context = AnonymousContext.test()
        context.caller = Caller(
          scope: TenantScope(proven: TestServer.tenants[0]),
          permissions: Set(Permission.allCases).subtracting([permission]))

        let problem = await #expect(throws: Problem.self, "\(route.method) \(route.path)") {
          try await route.respond(.test(route.method, path(route)), context)
        }

        #expect(problem?.status == .forbidden, "\(route.method) \(route.path)")
        #expect(problem?.detail.contains("'\(permission.rawValue)'") == true)
      }
    }
  }

  @Test func `only health, metrics, the description and the pages are open`() async throws {
    try await TestServer.run { server in
      let open = server.routes.all.filter { $0.access == .anyone }.map(\.path)

      #expect(
        Set(open) == [
          "/health", "/metrics", "/api/v1/health", "/api/v1/healthz", "/api/v1/ready", "/api/v1/openapi.json",
          "/{path}",
        ])
      for path in open.filter({ $0 != "/{path}" }) {
        let answer = try await server.answer(.get, path)
        #expect(answer.status == 200, "\(path)")
      }
    }
  }

  @Test func `a key is let in, and speaks for its own tenant alone`() async throws {
    struct Session: Decodable {
      struct Tenant: Decodable { var id: String }
      var mode: String
      var tenant: Tenant
      var now: String
    }
    try await TestServer.run { server in
      for (tenant, key) in zip(TestServer.tenants, server.keys) {
        for scheme in ["Bearer", "bearer", "BEARER"] {
          let answer = try await server.answer(.get, "/api/v1/session", headers: [.authorization: "\(scheme) \(key)"])

          let session = try answer.decoded(Session.self)
          #expect(session.tenant.id == tenant.text)
          #expect(session.mode == "key")
          #expect(session.now == "2027-01-15T08:00:00Z")
        }
      }
    }
  }

  @Test func `what one tenant sends in, the other never reads`() async throws {
    try await TestServer.run { server in
      let body = "{\"timestamp\":1799999999,\"message\":\"canary sings\",\"source\":\"mine\"}\n"
      let receipt = try await server.answer(.post, "/api/v1/logs/stream", key: server.keys[0], body: body.utf8)
      #expect(receipt.status == 200, "\(receipt.text)")
      #expect(receipt.text.contains("\"processed_count\":1"))

      for path in [
        "/api/v1/logs/query?query=canary", "/api/v1/logs/hits?query=canary", "/api/v1/logs/facets",
        "/api/v1/logs/field_names", "/api/v1/logs/field_values?field=source", "/api/v1/logs", "/api/v1/patterns",
      ] {
        let mine = try await server.answer(.get, path, key: server.keys[0])
        let theirs = try await server.answer(.get, path, key: server.keys[1])

        #expect(mine.status == 200 && theirs.status == 200, "\(path)")
        for word in ["canary", "mine"] { #expect(!theirs.text.contains(word), "\(path)") }
        #expect(theirs.body.count < mine.body.count, "\(path)")
      }
    }
  }

  @Test func `without a sign-in everybody is the default tenant, but a wrong key is still wrong`() async throws {
    try await TestServer.run(isDevelopment: true) { server in
      let answer = try await server.answer(.get, "/api/v1/session")
      #expect(answer.text.contains("\"mode\":\"dev\"") && answer.text.contains("\"id\":\"default\""))

      #expect(try await server.answer(.get, "/api/v1/session", key: "tlk_wrong").status == 401)
    }
  }

  @Test(
    arguments: [
      ("localhost:7300", nil), ("LOCALHOST", nil), ("127.0.0.1:7300", nil), ("127.8.9.1", nil), ("[::1]:7300", nil),
      ("app.localhost:7300", nil), ("devbox:7300", nil), ("localhost:7300", "http://localhost:7300"),
      ("[::1]:7300", "http://[::1]:7300"),
    ] as [(String, String?)])
  func `without a sign-in, this machine's own requests are answered`(host: String, origin: String?) async throws {
    let status = try await statusWithoutSignIn(host: host, origin: origin)

    #expect(status == 200)
  }

  @Test(
    arguments: [
      ("evil.example", nil), ("evil.example:7300", nil), ("127.0.0.1.evil.example", nil), ("127.evil.0.1", nil),
      ("localhost.evil.example:7300", nil), ("[::ffff:1.2.3.4]:7300", nil), ("10.0.0.1:7300", nil),
      ("localhost.", nil), ("[fe80::1]:7300", nil), ("", nil),
      ("localhost:7300", "http://evil.example"), ("localhost:7300", "null"),
      ("localhost:7300", "http://localhost:8080"),
      ("evil.example:7300", "http://evil.example:7300"),
    ] as [(String, String?)])
  func `without a sign-in, pages of other sites are refused`(host: String, origin: String?) async throws {
    let status = try await statusWithoutSignIn(host: host, origin: origin)

    #expect(status == 403)
  }

  private func statusWithoutSignIn(host: String, origin: String?) async throws -> Int {
    try await TestServer.run(isDevelopment: true) { server in
      let headers: HTTPFields = origin.map { [.origin: $0] } ?? [:]
      return try await server.answer(
        .post, "/api/v1/logs/stream", host: host, headers: headers, body: "{\"message\":\"a\"}".utf8
      ).status
    }
  }

  @Test func `every answer carries the security headers`() async throws {
    try await TestServer.run { server in
      var answers: [(String, Answer)] = []
      for (method, path) in [
        (.get, "/"), (.get, "/search"), (.get, "/health"), (.get, "/metrics"), (.get, "/api/v1/nowhere"),
        (.get, "/assets/nowhere.js"), (.post, "/nowhere"), (.get, "/api/v1/session"), (.delete, "/"),
        (.post, "/api/v1/logs/stream"),
      ] as [(HTTPRequest.Method, String)] {
        answers.append(("\(method) \(path)", try await server.answer(method, path)))
      }
      for path in ["/api/v1/logs/query", "/api/v1/logs/query?query=(", "/api/v1/patterns", "/api/v1/analyses/0"] {
        answers.append((path, try await server.answer(.get, path, key: server.keys[0])))
      }

      for (name, answer) in answers {
        let policy = answer.headers[.contentSecurityPolicy] ?? ""
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
          #expect(policy.contains(part), "\(name)")
        }
        #expect(!policy.contains("unsafe"), "\(name)")
        #expect(answer.headers[.xContentTypeOptions] == "nosniff", "\(name)")
        #expect(answer.headers[HTTPField.Name("X-Frame-Options")!] == "DENY", "\(name)")
        #expect(answer.headers[HTTPField.Name("Referrer-Policy")!] != nil, "\(name)")
        #expect(answer.headers[HTTPField.Name("Cross-Origin-Opener-Policy")!] == "same-origin", "\(name)")
        #expect(answer.headers[.cacheControl] != nil, "\(name)")
        if name.contains("/api/") { #expect(answer.headers[.cacheControl] == "no-store", "\(name)") }
        #expect(answer.headers[.accessControlAllowOrigin] == nil, "\(name)")
      }
    }
  }

  @Test func `a refusal is a problem document, whose instance is a request's own`() async throws {
    try await TestServer.run { server in
      var instances: Set<String> = []
      for (path, status) in [
        ("/api/v1/nowhere", 404), ("/api/v1/logs/query?query=(", 400), ("/api/v1/logs/query?limit=x", 400),
        ("/api/v1/logs/tail?query=*%20%7C%20sort%20by%20(a)", 400), ("/api/v1/logs/context?id=x", 400),
        ("/api/v1/logs/context", 400), ("/api/v1/logs/similar?id=x", 400),
        ("/api/v1/logs/field_values", 400), ("/api/v1/patterns?sort=x", 400),
        ("/api/v1/analyses/nothing", 404), ("/api/v1/analyses?limit=0", 400), ("/api/v1/logs/hits?step=0", 400),
      ] {
        let answer = try await server.answer(.get, path, key: server.keys[0])

        #expect(answer.status == status, "\(path)")
        #expect(answer.headers[.contentType] == "application/problem+json", "\(path)")
        instances.insert(try answer.decoded(ProblemDocument.self).instance)
      }
      #expect(instances.count == 12)
    }
  }

  @Test func `a known address asked in a wrong way names the right ways`() async throws {
    try await TestServer.run { server in
      for (method, path, allowed) in [
        (HTTPRequest.Method.get, "/api/v1/logs/search", "POST"), (.put, "/api/v1/logs/query", "GET, POST"),
        (.post, "/api/v1/analyses/x", "DELETE, GET"), (.delete, "/health", "GET"),
      ] {
        let answer = try await server.answer(method, path, key: server.keys[0])

        #expect(answer.status == 405, "\(path)")
        #expect(answer.headers[.allow] == allowed, "\(path)")
      }
    }
  }

  @Test func `HEAD answers as GET does, without a body`() async throws {
    try await TestServer.run { server in
      for (path, key, status) in [
        ("/", nil, 200), ("/health", nil, 200), ("/api/v1/nowhere", nil, 404), ("/api/v1/session", nil, 401),
        ("/api/v1/session", server.keys[0], 200), ("/api/v1/logs/tail", server.keys[0], 200),
        ("/api/v1/logs/query", server.keys[0], 200),
      ] {
        let answer = try await server.answer(.head, path, key: key)

        #expect(answer.status == status, "\(path)")
        if status == 200 { #expect(answer.body.isEmpty, "\(path)") }
      }
    }
  }

  @Test func `a query's place of error and its expectation come through`() async throws {
    try await TestServer.run { server in
      let answer = try await server.answer(.get, "/api/v1/logs/query?query=(a", key: server.keys[0])

      let document = try answer.decoded(ProblemDocument.self)
      #expect(document.type == "/problems/query-syntax")
      #expect(document.column == 1)
      #expect(document.expected != nil)
    }
  }

  @Test func `a body over the limit is 413, and one of an unknown kind 415`() async throws {
    try await TestServer.run { server in
      let path = "/api/v1/logs/stream"
      let large = [UInt8](repeating: 0x20, count: 1 << 16 | 1)
      #expect(try await server.answer(.post, path, key: server.keys[0], body: large).status == 413)

      for headers in [[.contentEncoding: "br"], [.contentType: "image/png"]] as [HTTPFields] {
        let answer = try await server.answer(.post, path, key: server.keys[0], headers: headers, body: "{}".utf8)
        #expect(answer.status == 415, "\(headers)")
      }
      let damaged = try await server.answer(
        .post, path, key: server.keys[0], headers: [.contentEncoding: "gzip"], body: "no gzip".utf8)
      #expect(damaged.status == 400)
    }
  }

  @Test func `health names what is wrong, and then the server is not ready`() async throws {
    try await TestServer.run(checks: [("disk", { "12 MiB are left" }), ("sky", { nil })]) { server in
      let health = try await server.answer(.get, "/health")
      #expect(health.status == 503)
      #expect(health.text.contains("\"status\":\"unhealthy\""))
      #expect(health.text.contains("\"disk\":\"12 MiB are left\"") && health.text.contains("\"sky\":\"ok\""))

      let ready = try await server.answer(.get, "/api/v1/ready")
      #expect(ready.status == 503)
      #expect(ready.headers[.retryAfter] == "5")
      #expect(try await server.answer(.get, "/api/v1/healthz").text == "OK\n")
    }
  }
}
