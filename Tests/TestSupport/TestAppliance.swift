package import Domain
import Foundation
package import Indexing
import LogParsing
import LogTemplates
package import Logging
package import Storage

/// A data folder that goes with the test, with two tenants in it, real databases and real indexes.
package final class TestAppliance: Sendable {
  package let time = ManualTime()
  package let acme = TenantScope(proven: TenantID("acme")!)
  package let globex = TenantScope(proven: TenantID("globex")!)
  package let directory: DataDirectory
  package let pool: TenantDatabasePool
  package let indexes: TenantIndexPool
  private let root: String
  private let ownsRoot: Bool

  package convenience init(_ options: StorageOptions = StorageOptions()) throws {
    try self.init(root: NSTemporaryDirectory() + "timberline-test-\(UUID().uuidString)", ownsRoot: true, options)
  }

  private init(root: String, ownsRoot: Bool, _ options: StorageOptions) throws {
    self.root = root
    self.ownsRoot = ownsRoot
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    directory = try DataDirectory(path: root + "/data")
    pool = TenantDatabasePool(directory, options: options, now: { [time] in time.now }, logger: .quiet)
    indexes = TenantIndexPool(logger: .quiet)
  }

  deinit {
    // A folder that stays behind harms no other test.
    if ownsRoot { try? FileManager.default.removeItem(atPath: root) }
  }

  package var now: @Sendable () -> Timestamp { { [time] in time.now } }

  /// Closes everything in the order of a stop.
  package func close() async {
    await pool.closeAll()
    await indexes.finish()
  }

  /// Stores `lines` as one commit, as the ingest does.
  package func store(_ lines: [LogLine], _ scope: TenantScope) async throws {
    let database = try await pool.open(scope)
    indexes.follow(database)
    // Any moment there is can be stored; those that no sender could write down are put in after parsing.
    let body = lines.map { line in
      var line = line
      line.time = time.now
      return line
    }.ndjson
    var options = JSONLinesParser.Options(now: time.now)
    options.limits = .anyTime
    var result = body.withUnsafeBufferPointer { JSONLinesParser(options: options).parse($0) }
    guard result.rejectedCount == 0 else { throw TestApplianceError.rejected(result.rejections.map(\.description)) }
    result.records.times = lines.map(\.time.nanoseconds)
    var decomposition = Decomposition(result.records)
    decomposition.renumber(
      templateNumbers: try database.templateNumbers(for: decomposition.templates),
      streamNumbers: try database.streamNumbers(for: decomposition.streams))
    _ = try await database.append(decomposition.columns, rawByteCount: body.count)
  }

  /// Makes the tenant's head into blocks.
  package func flush(_ scope: TenantScope) async throws { try await pool.open(scope).flush() }

  /// The tenant's index, with all that is durable taken in.
  package func index(_ scope: TenantScope) async throws -> TenantIndex {
    try await indexes.index(of: try await pool.open(scope))
  }

  /// What a process that was killed now leaves behind, opened anew.
  package func afterCrash() throws -> TestAppliance {
    let copy = root + "/crash-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: copy + "/data", withIntermediateDirectories: true)
    for name in try FileManager.default.subpathsOfDirectory(atPath: directory.path) {
      if name == "lock" || name.hasSuffix("-shm") { continue }
      let (from, to) = (directory.path + "/" + name, copy + "/data/" + name)
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: from, isDirectory: &isFolder)
      if isFolder.boolValue {
        try FileManager.default.createDirectory(atPath: to, withIntermediateDirectories: true)
      } else {
        try FileManager.default.copyItem(atPath: from, toPath: to)
      }
    }
    return try TestAppliance(root: copy, ownsRoot: false, StorageOptions())
  }

  /// The same folder after a proper stop, opened anew.
  package func afterStop() async throws -> TestAppliance {
    await close()
    return try afterCrash()
  }
}

package enum TestApplianceError: Error {
  case rejected([String])
}

extension Logger {
  /// Says nothing.
  package static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
