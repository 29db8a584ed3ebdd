import TestSupport
import Testing

@testable import Ingest

/// A way to pack a body, and what a sender calls it.
enum Packed: String, CaseIterable, Sendable {
  case gzip, zlib, bareDeflate, zstd, identity

  var encoding: ContentEncoding {
    switch self {
    case .gzip: .gzip
    case .zlib, .bareDeflate: .deflate
    case .zstd: .zstd
    case .identity: .identity
    }
  }

  func pack(_ plain: [UInt8]) -> [UInt8] {
    switch self {
    case .gzip: Packing.deflated(plain, .gzip)
    case .zlib: Packing.deflated(plain, .zlib)
    case .bareDeflate: Packing.deflated(plain, .bare)
    case .zstd: Packing.zstd(plain)
    case .identity: plain
    }
  }

  static var compressed: [Packed] { allCases.filter { $0 != .identity } }
}

@Suite struct BodyDecoderTests {
  /// Lines that repeat themselves with numbers between, as logs do.
  private static func plain(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SeededGenerator(seed: seed)
    var bytes: [UInt8] = []
    while bytes.count < count { bytes += Array("request \(random.below(100_000)) took \(random.below(900))ms\n".utf8) }
    return Array(bytes[..<count])
  }

  private static func decode(
    _ packed: [UInt8], _ encoding: ContentEncoding, pieces: Int = .max, byteCountMax: Int = 1 << 24
  ) throws(BodyError) -> [UInt8] {
    var decoder = BodyDecoder(encoding, byteCountMax: byteCountMax)
    var plain: [UInt8] = []
    var start = 0
    while start < packed.count {
      let end = min(packed.count, start.addingReportingOverflow(pieces).overflow ? .max : start + pieces)
      let piece = Array(packed[start..<end])
      var failure: BodyError?
      piece.withUnsafeBufferPointer { buffer in
        do throws(BodyError) { try decoder.decode(buffer) { plain.append(contentsOf: $0) } } catch { failure = error }
      }
      if let failure { throw failure }
      start = end
    }
    try decoder.finish()
    return plain
  }

  @Test(arguments: Packed.allCases, [1, 7, 1000, Int.max])
  func `a body comes out as it went in, whatever pieces it arrives in`(packed: Packed, pieces: Int) throws {
    let plain = Self.plain(pieces < 1000 ? 5_000 : 400_000)

    #expect(try Self.decode(packed.pack(plain), packed.encoding, pieces: pieces) == plain)
  }

  // The decoder works in steps of 128 KiB: bodies that end where a step does, and a byte before and after.
  @Test(arguments: Packed.allCases, [0, 1, (1 << 17) - 1, 1 << 17, (1 << 17) + 1, 1 << 18])
  func `a body may end anywhere`(packed: Packed, count: Int) throws {
    let plain = Self.plain(count)

    #expect(try Self.decode(packed.pack(plain), packed.encoding) == plain)
    let whole = packed.pack(plain)
    let atOnce = try whole.withUnsafeBufferPointer { buffer throws(BodyError) in
      try BodyDecoder.decode(buffer, packed.encoding, byteCountMax: 1 << 24)
    }
    #expect(atOnce == plain)
  }

  @Test(arguments: [Packed.gzip, .zstd], [1, 11, Int.max])
  func `several packed parts in a row are one body`(packed: Packed, pieces: Int) throws {
    let parts = [Self.plain(3_000, seed: 1), Self.plain(1 << 17, seed: 2), [], Self.plain(10, seed: 3)]

    let body = parts.flatMap { packed.pack($0) }
    #expect(try Self.decode(body, packed.encoding, pieces: pieces) == parts.flatMap { $0 })
  }

  @Test(arguments: Packed.compressed)
  func `a body that is cut off is refused, wherever the cut is`(packed: Packed) {
    let whole = packed.pack(Self.plain(3_000))

    for length in stride(from: 1, to: whole.count, by: 13) {
      #expect(throws: BodyError.truncated(packed.encoding), "\(length) of \(whole.count) bytes") {
        try Self.decode(Array(whole[..<length]), packed.encoding)
      }
    }
  }

  @Test(arguments: Packed.compressed)
  func `random damage is an error or harmless, never a crash`(packed: Packed) {
    let plain = Self.plain(2_000)
    let whole = packed.pack(plain)
    var random = SeededGenerator(seed: 42)
    var refusedCount = 0
    for _ in 0..<150 {
      var damaged = whole
      for _ in 0...random.below(3) { damaged[random.below(damaged.count)] ^= UInt8(1 + random.below(255)) }
      do { _ = try Self.decode(damaged, packed.encoding) } catch { refusedCount += 1 }
    }
    // A bare stream carries no checksum, so some damage passes.
    #expect(refusedCount > 50)
  }

  @Test(arguments: Packed.compressed)
  func `what is no packed body at all is corrupt`(packed: Packed) {
    let text = Array("this is plain text, not packed".utf8)

    #expect(throws: BodyError.self) { try Self.decode(text, packed.encoding) }
  }

  @Test(arguments: Packed.allCases, [1, Int.max])
  func `unpacking stops at the bound, and a body as large as the bound passes`(packed: Packed, pieces: Int) throws {
    let plain = Self.plain(4_096)

    #expect(try Self.decode(packed.pack(plain), packed.encoding, pieces: pieces, byteCountMax: 4_096) == plain)
    #expect(throws: BodyError.tooLarge(byteCountMax: 4_095)) {
      try Self.decode(packed.pack(plain), packed.encoding, pieces: pieces, byteCountMax: 4_095)
    }
  }

  @Test(arguments: Packed.compressed)
  func `a small body that unpacks to a very large one costs no more than the bound`(packed: Packed) {
    let bomb = packed.pack([UInt8](repeating: 0, count: 8 << 20))
    #expect(bomb.count < 20_000)

    var decoder = BodyDecoder(packed.encoding, byteCountMax: 1 << 20)
    var received = 0
    var failure: BodyError?
    bomb.withUnsafeBufferPointer { buffer in
      do throws(BodyError) { try decoder.decode(buffer) { received += $0.count } } catch { failure = error }
    }
    #expect(failure == .tooLarge(byteCountMax: 1 << 20))
    #expect(received <= 1 << 20)
  }

  @Test(arguments: [
    ("", ContentEncoding.identity), ("identity", .identity), ("GZIP", .gzip), ("x-gzip", .gzip), ("deflate", .deflate),
    ("zstd", .zstd), ("br", nil), ("gzip, zstd", nil),
  ])
  func `an encoding is told by its header`(header: String, encoding: ContentEncoding?) {
    #expect(ContentEncoding(header: header) == encoding)
  }

  @Test func `a file's first bytes tell how it is packed`() {
    #expect(ContentEncoding(detectedIn: Packed.gzip.pack([1, 2, 3])) == .gzip)
    #expect(ContentEncoding(detectedIn: Packed.zstd.pack([1, 2, 3])) == .zstd)
    #expect(ContentEncoding(detectedIn: Array("{}".utf8)) == .identity)
    #expect(ContentEncoding(detectedIn: [UInt8]()) == .identity)
  }
}
