/// SplitMix64: the same numbers from the same seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Vectors in clusters, as embeddings of log patterns are.
func clusteredVectors(count: Int, dimension: Int, clusterCount: Int, seed: UInt64) -> [[Float]] {
  var random = SeededGenerator(seed: seed)
  // The sum of four uniform numbers, near enough to a normal one.
  func gaussian() -> Float { (0..<4).reduce(0) { sum, _ in sum + Float.random(in: -1...1, using: &random) } }
  let centers = (0..<clusterCount).map { _ in (0..<dimension).map { _ in gaussian() } }
  return (0..<count).map { _ in
    let center = centers[Int.random(in: 0..<clusterCount, using: &random)]
    return center.map { $0 + 0.5 * gaussian() }
  }
}
