import Search
import Synchronization

/// Rows of a running query, one batch at a time from the task that finds them to the one that sends them: a sender that is slow makes
/// the query wait. Letting go of the stream ends the query.
final class RowStream: Sendable {
  private struct State {
    var batch: [SearchRow]?
    var end: Result<Void, any Error>?
    var producer: CheckedContinuation<Void, Never>?
    var consumer: CheckedContinuation<[SearchRow]?, any Error>?
  }

  private let state: SharedState
  private let query: Task<Void, Never>
  private let watch: ClientConnection.Watch?

  /// What the query's task and the stream share, so that the task does not hold the stream.
  private final class SharedState: Sendable {
    let mutex = Mutex(State())

    func send(_ batch: [SearchRow]) async throws {
      try Task.checkCancellation()
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          mutex.withLock { state in
            if let consumer = state.consumer {
              state.consumer = nil
              consumer.resume(returning: batch)
              continuation.resume()
            } else if Task.isCancelled {
              continuation.resume()
            } else {
              state.batch = batch
              state.producer = continuation
            }
          }
        }
      } onCancel: {
        mutex.withLock { state in
          state.producer?.resume()
          state.producer = nil
        }
      }
      try Task.checkCancellation()
    }

    func finish(_ result: Result<Void, any Error>) {
      mutex.withLock { state in
        state.end = result
        if let consumer = state.consumer {
          state.consumer = nil
          consumer.resume(with: result.map { nil })
        }
      }
    }
  }

  convenience init(_ query: SearchService.PreparedQuery) {
    self.init { send in try await query.run(send) }
  }

  /// - Parameter query: Calls `send` with each batch, which returns once the batch before it was taken.
  init(
    _ query: @escaping @Sendable (_ send: @Sendable ([SearchRow]) async throws -> Void) async throws -> Void
  ) {
    let state = SharedState()
    self.state = state
    let task = Task {
      do {
        try await query { try await state.send($0) }
        state.finish(.success(()))
      } catch {
        state.finish(.failure(error))
      }
    }
    self.query = task
    // A client that has gone is not noticed by sending while there is nothing to send.
    watch = ClientConnection.current?.onClose { task.cancel() }
  }

  deinit { query.cancel() }

  /// The next rows; nil at the end.
  ///
  /// - Throws: What the query threw.
  func next() async throws -> [SearchRow]? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        state.mutex.withLock { state in
          if let batch = state.batch {
            state.batch = nil
            state.producer?.resume()
            state.producer = nil
            continuation.resume(returning: batch)
          } else if let end = state.end {
            continuation.resume(with: end.map { nil })
          } else {
            state.consumer = continuation
          }
        }
      }
    } onCancel: {
      // The query ends, and with it the wait.
      query.cancel()
    }
  }
}
