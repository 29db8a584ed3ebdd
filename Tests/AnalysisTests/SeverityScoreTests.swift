import Domain
import Testing

@testable import Analysis

@Suite struct SeverityScoreTests {
  private static func change(_ kind: VolumeChange.Kind, z: Double = 30) -> VolumeChange {
    VolumeChange(kind: kind, onset: 5, end: 9, z: z, expected: 2, observed: 40)
  }

  private static func score(
    _ text: String, _ level: Severity = .info, _ kind: VolumeChange.Kind = .steady, workloads: Int = 1
  ) -> SeverityScore {
    SeverityScore(text: text, level: level, change: change(kind), workloadCount: workloads)
  }

  @Test(arguments: [
    ("request served", Severity.info, SeverityScore.Grade.none), ("heartbeat", .debug, .none),
    ("deprecated option used", .warning, .low), ("request failed", .error, .medium),
    ("connection refused: database unreachable", .error, .high),
  ])
  func `words and level make a grade`(text: String, level: Severity, grade: SeverityScore.Grade) {
    #expect(Self.score(text, level).grade == grade)
  }

  @Test func `text and level alone never reach critical`() {
    let worst =
      "fatal error: corrupt data, crashed, deadlock, breach, unrecoverable failure, outage, timeout, exception"

    #expect(Self.score(worst, .critical, workloads: 9).value <= 7.9)
    #expect(Self.score(worst, .critical, workloads: 9).grade == .high)
    #expect(Self.score(worst, .critical, .new, workloads: 9).grade == .critical)
  }

  @Test(arguments: [
    "OOMKilled container api", "panic: nil pointer", "CrashLoopBackOff for api", "pod evicted: out of memory",
  ])
  func `a fact of a process's life weighs like a change`(text: String) {
    let score = Self.score(text, .critical)

    #expect(score.value > Self.score("message with level alone", .critical).value + 1.9)
    #expect(score.reasons.contains { $0.contains("died or was stopped") })
  }

  @Test(arguments: ["recovered", "completed successfully", "ready", "restored"])
  func `words of success make it less`(word: String) {
    #expect(Self.score("retry \(word)", .warning).value < Self.score("retry", .warning).value)
    #expect(Self.score(word, .info).value == 0)
  }

  @Test func `no errors is good news`() {
    #expect(Self.score("finished with no errors").value < Self.score("finished with errors").value)
    #expect(Self.score("finished with no errors").grade == .none)
  }

  @Test func `a change of trouble counts more than a change of routine`() {
    for kind in [VolumeChange.Kind.new, .burst, .shift] {
      let trouble = Self.score("request failed", .error, kind).value - Self.score("request failed", .error).value
      let routine = Self.score("request served", .info, kind).value - Self.score("request served", .info).value
      #expect(trouble > routine, "\(kind)")
      #expect(routine > 0, "\(kind)")
    }
    #expect(Self.score("request served", .info, .new).grade == .none)
    #expect(Self.score("request served", .info, .silence).grade == .low)
  }

  @Test func `more workloads in trouble are worse`() {
    #expect(Self.score("request failed", .error, workloads: 3).value > Self.score("request failed", .error).value)
    #expect(Self.score("request served", .info, workloads: 3).value == Self.score("request served").value)
  }

  @Test func `every point has its reason`() {
    let score = Self.score("connection refused", .error, .burst, workloads: 2)

    #expect(score.reasons == ["level error", "says \"refused\"", "20 times the usual rate", "in 2 workloads"])
    #expect(Self.score("request served").reasons.isEmpty)
  }

  @Test func `scores lie between 0 and 10`() {
    for level in Severity.allCases {
      for kind in [VolumeChange.Kind.new, .burst, .silence, .shift, .steady] {
        for text in ["", "success success success ok ready", "panic fatal crash corrupt oom killed breach exploit"] {
          let value = Self.score(text, level, kind, workloads: 50).value
          #expect((0...10).contains(value), "\(level) \(kind) \(text)")
        }
      }
    }
  }

  @Test(
    arguments: [
      ("OOMKilled", ["oom", "killed"]), ("readTimeoutError", ["read", "timeout", "error"]),
      ("HTTP_500 error", ["http", "error"]),
      ("CrashLoopBackOff", ["crash", "loop", "back", "off"]), ("ERROR", ["error"]), ("", []),
      ("größeÜber", ["größe", "über"]),
      ("parseURL now", ["parse", "url", "now"]),
    ] as [(String, [String])])
  func `identifiers are taken apart into words`(text: String, words: [String]) {
    #expect(SeverityScore.words(of: text) == words)
  }

  @Test(
    arguments: [
      (["kubernetes.pod_name": "payments-7d9f5b6c4-x2x9p"], "payments"), (["kubernetes.pod_name": "api-0"], "api"),
      (["kubernetes.pod_name": "my-order-cache"], "my-order-cache"),
      (["kubernetes.pod_name": "order-query-7f9c4d-bcdfg"], "order-query"),
      (["kubernetes.container_name": "web", "kubernetes.pod_name": "x-1"], "web"), (["source": "nginx"], "nginx"),
      ([:], "unlabeled"),
      (["kubernetes.pod_name": "12345"], "12345"),
    ] as [([String: String], String)])
  func `a stream's workload is the name that stays over rollouts`(labels: [String: String], workload: String) {
    #expect(Stream(labels: labels.map { Field($0.key, $0.value) }).workload == workload)
  }
}
