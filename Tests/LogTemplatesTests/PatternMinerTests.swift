import Domain
import LogTemplates
import Testing

@Suite struct PatternMinerTests {
  @Test(arguments: [
    ("Connection to 10.0.3.17:5432 timed out after 3000ms", "Connection to <*> timed out after <*>"),
    ("2026-03-18 13:44:27,123 INFO [main] Server started on port 80", "Server started on port <*>"),
    ("I0318 13:44:27.320123       1 controller.go:12] Synced 4 pods", "Synced <*> pods"),
    ("Mar 18 13:44:27 web sshd[4242]: session opened for root", "session opened for root"),
    ("2026-03-18 13:44:27,123 INFO [main] com.example.Main - Ready after 3 tries", "Ready after <*> tries"),
    ("2026-03-18 13:44:27 ERROR NullPointerException: no user", "NullPointerException: no user"),
    ("2026-03-18 13:44:27 Timeout: no answer", "Timeout: no answer"),
    (#"10.0.0.7 - - [18/Mar/2026:13:44:27 +0000] "GET /a?b=1 HTTP/1.1" 200 512"#, #""GET <*> HTTP/<*>" <*> <*>"#),
    ("ERROR IN CONTACTING RM.", "ERROR IN CONTACTING RM."),
    ("took 12 ms for 3 MB (3072 KB)", "took <*> ms for <*> MB (<*> KB)"),
    ("user= rhost=10.0.0.7", "user= rhost=<*>"),
    ("ports 80, 443, 8080 open", "ports <*>, <*>, <*> open"),
    ("read node-12.log", "read <*>"),
    (#"{"level": "info", "msg": "Job \"sync\" done in 35ms", "id": 7}"#, #"Job "sync" done in <*>"#),
    (#"{"user": "ana", "size": 7, "tags": ["a", "b"], "at": null}"#, "user=<*> size=<*> tags=<*> at=<*>"),
    (#"{"msg": "cut off"#, #"{"msg": "cut off"#),
    ("heartbeat()", "heartbeat()"),
    ("bad nodes node-1 <ok> node-2 <ok> node-3 <ok> node-4 <ok>", "bad nodes <*> <ok> <*> <ok> <*> <ok> <*> <ok>"),
    ("com.example.billing: charge failed for order 7", "<*>: charge failed for order <*>"),
    ("db.prod.example:5432 refused", "<*> refused"),
  ])
  func `a pattern is what a person would call the kind of line`(message: String, pattern: String) {
    var miner = MinerFixture()

    miner.insert([message])

    #expect(miner.patternTexts == [pattern])
  }

  @Test func `the variables of a pattern have names where all agree`() {
    var miner = MinerFixture()

    miner.insert(["GET /a/7 from 10.0.3.17 took 35ms", "GET /b from 10.0.3.18 took 4s"])

    let text = miner.miner.text(of: 1)
    #expect(text?.text == "GET <*> from <*> took <*>")
    #expect(text?.namedText == "GET <path> from <ip> took <duration>")
  }

  @Test func `a position with many names is a wildcard, one with few words is not`() {
    var miner = MinerFixture()

    miner.insert(["session opened for user root", "session closed for user root"])
    miner.insert(
      ["ana", "bert", "cleo", "dirk"].flatMap { ["session opened for user \($0)", "session closed for user \($0)"] })

    #expect(Set(miner.patternTexts) == ["session opened for user <*>", "session closed for user <*>"])
  }

  /// Each kind of line with all its lines: the miner must group them so.
  private static let kinds: [[String]] = [
    [
      "Failed password of user root from 10.0.0.7 port 4022 ssh2",
      "Failed password of user ana from 10.0.0.8 port 52011 ssh2",
      "Failed password of user bert from 10.0.0.9 port 99 ssh2",
    ],
    ["Accepted password of user root from 10.0.0.7 port 4022 ssh2"],
    ["task 7 went from NEW to RUNNING", "task 8 went from NEW to RUNNING"],
    ["task 7 went from RUNNING to DONE"],
    [
      "acquire lock=1, name=com.example.phone, uid=7", "acquire lock=2, name=android, uid=8",
      "acquire lock=3, name=null, uid=9",
    ],
    [
      "Pulled image \"registry.example.com/shop/api:1.4.2\" in 2.5s",
      "Pulled image \"registry.example.com/shop/web:1.5.0\" in 350ms",
    ],
    ["Created pod api-7f9c4b5d66-x2k4p", "Created pod api-7f9c4b5d66-bcdfg", "Created pod web-5d66bcdf7c-k4x2p"],
    ["open(/etc/hosts) failed", "open(none) failed", "open(/srv/x) failed"],
    ["sent 12 bytes (1.2 KB) in <1 sec", "sent 90 bytes in 00:12", "sent 8 bytes in 3s"],
    ["GET /api/orders/17 200 12ms", "GET /healthz 503 1.5s"],
    ["cache is warm"], ["cache is cold"],
  ]

  @Test func `lines of one kind share a pattern and those of different kinds do not`() {
    var miner = MinerFixture()
    // Interleaved, as streams write them.
    for round in 0..<3 {
      miner.insert(PatternMinerTests.kinds.filter { $0.count > round }.map { $0[round] })
    }

    let patterns = PatternMinerTests.kinds.map { lines in Set(lines.map { miner.pattern(of: $0) }) }

    for (lines, found) in zip(PatternMinerTests.kinds, patterns) {
      let texts = lines.map { miner.text(of: $0) }
      #expect(found.count == 1, "\(texts)")
    }
    #expect(Set(patterns).count == patterns.count)
  }

  @Test func `a merge says which patterns ended and where their templates went`() {
    var miner = MinerFixture()

    miner.insert(["login of user ana failed", "login of user bert failed"])
    #expect(miner.miner.patterns == [1, 2])
    let changes = miner.insert(["login of user cleo failed"])

    #expect(miner.miner.patterns == [1])
    #expect(changes.merges == [.init(old: 2, new: 1)])
    #expect(
      changes.assignments.sorted { $0.template < $1.template } == [
        .init(template: 1, pattern: 1), .init(template: 2, pattern: 1),
      ])
    #expect(changes.texts.map(\.text) == ["login of user <*> failed"])
    #expect(miner.miner.current(2) == 1)
    #expect(miner.miner.pattern(ofTemplate: 1) == 1)
  }

  @Test func `long brackets and long lines do not make endless patterns`() {
    var miner = MinerFixture()

    for count in 10..<60 {
      let fields = (0..<count).map { _ in "key word" }.joined(separator: " ")
      miner.insert(["state {\(fields)} saved", "dump \(fields)"])
    }

    #expect(miner.miner.patterns.count <= 15)
    #expect(miner.patternTexts.contains("state {<*>} saved"))
  }

  @Test func `templates beyond the bound belong to one pattern`() {
    var limits = PatternMiner.Limits()
    limits.signaturesMax = 3
    var miner = MinerFixture(limits: limits)

    miner.insert(["alpha one", "beta two words", "gamma: three", "delta / four", "epsilon = five"])
    miner.insert(["alpha one"])

    #expect(miner.patternTexts == ["alpha one", "beta two words", "gamma: three", "<*>"])
    #expect(miner.miner.pattern(ofTemplate: 3) == 4)
    #expect(miner.miner.pattern(ofTemplate: 4) == 4)
    #expect(miner.miner.overflowPattern == 4)
  }

  @Test func `inserting a known template changes nothing`() {
    var miner = MinerFixture()
    miner.insert(["took 35ms"])

    #expect(miner.miner.insert(Decomposer().decompose("took 35ms").template, number: 0) == PatternMiner.Changes())
  }

  @Test func `replaying the templates gives the same patterns, numbers and changes`() {
    let messages = PatternMinerTests.lines(seed: 3, count: 600)
    var first = MinerFixture()
    var second = MinerFixture()

    for message in messages {
      #expect(first.insert([message]) == second.insert([message]))
    }

    #expect(first.patternTexts == second.patternTexts)
  }

  @Test(arguments: [4, 5, 6] as [UInt64]) func `the changes told add up to the state`(seed: UInt64) {
    var miner = MinerFixture()
    var patternOfTemplate: [UInt32: UInt32] = [:]
    var texts: [UInt32: String] = [:]

    for message in PatternMinerTests.lines(seed: seed, count: 600) {
      let changes = miner.insert([message])
      for assignment in changes.assignments { patternOfTemplate[assignment.template] = assignment.pattern }
      for merge in changes.merges {
        #expect(texts.removeValue(forKey: merge.old) != nil)
        #expect(miner.miner.current(merge.old) == miner.miner.current(merge.new))
      }
      for text in changes.texts {
        #expect((texts[text.pattern] == nil) == text.isNew)
        texts[text.pattern] = text.text
      }
    }

    #expect(Set(texts.keys) == Set(miner.miner.patterns))
    #expect(Set(patternOfTemplate.values) == Set(miner.miner.patterns))
    for (template, pattern) in patternOfTemplate { #expect(miner.miner.pattern(ofTemplate: template) == pattern) }
    for (pattern, text) in texts { #expect(miner.miner.text(of: pattern)?.text == text) }
  }

  @Test(arguments: [7, 8, 9] as [UInt64])
  func `numbers stay: of an hour's records less than one in a hundred are of another pattern at its end`(seed: UInt64) {
    var miner = MinerFixture()
    miner.insert(PatternMinerTests.lines(seed: seed, count: 300))

    let messages = PatternMinerTests.lines(seed: seed + 100, count: 3000)
    let atIngest = messages.map { message in
      miner.insert([message])
      return miner.pattern(of: message)
    }
    let moved = zip(messages, atIngest).count { message, pattern in
      miner.pattern(of: message) != miner.miner.current(pattern)
    }

    #expect(moved < messages.count / 100)
  }

  @Test func `no template traps the miner`() {
    var generator = MessageGenerator(seed: 21)
    var miner = MinerFixture()

    for _ in 0..<2000 { miner.insert([generator.next()]) }

    for number in 0..<UInt32(miner.templateCount) {
      let pattern = miner.miner.pattern(ofTemplate: number)
      #expect(pattern.flatMap { miner.miner.text(of: $0) } != nil)
    }
  }

  /// Lines as services write them: constant words, names, states, numbers.
  static func lines(seed: UInt64, count: Int) -> [String] {
    var random = SeededGenerator(seed: seed)
    let names = ["ana", "bert", "cleo", "dirk", "eva", "fritz", "gina", "hugo", "ines", "jan", "kira", "lutz"]
    let states = ["NEW", "RUNNING", "STOPPED", "FAILED"]
    let verbs = ["opened", "closed", "refused", "renewed"]
    return (0..<count).map { _ in
      let name = names.randomElement(using: &random)!
      let number = Int.random(in: 0..<100_000, using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0: return "session \(verbs.randomElement(using: &random)!) for user \(name)"
      case 1:
        let (old, new) = (states.randomElement(using: &random)!, states.randomElement(using: &random)!)
        return "task \(number) went from \(old) to \(new)"
      case 2: return "Failed password for \(name) from 10.0.0.\(number % 256) port \(number)"
      case 3: return "cache \(verbs.randomElement(using: &random)!) after \(number)ms"
      case 4: return "owner=\(name) size=\(number) mode=\(verbs.randomElement(using: &random)!)"
      case 5: return "GET /api/\(name)/\(number) \(number % 600)"
      case 6: return "disk \(name) is \(number % 100)% full"
      default: return "queue \(name) has \(number) messages (\(verbs.randomElement(using: &random)!))"
      }
    }
  }
}

/// A miner with the template table around it.
struct MinerFixture {
  var miner: PatternMiner
  private var numbers: [Template: UInt32] = [:]

  init(limits: PatternMiner.Limits = .init()) { miner = PatternMiner(limits: limits) }

  var templateCount: Int { numbers.count }
  var patternTexts: [String] { miner.patterns.map { miner.text(of: $0)!.text } }
  var patternOfTemplate: [UInt32: UInt32] {
    Dictionary(uniqueKeysWithValues: numbers.values.map { ($0, miner.pattern(ofTemplate: $0)!) })
  }

  func pattern(of message: String) -> UInt32 {
    miner.pattern(ofTemplate: numbers[Decomposer().decompose(message).template]!)!
  }

  func text(of message: String) -> String { miner.text(of: pattern(of: message))!.text }

  /// Inserts the new templates among `messages` in order; the changes of the last.
  @discardableResult mutating func insert(_ messages: [String]) -> PatternMiner.Changes {
    insert(messages.map { Array($0.utf8) })
  }

  @discardableResult mutating func insert(_ messages: [[UInt8]]) -> PatternMiner.Changes {
    var last = PatternMiner.Changes()
    for message in messages {
      let template = Decomposer().decompose(message).template
      guard numbers[template] == nil else { continue }
      let number = UInt32(numbers.count)
      numbers[template] = number
      last = miner.insert(template, number: number)
    }
    return last
  }
}
