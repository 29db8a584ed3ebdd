import Domain
import Storage
import TestSupport
import Testing

@testable import Identity

@Suite struct APIKeyTokenTests {
  private static func token(_ seed: UInt64) -> APIKeyToken {
    var random = SeededGenerator(seed: seed)
    return APIKeyToken(using: &random)
  }

  @Test func `a key is tlk_ and 48 characters of base62, and is read back`() {
    for seed in 0..<UInt64(50) {
      let token = Self.token(seed)

      #expect(token.text.hasPrefix("tlk_"))
      #expect(token.text.utf8.count == 52)
      #expect(token.text.dropFirst(4).allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
      #expect(APIKeyToken(token.text) == token)
    }
    #expect(Self.token(1) != Self.token(2))
  }

  @Test func `one wrong character breaks the checksum`() {
    let text = Array(Self.token(7).text.utf8)
    for index in 4..<text.count {
      var changed = text
      changed[index] = text[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      #expect(APIKeyToken(String(decoding: changed, as: UTF8.self)) == nil, "at \(index)")
    }
  }

  @Test(arguments: ["", "tlk_", "TLK_", "tlk_é", "Bearer tlk_", String(repeating: "0", count: 52)])
  func `text of another form is no key`(text: String) {
    #expect(APIKeyToken(text) == nil)
  }

  @Test func `a key is neither longer nor shorter`() {
    let text = Self.token(3).text

    #expect(APIKeyToken(text + "0") == nil)
    #expect(APIKeyToken(String(text.dropLast())) == nil)
    #expect(APIKeyToken(" " + text.dropFirst()) == nil)
  }
}

@Suite struct APIKeyServiceTests {
  private let appliance: TestAppliance
  private let control: ControlDatabase
  private let keys: APIKeyService

  init() async throws {
    appliance = try TestAppliance()
    control = try await ControlDatabase(appliance.directory)
    for scope in [appliance.acme, appliance.globex] {
      try await control.tenants.create(
        Tenant(id: scope.tenant, name: scope.tenant.text, createdAt: appliance.time.now))
    }
    keys = try await APIKeyService(control: control, now: appliance.now)
  }

  @Test func `each tenant's key opens that tenant and no other`() async throws {
    let acme = try await keys.issue(name: "a", tenant: appliance.acme.tenant)
    let globex = try await keys.issue(name: "g", tenant: appliance.globex.tenant)

    #expect(try await keys.caller(bearing: acme)?.scope == appliance.acme)
    #expect(try await keys.caller(bearing: globex)?.scope == appliance.globex)
    #expect(try await keys.caller(bearing: acme)?.permissions == Set(Permission.allCases))
    await control.close()
  }

  @Test func `the secret is stored nowhere`() async throws {
    let text = try await keys.issue(name: "a", tenant: appliance.acme.tenant)
    let token = try #require(APIKeyToken(text))

    let stored = try #require(try await control.apiKeys.find(keyID: token.keyID))
    #expect(stored.keyHash.count == 32)
    #expect(stored.keyHash != Array(token.secret.utf8))
    #expect(!"\(stored)".contains(token.secret))
    await control.close()
  }

  @Test func `a known id with another secret is nobody`() async throws {
    let token = try #require(APIKeyToken(try await keys.issue(name: "a", tenant: appliance.acme.tenant)))
    var random = SeededGenerator(seed: 9)
    let other = APIKeyToken(using: &random)

    // With a checksum that holds: who knows the form can make one.
    let forged = APIKeyToken(keyID: token.keyID, secret: other.secret).text
    #expect(APIKeyToken(forged) != nil)
    #expect(try await keys.caller(bearing: forged) == nil)
    #expect(try await keys.caller(bearing: other.text) == nil)
    await control.close()
  }

  @Test func `a revoked key ends, and only the key's own tenant can revoke it`() async throws {
    let text = try await keys.issue(name: "a", tenant: appliance.acme.tenant)
    let id = try #require(APIKeyToken(text)).keyID

    #expect(try await !control.apiKeys.revoke(id: id, of: appliance.globex.tenant, at: appliance.time.now))
    #expect(try await keys.caller(bearing: text) != nil)
    #expect(try await control.apiKeys.revoke(id: id, of: appliance.acme.tenant, at: appliance.time.now))
    #expect(try await keys.caller(bearing: text) == nil)
    await control.close()
  }

  @Test func `a key ends at the moment it expires`() async throws {
    var random = SeededGenerator(seed: 4)
    let token = APIKeyToken(using: &random)
    #expect(try await keys.adopt(token.text, name: "endless", tenant: appliance.acme.tenant))
    // The same secret under another id, with an end: its row is made of the first one's.
    var row = try #require(try await control.apiKeys.find(keyID: token.keyID))
    row.id = "0123456789"
    row.keyID = "0123456789"
    row.expiresAt = appliance.time.now.advanced(byNanoseconds: 60_000_000_000)
    try await control.apiKeys.insert(row)
    let again = APIKeyToken(keyID: "0123456789", secret: token.secret).text

    #expect(try await keys.caller(bearing: again)?.scope == appliance.acme)
    appliance.time.advance(seconds: 59)
    #expect(try await keys.caller(bearing: again) != nil)
    appliance.time.advance(seconds: 1)
    #expect(try await keys.caller(bearing: again) == nil)
    await control.close()
  }

  @Test func `a key that the operator chose works, and is taken in once`() async throws {
    var random = SeededGenerator(seed: 5)
    let text = APIKeyToken(using: &random).text

    #expect(try await !keys.hasKeys())
    #expect(try await keys.adopt(text, name: "chosen", tenant: appliance.acme.tenant))
    #expect(try await keys.adopt(text, name: "chosen", tenant: appliance.acme.tenant))
    #expect(try await !keys.adopt("not a key", name: "x", tenant: appliance.acme.tenant))
    #expect(try await control.apiKeys.count() == 1)
    #expect(try await keys.caller(bearing: text)?.scope == appliance.acme)
    await control.close()
  }

  @Test func `keys hold after a restart`() async throws {
    let text = try await keys.issue(name: "a", tenant: appliance.acme.tenant)
    await control.close()

    let again = try await ControlDatabase(appliance.directory)
    let service = try await APIKeyService(control: again, now: appliance.now)
    #expect(try await service.caller(bearing: text)?.scope == appliance.acme)
    await again.close()
  }

  @Test func `without a credential only a developer's own machine lets anybody in`() async throws {
    let open = AccessPolicy(keys: keys, isDevelopment: true)
    let closed = AccessPolicy(keys: keys, isDevelopment: false)

    #expect(open.callerWithoutCredential?.scope.tenant == .default)
    #expect(closed.callerWithoutCredential == nil)
    #expect(try await closed.caller(bearing: "") == nil)
    await control.close()
  }

  @Test func `the key of a process opens the default tenant of that process alone`() async throws {
    let key = AccessPolicy.makeProcessKey()
    let policy = AccessPolicy(keys: keys, isDevelopment: false, processKey: key)
    let other = AccessPolicy(keys: keys, isDevelopment: false, processKey: AccessPolicy.makeProcessKey())

    #expect(try await policy.caller(bearing: key)?.scope.tenant == .default)
    #expect(try await other.caller(bearing: key) == nil)
    await control.close()
  }

  @Test func `the policy tells two tenants' keys apart when it remembers them`() async throws {
    let policy = AccessPolicy(keys: keys, isDevelopment: false)
    let acme = try await keys.issue(name: "a", tenant: appliance.acme.tenant)
    let globex = try await keys.issue(name: "g", tenant: appliance.globex.tenant)

    for _ in 0..<3 {
      #expect(try await policy.caller(bearing: acme)?.scope == appliance.acme)
      #expect(try await policy.caller(bearing: globex)?.scope == appliance.globex)
    }
    #expect(try await policy.caller(bearing: acme + "x") == nil)
    await control.close()
  }
}
