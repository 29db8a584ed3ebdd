/// Rows in columns that line up, for a terminal.
struct Table {
  let columns: [String]
  let rows: [[String]]
  /// Columns whose figures stand to the right.
  var rightAligned: Set<Int> = []

  var text: String {
    var widths = columns.map(\.count)
    for row in rows {
      for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
    }
    func line(_ cells: [String]) -> String {
      var line = ""
      for (index, cell) in cells.enumerated() {
        let padding = String(repeating: " ", count: widths[index] - cell.count)
        line += rightAligned.contains(index) ? padding + cell : index == cells.count - 1 ? cell : cell + padding
        if index < cells.count - 1 { line += "  " }
      }
      return line + "\n"
    }
    return Terminal.colored(String(line(columns).dropLast()), .dim) + "\n" + rows.map(line).joined()
  }
}
