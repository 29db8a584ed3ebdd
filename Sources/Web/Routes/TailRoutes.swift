import HTTPTypes
import Hummingbird
import Search

/// `GET /api/v1/logs/tail`: records as they become durable, as server-sent events.
struct TailRoutes: Sendable {
  private let search: SearchService

  init(_ services: WebServices) { search = services.search }

  @Sendable func tail(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let parameters = try await RequestParameters(request)
    let events = try await search.tail(parameters["query"] ?? "*", scope: context.scope)
    // A follower that has gone while nothing matches would not be noticed by sending.
    let watch = ClientConnection.current?.onClose { events.end() }
    let body = ResponseBody { writer in
      defer { withExtendedLifetime(watch) {} }
      // Says at once that the stream stands, before the first record comes.
      try await writer.write(ByteBuffer(string: ": following\n\n"))
      for try await event in events.cancelOnGracefulShutdown() {
        switch event {
        case .rows(let batch): try await writer.write(batch.once(TailRoutes.text))
        case .dropped(let count):
          try await writer.write(ByteBuffer(string: "event: dropped\ndata: {\"count\":\(count)}\n\n"))
        case .idle:
          try await writer.write(ByteBuffer(string: ": still here\n\n"))
        }
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok,
      headers: [
        .contentType: "text/event-stream", .cacheControl: "no-store", HTTPField.Name("X-Accel-Buffering")!: "no",
      ],
      body: body)
  }

  /// Rows as events; made once for all who follow the same.
  private static func text(of rows: [SearchRow]) -> ByteBuffer {
    var json = JSONWriter(reservingCapacity: 1 << 10)
    var buffer = ByteBuffer()
    for row in rows {
      json.removeAll()
      json.object { json in
        for field in row.fields { json.member(field.name, field.value) }
      }
      buffer.writeString("data: ")
      buffer.writeBytes(json.bytes)
      buffer.writeString("\n\n")
    }
    return buffer
  }
}
