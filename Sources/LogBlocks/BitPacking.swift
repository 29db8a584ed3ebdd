internal import CKernels

/// Unsigned integers of one width, packed without gaps, least significant bit first.
enum BitPacking {
  /// How many bytes `count` values of `width` bits take.
  static func byteCount(count: Int, width: Int) -> Int { (count * width + 7) / 8 }

  /// Bits that `value` needs.
  @inline(__always)
  static func width(of value: UInt64) -> Int { 64 - value.leadingZeroBitCount }

  /// Appends `count` values, each below `2^width`; `width` is 0...64.
  static func pack(count: Int, width: Int, into bytes: inout [UInt8], value: (Int) -> UInt64) {
    guard width > 0 else { return }
    bytes.reserveCapacity(bytes.count + byteCount(count: count, width: width))
    var word: UInt64 = 0
    var filled = 0
    for index in 0..<count {
      let next = value(index)
      word |= next << UInt64(filled)
      let total = filled + width
      if total >= 64 {
        withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
        // What did not fit. A shift by 64 gives 0 in Swift, which is what filled == 0 needs.
        word = next >> UInt64(64 - filled)
        filled = total - 64
      } else {
        filled = total
      }
    }
    while filled > 0 {
      bytes.append(UInt8(truncatingIfNeeded: word))
      word >>= 8
      filled -= 8
    }
  }
}

/// Integers in chunks of 128, each chunk in whichever of three forms is smallest.
///
/// A chunk: one byte form (0 values, 1 differences, 2 differences of differences), one byte width w, the first value as
/// a zigzag varint of its distance from the last value of the chunk before (from 0 at first), for form 2 the first
/// difference as a zigzag varint, the smallest member as a zigzag varint, then the members less the smallest in w bits
/// each. The members are all values (form 0; no first value is written), the differences (form 1) or their differences
/// (form 2). All arithmetic wraps at 64 bits, so every Int64 comes back.
enum IntegerCodec {
  static let chunkCount = 128

  static func encode(_ values: UnsafeBufferPointer<Int64>, into bytes: inout [UInt8]) {
    var anchor: Int64 = 0
    var start = 0
    while start < values.count {
      let chunk = UnsafeBufferPointer(rebasing: values[start..<min(start + chunkCount, values.count)])
      encodeChunk(chunk, anchor: anchor, into: &bytes)
      anchor = chunk[chunk.count - 1]
      start += chunk.count
    }
  }

  private static func encodeChunk(_ chunk: UnsafeBufferPointer<Int64>, anchor: Int64, into bytes: inout [UInt8]) {
    var low = chunk[0]
    var high = low
    var low1 = Int64.max
    var high1 = Int64.min
    var low2 = Int64.max
    var high2 = Int64.min
    var previousDelta: Int64 = 0
    for index in 1..<max(chunk.count, 1) {
      let value = chunk[index]
      low = min(low, value)
      high = max(high, value)
      let delta = value &- chunk[index - 1]
      low1 = min(low1, delta)
      high1 = max(high1, delta)
      if index > 1 {
        let second = delta &- previousDelta
        low2 = min(low2, second)
        high2 = max(high2, second)
      }
      previousDelta = delta
    }
    let width0 = BitPacking.width(of: UInt64(bitPattern: high &- low))
    let width1 = chunk.count > 1 ? BitPacking.width(of: UInt64(bitPattern: high1 &- low1)) : 64
    let width2 = chunk.count > 2 ? BitPacking.width(of: UInt64(bitPattern: high2 &- low2)) : 64
    let cost0 = width0 * chunk.count
    let cost1 = width1 * (chunk.count - 1) + 16
    let cost2 = width2 * (chunk.count - 2) + 32
    if cost0 <= cost1, cost0 <= cost2 || chunk.count < 3 {
      bytes.append(0)
      bytes.append(UInt8(width0))
      bytes.appendSigned(low &- anchor)
      BitPacking.pack(count: chunk.count, width: width0, into: &bytes) { UInt64(bitPattern: chunk[$0] &- low) }
    } else if cost1 <= cost2 || chunk.count < 3 {
      bytes.append(1)
      bytes.append(UInt8(width1))
      bytes.appendSigned(chunk[0] &- anchor)
      bytes.appendSigned(low1)
      BitPacking.pack(count: chunk.count - 1, width: width1, into: &bytes) {
        UInt64(bitPattern: chunk[$0 + 1] &- chunk[$0] &- low1)
      }
    } else {
      bytes.append(2)
      bytes.append(UInt8(width2))
      bytes.appendSigned(chunk[0] &- anchor)
      bytes.appendSigned(chunk[1] &- chunk[0])
      bytes.appendSigned(low2)
      BitPacking.pack(count: chunk.count - 2, width: width2, into: &bytes) {
        UInt64(bitPattern: (chunk[$0 + 2] &- chunk[$0 + 1]) &- (chunk[$0 + 1] &- chunk[$0]) &- low2)
      }
    }
  }

  /// - Parameter count: Known to the caller and bounded by it.
  static func decode(count: Int, from reader: inout ByteReader) throws(BlockError) -> [Int64] {
    try decode(first: count, of: count, from: &reader)
  }

  /// The first of `total` values: whole chunks are read, and those that hold none of them are not. `reader` is left
  /// where it stops reading.
  static func decode(first count: Int, of total: Int, from reader: inout ByteReader) throws(BlockError) -> [Int64] {
    try expectChunks(of: total, in: reader)
    let count = min(total, (count + chunkCount - 1) / chunkCount * chunkCount)
    var failure: BlockError?
    let values = [Int64](unsafeUninitializedCapacity: count) { output, initialized in
      initialized = count
      guard let base = output.baseAddress else { return }
      do throws(BlockError) {
        try decodeChunks(base, count: count, from: &reader)
      } catch {
        output.initialize(repeating: 0)
        failure = error
      }
    }
    if let failure { throw failure }
    return values
  }

  /// All of `count` values, in working memory.
  static func decode(
    count: Int, in memory: WorkingMemory, from reader: inout ByteReader
  ) throws(BlockError) -> UnsafeMutablePointer<Int64> {
    try expectChunks(of: count, in: reader)
    let values = memory.allocate(Int64.self, count)
    try decodeChunks(values, count: count, from: &reader)
    return values
  }

  /// Each chunk takes at least three bytes: no memory is taken for a count that the bytes cannot hold.
  private static func expectChunks(of count: Int, in reader: ByteReader) throws(BlockError) {
    guard (count + chunkCount - 1) / chunkCount <= reader.remaining / 3 else { throw reader.corrupt }
  }

  private static func decodeChunks(
    _ output: UnsafeMutablePointer<Int64>, count: Int, from reader: inout ByteReader
  ) throws(BlockError) {
    var anchor: Int64 = 0
    var next = 0
    while next < count {
      let size = min(chunkCount, count - next)
      try decodeChunk(output + next, count: size, anchor: anchor, from: &reader)
      next += size
      anchor = output[next - 1]
    }
  }

  /// Passes over `count` values.
  static func skip(count: Int, from reader: inout ByteReader) throws(BlockError) {
    var left = count
    while left > 0 {
      let size = min(chunkCount, left)
      let form = try reader.byte()
      let width = Int(try reader.byte())
      guard form <= 2, width <= 64, size > Int(form) || form == 0 else { throw reader.corrupt }
      for _ in 0...form { _ = try reader.varint() }
      _ = try reader.take(BitPacking.byteCount(count: size - Int(form), width: width))
      left -= size
    }
  }

  private static func decodeChunk(
    _ output: UnsafeMutablePointer<Int64>, count: Int, anchor: Int64, from reader: inout ByteReader
  ) throws(BlockError) {
    let form = try reader.byte()
    let width = Int(try reader.byte())
    guard form <= 2, width <= 64, count > Int(form) || form == 0 else { throw reader.corrupt }
    let first = try reader.signed() &+ anchor
    let delta = form == 2 ? try reader.signed() : 0
    let low = form > 0 ? try reader.signed() : first
    let members = count - Int(form)
    let packed = try reader.take(BitPacking.byteCount(count: members, width: width))
    // Bytes of what comes after may be read along, and are cut off.
    let readable = packed.count + reader.remaining
    output.withMemoryRebound(to: UInt64.self, capacity: count) { output in
      let unsignedLow = UInt64(bitPattern: low)
      switch form {
      case 0:
        tl_unpack(packed.baseAddress, readable, members, UInt32(width), unsignedLow, output)
      case 1:
        output[0] = UInt64(bitPattern: first)
        tl_unpack(packed.baseAddress, readable, members, UInt32(width), 0, output + 1)
        tl_sum_up(output + 1, members, output[0], unsignedLow)
      default:
        output[0] = UInt64(bitPattern: first)
        output[1] = UInt64(bitPattern: first &+ delta)
        tl_unpack(packed.baseAddress, readable, members, UInt32(width), 0, output + 2)
        tl_sum_up(output + 2, members, UInt64(bitPattern: delta), unsignedLow)
        tl_sum_up(output + 2, members, output[1], 0)
      }
    }
  }
}

/// Indexes into a table of `limit` entries.
///
/// One byte form, then: 0 nothing, all are 0; 1 runs: varint count r, r varints of values, r varints of lengths less
/// one; 2 bit-packed in the bits that `limit - 1` needs; 3 byte planes: all low bytes, then all second bytes if `limit
/// > 256`, and so on.
enum CodeCodec {
  static func encode(_ codes: UnsafeBufferPointer<UInt32>, limit: Int, into bytes: inout [UInt8]) {
    guard limit > 1 else {
      bytes.append(0)
      return
    }
    var runCount = 0
    var previous = UInt32.max
    for code in codes where code != previous {
      runCount += 1
      previous = code
    }
    let width = BitPacking.width(of: UInt64(limit - 1))
    let packedByteCount = BitPacking.byteCount(count: codes.count, width: width)
    if runCount * 3 < packedByteCount {
      bytes.append(1)
      bytes.appendVarint(runCount)
      var lengths: [Int] = []
      lengths.reserveCapacity(runCount)
      var start = 0
      for index in codes.indices.dropFirst() where codes[index] != codes[index - 1] {
        bytes.appendVarint(codes[start])
        lengths.append(index - start)
        start = index
      }
      if !codes.isEmpty {
        bytes.appendVarint(codes[start])
        lengths.append(codes.count - start)
      }
      for length in lengths { bytes.appendVarint(length - 1) }
    } else if width <= 4 {
      bytes.append(2)
      BitPacking.pack(count: codes.count, width: width, into: &bytes) { UInt64(codes[$0]) }
    } else {
      bytes.append(3)
      var shift: UInt32 = 0
      while shift < UInt32(width) {
        for code in codes { bytes.append(UInt8(truncatingIfNeeded: code >> shift)) }
        shift += 8
      }
    }
  }

  /// Every code of the result is below `limit`, or it throws. `count` is bounded by the caller.
  static func decode(count: Int, limit: Int, from reader: inout ByteReader) throws(BlockError) -> StoredCodes {
    guard limit > 0 || count == 0 else { throw reader.corrupt }
    let form = try reader.byte()
    guard form == 0 || limit > 1 || form == 1 else { throw reader.corrupt }
    let width = BitPacking.width(of: UInt64(max(limit - 1, 0)))
    switch form {
    case 0:
      return StoredCodes(count: count, limit: max(limit, 1), .zeros)
    case 1:
      return StoredCodes(count: count, limit: limit, try decodeRuns(count: count, limit: limit, from: &reader))
    case 2 where width <= 8:
      let packed = try reader.take(BitPacking.byteCount(count: count, width: width))
      let readable = packed.count + reader.remaining
      let codes = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
        if count > 0 { tl_unpack_bytes(packed.baseAddress, readable, count, UInt32(width), output.baseAddress) }
        initialized = count
      }
      guard count == 0 || Int(tl_max_byte(codes, count)) < limit else { throw reader.corrupt }
      return StoredCodes(count: count, limit: limit, .bytes(codes))
    case 2:
      let packed = try reader.take(BitPacking.byteCount(count: count, width: width))
      let wide = [UInt64](unsafeUninitializedCapacity: count) { output, initialized in
        if count > 0 { tl_unpack(packed.baseAddress, packed.count, count, UInt32(width), 0, output.baseAddress) }
        initialized = count
      }
      guard count == 0 || wide.allSatisfy({ $0 < UInt64(limit) && $0 <= UInt64(UInt32.max) }) else {
        throw reader.corrupt
      }
      return StoredCodes(count: count, limit: limit, .words(wide.map { UInt32(truncatingIfNeeded: $0) }))
    case 3:
      let planeCount = (width + 7) / 8
      guard planeCount <= 4 else { throw reader.corrupt }
      let (needed, overflow) = count.multipliedReportingOverflow(by: planeCount)
      guard !overflow, needed <= reader.remaining else { throw reader.corrupt }
      let planes = try reader.take(needed)
      if planeCount == 1 {
        guard count == 0 || Int(tl_max_byte(planes.baseAddress, count)) < limit else { throw reader.corrupt }
        return StoredCodes(count: count, limit: limit, .bytes(Array(planes)))
      }
      var highest: UInt32 = 0
      let codes = [UInt32](unsafeUninitializedCapacity: count) { output, initialized in
        if count > 0 { highest = tl_widen(planes.baseAddress, count, planeCount, output.baseAddress) }
        initialized = count
      }
      guard count == 0 || Int(highest) < limit else { throw reader.corrupt }
      return StoredCodes(count: count, limit: limit, .words(codes))
    default:
      throw reader.corrupt
    }
  }

  /// The same in working memory, one code a row.
  static func decode(
    count: Int, limit: Int, in memory: WorkingMemory, from reader: inout ByteReader
  ) throws(BlockError) -> UnsafeMutablePointer<UInt32> {
    let width = BitPacking.width(of: UInt64(max(limit - 1, 0)))
    var ahead = reader
    let form = try ahead.byte()
    let codes = memory.allocate(UInt32.self, count)
    switch form {
    case 2 where (1...8).contains(width):
      let packed = try ahead.take(BitPacking.byteCount(count: count, width: width))
      let bytes = memory.allocate(UInt8.self, count)
      tl_unpack_bytes(packed.baseAddress, packed.count + ahead.remaining, count, UInt32(width), bytes)
      guard count == 0 || Int(tl_widen(bytes, count, 1, codes)) < limit else { throw reader.corrupt }
      reader = ahead
    case 3 where (1...16).contains(width):
      guard count <= ahead.remaining / 2 || width <= 8 else { throw reader.corrupt }
      let planes = try ahead.take(count * ((width + 7) / 8))
      guard count == 0 || Int(tl_widen(planes.baseAddress, count, (width + 7) / 8, codes)) < limit else {
        throw reader.corrupt
      }
      reader = ahead
    default:
      let stored = try decode(count: count, limit: limit, from: &reader).expanded
      stored.withUnsafeBufferPointer { stored in
        if let base = stored.baseAddress { codes.update(from: base, count: count) }
      }
    }
    return codes
  }

  private static func decodeRuns(
    count: Int, limit: Int, from reader: inout ByteReader
  ) throws(BlockError) -> StoredCodes.Form {
    let runCount = try reader.count(max: min(count, reader.remaining))
    var codes: [UInt32] = []
    codes.reserveCapacity(runCount)
    for _ in 0..<runCount {
      let code = try reader.number()
      guard Int(code) < limit else { throw reader.corrupt }
      codes.append(code)
    }
    var ends: [Int] = []
    ends.reserveCapacity(runCount)
    var end = 0
    for _ in 0..<runCount {
      let length = try reader.count(max: Int(UInt32.max)) + 1
      guard length <= count - end else { throw reader.corrupt }
      end += length
      ends.append(end)
    }
    guard end == count else { throw reader.corrupt }
    return .runs(codes: codes, ends: ends)
  }
}
