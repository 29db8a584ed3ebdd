#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The logarithm that weighs a term; of the C library.
@inline(__always)
func naturalLogarithm(_ value: Double) -> Double { log(value) }
