/// Text of logs and of models as text and nothing else.
enum PlainText {
  /// One line without characters that are not seen or that turn the text around: control characters become blanks, and
  /// zero-width, bidirectional and tag characters go.
  static func line(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isUnseen(scalar) { continue }
      result.append(isControl(scalar) ? " " : scalar)
    }
    return String(result)
  }

  static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // Zero-width, joiners, marks of direction; embeddings and isolates; word joiner and invisible signs.
    case 0x00AD, 0x034F, 0x061C, 0x115F...0x1160, 0x17B4...0x17B5, 0x180B...0x180F, 0x200B...0x200F, 0x202A...0x202E,
      0x2060...0x206F, 0x3164, 0xFE00...0xFE0F, 0xFEFF, 0xFFA0, 0xFFF0...0xFFFB, 0x1BCA0...0x1BCA3, 0x1D173...0x1D17A,
      0xE0000...0xE0FFF:
      true
    default: false
    }
  }

  static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
  }

  /// A model's text for a page: no HTML, no images; of links the words; addresses only if `evidence` has them; at most
  /// `length` characters, cut between words.
  static func generated(_ text: String, length: Int, evidence: String) -> String {
    var text = withoutTags(withoutLinks(line(text)))
    text = withoutAddresses(text, exceptIn: evidence)
    let words = text.split(whereSeparator: \.isWhitespace)
    var result = ""
    for word in words.map(withoutMarks) where !word.isEmpty {
      if result.count + word.count + 1 > length {
        result += "…"
        break
      }
      result += result.isEmpty ? word : " " + word
    }
    return result
  }

  /// `![a](b)` goes, `[a](b)` becomes `a`.
  private static func withoutLinks(_ text: String) -> String {
    guard text.contains("](") else { return text }
    var result = ""
    var rest = text[...]
    while let middle = rest.firstRange(of: "](") {
      let before = rest[..<middle.lowerBound]
      let end = rest[middle.upperBound...].firstIndex(of: ")")
      guard let open = before.lastIndex(of: "[") else {
        result += rest[..<middle.upperBound]
        rest = rest[middle.upperBound...]
        continue
      }
      let isImage = open > before.startIndex && before[before.index(before: open)] == "!"
      result += before[..<(isImage ? before.index(before: open) : open)]
      if !isImage { result += before[before.index(after: open)...] }
      rest = end.map { rest[rest.index(after: $0)...] } ?? rest[rest.endIndex...]
    }
    return result + rest
  }

  /// `<tag …>` and `</tag>` go; `a < b` and the placeholders of redaction stay.
  private static func withoutTags(_ text: String) -> String {
    guard text.contains("<") else { return text }
    var result = ""
    var index = text.startIndex
    while index < text.endIndex {
      if text[index] == "<" {
        let inside = text[text.index(after: index)...]
        let first = inside.first
        if first == "/" || first == "!" || first == "?" || first.map({ $0.isLetter && $0.isASCII }) == true {
          let end = inside.firstIndex(of: ">")
          let name = inside[..<(end ?? inside.endIndex)]
          let isPlaceholder =
            end != nil && name.allSatisfy { $0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "_") }
            || name == "*"
          if !isPlaceholder {
            index = end.map { text.index(after: $0) } ?? text.endIndex
            continue
          }
        }
      }
      result.append(text[index])
      index = text.index(after: index)
    }
    return result
  }

  /// Marks of Markdown around a word.
  private static func withoutMarks(_ word: Substring) -> Substring {
    var word = word
    while word.hasPrefix("**") || word.hasPrefix("__") || word.hasPrefix("``") { word = word.dropFirst(2) }
    while word.hasSuffix("**") || word.hasSuffix("__") || word.hasSuffix("``") { word = word.dropLast(2) }
    if word.allSatisfy({ $0 == "#" || $0 == "|" }) { return "" }
    return word
  }

  private static func withoutAddresses(_ text: String, exceptIn evidence: String) -> String {
    guard text.contains("://") || text.lowercased().contains("www.") || text.contains("javascript:") else {
      return text
    }
    return text.split(separator: " ", omittingEmptySubsequences: false).map { word -> Substring in
      let lower = word.lowercased()
      guard lower.contains("://") || lower.contains("www.") || lower.contains("javascript:") else { return word }
      let bare = word.trimmed { !$0.isLetter && !$0.isNumber && $0 != "/" }
      return evidence.contains(bare) ? word : "[address removed]"
    }.joined(separator: " ")
  }
}

extension Substring {
  /// Without characters at both ends for which `isEdge` holds.
  fileprivate func trimmed(_ isEdge: (Character) -> Bool) -> Substring {
    var text = drop(while: isEdge)
    while let last = text.last, isEdge(last) { text.removeLast() }
    return text
  }
}
