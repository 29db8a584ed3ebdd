import Synchronization

/// What has been taken in since the start.
package final class IngestMetrics: Sendable {
  private let accepted = Atomic<Int>(0)
  private let rejected = Atomic<Int>(0)
  private let byteCount = Atomic<Int>(0)

  init() {}

  func count(accepted: Int, rejected: Int, byteCount: Int) {
    self.accepted.add(accepted, ordering: .relaxed)
    self.rejected.add(rejected, ordering: .relaxed)
    self.byteCount.add(byteCount, ordering: .relaxed)
  }

  /// Prometheus text.
  package func render() -> String {
    """
    # HELP timberline_ingest_records_total Records made durable.
    # TYPE timberline_ingest_records_total counter
    timberline_ingest_records_total \(accepted.load(ordering: .relaxed))
    # HELP timberline_ingest_rejected_total Records refused.
    # TYPE timberline_ingest_rejected_total counter
    timberline_ingest_rejected_total \(rejected.load(ordering: .relaxed))
    # HELP timberline_ingest_bytes_total Bytes of bodies taken in, unpacked.
    # TYPE timberline_ingest_bytes_total counter
    timberline_ingest_bytes_total \(byteCount.load(ordering: .relaxed))

    """
  }
}
