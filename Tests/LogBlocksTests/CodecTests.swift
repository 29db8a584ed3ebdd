import Domain
import Testing

@testable import LogBlocks

@Suite struct CodecTests {
  private func roundTrip(_ integers: [Int64]) throws -> (decoded: [Int64], byteCount: Int) {
    var bytes: [UInt8] = []
    integers.withUnsafeBufferPointer { IntegerCodec.encode($0, into: &bytes) }
    let decoded = try bytes.read("test") { (reader) throws(BlockError) in
      let values = try IntegerCodec.decode(count: integers.count, from: &reader)
      try reader.expectEnd()
      return values
    }
    return (decoded, bytes.count)
  }

  @Test(arguments: 0...64)
  func `integers of every width come back`(width: Int) throws {
    var generator = SeededGenerator(UInt64(width))
    for count in [0, 1, 2, 3, 127, 128, 129, 400] {
      let mask: UInt64 = width == 64 ? .max : 1 << UInt64(width) - 1
      let integers = (0..<count).map { _ in Int64(bitPattern: generator.next() & mask) &- Int64(width) }

      #expect(try roundTrip(integers).decoded == integers)
    }
  }

  @Test func `the extremes come back`() throws {
    let integers: [Int64] = [.min, .max, .min, 0, .max, -1, .min, .min, .max, .max]

    #expect(try roundTrip(integers).decoded == integers)
  }

  @Test func `even steps take almost nothing`() throws {
    let integers = (0..<12_800).map { Int64($0) * 250 + 1_763_900_000_000 }

    let (decoded, byteCount) = try roundTrip(integers)

    #expect(decoded == integers)
    #expect(byteCount <= 800)
  }

  @Test(arguments: [1, 2, 3, 16, 17, 256, 257, 65_536, 70_000])
  func `codes of every limit come back`(limit: Int) throws {
    var generator = SeededGenerator(UInt64(limit))
    for count in [0, 1, 5, 1000] {
      let scattered = (0..<count).map { _ in UInt32.random(in: 0..<UInt32(limit), using: &generator) }
      for codes in [scattered, scattered.sorted()] {
        var bytes: [UInt8] = []
        codes.withUnsafeBufferPointer { CodeCodec.encode($0, limit: limit, into: &bytes) }
        let decoded = try bytes.read("test") { (reader) throws(BlockError) in
          let values = try CodeCodec.decode(count: codes.count, limit: limit, from: &reader).expanded
          try reader.expectEnd()
          return values
        }
        #expect(decoded == codes)
      }
    }
  }

  private func encode(_ values: [String]) -> (bytes: [UInt8], kind: ColumnCodec.Kind) {
    var list = ValueList()
    for value in values { list.append(value.utf8) }
    var encoder = ValueEncoder()
    let noTimes = UnsafeBufferPointer<Int64>(start: nil, count: 0)
    var bytes: [UInt8] = []
    list.bytes.withUnsafeBufferPointer { buffer in
      list.spans.withUnsafeBufferPointer { encoder.encode($0, in: buffer, times: noTimes, into: &bytes) }
    }
    return (bytes, encoder.kind)
  }

  @Test(arguments: [
    (["1", "-5", "9223372036854775807", "-9223372036854775808", "0"], ColumnCodec.Kind.integer),
    (["001", "230", "999", "000", "120"], .padded),
    (["0.25", "13.50", "7.00", "100.01"], .decimal),
    (["10.251.42.84", "0.0.0.0", "255.255.255.255", "1.2.3.4"], .ipv4),
    (["10.251.042.84", "0.0.0.0", "255.255.255.255", "1.2.3.4"], .text),
    (["00ff", "a2b4", "c0de", "9999"], .hex),
    (["F", "A2B4", "C0DE55", "09"], .upperHex),
    (["blk_-16", "blk_77", "blk_9", "blk_-1"], .integer),
    (["3000ms", "12ms", "7ms", "100ms"], .integer),
    (["007", "7", "-0", "18446744073709551615"], .number),
    (["007", "7", "-0", "18446744073709551616"], .text),
    (["blk_-9876543210987654321", "blk_1", "blk_-02", "blk_3"], .number),
    (["007", "7", "-0", "+3"], .text),
    (["x", "x", "x", "x"], .constant),
    (["a b", "", "c", "aa"], .text),
  ])
  func `values take the form that suits them and come back`(values: [String], kind: ColumnCodec.Kind) throws {
    let (bytes, chosen) = encode(values)

    let decoded = try bytes.read("test") { (reader) throws(BlockError) in
      try ColumnCodec.decodeStored(
        count: values.count, byteCountMax: 1 << 20, times: nil, in: WorkingMemory(), from: &reader
      ).column
    }

    #expect(chosen == kind)
    #expect(values.indices.map { decoded.withValue(at: $0) { String(decoding: $0, as: UTF8.self) } } == values)
  }

  @Test func `few distinct values are a dictionary`() throws {
    let values = (0..<100).map { ["GET", "POST", "PUT"][$0 % 3] }

    #expect(encode(values).kind == .dictionary)
  }

  @Test(arguments: [0, 1, 2, 3, 10, 100, 1000, 20_000])
  func `a filter has every word it was given and few others`(count: Int) throws {
    let words = (0..<count).map { Array("word\($0)".utf8) }
    let keys = words.map { $0.withUnsafeBufferPointer { TokenFilter.key($0) } }

    let encoded = TokenFilter(keys: keys).encoded
    let filter = try TokenFilter(decoding: encoded, place: "test")

    #expect(words.allSatisfy { filter.mayContain($0) })
    let falseCount = (0..<4000).filter { filter.mayContain(Array("other\($0)".utf8)) }.count
    #expect(falseCount < 60)
    if count >= 1000 { #expect(encoded.count < count * 3 / 2) }
  }

  @Test func `character classes are those of the bytes`() {
    #expect(CharacterClasses(of: "09".utf8) == .digits)
    #expect(CharacterClasses(of: "afgzAFGZ_".utf8) == [.lowerHex, .lowerRest, .upperHex, .upperRest, .underscore])
    #expect(CharacterClasses(of: " /:".utf8) == .otherASCII)
    #expect(CharacterClasses(of: "é".utf8) == .nonASCII)
    #expect(CharacterClasses(of: "".utf8) == [])
  }
}
