import Domain
import HTTPTypes
import Hummingbird
import TestSupport
import Testing

@testable import Web

@Suite struct RequestParametersTests {
  private let now = Timestamp(seconds: 1_800_000_000)

  @Test(arguments: [
    ("query=a+b%20c", "a b c"), ("query=100%25", "100%"), ("query=%E2%86%92", "→"), ("query=a=b&x=1", "a=b"),
    ("x=1&query=last&query=wins", "wins"), ("%71uery=named", "named"), ("query=%", "%"), ("query=%4", "%4"),
    ("query=%zz", "%zz"), ("query=%+5", "% 5"), ("query=%-1", "%-1"), ("query=%FF", "\u{FFFD}"),
    ("&&query=1&", "1"),
  ])
  func `a form is decoded`(form: String, value: String) {
    #expect(RequestParameters(form)["query"] == value)
  }

  @Test(arguments: ["", "query", "query=", "=x", "Query=x"])
  func `an empty value is none`(form: String) {
    #expect(RequestParameters(form)["query"] == nil)
  }

  @Test(arguments: 0..<20)
  func `any bytes are decoded to something`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 { _ = RequestParameters(String(decoding: random.bytes(countMax: 60), as: UTF8.self)) }
  }

  @Test func `a posted form wins over the address`() async throws {
    let request = Request.test(
      .post, "/x?query=address&limit=5",
      headers: [.contentType: "Application/x-www-form-urlencoded; charset=utf-8"], body: "query=form".utf8)

    let parameters = try await RequestParameters(request)

    #expect(parameters["query"] == "form")
    #expect(parameters["limit"] == "5")
  }

  @Test func `a posted JSON object wins over the address, too`() async throws {
    let request = Request.test(
      .post, "/x?query=address&field=f", headers: [.contentType: "application/json; charset=utf-8"],
      body: #"{"query":"json","limit":5,"share":0.5,"flag":true,"none":null,"list":[1]}"#.utf8)

    let parameters = try await RequestParameters(request)

    let expected = [
      ("query", "json"), ("field", "f"), ("limit", "5"), ("share", "0.5"), ("flag", "true"), ("none", nil),
      ("list", nil),
    ]
    for (name, value) in expected { #expect(parameters[name] == value, "\(name)") }
  }

  @Test(arguments: ["text/plain", "", "multipart/form-data", "application/jsonl"])
  func `a body of another type is refused, not passed over`(type: String) async throws {
    let request = Request.test(.post, "/x", headers: [.contentType: type], body: "query=form".utf8)

    let problem = await #expect(throws: Problem.self) { try await RequestParameters(request) }

    #expect(problem?.status == .unsupportedMediaType)
  }

  @Test func `a post without a body has the address's parameters`() async throws {
    #expect(try await RequestParameters(.test(.post, "/x?query=address"))["query"] == "address")
  }

  @Test func `a form over a mebibyte is refused`() async throws {
    let request = Request.test(
      .post, "/x", headers: [.contentType: "application/x-www-form-urlencoded"],
      body: [UInt8](repeating: 0x61, count: 1 << 20 | 1))

    let problem = await #expect(throws: Problem.self) { try await RequestParameters(request) }

    #expect(problem?.status.code == 413)
  }

  @Test(arguments: ["0", "11", "x", "1.5", "99999999999999999999"])
  func `a number outside of its range names the parameter and the range`(text: String) throws {
    let parameters = RequestParameters("limit=\(text)")

    let problem = #expect(throws: Problem.self) { try parameters.integer("limit", default: 5, in: 1...10) }

    #expect(problem?.status == .badRequest)
    #expect(problem?.detail == "'limit' must be a whole number from 1 to 10.")
  }

  @Test func `numbers within their range are taken, and the default without one`() throws {
    #expect(try RequestParameters("limit=1").integer("limit", default: 5, in: 1...10) == 1)
    #expect(try RequestParameters("limit=10").integer("limit", default: 5, in: 1...10) == 10)
    #expect(try RequestParameters("").integer("limit", default: 5, in: 1...10) == 5)
  }

  @Test func `a missing parameter is named`() {
    let problem = #expect(throws: Problem.self) { try RequestParameters("x=1").required("field") }

    #expect(problem?.detail == "'field' must be given.")
  }

  @Test func `a time range has open ends, and takes the predecessor's names`() throws {
    #expect(try RequestParameters("").timeRange(now: now) == .all)
    let range = TimeRange(start: now.advanced(byNanoseconds: -3_600_000_000_000), end: now)
    #expect(try RequestParameters("start=now-1h&end=now").timeRange(now: now) == range)
    #expect(try RequestParameters("start_time=1h&end_time=1800000000").timeRange(now: now) == range)
  }

  @Test(arguments: [
    ("start=yesterdayish", "start"), ("end=2027-13-01T00:00:00Z", "end"), ("start=now&end=now-1h", "end"),
    ("start_time=now&end_time=now-1h", "end"),
  ])
  func `a range that is none names the parameter`(form: String, name: String) {
    let problem = #expect(throws: Problem.self) { try RequestParameters(form).timeRange(now: now) }

    #expect(problem?.detail.hasPrefix("'\(name)' must be ") == true)
  }

  @Test(arguments: ["0s", "-1m", "1us", "soon"])
  func `a step below a millisecond is refused`(text: String) throws {
    let problem = #expect(throws: Problem.self) { try RequestParameters("step=\(text)").step("step", default: 1) }

    #expect(problem?.detail.hasPrefix("'step' must be ") == true)
  }

  @Test func `a step is a length of time`() throws {
    #expect(try RequestParameters("step=1m").step("step", default: 1) == 60_000_000_000)
    #expect(try RequestParameters("").step("step", default: 7) == 7)
  }
}

@Suite struct RequestObjectTests {
  private let now = Timestamp(seconds: 1_800_000_000)

  private func object(_ json: String) async throws -> RequestObject {
    try await RequestObject(.test(.post, "/x", body: json.utf8))
  }

  @Test func `members are read by their kinds`() async throws {
    let object = try await object(
      #"{"text":"a\u00e9","number":7,"float":7.0,"none":null,"time":"now-1h","other":[1,{"a":2}]}"#)

    #expect(try object.string("text") == "aé")
    #expect(try object.string("none") == nil)
    #expect(try object.string("absent") == nil)
    #expect(try object.integer("number", default: 1, in: 0...10) == 7)
    #expect(try object.integer("float", default: 1, in: 0...10) == 7)
    #expect(try object.integer("none", default: 1, in: 0...10) == 1)
    #expect(try object.time("time", now: now) == now.advanced(byNanoseconds: -3_600_000_000_000))
  }

  @Test func `an empty body is an object without members`() async throws {
    #expect(try await object("").string("query") == nil)
  }

  @Test(arguments: ["[]", "1", "\"x\"", "{", "{\"a\":}", "\u{0}", "null"])
  func `what is no object is refused`(json: String) async throws {
    let problem = await #expect(throws: Problem.self) { try await object(json) }

    #expect(problem?.status == .badRequest)
  }

  @Test(arguments: [#"{"limit":"5"}"#, #"{"limit":1.5}"#, #"{"limit":1e300}"#, #"{"limit":0}"#, #"{"limit":true}"#])
  func `a number of the wrong kind or size names its member`(json: String) async throws {
    let object = try await object(json)

    let problem = #expect(throws: Problem.self) { try object.integer("limit", default: 5, in: 1...10) }

    #expect(problem?.detail == "'limit' must be a whole number from 1 to 10.")
  }

  @Test(arguments: [#"{"query":5}"#, #"{"query":[]}"#, #"{"query":{}}"#, #"{"query":false}"#])
  func `a text of another kind names its member`(json: String) async throws {
    let object = try await object(json)

    let problem = #expect(throws: Problem.self) { try object.string("query") }

    #expect(problem?.detail == "'query' must be a string.")
  }

  @Test(arguments: 0..<10)
  func `any bytes are an object or a refusal`(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<20 {
      let body = Array("{\"a\":".utf8) + random.bytes(countMax: 20) + Array("}".utf8)
      do {
        _ = try await RequestObject(.test(.post, "/x", body: body))
      } catch let problem as Problem {
        #expect(problem.status == .badRequest, "seed \(seed)")
      }
    }
  }

  @Test func `deep nesting is an object or a refusal`() async throws {
    let deep = #"{"a":"# + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000) + "}"

    do {
      _ = try await object(deep)
    } catch let problem as Problem {
      #expect(problem.status == .badRequest)
    }
  }
}
