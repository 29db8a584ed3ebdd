internal import CKernels
internal import CZstd

// FRAME LAYOUT, version 1: how every column, header and segment body is wrapped.
//   bytes   field
//       1   method: 0 stored, 1 zstd
//   1...10  varint: byte count r of the content
//       n   the content, stored or as one zstd frame; n is what is left
//       4   CRC-32C of everything before it, little-endian
// Valid: method, lengths and checksum agree, and the content unpacks to exactly r bytes.

/// Wraps bytes with a checksum, compressed where that is smaller. Holds zstd's working memory: one instance for many
/// frames.
final class Compressor {
  private let context: OpaquePointer
  private var scratch: [UInt8] = []

  init() {
    guard let context = ZSTD_createCCtx() else { preconditionFailure("zstd could not allocate its context") }
    self.context = context
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Level 1: on these columns it is twice as fast as level 3 and no larger, since the codecs have taken out what level
  /// 3 finds.
  func seal(_ content: [UInt8], level: Int32 = 1) -> [UInt8] {
    var frame: [UInt8] = []
    let bound = ZSTD_compressBound(content.count)
    if content.count >= 24 {
      if scratch.count < bound { scratch = [UInt8](repeating: 0, count: bound) }
      let written = ZSTD_compressCCtx(context, &scratch, scratch.count, content, content.count, level)
      if ZSTD_isError(written) == 0, written < content.count - content.count / 64 {
        frame.reserveCapacity(written + 16)
        frame.append(1)
        frame.appendVarint(content.count)
        frame.append(contentsOf: scratch[..<written])
      }
    }
    if frame.isEmpty {
      frame.reserveCapacity(content.count + 16)
      frame.append(0)
      frame.appendVarint(content.count)
      frame.append(contentsOf: content)
    }
    frame.appendLittleEndian32(tl_crc32c(0, frame, frame.count))
    return frame
  }
}

/// Unwraps what `Compressor` wrapped. Holds zstd's working memory, and that of what is decoded: one instance for many
/// blocks, by one thread at a time.
package final class Decompressor {
  private var madeContext: OpaquePointer?
  let memory = WorkingMemory()

  package init() {}

  deinit {
    ZSTD_freeDCtx(madeContext)
    for buffer in spareBuffers { buffer.deallocate() }
  }

  private var context: OpaquePointer {
    if let madeContext { return madeContext }
    guard let context = ZSTD_createDCtx() else { preconditionFailure("zstd could not allocate its context") }
    madeContext = context
    return context
  }

  /// Buffers for content, given back and not yet taken again.
  private var spareBuffers: [UnsafeMutableRawBufferPointer] = []
  private static let spareBuffersMax = 64
  private static let spareByteCountMax = 256 << 10

  func open(_ frame: [UInt8], place: @autoclosure () -> String) throws(BlockError) -> [UInt8] {
    try frame.read(place()) { (reader) throws(BlockError) -> [UInt8] in
      let parts = try Decompressor.parts(of: frame, &reader)
      var isWhole = false
      let content = [UInt8](unsafeUninitializedCapacity: parts.contentCount) { buffer, initialized in
        isWhole = unpack(parts, to: buffer.baseAddress)
        initialized = isWhole ? parts.contentCount : 0
      }
      guard isWhole else { throw reader.corrupt }
      return content
    }
  }

  /// The same into memory that other contents were in before, and others will be in.
  func openContent(_ frame: [UInt8], place: @autoclosure () -> String) throws(BlockError) -> FrameContent {
    try frame.read(place()) { (reader) throws(BlockError) -> FrameContent in
      let parts = try Decompressor.parts(of: frame, &reader)
      let content = FrameContent(takeBuffer(parts.contentCount), byteCount: parts.contentCount, from: self)
      guard unpack(parts, to: content.bytes.baseAddress.map { UnsafeMutablePointer(mutating: $0) }) else {
        throw reader.corrupt
      }
      return content
    }
  }

  private struct Parts {
    var isPacked: Bool
    var contentCount: Int
    var packed: UnsafeBufferPointer<UInt8>
  }

  private static func parts(of frame: [UInt8], _ reader: inout ByteReader) throws(BlockError) -> Parts {
    guard frame.count >= 6 else { throw reader.corrupt }
    let checked = frame.count - 4
    let method = try reader.byte()
    let contentCount = try reader.varint()
    guard reader.index <= checked else { throw reader.corrupt }
    let packed = try reader.take(checked - reader.index)
    let checksum = tl_crc32c(0, frame, checked)
    guard try reader.littleEndian32() == checksum else { throw reader.corrupt }
    switch method {
    case 0:
      guard contentCount == UInt64(packed.count) else { throw reader.corrupt }
      return Parts(isPacked: false, contentCount: packed.count, packed: packed)
    case 1:
      // zstd cannot pack more than one block of 128 KiB in 4 bytes: a larger claim is a lie, refused before memory is
      // taken.
      guard contentCount <= UInt64(packed.count + 1) * 33_000 else { throw reader.corrupt }
      return Parts(isPacked: true, contentCount: Int(contentCount), packed: packed)
    default:
      throw reader.corrupt
    }
  }

  private func unpack(_ parts: Parts, to output: UnsafeMutablePointer<UInt8>?) -> Bool {
    guard parts.isPacked else {
      if let output, let base = parts.packed.baseAddress { output.update(from: base, count: parts.contentCount) }
      return true
    }
    let written = ZSTD_decompressDCtx(
      context, output, parts.contentCount, parts.packed.baseAddress, parts.packed.count)
    return ZSTD_isError(written) == 0 && written == parts.contentCount
  }

  private func takeBuffer(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    if let place = spareBuffers.lastIndex(where: { $0.count >= byteCount }) { return spareBuffers.remove(at: place) }
    // Rounded up, so that what is given back suits what comes next.
    return .allocate(byteCount: max(byteCount, 1) + 0xFFFF & ~0xFFFF, alignment: 64)
  }

  fileprivate func giveBack(_ buffer: UnsafeMutableRawBufferPointer) {
    if spareBuffers.count < Decompressor.spareBuffersMax, buffer.count <= Decompressor.spareByteCountMax {
      spareBuffers.append(buffer)
    } else {
      buffer.deallocate()
    }
  }
}

/// A frame's content in memory that a `Decompressor` lends.
final class FrameContent {
  let bytes: UnsafeBufferPointer<UInt8>
  private let buffer: UnsafeMutableRawBufferPointer
  private let lender: Decompressor

  fileprivate init(_ buffer: UnsafeMutableRawBufferPointer, byteCount: Int, from lender: Decompressor) {
    self.buffer = buffer
    self.lender = lender
    bytes = UnsafeBufferPointer(
      start: UnsafePointer(buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)), count: byteCount)
  }

  deinit { lender.giveBack(buffer) }
}
