import Search
import Storage

extension Problem {
  init(_ error: SearchError) {
    switch error {
    case .syntax(let error):
      var members: [(name: String, value: JSONValue)] = []
      if error.column > 0 { members.append(("column", .int(error.column))) }
      if let expected = error.expected { members.append(("expected", .string(expected))) }
      self.init(
        .badRequest, "query-syntax", "The query can't be understood",
        (error.column > 0 ? "Column \(error.column): " : "") + error.message + ".", members: members)
    case .timeout(let seconds):
      self.init(
        .gatewayTimeout, "query-timeout", "The query took too long",
        "It was stopped after \(seconds) seconds. A shorter time range or a more selective filter answers sooner.",
        members: [("seconds_max", .int(seconds))])
    case .tooLarge(let text):
      self.init(
        .unprocessableContent, "query-too-large", "The query would hold too much",
        text.prefix(1).uppercased() + text.dropFirst() + ".")
    case .tooMany(let running, let waiting):
      self.init(
        .tooManyRequests, "too-many-queries", "Too many queries at once",
        "\(running) queries of this tenant run, and as many wait for their turn as may (\(waiting)). Send it again once some have ended.",
        members: [("running_max", .int(running)), ("waiting_max", .int(waiting))])
      headers[.retryAfter] = "1"
    }
  }

  /// What a client may know of a failure of the store; the path and the cause stand in the log.
  init(_ error: StorageError) {
    switch error.kind {
    case .busy(let retryAfterSeconds):
      self = .unavailable(
        "More is waiting to be written than can be held. Nothing of this request was taken; send it again.",
        retryAfterSeconds: retryAfterSeconds)
    case .diskFull:
      self.init(
        .init(code: 507, reasonPhrase: "Insufficient Storage"), "disk-full", "The server's disk is full",
        "Nothing of this request was taken, and nothing acknowledged before is lost. Send it again once there is space."
      )
      headers[.retryAfter] = "30"
    case .closed:
      self = .unavailable("The tenant's file is being closed; send the request again.", retryAfterSeconds: 1)
    case .corrupt:
      self.init(
        .internalServerError, "damaged-data", "A part of the data is damaged",
        "What is damaged is set aside; a new request is answered from the rest. `timberline verify` names it.")
    case .newerFormat:
      self.init(
        .internalServerError, "newer-format", "The data was written by a newer version",
        "This server is older than the one that wrote the file. Start the newer version.")
    case .notFound: self = .notFound("What was asked for does not exist.")
    case .locked, .alreadyExists, .inputOutput, .invalid:
      self.init(
        .internalServerError, "storage", "The store failed",
        "The server's log has the details under this instance.")
    }
  }
}
