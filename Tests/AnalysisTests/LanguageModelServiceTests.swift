import Domain
import Redaction
import Synchronization
import Testing

@testable import Analysis

@Suite struct LanguageModelServiceTests {
  private func failure(
    _ behaviors: [FakeEndpoint.Behavior], clock: any Clock<Duration> = ContinuousClock(),
    facts: IncidentFacts = Sample.facts
  ) async -> LanguageModelFailure? {
    do {
      _ = try await Sample.service(FakeEndpoint(behaviors), clock: clock).narrative(
        for: facts, of: Sample.tenant, settings: Sample.settings { $0.contextTokens = 8192 })
      return nil
    } catch { return error }
  }

  @Test func `an incident is told in a model's words, bound to its evidence`() async throws {
    let endpoint = FakeEndpoint([.answer(Sample.answer())])

    let narrative = try await Sample.service(endpoint).narrative(
      for: Sample.facts, of: Sample.tenant, settings: Sample.settings())

    #expect(narrative.title == "Pool exhausted")
    #expect(narrative.rootCause == [.init(text: "The pool ran out.", evidence: ["rec-1"])])
    #expect(narrative.severity == .high)
    #expect(narrative.usedTokens == 700)
    let request = try #require(endpoint.requests.last)
    #expect(request.url == "http://127.0.0.1:8080/v1/chat/completions")
    #expect(request.headers.contains { $0.name == "Authorization" && $0.value == "Bearer key-of-a-test" })
  }

  @Test func `what leaves is redacted and fenced, and is what the prompt shows`() async throws {
    let endpoint = FakeEndpoint([.answer(Sample.answer())])
    let service = Sample.service(endpoint)

    let prompt = try await service.prompt(for: Sample.facts, of: Sample.tenant, settings: Sample.settings())
    _ = try await service.narrative(for: Sample.facts, of: Sample.tenant, settings: Sample.settings())

    let sent = endpoint.chats[0]
    #expect(prompt.url == endpoint.requests.last?.url)
    #expect(prompt.body.count == sent.count)
    #expect(!sent.contains("Hunter22x") && !sent.contains("kim@example.org"))
    #expect(prompt.messages[1].content.contains("[E1] 03:04:05 payments ×214: pool exhausted password=<PASSWORD_1>"))
    #expect(prompt.messages[1].content.contains("[E2] 03:04:07 web: 503 from payments for <EMAIL_1>"))
    let nonce = try #require(prompt.messages[1].content.split(separator: "\n")[0].split(separator: " ").last)
    #expect(nonce.count == 32)
    // The nonce is drawn for each call; all else is the same.
    #expect(!sent.contains(nonce))
    for line in prompt.messages[1].content.split(separator: "\n") where !line.contains(nonce) {
      #expect(sent.contains(ChatClient.quoted(String(line)).dropFirst().dropLast()), "\(line)")
    }
  }

  @Test func `an endpoint that fails leaves the built-in report, and says why`() async {
    #expect(await failure([.status(500, "oops")]) == .refused(status: 500))
    #expect(await failure([.status(401, "no")]) == .refused(status: 401))
    #expect(await failure([.status(302, "")]) == .redirected(status: 302))
    #expect(await failure([.fail(.unreachable("refused"))]) == .unreachable("refused"))
    #expect(await failure([.hang], clock: ImpatientClock()) == .timeout(seconds: 60))
    #expect(
      await failure([.body(String(repeating: "x", count: (1 << 20) + 1))]) == .answerTooLarge(bytes: 1 << 20))
    #expect(await failure([.body("<html>hello</html>")]) == .wrongShape("not a chat completion"))
    #expect(await failure([.body(#"{"choices":[]}"#)]) == .wrongShape("a chat completion without a choice"))
    #expect(await failure([.answer("It looks like a network problem to me.")]) == .noObject)
    #expect(await failure([.answer(#"{"title": "cut off"#)]) == .noObject)
    #expect(await failure([.answer(#"{"verdict":"fine"}"#)]) == .wrongShape("'title' is missing"))
    #expect(
      await failure([.answer(Sample.answer(cause: #"[{"text":"Aliens.","evidence":["E9"]}]"#))])
        == .unsupportedClaims(count: 1))
    #expect(await failure([.answer("")]) == .noObject)
  }

  @Test func `no endpoint, and a wrong one, are failures of their own`() async {
    let service = Sample.service(FakeEndpoint([.hang]))
    await #expect(throws: LanguageModelFailure.notConfigured) {
      try await service.narrative(for: Sample.facts, of: Sample.tenant, settings: nil)
    }
    await #expect(throws: LanguageModelFailure.self) {
      try await service.narrative(
        for: Sample.facts, of: Sample.tenant, settings: Sample.settings { $0.baseURL = "ftp://x" })
    }
  }

  @Test func `an answer that cannot be read is asked for once more`() async throws {
    let endpoint = FakeEndpoint([.answer("Sure! Here you go."), .answer(Sample.answer())])

    let narrative = try await Sample.service(endpoint).narrative(
      for: Sample.facts, of: Sample.tenant, settings: Sample.settings())

    #expect(endpoint.chats.count == 2)
    #expect(endpoint.chats[1].contains("Sure! Here you go."))
    #expect(endpoint.chats[1].contains("That cannot be used"))
    #expect(narrative.usedTokens == 1400)
  }

  @Test func `an endpoint without schemas is asked for an object, then for text, and remembered so`() async throws {
    let endpoint = FakeEndpoint([
      .status(400, #"{"error":"response_format json_schema is not supported"}"#),
      .status(400, #"{"error":"response_format is not supported"}"#),
      .answer("Here it is:\n```json\n\(Sample.answer())\n```\nAnything else?"),
      .answer(Sample.answer()),
    ])
    let service = Sample.service(endpoint)

    _ = try await service.narrative(for: Sample.facts, of: Sample.tenant, settings: Sample.settings())
    var other = Sample.facts
    other.headline = "Another one"
    _ = try await service.narrative(for: other, of: Sample.tenant, settings: Sample.settings())

    #expect(endpoint.chats.map { $0.contains("json_schema") } == [true, false, false, false])
    #expect(endpoint.chats.map { $0.contains("json_object") } == [false, true, false, false])
  }

  @Test func `a model of newer manners is asked in them`() async throws {
    let endpoint = FakeEndpoint([
      .status(400, #"{"error":"use max_completion_tokens"}"#), .status(400, #"{"error":"temperature must be 1"}"#),
      .answer(Sample.answer()),
    ])

    _ = try await Sample.service(endpoint).narrative(
      for: Sample.facts, of: Sample.tenant, settings: Sample.settings())

    #expect(endpoint.chats[2].contains(#""max_completion_tokens":"#))
    #expect(!endpoint.chats[2].contains("temperature"))
    #expect(endpoint.chats[2].contains("json_schema"))
  }

  @Test func `the same incident is asked about once, by each tenant`() async throws {
    let endpoint = FakeEndpoint([.answer(Sample.answer())])
    let service = Sample.service(endpoint)
    let other = try #require(TenantID("globex"))

    let first = try await service.narrative(for: Sample.facts, of: Sample.tenant, settings: Sample.settings())
    let second = try await service.narrative(for: Sample.facts, of: Sample.tenant, settings: Sample.settings())
    #expect(first == second)
    #expect(endpoint.chats.count == 1)
    _ = try await service.narrative(for: Sample.facts, of: other, settings: Sample.settings())
    #expect(endpoint.chats.count == 2)
  }

  @Test func `the day's tokens are spent once, and come back with the day`() async throws {
    let endpoint = FakeEndpoint([.answer(Sample.answer())])
    let time = Mutex(Timestamp(seconds: 1_800_000_000))
    let service = Sample.service(endpoint, now: { time.withLock { $0 } })
    let settings = Sample.settings { $0.dailyTokensMax = 3000 }
    var facts = Sample.facts

    _ = try await service.narrative(for: facts, of: Sample.tenant, settings: settings)
    #expect(await service.spentTokens(of: Sample.tenant) == 700)
    facts.headline = "Another one"
    await #expect(throws: LanguageModelFailure.budgetSpent(resetsAt: Timestamp(seconds: 1_800_057_600))) {
      try await service.narrative(
        for: facts, of: Sample.tenant, settings: Sample.settings { $0.dailyTokensMax = 1000 })
    }
    #expect(endpoint.chats.count == 1)
    time.withLock { $0 = Timestamp(seconds: 1_800_057_600) }
    #expect(await service.spentTokens(of: Sample.tenant) == 0)
    _ = try await service.narrative(for: facts, of: Sample.tenant, settings: settings)
  }

  @Test func `an endpoint that is down is left alone for a while`() async throws {
    let endpoint = FakeEndpoint([
      .status(503, ""), .fail(.unreachable("x")), .status(503, ""), .answer(Sample.answer()),
    ])
    let time = Mutex(Timestamp(seconds: 1_800_000_000))
    let service = Sample.service(endpoint, now: { time.withLock { $0 } })

    for failure in [LanguageModelFailure.refused(status: 503), .unreachable("x"), .refused(status: 503)] {
      await #expect(throws: failure) {
        try await service.narrative(for: Sample.facts, of: Sample.tenant, settings: Sample.settings())
      }
    }
    await #expect(throws: LanguageModelFailure.paused(until: Timestamp(seconds: 1_800_000_060))) {
      try await service.narrative(for: Sample.facts, of: Sample.tenant, settings: Sample.settings())
    }
    #expect(endpoint.chats.count == 3)
    time.withLock { $0 = Timestamp(seconds: 1_800_000_060) }
    _ = try await service.narrative(for: Sample.facts, of: Sample.tenant, settings: Sample.settings())
  }

  @Test func `an endpoint says how much it takes`() async throws {
    let models = #"{"data":[{"id":"other","max_model_len":99},{"id":"small-1","max_model_len":32768}]}"#
    let long = IncidentFacts(
      headline: "h", severity: .low, score: 2, lowestSeverity: .low, facts: [],
      evidence: (0..<200).map {
        .init(id: "\($0)", time: "t", workload: "w", text: String(repeating: "word ", count: 40))
      })

    let wide = try await Sample.service(FakeEndpoint([.hang], models: models)).prompt(
      for: long, of: Sample.tenant, settings: Sample.settings())
    let narrow = try await Sample.service(FakeEndpoint([.hang])).prompt(
      for: long, of: Sample.tenant, settings: Sample.settings())

    #expect(narrow.tokens <= 4096 - LanguageModelSettings.answerTokensMax)
    #expect(narrow.omittedEvidenceCount > wide.omittedEvidenceCount)
    // No line is cut.
    let lines = narrow.messages[1].content.split(separator: "\n").filter { $0.hasPrefix("[E") }
    #expect(lines.count == 200 - narrow.omittedEvidenceCount && lines.allSatisfy { $0.hasSuffix("word ") })
  }

  @Test func `a line that no context holds is a failure and not half a line`() async {
    var facts = Sample.facts
    facts.evidence = [.init(id: "1", time: "t", workload: "w", text: String(repeating: "x", count: 100_000))]
    #expect(await failure([.answer(Sample.answer())], facts: facts) == .contextTooSmall(tokens: 8192))
  }
}
