import Domain

/// Matching rows of all sources in the order of time, newest or oldest first, opening a source only once its turn can have come.
struct OrderedScan {
  /// The next row to give.
  struct Item {
    let source: OpenedSource
    let row: Int
    let time: Int64
  }

  private let plan: ScanPlan
  private let isDescending: Bool
  /// Rows wanted of each source, at most.
  private let limit: Int
  private var unopened: [ScanUnit]
  /// Open sources with rows left; the one whose turn it is stands at the end.
  private var open: [(source: OpenedSource, rows: [Int32], times: [Int64], next: Int)] = []

  init(_ plan: ScanPlan, isDescending: Bool, limit: Int) {
    self.plan = plan
    self.isDescending = isDescending
    self.limit = limit
    unopened =
      isDescending
      ? plan.units.sorted { $0.minTimeMaxTime.last < $1.minTimeMaxTime.last }
      : plan.units.sorted { $0.minTimeMaxTime.first > $1.minTimeMaxTime.first }
  }

  /// - Throws: What reading a column throws, `SearchError.timeout`, `CancellationError`.
  mutating func next() throws -> Item? {
    while let unit = unopened.last {
      if let current = open.last {
        let time = current.times[current.next]
        let isBefore = isDescending ? unit.minTimeMaxTime.last < time : unit.minTimeMaxTime.first > time
        if isBefore { break }
      }
      unopened.removeLast()
      try openUnit(unit)
    }
    guard var current = open.popLast() else { return nil }
    let item = Item(
      source: current.source, row: Int(current.rows[current.next]), time: current.times[current.next])
    current.next += 1
    if current.next < current.rows.count { insert(current) }
    return item
  }

  private mutating func openUnit(_ unit: ScanUnit) throws {
    guard let (source, matches) = try plan.open(unit) else { return }
    let times = try source.reader.times()
    // A stable order among equal times: later rows of a source were written later.
    func isEarlier(_ left: Int32, _ right: Int32) -> Bool {
      let (a, b) = (times[Int(left)], times[Int(right)])
      if a != b { return isDescending ? a > b : a < b }
      return isDescending ? left > right : left < right
    }
    var rows: [Int32] = []
    if limit < 4096 {
      // A bounded heap: the worst of the rows kept stands first.
      func siftDown(_ start: Int) {
        var index = start
        while true {
          var worst = index
          for child in [2 * index + 1, 2 * index + 2] where child < rows.count && isEarlier(rows[worst], rows[child]) {
            worst = child
          }
          if worst == index { return }
          rows.swapAt(index, worst)
          index = worst
        }
      }
      matches.forEach { row in
        let row = Int32(row)
        if rows.count < limit {
          rows.append(row)
          if rows.count == limit { for index in stride(from: limit / 2, through: 0, by: -1) { siftDown(index) } }
        } else if let worst = rows.first, isEarlier(row, worst) {
          rows[0] = row
          siftDown(0)
        }
      }
    } else {
      rows.reserveCapacity(matches.count)
      matches.forEach { rows.append(Int32($0)) }
    }
    rows.sort(by: isEarlier)
    if rows.isEmpty { return }
    insert((source, rows, rows.map { times[Int($0)] }, 0))
  }

  private mutating func insert(_ entry: (source: OpenedSource, rows: [Int32], times: [Int64], next: Int)) {
    let time = entry.times[entry.next]
    var low = 0
    var high = open.count
    while low < high {
      let middle = (low + high) / 2
      let other = open[middle].times[open[middle].next]
      // Ascending by turn: the last one is next.
      if isDescending ? other <= time : other >= time { low = middle + 1 } else { high = middle }
    }
    open.insert(entry, at: low)
  }
}
