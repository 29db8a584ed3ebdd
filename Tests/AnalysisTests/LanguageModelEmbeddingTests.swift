import Testing

@testable import Analysis

@Suite struct LanguageModelEmbeddingTests {
  private func endpoint(
    _ fake: FakeEndpoint, _ change: (inout EmbeddingEndpoint.Settings) -> Void = { _ in }
  ) throws -> EmbeddingEndpoint {
    var settings = EmbeddingEndpoint.Settings(baseURL: "http://127.0.0.1:9/v1", model: "e-1")
    change(&settings)
    return try EmbeddingEndpoint(settings: settings, transport: fake.transport)
  }

  @Test func `vectors come in order, of unit length`() async throws {
    let fake = FakeEndpoint([
      .body(#"{"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]}]}"#)
    ])
    #expect(try await endpoint(fake).embed(["a", "b"]) == [[0.6, 0.8], [0, 1]])
  }

  @Test func `texts are redacted and sent in batches`() async throws {
    let fake = FakeEndpoint([.body(#"{"data":[{"embedding":[1,0]}]}"#)])

    let vectors = try await endpoint(fake) { $0.batchCount = 1 }.embed(["password=Hunter22x", "mail kim@example.org"])

    #expect(vectors.count == 2)
    #expect(fake.chats.count == 2)
    #expect(fake.chats[0].contains("password=<PASSWORD_1>"))
    #expect(fake.chats[1].contains("mail <EMAIL_1>"))
  }

  @Test(arguments: [
    #"{"data":[{"embedding":[1,0]}]}"#, #"{"data":[{"embedding":[1,0]},{"embedding":[1]}]}"#,
    #"{"data":[{"index":5,"embedding":[1,0]},{"index":0,"embedding":[1,0]}]}"#,
    #"{"data":[{"index":0,"embedding":[1,0]},{"index":0,"embedding":[1,0]}]}"#,
    #"{"data":[{"embedding":[]},{"embedding":[]}]}"#, "prose", #"{"data":[]}"#,
  ])
  func `an answer of another form is refused whole`(body: String) async throws {
    let endpoint = try endpoint(FakeEndpoint([.body(body)]))
    await #expect(throws: LanguageModelFailure.self) { try await endpoint.embed(["a", "b"]) }
  }

  @Test func `a dimension that was agreed on is held to`() async throws {
    let endpoint = try endpoint(FakeEndpoint([.body(#"{"data":[{"embedding":[1,0]}]}"#)])) { $0.dimension = 384 }
    await #expect(throws: LanguageModelFailure.wrongShape("not one vector of 384 components for each of 1 texts")) {
      try await endpoint.embed(["a"])
    }
  }

  @Test func `failures are told apart`() async throws {
    let refused = try endpoint(FakeEndpoint([.status(500, "")]))
    await #expect(throws: LanguageModelFailure.refused(status: 500)) { try await refused.embed(["a"]) }
    let redirected = try endpoint(FakeEndpoint([.status(307, "")]))
    await #expect(throws: LanguageModelFailure.redirected(status: 307)) { try await redirected.embed(["a"]) }
    let hanging = try EmbeddingEndpoint(
      settings: .init(baseURL: "http://127.0.0.1:9/v1", model: "e-1"), transport: FakeEndpoint([.hang]).transport,
      clock: ImpatientClock())
    await #expect(throws: LanguageModelFailure.timeout(seconds: 30)) { try await hanging.embed(["a"]) }
  }
}
