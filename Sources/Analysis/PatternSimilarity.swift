import Domain
import Embedding

/// How alike the meanings of patterns are; a text is embedded when it is first asked for.
final class PatternSimilarity {
  /// By number; grows as patterns come.
  var patterns: [UInt32: Pattern]
  /// With the text each is of, which a pattern may change.
  private var vectors: [UInt32: (text: String, vector: [Float])] = [:]
  /// A kilobyte each.
  private static let vectorsMax = 20_000
  /// Comparisons that may still be made. Thousands of new patterns at once, each against thousands, would take minutes to
  /// tell what no person reads: beyond it nothing is alike.
  var comparisonsLeft = comparisonsMax
  static let comparisonsMax = 200_000

  init(_ patterns: [UInt32: Pattern] = [:]) { self.patterns = patterns }

  func callAsFunction(_ left: UInt32, _ right: UInt32) -> Float {
    guard comparisonsLeft > 0 else { return 0 }
    comparisonsLeft -= 1
    let (a, b) = (vector(left), vector(right))
    return zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private func vector(_ number: UInt32) -> [Float] {
    guard let text = patterns[number]?.text else { return [] }
    if let known = vectors[number], known.text == text { return known.vector }
    if vectors.count >= Self.vectorsMax { vectors = [:] }
    let vector = StaticEmbedder.shared.embed(text)
    vectors[number] = (text, vector)
    return vector
  }
}
