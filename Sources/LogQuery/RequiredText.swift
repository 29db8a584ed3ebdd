import CKernels

/// Byte strings of which every matching value contains at least one.
package struct RequiredText: Hashable, Sendable {
  /// One or more; none is empty. Without A-Z where case is ignored.
  package let alternatives: [[UInt8]]
  /// Whether A-Z count as a-z.
  package let ignoresCase: Bool

  /// More alternatives than this say too little to be looked for one by one.
  static let alternativesMax = 16

  /// Nil if there are none or too many, or one is empty and says nothing.
  init?(_ alternatives: some Collection<[UInt8]>, ignoresCase: Bool = false) {
    guard (1...RequiredText.alternativesMax).contains(alternatives.count), alternatives.allSatisfy({ !$0.isEmpty })
    else { return nil }
    self.alternatives = ignoresCase ? alternatives.map { $0.map(RequiredText.lowercased) } : Array(alternatives)
    self.ignoresCase = ignoresCase
  }

  package func isContained(in value: UnsafeBufferPointer<UInt8>) -> Bool {
    for alternative in alternatives {
      let found = alternative.withUnsafeBufferPointer {
        ignoresCase ? ByteSearch.findFolded($0, in: value) : ByteSearch.find($0, in: value)
      }
      if found != nil { return true }
    }
    return false
  }

  /// The bytes of the shortest alternative: how much containing one says.
  var strength: Int { alternatives.reduce(.max) { min($0, $1.count) } }

  static func lowercased(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }
}

/// Required texts for many values: their bytes lie in memory of their own, so that no thread counts references to them
/// for each value.
final class Needles: @unchecked Sendable {
  // Sendable: written in `init` only.
  private struct Needle {
    var start: Int
    var count: Int
    var ignoresCase: Bool
    /// Whether it is the last alternative of its text.
    var isLast: Bool
  }

  private let bytes: UnsafeMutablePointer<UInt8>
  private let needles: UnsafeMutableBufferPointer<Needle>

  init(_ texts: [RequiredText]) {
    var all: [UInt8] = []
    var found: [Needle] = []
    for text in texts {
      for (index, alternative) in text.alternatives.enumerated() {
        found.append(
          Needle(
            start: all.count, count: alternative.count, ignoresCase: text.ignoresCase,
            isLast: index == text.alternatives.count - 1))
        all += alternative
      }
    }
    bytes = .allocate(capacity: max(1, all.count))
    bytes.initialize(from: all, count: all.count)
    needles = .allocate(capacity: found.count)
    _ = needles.initialize(from: found)
  }

  deinit {
    bytes.deallocate()
    needles.deallocate()
  }

  /// Whether `value` contains an alternative of each text.
  func areAll(in value: UnsafeBufferPointer<UInt8>) -> Bool {
    var isFound = false
    for needle in needles {
      if !isFound {
        let find = needle.ignoresCase ? tl_find_ascii_folded : tl_find
        isFound = find(value.baseAddress, value.count, bytes + needle.start, needle.count) < value.count
      }
      guard needle.isLast else { continue }
      if !isFound { return false }
      isFound = false
    }
    return true
  }
}
