import ServiceLifecycle

/// A service whose graceful end takes no longer than a bound: then what is left of it (a half-sent request, a tail) is cut off.
struct BoundedDrain<Wrapped: Service>: Service {
  let service: Wrapped
  let duration: Duration

  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      let service = service
      let duration = duration
      group.addTask { try await service.run() }
      group.addTask {
        try await gracefulShutdown()
        try await Task.sleep(for: duration)
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}
