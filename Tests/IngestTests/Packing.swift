import CZlib
import CZstd

/// Packs bytes as a sender would.
enum Packing {
  enum Wrapper: Int32, Sendable, CaseIterable {
    case gzip = 31
    case zlib = 15
    case bare = -15
  }

  static func deflated(_ plain: [UInt8], _ wrapper: Wrapper, level: Int32 = 6) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
      &stream, level, Z_DEFLATED, wrapper.rawValue, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var plain = plain
    var packed = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(plain.count))) + 64)
    let count = plain.withUnsafeMutableBufferPointer { input in
      packed.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        let status = deflate(&stream, Z_FINISH)
        precondition(status == Z_STREAM_END, "the output has room for all")
        return output.count - Int(stream.avail_out)
      }
    }
    return Array(packed[..<count])
  }

  static func zstd(_ plain: [UInt8]) -> [UInt8] {
    var packed = [UInt8](repeating: 0, count: ZSTD_compressBound(plain.count))
    let count = packed.withUnsafeMutableBytes { output in
      plain.withUnsafeBytes { ZSTD_compress(output.baseAddress, output.count, $0.baseAddress, $0.count, 3) }
    }
    precondition(ZSTD_isError(count) == 0, "the output has room for all")
    return Array(packed[..<count])
  }
}
