import Domain
import Embedding
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Indexing

/// Knows one thing: which texts are about drinks.
private final class DrinksEmbedder: Embedder {
  let identity: String
  let dimension = 2
  private let asked = Mutex<[String]>([])

  init(identity: String = "drinks-1") { self.identity = identity }

  /// Texts that were embedded since the last look, sorted.
  func takeAsked() -> [String] {
    asked.withLock { asked in
      defer { asked = [] }
      return asked.sorted()
    }
  }

  func embed(_ text: String) -> [Float] {
    asked.withLock { $0.append(text) }
    if text.contains("unknown") { return [0, 0] }
    return text.contains("tea") || text.contains("coffee") ? [1, 0] : [0, 1]
  }
}

/// Whose waits are over at once, or never.
private final class TestClock: Clock {
  struct Instant: InstantProtocol {
    var offset: Duration = .zero

    func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    func duration(to other: Instant) -> Duration { other.offset - offset }
    static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  private let patient = Mutex(false)
  var now: Instant { Instant() }
  var minimumResolution: Duration { .zero }

  /// A busy machine is slower than any wait.
  static var patient: TestClock {
    let clock = TestClock()
    clock.waitForever()
    return clock
  }

  func waitForever() { patient.withLock { $0 = true } }

  func `sleep`(until deadline: Instant, tolerance: Duration?) async throws {
    guard patient.withLock({ $0 }) else { return }
    // Nobody sends anything: ends when the task is cancelled.
    let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
    for await _ in stream {}
    withExtendedLifetime(continuation) {}
  }
}

@Suite struct SecondStageTests {
  private let appliance: TestAppliance
  private let lines = [
    "beverage machine stopped", "coffee is empty", "disk is full", "user logged in",
  ]

  init() throws { appliance = try TestAppliance() }

  private func store() async throws -> TenantDatabase {
    try await appliance.store(
      lines.map { LogLine(Timestamp(seconds: 1_800_000_000), pod: "a", container: "a", level: "info", $0) },
      appliance.acme)
    return try await appliance.pool.open(appliance.acme)
  }

  private func stage(_ embedder: DrinksEmbedder, _ database: TenantDatabase) -> SecondStage {
    SecondStage(SecondStageModel(embedder), database: database, clock: TestClock.patient, logger: .quiet)
  }

  @Test func `what the larger model calls near comes first, though no word is the same`() async throws {
    let database = try await store()
    let text = "tea machine stopped"
    let builtIn = TenantIndex(database, logger: .quiet)
    let ranked = TenantIndex(
      database, secondStage: SecondStageModel(DrinksEmbedder()), clock: TestClock.patient, logger: .quiet)

    let before = try await builtIn.nearest(to: text, limit: 4)
    let after = try await ranked.nearest(to: text, limit: 4)

    let map = try await ranked.current()
    #expect(before.first.flatMap { map.pattern($0.pattern)?.text } == "beverage machine stopped")
    #expect(after.first.flatMap { map.pattern($0.pattern)?.text } == "coffee is empty")
    #expect(after.first?.score == 1)
  }

  @Test func `a pattern is embedded once, also over a restart, and again when its text has changed`() async throws {
    let database = try await store()
    let embedder = DrinksEmbedder()
    let patterns: [(id: UInt32, text: String)] = [(1, "coffee is empty"), (2, "disk is full")]
    let first = stage(embedder, database)
    #expect(await first.opinion(on: "tea", patterns: patterns)?.cosines == [1: 1, 2: 0])
    #expect(embedder.takeAsked() == ["coffee is empty", "disk is full", "tea"])

    _ = await first.opinion(on: "tea", patterns: patterns)
    #expect(embedder.takeAsked().isEmpty)

    await first.stop()
    let second = stage(embedder, database)
    let changed: [(id: UInt32, text: String)] = [(1, "coffee is <*>"), (2, "disk is full")]
    #expect(await second.opinion(on: "tea", patterns: changed)?.cosines == [1: 1, 2: 0])
    #expect(embedder.takeAsked() == ["coffee is <*>", "tea"])
  }

  @Test func `another model's vectors are not taken for its own, and go`() async throws {
    let database = try await store()
    let patterns: [(id: UInt32, text: String)] = [(1, "coffee is empty")]
    let old = stage(DrinksEmbedder(identity: "drinks-0"), database)
    _ = await old.opinion(on: "tea", patterns: patterns)
    await old.stop()
    let embedder = DrinksEmbedder()
    let new = stage(embedder, database)
    _ = await new.opinion(on: "tea", patterns: patterns)
    await new.stop()

    #expect(embedder.takeAsked() == ["coffee is empty", "tea"])
    #expect(try await database.vectors.load(identity: old.identity).isEmpty)
    #expect(try await database.vectors.load(identity: new.identity).map(\.pattern) == [1])
  }

  @Test func `a search does not wait long for what is missing, and the next one has it`() async throws {
    let database = try await store()
    let clock = TestClock()
    let stage = SecondStage(SecondStageModel(DrinksEmbedder()), database: database, clock: clock, logger: .quiet)
    let patterns = (1...4096).map { (id: UInt32($0), text: "coffee number \($0)") }

    #expect(await stage.opinion(on: "tea", patterns: patterns) == nil)
    clock.waitForever()
    #expect(await stage.opinion(on: "tea", patterns: patterns)?.cosines.count == patterns.count)
  }

  @Test func `where the model cannot be asked, it has no say, and is asked again`() async throws {
    let database = try await store()
    let isAway = Mutex(true)
    let model = SecondStageModel(identity: "away") { texts in
      isAway.withLock { $0 } ? nil : texts.map { _ in [0, 1, 0] }
    }
    let stage = SecondStage(model, database: database, clock: TestClock.patient, logger: .quiet)

    #expect(await stage.opinion(on: "tea", patterns: [(1, "disk is full")]) == nil)
    isAway.withLock { $0 = false }
    #expect(await stage.opinion(on: "tea", patterns: [(1, "disk is full")])?.cosines == [1: 1])
  }

  @Test func `vectors of another length than before are made anew`() async throws {
    let database = try await store()
    let length = Mutex(3)
    let model = SecondStageModel(identity: "changing") { texts in
      texts.map { _ in [1] + [Float](repeating: 0, count: length.withLock { $0 } - 1) }
    }
    let stage = SecondStage(model, database: database, clock: TestClock.patient, logger: .quiet)
    #expect(await stage.opinion(on: "tea", patterns: [(1, "disk is full")])?.cosines == [1: 1])
    length.withLock { $0 = 4 }
    #expect(await stage.opinion(on: "coffee", patterns: [(1, "disk is full")])?.cosines == [1: 1])
  }

  @Test func `a model that knows nothing of the text has no say`() async throws {
    let database = try await store()
    #expect(await stage(DrinksEmbedder(), database).opinion(on: "unknown", patterns: [(1, "disk is full")]) == nil)
  }

  @Test func `what is no model is refused, and nothing of it stays`() throws {
    let folder = ModelFolder(dataFolder: appliance.directory.path)
    #expect(throws: ModelFolder.Failure.self) { try folder.add("/nowhere/at/all") }
    let failure = #expect(throws: ModelFolder.Failure.self) { try folder.add(#filePath) }
    #expect(failure?.description.contains("not a model file") == true)
    #expect(folder.entries().isEmpty)
    #expect(try folder.load() == nil)
    #expect(throws: ModelFolder.Failure.self) { try folder.remove("none") }
  }
}
