import HTTPTypes
import Testing

@testable import Web

@Suite struct RequestMetricsTests {
  @Test func `requests are counted by route, method and status`() async throws {
    try await TestServer.run { server in
      for _ in 0..<3 { _ = try await server.answer(.get, "/api/v1/healthz") }
      _ = try await server.answer(.get, "/api/v1/session")
      _ = try await server.answer(.get, "/api/v1/analyses/one", key: server.keys[0])
      _ = try await server.answer(.get, "/api/v1/analyses/two", key: server.keys[0])

      let text = try await server.answer(.get, "/metrics").text

      let name = "timberline_http_requests_total"
      #expect(text.contains("\(name){route=\"/api/v1/healthz\",method=\"GET\",code=\"200\"} 3\n"))
      #expect(text.contains("\(name){route=\"/api/v1/session\",method=\"GET\",code=\"401\"} 1\n"))
      #expect(text.contains("\(name){route=\"/api/v1/analyses/{id}\",method=\"GET\",code=\"404\"} 2\n"))
    }
  }

  @Test func `addresses, methods and names that nobody knows make no labels`() async throws {
    try await TestServer.run { server in
      let known = try await labelCount(server) {
        for path in ["/nowhere", "/api/v1/nowhere", "/assets/nowhere"] { _ = try await server.answer(.get, path) }
        _ = try await server.answer(.post, "/nowhere")
        _ = try await server.answer(HTTPRequest.Method("BREW0")!, "/nowhere")
        _ = try await server.answer(.get, "/api/v1/analyses/0", key: server.keys[0])
      }

      let after = try await labelCount(server) {
        for number in 1..<60 {
          for path in ["/nowhere\(number)", "/api/v1/nowhere/\(number)", "/assets/\(number)\"}", "/a\nb\(number)"] {
            _ = try await server.answer(.get, path)
          }
          _ = try await server.answer(.post, "/nowhere/\(number)")
          _ = try await server.answer(HTTPRequest.Method("BREW\(number)")!, "/nowhere")
          _ = try await server.answer(.get, "/api/v1/analyses/\(number)", key: server.keys[0])
        }
      }

      #expect(after == known)
    }
  }

  @Test func `what stands there is Prometheus text`() async throws {
    try await TestServer.run { server in
      for path in ["/", "/health", "/api/v1/healthz", "/nowhere", "/metrics"] {
        _ = try await server.answer(.get, path)
      }
      let answer = try await server.answer(.get, "/metrics")

      #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
      #expect(answer.text.hasSuffix("\n"))
      var types: [Substring: Substring] = [:]
      var seen: Set<Substring> = []
      for line in answer.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
        let words = line.split(separator: " ", maxSplits: 3)
        if line.hasPrefix("#") {
          #expect(words.count == 4 && ["HELP", "TYPE"].contains(words[1]), "\(line)")
          if words[1] == "TYPE" {
            #expect(types.updateValue(words[3], forKey: words[2]) == nil, "\(line) stands twice")
          }
          continue
        }
        let value = try #require(line.split(separator: " ").last)
        let series = line.dropLast(value.count + 1)
        #expect(Double(value) != nil, "\(line)")
        #expect(seen.insert(series).inserted, "\(series) stands twice")
        var name = series.prefix { $0 != "{" }
        for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) { name = name.dropLast(suffix.count) }
        #expect(types[name] != nil, "\(line) has no type")
        if name.count < series.count, series.hasSuffix("}") == false { #expect(!series.contains("{"), "\(line)") }
      }
      #expect(types["timberline_http_requests_total"] == "counter")
      #expect(types["timberline_http_request_duration_seconds"] == "histogram")
    }
  }

  @Test func `a histogram's buckets add up to its count`() async throws {
    try await TestServer.run { server in
      for _ in 0..<9 { _ = try await server.answer(.get, "/api/v1/healthz") }

      let lines = try await server.answer(.get, "/metrics").text.split(separator: "\n")

      let route = "route=\"/api/v1/healthz\""
      let buckets = lines.filter { $0.hasPrefix("timberline_http_request_duration_seconds_bucket{\(route),") }
        .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
      #expect(buckets == buckets.sorted())
      #expect(buckets.last == 9)
      #expect(lines.contains("timberline_http_request_duration_seconds_count{\(route)} 9"))
    }
  }

  /// Time series there are after `body`.
  private func labelCount(_ server: TestServer, _ body: () async throws -> Void) async throws -> Int {
    try await body()
    // A look at the metrics is a request, too, which the next look shows.
    _ = try await server.answer(.get, "/metrics")
    return try await server.answer(.get, "/metrics").text.split(separator: "\n").count { !$0.hasPrefix("#") }
  }
}
