package import Domain

/// What can be known of a block without decoding a column. Stored beside it, checksummed.
package struct BlockSummary: Hashable, Sendable {
  package var recordCount = 0
  /// The first and last moment of its records; both belong.
  package var minTime = Timestamp(nanoseconds: 0)
  package var maxTime = Timestamp(nanoseconds: 0)
  /// Bytes of messages and of field names and values, as sent.
  package var rawByteCount = 0
  /// By `Severity.rawValue`: 7 entries.
  package var severityCounts: [UInt32] = Array(repeating: 0, count: Severity.allCases.count)
  /// Minutes that have records, ascending.
  package var minuteCounts: [MinuteCount] = []
  /// By number, ascending.
  package var templateCounts: [NumberCount] = []
  package var streamCounts: [NumberCount] = []
  package var fields: [FieldSummary] = []
  /// Every column's key and stored size.
  package var columns: [ColumnSummary] = []

  package init() {}

  /// One minute of a block.
  package struct MinuteCount: Hashable, Sendable {
    /// `Timestamp.minute`: whole minutes since 1970.
    package var minute: Int64
    /// By `Severity.rawValue`: 7 entries.
    package var counts: [UInt32]

    package init(minute: Int64, counts: [UInt32]) {
      self.minute = minute
      self.counts = counts
    }

    package var total: Int { counts.reduce(0) { $0 + Int($1) } }
  }

  /// One field of a block: a name, and for a name that records hold more than once, which of them.
  package struct FieldSummary: Hashable, Sendable {
    package var name: [UInt8]
    /// 0 for the first field of that name in a record, 1 for the second…
    package var occurrence: Int
    package var storage: Storage
    /// How many records have it.
    package var presentCount: Int

    package init(name: [UInt8], occurrence: Int, storage: Storage, presentCount: Int) {
      self.name = name
      self.occurrence = occurrence
      self.storage = storage
      self.presentCount = presentCount
    }

    package enum Storage: Hashable, Sendable {
      /// Every record has it, with this value.
      case constant([UInt8])
      case dictionary(distinctCount: Int)
      /// Many values: a column of their own and a token filter of their words.
      case list
      /// A rare name in a block of very many names: in the column that such names share.
      case shared
    }
  }

  package struct ColumnSummary: Hashable, Sendable {
    package var key: String
    package var byteCount: Int

    package init(key: String, byteCount: Int) {
      self.key = key
      self.byteCount = byteCount
    }
  }
}

extension BlockSummary {
  /// Whether a column is of records: not a filter or a directory that says what is in the others.
  package static func holdsRecords(column key: String) -> Bool {
    key != ColumnKey.variableDirectory && !key.hasPrefix("w")
  }
}
