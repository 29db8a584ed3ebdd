import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Why a call to a server had no good answer.
struct ClientError: Error, CustomStringConvertible {
  let description: String
  var exitCode: Int32 = 1
}

/// Calls a server's API, as the commands do.
struct APIClient: Sendable {
  /// Without a slash at the end.
  let url: String
  let apiKey: String?

  /// Says at once that nothing listens, instead of trying for as long as a request may take. Lives as long as the process.
  private static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }()

  /// The whole answer.
  ///
  /// - Throws: `ClientError`, with the server's own words where it gave some.
  func call(
    _ method: HTTPMethod, _ path: String, parameters: [(String, String)] = [], body: [UInt8]? = nil,
    contentType: String = "application/json"
  ) async throws -> [UInt8] {
    let response = try await send(
      method, path, parameters: parameters, body: body, contentType: contentType, seconds: 120)
    var bytes = try await response.body.collect(upTo: 1 << 30)
    return bytes.readBytes(length: bytes.readableBytes) ?? []
  }

  func decode<Value: Decodable>(
    _ type: Value.Type, _ method: HTTPMethod, _ path: String, parameters: [(String, String)] = [], body: [UInt8]? = nil
  ) async throws -> Value {
    let bytes = try await call(method, path, parameters: parameters, body: body)
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch {
      throw ClientError(description: "the answer of \(url)\(path) is not what this version understands")
    }
  }

  /// Calls `body` with each line of the answer as it comes.
  func lines(
    _ path: String, parameters: [(String, String)], _ body: ([UInt8]) throws -> Void
  ) async throws {
    let response = try await send(.GET, path, parameters: parameters, body: nil, contentType: "", seconds: 86_400)
    var partial: [UInt8] = []
    var chunks = response.body.makeAsyncIterator()
    while let buffer = try await next(of: &chunks) {
      for byte in buffer.readableBytesView {
        if byte == UInt8(ascii: "\n") {
          try body(partial)
          partial.removeAll(keepingCapacity: true)
        } else {
          partial.append(byte)
        }
      }
    }
    if !partial.isEmpty { try body(partial) }
  }

  /// The next bytes of an answer.
  ///
  /// - Throws: `ClientError` when the server ends it before it is whole.
  private func next(of chunks: inout HTTPClientResponse.Body.AsyncIterator) async throws -> ByteBuffer? {
    do {
      return try await chunks.next()
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      throw ClientError(description: "the server at \(url) ended its answer before it was whole", exitCode: 69)
    }
  }

  private func send(
    _ method: HTTPMethod, _ path: String, parameters: [(String, String)], body: [UInt8]?, contentType: String,
    seconds: Int64
  ) async throws -> HTTPClientResponse {
    let query = parameters.map { "\(APIClient.encoded($0.0))=\(APIClient.encoded($0.1))" }.joined(separator: "&")
    var request = HTTPClientRequest(url: url + path + (query.isEmpty ? "" : "?" + query))
    request.method = method
    if let apiKey { request.headers.add(name: "Authorization", value: "Bearer \(apiKey)") }
    if let body {
      request.headers.add(name: "Content-Type", value: contentType)
      request.body = .bytes(body)
    }
    let response: HTTPClientResponse
    do {
      response = try await APIClient.client.execute(request, timeout: .seconds(seconds))
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      throw ClientError(description: "can't reach a server at \(url): \(APIClient.reason(error))", exitCode: 69)
    }
    guard (200..<300).contains(response.status.code) else {
      throw ClientError(description: try await APIClient.explain(response))
    }
    return response
  }

  private static func reason(_ error: any Error) -> String {
    let text = String(describing: error)
    return text.contains("refused") ? "nothing listens there" : text
  }

  private struct ProblemDocument: Decodable {
    var title: String?
    var detail: String?
    var column: Int?
    var expected: String?
  }

  private static func explain(_ response: HTTPClientResponse) async throws -> String {
    let bytes = try await response.body.collect(upTo: 1 << 20)
    // A body that is no problem document leaves only the status to show.
    let problem = try? JSONDecoder().decode(ProblemDocument.self, from: Data(bytes.readableBytesView))
    var text = problem?.detail ?? problem?.title ?? "the server answered \(response.status.code)"
    if let expected = problem?.expected, !text.contains(expected) { text += " (expected \(expected))" }
    return text
  }

  static func encoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        result += digits.count == 1 ? "%0" + digits : "%" + digits
      }
    }
    return result
  }
}
