import Testing

@testable import Detection

@Suite struct IdentifierWordsTests {
  @Test(
    arguments: [
      ("OOMKilled", ["oom", "killed"]),
      ("NoRouteToHostException: <*>", ["no", "route", "to", "host", "exception"]),
      ("snake_case can't <ipv4>:<*>", ["snake", "case", "cant"]),
      ("x < y > z", ["x", "y", "z"]),
      ("sha256sum E2BIG", ["sha256sum", "e2big"]),
      ("", []),
    ] as [(String, [String])])
  func `identifiers are taken apart and slots left out`(text: String, words: [String]) {
    #expect(IdentifierWords.words(of: text.utf8) == words)
  }

  @Test func `no bytes crash it`() {
    var state: UInt64 = 7
    for length in 0..<200 {
      let bytes = (0..<length).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
      }
      #expect(IdentifierWords.words(of: bytes).allSatisfy { !$0.isEmpty })
    }
  }
}
