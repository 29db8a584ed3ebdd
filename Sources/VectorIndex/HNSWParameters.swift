/// How far apart two vectors are. Raw values are stored: never renumber.
package enum Metric: UInt8, CaseIterable, Sendable {
  /// `1 - cosine`, in `0...2`. Vectors are brought to unit length on the way in; a vector of zeros is at 1 from all.
  case cosine = 1
  /// `1 - inner product`. No metric in the mathematical sense: the graph finds fewer of the true neighbors.
  case dot = 2
  /// The squared Euclidean distance.
  case squaredL2 = 3
}

/// What is kept of a vector beside the int8 code that walks read, for the distances that are answered. Raw values are
/// stored: never renumber.
package enum Precision: UInt8, CaseIterable, Sendable {
  /// Nothing: distances come from the code, or from full vectors that the caller of a search has (on disk, say).
  case int8 = 1
  /// Four bits more a component: a component is off by at most a 4064th of the vector's largest.
  case int12 = 2
  /// IEEE half precision. Components beyond 65,504 are refused.
  case float16 = 3
  case float32 = 4
}

/// The knobs of Malkov and Yashunin (2018), and ours.
package struct HNSWParameters: Hashable, Sendable {
  /// Links a new vector gets on each layer; up to `2 · M - 1` on layer 0, `M` above. 2...64.
  package var m: Int
  /// Candidates kept while a new vector looks for its links. 1...4096.
  package var efConstruction: Int
  /// Up to this many vectors there is no graph: reading them all is as fast and finds every neighbor.
  package var exactCountMax: Int
  /// Decides the layers of the vectors, and nothing else does.
  package var seed: UInt64

  // 2048: with 384 components by AVX-512 reading everything takes 34 microseconds, a walk at ef 64 from 9 to 18; what
  // is missing to all neighbors and the upkeep of a graph are not worth the rest.
  package init(m: Int = 16, efConstruction: Int = 200, exactCountMax: Int = 2048, seed: UInt64 = 0x7469_6D62_6572) {
    self.m = m
    self.efConstruction = efConstruction
    self.exactCountMax = exactCountMax
    self.seed = seed
  }

  /// Links a node may have on `level`. The one missing on layer 0 leaves its place to their number, so that a node of
  /// 384 components has 512 bytes.
  func linkCountMax(on level: Int) -> Int { level == 0 ? 2 * m - 1 : m }

  var isValid: Bool {
    (2...64).contains(m) && (1...4096).contains(efConstruction) && (0...Int(UInt32.max)).contains(exactCountMax)
  }
}

package enum VectorIndexError: Error, Equatable, Sendable {
  case dimensionMismatch(expected: Int, actual: Int)
  /// A component is not a number, infinite, or beyond what the index can hold: 1e15, where distances overflow, or
  /// 65,504 with `Precision.float16`.
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
