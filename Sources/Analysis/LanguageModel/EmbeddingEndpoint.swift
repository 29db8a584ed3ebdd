internal import FoundationEssentials
package import Redaction

/// An embedding endpoint in the manner of OpenAI, in place of the built-in model or beside it.
///
/// Texts are redacted before they leave. Placeholders are numbered anew for each text, so that a text has the same
/// vector whatever it is sent with.
package struct EmbeddingEndpoint: Sendable {
  package struct Settings: Equatable, Sendable {
    /// As of `LanguageModelSettings`.
    package var baseURL: String
    package var model: String
    package var apiKey: EndpointKey?
    /// Components of a vector; nil takes what the first answer has.
    package var dimension: Int?
    package var timeoutSeconds = 30
    /// Texts in a request.
    package var batchCount = 64
    package var redaction: RedactionPolicy = .standard
    package var owner: LanguageModelSettings.Owner

    package init(
      baseURL: String, model: String, apiKey: EndpointKey? = nil, dimension: Int? = nil,
      owner: LanguageModelSettings.Owner = .operators
    ) {
      self.baseURL = baseURL
      self.model = model
      self.apiKey = apiKey
      self.dimension = dimension
      self.owner = owner
    }
  }

  package let settings: Settings
  private let transport: ModelTransport
  private let clock: any Clock<Duration>

  /// Bytes of a text that are sent: patterns are short, and models read some hundred tokens.
  private static let textBytesMax = 2000

  /// - Throws: `.invalidSettings`, `.refusedAddress`.
  package init(
    settings: Settings, transport: @escaping ModelTransport, clock: any Clock<Duration> = ContinuousClock()
  ) throws(LanguageModelFailure) {
    var chat = LanguageModelSettings(
      baseURL: settings.baseURL, model: settings.model, apiKey: settings.apiKey, owner: settings.owner)
    chat.timeoutSeconds = settings.timeoutSeconds
    chat = try chat.validated()
    var settings = settings
    settings.baseURL = chat.baseURL
    guard (1...2048).contains(settings.batchCount) else {
      throw .invalidSettings("batch_count: \(settings.batchCount) is not between 1 and 2048")
    }
    if let dimension = settings.dimension, !(8...16384).contains(dimension) {
      throw .invalidSettings("dimension: \(dimension) is not between 8 and 16384")
    }
    self.settings = settings
    self.transport = transport
    self.clock = clock
  }

  /// Vectors of unequal identities cannot be compared.
  package var identity: String { "\(settings.model)@\(settings.baseURL)" }

  /// Vectors of unit length in the order of `texts`; all zeros for an empty text.
  ///
  /// - Throws: `.wrongShape` for too few vectors, or ones of unequal or unexpected dimension. All or nothing.
  package func embed(_ texts: [String]) async throws(LanguageModelFailure) -> [[Float]] {
    var vectors: [[Float]] = []
    vectors.reserveCapacity(texts.count)
    var dimension = settings.dimension
    var start = 0
    while start < texts.count {
      let end = min(start + settings.batchCount, texts.count)
      let batch = try await embed(batch: texts[start..<end].map(outgoing), dimension: dimension)
      dimension = batch.first?.count ?? dimension
      vectors += batch
      start = end
    }
    return vectors
  }

  /// What of a text is sent.
  func outgoing(_ text: String) -> String {
    var redactor = Redactor(policy: settings.redaction)
    let line = redactor.redact(PlainText.line(text))
    guard line.utf8.count > Self.textBytesMax else { return line }
    return String(decoding: Array(line.utf8).prefix(Self.textBytesMax), as: UTF8.self)
  }

  private struct Answer: Decodable {
    struct Item: Decodable {
      var index: Int?
      var embedding: [Float]
    }

    var data: [Item]
  }

  private func embed(batch: [String], dimension: Int?) async throws(LanguageModelFailure) -> [[Float]] {
    // Endpoints refuse an empty text, and one refusal would cost the batch.
    let inputs = batch.map { $0.isEmpty ? " " : $0 }.map(ChatClient.quoted).joined(separator: ",")
    let body = #"{"model":\#(ChatClient.quoted(settings.model)),"input":[\#(inputs)],"encoding_format":"float"}"#
    let request = ModelRequest(
      .post, settings.baseURL + "/embeddings", key: settings.apiKey, body: Array(body.utf8),
      timeoutSeconds: settings.timeoutSeconds, bytesMax: batch.count * (dimension ?? 4096) * 32 + 65536,
      owner: settings.owner)
    let response = try await ModelExchange.send(request, by: transport, clock: clock)
    guard response.status == 200 else { throw .refused(status: response.status) }
    let answer: Answer
    do {
      answer = try JSONDecoder().decode(Answer.self, from: Data(response.body))
    } catch {
      throw .wrongShape("not a list of embeddings")
    }
    var vectors = [[Float]](repeating: [], count: batch.count)
    for (position, item) in answer.data.enumerated() {
      let index = item.index ?? position
      guard vectors.indices.contains(index), vectors[index].isEmpty else { throw .wrongShape("an index out of place") }
      vectors[index] = item.embedding
    }
    let expected = dimension ?? vectors.first?.count ?? 0
    guard vectors.allSatisfy({ $0.count == expected && $0.allSatisfy(\.isFinite) }), expected > 0 else {
      throw .wrongShape("not one vector of \(expected) components for each of \(batch.count) texts")
    }
    return zip(batch, vectors).map { text, vector in text.isEmpty ? vector.map { _ in 0 } : Self.unitLength(vector) }
  }

  private static func unitLength(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
    return length > 0 && length.isFinite ? vector.map { $0 / length } : vector.map { _ in 0 }
  }
}
