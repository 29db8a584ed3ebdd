/// A request to an endpoint of models.
package struct ModelRequest: Sendable {
  package enum Method: String, Sendable { case get = "GET", post = "POST" }

  package var method: Method
  package var url: String
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  package var timeoutSeconds: Int
  /// Of the answer's body.
  package var bytesMax: Int
  /// Whose choice the address is: a tenant's leads to the public internet alone, wherever its name resolves to.
  package var owner: LanguageModelSettings.Owner
}

package struct ModelResponse: Sendable {
  package var status: Int
  package var body: [UInt8]

  package init(status: Int, body: [UInt8]) {
    self.status = status
    self.body = body
  }
}

/// Sends one request and gives the whole answer; follows no redirect.
///
/// Throws `.timeout`, `.unreachable`, `.refusedAddress` or `.answerTooLarge`, or `CancellationError`. A closure, so
/// that tests need no sockets.
package typealias ModelTransport = @Sendable (ModelRequest) async throws -> ModelResponse

extension ModelRequest {
  init(
    _ method: Method, _ url: String, key: EndpointKey?, body: [UInt8] = [], timeoutSeconds: Int, bytesMax: Int,
    owner: LanguageModelSettings.Owner
  ) {
    var headers: [(name: String, value: String)] = [("Accept", "application/json"), ("User-Agent", "timberline")]
    if method == .post { headers.append(("Content-Type", "application/json")) }
    if let key { headers.append(("Authorization", "Bearer \(key.text)")) }
    self.init(
      method: method, url: url, headers: headers, body: body, timeoutSeconds: timeoutSeconds, bytesMax: bytesMax,
      owner: owner)
  }
}

enum ModelExchange {
  /// Calls `transport`, turns whatever it throws into a failure, and cancels it when `clock` says that it is time.
  static func send(
    _ request: ModelRequest, by transport: @escaping ModelTransport, clock: any Clock<Duration>
  ) async throws(LanguageModelFailure) -> ModelResponse {
    let result = await withTaskGroup(of: Result<ModelResponse, LanguageModelFailure>.self) { group in
      group.addTask {
        do {
          let response = try await transport(request)
          if response.body.count > request.bytesMax { return .failure(.answerTooLarge(bytes: request.bytesMax)) }
          return .success(response)
        } catch let failure as LanguageModelFailure {
          return .failure(failure)
        } catch is CancellationError {
          return .failure(.cancelled)
        } catch {
          return .failure(.unreachable(LanguageModelSettings.shown("\(error)")))
        }
      }
      group.addTask {
        // Ends early only when the answer has come, and then nobody asks.
        do { try await clock.sleep(for: .seconds(request.timeoutSeconds)) } catch { return .failure(.cancelled) }
        return .failure(.timeout(seconds: request.timeoutSeconds))
      }
      let first = await group.next() ?? .failure(.cancelled)
      group.cancelAll()
      return first
    }
    let response = try result.get()
    if (300..<400).contains(response.status) { throw .redirected(status: response.status) }
    return response
  }
}
