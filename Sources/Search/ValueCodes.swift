import Domain
import LogBlocks
import LogQuery

/// The values of one field over a source's rows, as small numbers: equal values have equal codes.
struct ValueCodes {
  private enum Storage {
    case single([UInt8])
    case codes([UInt32], values: [[UInt8]])
    case severities([Severity])
  }

  private let storage: Storage

  /// Nil if the source does not hold the field's values as a number of few that each row has.
  init?(stored field: String, of source: OpenedSource) throws {
    switch field {
    case "severity", "_stream", "_stream_id", "template", "pattern": break
    case "_msg", "_time", "_id": return nil
    default:
      let known = source.reader.fieldNames
      let present = FieldAlias.candidates(for: field).map { Array($0.utf8) }.filter { known.contains($0) }
      if present.count > 1 { return nil }
      if let name = present.first, case .list = try source.reader.field(name) { return nil }
    }
    try self.init(field, of: source)
  }

  /// - Parameter field: Nil gives every row the empty value.
  init(_ field: String?, of source: OpenedSource) throws {
    guard let field else {
      storage = .single([])
      return
    }
    let reader = source.reader
    switch field {
    case "severity":
      storage = .severities(try reader.severities())
    case "_stream", "_stream_id":
      storage = try ValueCodes.interned(try reader.streams(), count: reader.count) { row, _ in
        try source.records.value(of: field, atRow: row)
      }
    case "template", "pattern":
      storage = try ValueCodes.interned(try reader.templates(), count: reader.count) { row, _ in
        try source.records.value(of: field, atRow: row)
      }
    default:
      let names = FieldAlias.candidates(for: field).map { Array($0.utf8) }
      let present = names.filter { Set(reader.fieldNames).contains($0) }
      if present.isEmpty, !["_msg", "_time", "_id"].contains(field) {
        storage = .single([])
      } else if present.count == 1, case .constant(let value) = try reader.field(present[0]) {
        storage = .single(value)
      } else if present.count == 1, case .dictionary(let values, let codes) = try reader.field(present[0]) {
        storage = .codes(codes, values: (0..<values.count).map { values[$0] })
      } else {
        var numbers: [[UInt8]: UInt32] = [:]
        var values: [[UInt8]] = []
        var codes: [UInt32] = []
        codes.reserveCapacity(reader.count)
        for row in 0..<reader.count {
          let value = try source.records.value(of: field, atRow: row)
          if let known = numbers[value] {
            codes.append(known)
          } else {
            let code = UInt32(values.count)
            numbers[value] = code
            values.append(value)
            codes.append(code)
          }
        }
        storage = .codes(codes, values: values)
      }
    }
  }

  /// The field of a row that pipes made; a short name stands for the first of its candidates that is not empty.
  static func value(of field: String, in row: Row) -> [UInt8] {
    for name in FieldAlias.candidates(for: field) {
      let value = row[name]
      if !value.isEmpty { return value }
    }
    return []
  }

  /// Codes of rows that share a number share a value: it is read at the first of them.
  private static func interned(
    _ numbers: [UInt32], count: Int, _ value: (_ row: Int, _ number: UInt32) throws -> [UInt8]
  ) throws -> Storage {
    var known: [UInt32: UInt32] = [:]
    var byValue: [[UInt8]: UInt32] = [:]
    var values: [[UInt8]] = []
    var codes: [UInt32] = []
    codes.reserveCapacity(count)
    for (row, number) in numbers.enumerated() {
      if let code = known[number] {
        codes.append(code)
        continue
      }
      let text = try value(row, number)
      let code = byValue[text] ?? UInt32(values.count)
      if code == values.count {
        values.append(text)
        byValue[text] = code
      }
      known[number] = code
      codes.append(code)
    }
    return .codes(codes, values: values)
  }

  /// A code a row, each an index into the values; rows without the field have the empty one.
  func dense(rowCount: Int) -> (codes: [UInt32], values: [[UInt8]]) {
    switch storage {
    case .single(let value): return ([UInt32](repeating: 0, count: rowCount), [value])
    case .codes(let codes, let values):
      let absent = UInt32(values.count)
      return (codes.map { min($0, absent) }, values + [[]])
    case .severities(let severities):
      return (severities.map { UInt32($0.rawValue) }, Severity.allCases.map { Array($0.name.utf8) })
    }
  }

  @inline(__always)
  func code(ofRow row: Int) -> Int {
    switch storage {
    case .single: 0
    case .codes(let codes, _): Int(codes[row])
    case .severities(let severities): Int(severities[row].rawValue)
    }
  }

  /// Empty for rows without the field.
  func value(ofCode code: Int) -> [UInt8] {
    switch storage {
    case .single(let value): value
    case .codes(_, let values): code < values.count ? values[code] : []
    case .severities: Array((Severity(rawValue: UInt8(code)) ?? .unknown).name.utf8)
    }
  }
}
