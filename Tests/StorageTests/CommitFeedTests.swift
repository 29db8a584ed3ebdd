import Domain
import Testing

@testable import Storage

@Suite struct CommitFeedTests {
  private func commit(_ sequence: Int64, _ count: Int) -> Commit {
    var columns = RecordColumns()
    columns.times = Array(repeating: 0, count: count)
    return Commit(sequence: sequence, columns: columns, templateCount: 0)
  }

  private func describe(_ event: CommitEvent?) -> String {
    switch event {
    case .commit(let commit): "commit \(commit.sequence)"
    case .dropped(let count): "dropped \(count)"
    case nil: "end"
    }
  }

  @Test func `every follower sees every commit`() async {
    let feed = CommitFeed(uses: UseCount())
    let first = feed.follow()
    let second = feed.follow()

    feed.publish([commit(1, 2), commit(2, 3)])
    feed.finish()

    for follower in [first, second] {
      var seen: [String] = []
      for await event in follower { seen.append(describe(event)) }
      #expect(seen == ["commit 1", "commit 2"])
    }
  }

  @Test func `a slow follower is told how much passed it by, in its place`() async {
    let feed = CommitFeed(uses: UseCount())
    let follower = feed.follow(bufferedRecordsMax: 10)

    feed.publish([commit(1, 6), commit(2, 4), commit(3, 5), commit(4, 7)])
    var seen = [describe(await follower.next())]
    feed.publish([commit(5, 2)])
    feed.finish()
    for await event in follower { seen.append(describe(event)) }

    #expect(seen == ["commit 1", "commit 2", "dropped 12", "commit 5"])
  }

  @Test func `one commit always fits, however large`() async {
    let feed = CommitFeed(uses: UseCount())
    let follower = feed.follow(bufferedRecordsMax: 10)

    feed.publish([commit(1, 100)])

    #expect(describe(await follower.next()) == "commit 1")
  }

  @Test func `a cancelled follower ends`() async {
    let feed = CommitFeed(uses: UseCount())
    let follower = feed.follow()
    let task = Task { await follower.next() == nil }

    task.cancel()

    #expect(await task.value)
  }

  @Test func `following ends with the database, also for who comes late`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let database = try await pool.open(fixture.acme)
    let follower = database.feed.follow()
    try await append(database, count: 3)
    await pool.closeAll()

    #expect(await commitCounts(follower, 9) == [3])
    #expect(await database.feed.follow().next() == nil)
  }

  @Test func `a commit tells how many templates are durable`() async throws {
    let fixture = try StorageFixture()
    let pool = fixture.pool(try fixture.directory())
    let database = try await pool.open(fixture.acme)
    let follower = database.feed.follow()
    try await append(database, count: 1, verb: "a")
    try await append(database, count: 1, verb: "b")

    var counts: [Int] = []
    while counts.count < 2, case .commit(let commit) = await follower.next() { counts.append(commit.templateCount) }

    #expect(counts == [1, 2])
    await pool.closeAll()
  }
}
