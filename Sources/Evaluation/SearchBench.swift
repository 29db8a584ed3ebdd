internal import Embedding

/// How quick the pattern index is: filling it and asking it.
struct SearchBench {
  var patterns: [String]
  var queries: [String]
  var repeatCount: Int

  struct Figures {
    var patternCount: Int
    var insertMilliseconds: Double
    var insertOneByOneMilliseconds: Double
    /// Of all queries, ascending.
    var queryMilliseconds: [Double]

    func percentile(_ share: Double) -> Double {
      queryMilliseconds.isEmpty ? 0 : queryMilliseconds[Int(share * Double(queryMilliseconds.count - 1))]
    }

    var text: String {
      func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
      return """
        \(patternCount) patterns, inserted in \(rounded(insertMilliseconds)) ms at once, \
        \(rounded(insertOneByOneMilliseconds)) ms one by one
        query ms: p50 \(rounded(percentile(0.5))) p95 \(rounded(percentile(0.95))) max \(rounded(percentile(1)))
        """
    }
  }

  func run() -> Figures {
    let clock = ContinuousClock()
    let numbered = patterns.enumerated().map { (id: UInt32($0.offset), text: $0.element) }
    // The model is decoded before the clock runs.
    _ = StaticEmbedder.shared.embed("warm")
    var oneByOne = PatternSearchIndex()
    let oneByOneTime = clock.measure { for entry in numbered { oneByOne.insert(id: entry.id, text: entry.text) } }
    var index = PatternSearchIndex()
    let time = clock.measure { index.insert(numbered) }
    var times: [Double] = []
    for _ in 0..<repeatCount {
      for query in queries {
        var count = 0
        times.append(milliseconds(clock.measure { count = index.search(query, limit: 50).count }))
        precondition(count <= 50, "a search answered more than was asked for")
      }
    }
    return Figures(
      patternCount: index.count, insertMilliseconds: milliseconds(time),
      insertOneByOneMilliseconds: milliseconds(oneByOneTime), queryMilliseconds: times.sorted())
  }

  private func milliseconds(_ duration: Duration) -> Double { duration / .milliseconds(1) }

  /// Made-up patterns of 5 to 14 words of the model's vocabulary, the frequent ones (it is sorted by how frequent they
  /// are) as much oftener as Zipf's law has it; one word in thirty is two written in one, most of them met once. Equal
  /// counts give equal patterns.
  static func syntheticPatterns(count: Int) -> [String] {
    let words = (0..<StaticEmbedder.pieceCount).compactMap { piece -> String? in
      StaticEmbedder.shared.spelling(of: UInt16(piece)).flatMap { word in
        let isWord = word.utf8.count > 1 && word.utf8.allSatisfy { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
        return isWord ? word : nil
      }
    }
    var state: UInt64 = 42
    func random() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    // Ranks whose logarithm is uniform: powers of two, and a place between one and the next.
    func word() -> String {
      while true {
        let power = random() % 15
        let rank = (1 << power) + Int(random() % (1 << power)) - 1
        if rank < words.count { return words[rank] }
      }
    }
    return (0..<count).map { _ in
      (0..<Int(5 + random() % 10)).map { _ in random() % 30 == 0 ? word() + word() : word() }.joined(separator: " ")
    }
  }
}
