import ArgumentParser

#if canImport(Glibc)
  import Glibc
#endif

/// The flags of the settings, one each.
struct ServerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Configuration file of `name = value` lines.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("Folder that holds everything (default ./timberline-data).", valueName: "dir"))
  var data: String?

  @Option(help: ArgumentHelp("Address and port (default 127.0.0.1:7300).", valueName: "host:port"))
  var listen: String?

  @Flag(help: "For your own machine: no sign-in; loopback addresses only.")
  var dev = false

  @Option(help: ArgumentHelp("Age at which records are deleted, such as 30d (default: never).", valueName: "age"))
  var retention: String?

  @Option(help: ArgumentHelp("Largest request body after decompression.", valueName: "size"))
  var bodyBytesMax: String?

  @Option(help: ArgumentHelp("Largest request body as sent.", valueName: "size"))
  var compressedBodyBytesMax: String?

  @Option(help: ArgumentHelp("Longest record in a body.", valueName: "size"))
  var lineBytesMax: String?

  @Option(help: ArgumentHelp("Most fields in one record.", valueName: "count"))
  var fieldsMax: String?

  @Option(help: ArgumentHelp("Most tenant files open at once.", valueName: "count"))
  var openTenantsMax: String?

  @Option(help: ArgumentHelp("Longest a query may run.", valueName: "seconds"))
  var querySecondsMax: String?

  @Option(help: ArgumentHelp("Most memory one query may hold.", valueName: "size"))
  var queryMemoryMax: String?

  @Option(help: ArgumentHelp("Most queries of one tenant at once.", valueName: "count"))
  var tenantQueriesMax: String?

  @Option(help: ArgumentHelp("Most queries of one tenant that wait for their turn.", valueName: "count"))
  var tenantQueriesWaitingMax: String?

  @Option(help: ArgumentHelp("Most queries of all tenants at once.", valueName: "count"))
  var queriesMax: String?

  @Option(help: ArgumentHelp("Most connections at once.", valueName: "count"))
  var connectionsMax: String?

  @Option(
    help: ArgumentHelp("Whether tenants' webhooks may lead into your own network: true or false.", valueName: "boolean")
  )
  var privateWebhooks: String?

  @Option(help: ArgumentHelp("Longest that a client may hold up an answer or a body.", valueName: "seconds"))
  var stallSecondsMax: String?

  @Option(help: ArgumentHelp("Age at which new records are packed into blocks.", valueName: "seconds"))
  var headSecondsMax: String?

  @Option(help: ArgumentHelp("Longest that running requests are waited for at the end.", valueName: "seconds"))
  var drainSecondsMax: String?

  @Option(help: ArgumentHelp("Chat endpoint that puts incidents in words (default: none).", valueName: "url"))
  var languageModelUrl: String?

  @Option(help: ArgumentHelp("Name of the endpoint's model.", valueName: "name"))
  var languageModel: String?

  @Option(help: ArgumentHelp("File whose first line is the endpoint's API key.", valueName: "file"))
  var languageModelKeyFile: String?

  @Option(help: ArgumentHelp("Longest that an explanation is waited for.", valueName: "seconds"))
  var languageModelSecondsMax: String?

  @Option(help: ArgumentHelp("Tokens of question and answer together.", valueName: "count"))
  var languageModelContextTokens: String?

  @Option(help: ArgumentHelp("Most tokens that a tenant may use in a day.", valueName: "count"))
  var languageModelDailyTokensMax: String?

  @Option(help: ArgumentHelp("Most tokens that all tenants may use in a day.", valueName: "count"))
  var languageModelTotalTokensMax: String?

  @Option(help: ArgumentHelp("What the endpoint is not shown: secrets, standard or everything.", valueName: "what"))
  var languageModelRedaction: String?

  @Option(help: ArgumentHelp("Embedding endpoint for search by meaning (default: none).", valueName: "url"))
  var embeddingUrl: String?

  @Option(help: ArgumentHelp("Name of the embedding endpoint's model.", valueName: "name"))
  var embeddingModel: String?

  @Option(help: ArgumentHelp("File whose first line is the embedding endpoint's API key.", valueName: "file"))
  var embeddingKeyFile: String?

  @Option(help: ArgumentHelp("How much the server says of itself.", valueName: "level"))
  var logLevel: String?

  /// - Throws: `ConfigurationError`.
  func configuration() throws -> Configuration {
    let given: [(String, String?)] = [
      ("data", data), ("listen", listen), ("dev", dev ? "true" : nil), ("retention", retention),
      ("body_bytes_max", bodyBytesMax), ("compressed_body_bytes_max", compressedBodyBytesMax),
      ("line_bytes_max", lineBytesMax), ("fields_max", fieldsMax), ("open_tenants_max", openTenantsMax),
      ("query_seconds_max", querySecondsMax), ("query_memory_max", queryMemoryMax),
      ("tenant_queries_max", tenantQueriesMax), ("tenant_queries_waiting_max", tenantQueriesWaitingMax),
      ("queries_max", queriesMax), ("connections_max", connectionsMax), ("stall_seconds_max", stallSecondsMax),
      ("private_webhooks", privateWebhooks),
      ("head_seconds_max", headSecondsMax), ("drain_seconds_max", drainSecondsMax),
      ("language_model_url", languageModelUrl), ("language_model", languageModel),
      ("language_model_key_file", languageModelKeyFile), ("language_model_seconds_max", languageModelSecondsMax),
      ("language_model_context_tokens", languageModelContextTokens),
      ("language_model_daily_tokens_max", languageModelDailyTokensMax),
      ("language_model_total_tokens_max", languageModelTotalTokensMax),
      ("language_model_redaction", languageModelRedaction), ("embedding_url", embeddingUrl),
      ("embedding_model", embeddingModel), ("embedding_key_file", embeddingKeyFile), ("log_level", logLevel),
    ]
    var flags: [String: String] = [:]
    for case (let name, let text?) in given { flags[name] = text }
    return try Configuration(flags: flags, environment: ProcessEnvironment.variables, file: config)
  }
}

enum ProcessEnvironment {
  /// The process's variables.
  static var variables: [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
      entry += 1
    }
    return variables
  }
}
