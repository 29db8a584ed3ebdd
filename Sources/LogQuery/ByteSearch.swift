import CKernels
import Domain

/// Finding bytes in bytes.
enum ByteSearch {
  /// The first `needle` in `text` at `start` or later.
  @inline(__always)
  static func find(_ needle: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>, from start: Int = 0)
    -> Int?
  {
    guard text.count - start >= needle.count else { return nil }
    guard let base = text.baseAddress, let needleBase = needle.baseAddress else { return needle.isEmpty ? start : nil }
    let rest = text.count - start
    let offset = tl_find(base + start, rest, needleBase, needle.count)
    return offset < rest || needle.isEmpty ? start + offset : nil
  }

  /// As `find`, with ASCII letters of `text` equal in both cases; `needle` has none of A to Z.
  @inline(__always)
  static func findFolded(
    _ needle: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>, from start: Int = 0
  ) -> Int? {
    guard text.count - start >= needle.count else { return nil }
    guard let base = text.baseAddress, let needleBase = needle.baseAddress else { return needle.isEmpty ? start : nil }
    let rest = text.count - start
    let offset = tl_find_ascii_folded(base + start, rest, needleBase, needle.count)
    return offset < rest || needle.isEmpty ? start + offset : nil
  }

  @inline(__always)
  static func contains(_ text: UnsafeBufferPointer<UInt8>, _ needle: [UInt8]) -> Bool {
    needle.withUnsafeBufferPointer { find($0, in: text) != nil }
  }

  /// The words of `text` that any text around it leaves whole: those with a non-word character on both sides, or an
  /// end of `text` that is known to be one.
  static func innerWords(of text: [UInt8], openStart: Bool, openEnd: Bool) -> [[UInt8]] {
    // Bytes that are not UTF-8 may become part of a scalar, and so of a word, in another place.
    guard text.allSatisfy({ $0 < 0x80 }) || String(validating: text, as: UTF8.self) != nil else { return [] }
    return text.withUnsafeBufferPointer { buffer in
      var words: [[UInt8]] = []
      WordTokenizer.forEachWord(in: buffer) { range in
        if openStart && range.lowerBound == 0 || openEnd && range.upperBound == buffer.count { return }
        words.append(Array(buffer[range]))
      }
      return words
    }
  }
}
