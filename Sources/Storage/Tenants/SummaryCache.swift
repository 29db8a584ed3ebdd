internal import LogBlocks
internal import Synchronization

/// Decoded block summaries, the most lately used.
final class SummaryCache: Sendable {
  private struct Entry {
    var summary: BlockSummary
    var lastUse: UInt64
  }
  private struct State {
    var entries: [Int64: Entry] = [:]
    var clock: UInt64 = 0
  }
  private let state = Mutex(State())
  private let countMax: Int

  init(countMax: Int) { self.countMax = max(1, countMax) }

  subscript(number: Int64) -> BlockSummary? {
    state.withLock { state in
      state.clock += 1
      state.entries[number]?.lastUse = state.clock
      return state.entries[number]?.summary
    }
  }

  func insert(_ summary: BlockSummary, of number: Int64) {
    state.withLock { state in
      state.clock += 1
      state.entries[number] = Entry(summary: summary, lastUse: state.clock)
      guard state.entries.count > countMax + countMax / 4 else { return }
      // A quarter at once, so that the search for the oldest is rare.
      let oldestKept = state.entries.values.map(\.lastUse).sorted()[state.entries.count - countMax]
      state.entries = state.entries.filter { $0.value.lastUse >= oldestKept }
    }
  }

  func remove(_ numbers: [Int64]) {
    state.withLock { state in for number in numbers { state.entries[number] = nil } }
  }
}
