package import Domain
import Synchronization

/// A time that moves only when a test says so.
package final class ManualTime: Sendable {
  private let time: Mutex<Timestamp>

  /// - Parameter time: By default 2027-01-15T08:00:00Z.
  package init(_ time: Timestamp = Timestamp(seconds: 1_800_000_000)) { self.time = Mutex(time) }

  package var now: Timestamp { time.withLock { $0 } }

  package func advance(seconds: Int64) {
    time.withLock { $0 = $0.advanced(byNanoseconds: seconds * 1_000_000_000) }
  }
}
