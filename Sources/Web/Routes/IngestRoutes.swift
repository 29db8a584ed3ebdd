import HTTPTypes
import Hummingbird
import Ingest

/// `POST /api/v1/logs/stream`: records in, a receipt back once they are durable.
struct IngestRoutes: Sendable {
  private let ingest: IngestService
  private let limits: WebLimits

  init(_ services: WebServices) {
    ingest = services.ingest
    limits = services.limits
  }

  @Sendable func stream(_ request: Request, _: AnonymousContext, context: TenantContext) async throws -> Response {
    let header = request.headers[.contentEncoding] ?? ""
    guard let encoding = ContentEncoding(header: header) else {
      throw Problem(
        .unsupportedMediaType, "content-encoding", "The body's encoding is not known here",
        "'\(header)' is not one of gzip, zstd, deflate and identity.")
    }
    try checkContentType(request)
    let parameters = RequestParameters(request.uri.query ?? "")
    var request = request
    // A sender that does not say how much will come is taken at its most.
    let announced = request.headers[.contentLength].flatMap(Int.init) ?? limits.compressedBodyByteCountMax
    let admission = try ingest.admit(byteCount: min(announced, limits.compressedBodyByteCountMax))
    let body = try await request.collectBody(upTo: limits.compressedBodyByteCountMax)
    let receipt: IngestReceipt
    do {
      receipt = try await ingest.take(
        body.readableBytesView, encoding: encoding,
        IngestOptions(
          takesAnyAge: parameters["any_age"] == "1",
          streamFields: parameters["stream_fields"].map { $0.split(separator: ",").prefix(32).map(String.init) } ?? []),
        admission: admission, scope: context.scope)
    } catch let error as BodyError {
      throw Problem(error)
    }
    var json = JSONWriter()
    json.object { json in
      json.member("success", true)
      json.member("processed_count", receipt.acceptedCount)
      json.member("rejected_count", receipt.rejectedCount)
      json.key("errors")
      json.array { json in
        for rejection in receipt.rejections {
          json.object { json in
            json.member("line", rejection.line)
            json.member("reason", rejection.reason)
          }
        }
      }
    }
    return Response(json: json)
  }

  private func checkContentType(_ request: Request) throws {
    guard let header = request.headers[.contentType] else { return }
    let type = header.prefix { $0 != ";" && $0 != " " }.lowercased()
    let known = [
      "application/x-ndjson", "application/ndjson", "application/json", "application/stream+json", "application/jsonl",
      "text/plain", "application/octet-stream", "application/x-www-form-urlencoded",
    ]
    guard known.contains(type) else {
      throw Problem(
        .unsupportedMediaType, "content-type", "The body's type is not known here",
        "'\(type)' is not application/x-ndjson or application/json.")
    }
  }
}

extension Problem {
  init(_ error: BodyError) {
    switch error {
    case .tooLarge(let byteCountMax): self = .bodyTooLarge(byteCountMax)
    case .corrupt(let encoding): self = .badRequest("The body is damaged: it is not valid \(encoding) data.")
    case .truncated(let encoding): self = .badRequest("The body ends in the middle of its \(encoding) data.")
    }
  }
}

extension Response {
  /// `200` with a JSON body.
  init(json: JSONWriter, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
    var headers = headers
    headers[.contentType] = "application/json"
    self.init(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }

  /// Text of a type.
  init(text: String, contentType: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok) {
    self.init(
      status: status, headers: [.contentType: contentType],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
