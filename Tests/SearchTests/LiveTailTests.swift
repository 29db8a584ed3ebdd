import Domain
import LogQuery
import TestSupport
import Testing

@testable import Search

@Suite struct LiveTailTests {
  private let fixture: SearchFixture

  init() throws { fixture = try SearchFixture() }

  private func line(_ second: Int64, _ message: String) -> LogLine {
    LogLine(moment(second), message, [("level", "info")])
  }

  @Test func `records that match arrive as they become durable, streams and patterns of the future too`() async throws {
    try await fixture.appliance.store([line(0, "told before")], fixture.acme)
    let events = try await fixture.search.tail(#"told -{pod="api-9"}"#, scope: fixture.acme)
    var iterator = events.makeAsyncIterator()

    try await fixture.appliance.store([line(1, "untouched")], fixture.acme)
    try await fixture.appliance.store([line(2, "told of another tenant")], fixture.globex)
    try await fixture.appliance.store(
      [LogLine(moment(2), "told apart", [("pod", "api-9")]), LogLine(moment(3), "told now", [("pod", "api-0")])],
      fixture.acme)
    var received: [String] = []
    while received.isEmpty, let event = try await iterator.next() {
      if case .rows(let rows) = event { received += rows.map { $0.text("_msg") } }
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
    let events = try await fixture.search.tail("*", scope: fixture.acme)
    let count = 90
    for index in 0..<count { try await fixture.appliance.store([line(Int64(index), "record \(index)")], fixture.acme) }
    await fixture.appliance.pool.closeAll()

    // What arrives and what was passed over make no more than there was; the loss at the very end may stay untold.
    var received = 0
    var dropped = 0
    for try await event in events {
      switch event {
      case .rows(let rows): received += rows.count
      case .dropped(let count): dropped += count
      case .idle: break
      }
    }
    #expect(received + dropped <= count)
    #expect(received >= 64)
    await fixture.appliance.close()
  }

  @Test(arguments: ["* | sort by (_msg)", "* | fields _msg", "("])
  func `a query that cannot be followed is refused at once`(text: String) async throws {
    await #expect(throws: SearchError.self) { _ = try await fixture.search.tail(text, scope: fixture.acme) }
    await fixture.appliance.close()
  }
}
