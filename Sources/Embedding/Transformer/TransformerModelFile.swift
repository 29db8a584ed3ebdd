internal import CKernels

// MODEL FILE, version 1. Numbers are little-endian, sections padded with zeros to a multiple of 64 bytes.
//   offset  bytes  field
//        0      8  magic "TLTRANSF"
//        8      4  version
//       12      4  layers L, 1...64
//       16      4  components h of a token, a multiple of 32, at most 4096
//       20      4  heads, a divisor of h / 8
//       24      4  components f between the two matrices of a layer, a multiple of 32, at most 16384
//       28      4  positions p, 4...512: how many tokens are read of a text
//       32      4  pieces v, at most 65535
//       36      4  bytes of the vocabulary
//       40      4  epsilon of the normalizations, float32
//       44      4  bytes of the texts
//       48         texts: lines "name: …", "license: …", "origin: …", UTF-8
//  section         vocabulary: pieces in order, each ended by a line feed, UTF-8
//  section    4·v  a scale for each piece, float32
//  section    v·h  pieces, int8, row by row
//  section  4·p·h  positions, float32, row by row
//  section    4·h  gain, and a section for the offset, of the normalization after the sum of both
//  L times:        matrix 3h × h (queries, keys, values), matrix h × h, gain, offset, matrix f × h, matrix h × f, gain,
//                  offset. A matrix m × n is three sections: m scales and m biases, float32, and m·n bytes in the order
//                  of `tl_matrix_i8`
//      end      4  CRC-32C of everything before it
// Valid: all of the above, and every float32 is finite. Anything else is a `TransformerModelError`, never a guess.

/// The transformer as it lies in a file: pointers into `bytes`, which must outlive them.
struct TransformerModelFile {
  struct Norm {
    let gain: UnsafePointer<Float>
    let offset: UnsafePointer<Float>
  }

  struct Layer {
    let projection: tl_matrix_i8
    let attended: tl_matrix_i8
    let attentionNorm: Norm
    let inner: tl_matrix_i8
    let outer: tl_matrix_i8
    let outerNorm: Norm
  }

  let shape: TransformerShape
  let description: TransformerModelDescription
  let vocabulary: TransformerVocabulary
  let pieceScales: UnsafePointer<Float>
  let pieces: UnsafePointer<Int8>
  let positions: UnsafePointer<Float>
  let norm: Norm
  let layers: [Layer]

  static let magic = Array("TLTRANSF".utf8)
  static let version: UInt32 = 1

  init(_ bytes: UnsafeRawBufferPointer) throws(TransformerModelError) {
    guard bytes.count >= TransformerModelFile.magic.count, bytes.starts(with: TransformerModelFile.magic) else {
      throw .magic
    }
    guard bytes.count >= TransformerShape.headerByteCount else { throw .header("it ends in the middle") }
    let version = bytes.integer(at: 8)
    guard version == TransformerModelFile.version else { throw .version(version) }
    let shape = try TransformerShape(header: bytes)
    guard bytes.count == shape.fileByteCount else {
      throw .byteCount(expected: shape.fileByteCount, actual: bytes.count)
    }
    let checksum = bytes.integer(at: bytes.count - 4)
    let actual = tl_crc32c(0, bytes.baseAddress, bytes.count - 4)
    guard checksum == actual else { throw .checksum(expected: checksum, actual: actual) }

    var sections = TransformerSections(bytes)
    let texts = sections.next(TransformerShape.headerByteCount + shape.textByteCount)
    self.shape = shape
    description = TransformerModelDescription(
      texts: texts[TransformerShape.headerByteCount...], dimension: shape.hidden, byteCount: bytes.count,
      checksum: checksum)
    vocabulary = try TransformerVocabulary(sections.next(shape.vocabularyByteCount), pieceCount: shape.pieces)
    let hidden = shape.hidden
    pieceScales = try sections.floats(shape.pieces, "the scales of pieces")
    pieces = sections.pointer(shape.pieces * hidden)
    positions = try sections.floats(shape.positions * hidden, "the table of positions")
    norm = try sections.norm(hidden, "the first normalization")
    var layers: [Layer] = []
    for index in 1...shape.layers {
      layers.append(
        Layer(
          projection: try sections.matrix(3 * hidden, hidden, "the projection of layer \(index)"),
          attended: try sections.matrix(hidden, hidden, "the attention of layer \(index)"),
          attentionNorm: try sections.norm(hidden, "the first normalization of layer \(index)"),
          inner: try sections.matrix(shape.inner, hidden, "the inner matrix of layer \(index)"),
          outer: try sections.matrix(hidden, shape.inner, "the outer matrix of layer \(index)"),
          outerNorm: try sections.norm(hidden, "the second normalization of layer \(index)")))
    }
    self.layers = layers
  }
}

/// Walks the sections of a file whose length has been found right.
private struct TransformerSections {
  private let bytes: UnsafeRawBufferPointer
  private var start = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func next(_ byteCount: Int) -> UnsafeRawBufferPointer {
    let section = UnsafeRawBufferPointer(rebasing: bytes[start..<start + byteCount])
    start += TransformerShape.padded(byteCount)
    return section
  }

  mutating func pointer<Element>(_ count: Int) -> UnsafePointer<Element> {
    // Sections are aligned, of one element or more, and hold only plain numbers.
    next(count * MemoryLayout<Element>.stride).bindMemory(to: Element.self).baseAddress!
  }

  mutating func floats(_ count: Int, _ name: String) throws(TransformerModelError) -> UnsafePointer<Float> {
    let floats: UnsafePointer<Float> = pointer(count)
    var exponents: UInt32 = 0
    for index in 0..<count {
      // Only infinities and what is no number have all of these bits.
      exponents = max(exponents, floats[index].bitPattern & 0x7F80_0000)
    }
    if exponents == 0x7F80_0000 { throw .notFinite(name) }
    return floats
  }

  mutating func norm(_ count: Int, _ name: String) throws(TransformerModelError) -> TransformerModelFile.Norm {
    TransformerModelFile.Norm(gain: try floats(count, name), offset: try floats(count, name))
  }

  mutating func matrix(
    _ outputCount: Int, _ inputCount: Int, _ name: String
  ) throws(TransformerModelError) -> tl_matrix_i8 {
    let scales = try floats(outputCount, name)
    let biases = try floats(outputCount, name)
    return tl_matrix_i8(
      codes: pointer(outputCount * inputCount), scales: scales, biases: biases, input_count: inputCount,
      output_count: outputCount)
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func integer(at offset: Int) -> UInt32 {
    UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}

/// How large the parts of a transformer are.
struct TransformerShape {
  let layers: Int
  let hidden: Int
  let heads: Int
  let inner: Int
  let positions: Int
  let pieces: Int
  let vocabularyByteCount: Int
  let epsilon: Float
  let textByteCount: Int

  static let headerByteCount = 48

  /// - Parameter bytes: At least `headerByteCount`.
  init(header bytes: UnsafeRawBufferPointer) throws(TransformerModelError) {
    func field(_ offset: Int, _ name: String, _ range: ClosedRange<Int>, multipleOf factor: Int = 1)
      throws(TransformerModelError) -> Int
    {
      let value = Int(bytes.integer(at: offset))
      guard range.contains(value), value % factor == 0 else { throw .header("\(value) \(name)") }
      return value
    }
    layers = try field(12, "layers", 1...64)
    hidden = try field(16, "components", 32...4096, multipleOf: 32)
    heads = try field(20, "heads", 1...hidden / 8)
    inner = try field(24, "inner components", 32...16384, multipleOf: 32)
    positions = try field(28, "positions", 4...512)
    pieces = try field(32, "pieces", 1...Int(UInt16.max))
    vocabularyByteCount = try field(36, "bytes of vocabulary", 1...16 << 20)
    epsilon = Float(bitPattern: bytes.integer(at: 40))
    textByteCount = try field(44, "bytes of text", 0...1 << 16)
    guard hidden / 8 % heads == 0 else { throw .header("\(heads) heads for \(hidden) components") }
    guard epsilon >= 0, epsilon < 1 else { throw .header("an epsilon of \(epsilon)") }
  }

  var headWidth: Int { hidden / heads }

  static func padded(_ byteCount: Int) -> Int { (byteCount + 63) / 64 * 64 }

  var fileByteCount: Int {
    func floats(_ count: Int) -> Int { TransformerShape.padded(4 * count) }
    func matrix(_ outputs: Int, _ inputs: Int) -> Int {
      2 * floats(outputs) + TransformerShape.padded(outputs * inputs)
    }
    let tables =
      TransformerShape.padded(TransformerShape.headerByteCount + textByteCount)
      + TransformerShape.padded(vocabularyByteCount) + floats(pieces) + TransformerShape.padded(pieces * hidden)
      + floats(positions * hidden) + 2 * floats(hidden)
    let layer =
      matrix(3 * hidden, hidden) + matrix(hidden, hidden) + matrix(inner, hidden) + matrix(hidden, inner)
      + 4 * floats(hidden)
    return tables + layers * layer + 4
  }
}
