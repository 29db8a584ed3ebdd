import Domain
import LogBlocks

/// Deterministic: a failing case is named by its seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }
}

/// Builds `RecordColumns` by hand, with templates written as `user <integer> from <ipv4>`.
struct RecordBuilder {
  var columns = RecordColumns()
  private(set) var templates: [[UInt8]] = []

  /// The number of a template whose slots are written as `<kind>`.
  mutating func template(_ text: String) -> UInt32 {
    var bytes: [UInt8] = []
    var rest = Substring(text)
    while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
      bytes += rest[..<open].utf8
      let name = rest[rest.index(after: open)..<close]
      bytes += [Template.slotMarker, SlotKind.allCases.first { $0.name == name }?.rawValue ?? SlotKind.word.rawValue]
      rest = rest[rest.index(after: close)...]
    }
    return template(bytes: bytes + Array(rest.utf8))
  }

  mutating func template(bytes: [UInt8]) -> UInt32 {
    if let known = templates.firstIndex(of: bytes) { return UInt32(known) }
    templates.append(bytes)
    return UInt32(templates.count - 1)
  }

  func lookUp(_ number: UInt32) -> Template? {
    Int(number) < templates.count ? Template(text: templates[Int(number)]) : nil
  }

  mutating func append(
    time: Int64, severity: Severity = .info, stream: UInt32 = 0, template: UInt32, variables: [[UInt8]] = [],
    fieldSet: UInt32
  ) {
    columns.times.append(time)
    columns.severities.append(severity)
    columns.streams.append(stream)
    columns.templates.append(template)
    for variable in variables { columns.variables.append(store(variable)) }
    columns.variableStarts.append(UInt32(columns.variables.count))
    columns.fieldSets.append(fieldSet)
  }

  mutating func fieldSet(bytes fields: [(name: [UInt8], value: [UInt8])]) -> UInt32 {
    let spans = fields.map { field in
      let name = store(field.name)
      return FieldSpan(name: name, value: store(field.value))
    }
    columns.fieldSetTable.append(spans)
    return UInt32(columns.fieldSetTable.count - 1)
  }

  mutating func fieldSet(_ fields: [(String, String)]) -> UInt32 {
    fieldSet(bytes: fields.map { (Array($0.0.utf8), Array($0.1.utf8)) })
  }

  private mutating func store(_ value: [UInt8]) -> ByteSpan {
    let start = columns.bytes.count
    columns.bytes += value
    return ByteSpan(start..<columns.bytes.count)
  }
}

/// One record with its own bytes: what two columns are compared by.
struct PlainRecord: Hashable {
  var time: Int64
  var severity: Severity
  var stream: UInt32
  var template: UInt32
  var variables: [[UInt8]]
  var fields: [Field]
}

extension RecordColumns {
  var plain: [PlainRecord] {
    (0..<count).map { row in
      PlainRecord(
        time: times[row], severity: severities[row], stream: streams[row], template: templates[row],
        variables: variables[Int(variableStarts[row])..<Int(variableStarts[row + 1])].map { Array(bytes[$0.range]) },
        fields: fieldSetTable[Int(fieldSets[row])].map {
          Field(name: Array(bytes[$0.name.range]), value: Array(bytes[$0.value.range]))
        })
    }
  }
}

extension EncodedBlock {
  /// A decoder over these columns, its summary read back from the header.
  func decoder() throws -> BlockDecoder {
    let columns = Dictionary(uniqueKeysWithValues: columns.map { ($0.key, $0.data) })
    return BlockDecoder(summary: try BlockSummary(decoding: header)) { key in
      guard let data = columns[key] else { throw BlockError.missingColumn(key) }
      return data
    }
  }
}

/// Records of every awkward kind.
enum ArbitraryRecords {
  static func make(seed: UInt64, count: Int) -> RecordBuilder {
    var generator = SeededGenerator(seed)
    var builder = RecordBuilder()
    let templates = (0..<Int.random(in: 1...6, using: &generator)).map { _ in template(&builder, &generator) }
    let styles = (0..<40).map { _ in Int.random(in: 0..<styleCount + 4, using: &generator) }
    let sets = (0..<Int.random(in: 1...max(1, count), using: &generator)).map { _ in fieldSet(&builder, &generator) }
    let streams = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
      UInt32.random(in: 0 ... .max, using: &generator)
    }
    let timeStyle = Int.random(in: 0..<4, using: &generator)
    var time: Int64 = 1_763_900_000_123_000_000
    for _ in 0..<count {
      switch timeStyle {
      case 0: time += Int64.random(in: 0..<2000, using: &generator) * 1_000_000
      case 1: time = Int64.random(in: .min ... .max, using: &generator)
      case 2: time = [.min, .max, 0, -1, 1].randomElement(using: &generator)!
      default: time += Int64.random(in: -5_000_000_000...5_000_000_000, using: &generator)
      }
      let template = templates.randomElement(using: &generator)!
      let slots = builder.lookUp(template)!.slots.count
      builder.append(
        time: time, severity: Severity.allCases.randomElement(using: &generator)!,
        stream: streams.randomElement(using: &generator)!, template: template,
        variables: (0..<slots).map { slot in
          let style = styles[(Int(template) * 7 + slot) % 40]
          return style < styleCount ? value(style, &generator) : timestamp(style - styleCount, time, &generator)
        },
        fieldSet: sets.randomElement(using: &generator)!)
    }
    return builder
  }

  private static func template(_ builder: inout RecordBuilder, _ generator: inout SeededGenerator) -> UInt32 {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 0...5, using: &generator) {
      if Bool.random(using: &generator) {
        bytes += ["user ", "a", "_", "", " took ", "é", "9", "/"].randomElement(using: &generator)!.utf8
      }
      bytes += [Template.slotMarker, UInt8.random(in: 1...12, using: &generator)]
    }
    bytes += ["", "ms", " done", "é"].randomElement(using: &generator)!.utf8
    return builder.template(bytes: bytes)
  }

  private static func fieldSet(_ builder: inout RecordBuilder, _ generator: inout SeededGenerator) -> UInt32 {
    let names = ["level", "request_id", "", "n", "a.b.c", "é", "\u{0}"]
    return builder.fieldSet(
      bytes: (0..<Int.random(in: 0...6, using: &generator)).map { _ in
        let index = Int.random(in: 0..<names.count, using: &generator)
        let name = index == 0 && Bool.random(using: &generator) ? [0xFF, 0xFE] : Array(names[index].utf8)
        return (name, value(index, &generator))
      })
  }

  /// A time near the record's, as programs write it.
  private static func timestamp(_ style: Int, _ time: Int64, _ generator: inout SeededGenerator) -> [UInt8] {
    let moment = Timestamp(nanoseconds: max(time, .min + 1_000_000_000)).advanced(
      byNanoseconds: Int64.random(in: 0..<5, using: &generator) * 1_000_000_000)
    let text = moment.rfc3339
    guard text.utf8.count >= 20 else { return Array(text.utf8) }
    switch style {
    case 0: return Array(text.utf8)
    case 1: return Array(text.utf8.prefix(19))
    case 2: return Array(text.utf8.prefix(19).suffix(14))
    default: return Array(String(time / 1_000_000).utf8)
    }
  }

  static let styleCount = 14

  static func value(_ style: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    func digits(_ count: ClosedRange<Int>, _ alphabet: String) -> [UInt8] {
      (0..<Int.random(in: count, using: &generator)).map { _ in Array(alphabet.utf8).randomElement(using: &generator)! }
    }
    switch style {
    case 0: return Array(String(Int64.random(in: -1000...100_000, using: &generator)).utf8)
    case 1: return Array(String(Int64.random(in: .min ... .max, using: &generator)).utf8)
    case 2: return digits(8...8, "0123456789")
    case 3: return digits(16...16, "0123456789abcdef")
    case 4: return digits(1...9, "0123456789ABCDEF")
    case 5:
      return Array(
        (0..<4).map { _ in String(UInt8.random(in: 0...255, using: &generator)) }.joined(separator: ".").utf8)
    case 6: return Array("blk_\(Int64.random(in: .min ... .max, using: &generator)):x".utf8)
    case 7: return ["GET", "POST", ""].randomElement(using: &generator)!.utf8.map { $0 }
    case 8: return digits(0...40, "abc é_-.:0")
    case 9:
      return (0..<Int.random(in: 0...12, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
    case 10: return Array("always the same".utf8)
    case 11:
      return Array("\(Int.random(in: 0...90, using: &generator)).\(Int.random(in: 10...99, using: &generator))".utf8)
    case 12:
      return [
        "0", "-0", "00", "+1", "-", "", "9223372036854775808", "-9223372036854775808", "18446744073709551616", "1.",
        ".5",
      ]
      .randomElement(using: &generator)!.utf8.map { $0 }
    default: return Array("/var/log/pods/\(Int.random(in: 0...9999, using: &generator)).log".utf8)
    }
  }
}
