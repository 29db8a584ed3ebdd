import CWebAssets
import HTTPTypes
import Hummingbird

/// The UI: files embedded in the binary, and `index.html` for every address that is a page of it.
struct AssetRoutes: Sendable {
  private struct Asset: Sendable {
    let contentType: String
    let bytes: ByteBuffer
    let compressed: ByteBuffer?
    let etag: String
    let isImmutable: Bool
  }

  private let assets: [String: Asset]

  init() {
    var assets: [String: Asset] = [:]
    for index in 0..<Int(tl_web_asset_count) {
      let entry = tl_web_assets[index]
      let bytes = UnsafeRawBufferPointer(start: entry.data, count: entry.length)
      let compressed = entry.gzip_data.map { UnsafeRawBufferPointer(start: $0, count: entry.gzip_length) }
      assets[String(cString: entry.path)] = Asset(
        contentType: String(cString: entry.content_type), bytes: ByteBuffer(bytes: bytes),
        compressed: compressed.map { ByteBuffer(bytes: $0) }, etag: String(cString: entry.etag),
        isImmutable: entry.immutable)
    }
    self.assets = assets
  }

  /// `GET` of anything that no other route takes.
  @Sendable func page(_ request: Request, context: AnonymousContext) throws -> Response {
    let path = request.uri.path
    if let asset = assets[path] { return response(to: request, with: asset) }
    if path.hasPrefix("/api/") || path.hasPrefix("/assets/") { throw HTTPError(.notFound) }
    guard let index = assets["/index.html"] else {
      let text = """
        <!doctype html><html lang="en"><title>Timberline</title><h1>Timberline is running</h1>
        <p>This build holds no web interface: its bundle had not been built. The API under /api/v1 works;
        <code>make build</code> makes a binary with both.</p></html>

        """
      return Response(
        status: .ok, headers: [.contentType: "text/html; charset=utf-8"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
    return response(to: request, with: index)
  }

  private func response(to request: Request, with asset: Asset) -> Response {
    var headers: HTTPFields = [
      .contentType: asset.contentType, .eTag: asset.etag, .vary: "Accept-Encoding",
      .cacheControl: asset.isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
    ]
    if AssetRoutes.holds(request, asset.etag) { return Response(status: .notModified, headers: headers) }
    if AssetRoutes.takesGzip(request), let compressed = asset.compressed {
      headers[.contentEncoding] = "gzip"
      return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: compressed))
    }
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: asset.bytes))
  }

  /// Whether the client has the asset already. Proxies that compress answers weaken their tags, so tags are compared without `W/`
  /// (RFC 9110, 13.1.2).
  private static func holds(_ request: Request, _ etag: String) -> Bool {
    elements(of: request.headers[.ifNoneMatch]).contains { $0 == "*" || $0 == etag || $0 == "W/" + etag }
  }

  private static func takesGzip(_ request: Request) -> Bool {
    elements(of: request.headers[.acceptEncoding]).contains { element in
      let parts = element.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
      return parts.first == "gzip"
        && !parts.dropFirst().contains { ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains($0) }
    }
  }

  /// The parts of a header that holds a list.
  private static func elements(of header: String?) -> [Substring] {
    (header ?? "").split(separator: ",").map { $0.drop { $0 == " " } }
  }
}
