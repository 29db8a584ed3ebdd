import CKernels
import Domain
import LogBlocks
import LogQuery

/// Puts rows of one source together as people see them.
final class RecordReader {
  private let source: any RecordSource
  private let names: TenantNames
  private var fieldColumns: [String: FieldColumn] = [:]

  init(_ source: any RecordSource, names: TenantNames) {
    self.source = source
    self.names = names
  }

  /// Fields that every record has. A sender's own field of such a name is stored and not shown: what a record's time, message and
  /// stream are is not the sender's to say twice.
  static let builtIn = ["_time", "_msg", "_stream", "_stream_id", "_id", "severity"]

  static func isBuiltIn(_ name: [UInt8]) -> Bool {
    guard let first = name.first, first == UInt8(ascii: "_") || first == UInt8(ascii: "s") else { return false }
    return builtIn.contains { name.elementsEqual($0.utf8) }
  }

  static func messageChecksum(_ message: [UInt8]) -> UInt32 {
    message.withUnsafeBytes { tl_crc32c(0, $0.baseAddress, $0.count) }
  }

  /// All of a record: the built-in fields first, then its own in the order sent.
  ///
  /// - Parameter derived: Fields to add that no record carries: `template`, `pattern`.
  func row(_ row: Int, adding derived: [String] = []) throws -> Row {
    let message = try message(ofRow: row)
    let time = Timestamp(nanoseconds: try source.time(ofRow: row))
    let stream = try source.stream(ofRow: row)
    let own = try source.fields(ofRow: row)
    var fields: [(name: String, value: [UInt8])] = []
    fields.reserveCapacity(own.count + 6)
    var timeText: [UInt8] = []
    time.appendRFC3339(to: &timeText)
    fields.append(("_time", timeText))
    fields.append(("_msg", message))
    fields.append(("_stream", names.streamText(stream)))
    fields.append(("_stream_id", names.streamID(stream)))
    let id = RecordID(time: time, stream: stream, messageChecksum: Self.messageChecksum(message))
    fields.append(("_id", Array(id.description.utf8)))
    fields.append(("severity", Array(try source.severity(ofRow: row).name.utf8)))
    for field in own where !RecordReader.isBuiltIn(field.name) {
      fields.append((String(decoding: field.name, as: UTF8.self), field.value))
    }
    for name in derived { fields.append((name, try value(of: name, atRow: row))) }
    return Row(fields)
  }

  /// Only the named fields, those that are not empty.
  func row(_ row: Int, fields wanted: [String]) throws -> Row {
    var fields: [(name: String, value: [UInt8])] = []
    fields.reserveCapacity(wanted.count)
    for name in wanted {
      let value = try value(of: name, atRow: row)
      if !value.isEmpty { fields.append((name, value)) }
    }
    return Row(fields)
  }

  /// One field of one row, the built-in ones included; empty if the row has none.
  func value(of name: String, atRow row: Int) throws -> [UInt8] {
    switch name {
    case "_msg": return try message(ofRow: row)
    case "_time":
      var text: [UInt8] = []
      Timestamp(nanoseconds: try source.time(ofRow: row)).appendRFC3339(to: &text)
      return text
    case "_stream", "_stream_id": return value(of: name, ofStream: try source.stream(ofRow: row))
    case "severity": return Array(try source.severity(ofRow: row).name.utf8)
    case "template", "pattern": return try value(of: name, ofTemplate: try source.template(ofRow: row))
    case "_id":
      let checksum = Self.messageChecksum(try message(ofRow: row))
      let id = RecordID(
        time: Timestamp(nanoseconds: try source.time(ofRow: row)), stream: try source.stream(ofRow: row),
        messageChecksum: checksum)
      return Array(id.description.utf8)
    default:
      for candidate in FieldAlias.candidates(for: name) {
        let column: FieldColumn
        if let known = fieldColumns[candidate] {
          column = known
        } else {
          column = try source.field(Array(candidate.utf8))
          fieldColumns[candidate] = column
        }
        let value = column.withValue(atRow: row) { $0.map { Array($0) } ?? [] }
        if !value.isEmpty { return value }
      }
      return []
    }
  }

  /// `template` or `pattern` of every record with that template.
  func value(of name: String, ofTemplate number: UInt32) throws -> [UInt8] {
    if name == "template" { return Array(try names.requiredTemplate(number).description.utf8) }
    return names.pattern(ofTemplate: number).map { Array(String($0).utf8) } ?? []
  }

  /// `_stream` or `_stream_id` of every record of that stream.
  func value(of name: String, ofStream number: UInt32) -> [UInt8] {
    name == "_stream" ? names.streamText(number) : names.streamID(number)
  }

  private func message(ofRow row: Int) throws -> [UInt8] {
    var message: [UInt8] = []
    let template = try names.requiredTemplate(try source.template(ofRow: row))
    try source.appendMessage(ofRow: row, template: template, to: &message)
    return message
  }
}
