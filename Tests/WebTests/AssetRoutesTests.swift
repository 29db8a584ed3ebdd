import CWebAssets
import HTTPTypes
import Hummingbird
import Testing

@testable import Web

/// The embedded bundle; in a build without one, the page that says so.
@Suite struct AssetRoutesTests {
  private struct Asset: CustomTestStringConvertible {
    var path: String
    var byteCount: Int
    var gzipByteCount: Int
    var isImmutable: Bool
    var testDescription: String { path }
  }

  private static let assets: [Asset] = (0..<Int(tl_web_asset_count)).map { index in
    let entry = tl_web_assets[index]
    return Asset(
      path: String(cString: entry.path), byteCount: entry.length, gzipByteCount: entry.gzip_length,
      isImmutable: entry.immutable)
  }

  private func answer(_ path: String, headers: HTTPFields = [:]) async throws -> Answer {
    try await Answer(AssetRoutes().page(.test(.get, path, headers: headers), context: .test()))
  }

  @Test func `a file of the bundle is answered whole, or packed to who takes that`() async throws {
    for asset in Self.assets {
      let plain = try await answer(asset.path)
      #expect(plain.status == 200)
      #expect(plain.body.count == asset.byteCount, "\(asset.path)")
      #expect(plain.headers[.contentEncoding] == nil, "\(asset.path)")
      #expect(plain.headers[.contentType]?.isEmpty == false, "\(asset.path)")
      #expect(plain.headers[.vary] == "Accept-Encoding", "\(asset.path)")

      for header in ["gzip", "br, gzip;q=0.8", "deflate,GZIP"] {
        let packed = try await answer(asset.path, headers: [.acceptEncoding: header])
        let isPacked = asset.gzipByteCount > 0
        #expect(packed.headers[.contentEncoding] == (isPacked ? "gzip" : nil), "\(asset.path) \(header)")
        #expect(packed.body.count == (isPacked ? asset.gzipByteCount : asset.byteCount), "\(asset.path)")
      }
      for header in ["br", "gzip;q=0", "gzip; q=0.0, br", "xgzip"] {
        let plain = try await answer(asset.path, headers: [.acceptEncoding: header])
        #expect(plain.headers[.contentEncoding] == nil, "\(asset.path) \(header)")
      }
    }
  }

  @Test func `a file that the client has is not sent again`() async throws {
    for asset in Self.assets {
      let etag = try #require(try await answer(asset.path).headers[.eTag])
      #expect(etag.hasPrefix("\"") && etag.hasSuffix("\""), "\(asset.path)")
      for header in [etag, "W/\(etag)", "\"other\", \(etag)", "*"] {
        let answer = try await answer(asset.path, headers: [.ifNoneMatch: header])
        #expect(answer.status == 304, "\(asset.path) \(header)")
        #expect(answer.body.isEmpty && answer.headers[.eTag] == etag, "\(asset.path)")
      }
      #expect(try await answer(asset.path, headers: [.ifNoneMatch: "\"other\""]).status == 200, "\(asset.path)")
    }
  }

  @Test func `files with their hash in the name are kept forever, pages are asked for again`() async throws {
    for asset in Self.assets {
      let header = try await answer(asset.path).headers[.cacheControl] ?? ""
      #expect(header.contains("immutable") == asset.isImmutable, "\(asset.path)")
      if !asset.isImmutable { #expect(header == "no-cache", "\(asset.path)") }
    }
    #expect(Self.assets.first { $0.path == "/index.html" }?.isImmutable != true)
  }

  @Test(arguments: ["/", "/search", "/patterns", "/analyses/01H2", "/search?query=a%20b", "/no/such/page"])
  func `every page's address answers the page`(path: String) async throws {
    let answer = try await answer(path)

    #expect(answer.status == 200)
    #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
    #expect(answer.text.lowercased().hasPrefix("<!doctype html>"))
    if !Self.assets.isEmpty { #expect(answer.headers[.cacheControl] == "no-cache") }
  }

  @Test(arguments: [
    "/api/", "/api/v1/nowhere", "/api/v2/logs", "/assets/", "/assets/nowhere.js", "/assets/../index.html",
    "/assets/%2e%2e/index.html",
  ])
  func `what is no page and no file is not found`(path: String) async throws {
    await #expect(throws: HTTPError.self) { try await answer(path) }
  }
}
