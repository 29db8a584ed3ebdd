package import Domain
package import LogQuery

/// A record on its way to a person: fields in order.
package typealias SearchRow = Row

/// What to look for.
package struct SearchRequest: Sendable {
  /// LogsQL; empty is everything.
  package var text: String
  package var range: TimeRange
  /// At most so many rows, the newest; nil: all of them, in no particular order.
  package var limit: Int?
  /// Rows to skip before the first.
  package var offset: Int

  package init(text: String, range: TimeRange, limit: Int? = nil, offset: Int = 0) {
    self.text = text
    self.range = range
    self.limit = limit
    self.offset = offset
  }
}

/// What a search looked at.
package struct SearchStatistics: Sendable {
  /// Records that matched the filter.
  package var matched = 0
  /// Records in the time range's blocks and head.
  package var total = 0
  /// Blocks of which a column was read.
  package var blocksOpened = 0
  /// All blocks of the tenant. Those that are neither opened, nor pruned, nor summarized were not needed: the limit was reached first.
  package var blocks = 0
  /// Blocks that were ruled out, by what did.
  package var pruned = PrunedBlocks()
  /// Blocks whose summary answered without a column being read.
  package var blocksSummarized = 0
  /// Bytes of columns read, as stored.
  package var bytesRead = 0
  package var milliseconds = 0.0

  package init() {}

  /// Adds what a worker looked at: not the totals, which are the query's.
  mutating func add(_ other: SearchStatistics) {
    matched += other.matched
    blocksOpened += other.blocksOpened
    blocksSummarized += other.blocksSummarized
    bytesRead += other.bytesRead
    pruned.add(other.pruned)
  }
}

/// Blocks that were ruled out without reading a column of their records, each counted once under what ruled it out first.
package struct PrunedBlocks: Sendable, Equatable {
  /// They lie outside of the time asked for.
  package var time = 0
  /// None of their streams is asked for.
  package var streams = 0
  /// None of their templates can match.
  package var templates = 0
  /// A token filter lacks a word that every match has.
  package var tokens = 0
  /// What else the summary says (levels, constant fields, character classes) left no row.
  package var nothingLeft = 0

  package init() {}

  package var total: Int { time + streams + templates + tokens + nothingLeft }

  fileprivate mutating func add(_ other: PrunedBlocks) {
    time += other.time
    streams += other.streams
    templates += other.templates
    tokens += other.tokens
    nothingLeft += other.nothingLeft
  }
}

/// Why a search has no answer.
package enum SearchError: Error, Sendable {
  /// The query can't be understood.
  case syntax(QueryError)
  /// The query ran past its deadline.
  case timeout(seconds: Int)
  /// The query would hold too much; the text says which part and what to narrow.
  case tooLarge(String)
  /// The tenant has as many queries running and waiting as it may.
  case tooMany(running: Int, waiting: Int)
}

/// A value and how many records have it.
package struct ValueHits: Sendable {
  package var value: [UInt8]
  package var hits: Int

  package init(value: [UInt8], hits: Int) {
    self.value = value
    self.hits = hits
  }
}

/// What a search may cost.
package struct SearchLimits: Sendable {
  package var seconds: Int
  /// Most memory that pipes may hold.
  package var byteCountMax: Int

  package init(seconds: Int, byteCountMax: Int) {
    self.seconds = seconds
    self.byteCountMax = byteCountMax
  }
}
