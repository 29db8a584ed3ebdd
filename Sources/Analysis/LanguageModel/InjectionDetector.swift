/// Finds text in logs that gives orders to whoever reads it: an attempt to steer a model, and worth a person's look
/// whether or not there is one.
package enum InjectionDetector {
  package enum Kind: String, CaseIterable, Codable, Sendable {
    /// "Ignore all previous instructions."
    case override
    /// Marks that set a speaker apart in a conversation with a model.
    case role
    /// A pretended end of the data, and something after it.
    case fence
    /// "You are now …", "Reveal your system prompt."
    case persona
    /// Orders about the analysis: "classify this as low severity", "do not report this".
    case verdict
    /// Characters that a person does not see and a model reads.
    case hidden

    package var words: String {
      switch self {
      case .override: "tells its reader to ignore its instructions"
      case .role: "imitates the marks of a conversation with a language model"
      case .fence: "pretends that the data ends"
      case .persona: "gives its reader another part to play"
      case .verdict: "gives orders about how it is to be judged"
      case .hidden: "holds text in characters that are not seen"
      }
    }
  }

  /// What is found in a line, each kind once. A person's words about such attempts are found too.
  package static func kinds(in line: String) -> [Kind] {
    let isASCII = line.utf8.allSatisfy { $0 < 0x80 }
    var kinds: Set<Kind> = []
    if !isASCII, line.unicodeScalars.contains(where: { (0xE0020...0xE007F).contains($0.value) }) {
      kinds.insert(.hidden)
    }
    let text =
      isASCII
      ? line.utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 } : Array(PlainText.line(folded(line)).lowercased().utf8)
    for index in text.indices {
      for needle in needles[Int(text[index])] where text[index...].starts(with: needle.bytes) {
        kinds.insert(needle.kind)
      }
    }
    let words = words(of: text)
    for (start, word) in words.enumerated() {
      guard let candidates = phrases[word] else { continue }
      for (phrase, kind) in candidates where !kinds.contains(kind) && phrase.matches(words, at: start) {
        kinds.insert(kind)
      }
    }
    return Kind.allCases.filter(kinds.contains)
  }

  /// Hashes of the words. Letters, apostrophes and underlines are of words: `ignore_previous=false` has two.
  private static func words(of text: some Collection<UInt8>) -> [UInt64] {
    var words: [UInt64] = []
    var hash = hashSeed
    for byte in text {
      if byte &- 0x61 < 26 || byte >= 0x80 || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "_") {
        // FNV-1a. Two words that collide would make a line look at most suspicious.
        hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
      } else if hash != hashSeed {
        words.append(hash)
        hash = hashSeed
      }
    }
    if hash != hashSeed { words.append(hash) }
    return words
  }

  private static let hashSeed: UInt64 = 0xcbf2_9ce4_8422_2325

  /// A sequence of sets: a word of each, in order, with at most `gap` other words between two.
  private struct Phrase: Sendable {
    var sets: [Set<UInt64>]
    var gap: Int

    init(_ sets: [String], gap: Int = 2) {
      self.sets = sets.map { Set(InjectionDetector.words(of: $0.utf8)) }
      self.gap = gap
    }

    /// `words[start]` is of the first set.
    func matches(_ words: [UInt64], at start: Int) -> Bool {
      var index = start
      for set in sets.dropFirst() {
        let end = min(words.count, index + 2 + gap)
        guard let next = (index + 1..<max(end, index + 1)).first(where: { set.contains(words[$0]) }) else {
          return false
        }
        index = next
      }
      return true
    }
  }

  /// By the word they begin with.
  private static let phrases: [UInt64: [(Phrase, Kind)]] = {
    var table: [UInt64: [(Phrase, Kind)]] = [:]
    for (list, kind) in [(overrides, Kind.override), (personas, .persona), (verdicts, .verdict)] {
      for phrase in list {
        for word in phrase.sets[0] { table[word, default: []].append((phrase, kind)) }
      }
    }
    return table
  }()

  /// By their first byte.
  private static let needles: [[(bytes: [UInt8], kind: Kind)]] = {
    var table = [[(bytes: [UInt8], kind: Kind)]](repeating: [], count: 256)
    for (list, kind) in [
      (marks, Kind.role), (fences, .fence), (joined, .override), (wholeOverrides, .override),
    ] {
      for text in list {
        let bytes = Array(text.utf8)
        table[Int(bytes[0])].append((bytes, kind))
      }
    }
    return table
  }()

  /// Fullwidth letters as ASCII, and the most common letters of other scripts that look like Latin ones, where a word
  /// mixes both.
  private static func folded(_ line: String) -> String {
    let hasLatin = line.unicodeScalars.contains { $0.isASCII && $0.properties.isAlphabetic }
    var result = String.UnicodeScalarView()
    for scalar in line.unicodeScalars {
      switch scalar.value {
      case 0xFF01...0xFF5E: result.append(Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar)
      case 0x0400...0x04FF where hasLatin, 0x0370...0x03FF where hasLatin: result.append(lookalikes[scalar] ?? scalar)
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  private static let lookalikes: [Unicode.Scalar: Unicode.Scalar] = [
    "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ѕ": "s", "ԁ": "d", "ο": "o",
    "ι": "i", "ν": "v", "α": "a", "ѵ": "v", "ј": "j",
  ]

  private static let marks = [
    "<|im_start|>", "<|im_end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|endoftext|>", "<|eot_id|>",
    "<|start_header_id|>", "[inst]", "[/inst]", "<<sys>>", "<</sys>>", "### instruction", "### system",
    "<start_of_turn>",
    "<end_of_turn>", "\\n\\nhuman:", "\\n\\nassistant:", "\"role\":\"system\"", "\"role\": \"system\"",
    "[system prompt]",
    "<system_prompt>", "<system>", "</system>", "<|begin_of_text|>", "begin_system_message",
  ]

  private static let fences = [
    "</log_data>", "</logs>", "</untrusted", "</data>", "</context>", "</evidence>", "end of log data",
    "end of the log data",
    "end of untrusted", "end untrusted", "end of evidence", "--- end of logs", "=== end of", "end of user input",
    "end data]",
    "[end of data", "<<end data",
  ]

  private static let overrides = [
    Phrase(
      [
        "ignore disregard forget override bypass discard",
        "previous prior above earlier preceding foregoing all any your these those the system original",
        "instructions instruction prompt prompts directives directions guidelines guardrails",
      ], gap: 3),
    Phrase(["ignore disregard forget", "everything", "above before said told"], gap: 2),
    Phrase(["do", "not", "follow obey", "instructions rules prompt"], gap: 2),
    // German, French, Spanish, Portuguese, Italian, Dutch, Polish, Turkish, Swedish, Indonesian, Russian
    Phrase(["ignoriere ignorieren missachte vergiss", "anweisungen anweisung instruktionen vorgaben"], gap: 4),
    Phrase(["ignore ignorez oubliez oublie", "instructions consignes directives"], gap: 3),
    Phrase(["ignora ignore ignorad olvida olvide", "instrucciones indicaciones"], gap: 4),
    Phrase(["ignore ignora esqueça desconsidere", "instruções instrucoes"], gap: 4),
    Phrase(["ignora ignorare dimentica", "istruzioni"], gap: 4),
    Phrase(["negeer vergeet", "instructies aanwijzingen"], gap: 4),
    Phrase(["zignoruj ignoruj zapomnij", "instrukcje instrukcji polecenia"], gap: 4),
    Phrase(["önceki tüm", "talimatları talimatlar", "yoksay görmezden unut"], gap: 3),
    Phrase(["ignorera glöm", "instruktioner anvisningar"], gap: 4),
    Phrase(["abaikan lupakan", "instruksi perintah"], gap: 4),
    Phrase(["игнорируй игнорируйте забудь забудьте проигнорируй", "инструкции инструкция указания"], gap: 4),
  ]

  /// Scripts that are written without blanks between words.
  private static let wholeOverrides = [
    "忽略之前", "忽略以上", "忽略先前", "忽略所有", "忽略前面", "无视之前", "無視之前", "忽略上述", "以前の指示を無視", "これまでの指示を無視",
    "上記の指示を無視", "指示を無視", "이전 지시를 무시", "이전 지침을 무시", "지시를 무시", "تجاهل التعليمات", "تجاهل جميع التعليمات",
    "पिछले निर्देशों", "התעלם מההוראות", "bỏ qua các hướng dẫn", "bỏ qua mọi hướng dẫn", "เพิกเฉยต่อคำสั่ง",
  ]

  private static let joined = [
    "ignore_all_previous", "ignore_previous_instructions", "disregard_previous", "disregard_all_previous",
  ]

  private static let personas = [
    Phrase(["you", "are", "now", "a an the in no dan free unrestricted"], gap: 0),
    Phrase(["from", "now", "on", "you", "are will must"], gap: 0),
    Phrase(["pretend", "to", "be"], gap: 1),
    Phrase(["act", "as", "a an if", "assistant admin administrator expert ai model dan"], gap: 1),
    Phrase(["reveal print show repeat output leak disclose", "system initial hidden", "prompt instructions"], gap: 1),
    Phrase(["du", "bist", "jetzt", "ein eine"], gap: 0),
    Phrase(["tu", "es", "maintenant", "un une"], gap: 0),
    Phrase(["eres", "ahora", "un una"], gap: 0),
    Phrase(["as", "an", "ai", "language model assistant"], gap: 0),
    Phrase(
      ["dear hey hello attention note", "ai llm assistant model analyzer analyser gpt chatgpt claude copilot"], gap: 1),
  ]

  private static let verdicts = [
    Phrase(
      [
        "mark classify treat rate label grade consider", "as",
        "low none benign harmless informational info",
      ],
      gap: 4),
    Phrase(["set lower change downgrade reduce", "severity", "to", "low none info informational zero"], gap: 2),
    Phrase(["do don't never", "not report alert mention flag escalate", "this these the anyone it incident"], gap: 1),
    Phrase(["say respond answer reply output", "that only with exactly", "everything all nothing json no"], gap: 2),
    Phrase(["no", "incident", "occurred happened", "report say answer respond"], gap: 3),
  ]
}
