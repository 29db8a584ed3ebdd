/// What is counted by the minute: the records of one pattern in one workload.
package struct SeriesKey: Hashable, Comparable, Sendable {
  package var pattern: UInt32
  /// The caller's number for a workload; stays for the tenant's life.
  package var workload: UInt32

  /// The number that stands for all patterns of a workload together; no pattern has it.
  package static let allPatterns: UInt32 = 0

  package init(pattern: UInt32, workload: UInt32) {
    self.pattern = pattern
    self.workload = workload
  }

  @inlinable
  package static func < (left: SeriesKey, right: SeriesKey) -> Bool {
    left.workload != right.workload ? left.workload < right.workload : left.pattern < right.pattern
  }
}

/// What one tick brings: all records of one minute, counted.
package struct MinuteCounts: Sendable {
  package struct Entry: Hashable, Sendable {
    package var key: SeriesKey
    package var count: UInt32

    package init(key: SeriesKey, count: UInt32) {
      self.key = key
      self.count = count
    }
  }

  /// A value that a variable of a pattern had never had before, as the keeper of parameter statistics tells it.
  package struct NewValue: Hashable, Sendable {
    package var key: SeriesKey
    /// The variable's index in the pattern, from 0.
    package var variable: UInt16
    package var value: String

    package init(key: SeriesKey, variable: UInt16, value: String) {
      self.key = key
      self.variable = variable
      self.value = value
    }
  }

  /// Minutes since 1970.
  package var minute: Int64
  /// In any order. Keys that are missing had no records; a key given twice counts the sum.
  package var entries: [Entry]
  package var newValues: [NewValue]

  package init(minute: Int64, entries: [Entry], newValues: [NewValue] = []) {
    self.minute = minute
    self.entries = entries
    self.newValues = newValues
  }
}
