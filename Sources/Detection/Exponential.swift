#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The logarithm and the power of e, of the C library.
enum Exponential {
  @inline(__always)
  static func logarithm(_ value: Double) -> Double { log(value) }

  @inline(__always)
  static func power(_ exponent: Double) -> Double { exp(exponent) }
}
