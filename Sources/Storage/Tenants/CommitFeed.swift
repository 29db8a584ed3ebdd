package import Domain
internal import Synchronization

/// What one transaction made durable.
package struct Commit: Sendable {
  /// Counts commits of this tenant since it was opened, from 1.
  package let sequence: Int64
  package let columns: RecordColumns
  /// Templates `0..<templateCount` are durable.
  package let templateCount: Int
}

package enum CommitEvent: Sendable {
  case commit(Commit)
  /// The follower was too slow, and this many records passed it by.
  case dropped(recordCount: Int)
}

/// One commit, many followers: live tail, the indexer. A follower that does not keep up loses records, never slows
/// the commit.
package final class CommitFeed: Sendable {
  private struct State {
    var followers: [ObjectIdentifier: WeakFollower] = [:]
    var isFinished = false
  }
  private struct WeakFollower {
    weak var follower: CommitFollower?
  }
  private let state = Mutex(State())
  private let uses: UseCount

  init(uses: UseCount) { self.uses = uses }

  /// Follows the commits from now on until the follower is dropped or the database closes.
  ///
  /// - Parameters:
  ///   - bufferedRecordsMax: Records that may wait for the follower; a single commit always may.
  ///   - keepsOpen: Whether the tenant stays open for the follower's sake: so for a person who watches, not for an
  ///     index.
  package func follow(bufferedRecordsMax: Int = 16_384, keepsOpen: Bool = false) -> CommitFollower {
    let follower = CommitFollower(bufferedRecordsMax: bufferedRecordsMax, use: keepsOpen ? uses.begin() : nil)
    let isFinished = state.withLock { state in
      if !state.isFinished { state.followers[ObjectIdentifier(follower)] = WeakFollower(follower: follower) }
      return state.isFinished
    }
    if isFinished { follower.finish() }
    return follower
  }

  func publish(_ commits: [Commit]) {
    for follower in living() { for commit in commits { follower.offer(commit) } }
  }

  func finish() {
    let followers = state.withLock { state in
      state.isFinished = true
      defer { state.followers = [:] }
      return state.followers.values.compactMap(\.follower)
    }
    for follower in followers { follower.finish() }
  }

  private func living() -> [CommitFollower] {
    state.withLock { state in
      state.followers = state.followers.filter { $0.value.follower != nil }
      return state.followers.values.compactMap(\.follower)
    }
  }
}

/// One follower's place in the feed. For one consumer.
package final class CommitFollower: AsyncSequence, AsyncIteratorProtocol, Sendable {
  package typealias Element = CommitEvent

  private struct State {
    var events: [CommitEvent] = []
    var recordCount = 0
    var isFinished = false
    var waiting: CheckedContinuation<CommitEvent?, Never>?
  }
  private let state = Mutex(State())
  private let bufferedRecordsMax: Int

  private let use: UseCount.Use?

  init(bufferedRecordsMax: Int, use: UseCount.Use?) {
    self.bufferedRecordsMax = bufferedRecordsMax
    self.use = use
  }

  package func makeAsyncIterator() -> CommitFollower { self }

  /// The next event; nil when the feed ended or the task is cancelled.
  package func next() async -> CommitEvent? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (event, isKnown): (CommitEvent?, Bool) = state.withLock { state in
          if !state.events.isEmpty {
            let event = state.events.removeFirst()
            if case .commit(let commit) = event { state.recordCount -= commit.columns.count }
            return (event, true)
          }
          if state.isFinished || Task.isCancelled { return (nil, true) }
          state.waiting = continuation
          return (nil, false)
        }
        if isKnown { continuation.resume(returning: event) }
      }
    } onCancel: {
      finish()
    }
  }

  func offer(_ commit: Commit) {
    let waiting: CheckedContinuation<CommitEvent?, Never>? = state.withLock { state in
      guard !state.isFinished else { return nil }
      if let waiting = state.waiting {
        state.waiting = nil
        return waiting
      }
      if state.events.isEmpty || state.recordCount + commit.columns.count <= bufferedRecordsMax {
        state.events.append(.commit(commit))
        state.recordCount += commit.columns.count
      } else if case .dropped(let count) = state.events[state.events.count - 1] {
        state.events[state.events.count - 1] = .dropped(recordCount: count + commit.columns.count)
      } else {
        state.events.append(.dropped(recordCount: commit.columns.count))
      }
      return nil
    }
    waiting?.resume(returning: .commit(commit))
  }

  func finish() {
    let waiting: CheckedContinuation<CommitEvent?, Never>? = state.withLock { state in
      state.isFinished = true
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.resume(returning: nil)
  }
}
