/// The base of an endpoint's addresses, checked.
struct EndpointURL: Equatable, Sendable {
  /// Without a slash at the end.
  let text: String
  let host: String

  /// - Throws: `.invalidSettings` for what is no base address; `.refusedAddress` for a tenant's choice of a host that
  ///   is written as an address of an inner network.
  init(_ url: String, owner: LanguageModelSettings.Owner) throws(LanguageModelFailure) {
    func invalid(_ problem: String) -> LanguageModelFailure {
      .invalidSettings("base_url: '\(LanguageModelSettings.shown(url))' \(problem)")
    }
    guard url.utf8.count <= 2000, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x5C }) else {
      throw invalid("has blanks or characters that no address has")
    }
    let isSecure = url.hasPrefix("https://")
    guard isSecure || url.hasPrefix("http://") else { throw invalid("does not begin with https:// or http://") }
    let rest = url.dropFirst(isSecure ? 8 : 7)
    guard !rest.contains(where: { $0 == "?" || $0 == "#" }) else { throw invalid("has a query or a fragment") }
    let authority = rest.prefix { $0 != "/" }
    guard !authority.contains("@") else { throw invalid("has a user's name; the key is a setting of its own") }
    let bracket = authority.hasPrefix("[")
    let host = bracket ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
    let port = authority.dropFirst(host.count + (bracket ? 2 : 0))
    guard !host.isEmpty, host.utf8.allSatisfy({ Self.isHostByte($0) || bracket && $0 == 0x3A }) else {
      throw invalid("has no host")
    }
    guard port.isEmpty || port.first == ":" && (1...65535).contains(Int(port.dropFirst()) ?? 0) else {
      throw invalid("has a port that is none")
    }
    if owner == .tenant {
      guard isSecure else { throw invalid("does not begin with https://") }
      guard !NetworkAddress.isInner(host: String(host)) else { throw .refusedAddress(String(host)) }
    }
    var text = url
    while text.hasSuffix("/") { text.removeLast() }
    self.text = text
    self.host = String(host).lowercased()
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
    default: false
    }
  }
}

/// Addresses that lead into a network and not into the public internet.
enum NetworkAddress {
  /// Whether a host is written as such an address, or has a name that only means one. A name that resolves to one is
  /// for whoever resolves it to refuse, with `isInner(v4:)` and `isInner(v6:)`.
  static func isInner(host: String) -> Bool {
    let name = host.lowercased()
    if name == "localhost"
      || [".localhost", ".local", ".internal", ".lan", ".home.arpa"].contains(where: name.hasSuffix)
    {
      return true
    }
    if name.contains(":") { return true }  // Which IPv6 addresses are public changes; a tenant gives a name.
    // Forms that resolvers take for numbers too: 127.1, 0x7f000001, 2130706433.
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let isNumeric = parts.last.map { $0.allSatisfy(\.isNumber) || $0.hasPrefix("0x") } ?? false
    guard isNumeric else { return !name.contains(".") }
    let bytes = parts.compactMap { UInt8($0) }
    guard parts.count == 4, bytes.count == 4 else { return true }
    return isInner(v4: bytes)
  }

  /// - Parameter v4: Four bytes.
  static func isInner(v4 bytes: [UInt8]) -> Bool {
    guard bytes.count == 4 else { return true }
    switch (bytes[0], bytes[1]) {
    case (0, _), (10, _), (127, _), (169, 254), (192, 168), (198, 18), (198, 19), (224..., _): return true
    case (172, 16...31), (100, 64...127): return true
    case (192, 0): return bytes[2] == 0 || bytes[2] == 2
    case (198, 51): return bytes[2] == 100
    case (203, 0): return bytes[2] == 113
    default: return false
    }
  }

  /// - Parameter v6: Sixteen bytes.
  static func isInner(v6 bytes: [UInt8]) -> Bool {
    guard bytes.count == 16 else { return true }
    // IPv4 within IPv6: mapped, NAT64, 6to4.
    if bytes[0..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
      return isInner(v4: Array(bytes[12...]))
    }
    if Array(bytes[0..<4]) == [0, 0x64, 0xFF, 0x9B] { return isInner(v4: Array(bytes[12...])) }
    if bytes[0] == 0x20, bytes[1] == 0x02 { return isInner(v4: Array(bytes[2..<6])) }
    // All that is public is in 2000::/3; in it 2001::/23 is for protocols and 2001:db8::/32 for books.
    guard bytes[0] & 0xE0 == 0x20 else { return true }
    if bytes[0] == 0x20, bytes[1] == 0x01 { return bytes[2] < 2 || (bytes[2] == 0x0D && bytes[3] == 0xB8) }
    return false
  }
}
