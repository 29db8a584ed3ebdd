package import Domain

/// What a caller may do in its tenant. Raw values are the scopes of an API key.
package enum Permission: String, CaseIterable, Sendable {
  case logsRead = "logs:read"
  case logsWrite = "logs:write"
  case analysesRead = "analyses:read"
  case analysesWrite = "analyses:write"
}

/// Someone who has proven which tenant it speaks for.
package struct Caller: Sendable {
  package let scope: TenantScope
  package let permissions: Set<Permission>
}
