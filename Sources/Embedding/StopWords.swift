/// English words that a question is put with but that say nothing about what is sought.
///
/// Taken out of queries only. `no`, `not`, `up`, `down`, `off` and `out` stay: they are what some patterns are about.
package enum StopWords {
  private static let words: Set<ArraySlice<UInt8>> = Set(
    """
    a an and are as at be been being by did do does for from had has have he how if in into is it its me my of on or \
    over our she show some someone something than that the their them then there these they this to us was we were \
    what when where which while who why will with you your
    """.utf8.split(separator: UInt8(ascii: " ")).map { ArraySlice(Array($0)) })

  /// Whether `word`, in lower case, is one of them.
  package static func contains(_ word: [UInt8]) -> Bool { words.contains(word[...]) }

  /// `prepared` without them, or as it is if nothing else is in it.
  static func removed(from prepared: [UInt8]) -> [UInt8] {
    let space = UInt8(ascii: " ")
    let kept = prepared.split(separator: space).filter { !words.contains($0) }
    return kept.isEmpty ? prepared : Array(kept.joined(separator: [space]))
  }
}
