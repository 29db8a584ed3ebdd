/// A count in 16 bits: exact up to 4095, then rounded down by less than 1 in 2048, up to 134 million.
///
/// The upper 4 bits are an exponent of two, the lower 12 the number it scales: the order of the bits is that of the counts.
struct CompactCount: Hashable, Comparable, Sendable {
  var bits: UInt16

  @inline(__always)
  init(bits: UInt16) { self.bits = bits }

  @inline(__always)
  init(_ count: UInt32) {
    if count < 4096 {
      bits = UInt16(truncatingIfNeeded: count)
      return
    }
    // From the second exponent on the mantissa's top bit is always set; the order holds all the same.
    let shift = min(15, 20 - count.leadingZeroBitCount)
    bits = UInt16(truncatingIfNeeded: shift) << 12 | UInt16(truncatingIfNeeded: min(4095, count >> UInt32(shift)))
  }

  @inline(__always)
  var value: UInt32 { UInt32(bits & 0xFFF) << UInt32(bits >> 12) }

  static func < (left: CompactCount, right: CompactCount) -> Bool { left.bits < right.bits }
}
