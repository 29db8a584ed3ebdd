internal import CKernels

/// Rows of `rowLength` elements, in chunks of about 64 KiB that copies of the value share until one of them writes.
///
/// Sendable, although chunks are references, because a chunk is written only through a value that holds its one
/// reference.
struct ChunkedRows<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  /// What a writer copies for one changed row while a reader holds the chunk: 3 microseconds' worth.
  private static var chunkByteCount: Int { 64 << 10 }

  final class Chunk {
    let base: UnsafeMutablePointer<Element>
    let rowCapacity: Int
    /// What owns the memory, if the chunk does not.
    let owner: AnyObject?
    /// Bytes of pages of its own; 0 for memory of the heap.
    private let pageByteCount: Int

    /// - Parameter isLasting: Whether the chunk gets pages of its own, as chunks do that are filled and kept. Copies
    ///   made for a writer while readers hold the chunk come and go, and come from the heap.
    init(rowCapacity: Int, rowLength: Int, isLasting: Bool = false) {
      self.rowCapacity = rowCapacity
      owner = nil
      let byteCount = rowCapacity * rowLength * MemoryLayout<Element>.stride
      if isLasting, byteCount >= 32 << 10, let pages = tl_pages_allocate(byteCount) {
        pageByteCount = byteCount
        base = pages.bindMemory(to: Element.self, capacity: rowCapacity * rowLength)
      } else {
        pageByteCount = 0
        base = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 64)
          .bindMemory(to: Element.self, capacity: rowCapacity * rowLength)
      }
    }

    /// Memory that belongs to `owner` and is read, never written.
    init(borrowing base: UnsafeMutablePointer<Element>, rowCapacity: Int, owner: AnyObject) {
      self.base = base
      self.rowCapacity = rowCapacity
      self.owner = owner
      pageByteCount = 0
    }

    deinit {
      if pageByteCount > 0 {
        tl_pages_free(base, pageByteCount)
      } else if owner == nil {
        UnsafeMutableRawPointer(base).deallocate()
      }
    }
  }

  /// The chunks and, for kernels, where each begins.
  private final class Table {
    var chunks: [Chunk] = []
    var bases: UnsafeMutablePointer<UnsafeMutablePointer<Element>>
    var capacity: Int

    init(capacity: Int) {
      self.capacity = capacity
      bases = .allocate(capacity: capacity)
    }

    deinit { bases.deallocate() }

    func copy() -> Table {
      let table = Table(capacity: capacity)
      table.chunks = chunks
      table.bases.update(from: bases, count: chunks.count)
      return table
    }

    func append(_ chunk: Chunk) {
      if chunks.count == capacity {
        let larger = UnsafeMutablePointer<UnsafeMutablePointer<Element>>.allocate(capacity: 2 * capacity)
        larger.update(from: bases, count: capacity)
        bases.deallocate()
        bases = larger
        capacity *= 2
      }
      bases[chunks.count] = chunk.base
      chunks.append(chunk)
    }

    func replace(_ index: Int, with chunk: Chunk) {
      chunks[index] = chunk
      bases[index] = chunk.base
    }
  }

  let rowLength: Int
  /// A chunk has `1 << chunkShift` rows.
  let chunkShift: UInt32
  private(set) var count = 0
  private var table = Table(capacity: 1)

  init(rowLength: Int) {
    self.rowLength = rowLength
    var shift: UInt32 = 4
    while shift < 16, (2 << Int(shift)) * rowLength * MemoryLayout<Element>.stride <= Self.chunkByteCount { shift += 1 }
    chunkShift = shift
  }

  var chunkRows: Int { 1 << Int(chunkShift) }

  var byteCount: Int {
    table.chunks.reduce(0) { $0 + $1.rowCapacity } * rowLength * MemoryLayout<Element>.stride
  }

  /// Where rows are: valid while the value it was asked of lives and does not change.
  struct Rows {
    let bases: UnsafeMutablePointer<UnsafeMutablePointer<Element>>
    let rowLength: Int
    let shift: UInt32

    @inline(__always)
    subscript(_ row: UInt32) -> UnsafeMutablePointer<Element> {
      bases[Int(row >> shift)] + Int(row & ((1 << shift) &- 1)) &* rowLength
    }
  }

  @inline(__always)
  var rows: Rows { Rows(bases: table.bases, rowLength: rowLength, shift: chunkShift) }

  /// A row to be written, valid until the next change; rows asked for before stay where they are if nobody else holds
  /// their chunks.
  @inline(__always)
  mutating func mutableRow(_ row: UInt32) -> UnsafeMutablePointer<Element> {
    precondition(Int(row) < count, "no such row")
    let chunk = Int(row >> chunkShift)
    makeUnique(chunk, rowCapacity: nil)
    return rows[row]
  }

  /// Adds a row, which the caller writes.
  mutating func append() -> UnsafeMutablePointer<Element> {
    let chunk = count >> Int(chunkShift)
    let rowInChunk = count & (chunkRows - 1)
    makeTableUnique()
    if chunk == table.chunks.count {
      // The first chunk starts small: most indexes stay small.
      table.append(Chunk(rowCapacity: chunk == 0 ? 16 : chunkRows, rowLength: rowLength, isLasting: chunk > 0))
    } else if rowInChunk == table.chunks[chunk].rowCapacity {
      makeUnique(chunk, rowCapacity: min(2 * rowInChunk, chunkRows))
    } else {
      makeUnique(chunk, rowCapacity: nil)
    }
    count += 1
    return table.bases[chunk] + rowInChunk * rowLength
  }

  mutating func append(_ element: Element) {
    append().update(repeating: element, count: rowLength)
  }

  private mutating func makeTableUnique() {
    if !isKnownUniquelyReferenced(&table) { table = table.copy() }
  }

  /// Makes the chunk this value's own, with room for `rowCapacity` rows.
  @inline(__always)
  private mutating func makeUnique(_ chunk: Int, rowCapacity: Int?) {
    makeTableUnique()
    if rowCapacity == nil, isKnownUniquelyReferenced(&table.chunks[chunk]), table.chunks[chunk].owner == nil { return }
    replaceChunk(chunk, rowCapacity: rowCapacity ?? table.chunks[chunk].rowCapacity)
  }

  @inline(never)
  private mutating func replaceChunk(_ chunk: Int, rowCapacity: Int) {
    let new = Chunk(rowCapacity: rowCapacity, rowLength: rowLength)
    let rowCount = min(count - chunk << Int(chunkShift), chunkRows)
    new.base.update(from: table.chunks[chunk].base, count: rowCount * rowLength)
    table.replace(chunk, with: new)
  }

  // MARK: Whole contents

  var contentByteCount: Int { count * rowLength * MemoryLayout<Element>.stride }

  /// Passes all rows on, one after another, in pieces.
  func write(to sink: (UnsafeRawBufferPointer) -> Void) {
    for (index, chunk) in table.chunks.enumerated() {
      let rowCount = min(count - index << Int(chunkShift), chunkRows)
      sink(
        UnsafeRawBufferPointer(start: chunk.base, count: rowCount * rowLength * MemoryLayout<Element>.stride))
    }
  }

  /// Rows that `write` wrote. With an owner they stay where they are, aligned for their kind, and are copied in chunks
  /// when they are first written.
  init(rowLength: Int, count: Int, from source: UnsafeRawPointer, owner: AnyObject?) {
    self.init(rowLength: rowLength)
    self.count = count
    var start = 0
    while start < count {
      let rowCount = min(count - start, chunkRows)
      let bytes = source + start * rowLength * MemoryLayout<Element>.stride
      // The last chunk is copied even when borrowed: it is the one to grow.
      if let owner, rowCount == chunkRows, !rowsAreMisaligned(bytes) {
        let base = UnsafeMutableRawPointer(mutating: bytes)
          .bindMemory(to: Element.self, capacity: rowCount * rowLength)
        table.append(Chunk(borrowing: base, rowCapacity: chunkRows, owner: owner))
      } else {
        let capacity = start == 0 && rowCount < chunkRows ? max(rowCount, 16) : chunkRows
        let chunk = Chunk(rowCapacity: capacity, rowLength: rowLength, isLasting: capacity == chunkRows)
        UnsafeMutableRawPointer(chunk.base)
          .copyMemory(from: bytes, byteCount: rowCount * rowLength * MemoryLayout<Element>.stride)
        table.append(chunk)
      }
      start += rowCount
    }
  }

  private func rowsAreMisaligned(_ bytes: UnsafeRawPointer) -> Bool {
    Int(bitPattern: bytes) % MemoryLayout<Element>.alignment != 0
  }
}
