/// Where the server listens: `127.0.0.1:7300`, `[::1]:7300`, `localhost:7300`, `:7300` (every address).
struct ListenAddress: Sendable, Equatable {
  var host: String
  var port: Int

  init(_ text: String) throws(InvalidSetting) {
    let expected = InvalidSetting(expected: "HOST:PORT, such as 127.0.0.1:7300 or [::1]:7300")
    guard let colon = text.lastIndex(of: ":") else { throw expected }
    let portText = text[text.index(after: colon)...]
    guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(portText), port <= 65_535 else {
      throw expected
    }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      guard host.contains(":") else { throw expected }
    } else if host.contains(where: { ":[]/ \t".contains($0) }) {
      throw expected
    }
    self.host = host.isEmpty ? "0.0.0.0" : host
    self.port = port
  }

  /// Whether only this machine can reach it.
  var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// As a browser takes it, with the port in use.
  func url(port: Int) -> String {
    let shown = host == "0.0.0.0" || host == "::" ? "localhost" : host.contains(":") ? "[\(host)]" : host
    return "http://\(shown):\(port)"
  }
}
