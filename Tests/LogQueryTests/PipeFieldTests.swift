import Testing

@testable import LogQuery

@Suite struct PipeFieldTests {
  @Test(arguments: [
    (["b", "a"], "b=2 a=1"), (["x"], ""), (["a*"], "a=1 ab=3"), (["ab", "a*"], "ab=3 a=1"), (["*"], "a=1 b=2 ab=3"),
  ])
  func `fields keeps what it names, in its order`(names: [String], expected: String) throws {
    #expect(try run(.fields(names), on: ["a=1 b=2 ab=3"]) == [expected])
  }

  @Test(arguments: [(["a"], "b=2 ab=3"), (["a*"], "b=2"), (["x", "b"], "a=1 ab=3"), (["*"], "")])
  func `delete drops what it names`(names: [String], expected: String) throws {
    #expect(try run(.delete(names), on: ["a=1 b=2 ab=3"]) == [expected])
  }

  @Test(arguments: [
    ([("a", "c")], "a=1 b=2 c=1"), ([("a", "b")], "a=1 b=1"), ([("x", "b")], "a=1"),
    ([("a", "b"), ("b", "c")], "a=1 b=1 c=1"),
    ([("*", "p.*")], "a=1 b=2 p.a=1 p.b=2"), ([("a", "a")], "a=1 b=2"),
  ])
  func `copy writes a second field`(pairs: [(String, String)], expected: String) throws {
    #expect(try run(.copy(pairs), on: ["a=1 b=2"]) == [expected])
  }

  @Test(arguments: [
    ([("a", "c")], "b=2 c=1"), ([("a", "b")], "b=1"), ([("a", "t"), ("b", "a"), ("t", "b")], "a=2 b=1"),
    ([("*", "p.*")], "p.a=1 p.b=2"), ([("a*", "*")], "b=2 =1"),
  ])
  func `rename moves a field`(pairs: [(String, String)], expected: String) throws {
    #expect(try run(.rename(pairs), on: ["a=1 b=2"]) == [expected])
  }

  @Test func `len counts bytes`() throws {
    #expect(try run(.length(of: "a", resultField: "n"), on: ["a=äb", "b=1"]) == ["a=äb n=3", "b=1 n=0"])
  }

  @Test func `filter keeps what matches`() throws {
    let filter = Filter.field("a", .exact(Array("1".utf8)))

    #expect(try run(.filter(filter), on: ["a=1", "a=2", "b=1", "a=1 b=1"]) == ["a=1", "a=1 b=1"])
  }

  @Test func `offset and limit cut a window out`() throws {
    #expect(try run(.offset(1), .limit(2), on: ["a=1", "a=2", "a=3", "a=4"]) == ["a=2", "a=3"])
    #expect(try run(.limit(0), on: ["a=1"]) == [])
    #expect(try run(.limit(2), .offset(1), on: ["a=1", "a=2", "a=3"]) == ["a=2"])
  }

  @Test func `limit stops reading as soon as it is reached`() throws {
    let rows = (0..<100).map { row("n=\($0)") }

    #expect(try run([.limit(3)], on: rows).taken == 3)
    #expect(try run([.filter(.field("n", .numericRange(lower: 10, upper: 99))), .limit(3)], on: rows).taken == 13)
    #expect(try run([.uniq(by: ["n"], withHits: false, limit: 5)], on: rows).taken == 5)
    #expect(try run([.fields(["n"])], on: rows, outputMax: 7).taken == 7)
  }

  @Test func `sample takes about one in so many, the same for a seed`() throws {
    let rows = (0..<10_000).map { row("n=\($0)") }

    let first = try run([.sample(10)], on: rows).rows
    let second = try run([.sample(10)], on: rows).rows
    let other = try run([.sample(10)], on: rows, options: PipeOptions(now: pipeTestNow, seed: 7)).rows

    #expect((800...1200).contains(first.count))
    #expect(first == second)
    #expect(first != other)
  }

  @Test func `a short name is filled in where pipes ask for it`() throws {
    let rows = ["kubernetes.pod_name=p1", "pod=p2 kubernetes.pod_name=x"]

    #expect(try run(.fields(["pod"]), on: rows) == ["pod=p1", "pod=p2"])
    #expect(try run(.limit(9), on: rows) == rows)
  }

  @Test func `stream_context belongs to the search`() throws {
    #expect(throws: QueryError.self) {
      try PipeChain([.streamContext(before: 1, after: 1, window: nil)], options: PipeOptions(now: pipeTestNow)) { _ in
        true
      }
    }
  }
}
