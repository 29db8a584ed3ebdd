/// The pattern of `extract` and `format`: text with `<field>` placeholders. `&lt;`, `&gt;` and `&amp;` stand for their
/// characters.
struct PlaceholderText {
  struct Placeholder: Equatable {
    /// What stands before the colon: `plain`, `q`, `time`, …; empty if there is none.
    var option: String
    /// Empty for `<_>` and `<>`, which name no field.
    var field: String
  }

  /// One more than there are placeholders: what stands around them.
  private(set) var texts: [[UInt8]] = []
  private(set) var placeholders: [Placeholder] = []

  /// - Parameter options: What may stand before a colon; anything else there belongs to the field's name.
  init(_ pattern: String, options: Set<String>) throws(QueryError) {
    var rest = pattern[...]
    while let open = rest.firstIndex(of: "<") {
      guard let close = rest[open...].firstIndex(of: ">") else {
        throw QueryError(
          message: "`<` opens a placeholder that does not end", column: 0, expected: "`>`, or `&lt;` for `<` itself")
      }
      texts.append(PlaceholderText.plain(rest[..<open]))
      var name = rest[rest.index(after: open)..<close]
      var option = ""
      if let colon = name.firstIndex(of: ":"), options.contains(String(name[..<colon])) {
        option = String(name[..<colon])
        name = name[name.index(after: colon)...]
      }
      placeholders.append(Placeholder(option: option, field: name == "_" || name == "*" ? "" : String(name)))
      rest = rest[rest.index(after: close)...]
    }
    texts.append(PlaceholderText.plain(rest))
  }

  /// The named fields, each once, in the order of the pattern.
  var fields: [String] {
    var fields: [String] = []
    for placeholder in placeholders where !placeholder.field.isEmpty && !fields.contains(placeholder.field) {
      fields.append(placeholder.field)
    }
    return fields
  }

  private static func plain(_ text: Substring) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    let names: [(String, UInt8)] = [
      ("&lt;", UInt8(ascii: "<")), ("&gt;", UInt8(ascii: ">")), ("&amp;", UInt8(ascii: "&")),
      ("&quot;", UInt8(ascii: "\"")),
      ("&#39;", UInt8(ascii: "'")),
    ]
    scan: while let first = rest.first {
      if first == UInt8(ascii: "&") {
        for (name, byte) in names where rest.starts(with: name.utf8) {
          bytes.append(byte)
          rest = rest.dropFirst(name.utf8.count)
          continue scan
        }
      }
      bytes.append(first)
      rest = rest.dropFirst()
    }
    return bytes
  }
}
