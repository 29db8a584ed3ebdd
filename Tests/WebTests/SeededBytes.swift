/// Random bytes and numbers, the same from the same seed (SplitMix64).
struct SeededBytes: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Up to `countMax` bytes of which many are the ones that text formats stumble over.
  mutating func bytes(countMax: Int) -> [UInt8] {
    let awkward: [UInt8] = [0, 9, 10, 13, 0x1F, 0x22, 0x25, 0x5C, 0x7F, 0x80, 0xBF, 0xC2, 0xE2, 0xED, 0xF0, 0xFF]
    return (0..<Int.random(in: 0...countMax, using: &self)).map { _ in
      Bool.random(using: &self) ? awkward.randomElement(using: &self)! : UInt8.random(in: 0...255, using: &self)
    }
  }
}
