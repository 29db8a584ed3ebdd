/// The name of what runs in a pod, as people call it.
package enum WorkloadName {
  /// `payments-7d9f5b6c4-x2x9p`, `payments-x2x9p` and `payments-0` are of `payments`: Kubernetes adds the hash of a
  /// template and five characters of its own to the name of what it runs, or a number.
  package static func name(ofPod pod: String) -> String {
    let parts = pod.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count > 1, let last = parts.last else { return pod }
    let rest = parts.dropLast()
    if isRandom(last, lengths: 5...5), rest.count > 1, let hash = rest.last, isRandom(hash, lengths: 6...10),
      hash.utf8.contains(where: isDigit)
    {
      return rest.dropLast().joined(separator: "-")
    }
    // Five consonants without a digit may be a word's.
    guard isNumber(last) || isRandom(last, lengths: 5...5) && last.utf8.contains(where: isDigit) else { return pod }
    return rest.joined(separator: "-")
  }

  private static func isNumber(_ part: Substring) -> Bool { !part.isEmpty && part.utf8.allSatisfy(isDigit) }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  /// Kubernetes draws from letters and digits that make no words: no vowels, no 0, 1 and 3. Older hashes are plain hex.
  private static func isRandom(_ part: Substring, lengths: ClosedRange<Int>) -> Bool {
    guard lengths.contains(part.utf8.count) else { return false }
    return part.utf8.allSatisfy { "bcdfghjklmnpqrstvwxz2456789".utf8.contains($0) }
      || part.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) } && part.utf8.contains(where: isDigit)
  }
}
