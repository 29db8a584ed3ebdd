internal import Synchronization

/// Stored bytes of columns that were read lately, of all tenants together, so that a question asked again reads
/// nothing from files.
final class ColumnCache: Sendable {
  struct Key: Hashable, Sendable {
    /// Of one `TenantDatabase`, while it is open.
    var owner: UInt64
    var block: Int64
    var column: String
  }

  private struct State {
    var places: [Key: Int] = [:]
    var entries: [(key: Key, bytes: [UInt8])] = []
    var byteCount = 0
    var chance: UInt64 = 0x9E37_79B9_7F4A_7C15
    var useCount = 0
  }
  private let state = Mutex(State())
  private let byteCountMax: Int
  private let owners = Atomic<UInt64>(0)

  // What an entry costs besides its bytes.
  private static let entryByteCount = 160

  init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

  /// A number for one opened tenant. Never given twice, so nobody meets the bytes of a file that was open before.
  func makeOwner() -> UInt64 { owners.wrappingAdd(1, ordering: .relaxed).newValue }

  subscript(key: Key) -> [UInt8]? {
    state.withLock { state in
      state.useCount += 1
      return state.places[key].map { state.entries[$0].bytes }
    }
  }

  func insert(_ bytes: [UInt8], for key: Key) {
    // One column must not push everything else out.
    guard bytes.count <= byteCountMax / 16 else { return }
    state.withLock { state in
      guard state.places[key] == nil else { return }
      state.places[key] = state.entries.count
      state.entries.append((key, bytes))
      state.byteCount += bytes.count + Self.entryByteCount
      // By chance and not by age: a scan over more than fits would find nothing left of the scan before it.
      while state.byteCount > byteCountMax, state.entries.count > 1 {
        state.chance ^= state.chance << 13
        state.chance ^= state.chance >> 7
        state.chance ^= state.chance << 17
        remove(at: Int(state.chance % UInt64(state.entries.count - 1)), &state)
      }
    }
  }

  /// Forgets what is kept of a tenant that was closed.
  func removeAll(of owner: UInt64) {
    state.withLock { state in
      for index in state.entries.indices.reversed() where state.entries[index].key.owner == owner {
        remove(at: index, &state)
      }
    }
  }

  func removeAll() {
    state.withLock { state in
      state.places = [:]
      state.entries = []
      state.byteCount = 0
    }
  }

  /// Grows with every look; what it is at two moments tells whether anybody asked between them.
  var useCount: Int { state.withLock { $0.useCount } }

  var byteCount: Int { state.withLock { $0.byteCount } }

  private func remove(at index: Int, _ state: inout State) {
    let gone = state.entries[index]
    state.byteCount -= gone.bytes.count + Self.entryByteCount
    state.places[gone.key] = nil
    let last = state.entries.removeLast()
    if index < state.entries.count {
      state.entries[index] = last
      state.places[last.key] = index
    }
  }
}
