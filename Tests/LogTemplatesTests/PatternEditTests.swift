import Domain
import LogTemplates
import Testing

/// What people do to patterns.
@Suite struct PatternEditTests {
  @Test func `a merged pattern is called by the other's number, for later lines, too`() throws {
    var miner = MinerFixture()
    miner.insert(["cache is warm", "disk is full now"])

    let changes = try miner.miner.merge(1, into: 2)
    miner.insert(["cache is warm"])

    #expect(changes.merges == [.init(old: 1, new: 2)])
    #expect(miner.miner.patterns == [2])
    #expect(miner.miner.current(1) == 2)
    #expect(miner.pattern(of: "cache is warm") == 2)
    #expect(Set(changes.assignments) == [.init(template: 0, pattern: 2), .init(template: 1, pattern: 2)])
  }

  @Test func `chains of merges are followed, and none goes in a circle`() throws {
    var miner = MinerFixture()
    miner.insert(["cache is warm", "disk is full now", "lamp glows"])

    _ = try miner.miner.merge(1, into: 2)
    _ = try miner.miner.merge(2, into: 3)

    #expect([1, 2, 3].map { miner.miner.current($0) } == [3, 3, 3])
    #expect(throws: PatternMiner.EditError.same(3)) { try miner.miner.merge(3, into: 1) }
    #expect(throws: PatternMiner.EditError.unknown(9)) { try miner.miner.merge(9, into: 1) }
  }

  @Test func `a template taken out has a pattern of its own, and the number stays with the larger part`() throws {
    var miner = MinerFixture()
    miner.insert(["login of user ana failed", "login of user bert failed", "login of user cleo failed"])
    #expect(miner.miner.patterns == [1])

    let small = try miner.miner.split([0])
    #expect(miner.miner.pattern(ofTemplate: 0) == 3)
    #expect(small.texts.map(\.text).contains("login of user ana failed"))
    #expect(miner.miner.text(of: 1)?.text == "login of user <*> failed")

    let large = try miner.miner.split([1]) { $0 == 1 ? 100 : 1 }
    #expect(miner.miner.pattern(ofTemplate: 1) == 1)
    #expect(miner.miner.pattern(ofTemplate: 2) == 4)
    #expect(large.assignments == [.init(template: 2, pattern: 4)])
    #expect(miner.miner.text(of: 1)?.text == "login of user bert failed")
    #expect(throws: PatternMiner.EditError.nothingLeft(4)) { try miner.miner.split([2]) }
  }

  @Test func `later templates of a signature that was taken out go with it`() throws {
    var miner = MinerFixture()
    miner.insert(["login of user ana failed 7", "login of user bert failed 7", "login of user cleo failed 7"])
    _ = try miner.miner.split([0])

    miner.insert(["login of user ana failed 7.5", "login of user dora failed 7.5"])

    #expect(miner.miner.pattern(ofTemplate: 3) == miner.miner.pattern(ofTemplate: 0))
    #expect(miner.miner.pattern(ofTemplate: 4) == miner.miner.pattern(ofTemplate: 1))
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `whatever is merged and split, the changes told add up to the state`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var miner = MinerFixture()
    var patternOfTemplate: [UInt32: UInt32] = [:]
    var told: Set<UInt32> = []
    func take(_ changes: PatternMiner.Changes) {
      for merge in changes.merges { told.remove(merge.old) }
      for text in changes.texts { told.insert(text.pattern) }
      for assignment in changes.assignments { patternOfTemplate[assignment.template] = assignment.pattern }
    }

    for line in PatternMinerTests.lines(seed: seed, count: 400) {
      take(miner.insert([line]))
      let patterns = miner.miner.patterns
      switch Int.random(in: 0..<40, using: &random) {
      case 0:
        let (old, new) = (patterns.randomElement(using: &random)!, patterns.randomElement(using: &random)!)
        if let changes = try? miner.miner.merge(old, into: new) { take(changes) }
      case 1:
        let templates = miner.miner.templates(of: patterns.randomElement(using: &random)!)
        let part = templates.filter { _ in Bool.random(using: &random) }
        if let changes = try? miner.miner.split(part) { take(changes) }
      default: break
      }
    }

    #expect(patternOfTemplate.count == miner.templateCount)
    for (template, pattern) in patternOfTemplate { #expect(miner.miner.pattern(ofTemplate: template) == pattern) }
    #expect(told == Set(miner.miner.patterns))
    #expect(Set(patternOfTemplate.values).isSubset(of: told))
  }

  @Test func `a source opens no more patterns than it may, and its lines are counted all the same`() {
    var limits = PatternMiner.Limits()
    limits.patternsPerSourceMax = 10
    var miner = PatternMiner(limits: limits)
    let letters = (0..<26).map { String(UnicodeScalar(UInt8(97 + $0))) }
    var number: UInt32 = 0
    func insert(_ message: String, source: UInt32) -> UInt32 {
      _ = miner.insert(Decomposer().decompose(message).template, number: number, source: source)
      number += 1
      return miner.pattern(ofTemplate: number - 1)!
    }

    for letter in letters { _ = insert("\(letter)\(letter)\(letter) opened", source: 1) }
    let known = insert("aaa opened", source: 1)
    let other = insert("door closes", source: 2)

    #expect(miner.patternCount == 12)
    #expect(known == 1)
    #expect(miner.text(of: other)?.text == "door closes")
    #expect(miner.text(of: miner.overflowPattern)?.text == "<*>")
    #expect(miner.templates(of: miner.overflowPattern).count == 16)
    #expect((0..<number).allSatisfy { miner.pattern(ofTemplate: $0) != nil })
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `a miner made of an exported state goes on like the one that exported it`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var generator = MessageGenerator(seed: seed)
    var first = PatternMiner()
    let messages =
      PatternMinerTests.lines(seed: seed, count: 500).map { Array($0.utf8) } + (0..<200).map { _ in generator.next() }
      + (0..<20).map { Array("13\($0) node-\($0) x 107\($0) 1 \($0 % 2 == 0 ? "up" : "down")".utf8) } + [[]]
    let templates = messages.shuffled(using: &random).map { Decomposer().decompose($0).template }
    for (number, template) in templates.prefix(400).enumerated() {
      _ = first.insert(template, number: UInt32(number), source: UInt32(number % 3))
    }
    _ = try? first.merge(3, into: 5)
    _ = try? first.split([7])

    var second = try #require(PatternMiner(state: first.exportedState()))

    #expect(second.exportedState() == first.exportedState())
    #expect(second.patterns == first.patterns)
    for pattern in first.patterns { #expect(second.text(of: pattern) == first.text(of: pattern)) }
    for (number, template) in templates.enumerated().dropFirst(400) {
      let expected = first.insert(template, number: UInt32(number), source: 1)
      let changes = second.insert(template, number: UInt32(number), source: 1)
      #expect(changes == expected)
    }
    #expect(second.exportedState() == first.exportedState())
  }

  @Test func `bytes that are no state are refused, whatever they are`() {
    var random = SeededGenerator(seed: 11)
    var miner = MinerFixture()
    miner.insert(PatternMinerTests.lines(seed: 1, count: 60))
    let state = miner.miner.exportedState()
    var limits = PatternMiner.Limits()
    limits.patternsMax = 7
    func isRefused(_ state: [UInt8], _ limits: PatternMiner.Limits = .init()) -> Bool {
      PatternMiner(state: state, limits: limits) == nil
    }

    #expect(isRefused([]))
    #expect(isRefused(state, limits))
    for _ in 0..<300 {
      var bytes = state
      bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      #expect(isRefused(bytes))
      #expect(isRefused(Array(state.prefix(Int.random(in: 0..<state.count, using: &random)))))
    }
  }

  @Test func `memory is bounded: no signature is kept beyond the bound`() {
    var limits = PatternMiner.Limits()
    limits.signaturesMax = 50
    var generator = MessageGenerator(seed: 5)
    var miner = MinerFixture(limits: limits)

    for _ in 0..<1000 { miner.insert([generator.next()]) }

    #expect(miner.miner.patternCount <= 51)
    #expect(miner.patternOfTemplate.count == miner.templateCount)
  }
}
