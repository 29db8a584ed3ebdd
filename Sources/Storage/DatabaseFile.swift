internal import Foundation
internal import GRDB
internal import Synchronization

/// One SQLite file: the connection that writes and checkpoints, and the connections that only read.
///
/// SQLite 3.7.0 to 3.51.2 can lose commits when one connection checkpoints while another resets the log, and
/// distributions still ship those. So one connection of a file writes, and the same one checkpoints; all others are
/// opened read-only.
///
/// `@unchecked Sendable`: the variables from `connection` on are touched by jobs of `queue` only, which run one by
/// one.
final class DatabaseFile: @unchecked Sendable {
  let path: String
  private let queue: WorkQueue
  private let migrations: Migrations
  private let erasesDeleted: Bool
  private let checkpointByteCount: Int
  private let idleReadersMax: Int
  /// Weak: the folder's lock must not depend on who still knows a closed file.
  private weak let directory: DataDirectory?

  /// What was wrong with the log when the file was opened. The damaged log is kept beside the file.
  let logDamage = Mutex<LogDamage?>(nil)

  private var connection: DatabaseQueue?
  /// Whether a write failed in a way after which the connection cannot be trusted.
  private var isDamaged = false
  private var unsavedByteCount = 0
  /// Writes refused one after another because the disk was full.
  private var fullCount = 0
  /// Run on a connection opened anew after a failure, before anything else.
  private var afterReopening: (@Sendable (Database) throws -> Void)?

  private struct Readers {
    var idle: [DatabaseQueue] = []
    var isClosed = false
  }
  private let readers = Mutex(Readers())

  /// Where a write can be made to fail.
  enum FaultPoint: Sendable {
    /// The transaction is rolled back.
    case beforeCommit
    /// The transaction reached the log, but its sync failed.
    case afterCommit
  }
  /// For tests: may throw what SQLite would.
  let fault = Mutex<(@Sendable (FaultPoint) throws -> Void)?>(nil)

  /// - Parameter erasesDeleted: Overwrites what is deleted with zeros.
  init(
    path: String, in directory: DataDirectory, migrations: Migrations, erasesDeleted: Bool = false,
    checkpointByteCount: Int = 4 << 20, idleReadersMax: Int = 2
  ) {
    self.path = path
    self.directory = directory
    self.migrations = migrations
    self.erasesDeleted = erasesDeleted
    self.checkpointByteCount = checkpointByteCount
    self.idleReadersMax = idleReadersMax
    queue = WorkQueue()
  }

  /// Opens the writer, brings the schema up to date, and answers what `load` reads.
  func open<T: Sendable>(_ load: @escaping @Sendable (Database) throws -> T) async throws(StorageError) -> T {
    try await queue.run { [self] () throws(StorageError) in
      do throws(StorageError) {
        return try openNow(load)
      } catch {
        guard error.kind == .diskFull, directory?.releaseReserve() == true else { throw error }
        return try openNow(load)
      }
    }
  }

  private func openNow<T>(_ load: (Database) throws -> T) throws(StorageError) -> T {
    try DataDirectory.makeFile(path)
    inspectLog()
    let connection = try connect()
    self.connection = connection
    return try attempt("reading the tables") { try connection.unsafeRead(load) }
  }

  /// Looks for damage that SQLite would take for the log's end, and sets the log aside: opening the file overwrites it.
  private func inspectLog() {
    let log = path + "-wal"
    guard let damage = LogInspection.damage(ofLog: log) else { return }
    logDamage.withLock { $0 = damage }
    // On a full disk there is no copy; that there was damage is noted all the same.
    try? FileManager.default.copyItem(atPath: log, toPath: log + ".damaged-\(Int(Date().timeIntervalSince1970))")
  }

  /// What to do on a connection that was opened anew because the one before failed.
  func onReopening(_ body: @escaping @Sendable (Database) throws -> Void) async throws(StorageError) {
    try await queue.run { [self] () throws(StorageError) in afterReopening = body }
  }

  /// Flushes the log into the file and closes all connections. Later calls throw `.closed`.
  func close() async {
    let idle = readers.withLock { readers in
      readers.isClosed = true
      defer { readers.idle = [] }
      return readers.idle
    }
    // Running reads have their connection to themselves and drop it at their end; a failed close leaves it to the
    // last reference.
    for reader in idle { try? reader.close() }
    _ = try? await queue.run { [self] () throws(StorageError) in
      guard let connection else { return }
      if !isDamaged { try attempt("closing") { try connection.inDatabase { try checkpoint($0, mode: "TRUNCATE") } } }
      // Everything acknowledged is durable in the log already: a close that fails loses nothing.
      try? connection.close()
      self.connection = nil
      afterReopening = nil
      isDamaged = false
    }
  }

  // MARK: Writing

  /// Runs `body` in one durable transaction on the writer, then `committed` before any other job of the file.
  ///
  /// - Parameter byteCount: About how much is written, for the checkpoint.
  func write<T: Sendable>(
    _ operation: String, byteCount: Int = 0, _ body: @escaping @Sendable (Database) throws -> T,
    committed: @escaping @Sendable (T) -> Void = { _ in }
  ) async throws(StorageError) -> T {
    try await queue.run { [self] () throws(StorageError) in
      try writeNow(operation, byteCount: byteCount, body, committed: committed)
    }
  }

  /// Runs `body` on the writer outside of a transaction: checkpoints, vacuum.
  func maintain<T: Sendable>(
    _ operation: String, _ body: @escaping @Sendable (Database) throws -> T
  ) async throws(StorageError) -> T {
    try await queue.run { [self] () throws(StorageError) in
      let connection = try writer(operation)
      return try attempt(operation) { try connection.inDatabase(body) }
    }
  }

  /// Copies the log into the file, empties it, and frees the pages that connections keep in memory.
  func tidy() async throws(StorageError) {
    try await maintain("tidying the file") { [self] database in
      try checkpoint(database, mode: "TRUNCATE")
      unsavedByteCount = 0
      database.releaseMemory()
    }
    let idle = readers.withLock { readers in
      defer { readers.idle = [] }
      return readers.idle
    }
    // Read-only and done with: a close that fails only delays the freeing of memory.
    for reader in idle { try? reader.close() }
  }

  /// Runs `body` on the writer's queue, which may then call `writeNow`.
  func enqueue(_ body: @escaping @Sendable () -> Void) { queue.enqueue(body) }

  /// `write` for jobs that run on the writer's queue already.
  func writeNow<T>(
    _ operation: String, byteCount: Int, _ body: (Database) throws -> T, committed: (T) -> Void
  ) throws(StorageError) -> T {
    let connection = try writer(operation)
    let fault = fault.withLock { $0 }
    let value: T
    do throws(StorageError) {
      value = try attempt(operation) {
        try connection.inDatabase { database in
          var value: T?
          try database.inTransaction(.immediate) {
            value = try body(database)
            try fault?(.beforeCommit)
            return .commit
          }
          try fault?(.afterCommit)
          return value!
        }
      }
    } catch {
      if error.kind == .diskFull { shrinkLog() }
      throw error
    }
    committed(value)
    fullCount = 0
    unsavedByteCount += byteCount + transactionByteCount
    // After this job, so that nobody waits for it who waits for the commit.
    if unsavedByteCount >= checkpointByteCount { queue.enqueue { [self] in checkpointIfDue() } }
    return value
  }

  /// What a transaction adds to the log beyond its own bytes: the pages that it touches, whole.
  private let transactionByteCount = 16 << 10

  /// On a full disk the log may hold the space that is missing. Not at each refusal: where the file cannot grow, it
  /// is in vain.
  private func shrinkLog() {
    fullCount += 1
    guard fullCount % 32 == 1, let connection, !isDamaged else { return }
    // In vain or not, the caller is told that the disk is full, and the log stays as it is.
    try? attempt("shrinking the log") { try connection.inDatabase { try checkpoint($0, mode: "TRUNCATE") } }
  }

  /// Copies the log into the file if enough gathered.
  private func checkpointIfDue() {
    guard unsavedByteCount >= checkpointByteCount, let connection, !isDamaged else { return }
    unsavedByteCount = 0
    // A checkpoint that fails leaves the log as it is; the next one tries again, on a new connection if this one is
    // broken.
    try? attempt("copying the log into the file") { try connection.inDatabase { try checkpoint($0, mode: "PASSIVE") } }
  }

  private func writer(_ operation: String) throws(StorageError) -> DatabaseQueue {
    if let connection, !isDamaged { return connection }
    guard isDamaged else { throw .closed(operation, at: path) }
    // A failed fsync may have thrown pages away that the next one reports as written: never go on with the same
    // handle.
    try? connection?.close()
    connection = nil
    let fresh = try connect()
    try attempt("opening the file again after a failed write") {
      try fresh.inDatabase { database in
        // Writes every page of the log into the file and syncs that, so that nothing rests on pages the failed sync
        // may have lost.
        try checkpoint(database, mode: "TRUNCATE")
        try database.inTransaction(.immediate) {
          try afterReopening?(database)
          return .commit
        }
      }
    }
    connection = fresh
    isDamaged = false
    return fresh
  }

  private func checkpoint(_ database: Database, mode: String) throws {
    let isBusy = try Bool.fetchOne(database, sql: "PRAGMA wal_checkpoint(\(mode))")
    if isBusy == true, isDamaged {
      throw DatabaseError(resultCode: .SQLITE_BUSY, message: "the log is still being read")
    }
  }

  private func attempt<T>(_ operation: String, _ body: () throws -> T) throws(StorageError) -> T {
    do {
      return try body()
    } catch {
      if let error = error as? DatabaseError, error.resultCode == .SQLITE_IOERR { isDamaged = true }
      throw StorageError(error, operation, at: path)
    }
  }

  private func connect() throws(StorageError) -> DatabaseQueue {
    do {
      var configuration = Configuration()
      configuration.label = "timberline.writer"
      configuration.busyMode = .timeout(5)
      configuration.allowsUnsafeTransactions = true
      configuration.prepareDatabase { [erasesDeleted] database in
        // Page size and vacuum mode take effect in an empty file only and must come before the log.
        try database.execute(sql: "PRAGMA page_size = 4096")
        try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        try database.execute(sql: "PRAGMA journal_mode = WAL")
        try database.execute(sql: "PRAGMA synchronous = FULL")
        try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
        try database.execute(sql: "PRAGMA cache_size = -256")
        try database.execute(sql: "PRAGMA secure_delete = \(erasesDeleted ? "ON" : "OFF")")
      }
      let connection = try DatabaseQueue(path: path, configuration: configuration)
      try connection.inDatabase { try migrations.run($0, path: path) }
      return connection
    } catch {
      throw StorageError(error, "opening the file", at: path)
    }
  }

  // MARK: Reading

  /// Runs `body` on a read-only connection, on the calling thread: for compute threads and Storage's own queues.
  ///
  /// One statement sees one state of the file; two statements may see two.
  func read<T>(_ operation: String, _ body: (Database) throws -> T) throws(StorageError) -> T {
    let reader = try takeReader(operation)
    do {
      let value = try reader.unsafeRead(body)
      giveBack(reader)
      return value
    } catch {
      // A connection that failed is not used again.
      try? reader.close()
      throw StorageError(error, operation, at: path)
    }
  }

  /// `read` for tasks: on a thread of Storage's own.
  func query<T: Sendable>(
    _ operation: String, _ body: @escaping @Sendable (Database) throws -> T
  ) async throws(StorageError) -> T {
    try await ThreadPool.files.run { [self] () throws(StorageError) in try read(operation, body) }
  }

  private func takeReader(_ operation: String) throws(StorageError) -> DatabaseQueue {
    let (isClosed, reader) = readers.withLock { ($0.isClosed, $0.idle.popLast()) }
    guard !isClosed else { throw .closed(operation, at: path) }
    if let reader { return reader }
    do {
      var configuration = Configuration()
      configuration.label = "timberline.reader"
      configuration.readonly = true
      configuration.busyMode = .timeout(5)
      configuration.prepareDatabase { try $0.execute(sql: "PRAGMA cache_size = -1024") }
      return try DatabaseQueue(path: path, configuration: configuration)
    } catch {
      throw StorageError(error, operation, at: path)
    }
  }

  private func giveBack(_ reader: DatabaseQueue) {
    let isKept = readers.withLock { readers in
      guard !readers.isClosed, readers.idle.count < idleReadersMax else { return false }
      readers.idle.append(reader)
      return true
    }
    // Read-only and done with: a close that fails only delays the freeing of memory.
    if !isKept { try? reader.close() }
  }
}

/// The steps from an empty file to the schema of this build. A released step is never edited.
struct Migrations: Sendable {
  /// `PRAGMA application_id`, so that `file` and people can tell what the file is: "TLTN", "TLCT".
  let applicationID: Int32
  let steps: [@Sendable (Database) throws -> Void]

  /// Brings the file to this build's version in one transaction.
  ///
  /// - Throws: `StorageError(.newerFormat)` if a newer build wrote it.
  func run(_ database: Database, path: String) throws {
    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    guard version <= steps.count else {
      throw StorageError(
        .newerFormat(found: version, supported: steps.count), "opening the file", at: path,
        cause: "it has format \(version), written by a newer build; this build knows up to \(steps.count)",
        remedy: "Start the newer build, or restore a backup made by this one.")
    }
    guard version < steps.count else { return }
    try database.inTransaction(.immediate) {
      for step in steps[version...] { try step(database) }
      try database.execute(sql: "PRAGMA application_id = \(applicationID)")
      try database.execute(sql: "PRAGMA user_version = \(steps.count)")
      return .commit
    }
  }
}

extension Row {
  /// A BLOB column's bytes; empty for NULL.
  func bytes(_ index: Int) throws -> [UInt8] {
    try withUnsafeData(atIndex: index) { data in data.map { [UInt8]($0) } ?? [] }
  }
}

extension [UInt8] {
  /// As SQLite takes a BLOB.
  var blob: Data { Data(self) }
}
