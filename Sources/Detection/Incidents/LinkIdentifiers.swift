/// Ids of traces and requests that a line carries, by which lines of several workloads belong together.
package enum LinkIdentifiers {
  /// Hashes of the ids in `line`: words of 32 hex digits (a trace of W3C Trace Context) and UUIDs. Shorter numbers are
  /// the same by chance, or ids of things that many requests share.
  package static func hashes(in line: some Collection<UInt8>) -> [UInt64] {
    var hashes: [UInt64] = []
    var word: [UInt8] = []
    func end() {
      if word.count >= 32, isIdentifier(word) { hashes.append(StableHash.of(word)) }
      word.removeAll(keepingCapacity: true)
    }
    for byte in line {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        word.append(byte)
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): word.append(byte | 0x20)
      default: end()
      }
    }
    end()
    return hashes
  }

  private static func isIdentifier(_ word: [UInt8]) -> Bool {
    let hyphens = [8, 13, 18, 23]
    guard word.count == 32 || word.count == 36 else { return false }
    var hasDigit = false
    for (index, byte) in word.enumerated() {
      if word.count == 36, hyphens.contains(index) {
        if byte != UInt8(ascii: "-") { return false }
        continue
      }
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): hasDigit = true
      case UInt8(ascii: "a")...UInt8(ascii: "f"): break
      default: return false
      }
    }
    return hasDigit
  }
}

/// Which workload calls which, as traces show it: the lines of the called one lie within those of its caller.
package struct CallGraph: Sendable {
  private struct Edge: Hashable {
    var caller: UInt32
    var called: UInt32
  }

  private let calls: Set<Edge>

  /// Shared traces from which a direction counts, and the share of them that must agree.
  private static let tracesMin = 3
  private static let agreement = 0.7

  /// - Parameter records: Of traces: the trace's hash, the workload, the time. In any order.
  package init(_ records: some Sequence<(trace: UInt64, workload: UInt32, time: Int64)>) {
    var spans: [UInt64: [UInt32: ClosedRange<Int64>]] = [:]
    for record in records {
      let known = spans[record.trace, default: [:]][record.workload] ?? record.time...record.time
      spans[record.trace, default: [:]][record.workload] =
        min(known.lowerBound, record.time)...max(known.upperBound, record.time)
    }
    var within: [Edge: Int] = [:]
    for workloads in spans.values where workloads.count > 1 {
      for (caller, outer) in workloads {
        for (called, inner) in workloads where called != caller {
          if outer.lowerBound < inner.lowerBound, inner.upperBound <= outer.upperBound {
            within[Edge(caller: caller, called: called), default: 0] += 1
          }
        }
      }
    }
    calls = Set(
      within.filter { edge, count in
        let back = within[Edge(caller: edge.called, called: edge.caller)] ?? 0
        return count >= CallGraph.tracesMin && Double(count) >= CallGraph.agreement * Double(count + back)
      }.keys)
  }

  package func calls(_ caller: UInt32, _ called: UInt32) -> Bool {
    calls.contains(Edge(caller: caller, called: called))
  }
}
