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
