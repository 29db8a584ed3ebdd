import Domain
import LogBlocks

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
  private var open: [(source: OpenedSource, rows: [RowTime], next: Int)] = []

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
        let time = current.rows[current.next].time
        let isBefore = isDescending ? unit.minTimeMaxTime.last < time : unit.minTimeMaxTime.first > time
        if isBefore { break }
      }
      unopened.removeLast()
      try openUnit(unit)
    }
    guard var current = open.popLast() else { return nil }
    let item = Item(
      source: current.source, row: current.rows[current.next].row, time: current.rows[current.next].time)
    current.next += 1
    if current.next < current.rows.count { insert(current) }
    return item
  }

  private mutating func openUnit(_ unit: ScanUnit) throws {
    guard let (source, matches) = try plan.open(unit) else { return }
    let latest = try source.reader.latestRows(
      limit: limit, newestFirst: isDescending, within: source.matchesAll ? nil : matches.words)
    if latest.isEmpty { return }
    insert((source, latest, 0))
  }

  private mutating func insert(_ entry: (source: OpenedSource, rows: [RowTime], next: Int)) {
    let time = entry.rows[entry.next].time
    var low = 0
    var high = open.count
    while low < high {
      let middle = (low + high) / 2
      let other = open[middle].rows[open[middle].next].time
      // Ascending by turn: the last one is next.
      if isDescending ? other <= time : other >= time { low = middle + 1 } else { high = middle }
    }
    open.insert(entry, at: low)
  }
}
