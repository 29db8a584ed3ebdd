import Domain
import Indexing
import Storage
import TestSupport

@testable import Search

/// A search over a test's own tenants.
struct SearchFixture {
  let appliance: TestAppliance
  let search: SearchService

  init(seconds: Int = 60, byteCountMax: Int = 1 << 27, _ options: StorageOptions = StorageOptions()) throws {
    appliance = try TestAppliance(options)
    search = SearchService(
      pool: appliance.pool, indexes: appliance.indexes,
      limits: SearchLimits(seconds: seconds, byteCountMax: byteCountMax), executor: globalConcurrentExecutor,
      now: appliance.now)
  }

  /// A second look at the same tenants with other limits.
  func limited(seconds: Int = 60, byteCountMax: Int = 1 << 27) -> SearchService {
    SearchService(
      pool: appliance.pool, indexes: appliance.indexes,
      limits: SearchLimits(seconds: seconds, byteCountMax: byteCountMax), executor: globalConcurrentExecutor,
      now: appliance.now)
  }

  var acme: TenantScope { appliance.acme }
  var globex: TenantScope { appliance.globex }

  func rows(
    _ text: String, range: TimeRange = .all, limit: Int? = nil, offset: Int = 0, _ scope: TenantScope? = nil
  ) async throws -> [SearchRow] {
    var rows: [SearchRow] = []
    let request = SearchRequest(text: text, range: range, limit: limit, offset: offset)
    try await search.prepare(request, scope: scope ?? acme).run { rows += $0 }
    return rows
  }

  func messages(_ text: String, range: TimeRange = .all, limit: Int? = nil, _ scope: TenantScope? = nil) async throws
    -> [String]
  {
    try await rows(text, range: range, limit: limit, scope).map { $0.text("_msg") }
  }
}

extension SearchRow {
  func text(_ name: String) -> String { String(decoding: self[name], as: UTF8.self) }
}

/// 2027-01-15T08:00:00Z and some seconds.
func moment(_ second: Int64, nanoseconds: Int64 = 0) -> Timestamp {
  Timestamp(seconds: 1_800_000_000 + second).advanced(byNanoseconds: nanoseconds)
}
