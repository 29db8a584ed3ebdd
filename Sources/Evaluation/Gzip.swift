import CZlib

/// Files that may be compressed.
enum Gzip {
  /// The content of a `.gz` file, or of another as it is.
  static func read(_ path: String) throws -> [UInt8] {
    let bytes = try DataFile.read(path)
    guard bytes.starts(with: [0x1F, 0x8B]) else { return bytes }
    guard let content = decompress(bytes) else { throw DataFileError(path: path, reason: "is damaged: not valid gzip") }
    return content
  }

  private static let chunkByteCount = 1 << 20

  private static func decompress(_ bytes: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    // 15 bits of window, and 16 for the gzip head.
    guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: chunkByteCount)
    var input = bytes
    let isWhole = input.withUnsafeMutableBufferPointer { input in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      while true {
        let status = chunk.withUnsafeMutableBufferPointer { chunk in
          stream.next_out = chunk.baseAddress
          stream.avail_out = UInt32(chunk.count)
          return inflate(&stream, Z_NO_FLUSH)
        }
        content += chunk[..<(chunk.count - Int(stream.avail_out))]
        if status == Z_STREAM_END {
          // A file may be several gzip files, one after another.
          if stream.avail_in == 0 { return true }
          guard inflateReset(&stream) == Z_OK else { return false }
        } else if status != Z_OK {
          return false
        }
      }
    }
    return isWhole ? content : nil
  }
}
