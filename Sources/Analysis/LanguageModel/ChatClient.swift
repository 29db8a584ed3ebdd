internal import FoundationEssentials

/// Speaks with a chat endpoint in the manner of OpenAI, and finds out how much of that manner it has.
struct ChatClient: Sendable {
  /// What an endpoint understands. Begins with all, and drops what it refuses.
  struct Dialect: Equatable, Sendable {
    enum Format: Int, Sendable { case schema, object, none }

    var format = Format.schema
    /// Newer models take `max_completion_tokens` alone.
    var namesCompletionTokens = false
    /// Some models take their own temperature alone.
    var hasTemperature = true

    /// The same without what `body`, an answer of status 400, 404, 415, 422 or 501, complains of; nil if there is
    /// nothing left to drop.
    func simpler(after body: [UInt8]) -> Dialect? {
      let text = String(decoding: body.prefix(4096), as: UTF8.self).lowercased()
      var dialect = self
      if text.contains("max_completion_tokens"), !namesCompletionTokens {
        dialect.namesCompletionTokens = true
      } else if text.contains("temperature"), hasTemperature {
        dialect.hasTemperature = false
      } else if let format = Format(rawValue: format.rawValue + 1) {
        dialect.format = format
      } else {
        return nil
      }
      return dialect
    }
  }

  struct Reply: Sendable {
    var content: String
    /// As the endpoint counted; nil if it did not.
    var usedTokens: Int?
    var dialect: Dialect
  }

  let settings: LanguageModelSettings
  let transport: ModelTransport
  let clock: any Clock<Duration>

  /// A chat answer holds some thousand characters; this is far above, and far below what hurts.
  static let answerBytesMax = 1 << 20

  func complete(
    _ messages: [LanguageModelPrompt.Message], dialect: Dialect, timeoutSeconds: Int
  ) async throws(LanguageModelFailure) -> Reply {
    var dialect = dialect
    while true {
      let request = ModelRequest(
        .post, url, key: settings.apiKey, body: Array(body(messages, dialect).utf8),
        timeoutSeconds: timeoutSeconds, bytesMax: Self.answerBytesMax, owner: settings.owner)
      let response = try await ModelExchange.send(request, by: transport, clock: clock)
      if response.status == 200 {
        let answer = try Self.answer(response.body)
        return Reply(content: answer.content, usedTokens: answer.usedTokens, dialect: dialect)
      }
      guard [400, 404, 415, 422, 501].contains(response.status), let simpler = dialect.simpler(after: response.body)
      else {
        throw .refused(status: response.status)
      }
      dialect = simpler
    }
  }

  // MARK: Request

  var url: String { settings.baseURL + "/chat/completions" }

  func body(_ messages: [LanguageModelPrompt.Message], _ dialect: Dialect) -> String {
    let list = messages.map { #"{"role":\#(Self.quoted($0.role)),"content":\#(Self.quoted($0.content))}"# }
    let limit = dialect.namesCompletionTokens ? "max_completion_tokens" : "max_tokens"
    var text =
      #"{"model":\#(Self.quoted(settings.model)),"messages":[\#(list.joined(separator: ","))],"stream":false,"#
      + #""\#(limit)":\#(LanguageModelSettings.answerTokensMax)"#
    if dialect.hasTemperature { text += #","temperature":0"# }
    switch dialect.format {
    case .schema:
      text +=
        #","response_format":{"type":"json_schema","json_schema":{"name":"incident","strict":true,"#
        + #""schema":\#(NarrativePrompt.schema)}}"#
    case .object: text += #","response_format":{"type":"json_object"}"#
    case .none: break
    }
    return text + "}"
  }

  static func quoted(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    // Encoding a string cannot fail.
    return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }

  // MARK: Answer

  private struct Completion: Decodable {
    struct Choice: Decodable {
      var message: Message
    }

    struct Message: Decodable {
      struct Part: Decodable {
        var text: String?
      }

      var content: String

      private enum CodingKeys: String, CodingKey { case content }

      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        // Text, or a list of parts of text, or null where a model only thought.
        if let parts = try? container.decode([Part].self, forKey: .content) {
          content = parts.compactMap(\.text).joined()
        } else {
          content = try container.decodeIfPresent(String.self, forKey: .content) ?? ""
        }
      }
    }

    struct Usage: Decodable {
      var totalTokens: Int?

      private enum CodingKeys: String, CodingKey { case totalTokens = "total_tokens" }
    }

    var choices: [Choice]
    var usage: Usage?
  }

  private static func answer(_ body: [UInt8]) throws(LanguageModelFailure) -> (content: String, usedTokens: Int?) {
    let completion: Completion
    do {
      completion = try JSONDecoder().decode(Completion.self, from: Data(body))
    } catch {
      throw .wrongShape("not a chat completion")
    }
    guard let choice = completion.choices.first else { throw .wrongShape("a chat completion without a choice") }
    // A count out of range would spend the day's budget, or give it back.
    let used = completion.usage?.totalTokens.flatMap { (1...10_000_000).contains($0) ? $0 : nil }
    return (choice.message.content, used)
  }
}
