package import Domain
internal import Foundation
internal import Glibc

/// The data folder: every path in one place, and the lock that lets one process at a time use it.
///
///     DATA/                          0700
///       lock                         held while the process lives; holds its process number
///       reserve                      0600: a mebibyte to give up when the disk is full
///       control.sqlite               0600: tenants, keys, settings
///       tenants/<tenant>/            0700
///         tenant.sqlite              0600: everything of one tenant
package final class DataDirectory: Sendable {
  package let path: String
  /// An open file whose lock the kernel drops when the process ends, however it ends.
  private let lockDescriptor: Int32

  /// Makes the folder if need be and locks it.
  ///
  /// - Throws: `.locked` if another process, or this one, holds it; `.inputOutput` if it cannot be made or written.
  package init(path: String) throws(StorageError) {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    self.path = path
    try Self.makeFolder(path)
    let lockPath = path + "/lock"
    let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.failure("opening the lock", at: lockPath) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      let holder = Self.holder(descriptor)
      close(descriptor)
      guard reason == EWOULDBLOCK else { throw Self.failure("locking the data folder", at: lockPath, reason) }
      throw StorageError(
        .locked, "locking the data folder", at: path,
        cause: holder.map { "process \($0) is using it" } ?? "another process is using it",
        remedy: "Stop that process, or give this one another data folder.")
    }
    lockDescriptor = descriptor
    // The number is for people; the lock itself is the kernel's, so failing to write it does no harm.
    let number = Array("\(getpid())\n".utf8)
    if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, number, number.count, 0) }
    try Self.makeFolder(path + "/tenants")
    holdReserve()
    Self.syncFolder(path)
  }

  deinit { close(lockDescriptor) }

  package var controlFile: String { path + "/control.sqlite" }

  package func tenantFolder(_ tenant: TenantID) -> String { path + "/tenants/" + tenant.text }

  package func tenantFile(_ tenant: TenantID) -> String { tenantFolder(tenant) + "/tenant.sqlite" }

  // MARK: - The reserve

  private static let reserveByteCount = 1 << 20
  private static let reserveFreeByteCountMin: UInt64 = 64 << 20
  private var reserveFile: String { path + "/reserve" }

  /// Holds some space, where there is enough: SQLite needs a little even to read a file that was closed, and a server
  /// that is started again on a full disk must answer queries.
  private func holdReserve() {
    guard access(reserveFile, F_OK) != 0, freeByteCount(at: path) >= Self.reserveFreeByteCountMin else { return }
    let descriptor = open(reserveFile, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    // Without it the folder works as well, until the disk is full.
    if posix_fallocate(descriptor, 0, off_t(Self.reserveByteCount)) != 0 { unlink(reserveFile) }
    close(descriptor)
  }

  /// Gives the reserve up; the next start with enough space holds it again.
  ///
  /// - Returns: Whether there was one.
  func releaseReserve() -> Bool { unlink(reserveFile) == 0 }

  // MARK: - Tenants

  /// The tenants that have a file, sorted.
  package func tenants() -> [TenantID] {
    // A folder that cannot be listed has no tenants that could be opened either; opening one tells the cause.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path + "/tenants")) ?? []
    return names.compactMap(TenantID.init).filter { access(tenantFile($0), F_OK) == 0 }.sorted()
  }

  /// Makes the tenant's folder, durable and readable by nobody else.
  func makeTenantFolder(_ tenant: TenantID) throws(StorageError) {
    let folder = tenantFolder(tenant)
    guard access(folder, F_OK) != 0 else { return }
    try Self.makeFolder(folder)
    Self.syncFolder(path + "/tenants")
  }

  /// Makes an empty file that only its owner can read, so that SQLite and its log inherit the mode. A file that is
  /// there is left alone: opening and closing it beside SQLite would drop SQLite's locks.
  static func makeFile(_ path: String) throws(StorageError) {
    guard access(path, F_OK) != 0 else { return }
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      guard errno == EEXIST else { throw failure("making a file", at: path) }
      return
    }
    close(descriptor)
    syncFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
  }

  private static func makeFolder(_ path: String) throws(StorageError) {
    if mkdir(path, 0o700) == 0 { return }
    var reason = errno
    if reason == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try makeFolder(String(path[..<slash]))
      if mkdir(path, 0o700) == 0 { return }
      reason = errno
    }
    var status = stat()
    guard reason == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw failure("making a folder", at: path, reason)
    }
  }

  /// Makes the names in a folder durable. File systems that cannot do so say no, and nothing better can be done about
  /// it.
  private static func syncFolder(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    close(descriptor)
  }

  private static func holder(_ descriptor: Int32) -> Int? {
    var bytes = [UInt8](repeating: 0, count: 20)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    return Int(String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }

  private static func failure(_ operation: String, at file: String, _ reason: Int32 = errno) -> StorageError {
    let cause = String(cString: strerror(reason))
    guard reason != ENOSPC, reason != EDQUOT else { return .diskFull(operation, at: file, cause: cause) }
    return StorageError(
      .inputOutput, operation, at: file, cause: cause,
      remedy: "Make sure that the data folder is on a mounted disk and belongs to the user that runs Timberline.")
  }
}
