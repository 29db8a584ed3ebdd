package import Domain

/// A record as a test writes it down, and as a sender would send it.
package struct LogLine: Sendable {
  package var time: Timestamp
  package var message: String
  /// Level, labels and other fields, in order; a name may stand twice.
  package var fields: [(name: String, value: String)]

  package init(_ time: Timestamp, _ message: String, _ fields: [(name: String, value: String)] = []) {
    self.time = time
    self.message = message
    self.fields = fields
  }

  /// A record of a container in Kubernetes, as Fluent Bit flattens it.
  package init(
    _ time: Timestamp, pod: String, container: String, namespace: String = "shop", level: String, _ message: String
  ) {
    self.init(
      time, message,
      [
        ("kubernetes.namespace_name", namespace), ("kubernetes.pod_name", pod),
        ("kubernetes.container_name", container),
        ("level", level),
      ])
  }

  /// One JSON object, without a line feed.
  package var json: String {
    var text = "{\"timestamp\":\"\(time.rfc3339)\",\"message\":\(LogLine.quoted(message))"
    for field in fields { text += ",\(LogLine.quoted(field.name)):\(LogLine.quoted(field.value))" }
    return text + "}"
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\" + String(scalar)
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

extension Collection where Element == LogLine {
  /// As a body of JSON lines.
  package var ndjson: [UInt8] { Array(map { $0.json + "\n" }.joined().utf8) }
}
