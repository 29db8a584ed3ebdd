/// Numbers found by the hash of what they stand for. Whoever looks one up compares what it stands for: hashes may
/// collide.
struct HashIndex {
  /// Hash and number + 1; 0 is a free slot. The count is a power of two.
  private var slots: [(hash: UInt64, number: UInt32)]
  private var count = 0

  init(capacity: Int = 64) {
    var slotCount = 64
    while slotCount < capacity * 2 { slotCount *= 2 }
    slots = Array(repeating: (0, 0), count: slotCount)
  }

  /// The place to start looking for `hash`.
  @inline(__always)
  func start(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slots.count - 1) }

  /// The next number under `hash` at or after `slot`, which moves beyond it.
  @inline(__always)
  func next(_ hash: UInt64, _ slot: inout Int) -> Int? {
    while true {
      let entry = slots[slot]
      slot = (slot + 1) & (slots.count - 1)
      if entry.number == 0 { return nil }
      if entry.hash == hash { return Int(entry.number) - 1 }
    }
  }

  mutating func insert(_ hash: UInt64, _ number: Int) {
    if (count + 1) * 2 > slots.count {
      let old = slots
      slots = Array(repeating: (0, 0), count: old.count * 2)
      for entry in old where entry.number != 0 { place(entry.hash, entry.number) }
    }
    place(hash, UInt32(number) + 1)
    count += 1
  }

  private mutating func place(_ hash: UInt64, _ number: UInt32) {
    var slot = start(hash)
    while slots[slot].number != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = (hash, number)
  }
}
