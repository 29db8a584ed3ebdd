import FoundationEssentials
import HTTPTypes
import Hummingbird
import LogQuery
import Search
import Storage
import Testing

@testable import Analysis
@testable import Ingest
@testable import Web

@Suite struct ProblemTests {
  @Test func `a problem document has the members of RFC 9457, then its own`() async throws {
    let problem = Problem(
      .badRequest, "kind", "A title", "A \"detail\" with\nlines.",
      members: [("column", .int(7)), ("expected", .string("`)`"))])

    let answer = try await answer(problem)

    #expect(answer.status == 400)
    #expect(answer.headers[.contentType] == "application/problem+json")
    #expect(answer.headers[.cacheControl] == "no-store")
    let document = try answer.decoded(ProblemDocument.self)
    #expect(document.type == "/problems/kind")
    #expect(document.title == "A title")
    #expect(document.status == 400)
    #expect(document.detail == "A \"detail\" with\nlines.")
    #expect(document.instance == "request-1")
    #expect(document.column == 7)
    #expect(document.expected == "`)`")
  }

  /// What the outside may know of each error.
  private static let table: [(error: any Error, status: Int, kind: String, retryAfter: String?)] = [
    (SearchError.syntax(QueryError(message: "no", column: 3, expected: "a word")), 400, "query-syntax", nil),
    (SearchError.timeout(seconds: 30), 504, "query-timeout", nil),
    (SearchError.tooLarge("the sort holds too much"), 422, "query-too-large", nil),
    (IngestBusy(), 503, "overloaded", "1"),
    (AnalysisBusy(), 503, "overloaded", "30"),
    (storage(.busy(retryAfterSeconds: 4)), 503, "overloaded", "4"),
    (storage(.diskFull), 507, "disk-full", "30"),
    (storage(.closed), 503, "overloaded", "1"),
    (storage(.corrupt), 500, "damaged-data", nil),
    (storage(.newerFormat(found: 9, supported: 1)), 500, "newer-format", nil),
    (storage(.notFound), 404, "not-found", nil),
    (storage(.locked), 500, "storage", nil),
    (storage(.alreadyExists), 500, "storage", nil),
    (storage(.inputOutput), 500, "storage", nil),
    (storage(.invalid), 500, "storage", nil),
    (HTTPError(.notFound), 404, "not-found", nil),
    (HTTPError(.contentTooLarge), 413, "http", nil),
    (CancellationError(), 503, "overloaded", "1"),
    (Unforeseen(), 500, "internal", nil),
    (Problem.unauthorized, 401, "unauthorized", nil),
  ]

  private struct Unforeseen: Error { let secret = "/srv/secret" }

  private static func storage(_ kind: StorageError.Kind) -> StorageError {
    StorageError(
      kind, "reading block 118", at: "/srv/secret/tenant.sqlite", cause: "secret cause", remedy: "secret remedy")
  }

  @Test(arguments: table.indices)
  func `an error becomes its problem, and tells no path and no cause`(row: Int) async throws {
    let (error, status, kind, retryAfter) = Self.table[row]

    let answer = try await answer(Problem(error, path: "/api/v1/x"))

    let document = try answer.decoded(ProblemDocument.self)
    #expect(answer.status == status, "\(error)")
    #expect(document.status == status, "\(error)")
    #expect(document.type == "/problems/\(kind)", "\(error)")
    #expect(answer.headers[.retryAfter] == retryAfter, "\(error)")
    #expect(!document.title.isEmpty && !document.detail.isEmpty, "\(error)")
    #expect(!answer.text.contains("secret"), "\(error)")
  }

  @Test func `a query that can't be read says where, and what was expected`() async throws {
    let error = SearchError.syntax(QueryError(message: "a parenthesis is open", column: 12, expected: "`)`"))

    let document = try await answer(Problem(error, path: "/")).decoded(ProblemDocument.self)

    #expect(document.detail == "Column 12: a parenthesis is open.")
    #expect(document.column == 12)
    #expect(document.expected == "`)`")
  }

  @Test func `a query that came from no text names no column`() async throws {
    let error = SearchError.syntax(QueryError(message: "a live tail takes a filter without pipes", column: 0))

    let document = try await answer(Problem(error, path: "/")).decoded(ProblemDocument.self)

    #expect(document.detail == "a live tail takes a filter without pipes.")
    #expect(document.column == nil)
    #expect(document.expected == nil)
  }

  @Test func `a caller nobody knows is told how to sign in`() {
    #expect(Problem.unauthorized.headers[.wwwAuthenticate] == "Bearer realm=\"timberline\"")
  }

  private func answer(_ problem: Problem) async throws -> Answer {
    try await Answer(problem.response(instance: "request-1"))
  }
}
