/// How far apart two vectors are. Raw values are stored: never renumber.
package enum Metric: UInt8, CaseIterable, Sendable {
  /// `1 - cosine`, in `0...2`. Vectors are brought to unit length on the way in; a vector of zeros is at 1 from all.
  case cosine = 1
  /// `1 - inner product`. No metric in the mathematical sense: the graph finds fewer of the true neighbors.
  case dot = 2
  /// The squared Euclidean distance.
  case squaredL2 = 3
}

/// The knobs of Malkov and Yashunin (2018), and ours.
package struct HNSWParameters: Hashable, Sendable {
  /// Links a new vector gets on each layer; up to `2 · M` on layer 0, `M` above. 2...64.
  package var m: Int
  /// Candidates kept while a new vector looks for its links. 1...4096.
  package var efConstruction: Int
  /// Up to this many vectors there is no graph: reading them all is as fast and finds every neighbor.
  package var exactCountMax: Int
  /// Decides the layers of the vectors, and nothing else does.
  package var seed: UInt64

  // 2048: where reading everything takes as long as a walk at ef 64, 41 microseconds, with 384 components by AVX2
  // (10,000 clustered vectors, one core of a 2-core cloud server; 21 ns a distance).
  package init(m: Int = 16, efConstruction: Int = 200, exactCountMax: Int = 2048, seed: UInt64 = 0x7469_6D62_6572) {
    self.m = m
    self.efConstruction = efConstruction
    self.exactCountMax = exactCountMax
    self.seed = seed
  }

  /// Links a node may have on `level`.
  func linkCountMax(on level: Int) -> Int { level == 0 ? 2 * m : m }

  var isValid: Bool {
    (2...64).contains(m) && (1...4096).contains(efConstruction) && (0...Int(UInt32.max)).contains(exactCountMax)
  }
}

package enum VectorIndexError: Error, Equatable, Sendable {
  case dimensionMismatch(expected: Int, actual: Int)
  /// A component is not a number, infinite, or beyond 1e15, where distances overflow.
  case unusableVector
  /// The bytes are not a snapshot that this build wrote, or they were damaged. Rebuild from the vectors.
  case corrupt(String)
}

/// A stored vector near a query.
package struct Neighbor: Hashable, Sendable {
  package let id: UInt64
  package let distance: Float

  package init(id: UInt64, distance: Float) {
    self.id = id
    self.distance = distance
  }
}
