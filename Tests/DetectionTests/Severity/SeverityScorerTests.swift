import Domain
import Testing

@testable import Detection

@Suite struct SeverityScorerTests {
  private let scorer = SeverityScorer()

  private func score(_ text: String) -> SeverityScore { scorer.score(SeverityFacts(text: text)) }

  @Test(arguments: [
    ("OOMKilled container <*>", "container <*> started"),
    ("Failed to open <*>", "Opened <*>"),
    ("connection to <*> timed out", "connection to <*> established"),
    ("service not ready", "service ready"),
    ("NullPointerException in <*>", "handled request in <*>"),
    ("checksum error on <*>", "checksum error on <*> corrected successfully"),
    ("disk errors: <*>", "no disk errors"),
    ("upload failed", "upload failed=false"),
    ("error on start", "error handler started"),
    ("couldn't reach <*>", "reached <*>"),
    ("message not received", "caching not enabled"),
    ("upstream returned 503", "upstream returned 200"),
    ("failed to complete", "complete"),
  ])
  func `trouble outranks what went well`(trouble: String, routine: String) {
    #expect(score(trouble).points > score(routine).points)
    #expect(score(routine).grade < .medium)
  }

  @Test func `every reason says what it added, and they add up`() throws {
    let score = scorer.score(
      SeverityFacts(
        text: "request failed: deadline exceeded", level: .error,
        change: SeverityFacts.Change(kind: .spike, z: 12, expected: 2, observed: 30), workloadCount: 3, podCount: 8))

    #expect(score.reasons.map(\.kind) == [.text, .level, .change, .spread])
    #expect(
      score.reasons.map(\.words) == [
        #"says "deadline exceeded", "failed""#, "level error", "15 times the usual rate", "in 3 workloads, 8 pods",
      ])
    #expect(abs(score.points - score.reasons.reduce(0) { $0 + $1.points }) < 1e-9)
    #expect(score.grade == .critical)
  }

  @Test func `words and level alone are never critical`() {
    let words = "fatal panic crash corruption deadlock: failed, error, no space left on device, intrusion, killed"
    let text = words.split(separator: " ").filter { $0 != "panic" && $0 != "crash" }.joined(separator: " ")
    let facts = SeverityFacts(
      text: text, level: .critical, change: .init(kind: .steady), workloadCount: 9, podCount: 99)

    #expect(scorer.score(facts).grade == .high)
    #expect(score(text).grade == .high)
  }

  @Test func `a change or a fact of a process's life makes it critical`() {
    var facts = SeverityFacts(text: "fatal: write failed, data corruption", level: .critical)
    #expect(scorer.score(facts).grade == .high)

    facts.change = .init(kind: .new)
    #expect(scorer.score(facts).grade == .critical)

    facts.change = nil
    facts.lifecycle = [.crashLoop]
    #expect(scorer.score(facts).grade == .critical)
  }

  @Test func `news without trouble is no danger`() {
    let facts = SeverityFacts(text: "listening on port <*>", level: .info, change: .init(kind: .new))

    #expect(scorer.score(facts).grade == .none)
  }

  @Test func `feedback moves a score, within bounds`() {
    var facts = SeverityFacts(text: "connection refused by <*>", level: .error)
    let before = scorer.score(facts).points
    facts.feedback = -100
    let after = scorer.score(facts)

    #expect(after.points == max(0, before - SeverityScorer.feedbackMax))
    #expect(after.reasons.last?.kind == .feedback)
  }

  @Test func `a lean of meaning counts where no word does`() {
    // A toy space: the first axis is trouble, the second routine.
    let failures = Set(SeverityPrototypes.failures)
    let scorer = SeverityScorer { failures.contains($0) || $0 == "zorp" ? [1, 0] : [0, 1] }

    #expect(scorer.score(SeverityFacts(text: "zorp")).points > 3)
    #expect(scorer.score(SeverityFacts(text: "zarp")).points == 0)
    #expect(scorer.score(SeverityFacts(text: "zorp")).reasons.first?.words == "reads like a failure")
  }
}
