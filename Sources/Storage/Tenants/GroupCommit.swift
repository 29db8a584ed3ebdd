internal import Domain
internal import Synchronization

/// All requests that wait at one moment share one durable transaction.
///
/// The file's own queue is the leader: while it writes one group, the next one gathers. A transaction costs one sync
/// whatever it holds, so the busier the tenant, the cheaper a request.
final class GroupCommit: Sendable {
  /// One request's records.
  struct Entry: Sendable {
    var columns: RecordColumns
    var segment: SegmentTable.Row
    var minTime: Timestamp
    var maxTime: Timestamp
  }

  private struct Waiting {
    var entry: Entry
    var continuation: CheckedContinuation<Result<Receipt, StorageError>, Never>
  }
  private struct State {
    var waiting: [Waiting] = []
    var isScheduled = false
    var reservedByteCount = 0
  }
  private let state = Mutex(State())
  private let file: DatabaseFile
  private let waitingByteCountMax: Int
  private let commitByteCountMax: Int

  init(file: DatabaseFile, waitingByteCountMax: Int, commitByteCountMax: Int) {
    self.file = file
    self.waitingByteCountMax = waitingByteCountMax
    self.commitByteCountMax = commitByteCountMax
  }

  /// Makes room for a request while it is encoded and waits.
  ///
  /// - Throws: `.busy` if more waits than the bound allows. A request alone always passes.
  func reserve(_ byteCount: Int) throws(StorageError) {
    let isTaken = state.withLock { state in
      guard state.reservedByteCount == 0 || state.reservedByteCount + byteCount <= waitingByteCountMax else {
        return false
      }
      state.reservedByteCount += byteCount
      return true
    }
    guard isTaken else {
      throw StorageError(
        .busy(retryAfterSeconds: 1), "taking records", at: file.path,
        cause: "\(waitingByteCountMax) bytes wait to be written already", remedy: "Send again after a second.")
    }
  }

  /// Requests that wait for a transaction.
  var waitingCount: Int { state.withLock { $0.waiting.count } }

  func release(_ byteCount: Int) { state.withLock { $0.reservedByteCount -= byteCount } }

  /// Returns when the records are durable.
  ///
  /// - Parameter commit: Writes a group in one transaction, on the file's queue; answers a receipt an entry.
  func append(
    _ entry: Entry, commit: @escaping @Sendable ([Entry]) throws(StorageError) -> [Receipt]
  ) async throws(StorageError) -> Receipt {
    let result = await withCheckedContinuation { continuation in
      let mustSchedule = state.withLock { state in
        state.waiting.append(Waiting(entry: entry, continuation: continuation))
        defer { state.isScheduled = true }
        return !state.isScheduled
      }
      if mustSchedule { schedule(commit) }
    }
    return try result.get()
  }

  private func schedule(_ commit: @escaping @Sendable ([Entry]) throws(StorageError) -> [Receipt]) {
    file.enqueue { [self] in
      let group = takeGroup()
      let result = Result { () throws(StorageError) in try commit(group.map(\.entry)) }
      for (index, waiting) in group.enumerated() {
        waiting.continuation.resume(returning: result.map { $0[index] })
      }
      let hasMore = state.withLock { state in
        state.isScheduled = !state.waiting.isEmpty
        return state.isScheduled
      }
      if hasMore { schedule(commit) }
    }
  }

  private func takeGroup() -> [Waiting] {
    state.withLock { state in
      var byteCount = 0
      var count = 0
      while count < state.waiting.count, count == 0 || byteCount < commitByteCountMax {
        byteCount += state.waiting[count].entry.segment.data.count
        count += 1
      }
      let group = Array(state.waiting[..<count])
      state.waiting.removeFirst(count)
      return group
    }
  }
}
