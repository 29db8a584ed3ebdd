internal import FoundationEssentials

/// A model's answer as it came: the members that were asked for, nothing of it believed yet.
struct NarrativeAnswer: Decodable, Equatable {
  struct Claim: Decodable, Equatable {
    var text: String
    var evidence: [String]

    private enum CodingKeys: String, CodingKey { case text, evidence }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      text = try container.decode(String.self, forKey: .text)
      // One id without a list, and no list at all, are forms that small models fall into; the latter has no evidence.
      if let ids = try? container.decode([String].self, forKey: .evidence) {
        evidence = ids
      } else if let id = try? container.decode(String.self, forKey: .evidence) {  // as above
        evidence = id.split { $0 == "," || $0 == " " }.map(String.init)
      } else {
        evidence = []
      }
    }
  }

  var title: String
  var severity: String
  var confidence: Double?
  var summary: String
  var rootCause: [Claim]
  var impact: String?
  var nextSteps: [String]?
  var injectionSuspected: Bool?

  private enum CodingKeys: String, CodingKey {
    case title, severity, confidence, summary, impact
    case rootCause = "root_cause"
    case nextSteps = "next_steps"
    case injectionSuspected = "injection_suspected"
  }

  /// Reads the object in an answer: the whole of it, or the first that has the members, in a code block or in prose.
  static func read(_ content: String) throws(LanguageModelFailure) -> NarrativeAnswer {
    var text = content[...]
    // What some models think aloud comes first.
    if let end = text.firstRange(of: "</think>") { text = text[end.upperBound...] }
    var failure = LanguageModelFailure.noObject
    for candidate in objects(in: Array(text.utf8)) {
      do {
        return try JSONDecoder().decode(NarrativeAnswer.self, from: Data(candidate))
      } catch let error as DecodingError {
        if case .dataCorrupted = error { continue }
        failure = .wrongShape(problem(error))
      } catch {
        continue
      }
    }
    throw failure
  }

  private static func problem(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, _): "'\(LanguageModelSettings.shown(key.stringValue))' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "'\(LanguageModelSettings.shown(context.codingPath.map(\.stringValue).joined(separator: ".")))' is of another type"
    default: "not an object"
    }
  }

  /// Parts between braces that belong together, outermost only, at most eight.
  private static func objects(in bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var result: [ArraySlice<UInt8>] = []
    var depth = 0
    var start = 0
    var isInString = false
    var index = 0
    while index < bytes.count, result.count < 8 {
      let byte = bytes[index]
      if isInString {
        if byte == UInt8(ascii: "\\") { index += 1 } else if byte == UInt8(ascii: "\"") { isInString = false }
      } else if byte == UInt8(ascii: "\""), depth > 0 {
        isInString = true
      } else if byte == UInt8(ascii: "{") {
        if depth == 0 { start = index }
        depth += 1
      } else if byte == UInt8(ascii: "}"), depth > 0 {
        depth -= 1
        if depth == 0 { result.append(bytes[start...index]) }
      }
      index += 1
    }
    return result
  }
}

extension IncidentNarrative {
  /// Takes from an answer what the evidence carries, as plain text and within bounds.
  ///
  /// - Throws: `.unsupportedClaims` if the answer has claims and none of them is backed.
  init(
    _ answer: NarrativeAnswer, to prompt: NarrativePrompt, facts: IncidentFacts, usedTokens: Int
  ) throws(LanguageModelFailure) {
    func text(_ text: String, _ length: Int) -> String {
      prompt.redactor.restore(PlainText.generated(text, length: length, evidence: prompt.shown))
    }
    let isInjected = answer.injectionSuspected == true || !prompt.injections.isEmpty
    proposedSeverity = IncidentSeverity(rawValue: answer.severity.lowercased())
    // Who steers a model through the logs wants it to say that nothing happened: then it may not say so.
    let lowest =
      isInjected ? facts.severity : max(facts.severity.moved(by: -1), min(facts.lowestSeverity, facts.severity))
    severity = min(max(proposedSeverity ?? facts.severity, lowest), facts.severity.moved(by: 1))
    title = text(answer.title, 120)
    summary = text(answer.summary, 1200)
    impact = text(answer.impact ?? "", 400)
    nextSteps = (answer.nextSteps ?? []).prefix(5).map { text($0, 240) }.filter { !$0.isEmpty }
    let given = answer.confidence ?? 0
    // Some answer in percent.
    confidence = given.isFinite ? min(max(given > 1 && given <= 100 ? given / 100 : given, 0), 1) : 0
    injectionSuspected = isInjected
    rootCause = answer.rootCause.prefix(5).compactMap { claim in
      let ids = claim.evidence.prefix(20).map { prompt.evidenceIDs[Self.shortID($0)] }
      let known = ids.compactMap(\.self)
      let words = text(claim.text, 400)
      // One invented id is enough: such a claim was not read off the evidence.
      guard !known.isEmpty, known.count == ids.count, !words.isEmpty else { return nil }
      var seen: Set<String> = []
      return Claim(text: words, evidence: known.filter { seen.insert($0).inserted })
    }
    droppedClaimCount = answer.rootCause.count - rootCause.count
    model = prompt.prompt.model
    self.usedTokens = usedTokens
    if rootCause.isEmpty, !answer.rootCause.isEmpty { throw .unsupportedClaims(count: answer.rootCause.count) }
    if summary.isEmpty || title.isEmpty { throw .wrongShape("no title or summary") }
  }

  /// `[e1]` as `E1`.
  private static func shortID(_ id: String) -> String {
    String(id.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }).uppercased()
  }
}
