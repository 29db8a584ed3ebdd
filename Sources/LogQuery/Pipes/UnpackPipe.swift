/// `unpack_json` and `unpack_logfmt`
enum UnpackPipe {
  typealias Take = (_ name: String, _ value: [UInt8]) -> Void

  /// - Parameter read: Calls its second argument with each field of a text.
  static func stage(
    _ unpack: Unpack, next: PipeStage, read: @escaping (UnsafeBufferPointer<UInt8>, Take) -> Void
  ) throws(QueryError) -> PipeStage {
    let condition = try Condition(unpack.condition)
    let writer = ResultWriter(keepOriginal: unpack.keepOriginal, skipEmpty: unpack.skipEmpty)
    let wanted = FieldPattern.all(unpack.fields.isEmpty ? ["*"] : unpack.fields)
    let named = unpack.fields.filter { !$0.hasSuffix("*") }
    let prefix = unpack.resultPrefix
    var reader = FieldReader(unpack.from)
    return RowStage(next: next) { row in
      guard condition.holds(for: row) else { return }
      var found: [(name: String, value: [UInt8])] = []
      let text = reader.value(in: row)
      text.withUnsafeBufferPointer { text in
        read(text) { name, value in
          if wanted.contains(where: { $0.matches(name) }) { found.append((name, value)) }
        }
      }
      for (name, value) in found { writer.write(value, to: prefix + name, in: &row) }
      // A field asked for by name and not found is empty.
      for name in named where !found.contains(where: { $0.name == name }) {
        writer.write([], to: prefix + name, in: &row)
      }
    }
  }
}

/// The fields of a JSON object: nested ones under dotted names, strings without escapes, numbers, booleans and arrays
/// as written, null left out. Text that is no whole object has none.
struct JSONFieldReader {
  /// Objects deeper than this are taken as text.
  private static let depthMax = 64

  private let bytes: UnsafeBufferPointer<UInt8>
  private var index = 0
  private var found: [(name: String, value: [UInt8])] = []

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func read(_ take: UnpackPipe.Take) {
    skipSpace()
    guard object(prefix: "", depth: 0) else { return }
    skipSpace()
    guard index == bytes.count else { return }
    for (name, value) in found { take(name, value) }
  }

  private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    index += 1
    return true
  }

  private mutating func object(prefix: String, depth: Int) -> Bool {
    guard skip(UInt8(ascii: "{")) else { return false }
    skipSpace()
    if skip(UInt8(ascii: "}")) { return true }
    while true {
      skipSpace()
      guard let name = string() else { return false }
      skipSpace()
      guard skip(UInt8(ascii: ":")) else { return false }
      skipSpace()
      let path = prefix + String(decoding: name, as: UTF8.self)
      guard value(path, depth: depth) else { return false }
      skipSpace()
      if skip(UInt8(ascii: "}")) { return true }
      guard skip(UInt8(ascii: ",")) else { return false }
    }
  }

  private mutating func value(_ path: String, depth: Int) -> Bool {
    guard let first = peek else { return false }
    switch first {
    case UInt8(ascii: "\""):
      guard let text = string() else { return false }
      found.append((path, text))
    case UInt8(ascii: "{") where depth < JSONFieldReader.depthMax:
      return object(prefix: path + ".", depth: depth + 1)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard let end = endOfNested() else { return false }
      found.append((path, Array(bytes[index..<end])))
      index = end
    default:
      let start = index
      while let byte = peek, JSONFieldReader.isScalarPart(byte) { index += 1 }
      let text = bytes[start..<index]
      if text.elementsEqual("null".utf8) { return true }
      guard
        text.elementsEqual("true".utf8) || text.elementsEqual("false".utf8)
          || FieldNumber.plain(UnsafeBufferPointer(rebasing: text)) != nil
      else { return false }
      found.append((path, Array(text)))
    }
    return true
  }

  private static func isScalarPart(_ byte: UInt8) -> Bool {
    FieldNumber.isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: "+")
      || byte == UInt8(ascii: ".")
  }

  private mutating func string() -> [UInt8]? {
    guard peek == UInt8(ascii: "\""), let (value, end) = QuotedText.read(bytes, at: index) else { return nil }
    index = end
    return value
  }

  /// Where the array or object at `index` ends: brackets counted outside of strings.
  private func endOfNested() -> Int? {
    var open: [UInt8] = []
    var index = index
    while index < bytes.count {
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
          index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        if index >= bytes.count { return nil }
      case UInt8(ascii: "["): open.append(UInt8(ascii: "]"))
      case UInt8(ascii: "{"): open.append(UInt8(ascii: "}"))
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        guard open.popLast() == byte else { return nil }
        if open.isEmpty { return index + 1 }
      default: break
      }
      index += 1
    }
    return nil
  }
}

/// `key=value key="quoted value"`; a word without `=` is no field.
enum LogfmtFieldReader {
  static func read(_ bytes: UnsafeBufferPointer<UInt8>, _ take: UnpackPipe.Take) {
    var index = 0
    while index < bytes.count {
      if bytes[index] <= 0x20 {
        index += 1
        continue
      }
      let start = index
      while index < bytes.count, bytes[index] > 0x20, bytes[index] != UInt8(ascii: "=") { index += 1 }
      guard index < bytes.count, bytes[index] == UInt8(ascii: "="), index > start else {
        // A bare word, or a stray `=`.
        if index == start { index += 1 }
        continue
      }
      let name = String(decoding: bytes[start..<index], as: UTF8.self)
      index += 1
      if let (value, end) = QuotedText.read(bytes, at: index), end == bytes.count || bytes[end] <= 0x20 {
        take(name, value)
        index = end
      } else {
        let valueStart = index
        while index < bytes.count, bytes[index] > 0x20 { index += 1 }
        take(name, Array(bytes[valueStart..<index]))
      }
    }
  }
}
