internal import AsyncHTTPClient
internal import Foundation
internal import Synchronization

/// Sends requests of models over HTTP. Redirects are not followed, and of a tenant's endpoint the address that is
/// checked is the one that is called.
package final class AsyncHTTPTransport: Sendable {
  private let state = Mutex(State.unused)

  /// A client is made when somebody asks a model: most servers have none.
  private enum State {
    case unused
    case open(HTTPClient)
    case closed
  }

  package init() {}

  private func client() throws -> HTTPClient {
    try state.withLock { state in
      switch state {
      case .open(let client): return client
      case .closed: throw CancellationError()
      case .unused:
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: Self.configuration)
        state = .open(client)
        return client
      }
    }
  }

  private static var configuration: HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.timeout.connect = .seconds(5)
    return configuration
  }

  package func shutdown() async throws {
    let client = state.withLock { state -> HTTPClient? in
      defer { state = .closed }
      if case .open(let client) = state { return client }
      return nil
    }
    try await client?.shutdown()
  }

  package func send(_ request: ModelRequest) async throws -> ModelResponse {
    guard request.owner == .tenant else { return try await send(request, by: client()) }
    // A name can lead to the public internet when it is checked and elsewhere when it is called: the connection goes to
    // the address that was looked at, under the name that was asked for.
    let host = try EndpointURL(String(request.url.prefix { $0 != "?" }), owner: .tenant).host
    let address = try await Self.publicAddress(of: host)
    var configuration = Self.configuration
    configuration.dnsOverride = [host: address]
    let own = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      let response = try await send(request, by: own)
      try await own.shutdown()
      return response
    } catch {
      // The first error is the one that tells; a client that cannot be shut down has nothing to add.
      try? await own.shutdown()
      throw error
    }
  }

  private func send(_ request: ModelRequest, by client: HTTPClient) async throws -> ModelResponse {
    var outgoing = HTTPClientRequest(url: request.url)
    outgoing.method = request.method == .get ? .GET : .POST
    for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
    if request.method == .post { outgoing.body = .bytes(request.body) }
    do {
      let response = try await client.execute(outgoing, timeout: .seconds(Int64(request.timeoutSeconds)))
      var body: [UInt8] = []
      for try await part in response.body {
        body += part.readableBytesView
        if body.count > request.bytesMax { throw LanguageModelFailure.answerTooLarge(bytes: request.bytesMax) }
      }
      return ModelResponse(status: Int(response.status.code), body: body)
    } catch let error as HTTPClientError {
      switch error {
      case .deadlineExceeded, .readTimeout, .connectTimeout:
        throw LanguageModelFailure.timeout(seconds: request.timeoutSeconds)
      case .cancelled: throw CancellationError()
      default: throw LanguageModelFailure.unreachable(error.shortDescription)
      }
    } catch let failure as LanguageModelFailure {
      throw failure
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      // Connection refused, unknown host, a certificate that does not hold.
      throw LanguageModelFailure.unreachable(LanguageModelSettings.shown("\(type(of: error))"))
    }
  }

  /// The first address of `host`; all must be of the public internet.
  private static func publicAddress(of host: String) async throws -> String {
    // Looking up a name blocks its thread.
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global(qos: .utility).async {
        continuation.resume(with: Result { try lookUp(host) })
      }
    }
  }

  private static func lookUp(_ host: String) throws -> String {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &list) == 0, let list else {
      throw LanguageModelFailure.unreachable("the host's name is not known")
    }
    defer { freeaddrinfo(list) }
    var first: String?
    var next: UnsafeMutablePointer<addrinfo>? = list
    while let entry = next {
      next = entry.pointee.ai_next
      let isInner: Bool
      if entry.pointee.ai_family == AF_INET, let address = entry.pointee.ai_addr {
        let bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
          withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) }
        }
        isInner = NetworkAddress.isInner(v4: bytes)
      } else if entry.pointee.ai_family == AF_INET6, let address = entry.pointee.ai_addr {
        let bytes = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
          withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) }
        }
        isInner = NetworkAddress.isInner(v6: bytes)
      } else {
        continue
      }
      if isInner { throw LanguageModelFailure.refusedAddress(host) }
      guard first == nil, let address = entry.pointee.ai_addr else { continue }
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      if getnameinfo(address, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 {
        first = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      }
    }
    guard let first else { throw LanguageModelFailure.unreachable("the host's name is not known") }
    return first
  }
}
