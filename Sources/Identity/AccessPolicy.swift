package import Domain
import Synchronization

/// Who gets which scope: the one place where a proven credential becomes access to a tenant.
package final class AccessPolicy: Sendable {
  private let keys: APIKeyService
  private let isDevelopment: Bool
  /// Callers by key text for a few seconds, so that a busy shipper's key is not looked up at each request.
  private let recent = Mutex<[String: (caller: Caller, until: ContinuousClock.Instant)]>([:])

  /// How long a revoked key may go on.
  private static let recentDuration: Duration = .seconds(5)
  private static let recentCountMax = 10_000

  private let processKey: String?

  /// - Parameters:
  ///   - isDevelopment: Everybody is the tenant `default`; the server listens on loopback only.
  ///   - processKey: A key that lives only in this process, of the tenant `default`: for a command that asks its own server.
  package init(keys: APIKeyService, isDevelopment: Bool, processKey: String? = nil) {
    self.keys = keys
    self.isDevelopment = isDevelopment
    self.processKey = processKey
  }

  /// A key for `processKey`.
  package static func makeProcessKey() -> String {
    var random = SystemRandomNumberGenerator()
    return APIKeyToken(using: &random).text
  }

  /// Who a request without a credential comes from; nil is nobody.
  package var callerWithoutCredential: Caller? {
    isDevelopment ? AccessPolicy.defaultTenant : nil
  }

  private static var defaultTenant: Caller {
    Caller(scope: TenantScope(proven: .default), permissions: Set(Permission.allCases))
  }

  /// The scope of a person at the machine itself, who can read the data folder: for commands that check or mend files.
  package static func operatorScope(of tenant: TenantID) -> TenantScope { TenantScope(proven: tenant) }

  /// Who bears `token`; nil if it is not valid.
  package func caller(bearing token: String) async throws -> Caller? {
    if let processKey, token == processKey { return AccessPolicy.defaultTenant }
    let now = ContinuousClock.now
    if let known = recent.withLock({ $0[token] }), now < known.until { return known.caller }
    guard let caller = try await keys.caller(bearing: token) else { return nil }
    recent.withLock { recent in
      if recent.count >= AccessPolicy.recentCountMax { recent.removeAll() }
      recent[token] = (caller, now + AccessPolicy.recentDuration)
    }
    return caller
  }
}
