package import Domain

/// Why there is no model's word, and the built-in report stands alone.
package enum LanguageModelFailure: Error, Equatable, Sendable {
  /// No endpoint is set.
  case notConfigured
  case invalidSettings(String)
  /// The day's tokens are used up.
  case budgetSpent(resetsAt: Timestamp)
  /// Not one line of evidence fits the endpoint's context.
  case contextTooSmall(tokens: Int)
  case timeout(seconds: Int)
  case unreachable(String)
  /// The address leads into a network that a tenant may not call.
  case refusedAddress(String)
  /// Redirects are not followed: text meant for one host goes to no other.
  case redirected(status: Int)
  case refused(status: Int)
  case answerTooLarge(bytes: Int)
  /// No JSON object, nor one inside the prose, also when asked again.
  case noObject
  /// An object, but not of the members that were asked for, also when asked again.
  case wrongShape(String)
  /// Each of the claims lacks evidence that exists.
  case unsupportedClaims(count: Int)
  /// The endpoint failed several times in a row and is left alone for a while.
  case paused(until: Timestamp)
  case cancelled

  /// For people and for the stored analysis. Neither text of logs nor of the answer is in it.
  package var reason: String {
    switch self {
    case .notConfigured: "no language model is configured"
    case .invalidSettings(let problem): problem
    case .budgetSpent(let time): "the day's token budget is used up; it starts anew at \(time.rfc3339)"
    case .contextTooSmall(let tokens): "no evidence fits a context of \(tokens) tokens"
    case .timeout(let seconds): "no answer within \(seconds) s"
    case .unreachable(let problem): "the endpoint cannot be reached: \(problem)"
    case .refusedAddress(let host): "\(host) is not an address of the public internet"
    case .redirected(let status): "the endpoint redirects (\(status)), which is not followed"
    case .refused(let status): "the endpoint answered \(status)"
    case .answerTooLarge(let bytes): "the answer is larger than \(bytes) bytes"
    case .noObject: "the answer is not JSON"
    case .wrongShape(let problem): "the answer is not of the form asked for: \(problem)"
    case .unsupportedClaims(let count):
      "none of the answer's \(count) claims is backed by evidence"
    case .paused(let time): "the endpoint failed several times in a row; it is not asked before \(time.rfc3339)"
    case .cancelled: "cancelled"
    }
  }

  /// Which setting is wrong, such as `base_url`; nil if none is.
  package var field: String? {
    switch self {
    case .invalidSettings(let problem): problem.firstIndex(of: ":").map { String(problem[..<$0]) }
    case .refusedAddress: "base_url"
    default: nil
    }
  }

  /// The reason without the name of the setting.
  package var problem: String {
    guard case .invalidSettings = self, let field else { return reason }
    return String(reason.dropFirst(field.count + 1).drop { $0 == " " })
  }

  /// Whether the endpoint itself did not do its part, as against what it said or what it was asked.
  var isOutage: Bool {
    switch self {
    case .timeout, .unreachable, .refusedAddress, .redirected, .refused, .answerTooLarge: true
    default: false
    }
  }

  /// A word for metrics and for `error` members.
  package var code: String {
    switch self {
    case .notConfigured: "not_configured"
    case .invalidSettings: "invalid_settings"
    case .budgetSpent: "budget_spent"
    case .contextTooSmall: "context_too_small"
    case .timeout: "timeout"
    case .unreachable: "unreachable"
    case .refusedAddress: "refused_address"
    case .redirected: "redirected"
    case .refused: "refused"
    case .answerTooLarge: "answer_too_large"
    case .noObject: "no_object"
    case .wrongShape: "wrong_shape"
    case .unsupportedClaims: "unsupported_claims"
    case .paused: "paused"
    case .cancelled: "cancelled"
    }
  }
}
