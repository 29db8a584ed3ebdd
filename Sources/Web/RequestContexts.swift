package import Domain
package import Hummingbird
package import Identity
package import Logging
import NIOCore

/// A request before anything is known of its caller.
package struct AnonymousContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  /// Set by `Authentication` once the caller has proven who it is.
  package var caller: Caller?
  /// Where the request came from; nil without a socket.
  let channel: (any Channel)?

  package init(source: some RequestContextSource) {
    channel = (source as? ApplicationRequestContextSource)?.channel
    coreContext = CoreRequestContextStorage(source: source)
  }
}

/// A request whose caller has proven which tenant it speaks for, and may do what the route does.
package struct TenantContext: Sendable {
  package let scope: TenantScope
  package let logger: Logger

  /// - Throws: `Problem` 401 without a caller, 403 when the caller lacks `permission`.
  init(_ context: AnonymousContext, permission: Permission) throws {
    guard let caller = context.caller else { throw Problem.unauthorized }
    guard caller.permissions.contains(permission) else {
      throw Problem(
        .forbidden, "forbidden", "This API key may not do that",
        "The call needs the scope '\(permission.rawValue)', which the key does not have.")
    }
    scope = caller.scope
    logger = context.logger
  }
}
