import Testing

@testable import Storage

@Suite struct ColumnCacheTests {
  private func key(_ owner: UInt64, _ block: Int64, _ column: String = "time") -> ColumnCache.Key {
    ColumnCache.Key(owner: owner, block: block, column: column)
  }

  @Test func `what is kept comes back, for its own tenant alone`() {
    let cache = ColumnCache(byteCountMax: 1 << 20)

    cache.insert([1, 2], for: key(1, 7))

    #expect(cache[key(1, 7)] == [1, 2])
    #expect(cache[key(2, 7)] == nil)
    #expect(cache[key(1, 7, "sev")] == nil)
    cache.removeAll(of: 1)
    #expect(cache[key(1, 7)] == nil)
    #expect(cache.byteCount == 0)
  }

  @Test func `it never holds more than its bound, and a scan leaves something of the one before`() {
    let cache = ColumnCache(byteCountMax: 64 << 10)
    for _ in 0..<2 {
      for block in 0..<100 { cache.insert([UInt8](repeating: 0, count: 1000), for: key(1, Int64(block))) }
      #expect(cache.byteCount <= 64 << 10)
    }

    let kept = (0..<50).filter { cache[key(1, Int64($0))] != nil }

    #expect(kept.count > 5)
  }

  @Test func `a column that is large for the cache is not kept`() {
    let cache = ColumnCache(byteCountMax: 1600)
    cache.insert([1], for: key(1, 1))

    cache.insert([UInt8](repeating: 0, count: 101), for: key(1, 2))

    #expect(cache[key(1, 2)] == nil)
    #expect(cache[key(1, 1)] == [1])
  }
}
