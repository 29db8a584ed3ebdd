import Synchronization

/// How many bytes of bodies may be in memory at once: what comes on top is refused, so that a flood of senders is told to wait instead
/// of taking the machine's memory.
final class ByteBudget: Sendable {
  private let byteCountMax: Int
  private let reserved = Mutex(0)

  init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

  /// - Parameter own: What the body has reserved before.
  /// - Returns: Whether there was room. One body alone always has room, however large it is.
  fileprivate func reserve(_ count: Int, own: Int = 0) -> Bool {
    reserved.withLock { reserved in
      guard reserved == own || reserved + count <= byteCountMax else { return false }
      reserved += count
      return true
    }
  }

  fileprivate func release(_ count: Int) { reserved.withLock { $0 -= count } }
}

/// Room for one body, given back when it is let go of.
package final class BodyAdmission: Sendable {
  private let budget: ByteBudget
  private let byteCount: Mutex<Int>

  /// Nil if there is no room.
  init?(_ byteCount: Int, of budget: ByteBudget) {
    guard budget.reserve(byteCount) else { return nil }
    self.budget = budget
    self.byteCount = Mutex(byteCount)
  }

  /// Room for what the body unpacks to.
  ///
  /// - Returns: Whether there was any.
  func extend(by count: Int) -> Bool {
    byteCount.withLock { own in
      guard budget.reserve(count, own: own) else { return false }
      own += count
      return true
    }
  }

  deinit { budget.release(byteCount.withLock { $0 }) }
}
