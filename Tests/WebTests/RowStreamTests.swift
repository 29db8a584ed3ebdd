import Search
import Synchronization
import Testing

@testable import Web

@Suite(.timeLimit(.minutes(1))) struct RowStreamTests {
  private struct Failure: Error, Equatable {}

  private static func batch(_ number: Int) -> [SearchRow] { [SearchRow([("n", Array("\(number)".utf8))])] }

  /// What the query's task tells the test.
  private final class Record: Sendable {
    private let sent = Mutex(0)
    let ended: AsyncStream<(any Error)?>
    private let end: AsyncStream<(any Error)?>.Continuation

    init() { (ended, end) = AsyncStream.makeStream(of: (any Error)?.self) }

    var sentCount: Int { sent.withLock { $0 } }
    func didSend() { sent.withLock { $0 += 1 } }

    func didEnd(_ error: (any Error)?) {
      end.yield(error)
      end.finish()
    }

    /// The error with which the query ended.
    func outcome() async -> (any Error)? {
      for await error in ended { return error }
      return nil
    }
  }

  /// A query of `count` batches that tells `record` of itself.
  private func stream(_ count: Int, _ record: Record, failure: Failure? = nil) -> RowStream {
    RowStream { send in
      do {
        for number in 0..<count {
          try await send(Self.batch(number))
          record.didSend()
        }
        if let failure { throw failure }
        record.didEnd(nil)
      } catch {
        record.didEnd(error)
        throw error
      }
    }
  }

  @Test(arguments: [0, 1, 2, 500])
  func `every batch comes once, in order, and then the end`(count: Int) async throws {
    let stream = stream(count, Record())

    var batches: [[SearchRow]] = []
    while let batch = try await stream.next() { batches.append(batch) }

    #expect(batches == (0..<count).map(Self.batch))
    #expect(try await stream.next() == nil)
  }

  @Test func `the query waits for who takes its rows`() async throws {
    let record = Record()
    let stream = stream(100, record)

    for taken in 0..<100 {
      // However long the query has had: one batch at most stands ready.
      for _ in 0..<20 { await Task.yield() }
      #expect(record.sentCount <= taken)
      #expect(try await stream.next() == Self.batch(taken))
    }

    #expect(try await stream.next() == nil)
  }

  @Test func `an error before the first rows is thrown where they would come`() async {
    let stream = stream(0, Record(), failure: Failure())

    await #expect(throws: Failure.self) { try await stream.next() }
    await #expect(throws: Failure.self) { try await stream.next() }
  }

  @Test func `an error after rows comes after them`() async throws {
    let stream = stream(2, Record(), failure: Failure())

    #expect(try await stream.next() == Self.batch(0))
    #expect(try await stream.next() == Self.batch(1))
    await #expect(throws: Failure.self) { try await stream.next() }
  }

  @Test func `letting go of the stream ends a query that waits to send`() async throws {
    let record = Record()
    var stream: RowStream? = stream(1000, record)
    #expect(try await stream?.next() == Self.batch(0))

    stream = nil

    #expect(await record.outcome() is CancellationError)
  }

  @Test func `letting go before anything was asked for ends the query`() async {
    let record = Record()
    var stream: RowStream? = stream(1000, record)
    _ = stream

    stream = nil

    #expect(await record.outcome() is CancellationError)
  }

  @Test func `a reader that is cancelled ends the query and its own wait`() async {
    let record = Record()
    let (stopped, stop) = AsyncStream.makeStream(of: Void.self)
    let stream = RowStream { _ in
      // A query that finds nothing, and looks for cancellation between blocks.
      stop.finish()
      while !Task.isCancelled { await Task.yield() }
      record.didEnd(CancellationError())
      throw CancellationError()
    }
    let reader = Task { try await stream.next() }
    for await _ in stopped {}

    reader.cancel()

    #expect(await record.outcome() is CancellationError)
    await #expect(throws: CancellationError.self) { try await reader.value }
  }

  @Test func `many streams let go of at any moment leave no query behind`() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for round in 0..<200 {
        group.addTask {
          let record = Record()
          var stream: RowStream? = self.stream(round % 7 + 1, record)
          for taken in 0..<round % 5 {
            let batch = try await stream?.next()
            #expect(batch == (taken < round % 7 + 1 ? Self.batch(taken) : nil))
          }
          stream = nil
          // Either it had sent all before, or it was ended.
          let outcome = await record.outcome()
          #expect(outcome == nil || outcome is CancellationError)
        }
      }
      try await group.waitForAll()
    }
  }
}
