/// The store's bounds. Every queue and cache has one.
package struct StorageOptions: Sendable {
  /// Tenants kept open when nobody uses them.
  package var openTenantsMax = 1024
  /// Seconds without use after which a tenant is flushed and closed.
  package var idleSecondsMax = 300
  /// Seconds without a write after which a tenant's file is tidied: log copied into it, free space given back.
  package var quietSecondsMax = 20

  /// Bytes of encoded segments that may wait for a tenant's next commit; more is refused as `.busy`.
  package var waitingByteCountMax = 64 << 20
  /// Bytes of segments that share one transaction.
  package var commitByteCountMax = 16 << 20

  /// A head of this many records becomes blocks; as many at once. Two blocks' worth, less what is left over where a
  /// stream does not fit a block's rest: more would only be more memory while it is encoded.
  package var headRecordsMax = 120 << 10
  /// A head of this size becomes blocks; as much at once.
  package var headByteCountMax = 24 << 20
  /// A head whose oldest record waited this long becomes blocks.
  package var headAgeSecondsMax = 600
  /// All heads together: above it the largest become blocks early, and senders wait for that.
  package var headTotalByteCountMax = 128 << 20

  /// Records of a block.
  package var blockRecordsMax = 64 << 10
  /// Bytes of messages and fields of a block, as they were sent. A kibibyte for each record of a full one: columns are
  /// many times smaller, for most fields are the same in many records.
  package var blockRawByteCountMax = 64 << 20
  /// Blocks that are merged into larger ones at once, at least.
  package var mergeBlocksMin = 4

  /// Records older than this are not shown, and their blocks are removed. Nil keeps everything.
  package var retentionNanoseconds: Int64?

  /// Stored columns kept in memory for questions asked again, of all tenants together.
  package var columnCacheByteCountMax = 16 << 20
  /// Decoded block summaries kept a tenant.
  package var summariesMax = 1024
  /// Read connections kept open a tenant.
  package var idleReadersMax = 4
  /// Bytes written to the log before the writer copies it into the file.
  package var checkpointByteCount = 16 << 20
  /// Free bytes in a file above which, if they are more than an eighth of it, they are given back to the disk.
  package var vacuumByteCountMin = 16 << 20
  /// Bytes given back in one transaction: what moves for it goes through the log, and writers wait for it.
  package var vacuumStepByteCount = 4 << 20

  package init() {}
}
