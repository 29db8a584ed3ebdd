/// Why stored bytes were not understood, or records could not be stored.
package enum BlockError: Error, Equatable, Sendable {
  /// The bytes of `place` are not what was written there.
  case corrupt(place: String)
  /// Written by a newer build.
  case unsupportedVersion(Int)
  /// The block has no column of this key.
  case missingColumn(String)
  /// The records break a rule of `RecordColumns`; a caller's bug, told instead of trapped.
  case invalidRecords(String)
  /// More than a block or segment can hold (4 GiB of values, `BlockEncoder.recordCountMax` records).
  case tooLarge
}
