import Domain
import Search
import FoundationEssentials
import Storage
import TestSupport
import Testing

@testable import Analysis

@Suite struct NarrativesTests {
  private let appliance: TestAppliance

  init() throws { appliance = try TestAppliance() }

  private static let answer = #"""
    {"title":"Database away","severity":"high","confidence":0.8,"summary":"Payments cannot reach its database.",
    "root_cause":[{"text":"The database refuses connections.","evidence":["E1"]}],"impact":"","next_steps":[],
    "injection_suspected":false}
    """#

  private static let incident = #"""
    {"id":"a1","state":"open","status":"open","title":"connection refused in payments","severity":"high",
    "severity_score":4.5,"severity_reasons":["says 'refused'"],"onset":"2027-01-15T08:00:00Z",
    "last":"2027-01-15T08:09:00Z","scope":"workload payments","namespaces":[],"workloads":["payments"],"pods":[],
    "pod_count":0,"nodes":[],"changes":["connection refused: 30 a minute instead of none"],"normal_again":[],
    "candidates":[{"text":"connection refused","workload":"payments","onset":"2027-01-15T08:00:00Z","score":1,
    "reasons":["began first"],"is_root":true}],"anomalies":[],"evidence":[{"id":"17","time":"2027-01-15T08:00:01Z",
    "message":"connection refused password=hunter2hunter2","workload":"payments"}]}
    """#

  private struct Reply: Decodable {
    struct Narrative: Decodable { var title: String }
    struct Report: Decodable { var title: String }
    var narrative: Narrative?
    var code: String?
    var reason: String?
    var report: Report
  }

  private static var settings: LanguageModelSettings {
    var settings = LanguageModelSettings(baseURL: "http://127.0.0.1:1/v1", model: "m", apiKey: EndpointKey("sk-top"))
    settings.contextTokens = 8192
    return settings
  }

  private func narratives(_ endpoint: FakeEndpoint, settings: LanguageModelSettings? = settings) -> Narratives {
    let (pool, indexes) = (appliance.pool, appliance.indexes)
    let search = SearchService(
      pool: pool, indexes: indexes, limits: SearchLimits(seconds: 5, byteCountMax: 1 << 20),
      executor: globalConcurrentExecutor, now: appliance.now)
    return Narratives(
      pool: pool,
      analyses: AnalysisService(
        pool: pool, indexes: indexes, search: search, executor: globalConcurrentExecutor, now: appliance.now,
        logger: .quiet),
      model: LanguageModelService(
        transport: endpoint.transport, now: appliance.now, random: SystemRandomNumberGenerator()),
      settings: settings, now: appliance.now)
  }

  private func store(_ incident: String = incident) async throws {
    try await appliance.pool.open(appliance.acme).insights.save([
      InsightTable.Row(
        kind: .incident, id: "a1", startedAt: appliance.now(), changedAt: appliance.now(), isOpen: true,
        document: Array(incident.utf8))
    ])
  }

  private func ask(_ narratives: Narratives) async throws -> Reply {
    try JSON.value(
      Reply.self, try #require(try await narratives.narrative(ofIncident: "a1", scope: appliance.acme)))
  }

  @Test func `an incident is put in words once, and they survive a restart`() async throws {
    try await store()
    let endpoint = FakeEndpoint([.answer(Self.answer)])
    let first = try await ask(narratives(endpoint))
    #expect(first.narrative?.title == "Database away")
    #expect(first.code == nil)
    #expect(first.report.title == "connection refused in payments")

    let silent = FakeEndpoint([.fail(.unreachable("down"))])
    #expect(try await ask(narratives(silent)).narrative?.title == "Database away")
    #expect(silent.requests.isEmpty)
    #expect(endpoint.chats.count == 1)
  }

  @Test func `other evidence is asked about anew`() async throws {
    try await store()
    let endpoint = FakeEndpoint([.answer(Self.answer)])
    let narratives = narratives(endpoint)
    _ = try await ask(narratives)
    try await store(Self.incident.replacing("30 a minute", with: "60 a minute"))
    _ = try await ask(narratives)
    #expect(endpoint.chats.count == 2)
  }

  @Test func `whatever fails, the built-in report stands and the reason beside it`() async throws {
    try await store()
    let cases: [(FakeEndpoint.Behavior, String)] = [
      (.fail(.unreachable("down")), "unreachable"), (.status(500, "{}"), "refused"),
      (.answer("All is well!"), "no_object"), (.answer(#"{"status":"fine"}"#), "wrong_shape"),
      (.answer(Self.answer.replacing("E1", with: "E99")), "unsupported_claims"),
    ]
    for (behavior, code) in cases {
      let reply = try await ask(narratives(FakeEndpoint([behavior])))
      #expect(reply.narrative == nil)
      #expect(reply.code == code)
      #expect(reply.reason?.isEmpty == false)
      #expect(reply.report.title == "connection refused in payments")
    }
    #expect(try await ask(narratives(FakeEndpoint([.hang]), settings: nil)).code == "not_configured")
  }

  @Test func `an incident of another tenant is none`() async throws {
    try await store()
    let narratives = narratives(FakeEndpoint([.answer(Self.answer)]))
    #expect(try await narratives.narrative(ofIncident: "a1", scope: appliance.globex) == nil)
    #expect(try await narratives.prompt(ofIncident: "a1", scope: appliance.globex) == nil)
  }

  @Test func `a prompt has the facts and the evidence, and no secret`() async throws {
    try await store()
    let narratives = narratives(FakeEndpoint([.answer(Self.answer)]))
    let bytes = try #require(try await narratives.prompt(ofIncident: "a1", scope: appliance.acme))
    let text = String(decoding: bytes, as: UTF8.self)
    for word in ["workload payments", "30 a minute", "began first", "[E1]", "connection refused"] {
      #expect(text.contains(word), "\(word)")
    }
    #expect(!text.contains("hunter2") && !text.contains("sk-top"))
  }

  @Test func `the rules' grade of a point less is as low as a model may go`() throws {
    let facts = IncidentFacts(try JSON.value(IncidentDocument.self, Array(Self.incident.utf8)))
    #expect(facts.severity == .high)
    #expect(facts.lowestSeverity == .medium)
    #expect(facts.evidence.map(\.id) == ["17"])
  }

  // MARK: Settings of a tenant

  private func settingsText(_ narratives: Narratives) async throws -> String {
    String(decoding: try await narratives.settingsDocument(scope: appliance.acme), as: UTF8.self)
  }

  @Test func `a tenant's own endpoint is used, its key never answered back, and the appliance's not sent there`()
    async throws
  {
    try await store()
    let endpoint = FakeEndpoint([.answer(Self.answer)])
    let narratives = narratives(endpoint)
    var change = LanguageModelChange()
    change.baseURL = "https://models.example/v1"
    change.apiKey = "sk-own"
    try await narratives.change(change, scope: appliance.acme)
    _ = try await ask(narratives)
    let request = try #require(endpoint.requests.last)
    #expect(request.url == "https://models.example/v1/chat/completions")
    #expect(request.headers.contains { $0.value == "Bearer sk-own" })
    let text = try await settingsText(narratives)
    #expect(text.contains(#""source":"tenant""#) && text.contains(#""has_api_key":true"#))
    #expect(!text.contains("sk-"))

    change.apiKey = nil
    change.redaction = "everything"
    try await narratives.change(change, scope: appliance.acme)
    #expect(try await settingsText(narratives).contains(#""has_api_key":true"#), "the endpoint is the same")
    change.baseURL = "https://elsewhere.example/v1"
    try await narratives.change(change, scope: appliance.acme)
    #expect(!(try await settingsText(narratives)).contains(#""has_api_key":true"#), "a key goes to its endpoint alone")

    try await narratives.resetSettings(scope: appliance.acme)
    #expect(try await settingsText(narratives).contains(#""source":"appliance""#))
  }

  @Test func `a tenant may do without`() async throws {
    try await store()
    let narratives = narratives(FakeEndpoint([.answer(Self.answer)]))
    var change = LanguageModelChange()
    change.isDisabled = true
    try await narratives.change(change, scope: appliance.acme)
    #expect(try await ask(narratives).code == "not_configured")
  }

  @Test func `a wrong setting is refused with its name, and nothing changes`() async throws {
    let narratives = narratives(FakeEndpoint([.answer(Self.answer)]), settings: nil)
    let cases: [(inout LanguageModelChange) -> String] = [
      {
        $0.baseURL = "http://models.example/v1"; $0.model = "m"; return "base_url"
      },
      {
        $0.baseURL = "https://127.0.0.1/v1"; $0.model = "m"; return "base_url"
      },
      {
        $0.baseURL = "https://models.example/v1"; return "model"
      },
      {
        $0.baseURL = "https://models.example/v1"; $0.model = "m"; $0.apiKey = "a\nb"; return "api_key"
      },
      {
        $0.redaction = "none"; return "redaction"
      },
      {
        $0.model = "m"; return "base_url"
      },
    ]
    for prepare in cases {
      var change = LanguageModelChange()
      let field = prepare(&change)
      let failure = await #expect(throws: LanguageModelFailure.self) {
        try await narratives.change(change, scope: appliance.acme)
      }
      #expect(failure?.field == field)
    }
    #expect(try await settingsText(narratives).contains(#""override""#) == false)
  }
}
