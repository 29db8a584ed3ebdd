import Synchronization

/// Matching rows of one moment, shared by all who follow the same filter.
package final class TailBatch: Sendable {
  package let rows: [SearchRow]
  private let made = Mutex<(any Sendable)?>(nil)

  init(_ rows: [SearchRow]) { self.rows = rows }

  /// What `make` made of the rows: it runs once, however many ask.
  package func once<Value: Sendable>(_ make: ([SearchRow]) -> Value) -> Value {
    made.withLock { made in
      if let value = made as? Value { return value }
      let value = make(rows)
      made = value
      return value
    }
  }
}

/// One follower's events, until it lets go of this.
package final class TailSubscription: AsyncSequence, AsyncIteratorProtocol, Sendable {
  package typealias Element = TailEvent

  private let listener: TailListener
  private let leave: @Sendable () -> Void

  init(_ listener: TailListener, leave: @escaping @Sendable () -> Void) {
    self.listener = listener
    self.leave = leave
  }

  deinit { leave() }

  package func makeAsyncIterator() -> TailSubscription { self }

  /// Nil once the tenant was closed, the task canceled, or `end` called.
  package func next() async throws -> TailEvent? { try await listener.next() }

  package func end() { listener.finish(.success(())) }
}

/// Where a follower's events wait for it: a bounded number, what comes on top is counted and told.
final class TailListener: Sendable {
  private struct State {
    var events: [TailEvent] = []
    var lost = 0
    var isQuiet = true
    var end: Result<Void, any Error>?
    var waiting: CheckedContinuation<TailEvent?, any Error>?
  }

  static let eventsMax = 64
  private let state = Mutex(State())

  func offer(_ batch: TailBatch) {
    offer { state in
      if state.events.count >= TailListener.eventsMax {
        state.lost += batch.rows.count
        return nil
      }
      if state.lost > 0 {
        state.events.append(.dropped(state.lost))
        state.lost = 0
      }
      return .rows(batch)
    }
  }

  func drop(_ count: Int) {
    offer { state in
      if state.events.isEmpty, state.lost == 0 { return .dropped(count) }
      state.lost += count
      return nil
    }
  }

  /// A sign of life, if there was none since the last beat.
  func beat() {
    offer { state in
      defer { state.isQuiet = true }
      return state.isQuiet && state.events.isEmpty ? .idle : nil
    }
  }

  private func offer(_ next: (inout State) -> TailEvent?) {
    let (waiting, event) = state.withLock { state -> (CheckedContinuation<TailEvent?, any Error>?, TailEvent?) in
      guard state.end == nil, let event = next(&state) else { return (nil, nil) }
      if case .idle = event {} else { state.isQuiet = false }
      if let waiting = state.waiting {
        state.waiting = nil
        return (waiting, event)
      }
      state.events.append(event)
      return (nil, nil)
    }
    waiting?.resume(returning: event)
  }

  func finish(_ result: Result<Void, any Error>) {
    let waiting = state.withLock { state in
      if state.end == nil { state.end = result }
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.resume(with: result.map { nil })
  }

  func next() async throws -> TailEvent? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let known = state.withLock { state -> Result<TailEvent?, any Error>? in
          if !state.events.isEmpty { return .success(state.events.removeFirst()) }
          if state.lost > 0 {
            defer { state.lost = 0 }
            return .success(.dropped(state.lost))
          }
          if let end = state.end { return end.map { nil } }
          if Task.isCancelled { return .success(nil) }
          state.waiting = continuation
          return nil
        }
        if let known { continuation.resume(with: known) }
      }
    } onCancel: {
      finish(.success(()))
    }
  }
}
