/// Rows of `rowLength` elements, in chunks of 1024 rows that copies of the value share until one of them writes.
///
/// Sendable, although chunks are references, because a chunk is written only through a value that holds its one
/// reference.
struct ChunkedRows<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  static var chunkShift: Int { 10 }
  static var chunkRows: Int { 1 << chunkShift }

  private final class Chunk {
    let base: UnsafeMutablePointer<Element>
    let rowCapacity: Int

    init(rowCapacity: Int, rowLength: Int) {
      self.rowCapacity = rowCapacity
      // Whole cache lines: a row whose length is a multiple of 16 floats never straddles one more than it must.
      let raw = UnsafeMutableRawPointer.allocate(
        byteCount: rowCapacity * rowLength * MemoryLayout<Element>.stride, alignment: 64)
      base = raw.bindMemory(to: Element.self, capacity: rowCapacity * rowLength)
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }
  }

  let rowLength: Int
  private(set) var count = 0
  private var chunks: [Chunk] = []
  /// Where each chunk begins, for kernels.
  private var bases: [UnsafePointer<Element>?] = []

  init(rowLength: Int) { self.rowLength = rowLength }

  var byteCount: Int {
    chunks.reduce(0) { $0 + $1.rowCapacity } * rowLength * MemoryLayout<Element>.stride
  }

  /// Where rows are, valid inside `withRows` and until the next mutation.
  struct Rows {
    let chunks: UnsafePointer<UnsafePointer<Element>?>
    let rowLength: Int

    @inline(__always)
    subscript(_ row: Int) -> UnsafePointer<Element> {
      chunks[row >> ChunkedRows.chunkShift].unsafelyUnwrapped + (row & (ChunkedRows.chunkRows - 1)) * rowLength
    }
  }

  @inline(__always)
  func withRows<R>(_ body: (Rows) -> R) -> R {
    withExtendedLifetime(chunks) {
      bases.withUnsafeBufferPointer { buffer in
        // An empty array has no base address, and no row that anyone may ask for.
        guard let base = buffer.baseAddress else {
          return withUnsafePointer(to: UnsafePointer<Element>?.none) { body(Rows(chunks: $0, rowLength: rowLength)) }
        }
        return body(Rows(chunks: base, rowLength: rowLength))
      }
    }
  }

  @inline(__always)
  mutating func withMutableRow<R>(_ row: Int, _ body: (UnsafeMutablePointer<Element>) -> R) -> R {
    precondition(row >= 0 && row < count, "no such row")
    let chunk = row >> Self.chunkShift
    if !isKnownUniquelyReferenced(&chunks[chunk]) {
      replaceChunk(chunk, rowCapacity: chunks[chunk].rowCapacity)
    }
    return body(chunks[chunk].base + (row & (Self.chunkRows - 1)) * rowLength)
  }

  /// Adds a row and has `body` write all of it.
  mutating func append(_ body: (UnsafeMutablePointer<Element>) -> Void) {
    let chunk = count >> Self.chunkShift
    let rowInChunk = count & (Self.chunkRows - 1)
    if chunk == chunks.count {
      // The first chunk starts small: most indexes stay small.
      let new = Chunk(rowCapacity: chunk == 0 ? 16 : Self.chunkRows, rowLength: rowLength)
      chunks.append(new)
      bases.append(UnsafePointer(new.base))
    } else if rowInChunk == chunks[chunk].rowCapacity {
      replaceChunk(chunk, rowCapacity: min(2 * rowInChunk, Self.chunkRows))
    } else if !isKnownUniquelyReferenced(&chunks[chunk]) {
      replaceChunk(chunk, rowCapacity: chunks[chunk].rowCapacity)
    }
    count += 1
    body(chunks[chunk].base + rowInChunk * rowLength)
  }

  mutating func append(repeating element: Element) {
    let rowLength = rowLength
    append { $0.update(repeating: element, count: rowLength) }
  }

  private mutating func replaceChunk(_ chunk: Int, rowCapacity: Int) {
    let new = Chunk(rowCapacity: rowCapacity, rowLength: rowLength)
    let rowCount = min(count - chunk << Self.chunkShift, Self.chunkRows)
    new.base.update(from: chunks[chunk].base, count: rowCount * rowLength)
    chunks[chunk] = new
    bases[chunk] = UnsafePointer(new.base)
  }
}
