/// Which documents hold a term, and how often: one list a term, in the order of the documents.
struct PostingTable: Sendable {
  /// A document and a count of up to 15 in 32 bits: 2^28 documents.
  struct Posting: Sendable {
    private let bits: UInt32

    init(document: Int, count: Int) { bits = UInt32(truncatingIfNeeded: document) << 4 | UInt32(min(count, 15)) }

    @inline(__always)
    var document: Int { Int(bits >> 4) }

    @inline(__always)
    var count: Int { Int(bits & 15) }
  }

  static let countMax = 15

  private var termByKey: [UInt64: UInt32] = [:]
  private(set) var postings: [[Posting]] = []

  var termCount: Int { postings.count }

  func term(of key: UInt64) -> Int? { termByKey[key].map(Int.init) }

  /// How many documents hold `term`.
  func documentCount(of term: Int) -> Int { postings[term].count }

  /// Adds `document`, which must come after all others.
  ///
  /// - Returns: Its terms that are new to the table, in the order of their numbers, which follow those there were.
  mutating func add(document: Int, keys: some Sequence<UInt64>) {
    for (key, count) in PostingTable.counts(of: keys) {
      let posting = Posting(document: document, count: count)
      if let term = termByKey[key] {
        postings[Int(term)].append(posting)
      } else {
        termByKey[key] = UInt32(postings.count)
        postings.append([posting])
      }
    }
  }

  mutating func remove(document: Int, keys: some Sequence<UInt64>) {
    for (key, _) in PostingTable.counts(of: keys) {
      guard let term = termByKey[key] else { continue }
      var low = 0
      var high = postings[Int(term)].count
      while low < high {
        let middle = (low + high) / 2
        if postings[Int(term)][middle].document < document { low = middle + 1 } else { high = middle }
      }
      if low < postings[Int(term)].count, postings[Int(term)][low].document == document {
        postings[Int(term)].remove(at: low)
      }
    }
  }

  /// Distinct keys in the order of the numbers they are, so that equal calls number terms equally.
  static func counts(of keys: some Sequence<UInt64>) -> [(key: UInt64, count: Int)] {
    var counts: [(key: UInt64, count: Int)] = []
    for key in keys.sorted() {
      if let last = counts.last, last.key == key {
        counts[counts.count - 1].count += 1
      } else {
        counts.append((key, 1))
      }
    }
    return counts
  }
}
