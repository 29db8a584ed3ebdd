internal import CKernels

/// A model file of two small layers, drawn from random numbers as scripts/golden_transformer.py draws them.
struct TinyTransformer {
  var layers = 2
  var hidden = 32
  var heads = 4
  var inner = 160
  var positions = 16
  var texts = "name: tiny\nlicense: CC0-1.0\norigin: drawn from random numbers\n"
  var pieces = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "disk", "is", "full", "user", "##s", "log", "##ged", "in", "no", "space",
    "left", "on", "device",
  ]

  /// The file's bytes, with its checksum.
  func file() -> [UInt8] {
    var writer = Writer()
    let vocabulary = Array(pieces.map { $0 + "\n" }.joined().utf8)
    writer.bytes = Array("TLTRANSF".utf8)
    for field in [1, layers, hidden, heads, inner, positions, pieces.count, vocabulary.count] {
      writer.append(UInt32(field))
    }
    writer.append(Float(1e-12).bitPattern)
    writer.append(UInt32(texts.utf8.count))
    writer.section(Array(texts.utf8))
    writer.section(vocabulary)

    writer.scales(pieces.count)
    writer.section(writer.codes(pieces.count * hidden).map { UInt8(bitPattern: $0) })
    writer.sixteenths(positions * hidden, from: -0.25)
    writer.norm(hidden)
    for _ in 0..<layers {
      writer.matrix(3 * hidden, hidden)
      writer.matrix(hidden, hidden)
      writer.norm(hidden)
      writer.matrix(inner, hidden)
      writer.matrix(hidden, inner)
      writer.norm(hidden)
    }
    return TinyTransformer.sealed(writer.bytes + [0, 0, 0, 0])
  }

  /// `file` with its last four bytes replaced by the checksum of the others.
  static func sealed(_ file: [UInt8]) -> [UInt8] {
    let content = Array(file.dropLast(4))
    let checksum = tl_crc32c(0, content, content.count)
    return content + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) }
  }

  private struct Writer {
    var bytes: [UInt8] = []
    var random = SeededGenerator(seed: 1)

    mutating func append(_ value: UInt32) {
      for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func section(_ content: [UInt8]) {
      bytes += content
      while bytes.count % 64 != 0 { bytes.append(0) }
    }

    mutating func sixteenths(_ count: Int, from base: Float, by step: Float = 1 / 32) {
      for _ in 0..<count { append((base + Float(random.next() >> 60) * step).bitPattern) }
      section([])
    }

    mutating func scales(_ count: Int) { sixteenths(count, from: 1 / 512, by: 1 / 8192) }

    mutating func codes(_ count: Int) -> [Int8] {
      (0..<count).map { _ in Int8(Int(random.next() >> 32) % 255 - 127) }
    }

    mutating func norm(_ count: Int) {
      sixteenths(count, from: 0.75)
      sixteenths(count, from: -0.25)
    }

    mutating func matrix(_ outputs: Int, _ inputs: Int) {
      scales(outputs)
      sixteenths(outputs, from: -0.25)
      let codes = codes(outputs * inputs)
      var packed = [UInt8](repeating: 0, count: codes.count)
      for output in 0..<outputs {
        for input in 0..<inputs {
          let place = (output / 32 * (inputs / 4) + input / 4) * 128 + output % 32 * 4 + input % 4
          packed[place] = UInt8(Int(codes[output * inputs + input]) + 128)
        }
      }
      section(packed)
    }
  }
}
