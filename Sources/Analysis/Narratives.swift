package import Domain
package import Storage
import Synchronization

/// Incidents in a model's words, kept in the tenant's file, and what a model would be sent.
///
/// Whatever fails, the built-in report is answered with the reason beside it.
package final class Narratives: Sendable {
  private let pool: TenantDatabasePool
  private let analyses: AnalysisService
  private let model: LanguageModelService
  private let settings: LanguageModelSettings?
  private let applianceTokensMax: Int?
  private let now: @Sendable () -> Timestamp
  /// Who asks for what is being made gets what is made.
  private let running = Mutex<[Question: Task<Answer, any Error>]>([:])

  private struct Question: Hashable {
    var tenant: TenantID
    var incident: String
  }

  /// - Parameters:
  ///   - settings: The appliance's; nil for none.
  ///   - applianceTokensMax: A day, of all tenants together; nil for no bound.
  package init(
    pool: TenantDatabasePool, analyses: AnalysisService, model: LanguageModelService,
    settings: LanguageModelSettings?, applianceTokensMax: Int? = nil, now: @escaping @Sendable () -> Timestamp
  ) {
    self.pool = pool
    self.analyses = analyses
    self.model = model
    self.settings = settings
    self.applianceTokensMax = applianceTokensMax
    self.now = now
  }

  // MARK: Documents

  /// A narrative as stored: what it was made of stands beside it, and is compared whole.
  private struct Stored: Codable {
    struct Basis: Codable, Equatable {
      var facts: IncidentFacts
      var baseURL: String
      var model: String
      var redaction: UInt8
    }

    var basis: Basis
    var narrative: IncidentNarrative
    var createdAt: String
  }

  /// The incident in built-in words.
  private struct Report: Encodable {
    var title: String
    var severity: String
    var severityScore: Double
    var scope: String
    var changes: [String]
    var normalAgain: [String]

    enum CodingKeys: String, CodingKey {
      case title, severity, scope, changes
      case severityScore = "severity_score"
      case normalAgain = "normal_again"
    }
  }

  private struct Answer: Encodable {
    var incident: String
    var narrative: IncidentNarrative?
    var createdAt: String?
    var code: String?
    var reason: String?
    var report: Report

    enum CodingKeys: String, CodingKey {
      case incident, narrative, code, reason, report
      case createdAt = "created_at"
    }

    /// Members without a value are written as null.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(incident, forKey: .incident)
      try container.encode(narrative, forKey: .narrative)
      try container.encode(createdAt, forKey: .createdAt)
      try container.encode(code, forKey: .code)
      try container.encode(reason, forKey: .reason)
      try container.encode(report, forKey: .report)
    }
  }

  private struct PromptAnswer: Encodable {
    var prompt: LanguageModelPrompt?
    var code: String?
    var reason: String?

    enum CodingKeys: String, CodingKey { case prompt, code, reason }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(prompt, forKey: .prompt)
      try container.encode(code, forKey: .code)
      try container.encode(reason, forKey: .reason)
    }
  }

  // MARK: Narratives

  /// The incident in a model's words: those that are kept, if it still is what they were made of, else new ones.
  ///
  /// - Returns: JSON; nil if there is no incident of that id.
  package func narrative(ofIncident id: String, scope: TenantScope) async throws -> [UInt8]? {
    guard let incident = try await incident(id, scope) else { return nil }
    let question = Question(tenant: scope.tenant, incident: id)
    let task = running.withLock { running in
      if let task = running[question] { return task }
      let task = Task {
        defer { self.running.withLock { $0[question] = nil } }
        return try await self.answer(incident, scope)
      }
      running[question] = task
      return task
    }
    // The server's end is the only one that cancels who waits here, and it does not wait for a model.
    let answer = try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
    return try JSON.bytes(answer)
  }

  private func answer(_ incident: IncidentDocument, _ scope: TenantScope) async throws -> Answer {
    var answer = Answer(
      incident: incident.id,
      report: Report(
        title: incident.title, severity: incident.severity, severityScore: incident.severityScore,
        scope: incident.scope, changes: incident.changes, normalAgain: incident.normalAgain))
    let insights = try await pool.open(scope).insights
    do {
      guard let settings = try await settings(of: scope)?.validated() else { throw LanguageModelFailure.notConfigured }
      let basis = Stored.Basis(
        facts: IncidentFacts(incident), baseURL: settings.baseURL, model: settings.model,
        redaction: settings.redaction.rawValue)
      var stored = try await insights.load(.narrative, id: incident.id).flatMap { row in
        // A document of an earlier form is made anew.
        try? JSON.value(Stored.self, row.document)
      }
      if stored?.basis != basis {
        let narrative = try await model.narrative(
          for: basis.facts, of: scope.tenant, settings: settings, applianceTokensMax: applianceTokensMax)
        let time = now()
        let made = Stored(basis: basis, narrative: narrative, createdAt: time.rfc3339)
        try await insights.save([
          InsightTable.Row(
            kind: .narrative, id: incident.id, startedAt: time, changedAt: time, isOpen: false,
            document: try JSON.bytes(made))
        ])
        stored = made
      }
      answer.narrative = stored?.narrative
      answer.createdAt = stored?.createdAt
    } catch let failure as LanguageModelFailure {
      answer.code = failure.code
      answer.reason = failure.reason
    }
    return answer
  }

  // MARK: Prompts

  /// What would be sent for the incident.
  ///
  /// - Returns: JSON; nil if there is no incident of that id.
  package func prompt(ofIncident id: String, scope: TenantScope) async throws -> [UInt8]? {
    guard let incident = try await incident(id, scope) else { return nil }
    return try await prompt(for: IncidentFacts(incident), scope)
  }

  /// What would be sent for an analysis.
  ///
  /// - Returns: JSON; nil if there is no analysis of that id.
  package func prompt(ofAnalysis id: String, scope: TenantScope) async throws -> [UInt8]? {
    guard let document = try await analyses.document(id, scope: scope) else { return nil }
    return try await prompt(for: IncidentFacts(try JSON.value(AnalysisDocument.self, document)), scope)
  }

  private func prompt(for facts: IncidentFacts, _ scope: TenantScope) async throws -> [UInt8] {
    var answer = PromptAnswer()
    let settings = try await settings(of: scope)
    do throws(LanguageModelFailure) {
      answer.prompt = try await model.prompt(for: facts, of: scope.tenant, settings: settings)
    } catch {
      answer.code = error.code
      answer.reason = error.reason
    }
    return try JSON.bytes(answer)
  }

  private func incident(_ id: String, _ scope: TenantScope) async throws -> IncidentDocument? {
    try await pool.open(scope).insights.load(.incident, id: id).map {
      try JSON.value(IncidentDocument.self, $0.document)
    }
  }

  // MARK: Settings

  /// What is in effect for the tenant, and what of it the tenant set. JSON.
  package func settingsDocument(scope: TenantScope) async throws -> [UInt8] {
    let stored = try await stored(scope)
    return try JSON.bytes(
      LanguageModelDocument(
        (stored?.override ?? LanguageModelOverride()).applied(to: settings), stored,
        spentTokens: await model.spentTokens(of: scope.tenant)))
  }

  /// Puts `change` in the place of what the tenant set.
  ///
  /// - Throws: `LanguageModelFailure` with the field that is wrong; nothing is changed then.
  package func change(_ change: LanguageModelChange, scope: TenantScope) async throws {
    let before = try await stored(scope)
    var stored = StoredOverride()
    stored.isDisabled = change.isDisabled
    stored.baseURL = change.baseURL
    stored.model = change.model
    stored.dailyTokensMax = change.dailyTokensMax
    stored.redaction = change.redaction
    // Security: a key goes to the endpoint it was given for, and to no other.
    let kept = before?.baseURL == change.baseURL ? before?.apiKey : nil
    stored.apiKey = change.apiKey.map { $0.isEmpty ? nil : $0 } ?? kept
    if let redaction = stored.redaction, !LanguageModelSettings.redactionNames.contains(redaction) {
      throw LanguageModelFailure.invalidSettings(
        "redaction: not one of \(LanguageModelSettings.redactionNames.joined(separator: ", "))")
    }
    if stored.baseURL == nil, settings == nil, stored.model != nil || stored.apiKey != nil {
      throw LanguageModelFailure.invalidSettings("base_url: missing, and the appliance has no endpoint")
    }
    var enabled = stored.override
    enabled.isDisabled = false
    _ = try enabled.applied(to: settings)?.validated()
    try await pool.open(scope).insights.setSetting(StoredOverride.name, to: try JSON.bytes(stored))
  }

  /// The appliance's settings hold again.
  package func resetSettings(scope: TenantScope) async throws {
    try await pool.open(scope).insights.setSetting(StoredOverride.name, to: nil)
  }

  private func settings(of scope: TenantScope) async throws -> LanguageModelSettings? {
    (try await stored(scope)?.override ?? LanguageModelOverride()).applied(to: settings)
  }

  private func stored(_ scope: TenantScope) async throws -> StoredOverride? {
    try await pool.open(scope).insights.setting(StoredOverride.name).map { try JSON.value(StoredOverride.self, $0) }
  }
}
