package import Domain
import LogQuery

/// Times as people and programs write them in a request.
package enum TimeExpression {
  /// RFC 3339, also without a zone or a time of day (then UTC), a number since 1970 (seconds, or milli-, micro- or nanoseconds by its size), `now`, `now-1h30m`, `now+5m`, or a bare
  /// length of time such as `1h`, which counts back from `now`.
  package static func parse(_ text: String, now: Timestamp) -> Timestamp? {
    if text == "now" { return now }
    if text.hasPrefix("now") {
      let rest = text.dropFirst(3)
      guard let sign = rest.first, sign == "-" || sign == "+", let length = parseDuration(String(rest.dropFirst()))
      else {
        return nil
      }
      return now.advanced(byNanoseconds: sign == "-" ? -length : length)
    }
    if let number = Double(text) { return time(sinceEpoch: number, text: text) }
    let bytes = Array(text.utf8)
    // `2026-03-18T13:44:27` and `2026-03-18` are what many languages print.
    for suffix in ["", "Z", "T00:00:00Z"] {
      if let time = (bytes + Array(suffix.utf8)).withUnsafeBufferPointer({ FieldNumber.timestamp($0) }) { return time }
    }
    return parseDuration(text).map { now.advanced(byNanoseconds: -$0) }
  }

  /// A positive length of time such as `90s`, `1h30m`, `7d`, in nanoseconds.
  package static func parseDuration(_ text: String) -> Int64? {
    Array(text.utf8).withUnsafeBufferPointer { FieldNumber.duration($0) }.flatMap { $0 > 0 ? $0 : nil }
  }

  /// Whole numbers are taken exactly; a fraction belongs to seconds or milliseconds, where a double still holds it.
  private static func time(sinceEpoch number: Double, text: String) -> Timestamp? {
    let magnitude = abs(number)
    let scale: Int64 = magnitude < 1e11 ? 1_000_000_000 : magnitude < 1e14 ? 1_000_000 : magnitude < 1e17 ? 1_000 : 1
    if let integer = Int64(text) {
      let (nanoseconds, overflow) = integer.multipliedReportingOverflow(by: scale)
      return overflow ? nil : Timestamp(nanoseconds: nanoseconds)
    }
    let nanoseconds = (number * Double(scale)).rounded()
    return nanoseconds.magnitude < 9.2e18 ? Timestamp(nanoseconds: Int64(nanoseconds)) : nil
  }
}
