internal import CZlib
internal import CZstd

/// How a request's body was packed, from its `Content-Encoding` or its first bytes.
package enum ContentEncoding: Sendable, Equatable {
  case identity
  case gzip
  case deflate
  case zstd

  /// From a `Content-Encoding` value; nil for one that is not known here.
  package init?(header: String) {
    switch header.lowercased() {
    case "", "identity": self = .identity
    case "gzip", "x-gzip": self = .gzip
    case "deflate": self = .deflate
    case "zstd": self = .zstd
    default: return nil
    }
  }

  /// From the magic number a file begins with.
  package init(detectedIn start: some Collection<UInt8>) {
    if start.starts(with: [0x1F, 0x8B]) {
      self = .gzip
    } else if start.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
      self = .zstd
    } else {
      self = .identity
    }
  }
}

/// Why a body could not be unpacked.
package enum BodyError: Error, Equatable, Sendable {
  /// The unpacked body passes the bound.
  case tooLarge(byteCountMax: Int)
  case corrupt(ContentEncoding)
  /// The stream ended before its own end mark.
  case truncated(ContentEncoding)
}

/// Unpacks gzip, zlib or raw deflate, and zstd, one piece at a time, never past a bound.
package struct BodyDecoder: ~Copyable {
  private let encoding: ContentEncoding
  private let byteCountMax: Int
  private var byteCount = 0
  private var inflater: Inflater?
  private var zstd: OpaquePointer?
  private var zstdIsBetweenFrames = true
  private var output = [UInt8](repeating: 0, count: 1 << 17)

  /// - Parameter byteCountMax: Most bytes to put out over the decoder's life.
  package init(_ encoding: ContentEncoding, byteCountMax: Int) {
    self.encoding = encoding
    self.byteCountMax = byteCountMax
    if encoding == .zstd { zstd = ZSTD_createDCtx() }
  }

  deinit {
    if let zstd { ZSTD_freeDCtx(zstd) }
  }

  /// Unpacks `input` and hands each run of plain bytes to `sink`.
  package mutating func decode(
    _ input: UnsafeBufferPointer<UInt8>, into sink: (UnsafeBufferPointer<UInt8>) -> Void
  ) throws(BodyError) {
    guard !input.isEmpty else { return }
    switch encoding {
    case .identity:
      try take(input.count)
      sink(input)
    case .gzip, .deflate:
      if inflater == nil {
        // Senders of "deflate" mean zlib's wrapper or the bare stream; the first byte of the wrapper tells.
        let isBare = encoding == .deflate && input[0] & 0x0F != 8
        inflater = Inflater(windowBits: encoding == .gzip ? 15 + 16 : isBare ? -15 : 15)
      }
      try inflate(input, into: sink)
    case .zstd:
      try decodeZstd(input, into: sink)
    }
  }

  /// Says that no input follows.
  package func finish() throws(BodyError) {
    switch encoding {
    case .identity: return
    case .gzip, .deflate:
      if let inflater, !inflater.hasEnded { throw .truncated(encoding) }
    case .zstd:
      if !zstdIsBetweenFrames { throw .truncated(encoding) }
    }
  }

  /// A whole body at once.
  package static func decode(
    _ body: UnsafeBufferPointer<UInt8>, _ encoding: ContentEncoding, byteCountMax: Int
  ) throws(BodyError) -> [UInt8] {
    var decoder = BodyDecoder(encoding, byteCountMax: byteCountMax)
    var plain: [UInt8] = []
    plain.reserveCapacity(min(byteCountMax, body.count * (encoding == .identity ? 1 : 8)))
    try decoder.decode(body) { plain.append(contentsOf: $0) }
    try decoder.finish()
    return plain
  }

  private mutating func take(_ count: Int) throws(BodyError) {
    byteCount += count
    if byteCount > byteCountMax { throw .tooLarge(byteCountMax: byteCountMax) }
  }

  private mutating func inflate(
    _ input: UnsafeBufferPointer<UInt8>, into sink: (UnsafeBufferPointer<UInt8>) -> Void
  ) throws(BodyError) {
    guard let inflater else { return }
    var consumed = 0
    repeat {
      if inflater.hasEnded {
        guard encoding == .gzip, consumed < input.count else { return }
        inflater.reset()  // gzip files may be several members in a row
      }
      let step = output.withUnsafeMutableBufferPointer { output in
        inflater.inflate(UnsafeBufferPointer(rebasing: input[consumed...]), into: output)
      }
      guard let step else { throw .corrupt(encoding) }
      consumed += step.consumed
      if step.produced > 0 {
        try take(step.produced)
        output.withUnsafeBufferPointer { sink(UnsafeBufferPointer(rebasing: $0[..<step.produced])) }
      }
      if step.produced < output.count, consumed == input.count { return }
      if step.produced == 0, step.consumed == 0, !inflater.hasEnded { return }
    } while true
  }

  private mutating func decodeZstd(
    _ input: UnsafeBufferPointer<UInt8>, into sink: (UnsafeBufferPointer<UInt8>) -> Void
  ) throws(BodyError) {
    guard let zstd else { throw .corrupt(encoding) }
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    while true {
      var produced = 0
      let result = output.withUnsafeMutableBytes { output in
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = ZSTD_decompressStream(zstd, &target, &source)
        produced = target.pos
        return result
      }
      if ZSTD_isError(result) != 0 { throw .corrupt(encoding) }
      zstdIsBetweenFrames = result == 0
      if produced > 0 {
        try take(produced)
        output.withUnsafeBufferPointer { sink(UnsafeBufferPointer(rebasing: $0[..<produced])) }
      }
      // A frame that ends where the output is full leaves nothing behind: asked again, zstd would begin the next one.
      if source.pos == source.size, produced < output.count || zstdIsBetweenFrames { return }
    }
  }
}

/// zlib's inflate state, with an address of its own as zlib asks.
private final class Inflater {
  private let stream: UnsafeMutablePointer<z_stream>
  private let windowBits: Int32
  private(set) var hasEnded = false

  init(windowBits: Int32) {
    self.windowBits = windowBits
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  func reset() {
    inflateReset2(stream, windowBits)
    hasEnded = false
  }

  /// Nil if the stream is damaged.
  func inflate(
    _ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>
  ) -> (consumed: Int, produced: Int)? {
    stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
    stream.pointee.avail_in = UInt32(input.count)
    stream.pointee.next_out = output.baseAddress
    stream.pointee.avail_out = UInt32(output.count)
    let status = CZlib.inflate(stream, Z_NO_FLUSH)
    guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { return nil }
    hasEnded = status == Z_STREAM_END
    return (input.count - Int(stream.pointee.avail_in), output.count - Int(stream.pointee.avail_out))
  }
}
