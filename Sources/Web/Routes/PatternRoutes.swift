import Domain
import Hummingbird
import Indexing
import Search

/// `GET /api/v1/patterns`: the kinds of lines in a window, with their counts over time.
struct PatternRoutes: Sendable {
  private let search: SearchService
  private let now: @Sendable () -> Timestamp

  init(_ services: WebServices) {
    search = services.search
    now = services.now
  }

  /// One pattern with its templates.
  @Sendable func one(_: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    try await response(number(context), tenant.scope)
  }

  /// Makes one pattern of two: the number of the first leads to the second from now on.
  @Sendable func merge(_ request: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    let body = try await RequestObject(request)
    let into = UInt32(try body.integer("into", default: 0, in: 0...Int(UInt32.max)))
    let old = try number(context)
    try await edit { try await search.mergePattern(old, into: into, scope: tenant.scope) }
    return try await response(into, tenant.scope)
  }

  /// Makes some templates of a pattern a pattern of their own.
  @Sendable func split(_ request: Request, context: AnonymousContext, tenant: TenantContext) async throws -> Response {
    let text = try await RequestObject(request).string("templates") ?? ""
    let templates = text.split(separator: ",").map { UInt32($0.filter { $0 != " " }) }
    guard !templates.isEmpty, !templates.contains(nil) else {
      throw Problem.invalidParameter("templates", expected: "numbers of templates with commas between")
    }
    let pattern = try number(context)
    try await edit {
      try await search.splitPattern(pattern, templates: templates.compactMap { $0 }, scope: tenant.scope)
    }
    return try await response(pattern, tenant.scope)
  }

  private func number(_ context: AnonymousContext) throws -> UInt32 {
    let text = context.parameters.get("id") ?? ""
    guard let number = UInt32(text) else { throw Problem.notFound("No pattern has the number '\(text)'.") }
    return number
  }

  private func edit(_ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch let error as PatternEditError {
      switch error {
      case .unknown(let number): throw Problem.notFound("There is no pattern or template \(number) here.")
      case .same: throw Problem.invalidParameter("into", expected: "another pattern")
      case .nothingLeft:
        throw Problem.invalidParameter("templates", expected: "some, not all, of the pattern's templates")
      }
    }
  }

  private func response(_ number: UInt32, _ scope: TenantScope) async throws -> Response {
    guard let detail = try await search.pattern(number, scope: scope) else {
      throw Problem.notFound("No pattern has the number \(number).")
    }
    var json = JSONWriter()
    json.object { json in
      json.member("id", Int(detail.pattern.number))
      json.member("text", detail.pattern.text)
      json.member("named_text", detail.namedText)
      json.member("level", detail.pattern.severity.name)
      json.member("first_seen", detail.pattern.firstSeen.rfc3339)
      json.member("last_seen", detail.pattern.lastSeen.rfc3339)
      json.key("templates")
      json.array { json in
        for template in detail.templates {
          json.object { json in
            json.member("number", Int(template.number))
            json.member("text", template.text)
          }
        }
      }
      json.key("merged_from")
      json.array { json in for old in detail.mergedFrom { json.value(Int(old)) } }
    }
    return Response(json: json)
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
