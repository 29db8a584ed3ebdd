import FoundationEssentials
import TestSupport
import Testing

@testable import Web

@Suite struct JSONWriterTests {
  @Test(arguments: 0..<20)
  func `any bytes become valid JSON that reads back as the text they are`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      let values = (0..<4).map { _ in random.bytes(countMax: 40) }
      var json = JSONWriter()

      json.object { json in
        for (index, value) in values.enumerated() { json.member("\(index)", value) }
      }

      let read = try JSONDecoder().decode([String: String].self, from: Data(json.bytes))
      for (index, value) in values.enumerated() {
        let text = String(decoding: value, as: UTF8.self)
        // How many U+FFFD stand for one damaged character is a decoder's choice.
        #expect(read["\(index)"].map(withoutRuns) == withoutRuns(text), "seed \(seed): \(value)")
      }
    }
  }

  @Test(arguments: 0..<20)
  func `text of any scalars reads back exactly, as a name and as a value`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      var text = String.UnicodeScalarView()
      for _ in 0..<20 {
        if let scalar = Unicode.Scalar(UInt32(random.below(0x110000) >> random.below(17))) { text.append(scalar) }
      }
      var json = JSONWriter()

      json.object { json in json.member(String(text), String(text)) }

      let read = try JSONDecoder().decode([String: String].self, from: Data(json.bytes))
      #expect(read.first.map { Array($0.key.utf8) } == Array(String(text).utf8), "seed \(seed)")
      #expect(read.first.map { Array($0.value.utf8) } == Array(String(text).utf8), "seed \(seed)")
    }
  }

  @Test(arguments: [
    ("plain", #""plain""#),
    ("a\"b\\c", #""a\"b\\c""#),
    ("\u{0}\u{8}\t\n\r\u{1F}", #""\u0000\u0008\t\n\r\u001f""#),
    ("é→😀", #""é→😀""#),
    ("", #""""#),
  ])
  func `only what must be escaped is`(text: String, json: String) {
    #expect(written { $0.value(text) } == json)
  }

  @Test(
    arguments: [
      [0xFF], [0xC0, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x80, 0x80, 0x80],
      [0x80],
    ] as [[UInt8]])
  func `bytes that are no UTF-8 become U+FFFD and leave their neighbors alone`(bytes: [UInt8]) {
    let text = written { $0.value([0x61] + bytes + [0x62]) }

    #expect(text.hasPrefix("\"a\u{FFFD}") && text.hasSuffix("\u{FFFD}b\""))
  }

  @Test(
    arguments: [
      (0, "0"), (-0.0, "0"), (1, "1"), (-17, "-17"), (0.1, "0.1"), (1.5e300, "1.5e+300"),
      (.leastNonzeroMagnitude, "5e-324"),
      (999_999_999_999_999, "999999999999999"), (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
    ] as [(Double, String)])
  func `a number has its shortest form, and null where JSON has none`(number: Double, json: String) {
    #expect(written { $0.value(number) } == json)
  }

  @Test(arguments: 0..<10)
  func `a finite number reads back as itself`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      let number = Double(bitPattern: random.next())
      guard number.isFinite else { continue }
      var json = JSONWriter()

      json.array { $0.value(number) }

      #expect(try JSONDecoder().decode([Double].self, from: Data(json.bytes)) == [number], "seed \(seed)")
    }
  }

  @Test func `whole numbers keep all their digits`() {
    #expect(written { $0.value(Int.min) } == "-9223372036854775808")
    #expect(written { $0.value(Int.max) } == "9223372036854775807")
  }

  @Test func `commas stand between members and elements, and nowhere else`() {
    let text = written { json in
      json.object { json in
        json.key("empty")
        json.array { _ in }
        json.key("nested")
        json.array { json in
          json.object { _ in }
          json.array { $0.value(1) }
          json.null()
          json.value(true)
          json.raw("{\"raw\":0}".utf8)
        }
        json.member("last", nil as String?)
      }
    }

    #expect(text == #"{"empty":[],"nested":[{},[1],null,true,{"raw":0}],"last":null}"#)
  }

  @Test func `lines stand alone, and a cleared writer starts anew`() {
    var json = JSONWriter()

    json.value(1)
    json.newline()
    json.value(2)
    #expect(String(decoding: json.bytes, as: UTF8.self) == "1\n2")

    json.removeAll()
    json.value(3)
    #expect(String(decoding: json.bytes, as: UTF8.self) == "3")
  }

  private func written(_ body: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    body(&json)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private func withoutRuns(_ text: String) -> [Unicode.Scalar] {
    var scalars: [Unicode.Scalar] = []
    for scalar in text.unicodeScalars where scalar != "\u{FFFD}" || scalars.last != "\u{FFFD}" {
      scalars.append(scalar)
    }
    return scalars
  }
}
