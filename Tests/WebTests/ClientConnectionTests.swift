import Synchronization
import Testing

@testable import Web

@Suite struct ClientConnectionTests {
  private final class Counter: Sendable {
    let value = Mutex(0)

    func add() { value.withLock { $0 += 1 } }
    var count: Int { value.withLock { $0 } }
  }

  @Test func `who watches a connection is told once when it closes, and not after letting go`() {
    let connection = ClientConnection()
    let (told, forgotten, late) = (Counter(), Counter(), Counter())
    let watch = connection.onClose { told.add() }
    do {
      let gone = connection.onClose { forgotten.add() }
      withExtendedLifetime(gone) {}
    }

    connection.close()
    connection.close()
    let none = connection.onClose { late.add() }
    #expect(none == nil)

    #expect(told.count == 1)
    #expect(forgotten.count == 0)
    #expect(late.count == 1)
    withExtendedLifetime(watch) {}
  }

  @Test func `work ends with its client`() async throws {
    let connection = ClientConnection()
    let (starts, start) = AsyncStream.makeStream(of: Void.self)
    let work = Task {
      try await ClientConnection.$current.withValue(connection) {
        try await untilClientLeaves {
          start.yield()
          // Nothing ever comes: it ends by being canceled only.
          let (nothing, keeper) = AsyncStream.makeStream(of: Void.self)
          for await _ in nothing {}
          withExtendedLifetime(keeper) {}
          try Task.checkCancellation()
        }
      }
    }
    for await _ in starts { break }

    connection.close()

    await #expect(throws: CancellationError.self) { try await work.value }
  }
}
