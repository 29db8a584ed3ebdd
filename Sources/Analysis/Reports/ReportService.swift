import Crypto
import Detection
package import Domain
import FoundationEssentials
package import Logging
package import Storage
import Synchronization

/// Makes tenants' scheduled reports and posts them.
package final class ReportService: Sendable {
  private let pool: TenantDatabasePool
  private let watch: WatchService
  private let analyses: AnalysisService
  private let transport: ModelTransport
  private let owner: LanguageModelSettings.Owner
  private let now: @Sendable () -> Timestamp
  private let logger: Logger
  /// Posts that failed and are tried again, each with how often it was.
  private let waiting = Mutex<[Post]>([])

  private struct Post: Sendable {
    var scope: TenantScope
    var body: [UInt8]
    var attempts: Int
  }

  private static let settingName = "reports"
  private static let lastName = "reports.last"
  private static let attemptsMax = 5
  private static let waitingMax = 1000

  /// - Parameter owner: Whose the addresses of hooks count as.
  package init(
    pool: TenantDatabasePool, watch: WatchService, analyses: AnalysisService, transport: @escaping ModelTransport,
    owner: LanguageModelSettings.Owner, now: @escaping @Sendable () -> Timestamp, logger: Logger
  ) {
    self.pool = pool
    self.watch = watch
    self.analyses = analyses
    self.transport = transport
    self.owner = owner
    self.now = now
    self.logger = logger
  }

  // MARK: Settings

  package func settings(scope: TenantScope) async throws -> ReportSettings {
    guard let saved = try await pool.open(scope).insights.setting(Self.settingName) else { return ReportSettings() }
    return try JSON.value(ReportSettings.self, saved)
  }

  /// - Throws: `ReportSettings.Invalid`.
  package func setSettings(_ settings: ReportSettings, scope: TenantScope) async throws {
    var settings = try settings.validated(owner: owner)
    if settings.webhook == nil {
      settings.webhookSecret = nil
    } else if settings.webhookSecret == nil {
      settings.webhookSecret = SymmetricKey(size: .bits256).withUnsafeBytes { Self.hex($0) }
    }
    let insights = try await pool.open(scope).insights
    try await insights.setSetting(Self.settingName, to: try JSON.bytes(settings))
    // What was over before anybody asked is not reported.
    if let due = settings.due(at: now()) { try await insights.setSetting(Self.lastName, to: Array(due.rfc3339.utf8)) }
  }

  // MARK: Running

  /// The service: looks each minute for reports that are due, until its task is cancelled.
  package func run(clock: some Clock<Duration> = ContinuousClock()) async {
    while !Task.isCancelled {
      // Sleeping fails only when the task is cancelled, which ends the loop.
      try? await clock.sleep(for: .seconds(60))
      if !Task.isCancelled { await round() }
    }
  }

  /// Makes the reports that are due of tenants that were heard of within a day, and posts them.
  package func round() async {
    let posts = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    for post in posts { await deliver(post) }
    for scope in watch.tenantsOfTheDay() {
      if Task.isCancelled { return }
      do {
        try await makeDue(scope)
      } catch {
        logger.warning("a report was not made", metadata: ["tenant": "\(scope.tenant.text)", "error": "\(error)"])
      }
    }
  }

  private func makeDue(_ scope: TenantScope) async throws {
    let settings = try await settings(scope: scope)
    guard let due = settings.due(at: now()) else { return }
    let insights = try await pool.open(scope).insights
    let last = try await insights.setting(Self.lastName).map { String(decoding: $0, as: UTF8.self) }
    guard last != due.rfc3339 else { return }
    try await insights.setSetting(Self.lastName, to: Array(due.rfc3339.utf8))
    let range = TimeRange(start: due.advanced(byNanoseconds: -settings.windowNanoseconds), end: due)
    let pending = try await analyses.start(
      AnalysisRequest(namespace: nil, range: range, minClusterSize: 5, trigger: settings.schedule.rawValue),
      scope: scope)
    let id = try JSON.value(AnalysisDocument.self, pending).id
    guard let updates = await analyses.updates(of: id, scope: scope) else { return }
    for await _ in updates {}
    guard settings.webhook != nil, let done = try await analyses.document(id, scope: scope) else { return }
    let document = try JSON.value(AnalysisDocument.self, done)
    let least = SeverityScore.Grade(rawValue: settings.minSeverity) ?? .none
    guard (SeverityScore.Grade(rawValue: document.severity) ?? .none) >= least else { return }
    let body = try JSON.bytes(
      HookBody(
        event: "report", tenant: scope.tenant.text, analysis: document.id, status: document.status.rawValue,
        schedule: settings.schedule.rawValue, start: document.start, end: document.end, headline: document.headline,
        severity: document.severity, summary: document.summary, report: document.report ?? "",
        recordCount: document.recordCount))
    await deliver(Post(scope: scope, body: body, attempts: 0))
  }

  private struct HookBody: Encodable {
    var event: String
    var tenant: String
    var analysis: String
    var status: String
    var schedule: String
    var start: String
    var end: String
    var headline: String
    var severity: String
    var summary: String
    /// Markdown.
    var report: String
    var recordCount: Int

    enum CodingKeys: String, CodingKey {
      case event, tenant, analysis, status, schedule, start, end, headline, severity, summary, report
      case recordCount = "record_count"
    }
  }

  /// Posts a few words to the tenant's hook, to see whether it takes them.
  ///
  /// - Returns: Nil if it did, else why not.
  package func test(scope: TenantScope) async throws -> String? {
    struct Body: Encodable {
      var event = "test"
      var tenant: String
      var message = "Reports of Timberline arrive here."
    }
    let settings = try await settings(scope: scope)
    guard let webhook = settings.webhook else { return "no webhook is set" }
    do {
      try await send(try JSON.bytes(Body(tenant: scope.tenant.text)), to: webhook, settings)
      return nil
    } catch let failure as LanguageModelFailure {
      return failure.reason
    }
  }

  private func deliver(_ post: Post) async {
    var post = post
    do {
      let settings = try await settings(scope: post.scope)
      // Taken back meanwhile.
      guard let webhook = settings.webhook else { return }
      try await send(post.body, to: webhook, settings)
    } catch {
      post.attempts += 1
      let isGivenUp = post.attempts >= Self.attemptsMax
      logger.warning(
        isGivenUp ? "a report was not taken, and is given up" : "a report was not taken",
        metadata: ["tenant": "\(post.scope.tenant.text)", "attempt": "\(post.attempts)", "error": "\(error)"])
      if isGivenUp { return }
      waiting.withLock { if $0.count < Self.waitingMax { $0.append(post) } }
    }
  }

  private func send(_ body: [UInt8], to webhook: String, _ settings: ReportSettings) async throws {
    let time = now().nanoseconds / 1_000_000_000
    let key = SymmetricKey(data: Array((settings.webhookSecret ?? "").utf8))
    let signature = HMAC<SHA256>.authenticationCode(for: Array("\(time).".utf8) + body, using: key)
    let response = try await transport(
      ModelRequest(
        method: .post, url: webhook,
        headers: [
          ("Content-Type", "application/json"), ("User-Agent", "Timberline"),
          ("X-Timberline-Signature", "t=\(time),v1=\(signature.withUnsafeBytes { Self.hex($0) })"),
        ], body: body, timeoutSeconds: 10, bytesMax: 1 << 16, owner: owner))
    guard (200..<300).contains(response.status) else {
      throw LanguageModelFailure.unreachable("it answered \(response.status)")
    }
  }

  private static func hex(_ bytes: UnsafeRawBufferPointer) -> String {
    bytes.reduce(into: "") { text, byte in
      text += String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }
  }
}
