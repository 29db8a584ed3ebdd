import Crypto
package import Domain
package import Storage

/// Issues API keys and tells whose a key is.
package struct APIKeyService: Sendable {
  private let control: ControlDatabase
  private let pepper: SymmetricKey
  private let now: @Sendable () -> Timestamp

  /// Reads the instance's token secret, which is made at the first start.
  package init(control: ControlDatabase, now: @escaping @Sendable () -> Timestamp) async throws {
    self.control = control
    self.now = now
    pepper = SymmetricKey(data: try await control.settings.secret("token-pepper"))
  }

  /// Makes a key that may do everything in its tenant.
  ///
  /// - Returns: The key's text, which is stored nowhere and so can be shown only now.
  package func issue(name: String, tenant: TenantID) async throws -> String {
    var random = SystemRandomNumberGenerator()
    let token = APIKeyToken(using: &random)
    try await store(token, name: name, tenant: tenant)
    return token.text
  }

  /// Takes in a key that the operator chose, if it is not there yet.
  ///
  /// - Returns: False if `text` is no key of the form that `issue` makes.
  package func adopt(_ text: String, name: String, tenant: TenantID) async throws -> Bool {
    guard let token = APIKeyToken(text) else { return false }
    if try await control.apiKeys.find(keyID: token.keyID) == nil {
      try await store(token, name: name, tenant: tenant)
    }
    return true
  }

  /// Whether any key exists.
  package func hasKeys() async throws -> Bool { try await control.apiKeys.count() > 0 }

  /// Whose key `text` is; nil if it is unknown, expired or revoked.
  package func caller(bearing text: String) async throws -> Caller? {
    guard let token = APIKeyToken(text), let key = try await control.apiKeys.find(keyID: token.keyID) else {
      return nil
    }
    // Compared in constant time: how long it takes tells nothing of how much was right.
    guard
      HMAC<SHA256>.isValidAuthenticationCode(key.keyHash, authenticating: Array(token.secret.utf8), using: pepper)
    else { return nil }
    let now = now()
    if key.revokedAt != nil { return nil }
    if let expiresAt = key.expiresAt, expiresAt <= now { return nil }
    return Caller(
      scope: TenantScope(proven: key.tenant), permissions: Set(key.scopes.compactMap(Permission.init(rawValue:))))
  }

  private func store(_ token: APIKeyToken, name: String, tenant: TenantID) async throws {
    let hash = HMAC<SHA256>.authenticationCode(for: Array(token.secret.utf8), using: pepper)
    try await control.apiKeys.insert(
      APIKey(
        id: token.keyID, tenant: tenant, keyID: token.keyID, keyHash: Array(hash), name: name,
        scopes: Permission.allCases.map(\.rawValue), createdAt: now()))
  }
}
