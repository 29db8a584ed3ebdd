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

  deinit { ZSTD_freeDCtx(madeContext) }

  private var context: OpaquePointer {
    if let madeContext { return madeContext }
    guard let context = ZSTD_createDCtx() else { preconditionFailure("zstd could not allocate its context") }
    madeContext = context
    return context
  }

  func open(_ frame: [UInt8], place: String) throws(BlockError) -> [UInt8] {
    guard frame.count >= 6 else { throw .corrupt(place: place) }
    return try frame.read(place) { (reader) throws(BlockError) -> [UInt8] in
      let checked = frame.count - 4
      let method = try reader.byte()
      let contentCount = try reader.varint()
      guard reader.index <= checked else { throw reader.corrupt }
      let packed = try reader.take(checked - reader.index)
      let checksum = frame.withUnsafeBufferPointer { tl_crc32c(0, $0.baseAddress, checked) }
      guard try reader.littleEndian32() == checksum else { throw reader.corrupt }
      switch method {
      case 0:
        guard contentCount == UInt64(packed.count) else { throw reader.corrupt }
        return Array(packed)
      case 1:
        // zstd cannot pack more than one block of 128 KiB in 4 bytes: a larger claim is a lie, refused before memory is
        // taken.
        guard contentCount <= UInt64(packed.count + 1) * 33_000 else { throw reader.corrupt }
        let count = Int(contentCount)
        let context = context
        var isWhole = false
        let content = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
          let written = ZSTD_decompressDCtx(context, buffer.baseAddress, count, packed.baseAddress, packed.count)
          isWhole = ZSTD_isError(written) == 0 && written == count
          initialized = isWhole ? count : 0
        }
        guard isWhole else { throw reader.corrupt }
        return content
      default:
        throw reader.corrupt
      }
    }
  }
}
