import Redaction

/// What a tenant sets of the language model, as it stands in the tenant's file, which only the server's user can read.
struct StoredOverride: Codable, Equatable {
  /// Of the setting in the tenant's file.
  static let name = "language-model"

  var isDisabled = false
  var baseURL: String?
  var model: String?
  var apiKey: String?
  var dailyTokensMax: Int?
  var redaction: String?

  enum CodingKeys: String, CodingKey {
    case isDisabled = "disabled"
    case baseURL = "base_url"
    case model
    case apiKey = "api_key"
    case dailyTokensMax = "daily_tokens_max"
    case redaction
  }

  var override: LanguageModelOverride {
    var result = LanguageModelOverride()
    result.isDisabled = isDisabled
    result.baseURL = baseURL
    result.model = model
    result.apiKey = apiKey.map { EndpointKey($0) }
    result.dailyTokensMax = dailyTokensMax
    result.redaction = redaction.flatMap { RedactionPolicy(settingName: $0) }
    return result
  }
}

/// A change of what a tenant sets of the language model.
package struct LanguageModelChange: Sendable {
  package var isDisabled = false
  package var baseURL: String?
  package var model: String?
  /// Nil keeps the key that is saved, as long as the endpoint stays the same; empty removes it.
  package var apiKey: String?
  package var dailyTokensMax: Int?
  /// One of `LanguageModelSettings.redactionNames`.
  package var redaction: String?

  package init() {}
}

/// What is in effect for a tenant, as answered: the key never is.
struct LanguageModelDocument: Encodable {
  struct Override: Encodable {
    var isDisabled: Bool
    var baseURL: String?
    var model: String?
    var hasKey: Bool
    var dailyTokensMax: Int?
    var redaction: String?

    enum CodingKeys: String, CodingKey {
      case isDisabled = "disabled"
      case baseURL = "base_url"
      case model
      case hasKey = "has_api_key"
      case dailyTokensMax = "daily_tokens_max"
      case redaction
    }
  }

  /// appliance, tenant, none
  var source: String
  var baseURL: String?
  var model: String?
  var hasKey: Bool
  var timeoutSeconds: Int?
  var contextTokens: Int?
  var dailyTokensMax: Int?
  var spentTokens: Int
  var redaction: String?
  /// Nil: the tenant sets nothing.
  var override: Override?

  enum CodingKeys: String, CodingKey {
    case source, model, redaction, override
    case baseURL = "base_url"
    case hasKey = "has_api_key"
    case timeoutSeconds = "timeout_seconds"
    case contextTokens = "context_tokens"
    case dailyTokensMax = "daily_tokens_max"
    case spentTokens = "spent_tokens"
  }

  init(_ settings: LanguageModelSettings?, _ stored: StoredOverride?, spentTokens: Int) {
    source = settings.map { $0.owner == .tenant ? "tenant" : "appliance" } ?? "none"
    baseURL = settings?.baseURL
    model = settings?.model
    hasKey = settings?.apiKey != nil
    timeoutSeconds = settings?.timeoutSeconds
    contextTokens = settings?.contextTokens
    dailyTokensMax = settings?.dailyTokensMax
    self.spentTokens = spentTokens
    redaction = settings?.redaction.settingName
    override = stored.map {
      Override(
        isDisabled: $0.isDisabled, baseURL: $0.baseURL, model: $0.model, hasKey: $0.apiKey != nil,
        dailyTokensMax: $0.dailyTokensMax, redaction: $0.redaction)
    }
  }
}
