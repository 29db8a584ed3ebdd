/// A failure or refusal of the store: what was being done, to which file, why it failed, and what the operator can do.
package struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What callers switch over.
  package enum Kind: Equatable, Sendable {
    /// More is waiting to be written than the bound allows. Nothing of this request was taken (HTTP 503).
    case busy(retryAfterSeconds: Int)
    /// No space left; nothing of this request was taken, nothing acknowledged is lost (HTTP 507).
    case diskFull
    /// Stored bytes are not what was written.
    case corrupt
    /// The file was written by a newer build.
    case newerFormat(found: Int, supported: Int)
    /// Another process has the data folder open.
    case locked
    /// The database was closed beneath its user.
    case closed
    /// What was asked for does not exist.
    case notFound
    /// Something of that name exists.
    case alreadyExists
    /// The file system said no: permission, I/O error, read-only.
    case inputOutput
    /// A caller's bug told instead of trapped: records that break a rule, SQL that does not hold.
    case invalid
  }

  package var kind: Kind
  /// What was being done: `reading block 118`.
  package var operation: String
  /// The path of the file concerned.
  package var file: String
  package var cause: String
  package var remedy: String

  package init(_ kind: Kind, _ operation: String, at file: String, cause: String, remedy: String) {
    self.kind = kind
    self.operation = operation
    self.file = file
    self.cause = cause
    self.remedy = remedy
  }

  package var description: String { "\(operation) failed at \(file): \(cause). \(remedy)" }
}
