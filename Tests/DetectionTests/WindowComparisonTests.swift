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
    func window(_ counts: [SeriesKey: Int]) -> WindowCounts {
      WindowCounts(
        minutes: monday..<monday + 3, counts: counts.mapValues { [UInt32($0) / 3, 0, UInt32($0) - UInt32($0) / 3] })
    }
    let analysis = WindowAnalysis(
      window([key(1): 90, key(3): 12]), references: [10, 12, 9, 400, 11].map { window([key(1): $0, key(2): 20]) })
    let rows = Dictionary(uniqueKeysWithValues: analysis.rows.map { ($0.key, $0) })

    #expect(rows[key(1)]?.expected == 11)
    #expect(try #require(rows[key(1)]).z > 15)
    #expect(try #require(rows[key(2)]).z < -4)
    #expect(rows[key(3)]?.seenIn == 0)
    #expect(analysis.anomalies().map(\.kind) == [.spike, .drop, .new])
    #expect(analysis.anomalies().allSatisfy { $0.phase == .ongoing })
  }

  @Test(arguments: [
    ("ts-food-service-f5756978c-k8vqf", "ts-food-service"), ("web-0", "web"), ("agent-x2x9p", "agent"),
    ("node-exporter", "node-exporter"), ("a-svc-5dc8d4f9fd-46997", "a-svc"), ("my-nginx", "my-nginx"),
    ("redis", "redis"),
    ("ts-contacts-service-866bd68c97-xcqfx", "ts-contacts-service"),
  ])
  func `a pod is named after what runs in it`(pod: String, name: String) {
    #expect(WorkloadName.name(ofPod: pod) == name)
  }

  @Test func `traces and UUIDs are links, other words are not`() {
    let line = "TraceID: 6f3cbf058c2765548a39ad724905d6a1 id=8A533BF9-bd12-4608-a8eb-606890982448 span 576f9c38fc25e197"
    #expect(LinkIdentifiers.hashes(in: line.utf8).count == 2)
  }

  @Test func `who is within another's lines was called by it`() {
    var records: [(trace: UInt64, workload: UInt32, time: Int64)] = []
    for trace in UInt64(0)..<5 {
      for (workload, time) in [(UInt32(1), Int64(0)), (2, 10), (2, 20), (1, 30)] {
        records.append((trace: trace, workload: workload, time: time))
      }
    }
    let graph = CallGraph(records)
    #expect(graph.calls(1, 2))
    #expect(!graph.calls(2, 1))
  }
}
