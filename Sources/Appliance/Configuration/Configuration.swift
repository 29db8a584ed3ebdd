import Analysis

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The effective configuration: flags over `TIMBERLINE_*` variables over a file over defaults, validated once.
struct Configuration: Sendable {
  var dataFolder = ""
  var listen: ListenAddress
  var isDevelopment = false
  /// Whether tenants' webhooks may lead into the operator's own network.
  var allowsPrivateWebhooks = false
  var adminAPIKey: String?
  var retention: Duration?
  var bodyByteCountMax = 0
  var compressedBodyByteCountMax = 0
  var lineByteCountMax = 0
  var fieldCountMax = 0
  var openTenantCountMax = 0
  var querySecondsMax = 0
  var queryByteCountMax = 0
  var tenantQueryCountMax = 0
  var tenantQueryWaitingCountMax = 0
  var queryCountMax = 0
  var connectionCountMax = 0
  var stallSecondsMax = 0
  var headSecondsMax = 0
  var drainSecondsMax = 0
  /// Nil: no model is asked.
  private(set) var languageModel: LanguageModelSettings?
  /// A day, of all tenants together.
  var languageModelTokensMax: Int?
  var logLevel = LogLevel.info

  /// Nil: searches by meaning ask no endpoint.
  private(set) var embedding: EmbeddingEndpoint.Settings?

  /// The settings of endpoints as given, until they are looked at together.
  var languageModelText = EndpointText()
  var embeddingText = EndpointText()

  struct EndpointText {
    var url = ""
    var model = ""
    var key = ""
    var keyOfFile = ""
    var seconds = 60
    var contextTokens: Int?
    var dailyTokens = 200_000
    var redaction = "standard"
  }

  /// Each setting's text and where it came from, in the order of `Setting.all`.
  private(set) var origins: [(setting: Setting, text: String, origin: Origin)] = []

  enum Origin: Sendable, Equatable {
    case `default`
    case file(path: String, line: Int)
    case variable
    case flag
  }

  /// - Parameters:
  ///   - flags: Setting name to text, as given on the command line.
  ///   - environment: The process's variables.
  ///   - file: Path of a configuration file; when nil, `TIMBERLINE_CONFIG` names one, if anything does.
  /// - Throws: `ConfigurationError`, which names the setting, where its value came from, and what was expected.
  init(flags: [String: String], environment: [String: String], file: String?) throws {
    listen = try ListenAddress("127.0.0.1:0")
    let path = file ?? environment["TIMBERLINE_CONFIG"]
    let fileEntries = try path.map { try ConfigurationFile.read($0) } ?? []
    var fromFile: [String: (text: String, line: Int)] = [:]
    for entry in fileEntries {
      guard Setting.all.contains(where: { $0.name == entry.name }) else {
        throw ConfigurationError(
          "\(path ?? ""):\(entry.line): unknown setting '\(entry.name)'\(Configuration.suggestion(for: entry.name))")
      }
      if let earlier = fromFile[entry.name] {
        throw ConfigurationError("\(path ?? ""):\(entry.line): '\(entry.name)' is already set in line \(earlier.line)")
      }
      fromFile[entry.name] = (entry.text, entry.line)
    }
    // Variables that belong to the command line's client, not to the server.
    let clientVariables: Set<String> = ["TIMBERLINE_CONFIG", "TIMBERLINE_URL", "TIMBERLINE_API_KEY"]
    let known = Set(Setting.all.map(\.variable)).union(clientVariables)
    for variable in environment.keys.sorted()
    where variable.hasPrefix("TIMBERLINE_") && !known.contains(variable) {
      let name = variable.dropFirst("TIMBERLINE_".count).lowercased()
      throw ConfigurationError("unknown variable \(variable)\(Configuration.suggestion(for: name))")
    }
    for setting in Setting.all {
      let text: String
      let origin: Origin
      if let flag = flags[setting.name] {
        (text, origin) = (flag, .flag)
      } else if let variable = environment[setting.variable] {
        (text, origin) = (variable, .variable)
      } else if let entry = fromFile[setting.name] {
        (text, origin) = (entry.text, .file(path: path ?? "", line: entry.line))
      } else {
        (text, origin) = (setting.defaultText, .default)
      }
      do {
        try setting.apply(text, &self)
      } catch {
        let place =
          switch origin {
          case .default: "default of \(setting.name)"
          case .file(let path, let line): "\(path):\(line): \(setting.name)"
          case .variable: setting.variable
          case .flag: setting.flag
          }
        let shown = setting.isSecret ? "the value" : "'\(text)'"
        throw ConfigurationError("\(place): \(shown) is not \(error.expected)")
      }
      origins.append((setting, text, origin))
    }
    if isDevelopment, !listen.isLoopback {
      throw ConfigurationError(
        "--dev has no sign-in and so listens on loopback addresses only; '\(listen.host)' is not one. "
          + "Use --listen 127.0.0.1:\(listen.port), or leave --dev out.")
    }
    languageModel = try Configuration.endpoint(
      languageModelText, url: "language_model_url", model: "language_model", key: "language_model_key")
    embeddingText.redaction = languageModelText.redaction
    embedding = try Configuration.endpoint(
      embeddingText, url: "embedding_url", model: "embedding_model", key: "embedding_key"
    ).map { endpoint in
      var settings = EmbeddingEndpoint.Settings(
        baseURL: endpoint.baseURL, model: endpoint.model, apiKey: endpoint.apiKey)
      settings.redaction = endpoint.redaction
      return settings
    }
  }

  /// What is given of an endpoint, looked at together; nil if nothing is. The other parameters are the settings' names.
  private static func endpoint(
    _ text: EndpointText, url: String, model: String, key: String
  ) throws -> LanguageModelSettings? {
    if text.url.isEmpty, text.model.isEmpty { return nil }
    guard !text.url.isEmpty else { throw ConfigurationError("\(model) is set, and \(url) is not") }
    guard !text.model.isEmpty else { throw ConfigurationError("\(url) is set, and \(model) is not") }
    guard text.key.isEmpty || text.keyOfFile.isEmpty else {
      throw ConfigurationError("\(key) and \(key)_file are both set; one of them is enough")
    }
    let keyText = text.key + text.keyOfFile
    var settings = LanguageModelSettings(
      baseURL: text.url, model: text.model, apiKey: keyText.isEmpty ? nil : EndpointKey(keyText))
    settings.timeoutSeconds = text.seconds
    settings.contextTokens = text.contextTokens
    settings.dailyTokensMax = text.dailyTokens
    settings.setRedaction(text.redaction)
    do throws(LanguageModelFailure) {
      return try settings.validated()
    } catch {
      let name = ["base_url": url, "model": model, "api_key": key][error.field ?? ""] ?? url
      throw ConfigurationError("\(name): \(error.problem)")
    }
  }

  /// The known name nearest to a mistyped one, as a sentence to append.
  private static func suggestion(for name: String) -> String {
    let near = Setting.all.map { (name: $0.name, distance: editDistance(name, $0.name)) }.min {
      $0.distance < $1.distance
    }
    // A short name is within a few letters of anything.
    guard let near, near.distance <= min(3, near.name.count / 3) else {
      return "; `timberline config` lists the settings"
    }
    return "; did you mean '\(near.name)'?"
  }

  /// Levenshtein's distance, in characters.
  private static func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (i, character) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in right.indices {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (character == right[j] ? 0 : 1))
        diagonal = above
      }
    }
    return row[right.count]
  }
}

/// Why the program can't start as it was asked to, in one line for the person who started it.
struct ConfigurationError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A file of `name = value` lines; `#` starts a comment line, blank lines are skipped, a value may stand in double quotes.
enum ConfigurationFile {
  /// Far more than every setting and its comments need; what is larger is some other file.
  private static let byteCountMax = 1 << 20

  static func read(_ path: String) throws -> [(name: String, text: String, line: Int)] {
    guard let file = fopen(path, "r") else {
      throw ConfigurationError("can't read configuration file \(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
      bytes += chunk[..<count]
      guard bytes.count <= byteCountMax else {
        throw ConfigurationError("\(path) is larger than 1 MiB and so is no configuration file")
      }
    }
    // A folder can be opened, but not read.
    if ferror(file) != 0 {
      throw ConfigurationError("can't read configuration file \(path): \(String(cString: strerror(errno)))")
    }
    return try parse(bytes, path: path)
  }

  static func parse(_ bytes: [UInt8], path: String) throws -> [(name: String, text: String, line: Int)] {
    var entries: [(name: String, text: String, line: Int)] = []
    for (index, lineBytes) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
    {
      let line = trimmed(String(decoding: lineBytes, as: UTF8.self))
      if line.isEmpty || line.hasPrefix("#") { continue }
      guard let equals = line.firstIndex(of: "=") else {
        throw ConfigurationError("\(path):\(index + 1): expected 'name = value'")
      }
      var text = trimmed(String(line[line.index(after: equals)...]))
      if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") { text = String(text.dropFirst().dropLast()) }
      entries.append((trimmed(String(line[..<equals])), text, index + 1))
    }
    return entries
  }

  private static func trimmed(_ text: String) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\r\n" }
    return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
  }
}
