internal import CKernels
internal import Domain

/// Distinct byte strings numbered in the order of their first appearance. All strings are spans of one buffer, handed
/// in anew at each call, so that the table itself holds no bytes.
struct ByteInterner {
  private var slots: [UInt32]
  private var hashes: [UInt64] = []
  private(set) var spans: [ByteSpan] = []
  private static let empty = UInt32.max

  init() { slots = [UInt32](repeating: ByteInterner.empty, count: 64) }

  var count: Int { spans.count }

  mutating func removeAll() {
    // A table that one large list made large would cost every small list after it.
    if slots.count > 1024 {
      slots = [UInt32](repeating: ByteInterner.empty, count: 64)
    } else {
      for index in slots.indices { slots[index] = ByteInterner.empty }
    }
    hashes.removeAll(keepingCapacity: true)
    spans.removeAll(keepingCapacity: true)
  }

  /// The number of the string at `span`.
  mutating func intern(_ span: ByteSpan, in bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let length = Int(span.length)
    // An empty buffer may have no address; a zero length is never read through it.
    let start = bytes.baseAddress.map { $0 + Int(span.offset) }
    let hash = tl_hash64(start, length, 0)
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let number = slots[slot]
      if number == ByteInterner.empty { break }
      if hashes[Int(number)] == hash {
        let known = spans[Int(number)]
        if Int(known.length) == length, equal(bytes, known, span) { return number }
      }
      slot = (slot + 1) & mask
    }
    let number = UInt32(spans.count)
    slots[slot] = number
    hashes.append(hash)
    spans.append(span)
    if spans.count * 2 > slots.count { grow() }
    return number
  }

  private mutating func grow() {
    let mask = slots.count * 4 - 1
    slots = [UInt32](repeating: ByteInterner.empty, count: mask + 1)
    for (number, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & mask
      while slots[slot] != ByteInterner.empty { slot = (slot + 1) & mask }
      slots[slot] = UInt32(number)
    }
  }
}

/// Whether two spans of one buffer hold the same bytes.
@inline(__always)
func equal(_ bytes: UnsafeBufferPointer<UInt8>, _ left: ByteSpan, _ right: ByteSpan) -> Bool {
  guard left.length == right.length else { return false }
  guard left.offset != right.offset, left.length > 0 else { return true }
  let base = UnsafeRawPointer(bytes.baseAddress!)
  let leftBase = base + Int(left.offset)
  let rightBase = base + Int(right.offset)
  var index = 0
  let count = Int(left.length)
  while index + 8 <= count {
    if leftBase.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      != rightBase.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    {
      return false
    }
    index += 8
  }
  while index < count {
    if leftBase.load(fromByteOffset: index, as: UInt8.self) != rightBase.load(fromByteOffset: index, as: UInt8.self) {
      return false
    }
    index += 1
  }
  return true
}

/// Distinct 32-bit numbers, numbered in the order of their first appearance.
struct NumberInterner {
  private var slots = [UInt32](repeating: .max, count: 64)
  private(set) var numbers: [UInt32] = []
  private(set) var counts: [UInt32] = []
  private var last: UInt32 = 0

  mutating func intern(_ number: UInt32) -> UInt32 {
    if !numbers.isEmpty, numbers[Int(last)] == number {
      counts[Int(last)] += 1
      return last
    }
    let mask = slots.count - 1
    var slot = NumberInterner.slot(of: number, mask)
    while slots[slot] != .max {
      let index = slots[slot]
      if numbers[Int(index)] == number {
        counts[Int(index)] += 1
        last = index
        return index
      }
      slot = (slot + 1) & mask
    }
    last = UInt32(numbers.count)
    slots[slot] = last
    numbers.append(number)
    counts.append(1)
    if numbers.count * 2 > slots.count { grow() }
    return last
  }

  private static func slot(of number: UInt32, _ mask: Int) -> Int {
    Int(truncatingIfNeeded: (UInt64(number) &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
  }

  private mutating func grow() {
    let mask = slots.count * 4 - 1
    slots = [UInt32](repeating: .max, count: mask + 1)
    for (index, number) in numbers.enumerated() {
      var slot = NumberInterner.slot(of: number, mask)
      while slots[slot] != .max { slot = (slot + 1) & mask }
      slots[slot] = UInt32(index)
    }
  }
}

/// Numbers as indexes into the ascending list of the distinct ones, as a block's summary holds it.
struct NumberColumn {
  var codes: [UInt32]
  var counts: [NumberCount]

  init(_ count: Int, _ number: (Int) -> UInt32) {
    var interner = NumberInterner()
    var codes = [UInt32](unsafeUninitializedCapacity: count) { output, initialized in
      for index in 0..<count { output.initializeElement(at: index, to: interner.intern(number(index))) }
      initialized = count
    }
    let order = interner.numbers.indices.sorted { interner.numbers[$0] < interner.numbers[$1] }
    var rank = [UInt32](repeating: 0, count: order.count)
    var counts: [NumberCount] = []
    counts.reserveCapacity(order.count)
    for (position, index) in order.enumerated() {
      rank[index] = UInt32(position)
      counts.append(NumberCount(number: interner.numbers[index], count: interner.counts[index]))
    }
    for index in codes.indices { codes[index] = rank[Int(codes[index])] }
    self.codes = codes
    self.counts = counts
  }
}

/// The rows of each code, ascending, one code after another.
struct RowGroups {
  /// Rows ordered by code.
  var rows: [UInt32]
  /// `groupCount + 1` entries: the rows of code c are `rows[starts[c]..<starts[c + 1]]`.
  var starts: [Int]

  /// - Parameter codes: Each below `groupCount`.
  init(codes: [UInt32], groupCount: Int) {
    var starts = [Int](repeating: 0, count: groupCount + 1)
    for code in codes { starts[Int(code) + 1] += 1 }
    for group in 0..<groupCount { starts[group + 1] += starts[group] }
    var next = starts
    rows = [UInt32](unsafeUninitializedCapacity: codes.count) { rows, initialized in
      next.withUnsafeMutableBufferPointer { next in
        for (row, code) in codes.enumerated() {
          rows[next[Int(code)]] = UInt32(row)
          next[Int(code)] += 1
        }
      }
      initialized = codes.count
    }
    self.starts = starts
  }

  func range(of code: Int) -> Range<Int> { starts[code]..<starts[code + 1] }

  /// For each row, its place among its code's rows.
  var ordinals: [UInt32] {
    var ordinals = [UInt32](repeating: 0, count: rows.count)
    for code in 0..<starts.count - 1 {
      for index in range(of: code) { ordinals[Int(rows[index])] = UInt32(index - starts[code]) }
    }
    return ordinals
  }

  /// The row's place among the rows of its code.
  func ordinal(ofRow row: Int, code: Int) -> Int {
    var low = starts[code]
    var high = starts[code + 1] - 1
    while low < high {
      let middle = (low + high) / 2
      if rows[middle] < row { low = middle + 1 } else { high = middle }
    }
    return low - starts[code]
  }
}
