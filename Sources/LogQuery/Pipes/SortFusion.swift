extension [Pipe] {
  /// The same pipes with `sort … | offset m | limit n` as one sort that holds only what it will hand on.
  func fusingSorts() -> [Pipe] {
    var result: [Pipe] = []
    for pipe in self {
      guard case .sort(let keys, let limit, let offset, let partitions, let rank) = result.last, partitions.isEmpty,
        rank == nil
      else {
        result.append(pipe)
        continue
      }
      switch pipe {
      case .limit(let count):
        // Rows are skipped before they are counted.
        let left = Swift.min(limit ?? .max, count)
        result[result.count - 1] = .sort(
          by: keys, limit: left, offset: offset, partitionBy: partitions, rankField: rank)
      case .offset(let count) where limit == nil:
        let (sum, overflow) = offset.addingReportingOverflow(count)
        guard !overflow else {
          result.append(pipe)
          continue
        }
        result[result.count - 1] = .sort(by: keys, limit: nil, offset: sum, partitionBy: partitions, rankField: rank)
      default:
        result.append(pipe)
      }
    }
    return result
  }
}
