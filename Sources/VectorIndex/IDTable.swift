/// Which slot an id is in: a hash table of slots alone, for the ids are beside the slots already. 4 bytes an entry, at
/// most four fifths of them used.
struct IDTable: Sendable {
  private static let pageShift: UInt32 = 10
  private static let free = UInt32.max

  private var pages: ChunkedRows<UInt32>
  private var capacityShift: UInt32 = 4
  private(set) var count = 0

  init() {
    pages = ChunkedRows(rowLength: 1 << Int(IDTable.pageShift))
    reset(capacityShift: 4)
  }

  /// With room for `count` ids.
  init(roomFor count: Int) {
    self.init()
    var shift = capacityShift
    while 4 << Int(shift) < 5 * count { shift += 1 }
    if shift > capacityShift { reset(capacityShift: shift) }
  }

  var byteCount: Int { pages.byteCount }

  private mutating func reset(capacityShift: UInt32) {
    self.capacityShift = capacityShift
    count = 0
    pages = ChunkedRows(rowLength: capacityShift < IDTable.pageShift ? 1 << Int(capacityShift) : 1 << 10)
    for _ in 0..<max(1, 1 << (Int(capacityShift) - Int(IDTable.pageShift))) { pages.append(IDTable.free) }
  }

  @inline(__always)
  private func home(of id: UInt64) -> UInt32 {
    // Fibonacci hashing, with the high bits folded in first.
    let mixed = (id ^ (id >> 32)) &* 0x9E37_79B9_7F4A_7C15
    return UInt32(truncatingIfNeeded: mixed >> (64 - UInt64(capacityShift)))
  }

  @inline(__always)
  private var mask: UInt32 { (1 << capacityShift) &- 1 }

  @inline(__always)
  private func slot(at index: UInt32, _ rows: ChunkedRows<UInt32>.Rows) -> UInt32 {
    rows[index >> IDTable.pageShift][Int(index & ((1 << IDTable.pageShift) - 1))]
  }

  private mutating func set(_ slot: UInt32, at index: UInt32) {
    pages.mutableRow(index >> IDTable.pageShift)[Int(index & ((1 << IDTable.pageShift) - 1))] = slot
  }

  func slot(of id: UInt64, _ ids: ChunkedRows<UInt64>) -> UInt32? {
    withExtendedLifetime((pages, ids)) {
      let (rows, ids) = (pages.rows, ids.rows)
      var index = home(of: id)
      while true {
        let found = slot(at: index, rows)
        if found == IDTable.free { return nil }
        if ids[found].pointee == id { return found }
        index = (index + 1) & mask
      }
    }
  }

  /// Adds `slot`, whose id is not in the table.
  mutating func insert(_ slot: UInt32, _ ids: ChunkedRows<UInt64>) {
    if 5 * (count + 1) > 4 << Int(capacityShift) { grow(ids) }
    place(slot, id: ids.rows[slot].pointee)
    count += 1
  }

  private mutating func place(_ slot: UInt32, id: UInt64) {
    var index = home(of: id)
    while self.slot(at: index, pages.rows) != IDTable.free { index = (index + 1) & mask }
    set(slot, at: index)
  }

  private mutating func grow(_ ids: ChunkedRows<UInt64>) {
    let old = pages
    let oldCapacity: UInt32 = 1 << capacityShift
    reset(capacityShift: capacityShift + 1)
    withExtendedLifetime((old, ids)) {
      for index in 0..<oldCapacity {
        let slot = self.slot(at: index, old.rows)
        if slot != IDTable.free {
          place(slot, id: ids.rows[slot].pointee)
          count += 1
        }
      }
    }
  }

  /// Takes `id` out; those after it in its run move up, so no mark is left behind.
  mutating func remove(_ id: UInt64, _ ids: ChunkedRows<UInt64>) -> UInt32? {
    guard let removed = slot(of: id, ids) else { return nil }
    var hole = home(of: id)
    while slot(at: hole, pages.rows) != removed { hole = (hole + 1) & mask }
    var index = (hole + 1) & mask
    while true {
      let slot = slot(at: index, pages.rows)
      if slot == IDTable.free { break }
      // It may move to the hole unless its home lies after the hole.
      let distanceFromHome = (index &- home(of: ids.rows[slot].pointee)) & mask
      if distanceFromHome >= (index &- hole) & mask {
        set(slot, at: hole)
        hole = index
      }
      index = (index + 1) & mask
    }
    set(IDTable.free, at: hole)
    count -= 1
    return removed
  }
}
