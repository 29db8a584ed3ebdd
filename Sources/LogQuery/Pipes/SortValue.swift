import Domain

/// A value as `sort`, `min`, `max` and quantiles compare it: empty values first, then numbers by size (durations,
/// sizes, times and addresses among them), then other text in natural order, where `host9` precedes `host10`.
struct SortValue {
  private let kind: Kind
  private let number: Double
  /// Tells apart large integers and times that are one `Double`.
  private let exact: Int64
  let text: [UInt8]

  private enum Kind: UInt8 { case empty, number, text }

  init(_ value: [UInt8]) {
    text = value
    let first = value.first ?? 0
    // Every number starts with a digit, a sign or a point: most text is told by its first byte.
    guard first < 0x3A, first >= 0x2B else {
      kind = value.isEmpty ? .empty : .text
      number = 0
      exact = 0
      return
    }
    if let (number, exact) = value.withUnsafeBufferPointer(SortValue.read) {
      kind = .number
      self.number = number
      self.exact = exact
    } else {
      kind = .text
      number = 0
      exact = 0
    }
  }

  private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> (Double, Int64)? {
    if bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), let time = FieldNumber.timestamp(bytes) {
      return (Double(time.nanoseconds), time.nanoseconds)
    }
    if let integer = integer(bytes) { return (Double(integer), integer) }
    guard let number = FieldNumber.value(bytes) else { return nil }
    return (number, Int64(exactly: number.rounded(.towardZero)) ?? (number < 0 ? .min : .max))
  }

  private static func integer(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var index = 0
    let isNegative = bytes[0] == UInt8(ascii: "-")
    if isNegative { index = 1 }
    guard index < bytes.count, bytes.count - index <= 18 else { return nil }
    var value: Int64 = 0
    while index < bytes.count {
      guard FieldNumber.isDigit(bytes[index]) else { return nil }
      value = value * 10 + Int64(bytes[index] &- UInt8(ascii: "0"))
      index += 1
    }
    return isNegative ? -value : value
  }

  /// -1, 0 or 1.
  func compare(_ other: SortValue) -> Int {
    withUnsafePointer(to: self) { left in withUnsafePointer(to: other) { SortValue.compare(left, $0) } }
  }

  /// The same on values in place: numbers compare without touching their texts.
  @inline(__always)
  static func compare(_ left: UnsafePointer<SortValue>, _ right: UnsafePointer<SortValue>) -> Int {
    let kind = left.pointee.kind
    if kind != right.pointee.kind { return kind.rawValue < right.pointee.kind.rawValue ? -1 : 1 }
    switch kind {
    case .empty: return 0
    case .number:
      let (a, b) = (left.pointee.number, right.pointee.number)
      if a != b { return a < b ? -1 : 1 }
      let (exactA, exactB) = (left.pointee.exact, right.pointee.exact)
      return exactA == exactB ? 0 : exactA < exactB ? -1 : 1
    case .text: return compareNaturally(left.pointee.text, right.pointee.text)
    }
  }

  /// Runs of digits by their number, everything else by its bytes; what is equal so far, by all bytes.
  static func compareNaturally(_ left: [UInt8], _ right: [UInt8]) -> Int {
    left.withUnsafeBufferPointer { left in
      right.withUnsafeBufferPointer { right in
        var i = 0
        var j = 0
        while i < left.count, j < right.count {
          if FieldNumber.isDigit(left[i]), FieldNumber.isDigit(right[j]) {
            let (a, b) = (digits(left, &i), digits(right, &j))
            if a.count != b.count { return a.count < b.count ? -1 : 1 }
            for offset in 0..<a.count where a[a.startIndex + offset] != b[b.startIndex + offset] {
              return a[a.startIndex + offset] < b[b.startIndex + offset] ? -1 : 1
            }
          } else {
            if left[i] != right[j] { return left[i] < right[j] ? -1 : 1 }
            i += 1
            j += 1
          }
        }
        let (a, b) = (left.count - i, right.count - j)
        if a != b { return a < b ? -1 : 1 }
        if left.elementsEqual(right) { return 0 }
        return left.lexicographicallyPrecedes(right) ? -1 : 1
      }
    }
  }

  /// The run of digits at `index` without leading zeros.
  private static func digits(_ text: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Slice<
    UnsafeBufferPointer<UInt8>
  > {
    while index < text.count, text[index] == UInt8(ascii: "0") { index += 1 }
    let start = index
    while index < text.count, FieldNumber.isDigit(text[index]) { index += 1 }
    return text[start..<index]
  }
}
