import CKernels

/// Byte strings to numbers: the first key put in is 0, the next 1, and so on. Keys lie one after another in one buffer.
struct ByteKeyTable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private var hashes: [UInt64] = []
  /// One more than a key's number; 0 is free. A power of two, at most three quarters full.
  private var slots: [UInt32]

  init() { slots = [UInt32](repeating: 0, count: 16) }

  var count: Int { ends.count }

  /// What one more key takes in memory, on average over growing.
  static func byteCount(ofKey count: Int) -> Int { 2 * count + 48 }

  /// The key's number, and whether it is new.
  @inline(__always)
  mutating func insert(_ key: UnsafeBufferPointer<UInt8>) -> (number: Int, isNew: Bool) {
    let hash = tl_hash64(key.baseAddress, key.count, 0)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let number = Int(slots[slot]) - 1
      if hashes[number] == hash, isKey(number, key) { return (number, false) }
      slot = (slot + 1) & (slots.count - 1)
    }
    let number = ends.count
    bytes.append(contentsOf: key)
    ends.append(bytes.count)
    hashes.append(hash)
    slots[slot] = UInt32(number + 1)
    if ends.count * 4 > slots.count * 3 { grow() }
    return (number, true)
  }

  mutating func insert(_ key: [UInt8]) -> (number: Int, isNew: Bool) { key.withUnsafeBufferPointer { insert($0) } }

  /// The number of a key that is in.
  func number(of key: UnsafeBufferPointer<UInt8>) -> Int? {
    let hash = tl_hash64(key.baseAddress, key.count, 0)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let number = Int(slots[slot]) - 1
      if hashes[number] == hash, isKey(number, key) { return number }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  func key(_ number: Int) -> [UInt8] { Array(bytes[start(number)..<ends[number]]) }

  private func start(_ number: Int) -> Int { number == 0 ? 0 : ends[number - 1] }

  @inline(__always)
  private func isKey(_ number: Int, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = start(number)
    guard ends[number] - start == key.count else { return false }
    return bytes.withUnsafeBufferPointer { buffer in
      for index in 0..<key.count where buffer[start + index] != key[index] { return false }
      return true
    }
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    for (number, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(number + 1)
    }
  }
}

/// Values one after another as one key, so that no two lists of values make the same.
struct TupleKey {
  private(set) var bytes: [UInt8] = []

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  @inline(__always)
  mutating func append(_ value: [UInt8]) {
    append(number: value.count)
    bytes.append(contentsOf: value)
  }

  /// A LEB128 number.
  @inline(__always)
  mutating func append(number: Int) {
    var rest = UInt64(bitPattern: Int64(number))
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// The values of a key made by `append` alone.
  static func values(of key: [UInt8]) -> [[UInt8]] {
    var values: [[UInt8]] = []
    var index = 0
    while index < key.count {
      var count = 0
      var shift = 0
      while index < key.count, key[index] >= 0x80 {
        count |= Int(key[index] & 0x7F) << shift
        shift += 7
        index += 1
      }
      guard index < key.count else { break }
      count |= Int(key[index]) << shift
      index += 1
      values.append(Array(key[index..<min(key.count, index + count)]))
      index += count
    }
    return values
  }
}
