import HTTPTypes
package import Hummingbird
import Synchronization

/// Counts requests by route, method and status, and how long they took; outermost, so that it sees what the client sees.
package final class RequestMetrics: RouterMiddleware {
  private struct Key: Hashable {
    let method: String
    let route: String
    let status: Int
  }

  private struct Durations {
    /// By upper bound of `bounds`; one more for the rest.
    var counts = [Int](repeating: 0, count: RequestMetrics.bounds.count + 1)
    var sum = 0.0
  }

  /// Seconds.
  private static let bounds = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30]

  private let state = Mutex<(counts: [Key: Int], durations: [String: Durations])>(([:], [:]))

  package init() {}

  package func handle(
    _ request: Request, context: AnonymousContext,
    next: (Request, AnonymousContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    let response = try await next(request, context)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let route = context.endpointPath ?? "none"
    let key = Key(method: Self.label(request.method), route: route, status: Int(response.status.code))
    state.withLock { state in
      state.counts[key, default: 0] += 1
      let bucket = RequestMetrics.bounds.firstIndex { seconds <= $0 } ?? RequestMetrics.bounds.count
      state.durations[route, default: Durations()].counts[bucket] += 1
      state.durations[route, default: Durations()].sum += seconds
    }
    return response
  }

  /// One word for every method that no route has, so that requests can't make labels without end.
  private static func label(_ method: HTTPRequest.Method) -> String {
    switch method {
    case .get, .head, .post, .put, .patch, .delete, .options: method.rawValue
    default: "other"
    }
  }

  /// Prometheus text.
  func render() -> String {
    let (counts, durations) = state.withLock { ($0.counts, $0.durations) }
    var text = """
      # HELP timberline_http_requests_total Requests answered.
      # TYPE timberline_http_requests_total counter

      """
    for (key, count) in counts.sorted(by: {
      ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
    }) {
      text +=
        "timberline_http_requests_total{route=\"\(key.route)\",method=\"\(key.method)\",code=\"\(key.status)\"} \(count)\n"
    }
    text += """
      # HELP timberline_http_request_duration_seconds Time from a request's head to its answer's.
      # TYPE timberline_http_request_duration_seconds histogram

      """
    for (route, durations) in durations.sorted(by: { $0.key < $1.key }) {
      var total = 0
      for (index, bound) in (RequestMetrics.bounds.map { String($0) } + ["+Inf"]).enumerated() {
        total += durations.counts[index]
        text += "timberline_http_request_duration_seconds_bucket{route=\"\(route)\",le=\"\(bound)\"} \(total)\n"
      }
      text += "timberline_http_request_duration_seconds_sum{route=\"\(route)\"} \(durations.sum)\n"
      text += "timberline_http_request_duration_seconds_count{route=\"\(route)\"} \(total)\n"
    }
    return text
  }
}
