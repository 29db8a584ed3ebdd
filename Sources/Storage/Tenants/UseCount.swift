internal import Synchronization

/// Counts what is going on with a tenant, so that none is closed beneath its user.
final class UseCount: Sendable {
  private let count = Atomic<Int>(0)

  /// One use, from its making to its end.
  final class Use: Sendable {
    private let uses: UseCount

    fileprivate init(_ uses: UseCount) {
      self.uses = uses
      uses.count.wrappingAdd(1, ordering: .relaxed)
    }

    deinit { uses.count.wrappingSubtract(1, ordering: .releasing) }
  }

  func begin() -> Use { Use(self) }

  var isIdle: Bool { count.load(ordering: .acquiring) == 0 }
}
