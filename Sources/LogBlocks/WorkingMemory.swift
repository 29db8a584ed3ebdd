/// Memory for what is decoded for a moment, taken and given back as a stack: no allocation where it has been used before.
///
/// Used by one thread at a time.
final class WorkingMemory {
  private static let chunkByteCount = 1 << 20
  /// What is kept when nothing is in use.
  private static let keptByteCountMax = 8 << 20

  private var chunks: [UnsafeMutableRawBufferPointer] = []
  /// The chunk in use, and how many of its bytes.
  private var chunk = 0
  private var used = 0

  deinit {
    for chunk in chunks { chunk.deallocate() }
  }

  /// Uninitialized memory for `count` elements, good until the `scope` that it was taken in ends.
  func allocate<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) -> UnsafeMutablePointer<Element> {
    // A multiple of 64 with at least 16 bytes behind the last element.
    let byteCount = (count * MemoryLayout<Element>.stride + ValueList.padding + 63) & ~63
    while chunk < chunks.count, chunks[chunk].count - used < byteCount {
      chunk += 1
      used = 0
    }
    if chunk == chunks.count {
      chunks.append(.allocate(byteCount: max(byteCount, WorkingMemory.chunkByteCount), alignment: 64))
    }
    let start = chunks[chunk].baseAddress! + used
    used += byteCount
    return start.bindMemory(to: Element.self, capacity: count)
  }

  /// Runs `body`, then gives back what it has taken.
  func scope<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = (chunk, used)
    defer {
      (chunk, used) = before
      if before == (0, 0) { shrink() }
    }
    return try body()
  }

  private func shrink() {
    var kept = 0
    for (index, chunk) in chunks.enumerated() {
      kept += chunk.count
      if kept > WorkingMemory.keptByteCountMax {
        for chunk in chunks[index...] { chunk.deallocate() }
        chunks.removeSubrange(index...)
        return
      }
    }
  }
}
