internal import GRDB
internal import Glibc
internal import LogBlocks

extension StorageError {
  /// Any error of SQLite or of a block's bytes as one of ours. Errors that already are stay as they are.
  init(_ error: any Error, _ operation: String, at file: String) {
    switch error {
    case let error as StorageError: self = error
    case let error as DatabaseError: self.init(sqlite: error, operation, at: file)
    case let error as BlockError: self.init(block: error, operation, at: file)
    default:
      self.init(
        .invalid, operation, at: file, cause: String(describing: error),
        remedy: "This is a defect of Timberline; please report it.")
    }
  }

  private init(sqlite error: DatabaseError, _ operation: String, at file: String) {
    let cause = "\(error.message ?? "no message") (SQLite code \(error.extendedResultCode.rawValue))"
    switch error.resultCode {
    case .SQLITE_FULL:
      self = .diskFull(operation, at: file, cause: cause)
    case .SQLITE_IOERR, .SQLITE_CANTOPEN:
      // A full disk shows as other codes too: the shared-memory file cannot grow, the log cannot be made.
      if freeByteCount(at: file) < 1 << 20 {
        self = .diskFull(operation, at: file, cause: cause)
      } else {
        self.init(
          .inputOutput, operation, at: file, cause: cause,
          remedy: "Check the disk, the permissions of the data folder and the system's log.")
      }
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      self = .corrupt(operation, at: file, cause: cause)
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self.init(
        .busy(retryAfterSeconds: 1), operation, at: file, cause: cause,
        remedy: "Make sure that no other program has the file open, then try again.")
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      self.init(
        .inputOutput, operation, at: file, cause: cause,
        remedy: "Give the user that runs Timberline the right to write to the data folder.")
    default:
      self.init(
        .invalid, operation, at: file, cause: cause, remedy: "This is a defect of Timberline; please report it.")
    }
  }

  private init(block error: BlockError, _ operation: String, at file: String) {
    switch error {
    case .corrupt, .missingColumn:
      self = .corrupt(operation, at: file, cause: "\(error)")
    case .unsupportedVersion(let version):
      self.init(
        .newerFormat(found: version, supported: version - 1), operation, at: file, cause: "\(error)",
        remedy: "Start the newer build that wrote it.")
    case .invalidRecords, .tooLarge:
      self.init(.invalid, operation, at: file, cause: "\(error)", remedy: "Send fewer records in one request.")
    }
  }

  static func diskFull(_ operation: String, at file: String, cause: String) -> StorageError {
    StorageError(
      .diskFull, operation, at: file, cause: cause,
      remedy: "Free some space or shorten the retention; what was acknowledged is safe, and writing goes on by itself.")
  }

  static func corrupt(_ operation: String, at file: String, cause: String) -> StorageError {
    StorageError(
      .corrupt, operation, at: file, cause: cause,
      remedy: "Run `timberline verify`; restore this tenant from a backup if the damage matters.")
  }

  static func closed(_ operation: String, at file: String) -> StorageError {
    StorageError(.closed, operation, at: file, cause: "the file was closed", remedy: "Open the tenant again.")
  }
}

/// What an ordinary user may still write on the file system of `file`; all there is if the system does not say.
func freeByteCount(at file: String) -> UInt64 {
  var status = statvfs()
  guard statvfs(file, &status) == 0 else { return .max }
  return UInt64(status.f_bavail) * UInt64(status.f_frsize)
}
