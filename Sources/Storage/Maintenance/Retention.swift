internal import Domain

extension TenantDatabase {
  /// Takes out blocks whose records are all past the retention. Those of a block that straddles it are hidden by time
  /// until a merge removes them or the whole block is past.
  func expireBlocks() async throws(StorageError) {
    guard let retained = retainedRange else { return }
    let expired = state.withLock { $0.catalog.endingBefore(retained.start) }
    guard !expired.isEmpty else { return }
    try await file.write("expiring blocks", byteCount: expired.count * 64) { database in
      try BlockTable.setState(.obsolete, of: expired, note: "expired", database)
    } committed: { [self] in
      state.withLock { $0.catalog.retire(Set(expired)) }
    }
  }
}
