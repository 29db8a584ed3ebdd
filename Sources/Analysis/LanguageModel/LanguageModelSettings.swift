package import Redaction

/// A key that is not shown by anything that describes it.
package struct EndpointKey: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
  /// For the request's header, and for the sealed store, alone.
  package let text: String

  package init(_ text: String) { self.text = text }

  package var description: String { "***" }
  package var debugDescription: String { "***" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Which chat endpoint explains incidents, and within what bounds. One for the appliance; a tenant may have its own.
package struct LanguageModelSettings: Equatable, Sendable {
  /// Who chose the endpoint: an operator may name any host, a tenant only hosts of the public internet by https.
  package enum Owner: Sendable { case operators, tenant }

  /// Up to the version: `https://api.example.com/v1`, without a slash at the end.
  package var baseURL: String
  package var model: String
  package var apiKey: EndpointKey?
  /// For a whole explanation, its second try included.
  package var timeoutSeconds = 60
  /// Tokens of question and answer together. Nil asks the endpoint, and takes 4,096 if it does not say.
  package var contextTokens: Int?
  /// Tokens of questions and answers a day (UTC). Nil is no bound.
  package var dailyTokensMax: Int? = 200_000
  package var redaction: RedactionPolicy = .standard
  package var owner: Owner

  package init(baseURL: String, model: String, apiKey: EndpointKey? = nil, owner: Owner = .operators) {
    self.baseURL = baseURL
    self.model = model
    self.apiKey = apiKey
    self.owner = owner
  }

  /// What `setRedaction` takes: secrets alone, personal data too, addresses of machines too.
  package static let redactionNames = ["secrets", "standard", "everything"]

  /// - Parameter name: One of `redactionNames`; another one changes nothing.
  package mutating func setRedaction(_ name: String) {
    if let policy = RedactionPolicy(settingName: name) { redaction = policy }
  }

  /// Tokens of an answer at most.
  static let answerTokensMax = 1200
  /// What llama.cpp and Ollama give without being told.
  static let defaultContextTokens = 4096

  /// The same with what can be put right put right.
  ///
  /// - Throws: `.invalidSettings` with the setting, its value and what was expected.
  package func validated() throws(LanguageModelFailure) -> LanguageModelSettings {
    var settings = self
    settings.baseURL = try EndpointURL(baseURL, owner: owner).text
    guard !model.isEmpty, model.utf8.count <= 200, model.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw .invalidSettings("model: '\(Self.shown(model))' is not a name of up to 200 ASCII characters without blanks")
    }
    // Security of the header: nothing in it may end a line.
    if let key = apiKey?.text, key.isEmpty || key.utf8.count > 8192 || !key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    {
      throw .invalidSettings("api_key: not a key of ASCII characters without blanks")
    }
    try Self.check("timeout_seconds", timeoutSeconds, in: 1...600)
    if let contextTokens { try Self.check("context_tokens", contextTokens, in: 2048...2_000_000) }
    if let dailyTokensMax { try Self.check("daily_tokens_max", dailyTokensMax, in: 0...1_000_000_000) }
    return settings
  }

  private static func check(_ name: String, _ value: Int, in range: ClosedRange<Int>) throws(LanguageModelFailure) {
    guard range.contains(value) else {
      throw .invalidSettings("\(name): \(value) is not between \(range.lowerBound) and \(range.upperBound)")
    }
  }

  static func shown(_ text: String) -> String { String(PlainText.line(text).prefix(80)) }
}

/// What a tenant sets for itself over the appliance's settings; nil takes the appliance's.
package struct LanguageModelOverride: Equatable, Sendable {
  package var isDisabled = false
  package var baseURL: String?
  package var model: String?
  package var apiKey: EndpointKey?
  package var dailyTokensMax: Int?
  package var redaction: RedactionPolicy?

  package init() {}

  /// The settings in effect: nil for none.
  ///
  /// The appliance's key goes to the appliance's endpoint alone. A tenant's budget can only narrow the appliance's
  /// where that pays for it; its redaction can only add to the appliance's.
  package func applied(to settings: LanguageModelSettings?) -> LanguageModelSettings? {
    if isDisabled { return nil }
    var result: LanguageModelSettings
    if let baseURL {
      result = LanguageModelSettings(
        baseURL: baseURL, model: model ?? settings?.model ?? "", apiKey: apiKey, owner: .tenant)
      result.timeoutSeconds = settings?.timeoutSeconds ?? result.timeoutSeconds
      result.dailyTokensMax = dailyTokensMax ?? result.dailyTokensMax
    } else {
      guard let settings else { return nil }
      result = settings
      if let model { result.model = model }
      if let apiKey { result.apiKey = apiKey }
      if let dailyTokensMax { result.dailyTokensMax = min(dailyTokensMax, settings.dailyTokensMax ?? dailyTokensMax) }
    }
    result.redaction = (settings?.redaction ?? .standard).union(redaction ?? [])
    return result
  }
}

extension RedactionPolicy {
  init?(settingName: String) {
    switch settingName {
    case "secrets": self = .secretsOnly
    case "standard": self = .standard
    case "everything": self = .everything
    default: return nil
    }
  }

  /// Nil for a mixture that has none.
  var settingName: String? {
    LanguageModelSettings.redactionNames.first { RedactionPolicy(settingName: $0) == self }
  }
}
