/// Comma-separated values (RFC 4180): a row of names, then rows of as many values.
struct CSVTable {
  var names: [String]
  var rows: [[[UInt8]]]

  /// - Parameter path: For messages.
  init(_ bytes: [UInt8], path: String) throws {
    var all: [[[UInt8]]] = []
    var row: [[UInt8]] = []
    var value: [UInt8] = []
    var index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var line = 1
    func endRow() {
      row.append(value)
      value = []
      if row.count > 1 || !row[0].isEmpty { all.append(row) }
      row = []
    }
    while index < bytes.count {
      switch bytes[index] {
      case 0x22 where value.isEmpty:
        let opening = line
        index += 1
        while true {
          guard index < bytes.count else {
            throw DataFileError(path: path, line: opening, reason: "a quoted value never ends")
          }
          if bytes[index] == 0x22 {
            index += 1
            guard index < bytes.count, bytes[index] == 0x22 else { break }
          }
          if bytes[index] == 0x0A { line += 1 }
          value.append(bytes[index])
          index += 1
        }
        continue
      case 0x2C:
        row.append(value)
        value = []
      case 0x0A:
        if value.last == 0x0D { value.removeLast() }
        endRow()
        line += 1
      default:
        value.append(bytes[index])
      }
      index += 1
    }
    if !value.isEmpty || !row.isEmpty { endRow() }
    guard let head = all.first else { throw DataFileError(path: path, reason: "holds no row of names") }
    names = head.map { String(decoding: $0, as: UTF8.self) }
    rows = Array(all.dropFirst())
    for (number, row) in rows.enumerated() where row.count != names.count {
      throw DataFileError(path: path, reason: "row \(number + 1) has \(row.count) values, not \(names.count)")
    }
  }

  /// The values under `name`.
  func column(_ name: String, path: String) throws -> [[UInt8]] {
    guard let index = names.firstIndex(of: name) else {
      throw DataFileError(path: path, line: 1, reason: "has no column \(name)")
    }
    return rows.map { $0[index] }
  }

  /// Appends `row` to `text`, each value quoted where it must be.
  static func append(_ row: [String], to text: inout [UInt8]) {
    for (index, value) in row.enumerated() {
      if index > 0 { text.append(0x2C) }
      if value.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) {
        text.append(0x22)
        for byte in value.utf8 {
          if byte == 0x22 { text.append(0x22) }
          text.append(byte)
        }
        text.append(0x22)
      } else {
        text += Array(value.utf8)
      }
    }
    text.append(0x0A)
  }
}
