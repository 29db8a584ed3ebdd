internal import FoundationEssentials

/// How many tokens an endpoint's model takes, if it tells.
///
/// There is no standard: vLLM, OpenRouter, Groq, LM Studio and Mistral each add a member of their own to `GET models`;
/// llama.cpp says what it was started with at `/props`.
enum EndpointContext {
  private static let names = [
    "max_model_len", "context_length", "context_window", "max_context_length", "loaded_context_length",
    "max_input_tokens", "max_context_window_tokens",
  ]

  static func tokens(
    of settings: LanguageModelSettings, by transport: @escaping ModelTransport, clock: any Clock<Duration>
  ) async -> Int? {
    let root = settings.baseURL.hasSuffix("/v1") ? String(settings.baseURL.dropLast(3)) : settings.baseURL
    func get(_ url: String) async -> JSONValue? {
      let request = ModelRequest(
        .get, url, key: settings.apiKey, timeoutSeconds: min(10, settings.timeoutSeconds), bytesMax: 4 << 20,
        owner: settings.owner)
      // An endpoint that does not tell is treated as one that cannot: the default holds.
      guard let response = try? await ModelExchange.send(request, by: transport, clock: clock), response.status == 200
      else { return nil }
      return try? JSONDecoder().decode(JSONValue.self, from: Data(response.body))  // as above
    }
    let sane = 1024...2_000_000
    if let models = await get(settings.baseURL + "/models")?["data"]?.items {
      let model = models.first { $0["id"]?.text == settings.model } ?? (models.count == 1 ? models[0] : nil)
      for name in names {
        if let tokens = model?[name]?.number, sane.contains(tokens) { return tokens }
      }
    }
    let props = await get(root + "/props")
    let tokens = props?["default_generation_settings"]?["n_ctx"]?.number ?? props?["n_ctx"]?.number
    return tokens.flatMap { sane.contains($0) ? $0 : nil }
  }
}

/// Any JSON, for answers whose form is not known.
enum JSONValue: Decodable, Sendable {
  case object([String: JSONValue])
  case list([JSONValue])
  case string(String)
  case double(Double)
  case other

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    // Each attempt that fails leaves the next one; null and booleans are of no use here.
    if let value = try? container.decode([String: JSONValue].self) {
      self = .object(value)
    } else if let value = try? container.decode([JSONValue].self) {  // as above
      self = .list(value)
    } else if let value = try? container.decode(String.self) {  // as above
      self = .string(value)
    } else if let value = try? container.decode(Double.self) {  // as above
      self = .double(value)
    } else {
      self = .other
    }
  }

  subscript(name: String) -> JSONValue? {
    if case .object(let members) = self { members[name] } else { nil }
  }

  var items: [JSONValue]? { if case .list(let items) = self { items } else { nil } }
  var text: String? { if case .string(let text) = self { text } else { nil } }
  var number: Int? { if case .double(let value) = self { Int(exactly: value.rounded()) } else { nil } }
}
