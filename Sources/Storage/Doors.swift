// The doors of Storage, until each stands in its own file.
//
// package final class DataDirectory: Sendable
//   init(path: String) throws(StorageError)                // creates, 0700, takes the lock; a second start throws .locked
//   var path, controlFile: String; func tenantFile(_ tenant: TenantID) -> String
//
// package final class ControlDatabase: Sendable
//   init(_ directory: DataDirectory, logger: Logger) async throws(StorageError)
//   func createTenant(_ tenant: Tenant), tenants() -> [Tenant], tenant(_ id: TenantID) -> Tenant?      async throws
//   func insert(_ key: APIKey), apiKey(keyID: String) -> APIKey?, apiKeys(of: TenantID?) -> [APIKey],
//     revokeAPIKey(id:at:) -> Bool, touchAPIKey(id:at:)                                               async throws
//   func secret(_ name: String, byteCount: Int) -> [UInt8]  // random, made at first use: "token-pepper"
//   func setting(_ name: String) -> String?, setSetting(_:_:)
//   struct APIKey { id, tenant: TenantID, keyID, keyHash: [UInt8], name, scopes: [String], createdAt, expiresAt?, lastUsedAt?, revokedAt? }
//
// package actor TenantDatabasePool
//   init(_ directory: DataDirectory, options: StorageOptions, now: @escaping @Sendable () -> Timestamp, logger: Logger)
//   func open(_ scope: TenantScope) async throws(StorageError) -> TenantDatabase    // hold it only while you use it
//   func tenantsOnDisk() -> [TenantID]
//   func run(clock:) async      // the service: closes idle tenants, flushes old heads, retention; ends when cancelled
//   func closeAll() async       // flushes and closes every tenant
//
// package final class TenantDatabase: Sendable
//   let scope: TenantScope
//   func templateNumbers(for texts: [[UInt8]]) -> [UInt32];  func streamNumbers(for streams: [Stream]) -> [UInt32]
//   func template(_ number: UInt32) -> Template?;  func stream(_ number: UInt32) -> Stream?     // numbers count from 0, dense
//   var templateCount: Int, streamCount: Int
//   func append(_ columns: RecordColumns, rawByteCount: Int) async throws(StorageError) -> Receipt     // durable on return
//   func view(_ range: TimeRange) async throws(StorageError) -> TenantView
//   func flush() async throws(StorageError)                  // head -> blocks
//   func maintain() async throws(StorageError)               // flush if due, merge, retention, reclaim
//   func verify() async throws(StorageError) -> VerificationReport
//   func close() async                                       // the pool's business
//   let feed: CommitFeed;  let patterns: PatternTable;  let vectors: VectorTable;  let analyses: AnalysisTable
//   func usage(days: ClosedRange<Int64>) async throws -> [UsageDay]
//   func statistics() -> TenantStatistics                    // records, blocks, bytes, quarantined blocks, first and last time
//   struct Receipt { recordCount: Int; sequence: Int64 }
//
// package final class TenantView: Sendable                   // head + blocks as of one moment; blocks stay readable while it lives
//   let range: TimeRange                                     // asked for, cut by the retention: records outside are not there
//   let head: [RecordColumns]                                // may hold records outside `range`
//   let blocks: [BlockReference]                             // overlapping `range`, newest first (by maxTime); quarantined ones left out
//   let quarantinedCount: Int
//   func template(_:) -> Template?; func stream(_:) -> Stream?
//   // synchronous, for compute threads only:
//   func summary(of block: BlockReference) throws(StorageError) -> BlockSummary          // cached a tenant
//   func column(block: BlockReference, key: String) throws(StorageError) -> [UInt8]
//   func columns(block: BlockReference, keys: [String]) throws(StorageError) -> [[UInt8]]
//   func decoder(of block: BlockReference) throws(StorageError) -> BlockDecoder          // loads columns lazily by `column`
//   /// Runs `body` with the block's decoder. A damaged block is quarantined, counted, and answers nil; other errors pass.
//   func withBlock<T>(_ block: BlockReference, _ body: (BlockDecoder) throws -> T) throws -> T?
//   // the same for tasks, off the cooperative pool:
//   func column(block: BlockReference, key: String) async throws(StorageError) -> [UInt8]
//   struct BlockReference: Sendable { number: Int64, recordCount: Int, minTime, maxTime: Timestamp, rawByteCount: Int, storedByteCount: Int }
//
// package final class CommitFeed: Sendable
//   func follow(bufferedRecordsMax: Int = 16384) -> CommitFollower     // AsyncSequence of CommitEvent; ends when the database closes
//   enum CommitEvent { case commit(Commit), dropped(recordCount: Int) }
//   struct Commit { sequence: Int64; columns: RecordColumns; templateCount: Int /* durable templates: 0..<templateCount */ }
//
// package struct PatternTable: Sendable
//   struct Row { number: UInt32, text, namedText: String, severity, firstSeen, lastSeen: Timestamp, mergedInto: UInt32? }
//   func load() async throws(StorageError) -> (rows: [Row], assignments: [UInt32: UInt32] /* template -> pattern */)
//   func save(_ rows: [Row], assignments: [(template: UInt32, pattern: UInt32)]) async throws(StorageError)   // one transaction
//   func removeAll()
//
// package struct VectorTable: Sendable                       // bytes are the index's own; each row is checksummed
//   func save(_ embeddings: [(pattern: UInt32, vector: [Float])], identity: String); func load(identity:) -> [(pattern, vector)]
//   func append(_ entries: [[UInt8]]) ; func saveSnapshot(_ bytes: [UInt8], identity:) // drops the log before it
//   func loadIndex(identity:) -> (snapshot: [UInt8], log: [[UInt8]])?
//
// package struct AnalysisTable: Sendable
//   struct Row { id: String; createdAt: Timestamp; status: String; document: [UInt8] /* JSON */ }
//   func save(_ row: Row) /* insert or replace */; func load(id:) -> Row?; func list(limit:, status: String? = nil) -> [Row] /* newest first */; func delete(id:) -> Bool
