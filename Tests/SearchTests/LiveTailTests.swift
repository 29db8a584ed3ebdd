import Domain
import LogQuery
import Synchronization
import TestSupport
import Testing

@testable import Search

@Suite struct LiveTailTests {
  private let fixture: SearchFixture

  private final class Counter: Sendable {
    let value = Mutex(0)
  }

  init() throws { fixture = try SearchFixture() }

  private func line(_ second: Int64, _ message: String) -> LogLine {
    LogLine(moment(second), message, [("level", "info")])
  }

  @Test func `records that match arrive as they become durable, streams and patterns of the future too`() async throws {
    try await fixture.appliance.store([line(0, "told before")], fixture.acme)
    let events = try await fixture.search.tail(#"told -{pod="api-9"}"#, scope: fixture.acme)
    let iterator = events.makeAsyncIterator()

    try await fixture.appliance.store([line(1, "untouched")], fixture.acme)
    try await fixture.appliance.store([line(2, "told of another tenant")], fixture.globex)
    try await fixture.appliance.store(
      [LogLine(moment(2), "told apart", [("pod", "api-9")]), LogLine(moment(3), "told now", [("pod", "api-0")])],
      fixture.acme)
    var received: [String] = []
    while received.isEmpty, let event = try await iterator.next() {
      if case .rows(let batch) = event { received += batch.rows.map { $0.text("_msg") } }
    }
    #expect(received == ["told now"])
    await fixture.appliance.close()
  }

  @Test func `a tail ends when its tenant is closed`() async throws {
    let events = try await fixture.search.tail("*", scope: fixture.acme)
    await fixture.appliance.close()

    for try await _ in events {}
  }

  @Test func `a follower that does not take what comes is told how much it missed`() async throws {
    let listener = TailListener()
    for index in 0..<90 { listener.offer(TailBatch([SearchRow([("n", Array("\(index)".utf8))])])) }
    listener.drop(7)
    listener.finish(.success(()))

    var received = 0
    var dropped = 0
    while let event = try await listener.next() {
      switch event {
      case .rows(let batch): received += batch.rows.count
      case .dropped(let count): dropped += count
      case .idle: break
      }
    }
    #expect(received == TailListener.eventsMax)
    #expect(received + dropped == 97)
  }

  @Test func `thousands who follow the same share one evaluation, one text, and hear all of it`() async throws {
    let made = Counter()
    let followerCount = 2_000
    let filters = ["*", "even", #"{pod="api-0"}"#, "level:error"]
    let received = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
      for index in 0..<followerCount {
        let events = try await fixture.search.tail(filters[index % filters.count], scope: fixture.acme)
        group.addTask {
          var count = 0
          for try await event in events {
            guard case .rows(let batch) = event else { continue }
            count += batch.once { rows in
              made.value.withLock { $0 += 1 }
              return rows.count
            }
          }
          return (index % filters.count, count)
        }
      }
      for second in 0..<20 {
        try await fixture.appliance.store(
          (0..<10).map { index in
            LogLine(
              moment(Int64(second)), index % 2 == 0 ? "even \(index)" : "odd \(index)",
              [("pod", "api-\(index % 5)"), ("level", index == 3 ? "error" : "info")])
          }, fixture.acme)
      }
      await fixture.appliance.pool.closeAll()
      var received: [Set<Int>] = Array(repeating: [], count: filters.count)
      for try await (filter, count) in group { received[filter].insert(count) }
      return received
    }

    #expect(received == [[200], [100], [40], [20]])
    // A batch at most for each commit and filter, however many follow.
    #expect(made.value.withLock { $0 } <= 80)
    await fixture.appliance.close()
  }

  @Test func `the reader of commits ends with the last follower, and a new one begins anew`() async throws {
    var events: TailSubscription? = try await fixture.search.tail("*", scope: fixture.acme)
    let other = try await fixture.search.tail("nothing", scope: fixture.acme)
    #expect(fixture.search.tails.followerCount == 2)
    other.end()
    events = nil
    _ = events
    while fixture.search.tails.followerCount > 1 { await Task.yield() }

    let again = try await fixture.search.tail("*", scope: fixture.acme)
    try await fixture.appliance.store([line(1, "heard")], fixture.acme)
    guard case .rows(let batch) = try await again.next() else {
      Issue.record("nothing was heard")
      return
    }
    #expect(batch.rows.map { $0.text("_msg") } == ["heard"])
    await fixture.appliance.close()
  }

  @Test(arguments: ["* | sort by (_msg)", "* | fields _msg", "("])
  func `a query that cannot be followed is refused at once`(text: String) async throws {
    await #expect(throws: SearchError.self) { _ = try await fixture.search.tail(text, scope: fixture.acme) }
    await fixture.appliance.close()
  }
}
