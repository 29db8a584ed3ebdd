/// `replace` and `replace_regexp`
enum ReplacePipe {
  static func stage(
    _ old: String, with new: String, at field: String, limit: Int?, _ filter: Filter?, next: PipeStage
  ) throws(QueryError) -> PipeStage {
    let condition = try Condition(filter)
    let (old, new) = (Array(old.utf8), Array(new.utf8))
    let limit = limit.map { $0 <= 0 ? Int.max : $0 } ?? Int.max
    return RowStage(next: next) { row in
      for index in row.fields.indices where row.fields[index].name == field {
        let value = row.fields[index].value
        if value.withUnsafeBufferPointer({ ByteSearch.contains($0, old) }), condition.holds(for: row) {
          row.fields[index].value = replacing(old, with: new, in: value, limit: limit)
        }
        break
      }
    }
  }

  private static func replacing(_ old: [UInt8], with new: [UInt8], in value: [UInt8], limit: Int) -> [UInt8] {
    if old.isEmpty { return value }
    var result: [UInt8] = []
    result.reserveCapacity(value.count)
    value.withUnsafeBufferPointer { value in
      old.withUnsafeBufferPointer { old in
        var from = 0
        var left = limit
        while left > 0, let found = ByteSearch.find(old, in: value, from: from) {
          result.append(contentsOf: value[from..<found])
          result += new
          from = found + old.count
          left -= 1
        }
        result.append(contentsOf: value[from...])
      }
    }
    return result
  }

  static func regexpStage(
    _ pattern: String, with new: String, at field: String, limit: Int?, _ filter: Filter?, next: PipeStage
  ) throws(QueryError) -> PipeStage {
    let condition = try Condition(filter)
    let expression = try RegularExpression(pattern)
    let replacement = Replacement(new, expression.groupNames)
    let limit = limit.map { $0 <= 0 ? Int.max : $0 } ?? Int.max
    return RowStage(next: next) { row in
      for index in row.fields.indices where row.fields[index].name == field {
        if condition.holds(for: row) {
          row.fields[index].value = replacing(expression, with: replacement, in: row.fields[index].value, limit: limit)
        }
        break
      }
    }
  }

  /// Matches from left to right; an empty match right behind another is passed over.
  private static func replacing(
    _ expression: RegularExpression, with replacement: Replacement, in value: [UInt8], limit: Int
  ) -> [UInt8] {
    value.withUnsafeBufferPointer { bytes in
      var result: [UInt8] = []
      var copied = 0
      var from = 0
      var left = limit
      var lastEnd = -1
      while left > 0, from <= bytes.count, let groups = expression.captures(in: bytes, from: from),
        let whole = groups[0]
      {
        if !(whole.isEmpty && whole.lowerBound == lastEnd) {
          result.append(contentsOf: bytes[copied..<whole.lowerBound])
          replacement.append(groups, of: bytes, to: &result)
          copied = whole.upperBound
          lastEnd = whole.upperBound
          left -= 1
        }
        from = whole.upperBound
        if whole.isEmpty {
          // On to the next scalar, not into the middle of one.
          from += 1
          while from < bytes.count, bytes[from] & 0xC0 == 0x80 { from += 1 }
        }
      }
      if lastEnd < 0 { return value }
      result.append(contentsOf: bytes[copied...])
      return result
    }
  }

  /// `$1`, `${1}`, `$name` and `${name}` stand for groups, `$$` for a dollar; a group that is not there is empty.
  private struct Replacement {
    private enum Part {
      case text([UInt8])
      case group(Int)
    }

    private var parts: [Part] = []

    init(_ template: String, _ groupNames: [String?]) {
      let bytes = Array(template.utf8)
      var text: [UInt8] = []
      var index = 0
      while index < bytes.count {
        if bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count {
          if bytes[index + 1] == UInt8(ascii: "$") {
            text.append(UInt8(ascii: "$"))
            index += 2
            continue
          }
          if let (name, end) = Replacement.name(bytes, at: index + 1) {
            parts.append(.text(text))
            text = []
            if let group = Int(name) {
              if group >= 0, group < groupNames.count { parts.append(.group(group)) }
            } else if let group = groupNames.firstIndex(of: name) {
              parts.append(.group(group))
            }
            index = end
            continue
          }
        }
        text.append(bytes[index])
        index += 1
      }
      parts.append(.text(text))
    }

    private static func name(_ bytes: [UInt8], at start: Int) -> (String, Int)? {
      func isNamePart(_ byte: UInt8) -> Bool {
        FieldNumber.isDigit(byte) || byte | 0x20 &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_")
      }
      let isBraced = bytes[start] == UInt8(ascii: "{")
      let from = isBraced ? start + 1 : start
      let end = bytes[from...].firstIndex { !isNamePart($0) } ?? bytes.count
      guard end > from else { return nil }
      if isBraced, end == bytes.count || bytes[end] != UInt8(ascii: "}") { return nil }
      return (String(decoding: bytes[from..<end], as: UTF8.self), isBraced ? end + 1 : end)
    }

    func append(_ groups: [Range<Int>?], of text: UnsafeBufferPointer<UInt8>, to result: inout [UInt8]) {
      for part in parts {
        switch part {
        case .text(let literal): result += literal
        case .group(let group): if let range = groups[group] { result.append(contentsOf: text[range]) }
        }
      }
    }
  }
}
