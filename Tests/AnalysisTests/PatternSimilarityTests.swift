import Domain
import Testing

@testable import Analysis

@Suite struct PatternSimilarityTests {
  private func pattern(_ number: UInt32, _ text: String) -> Pattern {
    Pattern(
      number: number, text: text, severity: .unknown, firstSeen: Timestamp(nanoseconds: 0),
      lastSeen: Timestamp(nanoseconds: 0))
  }

  @Test func `a pattern whose text changed is compared by what it says now`() {
    let similarity = PatternSimilarity([1: pattern(1, "disk is full"), 2: pattern(2, "disk is full")])
    #expect(similarity(1, 2) > 0.99)
    similarity.patterns[2] = pattern(2, "user signed in")
    #expect(similarity(1, 2) < 0.9)
    #expect(similarity(1, 3) == 0)
  }

  @Test func `nothing is alike once all comparisons are made`() {
    let similarity = PatternSimilarity([1: pattern(1, "disk is full"), 2: pattern(2, "disk is full")])
    similarity.comparisonsLeft = 1
    #expect(similarity(1, 2) > 0.99)
    #expect(similarity(1, 2) == 0)
  }
}
