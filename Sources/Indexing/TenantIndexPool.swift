package import Logging
package import Storage
import Synchronization

/// The indexes of the tenants that are open, each following its tenant's commits for as long as the database is.
package final class TenantIndexPool: Sendable {
  private struct Entry {
    let index: TenantIndex
    let following: Task<Void, Never>
  }

  private let entries = Mutex<[ObjectIdentifier: Entry]>([:])
  private let logger: Logger

  private let model: SecondStageModel?

  /// - Parameter secondStage: A larger model for search by meaning; nil: the built-in one alone.
  package init(secondStage model: SecondStageModel? = nil, logger: Logger) {
    self.model = model
    self.logger = logger
  }

  /// The index of an open tenant; the first call for it begins to follow its commits.
  package func index(of database: TenantDatabase) async throws -> TenantIndex {
    follow(database)
  }

  /// Begins to follow `database`, if that has not been done.
  @discardableResult
  package func follow(_ database: TenantDatabase) -> TenantIndex {
    let key = ObjectIdentifier(database)
    return entries.withLock { entries in
      if let entry = entries[key] { return entry.index }
      let index = TenantIndex(database, secondStage: model, logger: logger)
      let follower = index.begin()
      let following = Task { [weak self] in
        await index.follow(follower)
        self?.forget(key)
      }
      entries[key] = Entry(index: index, following: following)
      return index
    }
  }

  /// Waits until every index has stopped; their databases are closed first.
  package func finish() async {
    let tasks = entries.withLock { $0.values.map(\.following) }
    for task in tasks {
      task.cancel()
      await task.value
    }
  }

  private func forget(_ key: ObjectIdentifier) { entries.withLock { $0[key] = nil } }
}
