import Analysis
import Domain
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Identity
import Indexing
import Ingest
import Logging
import Search
import Storage
import Synchronization

@testable import Web

/// The server's router on services over an empty folder, asked without a socket.
struct TestServer: Sendable {
  /// The two tenants there are, each with a key that may do everything.
  static let tenants = [TenantID("acme")!, TenantID("globex")!]

  let routes: Routes
  let keys: [String]
  private let responder: RouterResponder<AnonymousContext>

  /// Runs `body` with a server, and cleans up after it.
  static func run<Result>(
    isDevelopment: Bool = false, checks: [(name: String, run: @Sendable () async -> String?)] = [],
    _ body: (TestServer) async throws -> Result
  ) async throws -> Result {
    let root = FileManager.default.temporaryDirectory.appending(path: "timberline-web-\(UUID().uuidString)").path
    // What is left of an empty folder is the system's to clean.
    defer { try? FileManager.default.removeItem(atPath: root) }
    let now: @Sendable () -> Timestamp = { Timestamp(seconds: 1_800_000_000) }
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let directory = try DataDirectory(path: root)
    let control = try await ControlDatabase(directory)
    let pool = TenantDatabasePool(directory, now: now, logger: logger)
    let indexes = TenantIndexPool(logger: logger)
    let keyService = try await APIKeyService(control: control, now: now)
    var keys: [String] = []
    for tenant in tenants {
      try await control.tenants.create(Tenant(id: tenant, name: tenant.text, createdAt: now()))
      keys.append(try await keyService.issue(name: "test", tenant: tenant))
    }
    let ingest = IngestService(
      pool: pool,
      limits: IngestLimits(
        bodyByteCountMax: 1 << 20, lineByteCountMax: 1 << 16, fieldCountMax: 100, retentionNanoseconds: nil),
      executor: globalConcurrentExecutor, now: now, didOpen: { indexes.follow($0) })
    let search = SearchService(
      pool: pool, indexes: indexes, limits: SearchLimits(seconds: 5, byteCountMax: 1 << 20),
      executor: globalConcurrentExecutor, now: now)
    let access = AccessPolicy(keys: keyService, isDevelopment: isDevelopment)
    let metrics = RequestMetrics()
    let analyses = AnalysisService(
      pool: pool, indexes: indexes, search: search, executor: globalConcurrentExecutor, now: now, logger: logger)
    let watch = WatchService(pool: pool, indexes: indexes, search: search, now: now, logger: logger)
    let reports = ReportService(
      pool: pool, watch: watch, analyses: analyses,
      transport: { _ in throw LanguageModelFailure.unreachable("a test has no network") }, owner: .tenant, now: now,
      logger: logger)
    let routes = Routes(
      WebServices(
        ingest: ingest, search: search, analyses: analyses, watch: watch, reports: reports,
        narratives: .init(
          pool: pool, analyses: analyses,
          model: .init(
            transport: { _ in throw LanguageModelFailure.unreachable("a test has no network") }, now: now,
            random: SystemRandomNumberGenerator()), settings: nil, now: now), access: access,
        metrics: metrics, limits: WebLimits(compressedBodyByteCountMax: 1 << 16), version: "0",
        isDevelopment: isDevelopment, now: now, checks: checks, collectMetrics: { "" }))
    let outcome: Swift.Result<Result, any Error>
    do {
      outcome = .success(
        try await body(
          TestServer(
            routes: routes, keys: keys, responder: routes.router(access: access, metrics: metrics).buildResponder())))
    } catch {
      outcome = .failure(error)
    }
    await pool.closeAll()
    await indexes.finish()
    await control.close()
    return try outcome.get()
  }

  /// Asks as the holder of `key`; nil is nobody.
  func answer(
    _ method: HTTPRequest.Method, _ path: String, host: String = "localhost", key: String? = nil,
    headers: HTTPFields = [:], body: some Sequence<UInt8> = [UInt8]()
  ) async throws -> Answer {
    var headers = headers
    if let key { headers[.authorization] = "Bearer \(key)" }
    return try await Answer(
      await responder.respond(to: .test(method, path, host: host, headers: headers, body: body), context: .test()))
  }

  /// Hands over each part of an answer as it is written; what `heard` throws is what the connection would.
  func follow(_ path: String, key: String, _ heard: @escaping @Sendable (String) throws -> Void) async throws {
    let request = Request.test(.get, path, headers: [.authorization: "Bearer \(key)"])
    let response = try await responder.respond(to: request, context: .test())
    try await response.body.write(FollowingWriter(heard: heard))
  }
}

struct Answer: Sendable {
  let status: Int
  let headers: HTTPFields
  let body: [UInt8]

  /// The whole of a response.
  init(_ response: Response) async throws {
    let collector = Collector()
    try await response.body.write(CollectingWriter(collector: collector))
    status = Int(response.status.code)
    headers = response.headers
    body = collector.bytes.withLock { $0 }
  }

  var text: String { String(decoding: body, as: UTF8.self) }

  func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(body))
  }
}

/// What every problem document says.
struct ProblemDocument: Decodable {
  var type: String
  var title: String
  var status: Int
  var detail: String
  var instance: String
  var parameter: String?
  var column: Int?
  var expected: String?
}

extension Request {
  static func test(
    _ method: HTTPRequest.Method, _ path: String, host: String = "localhost", headers: HTTPFields = [:],
    body: some Sequence<UInt8> = [UInt8]()
  ) -> Request {
    Request(
      head: HTTPRequest(method: method, scheme: "http", authority: host, path: path, headerFields: headers),
      body: RequestBody(buffer: ByteBuffer(bytes: body)))
  }
}

extension AnonymousContext {
  private struct Source: RequestContextSource {
    let logger: Logger

    init() {
      // The request's id stands in the logger's metadata, where the application puts it.
      var logger = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
      logger.logLevel = .critical
      logger[metadataKey: "hb.request.id"] = "\(UUID().uuidString)"
      self.logger = logger
    }
  }

  static func test() -> AnonymousContext { AnonymousContext(source: Source()) }
}

private final class Collector: Sendable {
  let bytes = Mutex<[UInt8]>([])
}

private struct CollectingWriter: ResponseBodyWriter {
  let collector: Collector

  mutating func write(_ buffer: ByteBuffer) async throws {
    collector.bytes.withLock { $0 += buffer.readableBytesView }
  }

  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

private struct FollowingWriter: ResponseBodyWriter {
  let heard: @Sendable (String) throws -> Void

  mutating func write(_ buffer: ByteBuffer) async throws { try heard(String(buffer: buffer)) }

  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
