package import Domain
import LogParsing
import LogTemplates
package import Storage

/// What a body may hold.
package struct IngestLimits: Sendable {
  /// Largest body once unpacked.
  package var bodyByteCountMax: Int
  package var lineByteCountMax: Int
  package var fieldCountMax: Int
  /// Records older than this are refused; nil takes any age up to ten years.
  package var retentionNanoseconds: Int64?

  package init(bodyByteCountMax: Int, lineByteCountMax: Int, fieldCountMax: Int, retentionNanoseconds: Int64?) {
    self.bodyByteCountMax = bodyByteCountMax
    self.lineByteCountMax = lineByteCountMax
    self.fieldCountMax = fieldCountMax
    self.retentionNanoseconds = retentionNanoseconds
  }
}

/// What a sender may ask for with its body.
package struct IngestOptions: Sendable {
  /// Whether records may be older or newer than a live sender's can be, as an import's are. The retention applies all the same.
  package var takesAnyAge: Bool
  /// Fields that label the stream besides the usual ones.
  package var streamFields: [String]

  package init(takesAnyAge: Bool = false, streamFields: [String] = []) {
    self.takesAnyAge = takesAnyAge
    self.streamFields = streamFields
  }
}

/// What became of a body: how many of its records are durable now, and why the others are not there.
package struct IngestReceipt: Sendable {
  package var acceptedCount: Int
  package var rejectedCount: Int
  /// The first `rejectionsShownMax` of the rejected.
  package var rejections: [Rejection]

  package static let rejectionsShownMax = 20

  package struct Rejection: Sendable, Equatable {
    /// From 1.
    package var line: Int
    package var reason: String
  }
}

/// More bodies came at once than memory is set aside for: nothing of this one was taken.
package struct IngestBusy: Error, Sendable {}

/// Bytes in, durable records, a receipt back. The steps: unpack, parse, take apart, number, commit.
package struct IngestService: Sendable {
  private let pool: TenantDatabasePool
  private let limits: IngestLimits
  private let executor: any TaskExecutor
  private let now: @Sendable () -> Timestamp
  private let didOpen: @Sendable (TenantDatabase) -> Void
  package let metrics = IngestMetrics()
  /// Bodies as sent and as unpacked. What parsing makes of them takes about as much again.
  private let budget = ByteBudget(byteCountMax: 96 << 20)

  /// - Parameters:
  ///   - executor: Where parsing and taking apart run: work that holds a core for milliseconds.
  ///   - didOpen: Told of a tenant's database before records go to it, so that those who follow commits miss none.
  package init(
    pool: TenantDatabasePool, limits: IngestLimits, executor: any TaskExecutor,
    now: @escaping @Sendable () -> Timestamp,
    didOpen: @escaping @Sendable (TenantDatabase) -> Void
  ) {
    self.pool = pool
    self.limits = limits
    self.executor = executor
    self.now = now
    self.didOpen = didOpen
  }

  /// Makes room for a body that is about to be read.
  ///
  /// - Throws: `IngestBusy` if there is none.
  package func admit(byteCount: Int) throws -> BodyAdmission {
    guard let admission = BodyAdmission(byteCount, of: budget) else { throw IngestBusy() }
    return admission
  }

  /// Takes a body of JSON lines, one JSON object or an array of them. Returns only once the accepted records are durable.
  ///
  /// - Parameter admission: The room that was made for the body.
  /// - Throws: `BodyError` when it can't be unpacked, `IngestBusy` when there is no room for what it unpacks to, `StorageError` when
  ///   it can't be kept; then none of it was taken.
  package func take(
    _ body: some Collection<UInt8> & Sendable, encoding: ContentEncoding, _ options: IngestOptions = IngestOptions(),
    admission: BodyAdmission? = nil, scope: TenantScope
  ) async throws -> IngestReceipt {
    let limits = limits
    let now = now()
    return try await withTaskExecutorPreference(executor) {
      let (parsed, byteCount) = try Self.parse(
        body, encoding: encoding, limits: limits, options: options, admission: admission, now: now)
      let receipt = IngestReceipt(
        acceptedCount: parsed.records.count, rejectedCount: parsed.rejectedCount,
        rejections: parsed.rejections.prefix(IngestReceipt.rejectionsShownMax).map {
          IngestReceipt.Rejection(line: $0.line, reason: $0.reason)
        })
      if parsed.records.count > 0 {
        try await store(parsed.records, rawByteCount: byteCount, scope: scope)
      }
      metrics.count(accepted: receipt.acceptedCount, rejected: receipt.rejectedCount, byteCount: byteCount)
      return receipt
    }
  }

  /// Takes records that are parsed already, as an import does. Returns once they are durable.
  package func store(_ records: ParsedRecords, rawByteCount: Int, scope: TenantScope) async throws {
    let database = try await pool.open(scope)
    didOpen(database)
    var decomposition = Decomposition(records)
    decomposition.renumber(
      templateNumbers: try database.templateNumbers(for: decomposition.templates),
      streamNumbers: try database.streamNumbers(for: decomposition.streams))
    _ = try await database.append(decomposition.columns, rawByteCount: rawByteCount)
  }

  private static func parse(
    _ body: some Collection<UInt8>, encoding: ContentEncoding, limits: IngestLimits, options request: IngestOptions,
    admission: BodyAdmission?, now: Timestamp
  ) throws -> (ParseResult, byteCount: Int) {
    var options = JSONLinesParser.Options(now: now)
    if request.takesAnyAge { options.limits = .anyTime }
    options.limits.lineByteCountMax = limits.lineByteCountMax
    options.limits.fieldCountMax = limits.fieldCountMax
    options.limits.retentionNanoseconds = limits.retentionNanoseconds
    options.streamFields.always += request.streamFields
    let parser = JSONLinesParser(options: options)
    func run(_ bytes: UnsafeBufferPointer<UInt8>) throws -> (ParseResult, byteCount: Int) {
      if encoding == .identity {
        if bytes.count > limits.bodyByteCountMax { throw BodyError.tooLarge(byteCountMax: limits.bodyByteCountMax) }
        return (parser.parse(bytes), bytes.count)
      }
      let plain = try BodyDecoder.decode(bytes, encoding, byteCountMax: limits.bodyByteCountMax)
      if let admission, !admission.extend(by: plain.count) { throw IngestBusy() }
      return plain.withUnsafeBufferPointer { (parser.parse($0), $0.count) }
    }
    if let result = try body.withContiguousStorageIfAvailable({ try run($0) }) { return result }
    return try Array(body).withUnsafeBufferPointer { try run($0) }
  }
}
