import FoundationEssentials
import Testing

@testable import Analysis
@testable import Appliance

@Suite struct ConfigurationTests {
  private func configuration(
    flags: [String: String] = [:], environment: [String: String] = [:], file: String? = nil
  ) throws -> Configuration {
    try Configuration(flags: flags, environment: environment, file: file)
  }

  /// What a configuration is refused with.
  private func refusal(
    flags: [String: String] = [:], environment: [String: String] = [:], file: String? = nil
  ) -> String {
    let error = #expect(throws: ConfigurationError.self) {
      try configuration(flags: flags, environment: environment, file: file)
    }
    return error?.description ?? ""
  }

  @Test func `with nothing given, every setting has its default`() throws {
    let configuration = try configuration()

    #expect(configuration.dataFolder == "./timberline-data")
    #expect(configuration.listen == (try ListenAddress("127.0.0.1:7300")))
    #expect(!configuration.isDevelopment)
    #expect(configuration.adminAPIKey == nil)
    #expect(configuration.retention == nil)
    #expect(configuration.bodyByteCountMax == 64 << 20)
    #expect(configuration.compressedBodyByteCountMax == 16 << 20)
    #expect(configuration.lineByteCountMax == 1 << 20)
    #expect(configuration.fieldCountMax == 1000)
    #expect(configuration.openTenantCountMax == 1024)
    #expect(configuration.querySecondsMax == 30)
    #expect(configuration.queryByteCountMax == 256 << 20)
    #expect(configuration.tenantQueryCountMax == 8)
    #expect(configuration.tenantQueryWaitingCountMax == 64)
    #expect(configuration.queryCountMax == 64)
    #expect(configuration.connectionCountMax == 10_000)
    #expect(configuration.stallSecondsMax == 60)
    #expect(configuration.headSecondsMax == 60)
    #expect(configuration.drainSecondsMax == 8)
    #expect(configuration.languageModel == nil)
    #expect(configuration.languageModelTokensMax == nil)
    #expect(configuration.embedding == nil)
    #expect(configuration.logLevel == .info)
    #expect(configuration.origins.allSatisfy { $0.origin == .default })
    #expect(configuration.origins.map(\.setting.name) == Setting.all.map(\.name))
  }

  @Test func `a flag wins over a variable, a variable over the file, the file over the default`() throws {
    try withFile("fields_max = 1\nlog_level = debug\nhead_seconds_max = 7\n") { file in
      let configuration = try configuration(
        flags: ["fields_max": "3"], environment: ["TIMBERLINE_FIELDS_MAX": "2", "TIMBERLINE_LOG_LEVEL": "error"],
        file: file)

      #expect(configuration.fieldCountMax == 3)
      #expect(configuration.logLevel == .error)
      #expect(configuration.headSecondsMax == 7)
      #expect(configuration.drainSecondsMax == 8)
      let origins = Dictionary(uniqueKeysWithValues: configuration.origins.map { ($0.setting.name, $0.origin) })
      #expect(origins["fields_max"] == .flag)
      #expect(origins["log_level"] == .variable)
      #expect(origins["head_seconds_max"] == .file(path: file, line: 3))
      #expect(origins["drain_seconds_max"] == .default)
    }
  }

  @Test func `a variable names the file, a flag another one`() throws {
    try withFile("fields_max = 1\n") { first in
      try withFile("fields_max = 2\n") { second in
        let environment = ["TIMBERLINE_CONFIG": first]

        let named = try configuration(environment: environment)
        let given = try configuration(environment: environment, file: second)

        #expect(named.fieldCountMax == 1)
        #expect(given.fieldCountMax == 2)
      }
    }
  }

  @Test func `variables of other programs and of the command line's client are let be`() throws {
    let configuration = try configuration(environment: [
      "PATH": "/bin", "TIMBERLINE_URL": "http://127.0.0.1:7300", "TIMBERLINE_API_KEY": "tlk_x", "TIMBER_X": "1",
    ])

    #expect(configuration.origins.allSatisfy { $0.origin == .default })
  }

  @Test(arguments: [
    ("TIMBERLINE_LISTN", "; did you mean 'listen'?"), ("TIMBERLINE_RETENTIONS", "; did you mean 'retention'?"),
    ("TIMBERLINE_QUERY_SECOND_MAX", "; did you mean 'query_seconds_max'?"),
    ("TIMBERLINE_ELEPHANT", "; `timberline config` lists the settings"),
    ("TIMBERLINE_", "; `timberline config` lists the settings"),
  ])
  func `an unknown variable is named, with what was perhaps meant`(variable: String, suggestion: String) {
    #expect(refusal(environment: [variable: "hunter2"]) == "unknown variable \(variable)\(suggestion)")
  }

  @Test func `an unknown or repeated name in a file is named with its line`() throws {
    try withFile("# ours\n\nlisten = :1\nretentoin = 30d\n") { file in
      #expect(refusal(file: file) == "\(file):4: unknown setting 'retentoin'; did you mean 'retention'?")
    }
    try withFile("dev = no\nlisten = :1\ndev = yes\n") { file in
      #expect(refusal(file: file) == "\(file):3: 'dev' is already set in line 1")
    }
  }

  @Test(arguments: [
    ("listen", "nowhere", "HOST:PORT"), ("dev", "maybe", "true or false"), ("data", "", "a folder"),
    ("retention", "x", "an age such as 90m, 12h, 30d or 1y"), ("body_bytes_max", "1", "a size such as"),
    ("fields_max", "0", "a whole number from 1 to 10000"), ("query_seconds_max", "3601", "from 1 to 3600"),
    ("drain_seconds_max", "-1", "from 0 to 600"), ("log_level", "loud", "trace, debug, info"),
  ])
  func `a bad value says where it stands, what it is, and what was expected`(
    name: String, text: String, expected: String
  ) throws {
    let variable = "TIMBERLINE_" + name.uppercased()
    let flag = "--" + name.replacing("_", with: "-")

    let fromVariable = refusal(environment: [variable: text])
    let fromFlag = refusal(flags: [name: text])

    #expect(fromVariable.hasPrefix("\(variable): '\(text)' is not "))
    #expect(fromFlag.hasPrefix("\(flag): '\(text)' is not "))
    #expect(fromVariable.contains(expected) && fromFlag.contains(expected))
    try withFile("\n\(name) = \(text)\n") { file in
      let fromFile = refusal(file: file)
      #expect(fromFile.hasPrefix("\(file):2: \(name): '\(text)' is not ") && fromFile.contains(expected))
    }
  }

  @Test func `a secret never stands in a message`() throws {
    let secret = "tlk_hunter2"
    try withFile("admin_api_key = \(secret)\nfields_max = 0\n") { file in
      #expect(!refusal(file: file).contains("hunter2"))
    }
    try withFile("admin_api_key \(secret)\n") { file in
      #expect(!refusal(file: file).contains("hunter2"))
    }
    #expect(
      !refusal(environment: ["TIMBERLINE_ADMIN_API_KEY": secret, "TIMBERLINE_DEV": "x"]).contains("hunter2"))
    #expect(!refusal(environment: ["TIMBERLINE_ADMIN_API_KEYS": secret]).contains("hunter2"))
    let secrets = Setting.all.filter(\.isSecret).map(\.name)
    #expect(secrets == ["admin_api_key", "language_model_key", "embedding_key"])
    #expect(try configuration(environment: ["TIMBERLINE_ADMIN_API_KEY": secret]).adminAPIKey == secret)
  }

  @Test(arguments: ["0.0.0.0:7300", ":7300", "10.1.2.3:7300", "[::]:7300", "logs.example.com:7300"])
  func `without a sign-in, only this machine may listen`(listen: String) {
    let message = refusal(flags: ["dev": "true", "listen": listen])

    #expect(message.hasPrefix("--dev has no sign-in"))
    #expect(message.contains("--listen 127.0.0.1:7300"))
  }

  @Test(arguments: ["127.0.0.1:0", "localhost:7300", "[::1]:7300"])
  func `without a sign-in, this machine may`(listen: String) throws {
    #expect(try configuration(flags: ["dev": "true", "listen": listen]).isDevelopment)
  }

  // MARK: Values

  @Test(arguments: [
    ("1024", 1024), ("1024B", 1024), ("1KiB", 1024), ("64MiB", 64 << 20), ("2GiB", 2 << 30), ("2KB", 2000),
    ("3MB", 3_000_000), ("1GB", 1_000_000_000),
  ])
  func `a size has a unit or is bytes`(text: String, byteCount: Int) throws {
    #expect(try configuration(flags: ["body_bytes_max": text]).bodyByteCountMax == byteCount)
  }

  @Test(arguments: [
    "", "B", "MiB", "1.5GiB", "1TiB", "-1KiB", "1 KiB", "1kib", "1023", "3GiB", "9223372036854775807GiB",
    "99999999999999999999",
  ])
  func `what is no size, or out of range, is refused`(text: String) {
    #expect(
      refusal(flags: ["body_bytes_max": text]).hasSuffix(
        "is not a size such as 512KiB, 64MiB or 1GiB, from 1024 to 2147483648 bytes"))
  }

  @Test(arguments: [
    ("90s", 90), ("90m", 5400), ("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600), ("1y", 31_536_000),
    ("100y", 3_153_600_000),
  ])
  func `an age has a unit`(text: String, seconds: Int) throws {
    #expect(try configuration(flags: ["retention": text]).retention == .seconds(seconds))
  }

  @Test(arguments: ["", "none"])
  func `no age keeps everything`(text: String) throws {
    #expect(try configuration(flags: ["retention": text]).retention == nil)
  }

  /// The longest age, in nanoseconds, fits a timestamp.
  @Test(arguments: ["30", "d", "0d", "-1d", "1.5d", "1 d", "101y", "1000000y", "9223372036854775807w"])
  func `what is no age, or longer than any log, is refused`(text: String) {
    #expect(refusal(flags: ["retention": text]).contains("is not an age such as 90m, 12h, 30d or 1y"))
  }

  @Test(arguments: [("true", true), ("yes", true), ("on", true), ("1", true), ("false", false), ("no", false)])
  func `yes and no have several names`(text: String, value: Bool) throws {
    #expect(try configuration(flags: ["dev": text]).isDevelopment == value)
  }

  // MARK: The language model

  @Test func `a language model is an address and a name, and the rest has defaults`() throws {
    let model = try #require(
      try configuration(
        flags: ["language_model_url": "http://127.0.0.1:8080/v1/", "language_model": "small"],
        environment: ["TIMBERLINE_LANGUAGE_MODEL_KEY": "sk-1"]
      ).languageModel)

    #expect(model.baseURL == "http://127.0.0.1:8080/v1")
    #expect(model.model == "small")
    #expect(model.apiKey == EndpointKey("sk-1"))
    #expect(model.timeoutSeconds == 60)
    #expect(model.contextTokens == nil)
    #expect(model.dailyTokensMax == 200_000)
  }

  @Test func `the key of a language model may stand in a file`() throws {
    try withFile("sk-from-file\nsecond line\n") { file in
      let model = try configuration(
        flags: [
          "language_model_url": "https://models.example/v1", "language_model": "m", "language_model_key_file": file,
        ]
      ).languageModel
      #expect(model?.apiKey == EndpointKey("sk-from-file"))

      let twice = refusal(
        flags: [
          "language_model_url": "https://models.example/v1", "language_model": "m", "language_model_key_file": file,
        ], environment: ["TIMBERLINE_LANGUAGE_MODEL_KEY": "sk-hunter2"])
      #expect(twice.contains("both set") && !twice.contains("hunter2"))
    }
    #expect(
      refusal(flags: ["language_model_key_file": "/nowhere/at/all"]).hasPrefix(
        "--language-model-key-file: '/nowhere/at/all' is not a file that can be read"))
  }

  @Test(arguments: [
    (["language_model_url": "ftp://models.example"], "language_model_url is set, and language_model is not"),
    (["embedding_model": "m"], "embedding_model is set, and embedding_url is not"),
    (
      ["embedding_url": "http://127.0.0.1?x", "embedding_model": "m"], "embedding_url: 'http://127.0.0.1?x' has a query"
    ),
    (["language_model": "m"], "language_model is set, and language_model_url is not"),
    (
      ["language_model_url": "ftp://models.example", "language_model": "m"],
      "language_model_url: 'ftp://models.example' does not begin"
    ),
    (["language_model_url": "http://127.0.0.1", "language_model": "a b"], "language_model: 'a b' is not a name"),
    (["language_model_redaction": "some"], "--language-model-redaction: 'some' is not secrets, standard, everything"),
    (["language_model_context_tokens": "10"], "--language-model-context-tokens: '10' is not a whole number from 2048"),
  ])
  func `what is wrong with a language model is said with the setting's name`(flags: [String: String], start: String) {
    #expect(refusal(flags: flags).hasPrefix(start), "\(refusal(flags: flags))")
  }

  // MARK: The page

  /// `docs/reference/configuration.md` has a table of the settings; this holds it true.
  @Test func `the manual lists exactly the settings there are, with their variables and defaults`() throws {
    let path = String(#filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined())
    let page = String(
      decoding: try Data(contentsOf: URL(filePath: path + "/docs/reference/configuration.md")), as: UTF8.self)
    let lines = page.split(separator: "\n")
    let head = try #require(lines.firstIndex { $0.hasPrefix("| flag | variable |") })
    let rows = lines[(head + 2)...].prefix { $0.hasPrefix("|") }.map { line in
      line.split(separator: "|").map { $0.trimmingPrefix { $0 == " " } }
    }

    #expect(rows.count == Setting.all.count)
    for (row, setting) in zip(rows, Setting.all) {
      try #require(row.count >= 5, "\(setting.name)")
      let flag = setting.isSecret ? "(none)" : "`\(setting.flag)"
      #expect(row[0].hasPrefix(flag), "\(setting.name)")
      #expect(row[1].hasPrefix("`\(setting.variable)`"), "\(setting.name)")
      #expect(row[2].hasPrefix("`\(setting.name) = "), "\(setting.name)")
      #expect(
        row[3].hasPrefix(setting.defaultText.isEmpty ? "(none)" : "`\(setting.defaultText)`"), "\(setting.name)")
    }
  }

  private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "timberline-\(UUID().uuidString).conf").path
    try Data(text.utf8).write(to: URL(filePath: file))
    // A file that stays is the system's to clean.
    defer { try? FileManager.default.removeItem(atPath: file) }
    try body(file)
  }
}

@Suite struct ConfigurationFileTests {
  private func entries(_ text: String) throws -> [String] {
    try ConfigurationFile.parse(Array(text.utf8), path: "t.conf").map { "\($0.line) \($0.name)=\($0.text)" }
  }

  @Test(arguments: [
    ("a = b", ["1 a=b"]),
    ("a=b\nc=d\n", ["1 a=b", "2 c=d"]),
    ("a = b\r\n\r\n# c\r\nd = e\r\n", ["1 a=b", "4 d=e"]),
    ("# a = b\n  # c = d\n\n\t\n", []),
    ("  a\t=\t b c  ", ["1 a=b c"]),
    ("a = \"b c\"", ["1 a=b c"]),
    ("a = \" b \"", ["1 a= b "]),
    ("a = \"", ["1 a=\""]),
    ("a = \"\"", ["1 a="]),
    ("a =", ["1 a="]),
    ("a = b = c", ["1 a=b = c"]),
    ("a = b # no comment", ["1 a=b # no comment"]),
    ("", []),
  ])
  func `a line is a name and a value`(text: String, expected: [String]) throws {
    #expect(try entries(text) == expected)
  }

  @Test func `a line without an equals sign is named, but not shown`() {
    let error = #expect(throws: ConfigurationError.self) { try entries("a = b\nhunter2\n") }

    #expect(error?.description == "t.conf:2: expected 'name = value'")
  }

  @Test func `any bytes are entries or a refusal`() {
    for byte in UInt8.min...UInt8.max {
      for bytes in [[byte], [byte, 0x3D, byte], [0x61, 0x3D, 0x22, byte]] {
        do {
          _ = try ConfigurationFile.parse(bytes, path: "t.conf")
        } catch {
          #expect(error is ConfigurationError)
        }
      }
    }
  }

  @Test(arguments: ["/nowhere/timberline.conf", "/", "/dev/zero"])
  func `what is no file of settings is refused by its name`(path: String) {
    let error = #expect(throws: ConfigurationError.self) { try ConfigurationFile.read(path) }

    #expect(error?.description.contains(path) == true)
  }
}
