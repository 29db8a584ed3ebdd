internal import Domain

/// Text as the model was tuned to read it: wildcards dropped, identifiers split into words, lower case, one space
/// between words.
///
/// `BLOCK* NameSystem.addStoredBlock: blk_<*>` becomes `block name system add stored block blk`.
package enum PreparedText {
  package static func prepare(_ text: String) -> [UInt8] {
    var text = text
    return text.withUTF8 { prepare($0) }
  }

  /// As `prepare(_:)`; bytes that are not UTF-8 separate words.
  package static func prepare(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(text.count + 8)
    var before = Kind.space
    var index = 0
    while index < text.count {
      if text[index] == UInt8(ascii: "<"), let length = wildcardLength(text, at: index) {
        endWord(&output)
        before = .space
        index += length
        continue
      }
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      let kind = Kind(of: scalar)
      if kind == .space {
        endWord(&output)
      } else {
        // fooBar -> foo bar; OOMKilled -> oom killed, where the last capital of a run begins a word.
        if kind == .upper {
          let isHump = before == .lower || before == .upper && nextKind(text, at: index + length) == .lowerLetter
          if isHump { endWord(&output) }
        }
        appendLowercase(scalar, to: &output)
      }
      before = kind == .lowerLetter ? .lower : kind
      index += length
    }
    if output.last == space { output.removeLast() }
    return output
  }

  private static let space = UInt8(ascii: " ")

  private enum Kind {
    case space
    case upper
    /// A lower-case letter a–z. As `before` it and a digit are `.lower`.
    case lowerLetter
    case lower
    case other

    init(of scalar: Unicode.Scalar?) {
      guard let scalar else {
        self = .space
        return
      }
      switch scalar {
      case "A"..."Z": self = .upper
      case "a"..."z": self = .lowerLetter
      case "0"..."9": self = .lower
      case "_", "-", ".", "/", ":", "=", "|", "@", "#", "$", "*", "<", ">", "[", "]", "(", ")", "{", "}", ",",
        ";", "\"", "'":
        self = .space
      default: self = scalar.value <= 0x20 || scalar.properties.isWhitespace ? .space : .other
      }
    }
  }

  private static func nextKind(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> Kind {
    guard index < text.count else { return .space }
    return Kind(of: UTF8Scalar.decode(text, at: index).scalar)
  }

  private static func endWord(_ output: inout [UInt8]) {
    if let last = output.last, last != space { output.append(space) }
  }

  private static func appendLowercase(_ scalar: Unicode.Scalar?, to output: inout [UInt8]) {
    guard let scalar else { return }
    if scalar.isASCII {
      let byte = UInt8(scalar.value)
      output.append(("A"..."Z").contains(scalar) ? byte | 0x20 : byte)
    } else {
      output += Array(scalar.properties.lowercaseMapping.utf8)
    }
  }

  /// The length of `<*>` or of a slot as `Template.description` shows it (`<ipv4>`) at `index`.
  private static func wildcardLength(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> Int? {
    let rest = UnsafeBufferPointer(rebasing: text[index...])
    return wildcards.first { rest.starts(with: $0) }?.count
  }

  private static let wildcards: [[UInt8]] = [Array("<*>".utf8)] + SlotKind.allCases.map { Array("<\($0.name)>".utf8) }
}

/// Scalars out of bytes that may be anything.
enum UTF8Scalar {
  /// The scalar at `index` and its length; `nil` and 1 where the bytes are not UTF-8.
  static func decode(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (scalar: Unicode.Scalar?, length: Int) {
    let first = text[index]
    if first < 0x80 { return (Unicode.Scalar(first), 1) }
    let length =
      switch first {
      case 0xC2..<0xE0: 2
      case 0xE0..<0xF0: 3
      case 0xF0..<0xF5: 4
      default: 0
      }
    guard length > 0, index + length <= text.count else { return (nil, 1) }
    var value = UInt32(first) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
    for offset in 1..<length {
      let next = text[index + offset]
      guard next & 0xC0 == 0x80 else { return (nil, 1) }
      value = value << 6 | UInt32(next & 0x3F)
    }
    guard value >= (length == 3 ? 0x800 : length == 4 ? 0x10000 : 0x80), let scalar = Unicode.Scalar(value) else {
      return (nil, 1)
    }
    return (scalar, length)
  }
}
