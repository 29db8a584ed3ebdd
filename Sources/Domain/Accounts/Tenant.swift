/// The name of a tenant's folder and file: lowercase letters, digits and `-`, 1 to 64 of them, starting with a letter or digit.
package struct TenantID: Hashable, Comparable, Sendable {
  package let text: String

  /// Nil if `text` is not of the form above; so a path can never be built from anything else.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard (1...64).contains(bytes.count), bytes[0] != UInt8(ascii: "-"),
      bytes.allSatisfy({
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || $0 == UInt8(ascii: "-")
      })
    else { return nil }
    self.text = text
  }

  private init(trusted text: String) { self.text = text }

  /// The tenant of a developer's own machine and of a fresh self-hosted instance.
  package static let `default` = TenantID(trusted: "default")

  package static func < (left: TenantID, right: TenantID) -> Bool { left.text < right.text }
}

/// Proof that a caller may touch one tenant's data. A tenant's file opens by scope and by nothing else.
///
/// Made only by Identity from a proven caller and by Storage for the followers of its own commits; `ArchitectureTests` hold that.
package struct TenantScope: Hashable, Sendable {
  package let tenant: TenantID

  package init(proven tenant: TenantID) { self.tenant = tenant }
}

/// An account that owns one database file.
package struct Tenant: Hashable, Sendable {
  package var id: TenantID
  package var name: String
  package var createdAt: Timestamp

  package init(id: TenantID, name: String, createdAt: Timestamp) {
    self.id = id
    self.name = name
    self.createdAt = createdAt
  }
}
