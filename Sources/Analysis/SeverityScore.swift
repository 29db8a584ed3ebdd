import Domain

/// How much a pattern matters, 0 to 10, with the features that made it so.
struct SeverityScore: Equatable, Sendable {
  enum Grade: String, Comparable, Sendable, CaseIterable {
    case none, low, medium, high, critical

    static func < (left: Grade, right: Grade) -> Bool {
      (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }
  }

  private(set) var value: Double
  private(set) var reasons: [String]

  var grade: Grade {
    switch value {
    case ..<1.5: .none
    case ..<3: .low
    case ..<5: .medium
    case ..<8: .high
    default: .critical
    }
  }

  /// Text and level alone reach high at most; critical needs a change or a fact of a process's life.
  init(text: String, level: Severity, change: VolumeChange, workloadCount: Int) {
    var value = 0.0
    var reasons: [String] = []
    switch level {
    case .critical:
      value += 4
      reasons.append("level critical")
    case .error:
      value += 3
      reasons.append("level error")
    case .warning:
      value += 1.2
      reasons.append("level warning")
    case .unknown, .trace, .debug, .info: break
    }
    let words = SeverityScore.words(of: text)
    let lexical = SeverityScore.lexicalWeight(words)
    if lexical.weight > 0 {
      value += min(3, lexical.weight)
      reasons.append("says \(lexical.terms.prefix(3).map { "\"\($0)\"" }.joined(separator: ", "))")
    } else if lexical.weight < 0, level < .error {
      value = max(0, value + lexical.weight)
    }
    let lifecycle = SeverityScore.lifecycleFacts.first { fact in fact.allSatisfy { words.contains($0) } }
    if let lifecycle {
      value += 2
      reasons.append("a process or container died or was stopped (\(lifecycle.joined(separator: " ")))")
    }
    // Without trouble in level or words a change is news, not danger.
    let isTrouble = value >= 1.2
    switch change.kind {
    case .new where isTrouble:
      value += 2
      reasons.append("new in this window")
    case .burst, .shift:
      value += isTrouble ? min(2.5, change.z / 8) : 0.8
      reasons.append("\(SeverityScore.factor(change)) the usual rate")
    case .silence:
      value += 1.5
      reasons.append("went quiet")
    case .new: value += 0.5
    case .steady: break
    }
    if workloadCount > 1, isTrouble {
      value += 0.5
      reasons.append("in \(workloadCount) workloads")
    }
    let hasChange = change.kind != .steady || lifecycle != nil
    self.value = min(hasChange ? 10 : 7.9, value)
    self.reasons = reasons
  }

  private static func factor(_ change: VolumeChange) -> String {
    guard change.expected >= 0.05 else { return "far above" }
    let factor = change.observed / change.expected
    return factor >= 10 ? "\(Int(factor.rounded())) times" : "\((factor * 10).rounded() / 10) times"
  }

  /// Lowercase words, with camelCase and snake_case split.
  static func words(of text: String) -> [String] {
    var words: [String] = []
    var word = ""
    var previousIsLower = false
    /// Capitals at the end of `word` so far: of `OOMKilled` the last belongs to the next word.
    var capitalCount = 0
    for character in text {
      let isUpper = character.isUppercase
      if character.isLetter {
        if isUpper, previousIsLower, !word.isEmpty {
          words.append(word)
          word = ""
        } else if !isUpper, capitalCount >= 2, let initial = word.popLast() {
          words.append(word)
          word = String(initial)
        }
        word += character.lowercased()
        previousIsLower = !isUpper
        capitalCount = isUpper ? capitalCount + 1 : 0
      } else {
        capitalCount = 0
        if !word.isEmpty { words.append(word) }
        word = ""
        previousIsLower = false
      }
    }
    if !word.isEmpty { words.append(word) }
    return words
  }

  private static func lexicalWeight(_ words: [String]) -> (weight: Double, terms: [String]) {
    var weight = 0.0
    var terms: [String] = []
    var isNegated = false
    for word in words {
      if word == "no" || word == "not" || word == "without" || word == "zero" {
        isNegated = true
        continue
      }
      if let term = lexicon[word] ?? (word.hasSuffix("s") ? lexicon[String(word.dropLast())] : nil),
        !terms.contains(word)
      {
        // "no errors" is good news, "not found" is in the lexicon's spirit by its second word.
        weight += isNegated && term > 0 && word.hasPrefix("err") ? -0.5 : term
        if term > 0 { terms.append(word) }
      }
      isNegated = false
    }
    return (weight, terms)
  }

  /// Words by how much trouble they tell of; negative ones tell of success.
  private static let lexicon: [String: Double] = {
    var lexicon: [String: Double] = [:]
    let groups: [(Double, String)] = [
      (2.0, "panic fatal crash crashed corrupt corruption deadlock oom segfault breach exploit unrecoverable"),
      (
        1.5,
        "exception failed failure unhandled exhausted refused unreachable killed abort aborted outage traceback starvation"
      ),
      (
        1.2,
        "error timeout timed unavailable rejected denied unauthorized forbidden overflow lost rollback throttled evicted"
      ),
      (
        0.8,
        "invalid unable cannot broken missing unexpected disconnected stale slow backoff retrying retry degraded expired"
      ),
      (0.6, "warning warn mismatch conflict duplicate deprecated suspicious blocked dropped leak full"),
      (
        -0.6,
        "success succeeded successful successfully completed complete ok healthy ready started recovered restored accepted"
      ),
    ]
    for (weight, words) in groups {
      for word in words.split(separator: " ") { lexicon[String(word)] = weight }
    }
    return lexicon
  }()

  private static let lifecycleFacts: [[String]] = [
    ["oom", "killed"], ["out", "of", "memory"], ["crash", "loop", "back", "off"], ["panic"], ["segfault"],
    ["core", "dumped"], ["liveness", "probe", "failed"], ["readiness", "probe", "failed"], ["evicted"],
    ["circuit", "breaker", "opened"], ["exit", "code"],
  ]
}
