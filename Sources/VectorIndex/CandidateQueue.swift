/// A slot and its distance in one integer that orders by distance, then slot: ties fall the same way every time.
struct Candidate: Comparable, BitwiseCopyable, Sendable {
  let key: UInt64

  @inline(__always)
  init(distance: Float, slot: UInt32) {
    let bits = (distance + 0).bitPattern  // + 0 makes -0 equal to 0
    // Bits of floats order like sign and magnitude; this makes them order like unsigned integers.
    let ordered = bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
    key = UInt64(ordered) << 32 | UInt64(slot)
  }

  @inline(__always)
  init(key: UInt64) { self.key = key }

  @inline(__always)
  var slot: UInt32 { UInt32(truncatingIfNeeded: key) }

  @inline(__always)
  var distance: Float {
    let ordered = UInt32(truncatingIfNeeded: key >> 32)
    return Float(bitPattern: ordered >> 31 == 1 ? ordered & 0x7FFF_FFFF : ~ordered)
  }

  @inline(__always)
  static func < (a: Candidate, b: Candidate) -> Bool { a.key < b.key }
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
  var first: UInt64 { keys[0] }

  mutating func removeAll() { count = 0 }

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

  /// Takes out the least and puts in `key`.
  @inline(__always)
  mutating func replaceFirst(with key: UInt64) { sink(key) }

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

/// The `limit` nearest candidates seen so far.
struct NearestCandidates: ~Copyable {
  let limit: Int
  /// Complements of the keys: the farthest comes first.
  private var heap: KeyHeap

  init(limit: Int) {
    self.limit = limit
    heap = KeyHeap(capacity: limit)
  }

  var count: Int { heap.count }

  @inline(__always)
  var isFull: Bool { heap.count >= limit }

  /// Whether `candidate` is among the nearest so far.
  @inline(__always)
  func admits(_ candidate: Candidate) -> Bool { !isFull || candidate.key < ~heap.first }

  @inline(__always)
  mutating func insert(_ candidate: Candidate) {
    if !isFull {
      heap.push(~candidate.key)
    } else if candidate.key < ~heap.first {
      heap.replaceFirst(with: ~candidate.key)
    }
  }

  /// Nearest first; the heap is empty afterwards.
  mutating func drain() -> [Candidate] {
    var candidates: [Candidate] = []
    candidates.reserveCapacity(heap.count)
    while heap.count > 0 { candidates.append(Candidate(key: ~heap.pop())) }
    candidates.reverse()
    return candidates
  }
}
