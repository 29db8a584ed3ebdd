/// Text to unit vectors whose cosine says how near two texts are in meaning.
package protocol Embedder: Sendable {
  /// The model and its version. Vectors of unequal identities cannot be compared: when it changes, embed again.
  var identity: String { get }
  /// Components of a vector.
  var dimension: Int { get }
  /// A vector of unit length, or all zeros for a text in which the model knows nothing.
  func embed(_ text: String) -> [Float]
  /// As `embed(_:)` of each; many at once may be quicker.
  func embed(_ texts: [String]) -> [[Float]]
}

extension Embedder {
  package func embed(_ texts: [String]) -> [[Float]] { texts.map { embed($0) } }
}
