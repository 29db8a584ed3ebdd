import Domain
import Embedding

/// How alike the meanings of patterns are; each text is embedded once.
final class PatternSimilarity {
  /// By number; grows as patterns come.
  var patterns: [UInt32: Pattern]
  private var vectors: [UInt32: [Float]] = [:]
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
    if let known = vectors[number] { return known }
    let vector = patterns[number].map { StaticEmbedder.shared.embed($0.text) } ?? []
    vectors[number] = vector
    return vector
  }
}
