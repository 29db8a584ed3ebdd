import Identity
import ServiceLifecycle
import Storage

/// A server in this process, on a loopback port of its own, for as long as one command runs.
enum LocalServer {
  /// Runs `body` with a client of a server on `configuration`'s data folder. Its key lives only in this process.
  static func run(_ configuration: Configuration, _ body: (APIClient) async throws -> Void) async throws {
    let logger = ServerRun.logger(.error)
    let key = AccessPolicy.makeProcessKey()
    let assembly: Assembly
    do {
      assembly = try await Assembly(configuration, logger: logger, processKey: key)
    } catch let error as StorageError {
      throw FailureMessage("\(error)")
    }
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    let server = assembly.server { port in
      announce.yield(port)
      announce.finish()
    }
    let group = ServiceGroup(services: [StorageService(assembly: assembly), server], logger: logger)
    let running = Task {
      // A server that can't start announces no port, and must not be waited for.
      defer { announce.finish() }
      try await group.run()
    }
    var outcome: Result<Void, any Error> = .success(())
    for await port in ports {
      do {
        try await body(APIClient(url: "http://127.0.0.1:\(port)", apiKey: key))
      } catch {
        outcome = .failure(error)
      }
    }
    await group.triggerGracefulShutdown()
    try await running.value
    try outcome.get()
  }
}
