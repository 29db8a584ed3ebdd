/// The store's bounds. Every queue and cache has one.
package struct StorageOptions: Sendable {
  /// Tenants kept open when nobody uses them.
  package var openTenantsMax = 512
  /// Seconds without use after which a tenant is flushed and closed.
  package var idleSecondsMax = 300

  /// Bytes of encoded segments that may wait for a tenant's next commit; more is refused as `.busy`.
  package var waitingByteCountMax = 64 << 20
  /// Bytes of segments that share one transaction.
  package var commitByteCountMax = 16 << 20

  /// A head of this many records becomes blocks. Four blocks' worth: enough of each stream for blocks of its own.
  package var headRecordsMax = 256 << 10
  /// A head of this size becomes blocks.
  package var headByteCountMax = 48 << 20
  /// A head whose oldest record waited this long becomes blocks.
  package var headAgeSecondsMax = 600
  /// All heads together: above it the largest become blocks early.
  package var headTotalByteCountMax = 192 << 20

  /// Records of a block.
  package var blockRecordsMax = 64 << 10
  /// Bytes of messages and fields of a block.
  package var blockRawByteCountMax = 16 << 20
  /// Blocks that are merged into larger ones at once, at least.
  package var mergeBlocksMin = 4

  /// Records older than this are not shown, and their blocks are removed. Nil keeps everything.
  package var retentionNanoseconds: Int64?

  /// Decoded block summaries kept a tenant.
  package var summariesMax = 1024
  /// Read connections kept open a tenant.
  package var idleReadersMax = 4
  /// Bytes written to the log before the writer copies it into the file.
  package var checkpointByteCount = 16 << 20
  /// Free bytes in a file above which, if they are more than a quarter of it, they are given back to the disk.
  package var vacuumByteCountMin = 16 << 20

  package init() {}
}
