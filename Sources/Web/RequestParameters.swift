import Domain
import Hummingbird
import Search

/// The parameters of a request: of its query string and, for a form that was posted, of its body.
struct RequestParameters: Sendable {
  private var values: [String: String] = [:]

  /// - Parameter text: `application/x-www-form-urlencoded`.
  init(_ text: some StringProtocol) {
    add(text)
  }

  /// Of the query string, then of a posted form or JSON object, which wins.
  ///
  /// - Throws: `Problem` 413 when the body is larger than 1 MiB, 415 when it is something else.
  init(_ request: Request) async throws {
    if let query = request.uri.query { add(query) }
    guard request.method == .post else { return }
    let type = (request.headers[.contentType] ?? "").lowercased().prefix { $0 != ";" && $0 != " " }
    if type == "application/json" {
      for (name, text) in try await RequestObject(request).texts { values[name] = text }
      return
    }
    var request = request
    let body = try await request.collectBody(upTo: 1 << 20)
    if type == "application/x-www-form-urlencoded" {
      add(String(buffer: body))
    } else if body.readableBytes > 0 {
      // Read as nothing, a query that went astray would answer everything there is.
      throw Problem(
        .unsupportedMediaType, "content-type", "The body's type is not known here",
        "Parameters are taken as application/x-www-form-urlencoded or application/json, not '\(type)'.")
    }
  }

  private mutating func add(_ text: some StringProtocol) {
    for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
      let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      values[RequestParameters.decoded(parts[0])] = parts.count > 1 ? RequestParameters.decoded(parts[1]) : ""
    }
  }

  private static func decoded(_ text: some Collection<UInt8>) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+") {
        bytes.append(UInt8(ascii: " "))
      } else if byte == UInt8(ascii: "%"), rest.count >= 2,
        let high = Unicode.Scalar(rest[rest.startIndex]).hexDigitValue,
        let low = Unicode.Scalar(rest[rest.startIndex + 1]).hexDigitValue
      {
        bytes.append(high << 4 | low)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  func required(_ name: String) throws -> String {
    guard let value = self[name] else { throw Problem.invalidParameter(name, expected: "given") }
    return value
  }

  func integer(_ name: String, default value: Int, in range: ClosedRange<Int>) throws -> Int {
    guard let text = self[name] else { return value }
    guard let number = Int(text), range.contains(number) else {
      throw Problem.invalidParameter(
        name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// Whether a parameter says yes; without it, no.
  func flag(_ name: String) throws -> Bool {
    switch self[name] {
    case nil, "0", "false": return false
    case "1", "true": return true
    default: throw Problem.invalidParameter(name, expected: "1 or 0")
    }
  }

  func time(_ name: String, now: Timestamp) throws -> Timestamp? {
    guard let text = self[name] else { return nil }
    guard let time = TimeExpression.parse(text, now: now) else {
      throw Problem.invalidParameter(
        name, expected: "a time: RFC 3339, seconds since 1970, or relative such as now-1h")
    }
    return time
  }

  /// `start` (or `start_time`) inclusive to `end` (or `end_time`) exclusive; open ends reach over everything.
  func timeRange(now: Timestamp) throws -> TimeRange {
    let start = try time("start", now: now) ?? time("start_time", now: now)
    let end = try time("end", now: now) ?? time("end_time", now: now)
    return try TimeRange(requestedStart: start, end: end)
  }

  /// A length of time such as `1m`, in nanoseconds.
  func step(_ name: String, default value: Int64) throws -> Int64 {
    guard let text = self[name] else { return value }
    guard let step = TimeExpression.parseDuration(text), step >= 1_000_000 else {
      throw Problem.invalidParameter(name, expected: "a length of time of at least 1ms, such as 30s, 1m or 1h")
    }
    return step
  }
}

extension TimeRange {
  /// Open ends reach over everything.
  ///
  /// - Throws: `Problem` 400 when it ends before it starts.
  init(requestedStart start: Timestamp?, end: Timestamp?) throws {
    self.init(start: start ?? TimeRange.all.start, end: end ?? TimeRange.all.end)
    if self.end < self.start { throw Problem.invalidParameter("end", expected: "later than 'start'") }
  }
}

extension Unicode.Scalar {
  /// What an ASCII hexadecimal digit stands for.
  fileprivate var hexDigitValue: UInt8? {
    isASCII ? Character(self).hexDigitValue.map { UInt8($0) } : nil
  }
}

extension Request {
  /// The whole body.
  ///
  /// - Throws: `Problem` 413 when it is larger than `byteCountMax`.
  mutating func collectBody(upTo byteCountMax: Int) async throws -> ByteBuffer {
    // Most clients send all of a body before they read the answer, so the rest of one that is too large is read and dropped, up to
    // a bound past which the sender must live with a closed connection.
    let droppedByteCountMax = 8 * byteCountMax
    var collected = ByteBuffer()
    var droppedByteCount = 0
    do {
      for try await var part in body {
        if droppedByteCount > 0 || collected.readableBytes + part.readableBytes > byteCountMax {
          droppedByteCount += part.readableBytes + collected.readableBytes
          collected.clear(minimumCapacity: 0)
          if droppedByteCount > droppedByteCountMax { break }
        } else {
          collected.writeBuffer(&part)
        }
      }
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      // What ends a body early is its sender's doing: a broken chunk, or a connection closed in the middle.
      throw Problem.badRequest("The body ends before it is whole, or is not framed as HTTP says.")
    }
    if droppedByteCount > 0 { throw Problem.bodyTooLarge(byteCountMax) }
    return collected
  }
}

extension Problem {
  static func bodyTooLarge(_ byteCountMax: Int) -> Problem {
    Problem(
      .contentTooLarge, "body-too-large", "The body is too large",
      "At most \(byteCountMax) bytes are taken in one request; send the records in smaller bodies.",
      members: [("bytes_max", .int(byteCountMax))])
  }
}
