import Analysis

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One setting: a name, what it means, how its text becomes a value.
///
/// The name says all three ways to give it: `listen` is the flag `--listen`, the variable `TIMBERLINE_LISTEN`, and the line
/// `listen = …` of the file.
struct Setting: Sendable {
  let name: String
  /// Shown where nothing is given. Empty is "none".
  let defaultText: String
  let summary: String
  /// Never printed.
  var isSecret = false
  /// Stores the value, or says in one sentence what it expects.
  let apply: @Sendable (String, inout Configuration) throws(InvalidSetting) -> Void

  var variable: String { "TIMBERLINE_" + name.uppercased() }
  var flag: String { "--" + name.replacing("_", with: "-") }
}

/// Why a text is not a value of its setting: what was expected.
struct InvalidSetting: Error {
  let expected: String
}

extension Setting {
  /// Every setting, in the order of `docs/reference/configuration.md`.
  static let all: [Setting] = [
    Setting(
      name: "data", defaultText: "./timberline-data",
      summary: "Folder that holds everything Timberline keeps. Made when absent."
    ) { text, configuration throws(InvalidSetting) in
      guard !text.isEmpty else { throw InvalidSetting(expected: "a folder") }
      configuration.dataFolder = text
    },
    Setting(
      name: "listen", defaultText: "127.0.0.1:7300",
      summary: "Address and port of the HTTP server. Port 0 takes a free one."
    ) { text, configuration throws(InvalidSetting) in
      configuration.listen = try ListenAddress(text)
    },
    Setting(
      name: "dev", defaultText: "false",
      summary:
        "For a developer's own machine: no sign-in, everything belongs to the tenant `default`. Loopback addresses only."
    ) { text, configuration throws(InvalidSetting) in
      configuration.isDevelopment = try boolean(text)
    },
    Setting(
      name: "admin_api_key", defaultText: "",
      summary:
        "API key of the first tenant's administrator (`tlk_…`). When absent, one is made at the first start and printed once.",
      isSecret: true
    ) { text, configuration throws(InvalidSetting) in
      configuration.adminAPIKey = text.isEmpty ? nil : text
    },
    Setting(
      name: "retention", defaultText: "",
      summary: "Age at which records are deleted, such as `30d` or `12h`. None keeps everything."
    ) { text, configuration throws(InvalidSetting) in
      configuration.retention = text.isEmpty || text == "none" ? nil : try duration(text)
    },
    Setting(
      name: "body_bytes_max", defaultText: "64MiB",
      summary: "Largest request body after decompression. Larger ones are answered 413."
    ) { text, configuration throws(InvalidSetting) in
      configuration.bodyByteCountMax = try byteCount(text, in: 1024...(1 << 31))
    },
    Setting(
      name: "compressed_body_bytes_max", defaultText: "16MiB",
      summary: "Largest request body as sent. Larger ones are answered 413."
    ) { text, configuration throws(InvalidSetting) in
      configuration.compressedBodyByteCountMax = try byteCount(text, in: 1024...(1 << 31))
    },
    Setting(
      name: "line_bytes_max", defaultText: "1MiB",
      summary: "Longest record in a body. Longer ones are rejected, their neighbors taken."
    ) { text, configuration throws(InvalidSetting) in
      configuration.lineByteCountMax = try byteCount(text, in: 64...(64 << 20))
    },
    Setting(
      name: "fields_max", defaultText: "1000",
      summary: "Most fields in one record. Records with more are rejected."
    ) { text, configuration throws(InvalidSetting) in
      configuration.fieldCountMax = try integer(text, in: 1...10_000)
    },
    Setting(
      name: "open_tenants_max", defaultText: "1024",
      summary: "Most tenant files open at once. The least recently used is flushed and closed."
    ) { text, configuration throws(InvalidSetting) in
      configuration.openTenantCountMax = try integer(text, in: 1...100_000)
    },
    Setting(
      name: "query_seconds_max", defaultText: "30",
      summary: "Longest a query may run before it is answered with a timeout."
    ) { text, configuration throws(InvalidSetting) in
      configuration.querySecondsMax = try integer(text, in: 1...3600)
    },
    Setting(
      name: "query_memory_max", defaultText: "256MiB",
      summary: "Most memory one query may hold for sorting and grouping."
    ) { text, configuration throws(InvalidSetting) in
      configuration.queryByteCountMax = try byteCount(text, in: (1 << 20)...(1 << 36))
    },
    Setting(
      name: "tenant_queries_max", defaultText: "8",
      summary: "Most queries of one tenant that run at once. The next wait for their turn."
    ) { text, configuration throws(InvalidSetting) in
      configuration.tenantQueryCountMax = try integer(text, in: 1...1000)
    },
    Setting(
      name: "tenant_queries_waiting_max", defaultText: "64",
      summary: "Most queries of one tenant that wait for their turn. The next are answered 429."
    ) { text, configuration throws(InvalidSetting) in
      configuration.tenantQueryWaitingCountMax = try integer(text, in: 0...10_000)
    },
    Setting(
      name: "queries_max", defaultText: "64",
      summary: "Most queries of all tenants that run at once. The next wait, tenants in turn."
    ) { text, configuration throws(InvalidSetting) in
      configuration.queryCountMax = try integer(text, in: 1...10_000)
    },
    Setting(
      name: "private_webhooks", defaultText: "false",
      summary:
        "Whether tenants' webhooks may lead into your own network and go by plain http. For a server whose tenants are all yours."
    ) { text, configuration throws(InvalidSetting) in
      configuration.allowsPrivateWebhooks = try boolean(text)
    },
    Setting(
      name: "connections_max", defaultText: "10000",
      summary: "Most connections open at once. The next wait until one is closed."
    ) { text, configuration throws(InvalidSetting) in
      configuration.connectionCountMax = try integer(text, in: 16...1_000_000)
    },
    Setting(
      name: "stall_seconds_max", defaultText: "60",
      summary:
        "Longest that a client may take nothing of an answer, or next to nothing may come of a body. Then it is cut off."
    ) { text, configuration throws(InvalidSetting) in
      configuration.stallSecondsMax = try integer(text, in: 1...3600)
    },
    Setting(
      name: "head_seconds_max", defaultText: "60",
      summary: "Age at which acknowledged records are packed into a block even if there are few."
    ) { text, configuration throws(InvalidSetting) in
      configuration.headSecondsMax = try integer(text, in: 1...86_400)
    },
    Setting(
      name: "drain_seconds_max", defaultText: "8",
      summary: "Longest that running requests are waited for after SIGTERM."
    ) { text, configuration throws(InvalidSetting) in
      configuration.drainSecondsMax = try integer(text, in: 0...600)
    },
    Setting(
      name: "language_model_url", defaultText: "",
      summary: "Chat endpoint that puts incidents in words, up to its version. None: no model is asked."
    ) { text, configuration throws(InvalidSetting) in
      configuration.languageModelText.url = text
    },
    Setting(
      name: "language_model", defaultText: "", summary: "Name of the endpoint's model."
    ) { text, configuration throws(InvalidSetting) in
      configuration.languageModelText.model = text
    },
    Setting(
      name: "language_model_key", defaultText: "", summary: "The endpoint's API key.", isSecret: true
    ) { text, configuration throws(InvalidSetting) in
      configuration.languageModelText.key = text
    },
    Setting(
      name: "language_model_key_file", defaultText: "", summary: "File whose first line is the endpoint's API key."
    ) { text, configuration throws(InvalidSetting) in
      configuration.languageModelText.keyOfFile = try key(ofFile: text)
    },
    Setting(
      name: "language_model_seconds_max", defaultText: "60",
      summary: "Longest that an explanation is waited for, its second try included."
    ) { text, configuration throws(InvalidSetting) in
      configuration.languageModelText.seconds = try integer(text, in: 1...600)
    },
    Setting(
      name: "language_model_context_tokens", defaultText: "",
      summary: "Tokens of question and answer together. None asks the endpoint, and takes 4096 if it does not say."
    ) { text, configuration throws(InvalidSetting) in
      configuration.languageModelText.contextTokens = text.isEmpty ? nil : try integer(text, in: 2048...2_000_000)
    },
    Setting(
      name: "language_model_daily_tokens_max", defaultText: "200000",
      summary: "Most tokens that a tenant may use in a day (UTC)."
    ) { text, configuration throws(InvalidSetting) in
      configuration.languageModelText.dailyTokens = try integer(text, in: 0...1_000_000_000)
    },
    Setting(
      name: "language_model_total_tokens_max", defaultText: "",
      summary: "Most tokens that all tenants together may use in a day (UTC). None: as many as each may."
    ) { text, configuration throws(InvalidSetting) in
      configuration.languageModelTokensMax = text.isEmpty ? nil : try integer(text, in: 0...1_000_000_000)
    },
    Setting(
      name: "language_model_redaction", defaultText: "standard",
      summary: "What is hidden from the endpoint beside secrets, which always are."
    ) { text, configuration throws(InvalidSetting) in
      guard LanguageModelSettings.redactionNames.contains(text) else {
        throw InvalidSetting(expected: LanguageModelSettings.redactionNames.joined(separator: ", "))
      }
      configuration.languageModelText.redaction = text
    },
    Setting(
      name: "embedding_url", defaultText: "",
      summary: "Embedding endpoint for search by meaning, up to its version. None: no endpoint is asked."
    ) { text, configuration throws(InvalidSetting) in
      configuration.embeddingText.url = text
    },
    Setting(
      name: "embedding_model", defaultText: "", summary: "Name of the embedding endpoint's model."
    ) { text, configuration throws(InvalidSetting) in
      configuration.embeddingText.model = text
    },
    Setting(
      name: "embedding_key", defaultText: "", summary: "The embedding endpoint's API key.", isSecret: true
    ) { text, configuration throws(InvalidSetting) in
      configuration.embeddingText.key = text
    },
    Setting(
      name: "embedding_key_file", defaultText: "", summary: "File whose first line is the embedding endpoint's API key."
    ) { text, configuration throws(InvalidSetting) in
      configuration.embeddingText.keyOfFile = try key(ofFile: text)
    },
    Setting(
      name: "log_level", defaultText: "info",
      summary: "How much the server says of itself: trace, debug, info, notice, warning, error or critical."
    ) { text, configuration throws(InvalidSetting) in
      guard let level = LogLevel(rawValue: text) else {
        throw InvalidSetting(expected: "trace, debug, info, notice, warning, error or critical")
      }
      configuration.logLevel = level
    },
  ]

  /// The first line of a file; empty for no file.
  private static func key(ofFile path: String) throws(InvalidSetting) -> String {
    if path.isEmpty { return "" }
    let expected = InvalidSetting(expected: "a file that can be read, with the key as its first line")
    guard let file = fopen(path, "r") else { throw expected }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 16_384)
    let count = fread(&bytes, 1, bytes.count, file)
    let line = String(decoding: bytes[..<count].prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
    guard !line.isEmpty else { throw expected }
    return line
  }

  private static func boolean(_ text: String) throws(InvalidSetting) -> Bool {
    switch text {
    case "true", "yes", "on", "1": return true
    case "false", "no", "off", "0": return false
    default: throw InvalidSetting(expected: "true or false")
    }
  }

  private static func integer(_ text: String, in range: ClosedRange<Int>) throws(InvalidSetting) -> Int {
    guard let value = Int(text), range.contains(value) else {
      throw InvalidSetting(expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private static func byteCount(_ text: String, in range: ClosedRange<Int>) throws(InvalidSetting) -> Int {
    let units: [(suffix: String, scale: Int)] = [
      ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000),
      ("B", 1),
      ("", 1),
    ]
    for unit in units where text.hasSuffix(unit.suffix) {
      guard let number = Int(text.dropLast(unit.suffix.count)), number >= 0, number <= (1 << 40) / unit.scale else {
        break
      }
      let value = number * unit.scale
      guard range.contains(value) else { break }
      return value
    }
    throw InvalidSetting(
      expected: "a size such as 512KiB, 64MiB or 1GiB, from \(range.lowerBound) to \(range.upperBound) bytes")
  }

  private static func duration(_ text: String) throws(InvalidSetting) -> Duration {
    let units: [(suffix: Character, seconds: Int)] = [
      ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800), ("y", 31_536_000),
    ]
    // Longer ones do not fit the nanoseconds of a `Timestamp`.
    let secondsMax = 100 * 31_536_000
    guard let unit = units.first(where: { text.last == $0.suffix }), let number = Int(text.dropLast()), number > 0,
      number <= secondsMax / unit.seconds
    else { throw InvalidSetting(expected: "an age such as 90m, 12h, 30d or 1y, at most 100y") }
    return .seconds(number * unit.seconds)
  }
}

/// The levels of swift-log, by their configured names.
enum LogLevel: String, Sendable { case trace, debug, info, notice, warning, error, critical }
