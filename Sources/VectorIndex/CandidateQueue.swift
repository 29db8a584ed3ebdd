/// A slot and its distance in one integer that orders by distance, then slot: ties fall the same way every time. The
/// lowest bit marks one whose links were followed.
struct Candidate: Comparable, BitwiseCopyable, Sendable {
  let key: UInt64

  @inline(__always)
  init(distance: Float, slot: UInt32) {
    let bits = (distance + 0).bitPattern  // + 0 makes -0 equal to 0
    // Bits of floats order like sign and magnitude; this makes them order like unsigned integers.
    let ordered = bits ^ (UInt32(bitPattern: Int32(bitPattern: bits) >> 31) | 0x8000_0000)
    key = UInt64(ordered) << 32 | UInt64(slot) << 1
  }

  @inline(__always)
  init(key: UInt64) { self.key = key }

  @inline(__always)
  var slot: UInt32 { UInt32(truncatingIfNeeded: key) >> 1 }

  @inline(__always)
  var distance: Float {
    let ordered = UInt32(truncatingIfNeeded: key >> 32)
    return Float(bitPattern: ordered >> 31 == 1 ? ordered & 0x7FFF_FFFF : ~ordered)
  }

  @inline(__always)
  static func < (a: Candidate, b: Candidate) -> Bool { a.key < b.key }
}

/// The `limit` nearest candidates seen so far, nearest first.
///
/// One sorted array takes the place of the paper's two heaps: what is nearer than the farthest result and not yet
/// followed is both a candidate and a result. Moving some hundred bytes costs less than keeping two heaps.
struct CandidatePool: ~Copyable {
  let keys: UnsafeMutablePointer<UInt64>
  private(set) var limit: Int
  private(set) var count = 0
  private let capacity: Int

  init(capacity: Int) {
    self.capacity = max(capacity, 1)
    limit = self.capacity
    keys = .allocate(capacity: self.capacity)
  }

  deinit { keys.deallocate() }

  mutating func removeAll(limit: Int) {
    precondition(limit <= capacity, "the pool is smaller than that")
    self.limit = limit
    count = 0
  }

  /// Puts `key` in its place.
  ///
  /// - Returns: The place; `limit` if it is farther than all and there is no room.
  @inline(__always)
  mutating func insert(_ key: UInt64) -> Int {
    var last = count
    if count == limit {
      if key >= keys[limit &- 1] { return limit }
      last = limit &- 1
    } else {
      count &+= 1
    }
    // Where it belongs, without a branch to be guessed.
    var low = 0
    var length = last
    while length > 0 {
      let half = length >> 1
      let isBefore = keys[low &+ half] < key
      low = isBefore ? low &+ half &+ 1 : low
      length = isBefore ? length &- half &- 1 : half
    }
    (keys + low + 1).update(from: keys + low, count: last &- low)
    keys[low] = key
    return low
  }
}

/// A binary heap of keys, least first.
struct KeyHeap: ~Copyable {
  private var keys: UnsafeMutablePointer<UInt64>
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int) {
    self.capacity = max(capacity, 1)
    keys = .allocate(capacity: self.capacity)
  }

  deinit { keys.deallocate() }

  @inline(__always)
  mutating func push(_ key: UInt64) {
    if count == capacity { grow() }
    var hole = count
    count += 1
    while hole > 0 {
      let parent = (hole - 1) / 2
      if keys[parent] <= key { break }
      keys[hole] = keys[parent]
      hole = parent
    }
    keys[hole] = key
  }

  /// The heap must not be empty.
  @inline(__always)
  mutating func pop() -> UInt64 {
    let least = keys[0]
    count -= 1
    if count > 0 { sink(keys[count]) }
    return least
  }

  private mutating func sink(_ key: UInt64) {
    var hole = 0
    while true {
      var child = 2 * hole + 1
      if child >= count { break }
      if child + 1 < count, keys[child + 1] < keys[child] { child += 1 }
      if keys[child] >= key { break }
      keys[hole] = keys[child]
      hole = child
    }
    keys[hole] = key
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<UInt64>.allocate(capacity: 2 * capacity)
    larger.update(from: keys, count: count)
    keys.deallocate()
    keys = larger
    capacity *= 2
  }
}
