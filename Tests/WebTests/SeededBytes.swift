import TestSupport

extension SeededGenerator {
  /// Up to `countMax` bytes of which many are the ones that text formats stumble over.
  mutating func bytes(countMax: Int) -> [UInt8] {
    let awkward: [UInt8] = [0, 9, 10, 13, 0x1F, 0x22, 0x25, 0x5C, 0x7F, 0x80, 0xBF, 0xC2, 0xE2, 0xED, 0xF0, 0xFF]
    return (0..<below(countMax + 1)).map { _ in oneIn(2) ? pick(awkward) : UInt8(below(256)) }
  }
}
