package import Domain

/// Puts incidents in a model's words, if one is configured and answers; adds nothing to what rules found.
///
/// An explanation is kept by the evidence it rests on, so that the same incident is asked about once. Every failure
/// says why; whoever calls keeps the built-in report.
package actor LanguageModelService {
  private let transport: ModelTransport
  private let clock: any Clock<Duration>
  private let now: @Sendable () -> Timestamp
  private var random: any RandomNumberGenerator & Sendable

  private var budgets: [Payer: TokenBudget] = [:]
  private var dialects: [Endpoint: ChatClient.Dialect] = [:]
  private var contexts: [Endpoint: (tokens: Int, at: Timestamp)] = [:]
  private var outages: [Endpoint: (failures: Int, until: Timestamp)] = [:]
  private var kept: [Question: IncidentNarrative] = [:]
  /// Oldest first.
  private var keptOrder: [Question] = []

  /// The operator's endpoint is paid by the appliance and by each tenant's share of it, a tenant's own by the tenant.
  private enum Payer: Hashable {
    case appliance
    case tenant(TenantID)
  }

  private struct Endpoint: Hashable {
    var baseURL: String
    var model: String
    var isOperators: Bool
    /// A tenant cannot spoil what is known of an endpoint for others.
    var tenant: TenantID?
  }

  /// All that an answer depends on, the nonce aside. Compared whole: a hash could be met on purpose.
  private struct Question: Hashable {
    var tenant: TenantID
    var endpoint: Endpoint
    var redaction: UInt8
    var facts: String
  }

  private static let keptMax = 512
  private static let failuresBeforePause = 3
  private static let contextSeconds: Int64 = 3600

  /// - Parameters:
  ///   - now: The time of day, for budgets.
  ///   - random: Draws the nonces. A cryptographically strong one outside tests.
  package init(
    transport: @escaping ModelTransport, clock: any Clock<Duration> = ContinuousClock(),
    now: @escaping @Sendable () -> Timestamp, random: any RandomNumberGenerator & Sendable
  ) {
    self.transport = transport
    self.clock = clock
    self.now = now
    self.random = random
  }

  /// What would be sent for `facts` now. Only the nonce between the blocks is drawn anew for each call.
  package func prompt(
    for facts: IncidentFacts, of tenant: TenantID, settings: LanguageModelSettings?
  ) async throws(LanguageModelFailure) -> LanguageModelPrompt {
    guard let settings = try settings?.validated() else { throw .notConfigured }
    var prompt = try await compose(facts, tenant, settings).prompt
    let client = ChatClient(settings: settings, transport: transport, clock: clock)
    prompt.url = client.url
    prompt.body = client.body(prompt.messages, dialects[endpoint(settings, tenant)] ?? ChatClient.Dialect())
    return prompt
  }

  /// Tokens that `tenant` has used today of the endpoint in effect for it.
  package func spentTokens(of tenant: TenantID) -> Int {
    budgets[.tenant(tenant), default: TokenBudget()].spent(at: now())
  }

  /// - Parameters:
  ///   - settings: Those in effect for `tenant`; nil for none.
  ///   - applianceTokensMax: Of all tenants together, where they use the operator's endpoint.
  package func narrative(
    for facts: IncidentFacts, of tenant: TenantID, settings: LanguageModelSettings?, applianceTokensMax: Int? = nil
  ) async throws(LanguageModelFailure) -> IncidentNarrative {
    guard let settings = try settings?.validated() else { throw .notConfigured }
    let prompt = try await compose(facts, tenant, settings)
    let question = Question(
      tenant: tenant, endpoint: endpoint(settings, tenant), redaction: settings.redaction.rawValue,
      facts: Self.identity(of: facts, prompt))
    if let known = kept[question] { return known }
    if let outage = outages[question.endpoint], outage.failures >= Self.failuresBeforePause, now() < outage.until {
      throw .paused(until: outage.until)
    }
    do {
      let narrative = try await ask(prompt, facts, tenant, settings, applianceTokensMax)
      outages[question.endpoint] = nil
      keep(narrative, for: question)
      return narrative
    } catch {
      note(error, at: question.endpoint)
      throw error
    }
  }

  // MARK: Steps

  private func compose(
    _ facts: IncidentFacts, _ tenant: TenantID, _ settings: LanguageModelSettings
  ) async throws(LanguageModelFailure) -> NarrativePrompt {
    let tokens = await contextTokens(settings, tenant)
    return try NarrativePrompt(facts, settings: settings, contextTokens: tokens, nonce: nonce())
  }

  /// One question; a second one if the answer cannot be read.
  private func ask(
    _ prompt: NarrativePrompt, _ facts: IncidentFacts, _ tenant: TenantID, _ settings: LanguageModelSettings,
    _ applianceTokensMax: Int?
  ) async throws(LanguageModelFailure) -> IncidentNarrative {
    let endpoint = endpoint(settings, tenant)
    let client = ChatClient(settings: settings, transport: transport, clock: clock)
    let start = ContinuousClock.now
    var messages = prompt.prompt.messages
    var used = 0
    for attempt in 0..<2 {
      let elapsed = Int((ContinuousClock.now - start).components.seconds)
      guard settings.timeoutSeconds > elapsed else { throw .timeout(seconds: settings.timeoutSeconds) }
      let estimate =
        messages.reduce(0) { $0 + NarrativePrompt.tokens(in: $1.content) } + LanguageModelSettings.answerTokensMax
      let time = now()
      try reserve(estimate, tenant, settings, applianceTokensMax, at: time)
      let reply: ChatClient.Reply
      do {
        reply = try await client.complete(
          messages, dialect: dialects[endpoint] ?? ChatClient.Dialect(),
          timeoutSeconds: settings.timeoutSeconds - elapsed)
      } catch {
        // Who does not answer may have worked all the same: the reservation stays, except where nothing was sent.
        if case .refusedAddress = error { settle(estimate, 0, tenant, settings, at: time) }
        if case .unreachable = error { settle(estimate, 0, tenant, settings, at: time) }
        if case .refused = error { settle(estimate, 0, tenant, settings, at: time) }
        throw error
      }
      dialects[endpoint] = reply.dialect
      let spent =
        reply.usedTokens
        ?? min(
          estimate,
          estimate - LanguageModelSettings.answerTokensMax
            + NarrativePrompt.tokens(in: reply.content))
      settle(estimate, spent, tenant, settings, at: time)
      used += spent
      do {
        let answer = try NarrativeAnswer.read(reply.content)
        return try IncidentNarrative(answer, to: prompt, facts: facts, usedTokens: used)
      } catch {
        guard attempt == 0 else { throw error }
        messages = prompt.prompt.messages + Self.correction(of: reply.content, error)
      }
    }
    throw .noObject
  }

  /// What the model said, and what was wrong with it.
  private static func correction(
    of content: String, _ failure: LanguageModelFailure
  ) -> [LanguageModelPrompt.Message] {
    [
      .init(role: "assistant", content: String(PlainText.line(String(content.prefix(1500))))),
      .init(
        role: "user",
        content: "That cannot be used: \(failure.reason). Answer again with the JSON object alone, with all of its "
          + "members, and with ids of the evidence that you were shown."),
    ]
  }

  private func contextTokens(_ settings: LanguageModelSettings, _ tenant: TenantID) async -> Int {
    if let tokens = settings.contextTokens { return tokens }
    let endpoint = endpoint(settings, tenant)
    if let known = contexts[endpoint],
      now().nanoseconds(since: known.at) < Self.contextSeconds * 1_000_000_000
    {
      return known.tokens
    }
    let tokens =
      await EndpointContext.tokens(of: settings, by: transport, clock: clock)
      ?? LanguageModelSettings.defaultContextTokens
    if contexts.count >= Self.keptMax { contexts.removeAll() }
    contexts[endpoint] = (tokens, now())
    return tokens
  }

  // MARK: State

  private func reserve(
    _ tokens: Int, _ tenant: TenantID, _ settings: LanguageModelSettings, _ applianceTokensMax: Int?, at time: Timestamp
  ) throws(LanguageModelFailure) {
    try budgets[.tenant(tenant), default: TokenBudget()].reserve(tokens, of: settings.dailyTokensMax, at: time)
    guard settings.owner == .operators else { return }
    do {
      try budgets[.appliance, default: TokenBudget()].reserve(tokens, of: applianceTokensMax, at: time)
    } catch {
      budgets[.tenant(tenant)]?.settle(reserved: tokens, used: 0, at: time)
      throw error
    }
  }

  private func settle(
    _ reserved: Int, _ used: Int, _ tenant: TenantID, _ settings: LanguageModelSettings, at time: Timestamp
  ) {
    budgets[.tenant(tenant)]?.settle(reserved: reserved, used: used, at: time)
    if settings.owner == .operators { budgets[.appliance]?.settle(reserved: reserved, used: used, at: time) }
  }

  /// Three failures in a row pause an endpoint for a minute, each further one for twice as long, up to a quarter of an
  /// hour: an analysis each minute does not wait for a dead one each minute.
  private func note(_ failure: LanguageModelFailure, at endpoint: Endpoint) {
    if outages.count >= Self.keptMax { outages.removeAll() }
    guard failure.isOutage else {
      // It answered, whatever it said. A budget or a cancellation tells nothing of it.
      switch failure {
      case .noObject, .wrongShape, .unsupportedClaims: outages[endpoint] = nil
      default: break
      }
      return
    }
    let failures = (outages[endpoint]?.failures ?? 0) + 1
    let seconds = min(900, 60 << min(4, max(0, failures - Self.failuresBeforePause)))
    outages[endpoint] = (failures, now().advanced(byNanoseconds: Int64(seconds) * 1_000_000_000))
  }

  private func endpoint(_ settings: LanguageModelSettings, _ tenant: TenantID) -> Endpoint {
    Endpoint(
      baseURL: settings.baseURL, model: settings.model, isOperators: settings.owner == .operators,
      tenant: settings.owner == .tenant ? tenant : nil)
  }

  private func keep(_ narrative: IncidentNarrative, for question: Question) {
    if kept.updateValue(narrative, forKey: question) == nil { keptOrder.append(question) }
    if keptOrder.count > Self.keptMax { kept[keptOrder.removeFirst()] = nil }
  }

  /// The evidence, as shown and as meant.
  private static func identity(of facts: IncidentFacts, _ prompt: NarrativePrompt) -> String {
    let ids = prompt.evidenceIDs.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return "\(facts.severity) \(facts.score) \(facts.lowestSeverity)\n\(ids.joined(separator: " "))\n\(prompt.shown)"
  }

  /// 128 bits.
  private func nonce() -> String {
    var words = [random.next(), random.next()]
    return String(
      decoding: (0..<32).map { _ in
        let digit = UInt8(truncatingIfNeeded: words[0] & 15)
        words[0] = words[0] >> 4 | words[1] << 60
        words[1] >>= 4
        return digit < 10 ? digit + 48 : digit + 87
      }, as: UTF8.self)
  }
}
