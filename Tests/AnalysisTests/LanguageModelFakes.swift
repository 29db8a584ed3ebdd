import Domain
import Redaction
import Synchronization

@testable import Analysis

/// An endpoint inside the test: answers what it is told to, and keeps what it was asked.
final class FakeEndpoint: Sendable {
  enum Behavior: Sendable {
    case answer(String)
    case status(Int, String)
    case body(String)
    case hang
    case fail(LanguageModelFailure)
  }

  private struct State {
    var behaviors: [Behavior]
    var requests: [ModelRequest] = []
  }

  private let state: Mutex<State>
  private let contextBody: String

  /// - Parameter behaviors: One a chat request; the last goes on.
  init(_ behaviors: [Behavior], models: String = #"{"data":[]}"#) {
    state = Mutex(State(behaviors: behaviors))
    contextBody = models
  }

  /// What was asked of the chat.
  var chats: [String] {
    state.withLock { $0.requests }.filter { $0.method == .post }.map { String(decoding: $0.body, as: UTF8.self) }
  }
  var requests: [ModelRequest] { state.withLock { $0.requests } }

  var transport: ModelTransport {
    { request in
      let next = self.state.withLock { state -> Behavior? in
        state.requests.append(request)
        guard request.method == .post else { return nil }
        return state.behaviors.count > 1 ? state.behaviors.removeFirst() : state.behaviors[0]
      }
      switch next {
      case nil:
        return ModelResponse(status: request.url.hasSuffix("/models") ? 200 : 404, body: Array(self.contextBody.utf8))
      case .answer(let content):
        let body =
          #"{"choices":[{"message":{"role":"assistant","content":\#(ChatClient.quoted(content))}}],"#
          + #""usage":{"total_tokens":700}}"#
        return ModelResponse(status: 200, body: Array(body.utf8))
      case .status(let status, let body): return ModelResponse(status: status, body: Array(body.utf8))
      case .body(let body): return ModelResponse(status: 200, body: Array(body.utf8))
      case .fail(let failure): throw failure
      case .hang:
        // Nobody sends anything: ends when the task is cancelled.
        let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
        for await _ in stream {}
        withExtendedLifetime(continuation) {}
        throw CancellationError()
      }
    }
  }
}

/// A clock whose every wait is over at once.
struct ImpatientClock: Clock {
  struct Instant: InstantProtocol {
    var offset: Duration = .zero

    func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    func duration(to other: Instant) -> Duration { other.offset - offset }
    static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  var now: Instant { Instant() }
  var minimumResolution: Duration { .zero }

  func `sleep`(until deadline: Instant, tolerance: Duration?) async throws {}
}

struct CountingGenerator: RandomNumberGenerator, Sendable {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 1
    return state &* 0x9E37_79B9_7F4A_7C15
  }
}

enum Sample {
  static let tenant = TenantID("acme")!
  static let facts = IncidentFacts(
    headline: "New in payments: connection pool exhausted", severity: .high, score: 6.2, lowestSeverity: .high,
    facts: ["3 of 12 pods, all on node-7", "errors rose from 2 to 90 a minute"],
    evidence: [
      .init(id: "rec-1", time: "03:04:05", workload: "payments", text: "pool exhausted password=Hunter22x", count: 214),
      .init(id: "rec-2", time: "03:04:07", workload: "web", text: "503 from payments for kim@example.org"),
    ])

  static func settings(_ change: (inout LanguageModelSettings) -> Void = { _ in }) -> LanguageModelSettings {
    var settings = LanguageModelSettings(
      baseURL: "http://127.0.0.1:8080/v1/", model: "small-1", apiKey: EndpointKey("key-of-a-test"))
    change(&settings)
    return settings
  }

  static func answer(
    severity: String = "high", cause: String = #"[{"text":"The pool ran out.","evidence":["E1"]}]"#,
    summary: String = "Payments ran out of connections.", injection: Bool = false
  ) -> String {
    #"{"title":"Pool exhausted","severity":"\#(severity)","confidence":0.8,"summary":\#(ChatClient.quoted(summary)),"#
      + #""root_cause":\#(cause),"impact":"Payments fail.","next_steps":["Raise the limit."],"#
      + #""injection_suspected":\#(injection)}"#
  }

  static func service(
    _ endpoint: FakeEndpoint, clock: any Clock<Duration> = ContinuousClock(),
    now: @escaping @Sendable () -> Timestamp = { Timestamp(seconds: 1_800_000_000) }
  ) -> LanguageModelService {
    LanguageModelService(
      transport: endpoint.transport, clock: clock, now: now, random: CountingGenerator(state: 1))
  }
}
