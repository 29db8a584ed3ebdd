import HTTPTypes
import Hummingbird
import Logging
import Search

extension Response {
  /// Rows as they are found, a batch at a time: the answer is never held as a whole.
  ///
  /// The first rows come before the head, so that a query that can't be answered is a problem and not a broken answer. A query that
  /// fails after them ends the connection, so that a cut answer is never taken for a whole one.
  ///
  /// - Parameters:
  ///   - separator: Stands between two batches; within one, `write` and the writer's commas do.
  ///   - write: Puts one row.
  init(
    rows query: SearchService.PreparedQuery, contentType: String, opening: String = "", separator: String = "",
    closing: String = "", logger: Logger, write: @escaping @Sendable (SearchRow, inout JSONWriter) -> Void
  ) async throws {
    let stream = RowStream(query)
    let first = try await stream.next()
    let body = ResponseBody { writer in
      var json = JSONWriter(reservingCapacity: 1 << 16)
      var prefix = opening
      var isEmpty = true
      var batch = first
      while let rows = batch {
        if !rows.isEmpty {
          json.removeAll()
          for row in rows { write(row, &json) }
          var buffer = ByteBuffer(string: prefix)
          buffer.writeBytes(json.bytes)
          try await writer.write(buffer)
          prefix = separator
          isEmpty = false
        }
        do {
          batch = try await stream.next()
        } catch {
          // That the client has gone or the server stops is nobody's failure.
          if !(error is CancellationError) {
            logger.warning("a query's answer was cut off", metadata: ["error": "\(error)"])
          }
          throw error
        }
      }
      let end = (isEmpty ? opening : "") + closing
      if !end.isEmpty { try await writer.write(ByteBuffer(string: end)) }
      try await writer.finish(nil)
    }
    self.init(status: .ok, headers: [.contentType: contentType], body: body)
  }
}
