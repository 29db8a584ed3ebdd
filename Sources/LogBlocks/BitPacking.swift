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

  /// Calls `body` with each of `count` values out of `packed`, which must hold `byteCount(count:width:)` bytes.
  @inline(__always)
  static func unpack(
    _ packed: UnsafeBufferPointer<UInt8>, count: Int, width: Int, _ body: (Int, UInt64) -> Void
  ) {
    precondition(
      packed.count >= byteCount(count: count, width: width), "the caller took the packed bytes by this very count")
    guard width > 0 else {
      for index in 0..<count { body(index, 0) }
      return
    }
    let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
    let base = UnsafeRawPointer(packed.baseAddress!)
    var bit = 0
    var index = 0
    if width <= 56 {
      // Values whose eight bytes lie inside the buffer.
      while index < count, bit >> 3 + 8 <= packed.count {
        let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self))
        body(index, (word &>> UInt64(bit & 7)) & mask)
        bit += width
        index += 1
      }
    }
    while index < count {
      var value: UInt64 = 0
      var got = 0
      var position = bit
      while got < width {
        let byte = UInt64(packed[position >> 3]) &>> UInt64(position & 7)
        value |= byte << UInt64(got)
        let step = 8 - position & 7
        got += step
        position += step
      }
      body(index, value & mask)
      bit += width
      index += 1
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
    // Each chunk takes at least three bytes: no memory is taken for a count that the bytes cannot hold.
    guard (count + chunkCount - 1) / chunkCount <= reader.remaining / 3 else { throw reader.corrupt }
    var values = [Int64](repeating: 0, count: count)
    var failure: BlockError?
    values.withUnsafeMutableBufferPointer { output in
      do throws(BlockError) {
        var anchor: Int64 = 0
        var start = 0
        while start < count {
          let size = min(chunkCount, count - start)
          try decodeChunk(
            UnsafeMutableBufferPointer(rebasing: output[start..<start + size]), anchor: anchor, from: &reader)
          anchor = output[start + size - 1]
          start += size
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return values
  }

  private static func decodeChunk(
    _ output: UnsafeMutableBufferPointer<Int64>, anchor: Int64, from reader: inout ByteReader
  ) throws(BlockError) {
    let form = try reader.byte()
    let width = Int(try reader.byte())
    guard form <= 2, width <= 64, output.count > Int(form) || form == 0 else { throw reader.corrupt }
    let first = try reader.signed() &+ anchor
    let members = output.count - Int(form)
    switch form {
    case 0:
      let packed = try reader.take(BitPacking.byteCount(count: members, width: width))
      BitPacking.unpack(packed, count: members, width: width) { output[$0] = first &+ Int64(bitPattern: $1) }
    case 1:
      let low = try reader.signed()
      let packed = try reader.take(BitPacking.byteCount(count: members, width: width))
      var value = first
      output[0] = value
      BitPacking.unpack(packed, count: members, width: width) {
        value = value &+ low &+ Int64(bitPattern: $1)
        output[$0 + 1] = value
      }
    default:
      var delta = try reader.signed()
      let low = try reader.signed()
      let packed = try reader.take(BitPacking.byteCount(count: members, width: width))
      var value = first &+ delta
      output[0] = first
      output[1] = value
      BitPacking.unpack(packed, count: members, width: width) {
        delta = delta &+ low &+ Int64(bitPattern: $1)
        value = value &+ delta
        output[$0 + 2] = value
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
  static func decode(count: Int, limit: Int, from reader: inout ByteReader) throws(BlockError) -> [UInt32] {
    guard limit > 0 || count == 0 else { throw reader.corrupt }
    switch try reader.byte() {
    case 0:
      return [UInt32](repeating: 0, count: count)
    case 1:
      let runCount = try reader.count(max: min(count, reader.remaining))
      var codes: [UInt32] = []
      codes.reserveCapacity(runCount)
      for _ in 0..<runCount {
        let code = try reader.number()
        guard Int(code) < limit else { throw reader.corrupt }
        codes.append(code)
      }
      var result: [UInt32] = []
      result.reserveCapacity(count)
      for code in codes {
        let length = try reader.count(max: Int(UInt32.max)) + 1
        guard length <= count - result.count else { throw reader.corrupt }
        result.append(contentsOf: repeatElement(code, count: length))
      }
      guard result.count == count else { throw reader.corrupt }
      return result
    case 2:
      guard limit > 1 else { throw reader.corrupt }
      let width = BitPacking.width(of: UInt64(limit - 1))
      let packed = try reader.take(BitPacking.byteCount(count: count, width: width))
      var highest: UInt32 = 0
      let codes = [UInt32](unsafeUninitializedCapacity: count) { output, initialized in
        BitPacking.unpack(packed, count: count, width: width) {
          let code = UInt32(truncatingIfNeeded: $1)
          output[$0] = code
          highest = max(highest, code)
        }
        initialized = count
      }
      guard count == 0 || Int(highest) < limit else { throw reader.corrupt }
      return codes
    case 3:
      guard limit > 1 else { throw reader.corrupt }
      let planeCount = (BitPacking.width(of: UInt64(limit - 1)) + 7) / 8
      guard planeCount <= 4 else { throw reader.corrupt }
      let (needed, overflow) = count.multipliedReportingOverflow(by: planeCount)
      guard !overflow, needed <= reader.remaining else { throw reader.corrupt }
      var codes = [UInt32](repeating: 0, count: count)
      var highest: UInt32 = 0
      for plane in 0..<planeCount {
        let packed = try reader.take(count)
        codes.withUnsafeMutableBufferPointer { output in
          for index in 0..<count { output[index] |= UInt32(packed[index]) << UInt32(plane * 8) }
        }
      }
      for code in codes { highest = max(highest, code) }
      guard count == 0 || Int(highest) < limit else { throw reader.corrupt }
      return codes
    default:
      throw reader.corrupt
    }
  }
}
