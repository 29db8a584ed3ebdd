package import Domain
package import Indexing
package import Logging
import Synchronization

extension EmbeddingEndpoint {
  /// The endpoint as second stage of searches by meaning. After a failure it is left alone for a minute: meanwhile the
  /// built-in model works alone.
  package func secondStage(
    now: @escaping @Sendable () -> Timestamp, logger: Logger
  ) -> SecondStageModel {
    let pause = Pause()
    return SecondStageModel(identity: identity) { texts in
      if now() < pause.until.withLock({ $0 }) { return nil }
      do throws(LanguageModelFailure) {
        return try await embed(texts)
      } catch {
        if case .cancelled = error { return nil }
        pause.until.withLock { $0 = now().advanced(byNanoseconds: Pause.nanoseconds) }
        logger.warning(
          "the embedding endpoint failed and is left alone for a minute", metadata: ["reason": "\(error.reason)"])
        return nil
      }
    }
  }
}

private final class Pause: Sendable {
  static let nanoseconds: Int64 = 60_000_000_000

  let until = Mutex(Timestamp(nanoseconds: .min))
}
