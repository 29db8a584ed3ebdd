internal import Foundation

/// Files of one JSON object a line.
enum JSONLines {
  /// What is wrong with a file, at a line from 1.
  struct Failure: Error, CustomStringConvertible {
    let path: String
    let line: Int?
    let reason: String

    var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(reason)" }
  }

  static func read<Row: Decodable>(_ type: Row.Type, from path: String) throws -> [Row] {
    let data: Data
    do { data = try Data(contentsOf: URL(filePath: path)) } catch {
      throw Failure(path: path, line: nil, reason: "cannot be read")
    }
    let decoder = JSONDecoder()
    var rows: [Row] = []
    for (index, line) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      if line.allSatisfy({ $0 <= 0x20 }) { continue }
      do { rows.append(try decoder.decode(type, from: line)) } catch {
        throw Failure(path: path, line: index + 1, reason: reason(of: error))
      }
    }
    return rows
  }

  static func write(_ rows: [some Encodable], to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var data = Data()
    for row in rows {
      data.append(try encoder.encode(row))
      data.append(UInt8(ascii: "\n"))
    }
    do { try data.write(to: URL(filePath: path)) } catch {
      throw Failure(path: path, line: nil, reason: "cannot be written")
    }
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
