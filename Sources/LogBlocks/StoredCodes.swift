internal import CKernels

/// Indexes into a table, one a row, as near to their stored form as makes sense: questions about all rows are answered
/// by runs or by bytes, not row by row.
struct StoredCodes {
  enum Form {
    case zeros
    /// Neighboring runs may be of one code; `ends` ascends, and ends with the row count.
    case runs(codes: [UInt32], ends: [Int])
    /// At most 256 different ones.
    case bytes([UInt8])
    case words([UInt32])
  }

  let count: Int
  /// All codes are below this; at least 1.
  let limit: Int
  let form: Form

  init(count: Int, limit: Int, _ form: Form) {
    self.count = count
    self.limit = limit
    self.form = form
  }

  subscript(row: Int) -> Int {
    switch form {
    case .zeros: return 0
    case .runs(let codes, let ends): return Int(codes[StoredCodes.run(of: row, ends)])
    case .bytes(let codes): return Int(codes[row])
    case .words(let codes): return Int(codes[row])
    }
  }

  private static func run(of row: Int, _ ends: [Int]) -> Int {
    var low = 0
    var high = ends.count - 1
    while low < high {
      let middle = (low + high) / 2
      if ends[middle] <= row { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// One code a row.
  var expanded: [UInt32] {
    switch form {
    case .zeros: return [UInt32](repeating: 0, count: count)
    case .runs(let codes, let ends):
      return [UInt32](unsafeUninitializedCapacity: count) { output, initialized in
        var start = 0
        for (code, end) in zip(codes, ends) {
          UnsafeMutableBufferPointer(rebasing: output[start..<end]).initialize(repeating: code)
          start = end
        }
        initialized = count
      }
    case .bytes(let codes):
      return [UInt32](unsafeUninitializedCapacity: count) { output, initialized in
        if count > 0 { _ = tl_widen(codes, count, 1, output.baseAddress) }
        initialized = count
      }
    case .words(let codes): return codes
    }
  }

  /// How many rows before `row` have its code.
  func ordinal(ofRow row: Int) -> Int {
    switch form {
    case .zeros: return row
    case .runs(let codes, let ends):
      let own = StoredCodes.run(of: row, ends)
      var ordinal = row - (own == 0 ? 0 : ends[own - 1])
      for run in 0..<own where codes[run] == codes[own] { ordinal += ends[run] - (run == 0 ? 0 : ends[run - 1]) }
      return ordinal
    case .bytes(let codes): return tl_count_byte(codes, row, codes[row])
    case .words(let codes): return tl_count_word(codes, row, codes[row])
    }
  }

  /// The rows whose code passes; `passes` has `limit` entries.
  func rows(where passes: [Bool]) -> RowBits {
    let (isAll, isNone) = (!passes.contains(false), !passes.contains(true))
    if isAll || isNone { return RowBits(rowCount: count, all: isAll) }
    switch form {
    case .zeros:
      return RowBits(rowCount: count, all: passes[0])
    case .runs(let codes, let ends):
      var bits = RowBits(rowCount: count, all: false)
      var start = 0
      for (code, end) in zip(codes, ends) {
        if passes[Int(code)] { bits.insertRows(start..<end) }
        start = end
      }
      return bits
    case .bytes(let codes):
      var table = passes.map { $0 ? 1 as UInt8 : 0 }
      table += [UInt8](repeating: 0, count: max(0, 256 - table.count))
      return RowBits(unsafeUninitializedCapacity: (count + 63) / 64) { output, initialized in
        if count > 0 { tl_match_bytes(codes, count, limit, table, output.baseAddress) }
        initialized = (count + 63) / 64
      }
    case .words(let codes):
      var bits = RowBits(rowCount: count, all: false)
      for (row, code) in codes.enumerated() where passes[Int(code)] { bits.insertRow(row) }
      return bits
    }
  }

  /// How often each code occurs among `rows` (nil: all); `limit` entries.
  func counts(within rows: RowBits?) -> [Int] {
    var counts = [Int](repeating: 0, count: limit)
    switch form {
    case .zeros:
      counts[0] = rows?.rowCount ?? count
    case .runs(let codes, let ends):
      var start = 0
      for (code, end) in zip(codes, ends) {
        counts[Int(code)] += rows?.rowCount(in: start..<end) ?? (end - start)
        start = end
      }
    case .bytes(let codes):
      guard let rows else {
        var table = [UInt32](repeating: 0, count: 256)
        tl_count_codes(codes, count, &table)
        for code in 0..<min(limit, 256) { counts[code] = Int(table[code]) }
        break
      }
      rows.forEachRow { row in
        counts[Int(codes[row])] += 1
        return true
      }
    case .words(let codes):
      guard let rows else {
        for code in codes { counts[Int(code)] += 1 }
        break
      }
      rows.forEachRow { row in
        counts[Int(codes[row])] += 1
        return true
      }
    }
    return counts
  }
}

extension RowBits {
  package init(rowCount: Int, all: Bool) {
    self.init(repeating: all ? .max : 0, count: (rowCount + 63) / 64)
    if all, rowCount & 63 != 0 { self[count - 1] = (1 << UInt64(rowCount & 63)) - 1 }
  }

  init(rowCount: Int, _ isIncluded: (Int) -> Bool) {
    self.init(repeating: 0, count: (rowCount + 63) / 64)
    for row in 0..<rowCount where isIncluded(row) { insertRow(row) }
  }

  var rowCount: Int { reduce(0) { $0 + $1.nonzeroBitCount } }

  @inline(__always)
  mutating func insertRow(_ row: Int) { self[row >> 6] |= 1 << UInt64(row & 63) }

  @inline(__always)
  func containsRow(_ row: Int) -> Bool { self[row >> 6] & (1 << UInt64(row & 63)) != 0 }

  /// The bits of word `index` that lie in `range`.
  @inline(__always)
  private static func mask(_ range: Range<Int>, atWord index: Int) -> UInt64 {
    let from = range.lowerBound - index << 6
    let to = range.upperBound - index << 6
    let low: UInt64 = from <= 0 ? .max : .max << UInt64(from)
    let high: UInt64 = to >= 64 ? .max : (1 << UInt64(to)) - 1
    return low & high
  }

  mutating func insertRows(_ range: Range<Int>) {
    if range.isEmpty { return }
    for index in range.lowerBound >> 6...(range.upperBound - 1) >> 6 {
      self[index] |= RowBits.mask(range, atWord: index)
    }
  }

  func rowCount(in range: Range<Int>) -> Int {
    if range.isEmpty { return 0 }
    var count = 0
    for index in range.lowerBound >> 6...(range.upperBound - 1) >> 6 {
      count += (self[index] & RowBits.mask(range, atWord: index)).nonzeroBitCount
    }
    return count
  }

  /// Calls `body` with each row, ascending, until it answers false.
  @inline(__always)
  func forEachRow(_ body: (Int) throws -> Bool) rethrows {
    for index in indices {
      var word = self[index]
      while word != 0 {
        guard try body(index << 6 + word.trailingZeroBitCount) else { return }
        word &= word &- 1
      }
    }
  }

  /// The rows of `range` from its end to its start, until `body` answers false.
  @inline(__always)
  func forEachRowDescending(in range: Range<Int>, _ body: (Int) throws -> Bool) rethrows {
    if range.isEmpty { return }
    var index = (range.upperBound - 1) >> 6
    while index >= range.lowerBound >> 6 {
      var word = self[index] & RowBits.mask(range, atWord: index)
      while word != 0 {
        let bit = 63 - word.leadingZeroBitCount
        guard try body(index << 6 + bit) else { return }
        word ^= 1 << UInt64(bit)
      }
      index -= 1
    }
  }

  /// The rows of `range`, ascending, until `body` answers false.
  @inline(__always)
  func forEachRow(in range: Range<Int>, _ body: (Int) throws -> Bool) rethrows {
    if range.isEmpty { return }
    for index in range.lowerBound >> 6...(range.upperBound - 1) >> 6 {
      var word = self[index] & RowBits.mask(range, atWord: index)
      while word != 0 {
        guard try body(index << 6 + word.trailingZeroBitCount) else { return }
        word &= word &- 1
      }
    }
  }

  /// Bit i of this set at the place of the i-th row of `places`.
  func spread(to places: RowBits) -> RowBits {
    RowBits(unsafeUninitializedCapacity: places.count) { output, initialized in
      if !places.isEmpty { _ = tl_spread_bits(self, places, places.count, output.baseAddress) }
      initialized = places.count
    }
  }

  /// The bits at the rows of `places`, of which there are `rowCount`, one after another.
  func gathered(from places: RowBits, rowCount: Int) -> RowBits {
    RowBits(unsafeUninitializedCapacity: (rowCount + 63) / 64) { output, initialized in
      if rowCount > 0 { _ = tl_gather_bits(self, places, places.count, output.baseAddress) }
      initialized = (rowCount + 63) / 64
    }
  }
}
