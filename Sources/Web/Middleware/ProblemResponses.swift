import Analysis
import Domain
import Hummingbird
import Ingest
import Logging
import Search
import Storage

/// The one place where an error becomes an answer. Handlers throw domain errors; what this table does not know is a 500 whose
/// `instance` also stands in the log.
struct ProblemResponses: RouterMiddleware {
  func handle(
    _ request: Request, context: AnonymousContext, next: (Request, AnonymousContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch {
      let problem = Problem(error, path: request.uri.path)
      if problem.status.code >= 500 {
        // Being busy is no failure: a flood of requests must not become a flood of lines.
        context.logger.log(
          level: problem.status == .serviceUnavailable ? .debug : .error, "request failed",
          metadata: ["path": "\(request.uri.path)", "status": "\(problem.status.code)", "error": "\(error)"])
      }
      return problem.response(instance: context.id)
    }
  }
}

extension Problem {
  /// The problem that tells a client of `error`.
  init(_ error: any Error, path: String) {
    switch error {
    case let problem as Problem:
      self = problem
    case let error as SearchError:
      self.init(error)
    case is AnalysisBusy:
      self = .unavailable("Too many analyses wait for their turn; start it again later.", retryAfterSeconds: 30)
    case is IngestBusy:
      self = .unavailable(
        "More bodies came at once than can be held. Nothing of this one was taken; send it again.", retryAfterSeconds: 1
      )
    case let error as StorageError:
      self.init(error)
    case is CancellationError:
      self = .unavailable("The request was ended before its answer stood; send it again.", retryAfterSeconds: 1)
    case let error as HTTPError where error.status == .notFound:
      self = .notFound("'\(path)' is no address of this server.")
    case let error as HTTPError:
      self.init(error.status, "http", error.status.reasonPhrase, error.body ?? error.status.reasonPhrase)
    default:
      self.init(
        .internalServerError, "internal", "Something went wrong here",
        "The server met an error it did not expect. Its log has the details under this instance.")
    }
  }
}
