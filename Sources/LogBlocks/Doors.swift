package import Domain

/// The small durable write that precedes a block: records as bytes, self-contained apart from template and stream numbers.
package enum SegmentCodec {
  package static func encode(_ columns: RecordColumns) throws(BlockError) -> [UInt8] { throw .tooLarge }
  package static func decode(_ bytes: [UInt8]) throws(BlockError) -> RecordColumns { throw .tooLarge }
}

package struct EncodedBlock: Sendable {
  package var summary: BlockSummary
  /// `summary` as stored, checksummed.
  package var header: [UInt8]
  /// Each checksummed.
  package var columns: [(key: String, data: [UInt8])]
}

/// One record of several `RecordColumns`.
package struct RowReference: Hashable, Sendable {
  package var source: UInt32
  package var row: UInt32
}

package enum BlockEncoder {
  package static let recordCountMax = 65_536

  /// All rows of `sources` cut into blocks: a stream that fills a block has its own, thin ones share; each run is in the order of
  /// (stream, time) and has at most `recordCountMax` records and about `rawByteCountMax` bytes.
  package static func partition(
    _ sources: [RecordColumns], recordCountMax: Int = recordCountMax, rawByteCountMax: Int = 16 << 20
  ) throws(BlockError) -> [[RowReference]] { throw .tooLarge }

  /// - Parameter rows: The rows to store, in their order; nil: all, sorted by (stream, time).
  package static func encode(
    _ sources: [RecordColumns], rows: [RowReference]? = nil, template: (UInt32) -> Template?
  ) throws(BlockError) -> EncodedBlock { throw .tooLarge }
}

/// A stored block as a `RecordSource`: reads a column when it is first needed.
///   init(summary: BlockSummary, load: @escaping (_ key: String) throws -> [UInt8])
/// `HeadSource`: init(_ columns: RecordColumns) throws(BlockError)
