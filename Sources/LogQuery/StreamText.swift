/// Reads the text form of a stream, `{a="b",c="d"}`, as `Stream.description` writes it.
enum StreamText {
  /// The value of label `name`, empty if absent or if the text has another form.
  static func label(_ name: String, in text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    guard text.first == UInt8(ascii: "{") else { return [] }
    let wanted = Array(name.utf8)
    var index = 1
    while index < text.count {
      let nameStart = index
      // A value always starts with `="`, which no sensible name holds.
      while index + 1 < text.count, !(text[index] == UInt8(ascii: "=") && text[index + 1] == UInt8(ascii: "\"")) {
        index += 1
      }
      guard index + 1 < text.count else { return [] }
      let isWanted = text[nameStart..<index].elementsEqual(wanted)
      index += 2
      var value: [UInt8] = []
      while index < text.count, text[index] != UInt8(ascii: "\"") {
        var byte = text[index]
        if byte == UInt8(ascii: "\\"), index + 1 < text.count {
          index += 1
          byte = text[index] == UInt8(ascii: "n") ? UInt8(ascii: "\n") : text[index]
        }
        if isWanted { value.append(byte) }
        index += 1
      }
      if isWanted { return value }
      index += 1
      if index < text.count, text[index] == UInt8(ascii: ",") { index += 1 }
    }
    return []
  }
}
