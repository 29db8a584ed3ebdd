import Testing

@testable import Detection

@Suite struct WindowComparisonTests {
  private let comparison = WindowComparison(
    before: .init(size: 60, counts: [key(1): 600, key(2): 50, key(3): 10, key(5): 100]),
    after: .init(size: 30, counts: [key(1): 300, key(2): 250, key(4): 40, key(5): 5]))

  @Test func `rates are of equal lengths, and the sign is that of the change`() throws {
    let row = try #require(comparison.rows.first { $0.key == key(1) })
    #expect(row.rateBefore == 10 && row.rateAfter == 10)
    #expect(abs(row.g2) < 1e-9)
    let down = try #require(comparison.rows.first { $0.key == key(5) })
    #expect(down.change == .down && down.g2 < 0 && down.ratioInterval.upperBound < 1)
  }

  @Test func `what is new, gone, up or down is named so`() {
    let changes = Dictionary(uniqueKeysWithValues: comparison.rows.map { ($0.key, $0.change) })
    #expect(changes[key(2)] == .up)
    #expect(changes[key(3)] == .gone)
    #expect(changes[key(4)] == .new)
  }

  @Test func `rows come by their share, which add up to one, and counts to the windows'`() {
    #expect(comparison.rows.first?.key == key(2))
    #expect(abs(comparison.rows.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    #expect(comparison.rows.map(\.share) == comparison.rows.map(\.share).sorted(by: >))
    #expect(comparison.rows.reduce(0) { $0 + $1.before } == 760)
    #expect(comparison.rows.reduce(0) { $0 + $1.after } == 595)
  }

  @Test func `a ratio's interval holds the true ratio`() throws {
    let row = try #require(comparison.rows.first { $0.key == key(2) })
    #expect(row.ratioInterval.contains(10))
    #expect(!row.ratioInterval.contains(5))
  }

  @Test func `one odd window among many does not move what is expected`() throws {
    let deviation = WindowDeviation(
      counts: [key(1): 90, key(3): 12], references: [10, 12, 9, 400, 11].map { [key(1): $0, key(2): 20] })
    let rows = Dictionary(uniqueKeysWithValues: deviation.rows.map { ($0.key, $0) })

    #expect(rows[key(1)]?.expected == 11)
    #expect(try #require(rows[key(1)]).z > 15)
    #expect(try #require(rows[key(2)]).z < -4)
    #expect(rows[key(3)]?.seenIn == 0)
  }
}
