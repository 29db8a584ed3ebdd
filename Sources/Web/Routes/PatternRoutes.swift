import Domain
import Hummingbird
import Search

/// `GET /api/v1/patterns`: the kinds of lines in a window, with their counts over time.
struct PatternRoutes: Sendable {
  private let search: SearchService
  private let now: @Sendable () -> Timestamp

  init(_ services: WebServices) {
    search = services.search
    now = services.now
  }

  @Sendable func list(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    guard let order = PatternOrder(rawValue: parameters["sort"] ?? "count") else {
      throw Problem.invalidParameter("sort", expected: PatternOrder.allCases.map(\.rawValue).joined(separator: ", "))
    }
    let page = try await search.patterns(
      SearchRequest(text: parameters["query"] ?? "*", range: try parameters.timeRange(now: now())),
      limit: try parameters.integer("limit", default: 100, in: 1...10_000), order: order, scope: context.scope)
    var json = JSONWriter(reservingCapacity: 1 << 15)
    json.object { json in
      json.key("patterns")
      json.array { json in
        for volume in page.patterns {
          json.object { json in
            json.member("id", Int(volume.pattern.number))
            json.member("text", volume.pattern.text)
            json.member("level", volume.pattern.severity.name)
            json.member("count", volume.count)
            json.member("share", page.recordCount > 0 ? Double(volume.count) / Double(page.recordCount) : 0)
            json.member("first_seen", volume.pattern.firstSeen.rfc3339)
            json.member("last_seen", volume.pattern.lastSeen.rfc3339)
            json.key("counts")
            json.array { json in
              for count in volume.counts { json.value(count) }
            }
            json.member("previous_count", volume.previousCount)
            json.member("sample", volume.sample)
            json.member("streams", volume.streamCount)
          }
        }
      }
      json.member("total", page.patternCount)
      json.member("records", page.recordCount)
      json.member("start", page.range.start.rfc3339)
      json.member("end", page.range.end.rfc3339)
      json.member("step_seconds", Int(page.step / 1_000_000_000))
    }
    return Response(json: json)
  }
}
