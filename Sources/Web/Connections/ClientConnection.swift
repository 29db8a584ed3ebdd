import Synchronization

/// A client's connection, as whoever works for it may know it: work in progress ends with it.
final class ClientConnection: Sendable {
  /// Of the request that the current task answers; nil without a socket.
  @TaskLocal static var current: ClientConnection?

  private struct State {
    var isClosed = false
    var nextNumber = 0
    var watchers: [Int: @Sendable () -> Void] = [:]
  }

  private let state = Mutex(State())

  /// Has `body` called once when the connection closes, at once if it has; until the answer is let go of.
  func onClose(_ body: @escaping @Sendable () -> Void) -> Watch? {
    let number = state.withLock { state -> Int? in
      if state.isClosed { return nil }
      state.nextNumber += 1
      state.watchers[state.nextNumber] = body
      return state.nextNumber
    }
    guard let number else {
      body()
      return nil
    }
    return Watch(connection: self, number: number)
  }

  func close() {
    let watchers = state.withLock { state in
      state.isClosed = true
      defer { state.watchers = [:] }
      return state.watchers.values
    }
    for body in watchers { body() }
  }

  final class Watch: Sendable {
    private let connection: ClientConnection
    private let number: Int

    fileprivate init(connection: ClientConnection, number: Int) {
      self.connection = connection
      self.number = number
    }

    deinit { _ = connection.state.withLock { $0.watchers.removeValue(forKey: number) } }
  }
}

/// Runs `body`; the task that runs it is canceled when the client goes away.
func untilClientLeaves<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
  guard let connection = ClientConnection.current else { return try await body() }
  let task = Task { try await body() }
  let watch = connection.onClose { task.cancel() }
  defer { withExtendedLifetime(watch) {} }
  return try await withTaskCancellationHandler {
    try await task.value
  } onCancel: {
    task.cancel()
  }
}
