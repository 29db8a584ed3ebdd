import Foundation

/// Files of one JSON object a line.
enum JSONLines {
  static func read<Row: Decodable>(_ type: Row.Type, from path: String) throws -> [Row] {
    let text = try DataFile.read(path)
    let decoder = JSONDecoder()
    var rows: [Row] = []
    for (index, line) in DataFile.lines(of: text).enumerated() {
      if text[line].allSatisfy({ $0 <= 0x20 }) { continue }
      do { rows.append(try decoder.decode(type, from: Data(text[line]))) } catch {
        throw DataFileError(path: path, line: index + 1, reason: reason(of: error))
      }
    }
    return rows
  }

  static func write(_ rows: [some Encodable], to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var text: [UInt8] = []
    for row in rows {
      text += try encoder.encode(row)
      text.append(UInt8(ascii: "\n"))
    }
    try DataFile.write(text, to: path)
  }

  private static func reason(of error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "no \"\(key.stringValue)\""
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" is of another type"
    default: "no JSON object"
    }
  }
}
