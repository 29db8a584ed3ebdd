import FoundationEssentials
import HTTPTypes
import Synchronization
import Testing

@testable import Web

/// Answers of rows as clients read them, through the routes.
@Suite(.timeLimit(.minutes(1))) struct RowResponseTests {
  private struct Record: Decodable { var log: String }

  private func body(_ numbers: Range<Int>) -> [UInt8] {
    numbers.flatMap { Array("{\"timestamp\":\(1_799_990_000 + $0),\"message\":\"n \($0)\"}\n".utf8) }
  }

  @Test(arguments: [0, 1, 2, 700])
  func `an array of records is whole, however many batches it came in`(count: Int) async throws {
    try await TestServer.run { server in
      if count > 0 {
        _ = try await server.answer(.post, "/api/v1/logs/stream", key: server.keys[0], body: body(0..<count))
      }

      let answer = try await server.answer(.get, "/api/v1/logs?limit=10000", key: server.keys[0])

      #expect(answer.headers[.contentType] == "application/json")
      #expect(try answer.decoded([Record].self).map(\.log) == (0..<count).reversed().map { "n \($0)" })
    }
  }

  @Test(arguments: [0, 1, 700])
  func `lines of records are one object each`(count: Int) async throws {
    try await TestServer.run { server in
      if count > 0 {
        _ = try await server.answer(.post, "/api/v1/logs/stream", key: server.keys[0], body: body(0..<count))
      }

      let answer = try await server.answer(.get, "/api/v1/logs/query?limit=10000", key: server.keys[0])

      #expect(answer.headers[.contentType] == "application/x-ndjson")
      let lines = answer.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      #expect(lines.count == count)
      for (line, number) in zip(lines, (0..<count).reversed()) {
        let record = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
        #expect(record["_msg"] == "n \(number)")
        #expect(record["_id"]?.isEmpty == false && record["_time"]?.isEmpty == false)
      }
    }
  }

  @Test func `a follower hears what comes, and ends with its client`() async throws {
    try await TestServer.run { server in
      let key = server.keys[0]
      let (events, heard) = AsyncStream.makeStream(of: String.self)
      let tail = Task {
        try await server.follow("/api/v1/logs/tail?query=canary", key: key) { text in
          heard.yield(text)
          // A connection that was closed refuses what is written to it.
          if text.contains("data: ") { throw ClientGone() }
        }
      }
      var iterator = events.makeAsyncIterator()
      #expect(await iterator.next() == ": following\n\n")

      for (tenant, message) in [(1, "canary of another"), (0, "sparrow"), (0, "canary mine")] {
        let answer = try await server.answer(
          .post, "/api/v1/logs/stream", key: server.keys[tenant], body: "{\"message\":\"\(message)\"}".utf8)
        #expect(answer.status == 200)
      }

      let event = try #require(await iterator.next())
      #expect(event.hasPrefix("data: {") && event.hasSuffix("}\n\n"))
      #expect(event.contains("\"_msg\":\"canary mine\"") && !event.contains("another") && !event.contains("sparrow"))
      await #expect(throws: ClientGone.self) { try await tail.value }
    }
  }

  private struct ClientGone: Error {}
}
